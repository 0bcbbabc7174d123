//! Lost: jobs were overtaken, that is, later ones started and these did not. Jobs whose starts are likely to be among
//! missing lines, or in a silence, are not lost: they turn unknown, and one message says so.
//!
//! Where lines carry no id, only how many are gone is known, and it is kept with the incident: which jobs stand for them
//! changes with each start.

use super::jobs::{attempts_matched_by, complete_waits, follow, listed};
use super::{Opening, Verdict, opened};
use crate::domain::diagnosis::queue_facts;
use crate::domain::incidents::cases::{Change, VERIFIED_MAX};
use crate::domain::incidents::{Detail, Incident, JOBS_LISTED_MAX, Key, Kind, Loss, MatchedBy};
use crate::domain::job::{DAY_MS, HOUR_MS};
use crate::domain::ledger::counting::JobIx;
use crate::domain::queues::place::Place;
use crate::domain::queues::view::WaitingJob;
use crate::domain::visibility::{Presence, Visibility, coverage, is_looked_for_since, silences};

/// How long no more jobs may have turned unknown before it is over, where no line is seen to be missing any more.
const CALM_MS: i64 = HOUR_MS;
/// The same, where some are: a queue that is hardly ever used has few jobs that could turn unknown.
const CALM_MOST_MS: i64 = DAY_MS;
/// How long none may have been lost before it is over, where neither ids nor delays are logged: each start changes which
/// jobs seem to wait.
const NONE_LOST_MS: i64 = HOUR_MS / 2;

/// What has turned unknown on a queue.
struct Turned<'s> {
    /// Never seen to start.
    starts: &'s [JobIx],
    /// Never seen to end.
    ends: &'s [JobIx],
    /// Found by counting alone.
    counted: u64,
    /// How many are hidden, those included that a message has mentioned.
    hidden_count: u64,
    /// How many in all, now.
    count: u64,
}

impl Turned<'_> {
    /// Those that lines which are missing all along explain.
    fn named(&self) -> impl Iterator<Item = &JobIx> {
        self.starts.iter().chain(self.ends)
    }

    fn by_missing_lines_count(&self) -> u64 {
        self.counted.saturating_add(self.starts.len() as u64).saturating_add(self.ends.len() as u64)
    }
}

