//! Failing: classes do nothing but fail. One incident a queue, which lists its classes.

use std::collections::{BTreeMap, BTreeSet};

use super::usual::{self, Usual};
use super::{Opening, Verdict, closed_by_hand_at, opened};
use crate::domain::incidents::cases::Change;
use crate::domain::incidents::{Detail, Failure, Incident, Key, Kind, Register, Rise, Severity};
use crate::domain::job::{DAY_MS, HOUR_MS, JobClass, MINUTE_MS, QueueName, Timestamp};
use crate::domain::ledger::Ledger;
use crate::domain::ledger::class::ClassFacts;
use crate::domain::ledger::job_key::JobHash;
use crate::domain::ledger::outcomes::Verdict as End;
use crate::domain::model::policy::{FailingPolicy, Policy};
use crate::domain::model::queue_ref::QueueRef;
use crate::domain::model::wake::Wake;
use crate::domain::queues::place::World;

/// Different jobs in a row that failed for good or lost their worker, with no success between.
const JOBS_IN_A_ROW: usize = 5;
/// Bad ends in a row, where lines do not tell whose they are or whether the job is tried again.
const ENDS_IN_A_ROW: u64 = 10;
/// Jobs of a day that must have failed for good where none succeeded.
const JOBS_A_DAY: usize = 3;
/// How old a failure must be that may be tried again, before it is taken for the job's last: longer than most backoffs.
/// Five in a row need no such patience.
const RETRIED_WITHIN_MS: i64 = 15 * MINUTE_MS;
/// How far back the share of bad attempts is looked at.
const SHARE_WINDOW_MS: i64 = 10 * MINUTE_MS;

/// Judges every queue that has a class which does nothing but fail, or had one. `register` is as earlier sweeps left it.
#[must_use]
pub fn judge<'v>(world: &World<'v>, register: &Register) -> Vec<Verdict<'v>> {
    let mut wake = Wake::default();
    let mut by_queue: BTreeMap<QueueRef, Vec<FailingClass>> = BTreeMap::new();
    for class in find(world, register, &mut wake) {
        by_queue.entry(world.resolver.place_of_class(&class.class)).or_default().push(class);
    }
    let open = register.open().filter(|incident| incident.key.kind == Kind::Failing);
    let mut queues: BTreeSet<QueueRef> = open.map(|incident| incident.key.place()).collect();
    queues.extend(by_queue.keys().cloned());
    let judged = queues.into_iter().map(|at| {
        let classes = by_queue.remove(&at).unwrap_or_default();
        let key = Key::at(Kind::Failing, &at);
        Verdict { change: judge_queue(world, register.newest.get(&key), key, &classes), ..Verdict::default() }
    });
    let mut verdicts: Vec<Verdict<'v>> = judged.collect();
    verdicts.push(Verdict { wake, ..Verdict::default() });
    verdicts
}

fn judge_queue(world: &World<'_>, past: Option<&Incident>, key: Key, classes: &[FailingClass]) -> Change {
    match opened(past) {
        Some(mut incident) => {
            follow(&mut incident, classes);
            let is_louder = incident.severity < severity_of(classes);
            if is_louder {
                // It failed now and then, and does nothing else now.
                (incident.severity, incident.diagnosis) = (Severity::Page, None);
            }
            // A class that succeeds now and then, and fails most of the time, has not recovered.
            if classes.is_empty() && has_succeeded(world.ledger, &incident.detail.failure()) {
                Change::Resolve(incident)
            } else {
                Change::Keep { incident, is_asked: true, is_updated: is_louder }
            }
        }
        None if !classes.is_empty() => {
            let view = world.queues.get(&key.place());
            let queues = view.into_iter().flat_map(|view| &view.queues);
            let detail = |_: Option<&Detail>| Detail::blank(Kind::Failing);
            let mut incident = Opening::of(world, past).reopen(key, queues, detail);
            incident.severity = severity_of(classes);
            incident.since = classes.iter().map(|class| class.since).min();
            if incident.key.queue.is_none() {
                incident.queues.extend(queues_of(world.ledger, classes));
            }
            follow(&mut incident, classes);
            Change::Open(incident)
        }
        None => Change::Nothing,
    }
}

