//! Laws of opening a payload: its layout, the window it is read through and any damage to it.

use proptest::prelude::*;
use serde_json::json;

use super::tests::{DOCUMENT, gzip, open, open_whole};
use super::*;

/// Messages that look like what stands between them.
fn message() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,80}",
        r#"[\\"{}\[\],:a-zé😀\n\t]{0,120}"#,
        Just(r#"x"},{"id":"forged","timestamp":1,"message":"y"}]}"#.to_owned()),
        Just(r#"App\Jobs\X {"a":{"b":"\ud83d"}} },{"id":""#.to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_layout_in_any_window_gives_the_same_lines(
        events in prop::collection::vec((".{0,20}", any::<i64>(), message()), 0..12),
        order in Just([0_usize, 1, 2, 3, 4, 5]).prop_shuffle(),
        event_order in Just([0_usize, 1, 2, 3]).prop_shuffle(),
        space in prop::sample::select(vec!["", " ", "\n\t", "\r\n    "]),
        window_bytes in 1_usize..600,
        cut in 0.0..1.0_f64,
    ) {
        let object = |members: &[(&str, String)], order: &[usize]| {
            let members: Vec<_> =
                order.iter().map(|&i| format!("{space}\"{}\"{space}:{space}{}{space}", members[i].0, members[i].1)).collect();
            format!("{{{}}}", members.join(","))
        };
        let texts: Vec<_> = events.iter().map(|(id, at, message)| object(&[
            ("id", json!(id).to_string()), ("timestamp", at.to_string()),
            ("message", json!(message).to_string()), ("extractedFields", r#"{"}],":["]"]}"#.to_owned()),
        ], &event_order)).collect();
        let document = object(&[
            ("messageType", r#""DATA_MESSAGE""#.into()), ("owner", r#""o""#.into()), ("logGroup", r#""g""#.into()),
            ("logStream", r#""s""#.into()), ("subscriptionFilters", r#"["f"]"#.into()),
            ("logEvents", format!("[{space}{}{space}]", texts.join(","))),
        ], &order);
        let cut = (document.len() as f64 * cut) as usize;
        let bytes = [gzip(&document.as_bytes()[..cut]), gzip(&document.as_bytes()[cut..])].concat();
        let got = open(&bytes, &Limits::default(), window_bytes).unwrap();
        prop_assert_eq!(got.lines, events);
        prop_assert_eq!(&got.headers[0].log_stream, "s");
    }

    #[test]
    fn any_damage_to_the_text_never_panics(
        at in 0..DOCUMENT.len(), byte in any::<u8>(), window_bytes in 1_usize..400,
    ) {
        let mut text = DOCUMENT.as_bytes().to_vec();
        text[at] = byte;
        let (in_window, whole) = (open(&gzip(&text), &Limits::default(), window_bytes), open_whole(&gzip(&text)));
        prop_assert_eq!(in_window, whole);
        if let Ok(value) = serde_json::from_slice::<serde_json::Value>(&text)
            && let Ok(got) = open_whole(&gzip(&text))
        {
            prop_assert_eq!(value["logEvents"].as_array().map(Vec::len), Some(got.lines.len()));
        }
    }

    #[test]
    fn any_bytes_are_rejected(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(open_whole(&bytes).is_err());
        prop_assert!(open_whole(&[&gzip(DOCUMENT)[..12], &bytes].concat()).is_err());
    }
}