/// Judges who was overtaken. `stall` is the newest stall of the queue, as earlier sweeps left it.
#[must_use]
pub fn judge<'v>(
    place: &Place<'v>,
    visibility: &Visibility<'_>,
    past: Option<&Incident>,
    stall: Option<&Incident>,
) -> Verdict<'v> {
    let now = place.now;
    let mut verdict = Verdict::default();
    let overdue: Vec<&WaitingJob> = place.overtaken().filter(|job| job.due_at <= now).collect();
    for job in &overdue {
        let is_news = place.ledger.job(job.ix).is_some_and(|it| it.passed_over_at != job.overtaken_at);
        verdict.overtaken.extend(job.overtaken_at.filter(|_| is_news).map(|at| (job.ix, at)));
    }
    let is_left =
        visibility.by_shift.is_empty() || is_left_to_silence(place, visibility, stall, &mut verdict);
    let gone = gone(place, visibility, past, is_left);
    let gone_count = gone_count(past).max(gone.len() as u64);
    let is_lost = |job: &&WaitingJob| visibility.of(job.ix) == Presence::Waits;
    let mut lost: Vec<&WaitingJob> =
        overdue.into_iter().filter(is_lost).chain(gone.iter().copied()).collect();
    lost.sort_by_key(|job| (job.ready_at, job.ix));
    let turned = turn(place, visibility, past, (gone_count, is_left || gone_count > 0), &mut verdict);
    let open = opened(past);
    if open.is_none() && lost.is_empty() && turned.count == 0 {
        return verdict;
    }
    let is_new = open.is_none();
    let mut incident = open.unwrap_or_else(|| {
        let loss = |before: Option<&Detail>| {
            let before = before.map(Detail::loss).unwrap_or_default();
            Detail::Lost(Loss { turned_unknown_at: None, none_lost_since: None, ..before })
        };
        let key = Key::at(Kind::Lost, place.at);
        Opening::at(place, past).reopen(key, place.view.queues.iter(), loss)
    });
    let mut loss = incident.detail.loss();
    incident.given_up = incident.given_up.saturating_add(turned.count);
    loss.hidden_count = turned.hidden_count;
    let mut is_still_gone = follow_gone(&mut loss, place, visibility, &gone, &mut verdict);
    if is_still_gone && !is_looked_for_since(incident.opened_at, now) {
        // They were told of, and are looked for no longer.
        incident.given_up = incident.given_up.saturating_add(loss.gone_count);
        lost.retain(|job| !visibility.by_shift.contains(&job.ix));
        is_still_gone = false;
    }
    let is_beyond = incident.is_of_missing_lines() && !lost.is_empty();
    if is_beyond {
        // More than missing lines explain: from now on it is about these.
        (incident.jobs_count, loss.turned_unknown_at, incident.diagnosis) = (0, None, None);
    }
    if is_new || is_beyond || lost.len() as u64 > incident.jobs_count {
        verdict.to_verify.extend(lost.iter().take(VERIFIED_MAX).map(|job| job.ix));
    }
    follow(&mut incident, place, &lost);
    follow_unknown(&mut incident, &mut loss, place, visibility, &turned);
    for calm_ms in [CALM_MS, CALM_MOST_MS] {
        loss.turned_unknown_at.iter().for_each(|since| verdict.wake.at(since.plus_ms(calm_ms), now));
    }
    let calm_ms = if visibility.missing().is_some() { CALM_MOST_MS } else { CALM_MS };
    let is_held = !is_new && is_held(&mut loss, &incident, place, lost.is_empty(), &mut verdict);
    let is_missing_lately = loss.turned_unknown_at.is_some_and(|since| since.plus_ms(calm_ms) > now);
    incident.detail = Detail::Lost(loss);
    if is_new && !lost.is_empty() {
        incident.evidence = queue_facts(place.ledger, place.view, &lost, now);
    }
    let change = match (is_new, !lost.is_empty() || is_missing_lately || is_still_gone || is_held) {
        (true, true) => Change::Open(incident),
        (false, true) => {
            let is_asked = !lost.is_empty() || is_missing_lately;
            Change::Keep { incident, is_asked, is_updated: is_beyond }
        }
        // No message said that these jobs were missing. One should say that nobody looks for them any more.
        (true, false) => Change::Resolve(incident),
        (false, false) => {
            complete_waits(&mut incident, place);
            Change::Resolve(incident)
        }
    };
    Verdict { change, about: lost, ..verdict }
}

/// Whether it is too early to say that the jobs were seen after all.
fn is_held(
    loss: &mut Loss,
    incident: &Incident,
    place: &Place<'_>,
    is_none_lost: bool,
    verdict: &mut Verdict<'_>,
) -> bool {
    let is_asked = is_none_lost && incident.matched_by == Some(MatchedBy::Count);
    if !is_asked || place.ledger.traits.is_delay_logged {
        loss.none_lost_since = None;
        return false;
    }
    let until = loss.none_lost_since.get_or_insert(place.now).plus_ms(NONE_LOST_MS);
    verdict.wake.at(until, place.now);
    until > place.now
}

/// Jobs that stand for those which counting shows to be gone, where nothing was silent meanwhile: what a silence or
/// missing lines explain turns unknown. Nobody is told twice of as many.
fn gone<'v>(
    place: &Place<'v>,
    visibility: &Visibility<'_>,
    past: Option<&Incident>,
    is_left: bool,
) -> Vec<&'v WaitingJob> {
    let told = gone_count(past);
    let is_open = past.is_some_and(Incident::is_open);
    let is_explained = is_left || visibility.missing().is_some();
    let is_news = visibility.by_shift.len() as u64 > told;
    if told == 0 && is_explained || !is_open && !is_news {
        return Vec::new();
    }
    place.view.waiting.iter().filter(|job| visibility.by_shift.contains(&job.ix)).collect()
}

/// Brings up to date how many are gone, and tells whether any is. Once nobody has seemed to wait in their place for as
/// long as the queue may take, they were taken after all.
fn follow_gone(
    loss: &mut Loss,
    place: &Place<'_>,
    visibility: &Visibility<'_>,
    gone: &[&WaitingJob],
    verdict: &mut Verdict<'_>,
) -> bool {
    loss.gone_count = loss.gone_count.max(gone.len() as u64);
    if loss.gone_count == 0 || !visibility.by_shift.is_empty() {
        loss.none_gone_since = None;
        return loss.gone_count > 0;
    }
    let since = *loss.none_gone_since.get_or_insert(place.now);
    let until = since.plus_ms(place.grace_ms());
    verdict.wake.at(until, place.now);
    if until <= place.now {
        (loss.gone_count, loss.none_gone_since) = (0, None);
    }
    loss.gone_count > 0
}

