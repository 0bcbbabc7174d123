//! Blind: we cannot see. No enqueue lines, a silent source, payloads that do not open, deliveries that are late,
//! lines that are not recognised.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Opening, Verdict, opened};
use crate::domain::incidents::cases::Change;
use crate::domain::incidents::{
    Blindness, Detail, Fact, Finding, Incident, Key, Kind, Register, Severity, Silent,
};
use crate::domain::job::{MINUTE_MS, Timestamp};
use crate::domain::ledger::Ledger;
use crate::domain::ledger::job_facts::StreamKey;
use crate::domain::ledger::recognition::Run;
use crate::domain::ledger::stream::StreamFacts;
use crate::domain::model::wake::Wake;
use crate::domain::queues::place::World;
use crate::domain::systems::Near;

/// How long worker lines may come before an app without a single enqueue line is told so.
const NO_ENQUEUE_AFTER_MS: i64 = 30 * MINUTE_MS;

/// Judges what keeps us from seeing. `register` is as earlier sweeps left it.
///
/// Freshness is judged at the last delivery of a replay: the end of its input is no silence.
#[must_use]
pub fn judge<'v>(world: &World<'v>, register: &Register) -> Vec<Verdict<'v>> {
    let now = world.now;
    let heard_until = world.last_delivery.unwrap_or(Timestamp::MAX);
    let mut wake = Wake::default();
    let mut waiting = world.queues.values().flat_map(|view| &view.waiting);
    // Whether workers have something to say, and no page tells yet that they do not.
    let is_open = |kind: Kind, reason: Option<Blindness>| {
        register.open().any(|incident| incident.key.kind == kind && incident.key.reason == reason)
    };
    let is_told = is_open(Kind::Stalled, None) && !is_open(Kind::Blind, Some(Blindness::SourceSilent));
    let are_workers_missed = waiting.any(|job| job.due_at <= now) && !is_told;
    let found = [
        no_enqueue_lines(world.ledger, now, &mut wake),
        silent_sources(world.ledger, now.min(heard_until), are_workers_missed, &mut wake),
        rejecting(world.ledger),
        late(world.ledger),
        unrecognised(world.ledger),
    ];
    let found: Vec<Blind> = found.into_iter().flatten().collect();
    let is_over = |incident: &&Incident| {
        incident.key.kind == Kind::Blind
            && found.iter().all(|blind| Some(blind.reason) != incident.key.reason)
    };
    let over = register.open().filter(is_over).cloned().map(Change::Resolve);
    // An incident closed by hand stays closed until its condition is over; the next time it opens again.
    let closed = register.newest.values().filter(|it| it.closed_because.is_some()).filter(is_over);
    let closed = closed.map(|it| Change::Note(Incident { closed_because: None, ..it.clone() }));
    let mut changes: Vec<Change> = over.chain(closed).collect();
    for blind in found {
        let key = Key::blind(blind.reason);
        changes.push(judge_one(world, register.newest.get(&key), key, blind));
    }
    let verdicts = changes.into_iter().map(|change| Verdict { change, ..Verdict::default() });
    verdicts.chain([Verdict { wake, ..Verdict::default() }]).collect()
}

fn judge_one(world: &World<'_>, past: Option<&Incident>, key: Key, blind: Blind) -> Change {
    if let Some(mut incident) = opened(past) {
        let is_louder = blind.severity > incident.severity;
        let mut silent = incident.detail.silent();
        silent.sources.extend(blind.sources);
        incident.detail = Detail::Blind(silent);
        if is_louder {
            // One silent source was a warning; all of them are a page.
            incident.severity = blind.severity;
            incident.evidence = blind.evidence;
            incident.diagnosis = None;
        }
        return Change::Keep { incident, is_asked: is_louder, is_updated: is_louder };
    }
    if past.is_some_and(|past| past.closed_because.is_some()) {
        // Closed by hand, and its condition has lasted ever since.
        return Change::Nothing;
    }
    let mut incident = Opening::of(world, past).open(key, [].into_iter());
    incident.severity = blind.severity;
    incident.detail = Detail::Blind(Silent { sources: blind.sources });
    incident.since = blind.since;
    incident.evidence = blind.evidence;
    Change::Open(incident)
}

/// Something that keeps us from seeing.
struct Blind {
    /// What.
    reason: Blindness,
    /// How loud.
    severity: Severity,
    /// The silent sources, for [`Blindness::SourceSilent`].
    sources: BTreeSet<String>,
    /// Facts to show.
    evidence: Vec<Fact>,
    /// Since when.
    since: Option<Timestamp>,
}

impl Blind {
    fn warn(reason: Blindness, evidence: Fact, since: Option<Timestamp>) -> Self {
        let sources = BTreeSet::new();
        Self { reason, severity: Severity::Warn, sources, evidence: vec![evidence], since }
    }
}