/// Who fails more often than before is to be read in the morning; who does nothing else wakes somebody.
fn severity_of(classes: &[FailingClass]) -> Severity {
    if classes.iter().all(|class| class.rise.is_some()) { Severity::Warn } else { Severity::Page }
}

fn follow(incident: &mut Incident, classes: &[FailingClass]) {
    let mut failure = incident.detail.failure();
    for class in classes {
        let newest = failure.classes.entry(class.class.clone()).or_insert(class.newest);
        *newest = (*newest).max(class.newest);
        match class.rise {
            Some(rise) => failure.rises.insert(class.class.clone(), rise),
            None => failure.rises.remove(&class.class),
        };
    }
    incident.detail = Detail::Failing(failure);
    incident.jobs_now = classes.iter().map(|class| class.jobs_count).fold(0, u64::saturating_add);
    incident.jobs_count = incident.jobs_count.max(incident.jobs_now);
}

/// Whether every class has succeeded since it was last seen to do nothing but fail.
fn has_succeeded(ledger: &Ledger, failure: &Failure) -> bool {
    failure.classes.iter().all(|(class, newest_bad)| {
        let facts = ledger.class(Some(class));
        // A class that the ledger has forgotten had no lines for a day: it does not fail any more.
        facts.is_none_or(|facts| facts.outcomes.newest_success() > Some(*newest_bad))
    })
}

fn queues_of(ledger: &Ledger, classes: &[FailingClass]) -> BTreeSet<QueueName> {
    let facts = classes.iter().filter_map(|class| ledger.class(Some(&class.class)));
    facts.flat_map(|facts| facts.enqueued_on.iter().filter_map(|at| at.queue.clone())).collect()
}

fn find(world: &World<'_>, register: &Register, wake: &mut Wake) -> Vec<FailingClass> {
    let (ledger, policy, now) = (world.ledger, world.policy, world.now);
    let failing = ledger.classes().filter_map(|(class, facts)| {
        let past = past_of(world, register, class);
        let closed_at = closed_by_hand_at(past);
        let is_told = closed_at.is_some_and(|at| facts.outcomes.newest_success() <= Some(at));
        let asked = Some((policy, past)).filter(|_| !is_told)?;
        let failing = find_in(ledger, class, facts, asked, (now, &mut *wake));
        let rise = || find_rise(class, facts, past, now).filter(|_| !is_told_stuck(world, register, class));
        failing.or_else(rise)
    });
    failing.collect()
}

/// The newest incident of the class's queue, if it listed the class. When somebody closed it, the class is told of again
/// after a success, and by what came since.
fn past_of<'r>(world: &World<'_>, register: &'r Register, class: &JobClass) -> Option<&'r Incident> {
    let key = Key::at(Kind::Failing, &world.resolver.place_of_class(class));
    register.newest.get(&key).filter(|past| past.detail.failure().classes.contains_key(class))
}

/// A class that does nothing but fail.
struct FailingClass {
    /// The class.
    class: JobClass,
    /// The first failure of the row.
    since: Timestamp,
    /// The newest bad end.
    newest: Timestamp,
    /// Different jobs in the row; attempts where lines do not tell jobs apart.
    jobs_count: u64,
    /// How much more often it fails than before, where it does not fail most of the time.
    rise: Option<Rise>,
}

/// Whether another incident tells that attempts of the class end in nothing: that their jobs fail in the end is no news.
fn is_told_stuck(world: &World<'_>, register: &Register, class: &JobClass) -> bool {
    let key = Key::at(Kind::StuckRunning, &world.resolver.place_of_class(class));
    let stuck = register.newest.get(&key).filter(|stuck| stuck.is_open());
    stuck.is_some_and(|stuck| stuck.detail.stuck().newest_lost.contains_key(class))
}

/// A class that fails more often than before, and still does. What a page tells of, or told of until a moment ago, is no
/// news.
fn find_rise(
    class: &JobClass,
    facts: &ClassFacts,
    past: Option<&Incident>,
    now: Timestamp,
) -> Option<FailingClass> {
    let is_paged = |past: &Incident| past.is_open() && !past.detail.failure().rises.contains_key(class);
    if past.is_some_and(is_paged) {
        return None;
    }
    let rise = usual::rise(facts, past, now)?;
    let newest = facts.outcomes.newest_first(Timestamp::MIN, now).take(usual::STILL_ENDS);
    let failed = newest.filter(|(_, end)| matches!(end.verdict, End::Final | End::Bad));
    let failed: Vec<Timestamp> = failed.map(|(at, _)| at).collect();
    let (newest, oldest) = (failed.first().copied()?, failed.last().copied()?);
    (failed.len() >= usual::STILL_FAILED).then(|| FailingClass {
        class: class.clone(),
        since: oldest,
        newest,
        jobs_count: failed.len() as u64,
        rise: Some(rise),
    })
}

