//! Inflates gzip data piece by piece: every member, every checksum, never more than the cap.
//!
//! Built on raw deflate, because ready-made decoders each forgive something: one reads the first member only,
//! another takes zeros after the end, a third a cut trailer.
//!
//! **Invariant:** the end is reached only if every byte of the input was consumed and verified.
//!
//! <https://www.rfc-editor.org/rfc/rfc1952>

use flate2::{Crc, Decompress, DecompressError, FlushDecompress, Status};

use super::{Reason, Rejection};

/// `ID1 ID2 CM`: gzip with deflate, the only method there is.
const MAGIC: [u8; 3] = [0x1f, 0x8b, 0x08];
/// The bits of `FLG`; a reserved one means fields that no reader knows.
const FLAG_HEADER_CRC: u8 = 1 << 1;
const FLAG_EXTRA: u8 = 1 << 2;
const FLAG_NAME: u8 = 1 << 3;
const FLAG_COMMENT: u8 = 1 << 4;
const FLAGS_RESERVED: u8 = 0b1110_0000;

/// A reader of gzip data that lies in memory.
#[derive(Debug)]
pub(super) struct Gunzip<'a> {
    input_bytes: usize,
    rest: &'a [u8],
    inflate: Decompress,
    /// In a member's deflate stream, rather than at a member's first byte or at the end of all.
    is_inside_member: bool,
    /// Of what the member inflated to so far.
    crc: Crc,
    members_count: u64,
    inflated_bytes: u64,
    inflated_bytes_max: u64,
}

impl<'a> Gunzip<'a> {
    pub(super) fn new(input: &'a [u8], inflated_bytes_max: u64) -> Self {
        Self {
            input_bytes: input.len(),
            rest: input,
            inflate: Decompress::new(false),
            is_inside_member: false,
            crc: Crc::new(),
            members_count: 0,
            inflated_bytes: 0,
            inflated_bytes_max,
        }
    }

    /// Fills the front of `out` and tells how many bytes; 0 only for an empty `out` or at the verified end.
    pub(super) fn read(&mut self, out: &mut [u8]) -> Result<usize, Rejection> {
        loop {
            if self.is_inside_member {
                let left_bytes = self.rest.len();
                let written = self.inflate(out)?;
                if written > 0 || out.is_empty() {
                    return Ok(written);
                }
                // Room was there and nothing moved: the stream goes on where the input does not.
                if self.is_inside_member && self.rest.len() == left_bytes {
                    return Err(self.truncated("deflate stream"));
                }
            } else if self.rest.is_empty() && self.members_count > 0 {
                return Ok(0);
            } else {
                self.header()?;
                self.inflate.reset(false);
                self.crc.reset();
                self.is_inside_member = true;
            }
        }
    }

    /// Inflates into `out`, and closes the member at its end.
    fn inflate(&mut self, out: &mut [u8]) -> Result<usize, Rejection> {
        let (read, written) = (self.inflate.total_in(), self.inflate.total_out());
        let outcome = self.inflate.decompress(self.rest, out, FlushDecompress::None);
        let read = as_usize(self.inflate.total_in().saturating_sub(read));
        let written = as_usize(self.inflate.total_out().saturating_sub(written));
        self.rest = self.rest.get(read..).unwrap_or_default();
        let status = outcome.map_err(|fault| self.corrupt(&fault))?;
        self.crc.update(out.get(..written).unwrap_or_default());
        self.inflated_bytes = self.inflated_bytes.saturating_add(written as u64);
        if self.inflated_bytes > self.inflated_bytes_max {
            return Err(self.too_large());
        }
        if status == Status::StreamEnd {
            self.trailer()?;
        }
        Ok(written)
    }

