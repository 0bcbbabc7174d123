//! Backlog: jobs wait too long, though others of their queue start.

use super::jobs::{complete_waits, follow};
use super::{Opening, Verdict, closed_by_hand_at, opened};
use crate::domain::diagnosis::queue_facts;
use crate::domain::incidents::cases::{Change, VERIFIED_MAX};
use crate::domain::incidents::{Delay, Detail, Incident, Key, Kind};
use crate::domain::job::MINUTE_MS;
use crate::domain::queues::place::Place;
use crate::domain::queues::throughput;
use crate::domain::queues::view::WaitingJob;
use crate::domain::visibility::{Presence, Visibility, silences};

/// Judges a queue at one moment. `stall` is the newest stall of the queue, as earlier sweeps left it: while it is open,
/// and while the first starts after it are watched, it is about the same jobs, and no backlog opens.
#[must_use]
pub fn judge<'v>(
    place: &Place<'v>,
    visibility: &Visibility<'_>,
    past: Option<&Incident>,
    stall: Option<&Incident>,
) -> Verdict<'v> {
    let now = place.now;
    let open = opened(past);
    // What is hidden opens no incident; one that is open goes on until nobody is overdue.
    let is_asked = |job: &&WaitingJob| open.is_some() || visibility.of(job.ix) != Presence::Hidden;
    let overdue: Vec<&WaitingJob> = place.overdue().filter(is_asked).collect();
    if overdue.is_empty() && open.is_none() {
        return Verdict::default();
    }
    let ready_count = place.view.waiting.iter().filter(|job| job.ready_at <= now).count();
    let done_in_ms = throughput::drained_in_ms(place.ledger, place.resolver, place.at, ready_count, now);
    if let Some(incident) = open {
        return keep(place, incident, overdue, done_in_ms);
    }
    let mut verdict = Verdict::default();
    let closed_at = closed_by_hand_at(past);
    if overdue.iter().all(|job| closed_at.is_some_and(|at| job.ready_at <= at)) {
        return verdict;
    }
    let is_told_by_stall = stall.is_some_and(|stall| stall.is_open() || silences::is_open(stall, now));
    if !is_moving(place) || done_in_ms.is_some() || is_told_by_stall {
        return verdict;
    }
    if overdue.iter().all(|job| visibility.of(job.ix) == Presence::Delayed) {
        // That all of them are delayed gets less probable with each minute and each job.
        verdict.wake.at(now.plus_ms(MINUTE_MS), now);
        return verdict;
    }
    let key = Key::at(Kind::Backlog, place.at);
    let delay = |before: Option<&Detail>| {
        let before = before.map(Detail::delay).unwrap_or_default();
        Detail::Backlog(Delay { calm_since: None, ..before })
    };
    let mut incident = Opening::at(place, past).reopen(key, place.view.queues.iter(), delay);
    follow(&mut incident, place, &overdue);
    incident.evidence = queue_facts(place.ledger, place.view, &overdue, now);
    verdict.to_verify.extend(overdue.iter().take(VERIFIED_MAX).map(|job| job.ix));
    Verdict { change: Change::Open(incident), about: overdue, ..verdict }
}

fn keep<'v>(
    place: &Place<'v>,
    mut incident: Incident,
    overdue: Vec<&'v WaitingJob>,
    done_in_ms: Option<i64>,
) -> Verdict<'v> {
    let now = place.now;
    let mut verdict = Verdict::default();
    if overdue.len() as u64 > incident.jobs_count {
        verdict.to_verify.extend(overdue.iter().take(VERIFIED_MAX).map(|job| job.ix));
    }
    follow(&mut incident, place, &overdue);
    let before = incident.detail.delay().calm_since;
    // A queue whose oldest job is just not overdue is as slow as before. It is calm when no job has waited for half of
    // its grace.
    let half_ms = |job: &WaitingJob| job.overdue_at.since_ms(job.ready_at).wrapping_div(2);
    let is_calm = place.view.waiting.iter().all(|job| job.ready_at.plus_ms(half_ms(job)) > now);
    let is_slow = !overdue.is_empty() || !is_calm;
    let is_over = !is_slow && before.is_some_and(|since| since < now);
    let calm_since = match (is_slow, is_over) {
        (true, _) => None,
        (false, true) => before,
        // One sweep without an overdue job may be chance.
        (false, false) => Some(now),
    };
    incident.detail = Detail::Backlog(Delay { calm_since, done_in_ms });
    let change = if is_over {
        complete_waits(&mut incident, place);
        Change::Resolve(incident)
    } else {
        if !is_slow {
            verdict.wake.at(now.plus_ms(1), now);
        }
        Change::Keep { incident, is_asked: is_slow, is_updated: false }
    };
    Verdict { change, about: overdue, ..verdict }
}

/// Whether anything has started on the queue within its grace, or runs there.
fn is_moving(place: &Place<'_>) -> bool {
    let since = place.view.newest_start.map(|start| start.plus_ms(place.grace_ms()));
    since.is_some_and(|until| until > place.now) || place.view.working_until.is_some()
}
