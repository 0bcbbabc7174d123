//! Stuck: attempts neither end nor start again, or jobs lose one worker after the other.

use std::collections::BTreeSet;

use super::jobs::{attempts_matched_by, listed};
use super::{Opening, Verdict, closed_by_hand_at, opened};
use crate::domain::incidents::cases::{Change, VERIFIED_MAX};
use crate::domain::incidents::{Detail, Incident, JOBS_LISTED_MAX, Key, Kind, ListedJob, Stuck};
use crate::domain::job::{JobClass, MINUTE_MS, Timestamp};
use crate::domain::ledger::Ledger;
use crate::domain::ledger::class::ClassFacts;
use crate::domain::queues::place::Place;
use crate::domain::queues::view::StuckAttempt;
use crate::domain::visibility::{Presence, Visibility, looked_for_until};

/// How long no attempt may have been open before it is over, where more than one ended in nothing: jobs that run into
/// their timeout are given up one by one, and the next one comes with the next job. As with a stall that comes and goes.
const CALM_MS: i64 = 30 * MINUTE_MS;

/// Judges the attempts of a queue that should be over.
#[must_use]
pub fn judge<'v>(place: &Place<'v>, visibility: &Visibility<'_>, past: Option<&Incident>) -> Verdict<'v> {
    let now = place.now;
    let open = opened(past);
    let mut verdict = Verdict::default();
    let mut stuck: Vec<&StuckAttempt> = Vec::new();
    // An attempt without a name cannot be given up: it stays as it was.
    let closed_at = closed_by_hand_at(past);
    let is_asked = |attempt: &&StuckAttempt| closed_at.is_none_or(|at| attempt.stuck_at > at);
    for attempt in place.view.stuck.iter().filter(is_asked) {
        let awaited_until = visibility.awaited_until(attempt).filter(|_| open.is_none());
        if visibility.of_attempt(attempt) == Presence::Unknown {
            verdict.unknown.extend(attempt.ix);
            continue;
        }
        if let Some(until) = awaited_until {
            verdict.is_awaiting = true;
            verdict.wake.at(until, now);
            continue;
        }
        verdict.wake.at(looked_for_until(attempt), now);
        if looked_for_until(attempt) > now {
            stuck.push(attempt);
        }
    }
    stuck.sort_by_key(|attempt| (attempt.started_at, attempt.ix));
    let unknown_count = verdict.unknown.len() as u64;
    let change = match open {
        Some(mut incident) => {
            incident.given_up = incident.given_up.saturating_add(unknown_count);
            follow(&mut incident, place, &stuck, visibility);
            let stuck_detail = incident.detail.stuck();
            if let Some(since) = stuck_detail.none_open_since {
                verdict.wake.at(since.plus_ms(CALM_MS), now);
            }
            let since = incident.since.unwrap_or(incident.opened_at);
            if is_over(&stuck_detail, place.ledger, since, now) {
                incident.longest_wait_ms = now.since_ms(since);
                Change::Resolve(incident)
            } else {
                Change::Keep { incident, is_asked: !stuck.is_empty(), is_updated: false }
            }
        }
        None if !stuck.is_empty() => {
            let key = Key::at(Kind::StuckRunning, place.at);
            let opening = Opening::at(place, past);
            let mut incident = opening.reopen(key, place.view.queues.iter(), |before| {
                Detail::StuckRunning(before.map(Detail::stuck).unwrap_or_default())
            });
            follow(&mut incident, place, &stuck, visibility);
            verdict.to_verify.extend(stuck.iter().filter_map(|attempt| attempt.ix).take(VERIFIED_MAX));
            Change::Open(incident)
        }
        None => Change::Nothing,
    };
    Verdict { change, ..verdict }
}