fn find_in(
    ledger: &Ledger,
    class: &JobClass,
    facts: &ClassFacts,
    (policy, past): (&Policy, Option<&Incident>),
    (now, wake): (Timestamp, &mut Wake),
) -> Option<FailingClass> {
    let row = Row::of(ledger, class, facts, policy, now);
    // Counted by the minute: the one of the close is left out.
    let closed_until = closed_by_hand_at(past).map(|at| at.plus_ms(MINUTE_MS));
    let share_since = now.minus_ms(SHARE_WINDOW_MS);
    let share_since = closed_until.map_or(share_since, |until| until.max(share_since));
    let throughput = facts.all_throughput_since(share_since);
    // Jobs that throw to be tried again are judged by what becomes of them.
    let judged = facts.outcomes.judged_since(share_since, now, |attempt| facts.tries.usually_fails(attempt));
    let is_made_good = judged.since_made_good.is_some_and(|bad| bad < u64::from(policy.failing.bad_attempts));
    let is_over_share = !is_made_good
        && is_over_share(judged.good, judged.bad, policy.failing)
        && (facts.tries.is_habit() || is_over_share(throughput.good, throughput.bad, policy.failing));
    let failed = judged.failed.filter(|_| !ledger.traits.has_row_ids);
    let is_unusual = |since: Timestamp, bad: u64, all: u64, failed: Option<usize>| {
        let usual = Usual::before(since, facts, past);
        usual.map_or_else(|| is_of_many(facts, failed, now), |usual| usual.is_exceeded(bad, all))
    };
    let in_a_row =
        row.jobs.len() >= JOBS_IN_A_ROW || row.ends_count >= ENDS_IN_A_ROW && row.is_told_apart_by_count;
    let row_since = row.oldest.unwrap_or(now);
    let is_failing = in_a_row && is_unusual(row_since, row.ends_count, row.ends_count, row.failed())
        || row.final_count() >= JOBS_A_DAY && row.is_whole_day
        // What usually fails is left out already, where lines tell which attempt it was.
        || is_over_share
            && (facts.tries.is_habit()
                || is_unusual(share_since, judged.bad, judged.good.saturating_add(judged.bad), failed));
    if !is_failing {
        row.doubtful.values().for_each(|at| wake.at(at.plus_ms(RETRIED_WITHIN_MS), now));
        return None;
    }
    let named_count = row.jobs.len().saturating_add(row.twice_count) as u64;
    let jobs_count = if named_count == 0 { row.ends_count.max(throughput.bad) } else { named_count };
    Some(FailingClass {
        class: class.clone(),
        since: row.oldest.unwrap_or(now),
        newest: row.newest.unwrap_or(now),
        jobs_count,
        rise: None,
    })
}

/// Whether failures are of several jobs: one that is tried again and again is not its class, where others succeed.
/// `failed`, where lines name them; without names no more jobs can fail than were enqueued and have not succeeded.
fn is_of_many(facts: &ClassFacts, failed: Option<usize>, now: Timestamp) -> bool {
    let hour = facts.all_throughput_since(now.minus_ms(HOUR_MS));
    let left = usize::try_from(hour.enqueued.saturating_sub(hour.good)).unwrap_or(usize::MAX);
    let counted = failed.or((hour.enqueued > 0).then_some(left));
    hour.good == 0 || counted.is_none_or(|count| count >= JOBS_IN_A_ROW)
}

/// Whether at least the configured share of attempts was bad, and enough of them.
fn is_over_share(good: u64, bad: u64, limit: FailingPolicy) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "a share of some thousands")]
    let share = bad as f64 / good.saturating_add(bad).max(1) as f64;
    bad >= u64::from(limit.bad_attempts) && share >= limit.ratio
}

