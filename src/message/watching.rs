//! The "now watching" message: what is seen and what is not, before anything is wrong. It also proves that mail arrives.

use super::chat;
use super::lines::{item, labelled, whole, width};
use super::subject::ascii;
use super::words::watching as words;
use crate::domain::outbox::{Letter, Topic};
use crate::domain::policy::{Language, Policy};
use crate::domain::printable::printable;
use crate::domain::watching::{NOW_WATCHING, Watching};

/// Queues named; the rest are counted.
const QUEUES_MAX: usize = 10;
/// Blind spots told; there are not many more.
const BLIND_SPOTS_MAX: usize = 8;

/// The greeting, addressed: by mail, and to the chat where there is one.
#[must_use]
pub fn greet(watching: &Watching, policy: &Policy) -> Vec<Letter> {
    let id = format!("{NOW_WATCHING}/1");
    let app = printable(&watching.app);
    let subject = ascii(&format!(
        "WATCHING {app}: {} lines read, {} queues seen",
        watching.lines_read,
        watching.queues.len()
    ));
    let steps = words::steps(policy.language, watching);
    let seen = seen(watching, policy.language);
    let mut topics = vec![(Topic::Email, email(&seen, policy.language, &steps))];
    if policy.has_chat_topic {
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

fn email(seen: &str, language: Language, steps: &[String]) -> String {
    let mut text = format!("{seen}\n{}\n", words::labels(language).next);
    for step in steps {
        item(&mut text, step);
    }
    text
}

fn seen(watching: &Watching, language: Language) -> String {
    let labels = words::labels(language);
    let mut text = String::new();
    whole(&mut text, labels.opening);
    labelled(&mut text, labels.app, &printable(&watching.app));
    labelled(&mut text, labels.since, &watching.since.to_string());
    labelled(&mut text, labels.lines, &words::lines(language, watching));
    let listed = watching.queues.iter().take(QUEUES_MAX).map(|queue| printable(queue).into_owned());
    let more = watching.queues.len().saturating_sub(QUEUES_MAX);
    let none = watching.queues.is_empty().then(|| labels.no_queues.to_owned());
    let rest = (more > 0).then(|| words::more(language, more));
    let mut label = labels.queues.to_owned();
    for queue in listed.chain(none).chain(rest) {
        labelled(&mut text, &label, &queue);
        label = " ".repeat(width(labels.queues));
    }
    labelled(&mut text, labels.jobs, words::carried(language, watching.carried));
    if !watching.blind_spots.is_empty() {
        whole(&mut text, "");
        whole(&mut text, labels.blind_spots);
        for spot in watching.blind_spots.iter().take(BLIND_SPOTS_MAX) {
            item(&mut text, &words::blind_spot(language, *spot));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::domain::blind_spots::BlindSpot;
    use crate::domain::job::Timestamp;
    use crate::domain::watching::Carried;
    use crate::message::lines::COLUMNS;

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
        let letters = greet(&sample(), &policy(false));
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
  like one that is stuck, unless no job of this app is
  delayed

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
    fn the_mail_is_japanese_where_that_is_configured() {
        let japanese = Policy { language: Language::Ja, ..Policy::default() };
        let letter = greet(&sample(), &japanese).remove(0);
        assert_eq!(letter.subject, "WATCHING shop: 12345 lines read, 2 queues seen");
        assert!(letter.body.starts_with("【監視開始】"), "{}", letter.body);
        for words in
            ["12345 行を読み取り、認識 12.4%", "UUID で突き合わせ", "遅延がログに出ていない", "今後の動作"]
        {
            assert!(letter.body.contains(words), "{words}\n{}", letter.body);
        }
        assert!(letter.body.lines().all(|line| width(line) <= COLUMNS), "{}", letter.body);
    }

    #[test]
    fn the_chat_gets_the_same_with_what_comes_next_as_steps() {
        let letters = greet(&sample(), &policy(true));
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
        let letter = greet(&silent, &policy(false)).remove(0);
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
        let body = greet(&many, &policy(false)).remove(0).body;
        assert!(body.contains("         redis:q09\n         and 3 more\n"), "{body}");
        assert!(body.contains("99.9% recognised"));
        let little = Watching { lines_classified: 1, ..many };
        assert!(greet(&little, &policy(false)).remove(0).body.contains("100000 read, under 0.1% recognised"));
    }
}
