//! Reads JSON strings, unescaping them as far as they are text.

use std::borrow::Cow;

use super::{Cursor, Stop};

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
                b'n' => out.put(b"\n"),
                b'"' => out.put(b"\""),
                b'\\' => out.put(b"\\"),
                b'/' => out.put(b"/"),
                b't' => out.put(b"\t"),
                b'r' => out.put(b"\r"),
                b'b' => out.put(b"\x08"),
                b'f' => out.put(b"\x0c"),
                b'u' => self.unescape_unicode(out)?,
                other => out.put(&[b'\\', other]),
            }
            self.copy_run(out);
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

    /// Copies bytes up to the next quote or backslash, eight at a time: escaped JSON has runs of a few bytes,
    /// for which a call to copy each costs more than the copying.
    fn copy_run(&mut self, out: &mut Out<'_>) {
        while let Some(word) = self.rest.first_chunk::<8>()
            && let Some(room) = out.rest.first_chunk_mut::<8>()
        {
            *room = *word;
            let plain_bytes = plain_bytes(*word);
            self.advance(plain_bytes);
            out.advance(plain_bytes);
            if plain_bytes < 8 {
                return;
            }
        }
        while let Some((&b, rest)) = self.rest.split_first()
            && !matches!(b, b'"' | b'\\')
        {
            out.put(&[b]);
            self.rest = rest;
        }
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

/// How many bytes come before the first quote or backslash.
fn plain_run(text: &[u8]) -> usize {
    let (words, tail) = text.as_chunks::<8>();
    let mut run: usize = 0;
    for word in words {
        let plain = plain_bytes(*word);
        run = run.saturating_add(plain);
        if plain < 8 {
            return run;
        }
    }
    let plain = tail.iter().take_while(|b| !matches!(b, b'"' | b'\\')).count();
    run.saturating_add(plain)
}

/// How many of eight bytes come before the first quote or backslash, without a branch for each byte.
const fn plain_bytes(word: [u8; 8]) -> usize {
    const fn zero_bytes(word: u64) -> u64 {
        const LOW: u64 = u64::MAX / 255;
        const HIGH: u64 = LOW << 7;
        // Sets the high bit of each zero byte; a borrow can set one too many, but only above the first.
        word.wrapping_sub(LOW) & !word & HIGH
    }
    const fn repeat(byte: u8) -> u64 {
        u64::from_le_bytes([byte; 8])
    }
    let word = u64::from_le_bytes(word);
    let hits = zero_bytes(word ^ repeat(b'"')) | zero_bytes(word ^ repeat(b'\\'));
    (hits.trailing_zeros() >> 3) as usize
}