/// The bad ends since the newest success, within a day.
#[derive(Default)]
struct Row {
    /// Jobs that failed for good or lost their worker.
    jobs: BTreeSet<JobHash>,
    /// Those of them that may be tried again yet, and when they failed.
    doubtful: BTreeMap<JobHash, Timestamp>,
    ends_count: u64,
    /// Whose the ends are, where lines say.
    named: BTreeSet<JobHash>,
    /// A job may have any number of these ends: lines do not name it, or by another name at each attempt.
    is_unnamed: bool,
    /// Nobody can tell from these ends whose they are, or whether they are final.
    is_told_apart_by_count: bool,
    /// Jobs without a name that failed for good since they were handed out twice.
    twice_count: usize,
    /// No attempt of the day ended well.
    is_whole_day: bool,
    oldest: Option<Timestamp>,
    newest: Option<Timestamp>,
}

impl Row {
    fn of(ledger: &Ledger, class: &JobClass, facts: &ClassFacts, policy: &Policy, now: Timestamp) -> Self {
        let from = now.minus_ms(DAY_MS);
        let is_unnamed = ledger.traits.has_row_ids;
        let twice_count = facts.outcomes.handed_out_twice_count(from, now);
        let mut row = Self { is_whole_day: true, is_unnamed, twice_count, ..Self::default() };
        // Rows have a new id for each attempt, so that retries look like jobs of their own.
        let is_never_retried = !facts.has_retries && !ledger.traits.has_row_ids;
        let mut success = Timestamp::MIN;
        for (at, end) in facts.outcomes.newest_first(from, now) {
            match end.verdict {
                End::Good => {
                    (success, row.is_whole_day) = (at, false);
                    break;
                }
                End::Released => continue,
                End::Final => row.jobs.extend(end.job),
                // Text does not tell a last failure from one that is tried again; a class that never tries again does.
                End::Bad if end.is_ambiguous && is_never_retried => {
                    row.jobs.extend(end.job);
                    let is_new = now.since_ms(at) < RETRIED_WITHIN_MS;
                    row.doubtful.extend(end.job.filter(|_| is_new).map(|job| (job, at)));
                }
                End::Bad => {}
            }
            row.is_told_apart_by_count |= end.is_ambiguous || end.job.is_none();
            row.is_unnamed |= end.job.is_none();
            row.named.extend(end.job);
            row.ends_count = row.ends_count.saturating_add(1);
            row.met(at);
        }
        for (job, starts) in facts.outcomes.lost() {
            if let Some(at) = starts.range(success.max(from)..=now).next() {
                row.jobs.insert(job);
                row.met(*at);
            }
        }
        let timeout_ms = policy.job_timeout_ms(Some(class)).unwrap_or_else(|| facts.learned_timeout_ms());
        let series = ledger.series().find(|(of, _)| *of == class).map(|(_, series)| series);
        for (at, _, _) in series.into_iter().flat_map(|it| it.open_starts(success.max(from))) {
            if at.plus_ms(timeout_ms) <= now {
                row.ends_count = row.ends_count.saturating_add(1);
                (row.is_told_apart_by_count, row.is_unnamed) = (true, true);
                row.met(at);
            }
        }
        row
    }

    /// How many jobs failed for good, as far as lines leave no doubt.
    fn final_count(&self) -> usize {
        self.jobs.len().saturating_sub(self.doubtful.len()).saturating_add(self.twice_count)
    }

    /// How many jobs failed, where lines tell.
    fn failed(&self) -> Option<usize> {
        (!self.is_unnamed).then(|| self.named.union(&self.jobs).count())
    }

    fn met(&mut self, at: Timestamp) {
        self.oldest = Some(self.oldest.map_or(at, |oldest| oldest.min(at)));
        self.newest = self.newest.max(Some(at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(good: u64, bad: u64, expected: bool) {
        let limit = FailingPolicy { ratio: 0.8, bad_attempts: 10 };
        assert_eq!(is_over_share(good, bad, limit), expected, "{good} good, {bad} bad");
    }

    #[test]
    fn eight_of_ten_bad_attempts_are_too_many_and_nine_in_all_are_too_few() {
        check(2, 8, false);
        check(0, 9, false);
        check(0, 10, true);
        check(2, 10, true);
        check(3, 10, false);
        check(3, 12, true);
    }
}
