//! The "now watching" message: what is seen and what is not, before anything is wrong. It also proves that mail arrives.

use std::collections::BTreeMap;

use super::chat;
use super::place::Store;
use super::subject::ascii;
use super::words::{Voice, watching as words};
use crate::domain::model::channel::Channel;
use crate::domain::model::policy::{Language, Policy};
use crate::domain::outbox::OutgoingMessage;
use crate::domain::printable::printable;
use crate::domain::watching::{GREETING_AFTER_MS, NOW_WATCHING, Watching};

/// Queues named; the rest are counted.
const QUEUES_MAX: usize = 10;
/// Blind spots told; there are not many more.
const BLIND_SPOTS_MAX: usize = 8;

/// The greeting, addressed: by mail, and to the chat where there is one.
#[must_use]
pub fn greet(watching: &Watching, policy: &Policy) -> Vec<OutgoingMessage> {
    let id = format!("{NOW_WATCHING}/1");
    let app = printable(&watching.app);
    let subject = ascii(&format!(
        "WATCHING {app}: {} read, {} seen",
        count(watching.lines_read, "line"),
        count(watching.queues.len() as u64, "queue")
    ));
    let steps = words::steps(policy.language, watching, policy.deployment.is_on_aws());
    let seen = seen(watching, policy);
    let mut channels = vec![(Channel::Email, email(&seen, policy.language, &steps))];
    if policy.has_chat_topic {
        let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
        channels.push((Channel::Chat, chat::greeting(watching, &id, &subject, &seen, &steps)));
    }
    channels
        .into_iter()
        .map(|(channel, body)| OutgoingMessage {
            channel,
            subject: subject.clone(),
            body,
            incident: NOW_WATCHING.to_owned(),
            notification: id.clone(),
            severity: None,
            queue: None,
            labels: BTreeMap::new(),
        })
        .collect()
}

fn email(seen: &str, language: Language, steps: &[String]) -> String {
    let steps = steps.iter().map(|step| format!("- {step}\n")).collect::<String>();
    format!("{seen}\n{}\n{steps}", words::labels(language).next)
}

fn seen(watching: &Watching, policy: &Policy) -> String {
    let language = policy.language;
    let labels = words::labels(language);
    let voice = Voice::of(policy, Store::Unknown, watching.since.plus_ms(GREETING_AFTER_MS));
    let app = printable(&watching.app);
    let lines = words::lines(language, watching);
    let carried = words::carried(language, watching.carried);
    let mut text =
        format!("{}\n", words::opening(language, &app, &voice.both(watching.since), &lines, carried));
    let listed = watching.queues.iter().take(QUEUES_MAX).map(|queue| printable(queue).into_owned());
    let more = watching.queues.len().saturating_sub(QUEUES_MAX);
    let none = watching.queues.is_empty().then(|| labels.no_queues.to_owned());
    let rest = (more > 0).then(|| words::more(language, more));
    list(&mut text, labels.queues, listed.chain(none).chain(rest));
    let spots = watching.blind_spots.iter().take(BLIND_SPOTS_MAX);
    list(&mut text, labels.blind_spots, spots.map(|spot| words::blind_spot(language, *spot)));
    text
}

/// Writes a title and its points; nothing where there are none.
fn list(text: &mut String, title: &str, points: impl Iterator<Item = String>) {
    let points: String = points.map(|point| format!("- {point}\n")).collect();
    if !points.is_empty() {
        text.push_str(&format!("\n{title}\n{points}"));
    }
}

