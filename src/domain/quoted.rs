//! The text of a JSON string between its quotes: how far it is plain, and what its plain escapes stand for.
//!
//! Payloads, a logger's contexts and workers' lines are all JSON, most of it runs of a few bytes between two escapes: a
//! call to search each costs more than the looking.

/// How many bytes come before the first quote or backslash.
pub(crate) fn plain_run(text: &[u8]) -> usize {
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
pub(in crate::domain) const fn plain_bytes(word: [u8; 8]) -> usize {
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

/// What an escape of one letter stands for.
pub(in crate::domain) const fn plain_escape(letter: u8) -> Option<u8> {
    Some(match letter {
        b'"' | b'\\' | b'/' => letter,
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'b' => 0x08,
        b'f' => 0x0c,
        _ => return None,
    })
}

/// Copies bytes from `text` to `room`, and moves both on, up to the closing quote, to a backslash that is not one half of a
/// plain escape, or to the end of what is there. Eight bytes at a time: a run and the escape behind it are one step.
///
/// `room` must be at least as long as `text`: unescaped text is never longer than escaped text.
pub(crate) fn copy_plain(text: &mut &[u8], room: &mut &mut [u8]) {
    while let Some(bytes) = text.first_chunk::<8>()
        && let Some(place) = room.first_chunk_mut::<8>()
    {
        let plain = plain_bytes(*bytes);
        let word = u64::from_le_bytes(*bytes);
        let shift = (plain as u32 & 7).wrapping_mul(8);
        let [mark, letter, ..] = word.wrapping_shr(shift).to_le_bytes();
        let stands_for = plain_escape(letter).filter(|_| mark == b'\\' && plain < 7);
        let Some(stands_for) = stands_for else {
            *place = *bytes;
            *text = text.get(plain..).unwrap_or_default();
            *room = std::mem::take(room).get_mut(plain..).unwrap_or_default();
            // An escape that begins with the eighth byte is whole in the next step.
            if plain < 7 {
                return;
            }
            continue;
        };
        // The backslash becomes what the escape stands for, and what is behind it is written over by the next step.
        *place = (word ^ u64::from(mark ^ stands_for).wrapping_shl(shift)).to_le_bytes();
        *text = text.get(plain.wrapping_add(2)..).unwrap_or_default();
        *room = std::mem::take(room).get_mut(plain.wrapping_add(1)..).unwrap_or_default();
    }
    while let Some((&byte, rest)) = text.split_first()
        && !matches!(byte, b'"' | b'\\')
        && let Some((place, others)) = std::mem::take(room).split_first_mut()
    {
        *place = byte;
        (*text, *room) = (rest, others);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text of plain bytes and escapes, by a seed: what is copied is what serde_json reads.
    #[test]
    fn what_is_copied_is_what_serde_json_reads() {
        const PIECES: [&str; 12] =
            ["a", "bc", "\\\"", "\\\\", "\\/", "\\n", "\\t", "\\r", "\\b", "\\f", "\u{e9}", "plain text"];
        let mut seed = 3_u64;
        let mut below = |count: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(seed >> 33).unwrap() % count
        };
        for _ in 0..5_000 {
            let mut text = String::new();
            (0..below(20)).for_each(|_| text.push_str(PIECES[below(PIECES.len())]));
            let expected: String = serde_json::from_str(&format!("\"{text}\"")).unwrap();
            for tail in ["\"", "\" and more behind it", "\\u00e9\""] {
                let whole = [text.as_str(), tail].concat();
                let mut copied = vec![0; whole.len()];
                let (mut rest, mut room) = (whole.as_bytes(), copied.as_mut_slice());
                copy_plain(&mut rest, &mut room);
                let length = whole.len() - room.len();
                // The last bytes go one by one, up to a backslash, which is for the caller.
                let mut got = copied[..length].to_vec();
                if !tail.starts_with(char::from(rest[0])) || rest.len() != tail.len() {
                    let end = rest.len() - tail.len();
                    let left = std::str::from_utf8(&rest[..end]).unwrap();
                    let left: String = serde_json::from_str(&format!("\"{left}\"")).unwrap();
                    assert!(end < 8, "{whole}");
                    got.extend(left.bytes());
                }
                assert_eq!(String::from_utf8(got).unwrap(), expected, "{whole}");
            }
        }
    }

    #[test]
    fn a_run_ends_at_the_first_quote_or_backslash_wherever_that_is() {
        for at in 0..40_usize {
            for mark in [b'"', b'\\'] {
                let mut text = vec![b'a'; 40];
                text[at] = mark;
                text[39] = b'"';
                assert_eq!(plain_run(&text), at);
            }
        }
        assert_eq!(plain_run("\u{e9}\u{1f600}!".as_bytes()), 7, "no byte of a character is taken for a mark");
        assert_eq!(plain_run(b""), 0);
    }
}
