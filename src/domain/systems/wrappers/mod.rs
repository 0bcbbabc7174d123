//! What stands around a line: the words that a process manager or a log router puts before or behind it.

pub(super) mod fpm;