/// `1 line`, `7 lines`: a subject is English.
fn count(n: u64, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::domain::blind_spots::BlindSpot;
    use crate::domain::job::Timestamp;
    use crate::domain::watching::Carried;

    fn policy(has_chat_topic: bool) -> Policy {
        Policy { has_chat_topic, ..Policy::default() }
    }

    fn sample() -> Watching {
        Watching {
            app: "shop".into(),
            since: Timestamp::from_ms(1_765_024_620_000),
            lines_read: 12_345,
            lines_classified: 1_543,
            queues: ["redis:default".into(), "redis:mail".into()].into(),
            carried: Carried::Uuid,
            blind_spots: vec![BlindSpot::NoDelay],
            grace_ms: 300_000,
        }
    }

    #[test]
    fn the_mail_says_what_is_seen_what_is_not_and_what_comes_next() {
        let messages = greet(&sample(), &policy(false));
        assert_eq!(messages.len(), 1);
        let message = &messages[0];
        assert_eq!(message.subject, "WATCHING shop: 12345 lines read, 2 queues seen");
        assert_eq!(
            (message.incident.as_str(), message.notification.as_str()),
            ("now-watching", "now-watching/1")
        );
        assert_eq!((message.channel, message.severity, &message.queue), (Channel::Email, None, &None));
        assert_eq!(
            message.body,
            "\
queuewatch reads the logs of shop since 12:37 UTC: 12345 lines, 12.4% of them recognised. Jobs are told apart by uuid.

Queues seen
- redis:default
- redis:mail

Blind spots
- delay is not logged: a job that is meant to wait looks like one that is stuck, unless no job of this app is delayed

What happens next
- A queue whose jobs wait longer than 5 min with none started sends an ALARM here.
- This message comes once. If queuewatch itself stops, a CloudWatch alarm tells you.
"
        );
    }

    #[test]
    fn the_mail_is_japanese_where_that_is_configured() {
        let japanese = Policy { language: Language::Ja, ..Policy::default() };
        let message = greet(&sample(), &japanese).remove(0);
        assert_eq!(message.subject, "WATCHING shop: 12345 lines read, 2 queues seen");
        assert!(
            message.body.starts_with("queuewatch が shop のログを 12:37 UTC から読み取っています"),
            "{}",
            message.body
        );
        for words in ["12345 行、うち認識 12.4%", "UUID で突き合わせ", "遅延がログに出ていない", "今後の動作"]
        {
            assert!(message.body.contains(words), "{words}\n{}", message.body);
        }
    }

    #[test]
    fn the_chat_gets_the_same_with_what_comes_next_as_steps() {
        let messages = greet(&sample(), &policy(true));
        assert_eq!(
            messages.iter().map(|message| message.channel).collect::<Vec<_>>(),
            [Channel::Email, Channel::Chat]
        );
        let chat: Value = serde_json::from_str(&messages[1].body).unwrap();
        let description = chat["content"]["description"].as_str().unwrap();
        assert!(description.starts_with("queuewatch reads the logs of shop since "), "{description}");
        assert!(!description.contains("What happens next"));
        assert_eq!(chat["content"]["nextSteps"].as_array().map(Vec::len), Some(2));
    }

    #[test]
    fn an_app_of_which_nothing_is_recognised_is_told_so() {
        let silent = Watching { app: "caf\u{e9}".into(), grace_ms: 60_000, ..Watching::default() };
        let message = greet(&silent, &policy(false)).remove(0);
        assert_eq!(message.subject, "WATCHING caf?: 0 lines read, 0 queues seen");
        for words in
            ["none recognised", "- none yet", "No worker line was seen yet", "- No line was recognised"]
        {
            assert!(message.body.contains(words), "{words}\n{}", message.body);
        }
    }

    #[test]
    fn a_long_list_of_queues_is_counted_and_a_share_never_rounds_up() {
        let queues = (0..13).map(|n| format!("redis:q{n:02}")).collect();
        let many = Watching { queues, lines_read: 100_000, lines_classified: 99_999, ..sample() };
        let body = greet(&many, &policy(false)).remove(0).body;
        assert!(body.contains("- redis:q09\n- and 3 more\n"), "{body}");
        assert!(body.contains("99.9% of them recognised"));
        let little = Watching { lines_classified: 1, ..many };
        assert!(
            greet(&little, &policy(false))
                .remove(0)
                .body
                .contains("100000 lines, under 0.1% of them recognised")
        );
    }
}
