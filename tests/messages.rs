//! Messages as people get them, a file each under `tests/messages`: every kind and state, by mail and in the chat, in
//! both languages.
//!
//! On a difference read both. What was written is under `target/tmp/messages`; copy it here if it is better.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "what cannot be read must fail the test, and test helpers are outside clippy's exemption"
)]

#[path = "support/causes.rs"]
mod causes;
#[path = "support/incidents.rs"]
mod incidents;
#[path = "support/phone.rs"]
mod phone;
#[path = "support/reader.rs"]
mod reader;
#[path = "support/stories.rs"]
mod stories;
#[path = "support/wire.rs"]
mod wire;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use queuewatch::domain::deployment::Deployment;
use queuewatch::domain::diagnosis::Cause;
use queuewatch::domain::incidents::{Blindness, Incident, NotificationState};
use queuewatch::domain::model::channel::Channel;
use queuewatch::domain::model::policy::{Aws, Ecs, Language, Policy};
use queuewatch::domain::outbox::OutgoingMessage;
use queuewatch::message::{compose, mail};
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
        aws: Aws {
            account: None,
            region: Some("ap-northeast-1".into()),
            sweep_function: Some("queuewatch-SweepFunction-1A2B3C".into()),
        },
        has_chat_topic,
        ..told.clone()
    }
}

fn folder(name: &str) -> PathBuf {
    stories::all().into_iter().find(|folder| folder.ends_with(name)).unwrap_or_else(|| panic!("no {name}"))
}

/// What was sent of a story.
fn messages(name: &str, language: Language, has_chat_topic: bool) -> Vec<OutgoingMessage> {
    let mut story = stories::read(&folder(name));
    story.settings.policy = policy(&story.settings.policy, language, has_chat_topic);
    let outcome: Outcome = replay(story.inputs, &story.settings, |_| ());
    outcome.alarms.sent
}

fn mails(messages: &[OutgoingMessage]) -> String {
    let mut text = String::new();
    for message in messages.iter().filter(|message| message.channel == Channel::Email) {
        let _ = writeln!(text, "Subject: {}\n\n{}{}\n", message.subject, message.body, "=".repeat(60));
    }
    text
}

