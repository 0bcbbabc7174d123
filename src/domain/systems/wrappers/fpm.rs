//! What a child of php-fpm said on standard error, in its master's words:
//! `[25-Nov-2026 19:49:06] WARNING: [pool www] child 7 said into stderr: "the line"`.
//!
//! So prints a pool with `catch_workers_output = yes`, unless `decorate_workers_output = no`. Quotes inside are not
//! escaped, so the last one ends it. <https://www.php.net/manual/en/install.fpm.configuration.php>

/// The line that the child said.
pub(in crate::domain::systems) fn inner(line: &str) -> Option<&str> {
    let (stamp, rest) = line.strip_prefix('[')?.split_once("] ")?;
    let (level, rest) = rest.split_once(": [pool ")?;
    let (pool, rest) = rest.split_once("] child ")?;
    let (pid, said) = rest.split_once(" said into stderr: \"")?;
    let is_stamp = stamp.starts_with(|c: char| c.is_ascii_digit()) && !stamp.contains('"');
    let is_child = !pid.is_empty() && pid.bytes().all(|b| b.is_ascii_digit());
    if !is_stamp || !is_child || !matches!(level, "WARNING" | "NOTICE") || pool.contains(['"', ' ']) {
        return None;
    }
    said.strip_suffix('"').or_else(|| said.strip_suffix("\", pipe is closed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<&str>) {
        assert_eq!(inner(line), expected, "{line}");
    }

    #[test]
    fn a_childs_words_are_between_the_first_quote_and_the_last() {
        let head = "[25-Nov-2026 19:49:06] WARNING: [pool www] child 21400 said into stderr: ";
        check(&format!(r#"{head}"{{"message":"Job queued"}}""#), Some(r#"{"message":"Job queued"}"#));
        check(&format!(r#"{head}"""#), Some(""));
        check(&format!(r#"{head}"a", pipe is closed"#), Some("a"));
        check(&format!(r#"{head}"cut"#), None);
        check(&format!("{head}bare"), None);
    }

    #[test]
    fn anybody_elses_words_are_not() {
        check(r#"[25-Nov-2026 19:49:06] NOTICE: fpm is running, pid 1"#, None);
        check(r#"[25-Nov-2026 19:49:06] ERROR: [pool www] child 7 said into stderr: "a""#, None);
        check(r#"[25-Nov-2026 19:49:06] WARNING: [pool www] child x said into stderr: "a""#, None);
        check(r#"[25-Nov-2026 19:49:06] WARNING: [pool www] child 7 said into stdout: "a""#, None);
        check(r#"[pool] WARNING: [pool www] child 7 said into stderr: "a""#, None);
        check(r#" [25-Nov-2026 19:49:06] WARNING: [pool www] child 7 said into stderr: "a""#, None);
        check(r#"[2026-11-25 19:49:06] production.WARNING: [pool www] child 7 said into stderr: "a""#, None);
        check(r#"[2026-11-25 19:49:06] WARNING: [pool "a b"] child 7 said into stderr: "a""#, None);
    }
}
