//! The time printed in a line: recognised, stepped over, never read (CloudWatch's stamp is the time).

/// What follows `YYYY-MM-DD HH:MM:SS` at the start of `text`.
pub(super) fn skip(text: &str) -> Option<&str> {
    let (stamp, rest) = text.split_at_checked(19)?;
    let fits = stamp
        .bytes()
        .zip(*b"dddd-dd-dd dd:dd:dd")
        .all(|(found, wanted)| if wanted == b'd' { found.is_ascii_digit() } else { found == wanted });
    fits.then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_stamp_is_stepped_over() {
        assert_eq!(skip("2026-11-23 16:49:31 rest"), Some(" rest"));
        assert_eq!(skip("2026-11-23 16:49:31"), Some(""));
        assert_eq!(skip("2026-11-23T16:49:31 rest"), None);
        assert_eq!(skip("2026-11-23 16:49"), None);
        assert_eq!(skip("2026-11-23 16:49:3é1"), None);
    }
}
