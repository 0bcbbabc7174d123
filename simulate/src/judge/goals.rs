//! What is good enough, and where it is not: each miss with the day that shows it.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use super::table::{Judged, OURS, Task};
use super::verdict::{Found, Verdict};
use crate::world::due::SLACK_MS;
use crate::world::span::MINUTE;
use crate::world::style::Chaos;

/// Of the faults whose cause logs cannot tell, how many must have it among those named.
const NAMED_SHARE: f64 = 0.95;

/// The goal that missing lines of workers are told where there are some, and on no healthy day without.
const LOSS: &str = "right on lost lines";

/// A goal that was missed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Miss {
    /// On a day of this scenario.
    pub scenario: &'static str,
    /// What was missed.
    pub goal: &'static str,
    /// What happened instead.
    pub what: String,
    /// The command that shows it.
    pub show: String,
}

/// Every goal missed by queuewatch. Where a fifth of the worker's lines is lost nothing is promised but that it says so:
/// what is not there cannot be known.
#[must_use]
pub fn missed(judged: &[Judged]) -> Vec<Miss> {
    let mut missed = Vec::new();
    let mut unnamed: Vec<(Task, &Found, bool)> = Vec::new();
    for one in judged {
        let ours = one.verdicts.iter().find(|(by, _)| by == OURS);
        let Some((_, verdict)) = ours else { continue };
        if verdict.is_right_on_loss == Some(false) {
            missed.push(miss(one.task, LOSS, "it says otherwise".to_owned()));
        }
        if one.task.setting.chaos == Chaos::Loss {
            continue;
        }
        day(one, verdict, &mut missed);
        unnamed.extend(
            verdict
                .faults
                .iter()
                .filter(|found| found.first_cause_is_right.is_none())
                .filter_map(|found| Some((one.task, found, found.causes_are_named?))),
        );
    }
    let right = unnamed.iter().filter(|(.., is_named)| *is_named).count();
    #[expect(clippy::cast_precision_loss, reason = "counts of a few days")]
    let is_short = (right as f64) < NAMED_SHARE * unnamed.len() as f64;
    if is_short {
        let wrong = unnamed.iter().filter(|(.., is_named)| !is_named);
        missed.extend(wrong.map(|(task, found, _)| {
            miss(*task, "the true cause among three named", format!("named {:?}", found.named))
        }));
    }
    missed
}

fn miss(task: Task, goal: &'static str, what: String) -> Miss {
    let setting = task.setting;
    let show = format!(
        "show --scenario {} --seed {} --format {} --streams {} --chaos {}",
        task.scenario.name, task.seed, setting.style, setting.layout, setting.chaos
    );
    Miss { scenario: task.scenario.name, goal, what, show }
}

fn day(judged: &Judged, verdict: &Verdict, missed: &mut Vec<Miss>) {
    let mut add = |goal, what: String| missed.push(miss(judged.task, goal, what));
    for (name, at_ms) in &verdict.false_pages {
        add("no false page", format!("{name} at {}", clock(*at_ms)));
    }
    for found in &verdict.faults {
        let Some(at_ms) = found.at_ms else {
            add("found", "it was not found".to_owned());
            continue;
        };
        if judged.has_deadline && found.late_ms.is_some_and(|late_ms| late_ms > SLACK_MS) {
            let seconds = found.late_ms.unwrap_or_default() / 1_000;
            add("two minutes at most", format!("{seconds} s late, at {}", clock(at_ms)));
        }
        if found.false_recoveries > 0 {
            add("no false recovery", format!("said to be over {} times", found.false_recoveries));
        }
        if found.messages == 0 || found.messages > found.messages_max {
            add("one message", format!("{} messages", found.messages));
        }
        if found.first_cause_is_right == Some(false) {
            add("the cause that logs tell, first", format!("named {:?}", found.named));
        }
    }
}

