//! A JSON record that was cut, closed where its last whole member ends: log drivers cut lines at 16 KiB.

/// The text up to its last whole member, with the brackets closed that are open there. `None` where no member is whole.
pub(super) fn closed(text: &str) -> Option<String> {
    let mut open: Vec<u8> = Vec::new();
    let mut whole: Option<(usize, Vec<u8>)> = None;
    let (mut in_text, mut is_escaped) = (false, false);
    for (place, byte) in text.bytes().enumerate() {
        if in_text {
            (in_text, is_escaped) = match (byte, is_escaped) {
                (b'"', false) => (false, false),
                (b'\\', false) => (true, true),
                _ => (true, false),
            };
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' => open.push(b'}'),
            b'[' => open.push(b']'),
            b'}' | b']' => {
                open.pop();
            }
            b',' => whole = Some((place, open.clone())),
            _ => {}
        }
    }
    let (end, open) = whole?;
    let mut closed = text.get(..end)?.to_owned();
    closed.extend(open.iter().rev().map(|byte| char::from(*byte)));
    Some(closed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(closed(text).as_deref(), expected, "{text}");
        if let Some(closed) = closed(text) {
            serde_json::from_str::<serde_json::Value>(&closed).expect("closed JSON");
        }
    }

    #[test]
    fn what_is_whole_is_kept() {
        check(r#"{"a":1,"b":{"c":["x","y"#, Some(r#"{"a":1,"b":{"c":["x"]}}"#));
        check(r#"{"a":"x, y","b":"\"#, Some(r#"{"a":"x, y"}"#));
        check(r#"{"a":"\",","b":2,"c""#, Some(r#"{"a":"\",","b":2}"#));
        check(r#"{"a":"#, None);
        check("", None);
    }
}