    /// Reads a member's header.
    fn header(&mut self) -> Result<(), Rejection> {
        let start = self.rest;
        let magic = self.rest.get(..MAGIC.len()).unwrap_or(self.rest);
        if !MAGIC.starts_with(magic) {
            return Err(self.no_member(magic));
        }
        let [_, _, _, flags, _mtime @ .., _xfl, _os] = self.take::<10>()?;
        if flags & FLAGS_RESERVED != 0 {
            let detail = format!("gzip member {} sets reserved flags 0x{flags:02x}", self.member_number());
            return Err(Rejection::new(Reason::NotGzip, detail));
        }
        if flags & FLAG_EXTRA != 0 {
            let bytes = usize::from(u16::from_le_bytes(self.take()?));
            self.rest = self.rest.get(bytes..).ok_or_else(|| self.truncated("header"))?;
        }
        for flag in [FLAG_NAME, FLAG_COMMENT] {
            if flags & flag != 0 {
                let mut parts = self.rest.splitn(2, |&b| b == 0);
                let after_nul = parts.nth(1);
                self.rest = after_nul.ok_or_else(|| self.truncated("header"))?;
            }
        }
        if flags & FLAG_HEADER_CRC != 0 {
            let bytes = start.len().saturating_sub(self.rest.len());
            let mut crc = Crc::new();
            crc.update(start.get(..bytes).unwrap_or_default());
            let stated = u16::from_le_bytes(self.take()?);
            let [low, high, ..] = crc.sum().to_le_bytes();
            if stated != u16::from_le_bytes([low, high]) {
                return Err(self.bad_checksum("the header's checksum does not match"));
            }
        }
        Ok(())
    }

    /// Reads a member's trailer and closes the member.
    fn trailer(&mut self) -> Result<(), Rejection> {
        let mut bytes = self.rest;
        let (Some(stated_crc), Some(stated_size)) = (take(&mut bytes), take(&mut bytes)) else {
            return Err(self.truncated("trailer"));
        };
        self.rest = bytes;
        let (stated_crc, stated_size) = (u32::from_le_bytes(stated_crc), u32::from_le_bytes(stated_size));
        let computed_crc = self.crc.sum();
        if stated_crc != computed_crc {
            let detail = format!("CRC-32 is {computed_crc:08x}, its trailer says {stated_crc:08x}");
            return Err(self.bad_checksum(&detail));
        }
        // Both are sizes modulo 2^32, as the format has it.
        if stated_size != self.crc.amount() {
            let detail = format!("{} bytes inflated, its trailer says {stated_size}", self.crc.amount());
            return Err(self.bad_checksum(&detail));
        }
        self.members_count = self.members_count.saturating_add(1);
        self.is_inside_member = false;
        Ok(())
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Rejection> {
        take(&mut self.rest).ok_or_else(|| self.truncated("header"))
    }

    fn no_member(&self, start: &[u8]) -> Rejection {
        let offset = self.offset();
        if self.members_count > 0 {
            let detail = format!(
                "{} bytes after the gzip data, which ends at byte {offset} of {}",
                self.rest.len(),
                self.input_bytes
            );
            return Rejection::new(Reason::TrailingBytes, detail);
        }
        let detail = format!("{} bytes begin with {start:02x?}, gzip with {MAGIC:02x?}", self.input_bytes);
        Rejection::new(Reason::NotGzip, detail)
    }

    fn truncated(&self, part: &str) -> Rejection {
        let detail = format!(
            "{} bytes end inside the {part} of gzip member {}",
            self.input_bytes,
            self.member_number()
        );
        Rejection::new(Reason::Truncated, detail)
    }

    fn corrupt(&self, fault: &DecompressError) -> Rejection {
        let (at, of) = (self.offset(), self.input_bytes);
        self.bad_checksum(&format!("corrupt near byte {at} of {of} ({fault})"))
    }

    fn bad_checksum(&self, what: &str) -> Rejection {
        Rejection::new(Reason::BadChecksum, format!("gzip member {}: {what}", self.member_number()))
    }

    fn too_large(&self) -> Rejection {
        let detail = format!(
            "{} bytes inflate to more than {} bytes (stopped at byte {})",
            self.input_bytes,
            self.inflated_bytes_max,
            self.offset()
        );
        Rejection::new(Reason::InflatedTooLarge, detail)
    }

    fn offset(&self) -> usize {
        self.input_bytes.saturating_sub(self.rest.len())
    }

    fn member_number(&self) -> u64 {
        self.members_count.saturating_add(1)
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*first)
}

/// A count of bytes in memory, which always fits.
fn as_usize(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
