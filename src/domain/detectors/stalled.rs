//! Stalled: jobs wait, none was overtaken, and nothing starts.

use super::jobs::{complete_waits, follow};
use super::{Opening, Verdict, closed_by_hand_at, opened};
use crate::domain::diagnosis::queue_facts;
use crate::domain::incidents::cases::{Change, VERIFIED_MAX};
use crate::domain::incidents::{Detail, Incident, Key, Kind, Round, Stall};
use crate::domain::job::{HOUR_MS, MINUTE_MS, Timestamp};
use crate::domain::queues::ahead;
use crate::domain::queues::place::Place;
use crate::domain::queues::view::WaitingJob;
use crate::domain::visibility::{Presence, Visibility, prompt, rhythm, silences};

/// How many stalls of one queue within an hour and a half make one that comes and goes: its end is told when it has stayed
/// away for half an hour. The first two are told as they come, since nobody can know yet.
const FLAPS_LEAST: usize = 3;
const FLAPS_WITHIN_MS: i64 = 90 * MINUTE_MS;
const CALM_MS: i64 = HOUR_MS / 2;
/// The same in graces, where that is less: whoever gives jobs seconds is told in seconds.
const FLAPS_WITHIN_GRACES: i64 = 18;
const CALM_GRACES: i64 = 6;

/// How a queue stands that may be stalled.
struct Standing<'v> {
    overdue: Vec<&'v WaitingJob>,
    /// Whether jobs are overdue, nothing has started for the grace, and nobody works.
    is_stalled: bool,
    /// Whether that is sure enough to open an incident.
    is_certain: bool,
    /// Whether nothing has started for the grace.
    is_still: bool,
}

/// Judges a queue at one moment. `ahead_until` is when a queue that its workers take first will be worked off, if there is
/// one.
#[must_use]
pub fn judge<'v>(
    place: &Place<'v>,
    visibility: &Visibility<'_>,
    past: Option<&Incident>,
    ahead_until: Option<Timestamp>,
) -> Verdict<'v> {
    let open = opened(past);
    let mut verdict = Verdict::default();
    let before = past.map(|past| past.detail.stall()).unwrap_or_default();
    let rounds = rhythm::rounds(place, &before.rounds);
    let standing = stand(place, visibility, open.is_some(), &rounds, &mut verdict);
    let is_behind = is_behind(place, &standing, ahead_until, &mut verdict);
    let closed_at = closed_by_hand_at(past);
    let is_news = |job: &&WaitingJob| closed_at.is_none_or(|at| job.ready_at > at);
    match open {
        Some(incident) => keep(place, visibility, incident, standing, rounds, verdict),
        None if standing.is_stalled
            && standing.is_certain
            && !is_behind
            && standing.overdue.iter().any(is_news) =>
        {
            let key = Key::at(Kind::Stalled, place.at);
            let newest_start_at_opening = place.view.newest_start;
            let ends = lately(place, &before.ends);
            let again_within_ms =
                if ends.is_empty() { place.grace_ms() } else { place.grace_ms().max(calm_ms(place)) };
            let stall = Stall { newest_start_at_opening, rounds, ends, ..Stall::default() };
            let opening = Opening::at(place, past);
            let detail = |_: Option<&Detail>| Detail::Stalled(stall);
            let queues = place.view.queues.iter();
            let mut incident = opening.reopen_within(again_within_ms, key, queues, detail);
            let overdue = standing.overdue;
            follow(&mut incident, place, &overdue);
            incident.evidence = queue_facts(place.ledger, place.view, &overdue, place.now);
            verdict.to_verify.extend(overdue.iter().take(VERIFIED_MAX).map(|job| job.ix));
            Verdict { change: Change::Open(incident), about: overdue, ..verdict }
        }
        None => verdict,
    }
}

/// Whether the jobs wait behind another queue that is being worked off, and not for too long.
fn is_behind(
    place: &Place<'_>,
    standing: &Standing<'_>,
    ahead_until: Option<Timestamp>,
    verdict: &mut Verdict<'_>,
) -> bool {
    let Some((until, oldest)) = ahead_until.zip(standing.overdue.first()) else { return false };
    let too_long_at = oldest.overdue_at.plus_ms(ahead::BEHIND_MAX_MS);
    verdict.wake.at(until.min(too_long_at).min(place.now.plus_ms(MINUTE_MS)), place.now);
    too_long_at > place.now
}

