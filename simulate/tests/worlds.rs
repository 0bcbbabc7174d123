//! What every day promises: it repeats itself, and its truth holds together.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "test helpers are outside clippy's exemption"
)]

use std::collections::{BTreeMap, BTreeSet};

use queuewatch_simulate::world::due::{Deadline, due};
use queuewatch_simulate::world::history::{End, Fate, History, Said};
use queuewatch_simulate::world::scenarios::{self, Group};
use queuewatch_simulate::world::span::{DAY, MINUTE, SECOND};
use queuewatch_simulate::world::style::{Chaos, Layout, Style};
use queuewatch_simulate::world::{Day, Setting};

const PLAIN: Setting = Setting { style: Style::Json, layout: Layout::Separate, chaos: Chaos::None };

fn day(scenario: &str, seed: u64, setting: Setting) -> Day {
    Day::new(&scenarios::find(scenario).unwrap(), seed, setting)
}

/// All that is delivered, in order.
fn text(day: &Day) -> String {
    let mut text = String::new();
    for delivery in &day.deliveries {
        text += &format!("{} {} {}\n", delivery.arrives_ms, delivery.log_group, delivery.log_stream);
        for n in &delivery.lines {
            let line = &day.lines[*n];
            text += &format!("{} {} {}\n", line.at_ms, line.taken_in_ms, line.message);
        }
    }
    text
}

#[test]
fn a_seed_is_a_day() {
    for chaos in [Chaos::None, Chaos::Delivery, Chaos::Loss] {
        let setting = Setting { style: Style::Text, layout: Layout::Shared, chaos };
        let one = text(&day("dead-sparse", 3, setting));
        assert_eq!(one, text(&day("dead-sparse", 3, setting)), "{chaos}");
        assert_ne!(one, text(&day("dead-sparse", 4, setting)), "{chaos}");
    }
}

#[test]
fn what_happens_does_not_hang_on_how_it_is_logged() {
    let told = |setting| {
        let History { jobs, .. } = day("retries", 2, setting).history;
        jobs.iter().map(|job| format!("{job:?}")).collect::<Vec<_>>()
    };
    let one = told(PLAIN);
    for style in Style::ALL {
        let setting = Setting { style: *style, layout: Layout::Shared, chaos: Chaos::Delivery };
        assert_eq!(one, told(setting), "{style}");
    }
}

/// Attempts follow each other, begin when the job is ready, and end before the next; a worker is at one at a time; and
/// a job's fate is how its last attempt ended. Where jobs are handed out again while they run, that is what is wrong.
fn check_jobs(name: &str, history: &History) {
    let mut busy: BTreeMap<usize, Vec<(i64, i64)>> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for (n, job) in history.jobs.iter().enumerate() {
        let of = format!("{name}, job {n}: {job:?}");
        assert!(ids.insert(&job.id) && ids.insert(&job.uuid), "{of} has its id for itself");
        let mut free_ms = job.ready_ms();
        for attempt in &job.attempts {
            let is_twice = name == "retry-too-soon" && attempt.start_ms >= job.ready_ms();
            assert!(attempt.start_ms >= free_ms || is_twice, "{of} starts when it can");
            let (end_ms, _) = attempt.end.unwrap_or((DAY.to_ms, End::Lost));
            assert!(end_ms >= attempt.start_ms, "{of} ends after it starts");
            busy.entry(attempt.worker).or_default().push((attempt.start_ms, end_ms));
            free_ms = end_ms;
        }
        let last =
            job.attempts.iter().max_by_key(|attempt| attempt.end.map_or(DAY.to_ms, |(end_ms, _)| end_ms));
        let last = last.map(|attempt| attempt.end.map(|(_, end)| end));
        let fates: &[Fate] = match last {
            None => &[Fate::Waiting, Fate::Refused],
            Some(None) => &[Fate::Running],
            Some(Some(End::Done)) => &[Fate::Done],
            Some(Some(End::Failed)) => &[Fate::Failed],
            Some(Some(End::Released | End::PutBack | End::Lost)) => &[Fate::Waiting],
        };
        assert!(fates.contains(&job.fate), "{of} came to what its last attempt did");
    }
    for (worker, mut spans) in busy {
        spans.sort_unstable();
        for pair in spans.windows(2) {
            assert!(pair[0].1 <= pair[1].0, "{name}: worker {worker} is at two jobs at {}", pair[1].0);
        }
    }
}

/// Each thing is said once, by whom it concerns, and no end without its start.
fn check_said(name: &str, day: &Day) {
    let (mut enqueued, mut started, mut ended) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for utterance in &day.history.said {
        let is_new = match utterance.said {
            Said::Enqueued(job) => enqueued.insert(job),
            Said::Started(job, attempt) => started.insert((job, attempt)),
            Said::Ended(job, attempt) => {
                assert!(started.contains(&(job, attempt)), "{name}: an end without a start");
                ended.insert((job, attempt))
            }
            _ => true,
        };
        assert!(is_new, "{name}: {utterance:?} again");
    }
    for (n, job) in day.history.jobs.iter().enumerate() {
        assert_eq!(enqueued.contains(&n), job.fate != Fate::Refused, "{name}: {job:?}");
        for attempt in 0..job.attempts.len() {
            assert!(started.contains(&(n, attempt)), "{name}: {job:?}");
        }
    }
}

