//! Stuck: attempts neither end nor start again, or jobs lose one worker after the other.

use super::jobs::{attempts_matched_by, listed};
use super::{Opening, Verdict, closed_by_hand_at, opened};
use crate::domain::incidents::cases::{Change, VERIFIED_MAX};
use crate::domain::incidents::{Detail, Incident, JOBS_LISTED_MAX, Key, Kind, ListedJob};
use crate::domain::queues::place::Place;
use crate::domain::queues::view::StuckAttempt;
use crate::domain::visibility::{Presence, Visibility, looked_for_until};

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
            follow(&mut incident, place, &stuck);
            if stuck.is_empty() {
                let since = incident.since.unwrap_or(incident.opened_at);
                incident.longest_wait_ms = now.since_ms(since);
                Change::Resolve(incident)
            } else {
                Change::Keep { incident, is_asked: true, is_updated: false }
            }
        }
        None if !stuck.is_empty() => {
            let key = Key::at(Kind::StuckRunning, place.at);
            let opening = Opening::at(place, past);
            let mut incident = opening.reopen(key, place.view.queues.iter(), |_| Detail::StuckRunning);
            follow(&mut incident, place, &stuck);
            verdict.to_verify.extend(stuck.iter().filter_map(|attempt| attempt.ix).take(VERIFIED_MAX));
            Change::Open(incident)
        }
        None => Change::Nothing,
    };
    Verdict { change, ..verdict }
}

/// Brings an incident's attempts up to date.
fn follow(incident: &mut Incident, place: &Place<'_>, stuck: &[&StuckAttempt]) {
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
