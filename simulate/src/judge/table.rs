//! Many days, judged and summed up: a row for each scenario and each way of looking.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use serde::Serialize;

use super::ours::Store;
use super::verdict::{Verdict, verdict};
use super::{ours, plain};
use crate::world::due::{Deadline, due};
use crate::world::fault::{Due, Fault};
use crate::world::say::Tells;
use crate::world::scenarios::{Group, Scenario};
use crate::world::span::MINUTE;
use crate::world::style::Chaos;
use crate::world::{Day, Setting};

/// The name of queuewatch's own rows.
pub const OURS: &str = "queuewatch";

/// Ends of attempts in a day that are enough to tell from that lines are missing.
const ENDS_TO_TELL: usize = 40;

/// One day to be judged.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    /// Which day.
    pub scenario: Scenario,
    /// Which of its kind.
    pub seed: u64,
    /// How it is logged.
    pub setting: Setting,
    /// Where queuewatch keeps what it knows.
    pub store: Store,
}

/// One day, judged.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Which day.
    pub task: Task,
    /// Whether a moment is set from which on its faults can be told as stalls.
    pub has_deadline: bool,
    /// What each way of looking came to, queuewatch's first.
    pub verdicts: Vec<(String, Verdict)>,
}

/// Judges one day.
///
/// # Errors
/// Where queuewatch's report cannot be had.
pub fn judge(task: Task) -> anyhow::Result<Judged> {
    let day = Day::new(&task.scenario, task.seed, task.setting);
    let faults: Vec<(Fault, Deadline)> =
        day.faults.iter().map(|fault| (fault.clone(), due(&day, fault, task.setting.style))).collect();
    let report = ours::report(&day, task.store)?;
    let ends = day.lines.iter().filter(|line| matches!(line.tells, Some((Tells::Done | Tells::Failed, _))));
    let says_loss = ours::says_lines_are_missing(&report);
    let is_right_on_loss = match (task.setting.chaos, task.scenario.group) {
        (Chaos::Loss, _) => (ends.count() >= ENDS_TO_TELL).then_some(says_loss),
        (Chaos::None | Chaos::Delivery, Group::Healthy) => Some(!says_loss),
        (Chaos::None | Chaos::Delivery, _) => None,
    };
    let own = Verdict { is_right_on_loss, ..verdict(&ours::findings(&report), &faults) };
    let mut verdicts = vec![(OURS.to_owned(), own)];
    for (watched, spells) in plain::spells(&day) {
        verdicts.push((watched.name.clone(), verdict(&plain::findings(&watched.name, &spells), &faults)));
    }
    let has_deadline = faults.iter().any(|(fault, _)| fault.due == Due::Stall);
    Ok(Judged { task, has_deadline, verdicts })
}

/// Judges days on all processors, in the order given. `progress` is told how many are done.
///
/// # Errors
/// As [`judge`], of the first day that fails.
pub fn judge_all(tasks: &[Task], progress: impl Fn(usize) + Sync) -> anyhow::Result<Vec<Judged>> {
    let next = AtomicUsize::new(0);
    let done: Mutex<BTreeMap<usize, anyhow::Result<Judged>>> = Mutex::new(BTreeMap::new());
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let Some(task) = tasks.get(n) else { break };
                    let judged = judge(*task);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.insert(n, judged);
                    progress(done.len());
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}

/// The sums of some days.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// What kind of days.
    pub group: Group,
    /// Which days.
    pub scenario: &'static str,
    /// What happens on them.
    pub title: &'static str,
    /// Who looks.
    pub by: String,
    /// How many.
    pub days: usize,
    /// Faults that could be found.
    pub faults: usize,
    /// Faults that were.
    pub found: usize,
    /// Faults that were not, because the alarm rang already for no reason.
    pub rang_before: usize,
    /// Minutes from when a fault could be told to when it was: the least, the median, the most.
    pub late_minutes: Option<[f64; 3]>,
    /// Times that somebody was woken for nothing, a day.
    pub false_pages_a_day: f64,
    /// Times that somebody was told of nothing in the morning, a day.
    pub false_warnings_a_day: f64,
    /// Times that a fault was said to be over and was not.
    pub false_recoveries: usize,
    /// Faults whose cause the logs tell, and those whose cause was named first.
    pub decided: [usize; 2],
    /// Faults whose cause they do not tell, and those whose true causes were all named.
    pub undecided: [usize; 2],
    /// Days on which so many lines were lost that it can be told, or none; and those on which just that is said.
    pub right_on_loss: [usize; 2],
    /// Messages a day, of every kind.
    pub messages_a_day: f64,
    /// Messages for each fault found.
    pub messages_a_fault: Option<f64>,
}

