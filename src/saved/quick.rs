//! The quick way through the output of `aws logs filter-log-events`: its elements one by one, each read once.
//!
//! It takes what the AWS CLI prints, however that is indented: objects of the fields that it knows, each once. Whatever is
//! not exactly that, if only one byte, is left to the full parser, which reads the whole document again and decides alike.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use super::runs::FilteredEvent;
use crate::domain::quoted::{copy_plain, plain_run};

/// Hands out the log events of a document; `None` where it is for the full parser to read.
pub(super) fn events<'a>(text: &'a str, mut take: impl FnMut(FilteredEvent<'a>)) -> Option<()> {
    let mut rest = Rest { text, room: Vec::new() };
    let is_page = rest.take_if('{');
    if is_page {
        rest.expect("\"events\"")?;
        rest.expect(":")?;
    }
    rest.expect("[")?;
    if !rest.take_if(']') {
        loop {
            take(rest.event()?);
            if !rest.take_if(',') {
                break;
            }
        }
        rest.expect("]")?;
    }
    if !is_page {
        return rest.text.trim_ascii().is_empty().then_some(());
    }
    // What follows the events is small, and for serde_json to judge: as an object of its own.
    let tail_of_page = rest.text.trim_ascii();
    let members = tail_of_page.strip_prefix(',').filter(|members| !members.contains("\"events\""));
    let tail = ["{", members.unwrap_or(tail_of_page)].concat();
    let is_object = match members {
        Some(members) => members.trim_ascii_start().starts_with('"'),
        None => tail_of_page == "}",
    };
    (is_object && serde_json::from_str::<IgnoredAny>(&tail).is_ok()).then_some(())
}

/// What is unread, and room for text that is being unescaped.
struct Rest<'a> {
    text: &'a str,
    room: Vec<u8>,
}

impl<'a> Rest<'a> {
    fn skip_space(&mut self) {
        if self.text.as_bytes().first().is_some_and(|byte| *byte <= b' ') {
            self.text = self.text.trim_start_matches([' ', '\n', '\r', '\t']);
        }
    }

    fn take_if(&mut self, wanted: char) -> bool {
        self.skip_space();
        let after = self.text.strip_prefix(wanted);
        self.text = after.unwrap_or(self.text);
        after.is_some()
    }

    fn expect(&mut self, wanted: &str) -> Option<()> {
        self.skip_space();
        self.text = self.text.strip_prefix(wanted)?;
        Some(())
    }

