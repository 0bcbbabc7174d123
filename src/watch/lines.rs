//! Bytes of a log into lines: where each of them begins and ends, and how far they reach.
//!
//! **Invariant:** the same bytes make the same lines, however often they are read, as long as they are read from the
//! same place.

use memchr::memchr;

use crate::domain::systems::LINE_BYTES_MAX;

/// Where a line lies in the bytes, without its newline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// Its first byte.
    pub(super) start: usize,
    /// The byte after its last.
    pub(super) end: usize,
}

/// What follows the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Perhaps the rest of the last line: without its newline it is held.
    Open,
    /// Nothing: a last line without a newline is a line.
    Final,
}

/// Lines of a piece of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cut {
    /// The lines, without blank ones: CloudWatch takes no empty event, and neither does anybody here.
    pub(super) lines: Vec<Span>,
    /// The bytes that are done with.
    pub(super) bytes: usize,
    /// Whether they end within a line that is too long, whose rest is to be passed over.
    pub(super) is_within_line: bool,
}

/// Cuts bytes into lines. A line longer than [`LINE_BYTES_MAX`] is cut to that, so that it is held by nobody; where
/// the bytes begin within one, as `is_within_line` tells, its rest is passed over.
pub(super) fn cut(bytes: &[u8], is_within_line: bool, ending: Ending) -> Cut {
    let mut done = Cut { is_within_line, ..Cut::default() };
    while let Some(rest) = bytes.get(done.bytes..).filter(|rest| !rest.is_empty()) {
        let newline = memchr(b'\n', rest);
        let length = newline.unwrap_or(rest.len());
        if newline.is_none() && !done.is_within_line && length <= LINE_BYTES_MAX && ending == Ending::Open {
            break;
        }
        let start = done.bytes;
        let end = start.saturating_add(length.min(LINE_BYTES_MAX));
        let is_blank = rest.get(..length).is_none_or(|line| line.iter().all(|byte| *byte == b'\r'));
        if !done.is_within_line && !is_blank {
            done.lines.push(Span { start, end });
        }
        done.is_within_line = newline.is_none() && (done.is_within_line || length > LINE_BYTES_MAX);
        done.bytes = start.saturating_add(length).saturating_add(usize::from(newline.is_some()));
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], ending: Ending, lines: &[&str], done: usize) {
        let found = cut(bytes, false, ending);
        let texts: Vec<_> = found.lines.iter().map(|line| &bytes[line.start..line.end]).collect();
        assert_eq!(texts, lines.iter().map(|line| line.as_bytes()).collect::<Vec<_>>());
        assert_eq!((found.bytes, found.is_within_line), (done, false));
    }

    #[test]
    fn a_last_line_is_held_until_its_newline_comes() {
        check(b"", Ending::Open, &[], 0);
        check(b"a", Ending::Open, &[], 0);
        check(b"a\n", Ending::Open, &["a"], 2);
        check(b"a\nbc", Ending::Open, &["a"], 2);
        check(b"a\nbc\n", Ending::Open, &["a", "bc"], 5);
        check(b"a\nbc", Ending::Final, &["a", "bc"], 4);
        check(b"", Ending::Final, &[], 0);
    }

    #[test]
    fn blank_lines_are_none() {
        check(b"\n\r\n a\r\n\n", Ending::Open, &[" a\r"], 8);
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_and_its_rest_passed_over() {
        let long = vec![b'x'; LINE_BYTES_MAX + 1];
        let found = cut(&long, false, Ending::Open);
        assert_eq!(found.lines, [Span { start: 0, end: LINE_BYTES_MAX }]);
        assert!((found.bytes, found.is_within_line) == (LINE_BYTES_MAX + 1, true));
        let found = cut(b"still the same\nnext\n", true, Ending::Open);
        assert_eq!(found, Cut { lines: vec![Span { start: 15, end: 19 }], bytes: 20, is_within_line: false });
        let found = cut(b"and on", true, Ending::Open);
        assert_eq!(found, Cut { lines: Vec::new(), bytes: 6, is_within_line: true });
    }

    #[test]
    fn a_line_of_just_the_limit_is_held_and_then_whole() {
        let mut long = vec![b'x'; LINE_BYTES_MAX];
        assert_eq!(cut(&long, false, Ending::Open), Cut::default());
        long.push(b'\n');
        assert_eq!(cut(&long, false, Ending::Open).lines, [Span { start: 0, end: LINE_BYTES_MAX }]);
        long.insert(0, b'x');
        let found = cut(&long, false, Ending::Open);
        assert_eq!(found.lines, [Span { start: 0, end: LINE_BYTES_MAX }], "longer, with its newline");
        assert!(!found.is_within_line);
    }
}