/// Sums up days of one scenario, each with what the same one came to.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of a few days")]
pub fn sum(scenario: &Scenario, by: &str, verdicts: &[&Verdict]) -> Row {
    let faults = || verdicts.iter().flat_map(|verdict| &verdict.faults);
    let found = || faults().filter(|fault| fault.at_ms.is_some());
    let mut late: Vec<i64> = faults().filter_map(|fault| fault.late_ms).collect();
    late.sort_unstable();
    let minutes = |ms: i64| ms as f64 / MINUTE as f64;
    let median = late.get(late.len() / 2).copied();
    let late_minutes = match (late.first(), median, late.last()) {
        (Some(least), Some(median), Some(most)) => Some([minutes(*least), minutes(median), minutes(*most)]),
        _ => None,
    };
    let days = verdicts.len();
    let a_day = |count: usize| count as f64 / days.max(1) as f64;
    let decided = || found().filter_map(|fault| fault.first_cause_is_right);
    let undecided = || {
        found()
            .filter(|fault| fault.first_cause_is_right.is_none())
            .filter_map(|fault| fault.causes_are_named)
    };
    let told = || verdicts.iter().filter_map(|verdict| verdict.is_right_on_loss);
    let messages: usize = found().map(|fault| fault.messages).sum();
    Row {
        group: scenario.group,
        scenario: scenario.name,
        title: scenario.title,
        by: by.to_owned(),
        days,
        faults: faults().count(),
        found: found().count(),
        rang_before: faults().filter(|fault| fault.at_ms.is_none() && fault.rang_before).count(),
        late_minutes,
        false_pages_a_day: a_day(verdicts.iter().map(|verdict| verdict.false_pages.len()).sum()),
        false_warnings_a_day: a_day(verdicts.iter().map(|verdict| verdict.false_warnings.len()).sum()),
        messages_a_day: a_day(verdicts.iter().map(|verdict| verdict.messages).sum()),
        false_recoveries: faults().map(|fault| fault.false_recoveries).sum(),
        decided: [decided().count(), decided().filter(|is_right| *is_right).count()],
        undecided: [undecided().count(), undecided().filter(|is_named| *is_named).count()],
        right_on_loss: [told().count(), told().filter(|is_right| *is_right).count()],
        messages_a_fault: (found().count() > 0).then(|| messages as f64 / found().count() as f64),
    }
}

/// A row for each scenario and each who looks, scenarios in the order judged.
#[must_use]
pub fn rows(judged: &[Judged]) -> Vec<Row> {
    let mut scenarios: Vec<Scenario> = Vec::new();
    for one in judged {
        if !scenarios.iter().any(|scenario| scenario.name == one.task.scenario.name) {
            scenarios.push(one.task.scenario);
        }
    }
    let looking: Vec<&str> =
        judged.first().into_iter().flat_map(|one| &one.verdicts).map(|(by, _)| by.as_str()).collect();
    let mut rows = Vec::new();
    for scenario in &scenarios {
        for by in &looking {
            let mine = judged.iter().filter(|one| one.task.scenario.name == scenario.name);
            let verdicts: Vec<&Verdict> = mine
                .flat_map(|one| &one.verdicts)
                .filter(|(name, _)| name == by)
                .map(|(_, verdict)| verdict)
                .collect();
            rows.push(sum(scenario, by, &verdicts));
        }
    }
    rows
}