    fn event(&mut self) -> Option<FilteredEvent<'a>> {
        let (mut log_stream_name, mut timestamp, mut message) = (None, None, None);
        let (mut ingestion_time, mut event_id) = (None, None);
        self.expect("{")?;
        loop {
            let key = self.string()?;
            self.expect(":")?;
            match &*key {
                "logStreamName" => set(&mut log_stream_name, self.string()?)?,
                "timestamp" => set(&mut timestamp, self.number()?)?,
                "message" => set(&mut message, self.string()?)?,
                "ingestionTime" => set(&mut ingestion_time, self.number()?)?,
                "eventId" => set(&mut event_id, self.string()?)?,
                _ => return None,
            }
            if !self.take_if(',') {
                break;
            }
        }
        self.expect("}")?;
        Some(FilteredEvent {
            log_stream_name: log_stream_name.unwrap_or_default(),
            timestamp: timestamp?,
            message: message?,
            ingestion_time,
            event_id,
        })
    }

    fn number(&mut self) -> Option<i64> {
        self.skip_space();
        let digits = self.text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = self.text.split_at_checked(digits)?;
        let is_over = after.starts_with([',', '}', ' ', '\n', '\r']);
        if !is_over || (number.starts_with('0') && digits > 1) {
            return None;
        }
        self.text = after;
        number.parse().ok()
    }

    fn string(&mut self) -> Option<Cow<'a, str>> {
        self.expect("\"")?;
        let (plain, after) = self.text.split_at_checked(plain_run(self.text.as_bytes()))?;
        let (read, after) = match after.strip_prefix('"') {
            Some(after) => (Cow::Borrowed(plain), after),
            None => self.unescaped()?,
        };
        // JSON has no control byte as it is, and what its escapes stand for was looked at in the text.
        let written = self.text.get(..self.text.len().saturating_sub(after.len()))?;
        if !written.bytes().fold(true, |is_json, byte| is_json & (byte >= b' ')) {
            return None;
        }
        self.text = after;
        Some(read)
    }

    /// Reads a string that has escapes, from behind its opening quote.
    fn unescaped(&mut self) -> Option<(Cow<'a, str>, &'a str)> {
        const ROOM_BYTES: usize = 4_096;
        /// What is copied in one step; within less, an escape may be cut.
        const STEP_BYTES: usize = 8;
        let mut bytes = self.room.len().max(ROOM_BYTES);
        loop {
            bytes = bytes.min(self.text.len());
            if self.room.len() < bytes {
                self.room.resize(bytes, 0);
            }
            let text = self.text.as_bytes();
            let mut rest = text.get(..bytes)?;
            let mut room = self.room.as_mut_slice();
            let whole = room.len();
            copy_plain(&mut rest, &mut room);
            let written = whole.saturating_sub(room.len());
            let read = bytes.saturating_sub(rest.len());
            match rest.first() {
                Some(b'"') => {
                    let text = std::str::from_utf8(self.room.get(..written)?).ok()?.to_owned();
                    return Some((Cow::Owned(text), self.text.get(read.saturating_add(1)..)?));
                }
                // It may go on behind the room's end.
                Some(_) | None if rest.len() <= STEP_BYTES && bytes < self.text.len() => {
                    bytes = bytes.saturating_mul(2);
                }
                // An escape that stands for a character.
                Some(_) => return self.read_by_serde(),
                None => return None,
            }
        }
    }

    fn read_by_serde(&self) -> Option<(Cow<'a, str>, &'a str)> {
        let mut end = 0_usize;
        loop {
            end = end.saturating_add(plain_run(self.text.as_bytes().get(end..)?));
            if self.text.as_bytes().get(end) == Some(&b'"') {
                break;
            }
            end = end.saturating_add(2);
        }
        let quoted = ["\"", self.text.get(..end)?, "\""].concat();
        let text: String = serde_json::from_str(&quoted).ok()?;
        Some((Cow::Owned(text), self.text.get(end.saturating_add(1)..)?))
    }
}

/// Fills an empty slot: a key that stands twice is for the full parser to refuse.
fn set<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    slot.replace(value).is_none().then_some(())
}

#[cfg(test)]
mod tests {
    use super::super::runs;
    use super::*;

    /// Both ways must say the same of whatever the quick one takes.
    #[track_caller]
    fn check(text: &str, is_taken: bool) {
        let mut quick = Vec::new();
        let is_quick = events(text, |event| quick.push(event)).is_some();
        assert_eq!(is_quick, is_taken, "{text}");
        agrees(text, is_quick.then_some(quick));
    }

    #[track_caller]
    fn agrees(text: &str, quick: Option<Vec<FilteredEvent<'_>>>) {
        let Some(quick) = quick else { return };
        let elements = runs::elements(text).expect("elements, as the quick way found");
        let full: Result<Vec<_>, _> = elements.into_iter().map(|it| runs::log_event(it.get())).collect();
        assert_eq!(quick, full.expect("log events, as the quick way found"), "{text}");
    }

