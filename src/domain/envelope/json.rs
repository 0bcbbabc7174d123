//! Reads JSON that may break off at any byte, and may hold strings that are not quite text.
//!
//! Outside strings it accepts exactly what serde_json accepts. Inside them it accepts every byte, since a
//! string's end does not depend on its content: it is the first quote that no backslash escapes.
//!
//! **Invariant:** a verdict other than [`Stop::Incomplete`] stays the same, whatever bytes follow.

mod string;

pub(super) use string::{Str, lossy};

/// Values inside values: as deep as serde_json goes, so that a forged document cannot exhaust the stack.
const DEPTH_MAX: u8 = 127;

/// Why reading stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The text ends inside the unit.
    Incomplete,
    /// The text is wrong, with `left` bytes of it unread.
    Fault { left: usize, what: &'static str },
}

/// A place in a text.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(text: &'a [u8]) -> Self {
        Self { rest: text }
    }

    /// How many bytes are unread.
    pub(super) const fn left(&self) -> usize {
        self.rest.len()
    }

    pub(super) const fn fault(&self, what: &'static str) -> Stop {
        Stop::Fault { left: self.rest.len(), what }
    }

    /// The next byte that is no whitespace, unread.
    pub(super) fn peek(&mut self) -> Result<u8, Stop> {
        loop {
            match self.rest.split_first() {
                Some((b' ' | b'\t' | b'\n' | b'\r', rest)) => self.rest = rest,
                Some((&b, _)) => return Ok(b),
                None => return Err(Stop::Incomplete),
            }
        }
    }

    /// Reads `wanted`, after whitespace.
    pub(super) fn expect(&mut self, wanted: u8, what: &'static str) -> Result<(), Stop> {
        if self.peek()? == wanted {
            self.advance(1);
            return Ok(());
        }
        Err(self.fault(what))
    }

    /// Reads `wanted` if it comes next, after whitespace.
    pub(super) fn take_if(&mut self, wanted: u8) -> Result<bool, Stop> {
        let is_next = self.peek()? == wanted;
        if is_next {
            self.advance(1);
        }
        Ok(is_next)
    }

    /// Reads what follows a member or an element: true for a comma, false for `close`.
    pub(super) fn goes_on(&mut self, close: u8) -> Result<bool, Stop> {
        if self.take_if(b',')? {
            return Ok(true);
        }
        if self.take_if(close)? {
            return Ok(false);
        }
        Err(self.fault(if close == b'}' { "expected `,` or `}`" } else { "expected `,` or `]`" }))
    }

    /// Reads whitespace to the end of what is there.
    pub(super) fn only_space(&mut self) -> Result<(), Stop> {
        match self.peek() {
            Ok(_) => Err(self.fault("expected nothing after the document's closing `}`")),
            Err(_) => Ok(()),
        }
    }

    /// Reads a member's key and its colon.
    pub(super) fn key(&mut self, scratch: &mut Vec<u8>) -> Result<Str<'a>, Stop> {
        let key = self.string(scratch, "expected a key in double quotes")?;
        self.expect(b':', "expected `:` after a key")?;
        Ok(key)
    }

    /// Reads a number and gives its text.
    pub(super) fn number(&mut self) -> Result<&'a [u8], Stop> {
        self.peek()?;
        let text = self.rest;
        if self.rest.first() == Some(&b'-') {
            self.advance(1);
        }
        if self.rest.first() == Some(&b'0') {
            self.advance(1);
        } else {
            self.digits()?;
        }
        if self.rest.first() == Some(&b'.') {
            self.advance(1);
            self.digits()?;
        }
        if matches!(self.rest.first(), Some(b'e' | b'E')) {
            self.advance(1);
            if matches!(self.rest.first(), Some(b'+' | b'-')) {
                self.advance(1);
            }
            self.digits()?;
        }
        // Only what follows tells that a number is over; `01` and `1x` fail there.
        match self.rest.first() {
            Some(_) => Ok(text.get(..text.len().saturating_sub(self.rest.len())).unwrap_or_default()),
            None => Err(Stop::Incomplete),
        }
    }

    fn digits(&mut self) -> Result<(), Stop> {
        match self.rest.first() {
            Some(b'0'..=b'9') => {}
            Some(_) => return Err(self.fault("expected a digit")),
            None => return Err(Stop::Incomplete),
        }
        while let Some((b'0'..=b'9', rest)) = self.rest.split_first() {
            self.rest = rest;
        }
        Ok(())
    }

    /// Reads any value and gives its text. `depth` is how many values it lies in.
    pub(super) fn value(&mut self, depth: u8) -> Result<&'a [u8], Stop> {
        let first = self.peek()?;
        let text = self.rest;
        match first {
            b'"' => self.skip_string()?,
            b'{' | b'[' => self.skip_container(first, depth)?,
            b't' => self.literal(b"true")?,
            b'f' => self.literal(b"false")?,
            b'n' => self.literal(b"null")?,
            b'-' | b'0'..=b'9' => drop(self.number()?),
            _ => return Err(self.fault("expected a value")),
        }
        Ok(text.get(..text.len().saturating_sub(self.rest.len())).unwrap_or_default())
    }

    fn skip_container(&mut self, open: u8, depth: u8) -> Result<(), Stop> {
        if depth >= DEPTH_MAX {
            return Err(self.fault("values lie too deep inside each other"));
        }
        let close = if open == b'{' { b'}' } else { b']' };
        self.advance(1);
        if self.take_if(close)? {
            return Ok(());
        }
        loop {
            if open == b'{' {
                if self.peek()? != b'"' {
                    return Err(self.fault("expected a key in double quotes"));
                }
                self.skip_string()?;
                self.expect(b':', "expected `:` after a key")?;
            }
            self.value(depth.saturating_add(1))?;
            if !self.goes_on(close)? {
                return Ok(());
            }
        }
    }

    fn literal(&mut self, word: &'static [u8]) -> Result<(), Stop> {
        let text = self.rest.get(..word.len()).unwrap_or(self.rest);
        if text == word {
            self.advance(word.len());
            Ok(())
        } else if word.starts_with(text) {
            Err(Stop::Incomplete)
        } else {
            Err(self.fault("expected a value"))
        }
    }

    fn next(&mut self) -> Result<u8, Stop> {
        let (&b, rest) = self.rest.split_first().ok_or(Stop::Incomplete)?;
        self.rest = rest;
        Ok(b)
    }

    fn advance(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests;
