//! Some days, held to the goals that queuewatch already reaches. All of them, and all goals: `table --goals`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "test helpers are outside clippy's exemption"
)]

use queuewatch_simulate::judge::ours::{self, Store};
use queuewatch_simulate::judge::table::{OURS, Task, judge};
use queuewatch_simulate::judge::verdict::Verdict;
use queuewatch_simulate::world::due::SLACK_MS;
use queuewatch_simulate::world::history::{End, Said};
use queuewatch_simulate::world::scenarios;
use queuewatch_simulate::world::style::{Chaos, Layout, Style};
use queuewatch_simulate::world::{Day, Setting};

fn setting(style: Style, layout: Layout, chaos: Chaos) -> Setting {
    Setting { style, layout, chaos }
}

/// What queuewatch came to, and one of the baselines.
fn verdicts(scenario: &str, seed: u64, setting: Setting, baseline: &str) -> (Verdict, Verdict) {
    let judged =
        judge(Task { scenario: scenarios::find(scenario).unwrap(), seed, setting, store: Store::default() })
            .unwrap();
    let of = |name: &str| {
        let found = judged.verdicts.iter().find(|(by, _)| by == name);
        found.unwrap_or_else(|| panic!("{name} did not look")).1.clone()
    };
    (of(OURS), of(baseline))
}

fn check_healthy(scenario: &str, seed: u64, setting: Setting) {
    let (verdict, _) = verdicts(scenario, seed, setting, "B1");
    assert_eq!(verdict.false_pages, [], "{scenario}, {setting:?}");
    assert_eq!(verdict.is_right_on_loss, Some(true), "{scenario}, {setting:?}");
}

/// Asserts that a stall is paged once, in time, and not said to be over before it is.
fn check_stall(scenario: &str, seed: u64, setting: Setting) {
    let (verdict, _) = verdicts(scenario, seed, setting, "B1");
    let of = format!("{scenario}, {setting:?}: {verdict:?}");
    assert_eq!(verdict.faults.len(), 1, "{of}");
    for found in &verdict.faults {
        assert!(found.late_ms.is_some_and(|late_ms| late_ms <= SLACK_MS), "{of}");
        assert_eq!((found.messages, found.false_recoveries), (1, 0), "{of}");
    }
    assert_eq!(verdict.false_pages, [], "{of}");
}

#[test]
fn healthy_days_wake_nobody() {
    check_healthy("sparse", 1, setting(Style::Json, Layout::Separate, Chaos::None));
    check_healthy("sparse", 1, setting(Style::Text, Layout::Shared, Chaos::Delivery));
    check_healthy("office-hours", 1, setting(Style::Text, Layout::Separate, Chaos::None));
    check_healthy("retries", 1, setting(Style::Verbose, Layout::Separate, Chaos::None));
    check_healthy("delays", 1, setting(Style::Json, Layout::Shared, Chaos::None));
}

#[test]
fn a_fifth_of_worker_lines_lost_is_declared() {
    for (scenario, style) in
        [("delays", Style::Verbose), ("office-hours", Style::Text), ("dead-office", Style::Json)]
    {
        let (verdict, _) = verdicts(scenario, 1, setting(style, Layout::Separate, Chaos::Loss), "B1");
        assert_eq!(verdict.is_right_on_loss, Some(true), "{scenario}");
    }
}

#[test]
fn stalls_are_paged_once_and_in_time() {
    check_stall("dead-sparse", 1, setting(Style::Json, Layout::Separate, Chaos::None));
    check_stall("dead-office", 1, setting(Style::Text, Layout::Separate, Chaos::None));
    check_stall("single-job", 1, setting(Style::Text, Layout::Shared, Chaos::None));
    check_stall("founding", 1, setting(Style::Text, Layout::Shared, Chaos::Delivery));
    check_stall("dead-queues", 1, setting(Style::Json, Layout::Separate, Chaos::None));
    check_stall("unlisted-queue", 1, setting(Style::Json, Layout::Separate, Chaos::None));
}

/// Asserts that whatever is wrong is found, told once, and not said to be over before it is.
fn check_found(scenario: &str, setting: Setting) {
    let (verdict, _) = verdicts(scenario, 1, setting, "B1");
    let of = format!("{scenario}, {setting:?}: {verdict:?}");
    let [found] = verdict.faults.as_slice() else { panic!("{of}") };
    assert!(found.at_ms.is_some(), "{of}");
    assert_eq!((found.messages, found.false_recoveries), (1, 0), "{of}");
    assert_eq!(verdict.false_pages, [], "{of}");
}

#[test]
fn what_is_broken_is_found() {
    check_found("failing", setting(Style::Json, Layout::Separate, Chaos::None));
    check_found("crash-loop", setting(Style::Text, Layout::Shared, Chaos::None));
    check_found("enqueue-errors", setting(Style::Verbose, Layout::Separate, Chaos::None));
    check_found("stuck-running", setting(Style::Json, Layout::Shared, Chaos::None));
    check_found("no-enqueue-lines", setting(Style::Text, Layout::Separate, Chaos::None));
    check_found("logs-gone", setting(Style::Json, Layout::Separate, Chaos::None));
}

#[test]
fn plain_alarms_are_judged_on_the_same_day() {
    let (ours, plain) = verdicts("sparse", 1, setting(Style::Json, Layout::Separate, Chaos::None), "B1");
    assert_eq!(ours.false_pages, []);
    assert!(plain.false_pages.len() > 10, "{plain:?}");
    let setting = setting(Style::Json, Layout::Separate, Chaos::None);
    let (ours, plain) = verdicts("dead-sparse", 1, setting, "B2");
    assert_eq!(ours.faults.iter().map(|found| found.false_recoveries).sum::<usize>(), 0);
    assert!(plain.faults.iter().map(|found| found.false_recoveries).sum::<usize>() > 0, "{plain:?}");
}

/// What queuewatch counts is what was printed, in every form: the world prints lines as Laravel does.
#[test]
fn every_form_is_read() {
    for style in Style::ALL {
        let day =
            Day::new(&scenarios::find("retries").unwrap(), 1, setting(*style, Layout::Separate, Chaos::None));
        let said = |what: fn(&Day, Said) -> bool| {
            day.history.said.iter().filter(|utterance| what(&day, utterance.said)).count()
        };
        let ended = |day: &Day, said: Said, wanted: &[End]| match said {
            Said::Ended(job, attempt) => {
                let end = day.history.jobs.get(job).and_then(|job| job.attempts.get(attempt)?.end);
                end.is_some_and(|(_, end)| wanted.contains(&end))
            }
            _ => false,
        };
        let printed = [
            ("enqueued", said(|_, said| matches!(said, Said::Enqueued(_)))),
            ("processing", said(|_, said| matches!(said, Said::Started(..)))),
            ("processed", day.history.said.iter().filter(|it| ended(&day, it.said, &[End::Done])).count()),
            ("failed", {
                let bad: &[End] = match style {
                    Style::Verbose | Style::Text => &[End::Released, End::Failed],
                    Style::Json | Style::Bracket => &[End::Failed],
                };
                day.history.said.iter().filter(|it| ended(&day, it.said, bad)).count()
            }),
        ];
        let report = ours::report(&day, Store::default()).unwrap();
        for (name, count) in printed {
            assert!(count > 0, "{style}: {name}");
            let read = report.get("counts").and_then(|counts| counts.get(name)?.as_u64());
            assert_eq!(read, u64::try_from(count).ok(), "{style}: {name}");
        }
    }
}
