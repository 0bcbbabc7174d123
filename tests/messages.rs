//! Messages as people get them, a file each under `tests/messages`: every kind and state, by mail and in the chat, in
//! both languages.
//!
//! On a difference read both. What was written is under `target/tmp/messages`; copy it here if it is better.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "what cannot be read must fail the test, and test helpers are outside clippy's exemption"
)]

#[path = "support/stories.rs"]
mod stories;
#[path = "support/wire.rs"]
mod wire;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use queuewatch::domain::outbox::{Letter, Topic};
use queuewatch::domain::policy::{Aws, Ecs, Language, Policy};
use queuewatch::replay::{Outcome, replay};
use serde_json::Value;

/// Stories whose messages are kept.
const TOLD: [&str; 16] = [
    "a-job-loses-two-workers",
    "a-job-waits-behind-another",
    "a-queue-that-stalls-soon-after-joins-the-page",
    "an-attempt-outlives-its-timeout",
    "an-end-without-its-start-shows-a-gap",
    "enqueues-are-refused-and-taken-again",
    "every-source-is-silent",
    "five-jobs-in-a-row-fail",
    "founding-incident",
    "id-less-class-on-two-queues",
    "lost-job-starts-after-all",
    "lost-job-turns-unknown-once",
    "no-enqueue-line-in-half-an-hour",
    "payloads-open-again-after-ten-minutes",
    "stall-resolves-after-a-start",
    "worker-lines-go-missing-one-by-one",
];

/// Where the stories' app would run.
fn policy(told: &Policy, language: Language, has_chat_topic: bool) -> Policy {
    Policy {
        app: "myteacher".into(),
        language,
        timezone: "Asia/Tokyo".into(),
        ecs: Ecs { cluster: Some("myteacher-production".into()), service: Some("app".into()) },
        aws: Aws { region: Some("ap-northeast-1".into()), sweep_function: Some("queuewatch-sweep".into()) },
        has_chat_topic,
        ..told.clone()
    }
}

fn folder(name: &str) -> PathBuf {
    stories::all().into_iter().find(|folder| folder.ends_with(name)).unwrap_or_else(|| panic!("no {name}"))
}

/// What was sent of a story.
fn letters(name: &str, language: Language, has_chat_topic: bool) -> Vec<Letter> {
    let mut story = stories::read(&folder(name));
    story.settings.policy = policy(&story.settings.policy, language, has_chat_topic);
    let outcome: Outcome = replay(story.inputs, &story.settings, |_| ());
    outcome.alarms.sent
}

fn mails(letters: &[Letter]) -> String {
    let mut text = String::new();
    for letter in letters.iter().filter(|letter| letter.topic == Topic::Email) {
        let _ = writeln!(text, "Subject: {}\n\n{}{}\n", letter.subject, letter.body, "=".repeat(60));
    }
    text
}

fn chats(letters: &[Letter]) -> String {
    let mut text = String::new();
    for letter in letters.iter().filter(|letter| letter.topic == Topic::Chat) {
        let chat: Value = serde_json::from_str(&letter.body).unwrap();
        let content = &chat["content"];
        let _ = writeln!(text, "{}\n", content["title"].as_str().unwrap());
        let _ = writeln!(text, "{}\n", content["description"].as_str().unwrap());
        for step in content["nextSteps"].as_array().into_iter().flatten() {
            let _ = writeln!(text, "> {}", step.as_str().unwrap());
        }
        let _ = writeln!(text, "thread {}\n{}\n", chat["metadata"]["threadId"], "=".repeat(60));
    }
    text
}

/// Compares a text with the kept one; a missing one differs.
fn compare(name: &str, told: &str, wrong: &mut Vec<String>) {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/messages").join(name);
    if fs::read_to_string(&kept).is_ok_and(|kept| kept == told) {
        return;
    }
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("messages");
    fs::create_dir_all(&folder).unwrap();
    let written = folder.join(name);
    fs::write(&written, told).unwrap();
    wrong.push(format!("diff {} {}", kept.display(), written.display()));
}