/// Every line is delivered, after it was printed and taken in, with others of its stream; none is of another day.
fn check_delivery(name: &str, day: &Day) {
    let mut delivered = BTreeSet::new();
    for delivery in &day.deliveries {
        for n in &delivery.lines {
            let line = &day.lines[*n];
            assert_eq!(line.log_stream, delivery.log_stream, "{name}");
            assert!(
                line.taken_in_ms > line.at_ms && delivery.arrives_ms > line.taken_in_ms,
                "{name}: {line:?}"
            );
            delivered.insert(*n);
        }
    }
    assert_eq!(delivered.len(), day.lines.len(), "{name}");
    assert!(day.lines.iter().all(|line| DAY.holds(line.at_ms)), "{name}");
}

#[test]
fn the_truth_of_every_day_holds_together() {
    for scenario in scenarios::all() {
        let day = Day::new(&scenario, 1, PLAIN);
        check_jobs(scenario.name, &day.history);
        check_delivery(scenario.name, &day);
        if scenario.name != "no-enqueue-lines" {
            check_said(scenario.name, &day);
        }
    }
}

#[test]
fn on_a_healthy_day_every_job_starts_in_time() {
    for scenario in scenarios::all().iter().filter(|scenario| scenario.group == Group::Healthy) {
        let day = Day::new(scenario, 2, PLAIN);
        // These are healthy, and make jobs wait all the same.
        let waiting = ["burst", "long-job", "cron", "cron-sparse", "blip", "priority-bursts", "newsletter"];
        if waiting.contains(&scenario.name) {
            assert!(!day.faults.is_empty(), "{}: what may be said of it is listed", scenario.name);
            continue;
        }
        if scenario.name == "maintenance" {
            assert!(day.config.contains("[[window]]"), "what may be said of it is configured");
            continue;
        }
        for job in day.history.jobs.iter().filter(|job| job.ready_ms() < DAY.to_ms - 5 * MINUTE) {
            let waited_ms = job.attempts.first().map(|attempt| attempt.start_ms - job.ready_ms());
            assert!(waited_ms.is_some_and(|ms| ms < day.grace_ms), "{}: {job:?}", scenario.name);
        }
    }
}

#[test]
fn every_fault_can_be_told_on_some_day_after_it_began() {
    for scenario in scenarios::all() {
        let can_be_told = |seed| {
            let day = Day::new(&scenario, seed, PLAIN);
            let wanted: Vec<_> = day.faults.iter().filter(|fault| !fault.must.is_empty()).collect();
            assert!(!wanted.is_empty() || scenario.group == Group::Healthy, "{}", scenario.name);
            wanted.is_empty()
                || wanted.into_iter().any(|fault| match due(&day, fault, PLAIN.style) {
                    Deadline::Never => false,
                    Deadline::Unnamed => true,
                    Deadline::At(at_ms) => {
                        assert!(at_ms > fault.span.from_ms && at_ms < fault.span.to_ms, "{}", scenario.name);
                        true
                    }
                })
        };
        // By chance a day may have nothing that could stall.
        assert!((1..4).any(can_be_told), "{}", scenario.name);
    }
}

#[test]
fn a_stall_of_steady_jobs_can_be_told_when_the_first_is_overdue() {
    let day = day("dead-busy", 1, PLAIN);
    let fault = &day.faults[0];
    let Deadline::At(at_ms) = due(&day, fault, PLAIN.style) else { panic!("it cannot") };
    let stuck = day.history.jobs.iter().find(|job| {
        let first = job.attempts.first().map(|attempt| attempt.start_ms);
        job.enqueued_ms > fault.span.from_ms && first.is_none_or(|start_ms| start_ms >= fault.span.to_ms)
    });
    let overdue_ms = stuck.unwrap().enqueued_ms + day.grace_ms;
    assert!((overdue_ms..overdue_ms + 60 * SECOND).contains(&at_ms), "{overdue_ms} {at_ms}");
}

#[test]
fn loss_takes_a_fifth_of_the_workers_lines_and_nothing_else() {
    let lossy = Setting { chaos: Chaos::Loss, ..PLAIN };
    let count = |day: &Day, log_group| day.lines.iter().filter(|line| line.log_group == log_group).count();
    let (all, some) = (day("busy", 1, PLAIN), day("busy", 1, lossy));
    let (all_worker, some_worker) = (count(&all, "/ecs/school-worker"), count(&some, "/ecs/school-worker"));
    assert!((78..82).contains(&(100 * some_worker / all_worker)), "{some_worker} of {all_worker}");
    assert_eq!(count(&all, "/ecs/school-app"), count(&some, "/ecs/school-app"));
}

#[test]
fn chaos_delivers_again_and_out_of_order() {
    let chaotic = day("busy", 1, Setting { chaos: Chaos::Delivery, ..PLAIN });
    let delivered: usize = chaotic.deliveries.iter().map(|delivery| delivery.lines.len()).sum();
    let again = 100 * (delivered - chaotic.lines.len()) / chaotic.lines.len();
    assert!((4..12).contains(&again), "{again} %");
    // Within a stream, each payload's lines are newer than those of the one before, or they are not.
    let overtaken = |day: &Day| {
        let mut newest: BTreeMap<&str, usize> = BTreeMap::new();
        let overtaken = day.deliveries.iter().filter(|delivery| {
            let first = delivery.lines.first().copied().unwrap_or_default();
            let before = newest.entry(&delivery.log_stream).or_insert(first);
            let is_overtaken = first < *before;
            *before = first.max(*before);
            is_overtaken
        });
        100 * overtaken.count() / day.deliveries.len()
    };
    let calm = day("busy", 1, PLAIN);
    assert!(overtaken(&calm) < 5, "{} %", overtaken(&calm));
    assert!(overtaken(&chaotic) > 20, "{} %", overtaken(&chaotic));
}
