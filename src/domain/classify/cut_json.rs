//! A JSON record that a log driver cut: Docker and containerd end an event at 16 KB, and a record with a trace may be
//! longer. What the first part has is read; the second part begins in the middle of nothing.

/// Shorter lines are not a driver's cut, but something that only looks like JSON.
const CUT_BYTES_MIN: usize = 1_000;

/// Ends a record where it was cut: behind its last whole value, with the brackets that are open closed.
pub(super) fn mend(line: &str) -> Option<String> {
    if line.len() < CUT_BYTES_MIN || !line.starts_with('{') || line.trim_end().ends_with('}') {
        return None;
    }
    let mut open: Vec<char> = Vec::new();
    // Where the last value ended that closes with a comma, and what was open there.
    let mut whole: Option<(usize, Vec<char>)> = None;
    let (mut in_string, mut is_escaped) = (false, false);
    for (place, c) in line.char_indices() {
        if in_string {
            in_string = is_escaped || c != '"';
            is_escaped = !is_escaped && c == '\\';
            continue;
        }
        match c {
            '"' => in_string = true,
            '{' => open.push('}'),
            '[' => open.push(']'),
            '}' | ']' => {
                open.pop()?;
            }
            ',' => whole = Some((place, open.clone())),
            _ => {}
        }
    }
    let (end, open) = whole?;
    let mut mended = line.get(..end)?.to_owned();
    mended.extend(open.iter().rev());
    Some(mended)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(head: &str, expected: Option<&str>) {
        let long = "x".repeat(CUT_BYTES_MIN);
        let line = head.replace('~', &long);
        assert_eq!(mend(&line), expected.map(|text| text.replace('~', &long)), "{head}");
    }

    #[test]
    fn a_record_ends_behind_its_last_whole_value() {
        let head = r#"{"message":"a, \"b\"","context":{"exception":{"class":"~","trace":["/a.php:1","/b"#;
        let whole = r#"{"message":"a, \"b\"","context":{"exception":{"class":"~","trace":["/a.php:1"]}}}"#;
        check(head, Some(whole));
        check(r#"{"a":"~","b":{"c":1},"d"#, Some(r#"{"a":"~","b":{"c":1}}"#));
    }

    #[test]
    fn what_was_not_cut_is_left_alone() {
        check(r#"{"a":"~","b":1}"#, None);
        check(r#"{"a":"short","#, None);
        check(r#"a": "~","b"#, None);
        check(r#"{"~"#, None);
        check(r#"{"a":"~"]],"b"#, None);
    }
}
