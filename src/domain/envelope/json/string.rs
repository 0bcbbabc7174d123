//! Reads JSON strings, unescaping them as far as they are text.

use std::borrow::Cow;

use super::{Cursor, Stop};
use crate::domain::quoted::{copy_plain, plain_escape, plain_run};

/// A string's bytes, unescaped.
#[derive(Clone, Copy, Debug)]
pub(in crate::domain::envelope) enum Str<'a> {
    /// As they stand in the text.
    Plain(&'a [u8]),
    /// The first so many bytes of the scratch space given.
    Unescaped(usize),
}

impl<'a> Str<'a> {
    /// The bytes, `scratch` being the space given to [`Cursor::string`].
    pub(in crate::domain::envelope) fn bytes(self, scratch: &'a [u8]) -> &'a [u8] {
        match self {
            Self::Plain(bytes) => bytes,
            Self::Unescaped(len) => scratch.get(..len).unwrap_or_default(),
        }
    }
}

/// Bytes as text, U+FFFD standing for what is none.
pub(in crate::domain::envelope) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    // Checked first because the lossy reader goes byte by byte even where nothing is wrong.
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

impl<'a> Cursor<'a> {
    /// Reads a string. Where it has escapes, its bytes are in `scratch`, which grows to the unread text's size.
    ///
    /// A lone surrogate becomes U+FFFD; raw control bytes and unknown escapes stay as they are.
    pub(in crate::domain::envelope) fn string(
        &mut self,
        scratch: &mut Vec<u8>,
        what: &'static str,
    ) -> Result<Str<'a>, Stop> {
        self.expect(b'"', what)?;
        let text = self.rest;
        let plain_bytes = plain_run(text);
        self.advance(plain_bytes);
        match self.next()? {
            b'"' => Ok(Str::Plain(text.get(..plain_bytes).unwrap_or_default())),
            _ => {
                // Unescaped text is never longer than escaped text.
                if scratch.len() < text.len() {
                    scratch.resize(text.len(), 0);
                }
                let mut out = Out { rest: scratch.as_mut_slice() };
                out.put(text.get(..plain_bytes).unwrap_or_default());
                self.unescape(&mut out)?;
                let unused = out.rest.len();
                Ok(Str::Unescaped(scratch.len().saturating_sub(unused)))
            }
        }
    }

    /// Reads the rest of a string, from behind its first backslash to its closing quote.
    fn unescape(&mut self, out: &mut Out<'_>) -> Result<(), Stop> {
        loop {
            match self.next()? {
                b'u' => self.unescape_unicode(out)?,
                letter => match plain_escape(letter) {
                    Some(stands_for) => out.put(&[stands_for]),
                    None => out.put(&[b'\\', letter]),
                },
            }
            copy_plain(&mut self.rest, &mut out.rest);
            if self.next()? == b'"' {
                return Ok(());
            }
        }
    }

    /// Reads what follows `\u`.
    fn unescape_unicode(&mut self, out: &mut Out<'_>) -> Result<(), Stop> {
        let Some(first) = self.hex4()? else {
            out.put(b"\\u");
            return Ok(());
        };
        let mut code = u32::from(first);
        if (0xd800..0xdc00).contains(&first) {
            let mut ahead = self.clone();
            if ahead.next()? == b'\\'
                && ahead.next()? == b'u'
                && let Some(second @ 0xdc00..=0xdfff) = ahead.hex4()?
            {
                self.rest = ahead.rest;
                let (high, low) = (u32::from(first & 0x3ff), u32::from(second & 0x3ff));
                code = (high << 10 | low).saturating_add(0x1_0000);
            }
        }
        let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
        out.put(c.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }

    /// Reads four hexadecimal digits, or nothing if the text holds something else.
    fn hex4(&mut self) -> Result<Option<u16>, Stop> {
        let mut code: u16 = 0;
        for at in 0..4 {
            let digit = self.rest.get(at).ok_or(Stop::Incomplete)?;
            let Some(digit) = char::from(*digit).to_digit(16) else { return Ok(None) };
            code = code << 4 | u16::try_from(digit).unwrap_or_default();
        }
        self.advance(4);
        Ok(Some(code))
    }

    /// Reads a string, from its opening quote, and leaves it.
    pub(super) fn skip_string(&mut self) -> Result<(), Stop> {
        self.advance(1);
        loop {
            self.advance(plain_run(self.rest));
            if self.next()? == b'"' {
                return Ok(());
            }
            self.next()?;
        }
    }
}

/// Room for unescaped bytes.
#[derive(Debug)]
struct Out<'a> {
    rest: &'a mut [u8],
}

impl Out<'_> {
    fn put(&mut self, bytes: &[u8]) {
        if let Some(room) = self.rest.get_mut(..bytes.len()) {
            room.copy_from_slice(bytes);
        }
        self.advance(bytes.len());
    }

    fn advance(&mut self, bytes: usize) {
        self.rest = std::mem::take(&mut self.rest).get_mut(bytes..).unwrap_or_default();
    }
}