/// How many jobs the newest incident has told of as gone.
fn gone_count(past: Option<&Incident>) -> u64 {
    past.map_or(0, |past| past.detail.loss().gone_count)
}

/// What has turned unknown on the queue now, noted with the verdict.
fn turn<'s>(
    place: &Place<'_>,
    visibility: &'s Visibility<'_>,
    past: Option<&Incident>,
    (gone_count, is_told_elsewhere): (u64, bool),
    verdict: &mut Verdict<'_>,
) -> Turned<'s> {
    let (starts, ends) = (visibility.unknown_starts.as_slice(), visibility.unknown_ends.as_slice());
    let named = || starts.iter().chain(ends).copied();
    verdict.to_verify.extend(named().take(VERIFIED_MAX));
    verdict.unknown.extend(visibility.expired.iter().copied().chain(named()));
    verdict.hidden.extend(&visibility.by_silence);
    if !is_told_elsewhere {
        verdict.hidden.extend(&visibility.by_shift);
    }
    // Those that are gone are noted as hidden, too, and are told of as lost.
    let hidden_count = (verdict.hidden.len() as u64).saturating_sub(gone_count);
    // They are hidden, whether this incident mentions them or the stall does.
    verdict.hidden.extend(&visibility.by_shift);
    let is_near = |past: &&Incident| past.resolved_at.is_none_or(|at| is_looked_for_since(at, place.now));
    let told = past.filter(is_near).map_or(0, |past| past.detail.loss().hidden_count);
    let newly_hidden = hidden_count.saturating_sub(told);
    let (expired, unread) = (visibility.expired.len() as u64, named().count() as u64);
    Turned {
        starts,
        ends,
        counted: newly_hidden.min(visibility.by_shift.len() as u64),
        hidden_count: hidden_count.max(told),
        count: expired.saturating_add(newly_hidden).saturating_add(unread),
    }
}

/// Whether the jobs that a shift hides are not mentioned yet: what is left from before a stall is judged as a whole.
fn is_left_to_silence(
    place: &Place<'_>,
    visibility: &Visibility<'_>,
    stall: Option<&Incident>,
    verdict: &mut Verdict<'_>,
) -> bool {
    let is_open = |stall: &&Incident| stall.is_open() || silences::is_open(stall, place.now);
    let Some(stall) = stall.filter(is_open) else { return false };
    if let Some(until) = silences::open_until(&stall.detail.stall()) {
        verdict.wake.at(until, place.now);
    }
    visibility.missing().is_none()
}

/// Notes with the incident which jobs have turned unknown because lines are missing. Where lines go missing all along,
/// the incident stays open meanwhile, and is about these jobs; otherwise it only mentions them once.
fn follow_unknown(
    incident: &mut Incident,
    loss: &mut Loss,
    place: &Place<'_>,
    visibility: &Visibility<'_>,
    turned: &Turned<'_>,
) {
    if turned.by_missing_lines_count() == 0 || visibility.missing().is_none() {
        return;
    }
    let (now, ledger) = (place.now, place.ledger);
    incident.jobs_count = incident.jobs_count.max(incident.given_up);
    let room = JOBS_LISTED_MAX.saturating_sub(incident.jobs.len());
    incident.jobs.extend(turned.named().take(room).map(|ix| listed(ledger, *ix)));
    let oldest = turned.named().filter_map(|ix| ledger.job(*ix)?.known.ready_at(0)).min();
    incident.oldest_ready_at = incident.oldest_ready_at.or(oldest);
    let traits = &ledger.traits;
    let is_counted = !traits.worker_has_uuid && !traits.worker_has_id;
    incident.matched_by = incident.matched_by.or(Some(attempts_matched_by(traits, is_counted)));
    loss.turned_unknown_at = Some(now);
    let from = now.minus_ms(coverage::WINDOW_MS);
    loss.turned_unknown.retain(|(at, ..)| *at > from);
    loss.turned_unknown.push((now, turned.starts.len() as u64, turned.ends.len() as u64));
}