fn no_enqueue_lines(ledger: &Ledger, now: Timestamp, wake: &mut Wake) -> Option<Blind> {
    let since = ledger.traits.first_worker_line_at?;
    if ledger.traits.first_enqueue_at.is_some() {
        return None;
    }
    let due = since.plus_ms(NO_ENQUEUE_AFTER_MS);
    wake.at(due, now);
    (due <= now).then(|| {
        let worker_lines = ledger
            .tally
            .counts
            .processing
            .saturating_add(ledger.tally.counts.processed)
            .saturating_add(ledger.tally.counts.failed)
            .saturating_add(ledger.tally.counts.released);
        let evidence = Fact::at(Finding::OnlyWorkerLines(worker_lines), since);
        let mut blind = Blind::warn(Blindness::NoEnqueueLines, evidence, Some(since));
        let hidden = ledger.sources.recognition.hidden_by_server();
        blind.evidence.extend(hidden.map(|run| nearly(Near::ServersUnknownError, run)));
        blind
    })
}

/// Whether only job lines come from a log group: then it is silent whenever there is nothing to do.
fn has_jobs_alone(ledger: &Ledger, group: &Arc<str>) -> bool {
    let streams = ledger.streams.all();
    let mut of_group = streams.iter().filter(|stream| stream.log_group == *group).peekable();
    let beats = |stream: &StreamFacts| {
        let key = StreamKey::of(&stream.log_group, &stream.log_stream);
        ledger.signals.workers.values().any(|worker| worker.stream == key)
    };
    let is_quiet_when_idle = |stream: &StreamFacts| {
        let speaks_else = stream.newest_enqueue_line.is_some() || beats(stream);
        stream.newest_worker_line.is_some() && !speaks_else
    };
    of_group.peek().is_some() && of_group.all(|stream| is_quiet_when_idle(stream))
}

fn silent_sources(
    ledger: &Ledger,
    fresh_now: Timestamp,
    are_workers_missed: bool,
    wake: &mut Wake,
) -> Option<Blind> {
    let mut silent = Vec::new();
    let mut sources_count: usize = 0;
    for (group, facts) in ledger.sources.iter() {
        sources_count = sources_count.saturating_add(1);
        let (Some(newest), Some(silence_max_ms)) = (facts.newest_line, facts.silence_max_ms()) else {
            continue;
        };
        // What nobody listened for was not silent.
        let silent_since = newest.max(ledger.sources.attended_since.unwrap_or(newest));
        let silence_ms = fresh_now.since_ms(silent_since);
        wake.at(silent_since.plus_ms(silence_max_ms).plus_ms(1), fresh_now);
        if silence_ms > silence_max_ms {
            silent.push((group, newest, silence_ms > facts.longest_gap_ms));
        }
    }
    // An idle worker prints nothing, and where nobody waits for it nothing is missed. Of one that is gone, the page about
    // its queue tells.
    if silent.iter().all(|(group, ..)| !are_workers_missed && has_jobs_alone(ledger, group)) {
        return None;
    }
    // An app that sleeps at night has shown it: a silence no longer than one seen before wakes nobody.
    let is_unheard_of = silent.iter().all(|(_, _, is_longest)| *is_longest);
    let severity =
        if silent.len() == sources_count && is_unheard_of { Severity::Page } else { Severity::Warn };
    let name = |group: &str| if group.is_empty() { "(no log group)".to_owned() } else { group.to_owned() };
    Some(Blind {
        reason: Blindness::SourceSilent,
        severity,
        sources: silent.iter().map(|(group, _, _)| name(group)).collect(),
        evidence: silent
            .iter()
            .map(|(group, newest, _)| Fact::at(Finding::SourceSilent { group: Arc::clone(group) }, *newest))
            .collect(),
        since: silent.iter().map(|(_, newest, _)| *newest).min(),
    })
}

fn rejecting(ledger: &Ledger) -> Option<Blind> {
    ledger.deliveries.is_rejecting.then(|| {
        let rejected = ledger.tally.payloads_rejected;
        let evidence = Fact::when(Finding::PayloadsRejected(rejected), ledger.deliveries.rejected_at);
        Blind::warn(Blindness::Rejected, evidence, None)
    })
}

fn late(ledger: &Ledger) -> Option<Blind> {
    if ledger.deliveries.is_behind {
        return Some(Blind::warn(Blindness::Late, Fact::timeless(Finding::DeliveriesBehind), None));
    }
    let lag_ms = ledger.deliveries.lag_ms()?;
    let minutes = u64::try_from(lag_ms.wrapping_div(MINUTE_MS)).unwrap_or(0);
    Some(Blind::warn(Blindness::Late, Fact::timeless(Finding::DeliveryLate { minutes }), None))
}

/// Lines come, and what they say is not understood.
fn unrecognised(ledger: &Ledger) -> Option<Blind> {
    let found = ledger.sources.recognition.judge(ledger.traits.first_enqueue_at.is_some())?;
    let mut evidence: Vec<Fact> = found.near.into_iter().map(|(near, run)| nearly(near, run)).collect();
    let shape = |(shape, count)| Fact::timeless(Finding::UnreadShape { shape, count });
    evidence.extend(found.shapes.into_iter().map(shape));
    evidence.push(Fact::when(Finding::LastRecognised, found.recognised_at));
    Some(Blind {
        reason: Blindness::Unrecognised,
        severity: if found.is_all { Severity::Page } else { Severity::Warn },
        sources: BTreeSet::new(),
        evidence,
        since: found.since,
    })
}

const fn nearly(near: Near, run: Run) -> Fact {
    Fact::at(Finding::NearlyRead { near, count: run.count }, run.until)
}