fn stand<'v>(
    place: &Place<'v>,
    visibility: &Visibility<'_>,
    is_open: bool,
    rounds: &[Round],
    verdict: &mut Verdict<'v>,
) -> Standing<'v> {
    let (now, view, deliveries) = (place.now, place.view, &place.ledger.deliveries);
    // Hidden jobs open no incident. An open one counts them, until a newer start shows that it is over.
    let is_asked = |job: &&WaitingJob| is_open || visibility.of(job.ix) != Presence::Hidden;
    let overdue: Vec<&WaitingJob> = place.overdue().filter(is_asked).collect();
    // If deliveries are late, lines of workers may be on their way as well.
    let lag_ms = deliveries.unusual_lag_ms(now);
    let moved_until = view.newest_start.map(|start| start.plus_ms(place.grace_ms()).plus_ms(lag_ms));
    if !overdue.is_empty() {
        for until in [moved_until, view.working_until].into_iter().flatten() {
            verdict.wake.at(until, now);
        }
    }
    let is_still = moved_until.is_none_or(|until| until <= now);
    // Where starts do not tell the queue, those that go on may all be another one's.
    let is_nobody_there = is_still && view.working_until.is_none() || prompt::is_one_left_out(place);
    let is_stalled = !overdue.is_empty() && is_nobody_there;
    let is_known = !deliveries.is_behind && overdue.iter().any(|job| job.overdue_at.plus_ms(lag_ms) <= now);
    let is_delayed = is_known && overdue.iter().all(|job| visibility.of(job.ix) == Presence::Delayed);
    if is_delayed || lag_ms > 0 {
        // That all of them are delayed gets less probable with each minute and each job.
        verdict.wake.at(now.plus_ms(MINUTE_MS), now);
    }
    // Where workers come at set times, nothing is wrong until they should have come.
    let rhythm = if is_stalled && !is_open { rhythm::kept(place, rounds) } else { None };
    let oldest = overdue.first().map(|job| job.ready_at);
    let missed_at = rhythm.zip(oldest).map(|(rhythm, ready_at)| rhythm.missed_at(ready_at, place.grace_ms()));
    if let Some(until) = missed_at {
        verdict.wake.at(until, now);
    }
    let is_missed = missed_at.is_none_or(|until| until <= now);
    Standing { overdue, is_stalled, is_certain: is_known && !is_delayed && is_missed, is_still }
}

fn keep<'v>(
    place: &Place<'v>,
    visibility: &Visibility<'_>,
    mut incident: Incident,
    standing: Standing<'v>,
    rounds: Vec<Round>,
    mut verdict: Verdict<'v>,
) -> Verdict<'v> {
    let (now, view) = (place.now, place.view);
    let overdue = standing.overdue;
    if overdue.len() as u64 > incident.jobs_count {
        verdict.to_verify.extend(overdue.iter().take(VERIFIED_MAX).map(|job| job.ix));
    }
    follow(&mut incident, place, &overdue);
    let mut stall = incident.detail.stall();
    stall.rounds = rounds;
    if standing.is_stalled && stall.calm_since.take().is_some() {
        // It has come again.
        stall.newest_start_at_opening = view.newest_start;
    }
    let has_started = view.newest_start > stall.newest_start_at_opening;
    // Nothing starts again, but all jobs that seem to wait are hidden: the queue is empty, not stalled.
    let is_hidden = |job: &&WaitingJob| visibility.of(job.ix) == Presence::Hidden;
    let is_over_unseen = standing.is_stalled && has_started && overdue.iter().all(is_hidden);
    let is_stalled = standing.is_stalled && !is_over_unseen;
    if is_stalled {
        (stall.starts_since, stall.is_silence_judged) = (None, false);
    } else if has_started && stall.starts_since.is_none() {
        stall.starts_since = view.newest_start;
        let before = stall.newest_start_at_opening;
        stall.rounds.extend(rhythm::round_after(place, before, incident.oldest_ready_at));
    }
    let going_on = stall.starts_since.map(|since| since.plus_ms(place.grace_ms()));
    if let Some(until) = going_on {
        verdict.wake.at(until, now);
    }
    let goes_on = going_on.is_some_and(|until| until <= now) && !standing.is_still;
    // An empty overdue list does not resolve the incident: an enqueue line that comes again resets a job's ready time. A
    // newer start does, and so does a queue where nobody waits any more.
    let is_drained = overdue.is_empty() && (has_started || view.waiting.is_empty());
    // Where starts do not tell the queue, those that go on may be of another one: it is over when nobody is overdue.
    let is_over = is_drained || is_over_unseen || (has_started && goes_on && !view.is_spread);
    let is_held = is_over && is_held(place, &mut stall, &mut verdict);
    incident.detail = Detail::Stalled(stall);
    let change = if is_over && !is_held {
        complete_waits(&mut incident, place);
        Change::Resolve(incident)
    } else {
        Change::Keep { incident, is_asked: is_stalled, is_updated: false }
    };
    Verdict { change, about: overdue, ..verdict }
}