/// Whether no attempt is open, and none is to be expected: each class has succeeded since.
fn is_over(stuck: &Stuck, ledger: &Ledger, since: Timestamp, now: Timestamp) -> bool {
    let Some(calm_since) = stuck.none_open_since else { return false };
    if !stuck.is_repeated {
        return true;
    }
    let each = |is: &dyn Fn(&ClassFacts, Timestamp) -> bool| {
        // A class that the ledger has forgotten had no lines for a day.
        stuck.newest_lost.iter().all(|(class, at)| ledger.class(Some(class)).is_none_or(|it| is(it, *at)))
    };
    // The very jobs that were lost are done; or they were all there was of their class.
    let is_alone = |facts: &ClassFacts| {
        let later = facts.all_throughput_since(since.plus_ms(MINUTE_MS));
        later.enqueued == 0 && later.good == 0
    };
    if each(&|facts, _| is_alone(facts) || facts.outcomes.have_lost_succeeded(since)) {
        return true;
    }
    each(&|facts, at| facts.outcomes.newest_success() > Some(at)) && calm_since.plus_ms(CALM_MS) <= now
}

/// Notes which attempts ended in nothing.
fn note(mut known: Stuck, place: &Place<'_>, stuck: &[&StuckAttempt], visibility: &Visibility<'_>) -> Stuck {
    for attempt in stuck {
        let Some(class) = &attempt.class else { continue };
        let lost = place.ledger.class(Some(class)).into_iter().flat_map(|facts| facts.outcomes.lost());
        let of_class = lost.flat_map(|(_, starts)| starts.iter().copied());
        let known_at = known.newest_lost.get(class).copied();
        let since = known_at.unwrap_or(attempt.started_at).min(attempt.started_at);
        let mut starts: BTreeSet<Timestamp> = of_class.filter(|at| *at >= since).collect();
        starts.extend(known_at);
        starts.insert(attempt.started_at);
        known.is_repeated |= starts.len() > 1;
        if let Some(newest) = starts.last() {
            known.newest_lost.insert(class.clone(), *newest);
        }
    }
    known.is_repeated |= stuck.len() > 1;
    // Where lines go missing, an end may be among them.
    if visibility.missing().is_none() {
        for (class, known_at) in &mut known.newest_lost {
            let newest = newest_unended(place, class, *known_at);
            if let Some(newest) = newest.filter(|newest| *newest > *known_at) {
                *known_at = newest;
                (known.is_repeated, known.none_open_since) = (true, None);
            }
        }
    }
    known.none_open_since = stuck.is_empty().then(|| known.none_open_since.unwrap_or(place.now));
    known
}

/// The newest attempt of a class without a name that began after `since`, should be over, and was never seen to end:
/// that others of its class succeed since does not make it good.
fn newest_unended(place: &Place<'_>, class: &JobClass, since: Timestamp) -> Option<Timestamp> {
    let (_, series) = place.ledger.series().find(|(of, _)| *of == class)?;
    let learned = || place.ledger.class(Some(class)).map_or(0, |facts| facts.learned_timeout_ms());
    let timeout_ms = place.policy.job_timeout_ms(Some(class)).unwrap_or_else(learned);
    let unended = series.open_starts(since.plus_ms(1)).map(|(at, ..)| at);
    unended.filter(|at| at.plus_ms(timeout_ms) <= place.now).max()
}

/// Brings an incident's attempts up to date.
fn follow(incident: &mut Incident, place: &Place<'_>, stuck: &[&StuckAttempt], visibility: &Visibility<'_>) {
    incident.detail = Detail::StuckRunning(note(incident.detail.stuck(), place, stuck, visibility));
    incident.jobs_now = stuck.len() as u64;
    let Some(oldest) = stuck.first() else { return };
    let since = incident.since.unwrap_or(oldest.started_at);
    incident.since = Some(since.min(oldest.started_at));
    let running_ms = place.now.since_ms(oldest.started_at);
    incident.longest_wait_ms = incident.longest_wait_ms.max(running_ms);
    if incident.jobs_now <= incident.jobs_count {
        return;
    }
    incident.jobs_count = incident.jobs_now;
    let listed = stuck.iter().take(JOBS_LISTED_MAX).map(|attempt| match attempt.ix {
        Some(ix) => listed(place.ledger, ix),
        None => ListedJob { id: None, uuid: None, class: attempt.class.clone(), enqueued_at: None },
    });
    incident.jobs = listed.collect();
    let is_counted = stuck.iter().any(|attempt| attempt.ix.is_none());
    incident.matched_by = Some(attempts_matched_by(&place.ledger.traits, is_counted));
}
