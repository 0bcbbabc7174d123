//! The "now watching" message: what is seen and what is not, before anything is wrong. It also proves that mail arrives.

use std::fmt::Write;

use super::chat;
use super::email::{ascii, duration};
use crate::domain::outbox::{Letter, Topic};
use crate::domain::printable::printable;
use crate::domain::watching::{Carried, NOW_WATCHING, Watching};

/// Queues named; the rest are counted.
const QUEUES_MAX: usize = 10;
/// Blind spots told; there are not many more.
const BLIND_SPOTS_MAX: usize = 8;
/// A line on a phone that is held upright.
const COLUMNS: usize = 60;

/// The greeting, addressed: by mail, and to the chat where there is one.
#[must_use]
pub fn greet(watching: &Watching, has_chat_topic: bool) -> Vec<Letter> {
    let id = format!("{NOW_WATCHING}/1");
    let app = printable(&watching.app);
    let subject = ascii(&format!(
        "WATCHING {app}: {} lines read, {} queues seen",
        watching.lines_read,
        watching.queues.len()
    ));
    let steps = steps(watching);
    let seen = seen(watching);
    let mut topics = vec![(Topic::Email, email(&seen, &steps))];
    if has_chat_topic {
        let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
        topics.push((Topic::Chat, chat::greeting(watching, &id, &subject, &seen, &steps)));
    }
    topics
        .into_iter()
        .map(|(topic, body)| Letter {
            topic,
            subject: subject.clone(),
            body,
            incident: NOW_WATCHING.to_owned(),
            notification: id.clone(),
            severity: None,
            queue: None,
        })
        .collect()
}

fn email(seen: &str, steps: &[String]) -> String {
    let mut text = format!("{seen}\nWHAT HAPPENS NEXT\n");
    for step in steps {
        item(&mut text, step);
    }
    text
}

fn seen(watching: &Watching) -> String {
    // Writing to a string cannot fail; the results are let go.
    let mut text = String::new();
    let _ = writeln!(text, "WATCHING  queuewatch reads your logs");
    let _ = writeln!(text, "app      {}", printable(&watching.app));
    let _ = writeln!(text, "since    {}", watching.since);
    let _ = writeln!(text, "lines    {} read, {}", watching.lines_read, share(watching));
    let mut label = "queues";
    for queue in watching.queues.iter().take(QUEUES_MAX) {
        let _ = writeln!(text, "{label:<8} {}", printable(queue));
        label = "";
    }
    match watching.queues.len().saturating_sub(QUEUES_MAX) {
        0 if watching.queues.is_empty() => {
            let _ = writeln!(text, "queues   none seen yet");
        }
        0 => {}
        more => {
            let _ = writeln!(text, "         and {more} more");
        }
    }
    let _ = writeln!(text, "jobs     {}", carried(watching.carried));
    if !watching.blind_spots.is_empty() {
        let _ = writeln!(text, "\nBLIND SPOTS");
        for spot in watching.blind_spots.iter().take(BLIND_SPOTS_MAX) {
            item(&mut text, spot);
        }
    }
    text
}

/// `12.5% recognised`: rounded down, so that what is not all never reads as all.
fn share(watching: &Watching) -> String {
    let tenths = watching.lines_classified.saturating_mul(1000).checked_div(watching.lines_read);
    match tenths {
        None => "none recognised".to_owned(),
        Some(0) if watching.lines_classified > 0 => "under 0.1% recognised".to_owned(),
        Some(tenths) => format!("{}.{}% recognised", tenths.wrapping_div(10), tenths.wrapping_rem(10)),
    }
}

const fn carried(carried: Carried) -> &'static str {
    match carried {
        Carried::Unseen => "no worker line seen yet",
        Carried::Neither => "told apart by counting: no ids on worker lines",
        Carried::Id => "told apart by id",
        Carried::Uuid => "told apart by uuid",
    }
}

fn steps(watching: &Watching) -> Vec<String> {
    let grace = duration(watching.grace_ms);
    let mut steps = vec![
        format!("A queue whose jobs wait longer than {grace} with none started sends an ALARM here."),
        "This message is not repeated. If queuewatch itself stops, on AWS a CloudWatch alarm tells you."
            .to_owned(),
    ];
    if watching.lines_classified == 0 {
        steps.insert(0, "No line was recognised: try one of yours with `queuewatch explain`.".to_owned());
    }
    steps
}

