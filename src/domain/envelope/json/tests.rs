//! The JSON reader on texts that are right, and on every way to be wrong.

use super::*;

/// Reads a whole document as a value, the way the window does at the text's end.
fn is_accepted(text: &[u8]) -> bool {
    // The space stands for the object's end around a number.
    let text = [text, b" "].concat();
    let mut cursor = Cursor::new(&text);
    cursor.value(0).is_ok() && cursor.only_space().is_ok()
}

#[track_caller]
fn check(escaped: &[u8], expected: &str) {
    let text = [b"\"", escaped, b"\" "].concat();
    let mut scratch = Vec::new();
    let mut cursor = Cursor::new(&text);
    let string = cursor.string(&mut scratch, "").unwrap();
    assert_eq!(lossy(string.bytes(&scratch)), expected);
    assert_eq!(cursor.left(), 1, "the string ends at its quote");
    let mut skipped = Cursor::new(&text);
    skipped.value(0).unwrap();
    assert_eq!(skipped.left(), 1, "skipping ends where reading ends");
}

#[test]
fn strings_are_unescaped_and_never_fail() {
    check(b"", "");
    check(b"plain, longer than one word", "plain, longer than one word");
    check(br#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t");
    check(br"App\\Jobs\\X \u0041\u00e9\u20AC\uFFFF", "App\\Jobs\\X Aé€\u{ffff}");
    check(br"\ud83d\ude00!", "😀!");
    check("raw é 😀".as_bytes(), "raw é 😀");
    check(br"lone \ud83d high", "lone \u{fffd} high");
    check(br"lone \ude00 low", "lone \u{fffd} low");
    check(br"\ud83d", "\u{fffd}");
    check(br"\ud83d\n", "\u{fffd}\n");
    check(br"\ud83d\u0041", "\u{fffd}A");
    check(br"\ud83d\ud83d\ude00", "\u{fffd}😀");
    check(br"\ud83d\uzzzz", "\u{fffd}\\uzzzz");
    check(br"\x41 \u12g4 \u", "\\x41 \\u12g4 \\u");
    check(b"raw \x1b[31m\ttab\nline\0", "raw \u{1b}[31m\ttab\nline\0");
    check(b"latin-1 \xe9 end", "latin-1 \u{fffd} end");
    check(b"escaped \\n and \xff", "escaped \n and \u{fffd}");
    check(b"\\\xc3\xa9", "\\é");
    check(br#"},{\"id\":\"1"#, r#"},{"id":"1"#);
}

#[test]
fn a_string_that_breaks_off_anywhere_is_incomplete() {
    let text = br#""a \ud83d\ude00 \u00e9 \\ \" App\\Jobs end""#;
    for end in 0..text.len() {
        let mut scratch = Vec::new();
        let stop = Cursor::new(&text[..end]).string(&mut scratch, "").unwrap_err();
        assert_eq!(stop, Stop::Incomplete, "cut at {end}");
        assert_eq!(Cursor::new(&text[..end]).value(0).unwrap_err(), Stop::Incomplete, "cut at {end}");
    }
}

#[test]
fn values_are_accepted_and_declined_as_serde_json_does() {
    let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    let (deep, too_deep) = (nested(127), nested(128));
    for text in [
        "0",
        "-0",
        "01",
        "-",
        "1.",
        ".5",
        "1.5e+10",
        "1e",
        "1e+",
        "+1",
        "0x1",
        "1_0",
        "12a",
        "--1",
        "true",
        "tru",
        "truth",
        "nul",
        "null",
        "false",
        "False",
        "NaN",
        "Infinity",
        "{}",
        "{",
        "}",
        "[]",
        "[,]",
        "[1,]",
        "[1 2]",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\":1 \"b\":2}",
        "{a:1}",
        "{'a':1}",
        "{1:1}",
        "[1}",
        "{]",
        "\"a",
        "\"a\"b",
        "// x",
        "[1]//",
        " [ 1 , { \"a\" : [ ] } ]\t\r\n",
        "\u{feff}{}",
        "\u{a0}1",
        "[]]",
        "1 2",
        "",
        &deep,
        &too_deep,
    ] {
        let expected = serde_json::from_str::<serde_json::Value>(text).is_ok();
        assert_eq!(is_accepted(text.as_bytes()), expected, "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn any_string_comes_back(text in ".*", junk in "[\\\\\"/bfnrtu0-9a-fdD8{}:,é😀\u{0}-\u{1f}]*") {
        for text in [text, junk] {
            let json = serde_json::to_string(&text).unwrap();
            let mut scratch = vec![b'x'; 3];
            let string = Cursor::new(json.as_bytes()).string(&mut scratch, "").unwrap();
            proptest::prop_assert_eq!(lossy(string.bytes(&scratch)), text);
        }
    }

    /// Outside strings: the same verdict. Inside them serde_json may fail where this reader does not.
    #[test]
    fn any_text_is_judged_as_serde_json_does(text in "[\\[\\]{},: 0-9eE.+\\-truefalsn\"a]{0,24}") {
        let expected = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        proptest::prop_assert_eq!(is_accepted(text.as_bytes()), expected);
    }

    #[test]
    fn any_bytes_in_quotes_are_a_string_or_break_off(bytes in proptest::collection::vec(0_u8.., 0..64)) {
        let text = [b"\"", bytes.as_slice(), b"\" "].concat();
        let (mut read, mut skipped) = (Cursor::new(&text), Cursor::new(&text));
        let read_it = read.string(&mut Vec::new(), "").map(drop);
        let skipped_it = skipped.value(0).map(drop);
        proptest::prop_assert_eq!(read_it, skipped_it);
        proptest::prop_assert_eq!(read.left(), skipped.left());
    }
}