fn chats(messages: &[OutgoingMessage]) -> String {
    let mut text = String::new();
    for message in messages.iter().filter(|message| message.channel == Channel::Chat) {
        let chat: Value = serde_json::from_str(&message.body).unwrap();
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
        compare(&format!("{name}.txt"), &mails(&messages(name, Language::En, false)), &mut wrong);
        compare(&format!("{name}.ja.txt"), &mails(&messages(name, Language::Ja, false)), &mut wrong);
        compare(&format!("{name}.chat.txt"), &chats(&messages(name, Language::En, true)), &mut wrong);
        compare(&format!("{name}.chat.ja.txt"), &chats(&messages(name, Language::Ja, true)), &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_is_kept_that_nobody_tells() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/messages");
    let kept = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let ends = ["txt", "ja.txt", "chat.txt", "chat.ja.txt"];
    let told = TOLD.iter().flat_map(|name| ends.map(|end| format!("{name}.{end}")));
    let causes = policies().into_iter().map(|(name, _)| name.to_owned());
    assert_eq!(kept.collect::<BTreeSet<_>>(), told.chain(causes).collect());
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

#[test]
fn subjects_are_ascii_and_short_in_every_language() {
    for name in TOLD {
        let [english, japanese] = [Language::En, Language::Ja].map(|it| messages(name, it, true));
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
        assert!(outcome.alarms.sent.iter().any(|message| message.subject.contains(" fails, ")));
        for message in &outcome.alarms.sent {
            for secret in ["hunter2", "hush", "4111", "bob@", "insert into"] {
                assert!(!message.body.contains(secret), "{secret}: {}", message.body);
            }
        }
    }
}

#[test]
fn the_founding_page_says_what_it_must_in_this_order() {
    let all = messages("founding-incident", Language::En, false);
    let Some(page) = all.first() else { panic!("no page") };
    assert_eq!(page.subject, "ALARM myteacher redis:default: no job started for 6 min, 2 waiting");
    let order = [
        "have waited since 21:31 JST (12:31 UTC) and none was started",
        "2 waiting, 1 over the 5 min limit",
        "Most likely: the worker writes to a file that CloudWatch does not get (storage/logs/queue-20251206.log).",
        "Or: the worker is not running. Or: every job fails at once.",
        "The logs cannot tell these apart; step 1 does.",
        "\nLog lines: https://",
        "\nDashboard: https://",
        "\nWhat this alarm means: docs/runbook.md#logs-not-forwarded",
        "\n1. See what the worker wrote\naws ecs execute-command ",
        "--command \"tail -n 100 storage/logs/queue-20251206.log\"\n",
        "\n2. List the jobs that failed (in the same container)\nphp artisan queue:failed\n",
        "\n3. Count what waits in the queue (in the same container)\nphp artisan queue:monitor redis:default\n",
        "\nKnown\n- a line at 21:00:02 names that log file\n",
        "\nClose\nqueuewatch close stalled-redis-default-20251206T1237Z --reason WHY ",
        "\nSilence for 4 h\nqueuewatch silence default --until 2025-12-06T16:37Z --reason WHY ",
        "\nIncident: stalled-redis-default-20251206T1237Z; ",
    ];
    let places: Vec<_> = order
        .iter()
        .map(|part| page.body.find(part).unwrap_or_else(|| panic!("{part}\n\n{}", page.body)))
        .collect();
    assert!(places.is_sorted(), "{places:?}\n{}", page.body);
}

/// Who reads, and where queuewatch runs.
fn policies() -> Vec<(&'static str, Policy)> {
    let told = Policy::default();
    let watch = |language| Policy {
        deployment: Deployment::Folder("/srv/app/.queuewatch".into()),
        aws: Aws::default(),
        ecs: Ecs::default(),
        ..policy(&told, language, false)
    };
    vec![
        ("causes.txt", policy(&told, Language::En, false)),
        ("causes.ja.txt", policy(&told, Language::Ja, false)),
        ("causes.watch.txt", watch(Language::En)),
        ("causes.watch.ja.txt", watch(Language::Ja)),
    ]
}

#[test]
fn every_cause_is_kept_read_against_its_facts_and_fits_a_phone() {
    let mut wrong = Vec::new();
    for (name, policy) in policies() {
        let mut told = String::new();
        for case in causes::all() {
            let incident = incidents::incident(&case, &policy);
            for state in [NotificationState::Firing, NotificationState::Resolved] {
                let is_over = state == NotificationState::Resolved;
                let resolved_at = is_over.then_some(causes::NOW);
                let incident = Incident { resolved_at, ..incident.clone() };
                let sections = compose(&policy, &incident, state, causes::NOW);
                let text = mail(&sections);
                let found = reader::read(&policy, &incident, &sections.subject, &text);
                wrong.extend(found.into_iter().map(|it| format!("{name}, {}: {it}\n{text}", case.name)));
                let _ = writeln!(
                    told,
                    "[{}]\nSubject: {}\n\n{text}{}\n",
                    case.name,
                    sections.subject,
                    "=".repeat(60)
                );
            }
        }
        compare(name, &told, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_cause_is_in_the_table() {
    let told: BTreeSet<Cause> = causes::all().iter().map(|case| case.cause).collect();
    assert_eq!(told, Cause::ALL.into_iter().collect());
}

#[test]
fn every_story_fits_a_phone_and_says_nothing_twice() {
    let mut wrong = Vec::new();
    for language in [Language::En, Language::Ja] {
        for name in TOLD {
            for message in messages(name, language, false) {
                let found = reader::read_alone(&message.subject, &message.body);
                wrong.extend(found.into_iter().map(|it| format!("{name}: {it}\n{}", message.body)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Sections of the runbook that messages link to.
#[test]
fn the_runbook_explains_every_cause_in_both_languages() {
    let blind = [
        Blindness::NoEnqueueLines,
        Blindness::SourceSilent,
        Blindness::Rejected,
        Blindness::Late,
        Blindness::Unrecognised,
    ];
    let blind = blind.map(|reason| format!("blind-{}", reason.as_str()));
    let causes = Cause::ALL.map(|cause| cause.as_str().to_owned());
    for file in ["docs/runbook.md", "docs/runbook.ja.md"] {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        for name in causes.iter().chain(&blind) {
            let anchor = format!("<a id=\"{}\"></a>", name.replace('_', "-"));
            let (_, section) = text.split_once(&anchor).unwrap_or_else(|| panic!("{file} has no {anchor}"));
            let section = section.split("<a id=").next().unwrap_or_default();
            assert!(section.matches("\n**").count() >= 4, "{file}: {name} says too little\n{section}");
        }
    }
}
