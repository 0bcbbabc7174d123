//! The part of the inflated text that is in memory: it moves forward, and grows when one unit needs it.

use super::gunzip::Gunzip;
use super::json::{Cursor, Stop};
use super::{Limits, Reason, Rejection};

/// 128 KiB: inflating in smaller pieces costs time (the deflate window is copied at each), larger ones leave
/// the processor's cache.
pub(super) const WINDOW_BYTES: usize = 128 * 1024;

/// A window on the inflated text. Before `start` all is read, from `end` on nothing is inflated yet.
#[derive(Debug)]
pub(super) struct Window<'a> {
    gunzip: Gunzip<'a>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes of text before the buffer's first.
    passed_bytes: u64,
    bytes_max: usize,
}

impl<'a> Window<'a> {
    pub(super) fn new(gzip: &'a [u8], limits: &Limits, window_bytes: usize) -> Self {
        // One byte above the cap, so that the cap is passed rather than met.
        let bytes_max = usize::try_from(limits.inflated_bytes_max.saturating_add(1)).unwrap_or(usize::MAX);
        Self {
            gunzip: Gunzip::new(gzip, limits.inflated_bytes_max),
            buffer: vec![0; window_bytes.min(bytes_max)],
            start: 0,
            end: 0,
            passed_bytes: 0,
            bytes_max,
        }
    }

    /// Reads one unit of the text. If the window ends inside the unit, inflates more and reads it *again
    /// from its start*: `unit` has no effect before it is sure to return `Ok`.
    pub(super) fn read<T>(
        &mut self,
        mut unit: impl FnMut(&mut Cursor<'_>) -> Result<T, Stop>,
    ) -> Result<T, Rejection> {
        loop {
            let unread = self.buffer.get(self.start..self.end).unwrap_or_default();
            let mut cursor = Cursor::new(unread);
            match unit(&mut cursor) {
                Ok(value) => {
                    self.start = self.end.saturating_sub(cursor.left());
                    return Ok(value);
                }
                Err(Stop::Incomplete) => {
                    if !self.inflate_more()? {
                        let at = self.offset(self.end);
                        return Err(Rejection::new(
                            Reason::BadDocument,
                            format!("the document breaks off at byte {at}"),
                        ));
                    }
                }
                Err(Stop::Fault { left, what }) => {
                    let at = self.offset(self.end.saturating_sub(left));
                    return Err(Rejection::new(
                        Reason::BadDocument,
                        format!("byte {at} of the document: {what}"),
                    ));
                }
            }
        }
    }

    /// Reads the rest, which must be whitespace.
    pub(super) fn finish(&mut self) -> Result<(), Rejection> {
        loop {
            self.read(|text| text.only_space())?;
            if !self.inflate_more()? {
                return Ok(());
            }
        }
    }

    /// Inflates the rest unread, so that a fault of the bytes is found before one of their meaning is told.
    pub(super) fn verify_rest(&mut self) -> Result<(), Rejection> {
        loop {
            self.start = self.end;
            if !self.inflate_more()? {
                return Ok(());
            }
        }
    }

    /// Makes room and fills it. False at the verified end.
    fn inflate_more(&mut self) -> Result<bool, Rejection> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.passed_bytes = self.passed_bytes.saturating_add(self.start as u64);
            self.end = self.end.saturating_sub(self.start);
            self.start = 0;
        } else if self.end == self.buffer.len() {
            let bytes = self.buffer.len().saturating_mul(2).clamp(1, self.bytes_max);
            self.buffer.resize(bytes, 0);
        }
        let before = self.end;
        loop {
            let room = self.buffer.get_mut(self.end..).unwrap_or_default();
            let inflated_bytes = self.gunzip.read(room)?;
            self.end = self.end.saturating_add(inflated_bytes);
            if inflated_bytes == 0 {
                return Ok(self.end > before);
            }
        }
    }

    fn offset(&self, index: usize) -> u64 {
        self.passed_bytes.saturating_add(index as u64)
    }
}