/// A point of a list, wrapped for a phone.
fn item(text: &mut String, words: &str) {
    let mut line = String::from("-");
    let mut columns: usize = 1;
    for word in words.split_whitespace() {
        let width = word.chars().count();
        if columns.saturating_add(width) >= COLUMNS && columns > 1 {
            let _ = writeln!(text, "{line}");
            " ".clone_into(&mut line);
            columns = 1;
        }
        line.push(' ');
        line.push_str(word);
        columns = columns.saturating_add(width).saturating_add(1);
    }
    let _ = writeln!(text, "{line}");
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::domain::job::Timestamp;

    fn sample() -> Watching {
        Watching {
            app: "shop".into(),
            since: Timestamp::from_ms(1_765_024_620_000),
            lines_read: 12_345,
            lines_classified: 1_543,
            queues: ["redis:default".into(), "redis:mail".into()].into(),
            carried: Carried::Uuid,
            blind_spots: vec![
                "delay is not logged: a job that is meant to wait looks like one that is stuck".into(),
            ],
            grace_ms: 300_000,
        }
    }

    #[test]
    fn the_mail_says_what_is_seen_what_is_not_and_what_comes_next() {
        let letters = greet(&sample(), false);
        assert_eq!(letters.len(), 1);
        let letter = &letters[0];
        assert_eq!(letter.subject, "WATCHING shop: 12345 lines read, 2 queues seen");
        assert_eq!(
            (letter.incident.as_str(), letter.notification.as_str()),
            ("now-watching", "now-watching/1")
        );
        assert_eq!((letter.topic, letter.severity, &letter.queue), (Topic::Email, None, &None));
        assert_eq!(
            letter.body,
            "\
WATCHING  queuewatch reads your logs
app      shop
since    2025-12-06T12:37:00.000Z
lines    12345 read, 12.4% recognised
queues   redis:default
         redis:mail
jobs     told apart by uuid

BLIND SPOTS
- delay is not logged: a job that is meant to wait looks
  like one that is stuck

WHAT HAPPENS NEXT
- A queue whose jobs wait longer than 5m00s with none
  started sends an ALARM here.
- This message is not repeated. If queuewatch itself stops,
  on AWS a CloudWatch alarm tells you.
"
        );
        assert!(letter.body.lines().all(|line| line.chars().count() <= COLUMNS));
    }

    #[test]
    fn the_chat_gets_the_same_with_what_comes_next_as_steps() {
        let letters = greet(&sample(), true);
        assert_eq!(
            letters.iter().map(|letter| letter.topic).collect::<Vec<_>>(),
            [Topic::Email, Topic::Chat]
        );
        let chat: Value = serde_json::from_str(&letters[1].body).unwrap();
        let description = chat["content"]["description"].as_str().unwrap();
        assert!(description.starts_with("```\nWATCHING  queuewatch reads your logs\napp      shop\n"));
        assert!(!description.contains("WHAT HAPPENS NEXT"));
        assert_eq!(chat["content"]["nextSteps"].as_array().map(Vec::len), Some(2));
    }

    #[test]
    fn an_app_of_which_nothing_is_recognised_is_told_so() {
        let silent = Watching { app: "caf\u{e9}".into(), grace_ms: 60_000, ..Watching::default() };
        let letter = greet(&silent, false).remove(0);
        assert_eq!(letter.subject, "WATCHING caf?: 0 lines read, 0 queues seen");
        for words in
            ["none recognised", "none seen yet", "no worker line seen yet", "- No line was recognised"]
        {
            assert!(letter.body.contains(words), "{words}\n{}", letter.body);
        }
    }

    #[test]
    fn a_long_list_of_queues_is_counted_and_a_share_never_rounds_up() {
        let queues = (0..13).map(|n| format!("redis:q{n:02}")).collect();
        let many = Watching { queues, lines_read: 100_000, lines_classified: 99_999, ..sample() };
        let body = greet(&many, false).remove(0).body;
        assert!(body.contains("         redis:q09\n         and 3 more\n"), "{body}");
        assert!(body.contains("99.9% recognised"));
        assert_eq!(share(&Watching { lines_classified: 1, ..many }), "under 0.1% recognised");
    }
}