    #[test]
    fn what_the_aws_cli_prints_is_taken_and_read_as_the_full_parser_does() {
        let event = r#"{"logStreamName":"a","timestamp":5,"message":"m","ingestionTime":6,"eventId":"1"}"#;
        check(&format!(r#"{{"events":[{event},{event}]}}"#), true);
        check(
            &format!("{{\n    \"events\": [\n        {event}\n    ],\n    \"searchedLogStreams\": []\n}}\n"),
            true,
        );
        check(&format!(r#"{{"events":[{event}],"nextToken":"t","a":{{"b":[1]}}}}"#), true);
        check(&format!("[{event}]\n"), true);
        check(r#"{"events":[]}"#, true);
        check("[]", true);
        check(r#"[{"timestamp":5,"message":"a\"b\\c\nd\/"}]"#, true);
        check(r#"[{"timestamp":5,"message":"caf\u00e9 \ud83d\ude00 \"é\""}]"#, true);
        check(&format!(r#"[{{"timestamp":5,"message":"{}"}}]"#, r#"\"x"#.repeat(9_000)), true);
        check(&format!(r#"[{{"timestamp":5,"message":"\n{}"}}]"#, "é".repeat(9_000)), true);
    }

    #[test]
    fn whatever_is_not_that_is_left_to_the_full_parser() {
        for text in [
            r#"{"events":[{"timestamp":5}]}"#,
            r#"{"events":[{"timestamp":5,"message":null}]}"#,
            r#"{"events":[{"timestamp":5,"timestamp":5,"message":"m"}]}"#,
            r#"{"events":[{"timestamp":5,"message":"m","more":1}]}"#,
            r#"{"events":[{"timestamp":05,"message":"m"}]}"#,
            r#"{"events":[{"timestamp":5.5,"message":"m"}]}"#,
            r#"{"events":[{"timestamp":-5,"message":"m"}]}"#,
            r#"{"events":[{"timestamp":5,"message":"m"},]}"#,
            r#"{"events":[{"timestamp":5,"message":"m"}]"#,
            r#"{"events":[{"timestamp":5,"message":"m"}],"events":[]}"#,
            r#"{"events":[{"timestamp":5,"message":"m"}]} x"#,
            r#"{"events":[{"timestamp":5,"message":"m"}] "a":1}"#,
            r#"{"events":[{"timestamp":5,"message":"m"}],}"#,
            r#"{"events":[{"timestamp":5,"message":"\ud83d"}]}"#,
            r#"{"events":[{"timestamp":5,"message":"\x"}]}"#,
            "[{\"timestamp\":5,\"message\":\"a\tb\"}]",
            r#"[{"timestamp":5,"message":"m"#,
            r#"[{"timestamp":5,"message":"m\"#,
            r#"[{"timestamp":5,"message":"m"}] []"#,
            r#"[[5,"m"]]"#,
            r#"{"logGroup":"g","events":[]}"#,
            "",
        ] {
            check(text, false);
        }
    }

    /// Documents put together from pieces, by a seed.
    #[test]
    fn both_ways_agree_on_whatever_is_put_together() {
        const PIECES: [&str; 22] = [
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            " ",
            "\"",
            "\\\"",
            "\\n",
            "\\u00e9",
            "\\",
            "é",
            "5",
            "05",
            "null",
            "\"timestamp\":5",
            "\"message\":\"m\"",
            "\"eventId\":\"1\"",
            "\"events\":",
            "\n",
            "\t",
        ];
        let mut seed = 0xa75_u64;
        let mut below = |count: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(seed >> 33).unwrap() % count
        };
        let mut taken = 0;
        for _ in 0..60_000 {
            let mut text = String::from(["[", "{\"events\":["][below(2)]);
            for _ in 0..below(3) {
                text.push_str("{\"timestamp\":5,\"message\":\"a");
                (0..below(3)).for_each(|_| text.push_str(PIECES[below(PIECES.len())]));
                text.push_str(["\"}", "\"},", "\",\"eventId\":\"1\"}"][below(3)]);
            }
            (0..below(3)).for_each(|_| text.push_str(PIECES[below(PIECES.len())]));
            text.push_str(["]", "]}", "],\"a\":1}"][below(3)]);
            let mut quick = Vec::new();
            let quick = events(&text, |event| quick.push(event)).map(|()| quick);
            taken += usize::from(quick.is_some());
            agrees(&text, quick);
        }
        assert!(taken > 1_000, "{taken} of them are read the quick way");
    }
}