/// `10:06`, UTC.
#[must_use]
pub fn clock(at_ms: i64) -> String {
    let minutes = at_ms.div_euclid(MINUTE).rem_euclid(24 * 60);
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Prints misses, those of one scenario and goal together: how many, what the first was, and how to see it.
#[must_use]
pub fn print(missed: &[Miss]) -> String {
    let mut together: BTreeMap<(&str, &str), Vec<&Miss>> = BTreeMap::new();
    for miss in missed {
        together.entry((miss.scenario, miss.goal)).or_default().push(miss);
    }
    let mut text = String::new();
    for ((scenario, goal), misses) in together {
        let Some(first) = misses.first() else { continue };
        let count = misses.len();
        let _ =
            writeln!(text, "missed {count} times: {scenario}: {goal}: {}\n    {}", first.what, first.show);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::ours::Store;
    use super::*;
    use crate::world::Setting;
    use crate::world::scenarios;
    use crate::world::style::{Layout, Style};

    const GOOD: Found = Found {
        at_ms: Some(0),
        late_ms: Some(SLACK_MS),
        rang_before: false,
        messages: 1,
        messages_max: 1,
        false_recoveries: 0,
        first_cause_is_right: Some(true),
        causes_are_named: Some(true),
        named: Vec::new(),
    };

    fn judged(chaos: Chaos, verdict: Verdict) -> Judged {
        let setting = Setting { style: Style::Json, layout: Layout::Separate, chaos };
        let scenario = scenarios::find("dead-busy").unwrap();
        let task = Task { scenario, seed: 1, setting, store: Store::default() };
        Judged { task, has_deadline: true, verdicts: vec![(OURS.to_owned(), verdict)] }
    }

    #[track_caller]
    fn check(found: Found, expected: &[&str]) {
        let verdict = Verdict { faults: vec![found], ..Verdict::default() };
        let goals: Vec<&str> =
            missed(&[judged(Chaos::None, verdict.clone())]).iter().map(|miss| miss.goal).collect();
        assert_eq!(goals, expected);
        assert_eq!(missed(&[judged(Chaos::Loss, verdict)]), []);
    }

    #[test]
    fn each_goal_can_be_missed() {
        check(GOOD, &[]);
        check(Found { at_ms: None, ..GOOD }, &["found"]);
        check(Found { late_ms: Some(SLACK_MS + 1), ..GOOD }, &["two minutes at most"]);
        check(Found { messages: 2, ..GOOD }, &["one message"]);
        check(Found { false_recoveries: 1, ..GOOD }, &["no false recovery"]);
        let unsure = Found { first_cause_is_right: None, ..GOOD };
        check(Found { first_cause_is_right: Some(false), ..GOOD }, &["the cause that logs tell, first"]);
        check(unsure.clone(), &[]);
        check(Found { causes_are_named: Some(false), ..unsure }, &["the true cause among three named"]);
    }

    #[test]
    fn where_lines_are_lost_it_must_be_said_and_nowhere_else() {
        for chaos in [Chaos::None, Chaos::Loss] {
            let goals = |is_right_on_loss| {
                let verdict = Verdict { is_right_on_loss, ..Verdict::default() };
                missed(&[judged(chaos, verdict)]).iter().map(|miss| miss.goal).collect::<Vec<_>>()
            };
            assert_eq!(goals(Some(false)), [LOSS]);
            assert_eq!(goals(Some(true)), [""; 0]);
            assert_eq!(goals(None), [""; 0]);
        }
    }

    #[test]
    fn a_false_page_is_a_miss_and_is_printed_with_the_command_that_shows_it() {
        let verdict = Verdict { false_pages: vec![("stalled-x".into(), MINUTE)], ..Verdict::default() };
        let missed = missed(&[judged(Chaos::None, verdict)]);
        let printed = print(&missed);
        assert!(
            printed.starts_with("missed 1 times: dead-busy: no false page: stalled-x at 00:01\n"),
            "{printed}"
        );
        assert!(printed.contains("show --scenario dead-busy --seed 1 --format json"), "{printed}");
    }

    #[test]
    fn a_cause_that_nobody_can_tell_may_be_missed_once_in_twenty() {
        let named = |causes_are_named| Verdict {
            faults: vec![Found {
                first_cause_is_right: None,
                causes_are_named: Some(causes_are_named),
                ..GOOD
            }],
            ..Verdict::default()
        };
        let mut days: Vec<Judged> = (0..19).map(|_| judged(Chaos::None, named(true))).collect();
        days.push(judged(Chaos::None, named(false)));
        assert_eq!(missed(&days), []);
        days.push(judged(Chaos::None, named(false)));
        assert_eq!(missed(&days).len(), 2);
    }
}