/// Notes that a stall is over, and tells whether that is not said yet: it has come and gone so often that it will again.
fn is_held(place: &Place<'_>, stall: &mut Stall, verdict: &mut Verdict<'_>) -> bool {
    let now = place.now;
    if stall.calm_since.is_none() {
        stall.ends = lately(place, &stall.ends);
        stall.ends.push(now);
        stall.calm_since = Some(now);
    }
    stall.rhythm_ms = rhythm::kept(place, &stall.rounds).map(|rhythm| rhythm.period_ms);
    let told_at = stall.calm_since.map(|since| since.plus_ms(calm_ms(place))).filter(|at| *at > now);
    let Some(told_at) = told_at.filter(|_| stall.ends.len() >= FLAPS_LEAST && stall.rhythm_ms.is_none())
    else {
        stall.calm_since = None;
        return false;
    };
    verdict.wake.at(told_at, now);
    true
}

/// How long a stall that comes and goes must stay away to be over.
fn calm_ms(place: &Place<'_>) -> i64 {
    CALM_MS.min(place.grace_ms().saturating_mul(CALM_GRACES))
}

/// Those that are not long ago.
fn lately(place: &Place<'_>, ends: &[Timestamp]) -> Vec<Timestamp> {
    let within_ms = FLAPS_WITHIN_MS.min(place.grace_ms().saturating_mul(FLAPS_WITHIN_GRACES));
    ends.iter().copied().filter(|at| place.now.since_ms(*at) <= within_ms).collect()
}

/// Judges, once after each stall, what is left of counted classes from before the first start that followed. `stall` is
/// the newest stall of the queue as it stands now.
#[must_use]
pub fn judge_silence<'v>(place: &Place<'v>, stall: Option<&Incident>) -> Verdict<'v> {
    let mut verdict = Verdict::default();
    let now = place.now;
    let is_undecided = |incident: &&Incident| !place.view.is_spread && silences::is_undecided(incident, now);
    let Some(incident) = stall.filter(is_undecided) else {
        return verdict;
    };
    let stall = incident.detail.stall();
    let (Some(since), Some(judged_at)) = (stall.starts_since, silences::judged_at(&stall)) else {
        return verdict;
    };
    verdict.wake.at(judged_at, now);
    if judged_at > now {
        return verdict;
    }
    let left = silences::left_from_before(place, since);
    if left.is_empty() {
        // Either nothing is left, or it is being worked off. Later sweeps have seen more starts, and judge again.
        verdict.wake.at(now.plus_ms(1), now);
        return verdict;
    }
    let mut incident = incident.clone();
    incident.detail = Detail::Stalled(Stall { is_silence_judged: true, ..stall });
    incident.given_up = incident.given_up.saturating_add(left.len() as u64);
    Verdict { change: Change::Amend(incident), unknown: left, ..verdict }
}