#[test]
fn every_message_is_as_kept() {
    let mut wrong = Vec::new();
    for name in TOLD {
        compare(&format!("{name}.txt"), &mails(&letters(name, Language::En, false)), &mut wrong);
        compare(&format!("{name}.ja.txt"), &mails(&letters(name, Language::Ja, false)), &mut wrong);
        compare(&format!("{name}.chat.txt"), &chats(&letters(name, Language::En, true)), &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_is_kept_that_nobody_tells() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/messages");
    let kept = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let told = TOLD.iter().flat_map(|name| ["txt", "ja.txt", "chat.txt"].map(|end| format!("{name}.{end}")));
    assert_eq!(kept.collect::<BTreeSet<_>>(), told.collect());
}

#[test]
fn every_kind_is_kept_from_its_first_word_to_its_last() {
    let mut met = BTreeSet::new();
    for name in TOLD {
        let story = stories::read(&folder(name));
        let report = wire::report(story.inputs, &story.settings);
        for incident in report["incidents"].as_array().unwrap() {
            for said in incident["notifications"].as_array().unwrap() {
                met.insert((incident["kind"].to_string(), said["state"].to_string()));
            }
        }
    }
    let kinds = ["stalled", "lost", "backlog", "failing", "stuck_running", "enqueue_errors", "blind"];
    for kind in kinds.map(|kind| format!("\"{kind}\"")) {
        for state in ["\"firing\"", "\"resolved\""] {
            assert!(met.contains(&(kind.clone(), state.to_owned())), "{kind} {state}");
        }
    }
    assert!(
        met.iter().any(|(_, state)| state == "\"updated\"") && met.iter().any(|(_, it)| it == "\"reminder\"")
    );
}

/// Columns of a line on a phone; what is wider must be a command, an address, or one long word.
#[test]
fn lines_are_short_but_for_commands() {
    let wide = |c: char| usize::from(c >= '\u{1100}') + 1;
    for language in [Language::En, Language::Ja] {
        for name in TOLD {
            for line in mails(&letters(name, language, false)).lines() {
                let is_command =
                    ["aws ", "php ", "# ", "https://", "SELECT ", "QUEUE_CONNECTION", "Subject:"]
                        .iter()
                        .any(|begin| line.starts_with(begin));
                let columns: usize = line.chars().map(wide).sum();
                let words = line.trim_start_matches(['-', ' ']).split(' ').count();
                assert!(columns <= 62 || is_command || words <= 2, "{name}: {line}");
            }
        }
    }
}

#[test]
fn subjects_are_ascii_and_short_in_every_language() {
    for name in TOLD {
        let [english, japanese] = [Language::En, Language::Ja].map(|it| letters(name, it, true));
        for (one, other) in english.iter().zip(&japanese) {
            assert_eq!(one.subject, other.subject);
            assert!(one.subject.len() <= 99 && one.subject.bytes().all(|b| (b' '..=b'~').contains(&b)));
        }
    }
}

#[test]
fn no_payload_argument_or_secret_is_ever_sent() {
    let line = |text: &str| format!("[2026-01-05 12:00:00] production.{text}");
    let job = |s: i64, n: i64| {
        let queued = line(&format!(
            r#"INFO: Job queued {{"id":"h{n}","uuid":"u{n}","job":"App\\Jobs\\Pay","queue":"default","connection":"redis","payload":{{"card":"4111-secret"}},"data":"hush"}} "#
        ));
        let failed = format!(
            r#"{{"level":"warning","id":"h{n}","uuid":"u{n}","connection":"redis","queue":"default","job":"App\\Jobs\\Pay","status":"failed","attempts":1,"result":"deleted","exception":"RuntimeException","message":"card of bob@example.com refused: token=hunter2 (SQL: insert into cards values (4111111111111111))"}}"#
        );
        [(1_767_614_400_000 + s * 1_000, queued), (1_767_614_400_500 + s * 1_000, failed)]
    };
    let lines: Vec<(i64, String)> = (0..6).flat_map(|n| job(n * 10, n)).collect();
    let events = wire::events("/ecs/app", "ecs/app/34902fc94fc5b5a7", &lines, 5_000);
    for language in [Language::En, Language::Ja] {
        let settings = wire::settings(policy(&Policy::default(), language, true));
        let outcome: Outcome = replay(wire::inputs(&events, &Default::default()), &settings, |_| ());
        assert!(outcome.alarms.sent.iter().any(|letter| letter.subject.contains("failing")));
        for letter in &outcome.alarms.sent {
            for secret in ["hunter2", "hush", "4111", "bob@", "insert into"] {
                assert!(!letter.body.contains(secret), "{secret}: {}", letter.body);
            }
        }
    }
}

#[test]
fn a_message_names_what_it_must() {
    let all = letters("founding-incident", Language::En, false);
    let Some(page) = all.first() else { panic!("no page") };
    let order = [
        "ALARM",
        "LIKELY",
        "EVIDENCE",
        "JOBS",
        "DO FIRST",
        "THEN",
        "LOGS\n",
        "LOGS CANNOT TELL",
        "incident ",
        "CLOSE",
        "SILENCE",
    ];
    let places: Vec<_> =
        order.iter().map(|part| page.body.find(part).unwrap_or_else(|| panic!("{part}"))).collect();
    assert!(places.is_sorted(), "{places:?}\n{}", page.body);
}
