//! What lines show and what they do not, each said once: what the first sentences or the cause have told is left out.

use std::collections::BTreeMap;

use super::{Situation, step_of};
use crate::domain::diagnosis::Diagnosis;
use crate::domain::incidents::cause::Cause;
use crate::domain::incidents::fact::Unknown;
use crate::domain::incidents::{Fact, Finding, Incident, Kind, MatchedBy};
use crate::domain::job::{JobClass, Timestamp};
use crate::message::sections::Todo;
use crate::message::words::{self, Aside, Voice};

/// Facts of a message, where no line of a log is quoted: what is read before anything is done.
const FACTS_MAX: usize = 7;
/// Incidents named that are told with this one: they may be hundreds, and SNS takes 256 KB.
const GROUPED_MAX: usize = 20;
/// Classes named.
const CLASSES_MAX: usize = 3;
/// Questions told that the logs leave open.
const UNKNOWN_MAX: usize = 3;

/// What lines show.
pub(super) fn known(
    incident: &Incident,
    situation: &Situation<'_>,
    voice: &Voice,
    now: Timestamp,
) -> Vec<String> {
    let diagnosis = incident.diagnosis.as_ref();
    let mut lines: Vec<String> = Vec::new();
    for fact in super::situation::facts(incident) {
        lines.extend(line(fact, incident, situation, voice));
    }
    lines.extend(jobs(incident, voice));
    let own = incident.grouped.iter().take(GROUPED_MAX).map(|id| words::aside(&Aside::Joined(id), voice));
    lines.extend(own);
    let more = incident.grouped.len().saturating_sub(GROUPED_MAX) as u64;
    let more = more.saturating_add(incident.beyond);
    if more > 0 {
        lines.push(words::aside(&Aside::JoinedMore(more), voice));
    }
    let unseen = incident.detail.loss().hidden_count.min(incident.given_up);
    if unseen > 0 {
        lines.push(words::aside(&Aside::Unseen(unseen), voice));
    }
    if incident.is_after_end {
        lines.push(words::aside(&Aside::AfterEnd, voice));
    }
    let changes = diagnosis.map_or(&[][..], |diagnosis| diagnosis.changes.as_slice());
    let is_told = |change: &&Fact| {
        let facts = super::situation::facts(incident);
        facts.iter().any(|fact| fact.at == change.at && is_of_a_start(fact)) || change.at > Some(now)
    };
    let room = FACTS_MAX.saturating_sub(lines.len());
    lines.extend(changes.iter().filter(|it| !is_told(it)).take(room).map(|it| with_time(it, voice)));
    lines
}

/// A fact, unless something has told of it.
fn line(fact: &Fact, incident: &Incident, situation: &Situation<'_>, voice: &Voice) -> Option<String> {
    if is_told(fact, incident, situation) {
        return None;
    }
    if let Finding::StoreErrors { text: Some(text), .. } = &fact.what
        && incident.key.kind == Kind::EnqueueErrors
        && fact.at == situation.newest_error
    {
        return Some(words::aside(&Aside::Quoted(text), voice));
    }
    if let Finding::LogFile { streams, .. } = &fact.what
        && is_hidden(incident.diagnosis.as_ref())
    {
        let at = fact.at.map(|at| voice.second(at));
        return Some(words::aside(
            &Aside::NamesThatFile { streams: streams.len(), at: at.as_deref() },
            voice,
        ));
    }
    if matches!(fact.what, Finding::LastEnqueue)
        && let Some(start) = find(incident, |it| matches!(it, Finding::LastStart))
    {
        let (enqueued, started) = (fact.at.map(|at| voice.minute(at)), start.at.map(|at| voice.minute(at)));
        let is_none_anywhere = find(incident, |it| matches!(it, Finding::NoJobLineEver)).is_some();
        let (enqueued, started) = (enqueued.as_deref(), started.as_deref());
        return Some(words::aside(&Aside::LastOnes { enqueued, started, is_none_anywhere }, voice));
    }
    Some(with_time(fact, voice))
}

/// Whether the first sentences, the cause or another line tell of a fact.
fn is_told(fact: &Fact, incident: &Incident, situation: &Situation<'_>) -> bool {
    let kind = incident.key.kind;
    let is_blind = kind == Kind::Blind;
    // The first sentence has told of the oldest, and the line of the jobs of which class it is.
    let is_oldest = |class: &Option<JobClass>| {
        kind == Kind::StuckRunning
            && fact.at == Some(situation.since)
            && incident.jobs.iter().any(|job| job.class == *class)
    };
    let is_worst = |class: &JobClass| {
        let worst = situation.worst.as_ref().filter(|_| kind == Kind::Failing);
        worst.is_some_and(|worst| super::situation::short(class) == worst.class)
    };
    if let Finding::StillRunning { class } = &fact.what {
        return is_oldest(class);
    }
    if let Finding::BadEnds { class, .. } = &fact.what {
        return is_worst(class);
    }
    let what = &fact.what;
    matches!(what, Finding::Because(_) | Finding::OnlyWorkerLines(_) | Finding::PayloadsRejected(_))
        || matches!(what, Finding::JobsWait { .. }) && situation.waiting.is_some()
        || matches!(what, Finding::LastEnqueueAnywhere) && kind == Kind::EnqueueErrors
        || matches!(what, Finding::DeliveryLate { .. }) && is_blind
        || matches!(what, Finding::SourceSilent { .. }) && is_blind && situation.sources.len() <= 1
        || matches!(what, Finding::LastStart)
            && find(incident, |it| matches!(it, Finding::LastEnqueue)).is_some()
        || matches!(what, Finding::LastJobLine) && is_of_the_last_start(fact, incident)
        || matches!(what, Finding::NoJobLineEver) && is_none_started(super::situation::facts(incident))
}

fn find(incident: &Incident, what: fn(&Finding) -> bool) -> Option<&Fact> {
    super::situation::facts(incident).iter().find(|fact| what(&fact.what))
}

/// Whether a moment is that of the last start, which another line tells.
fn is_of_the_last_start(fact: &Fact, incident: &Incident) -> bool {
    let start = find(incident, |it| matches!(it, Finding::LastStart)).and_then(|start| start.at);
    start.map(Timestamp::minute) == fact.at.map(Timestamp::minute)
}

/// Whether the cause names the file.
fn is_hidden(diagnosis: Option<&Diagnosis>) -> bool {
    diagnosis.is_some_and(|it| it.names(Cause::LogsNotForwarded))
}

/// Whether a line tells of both, that none was started here and that none was anywhere.
fn is_none_started(facts: &[Fact]) -> bool {
    let is_none = |fact: &Fact| matches!(fact.what, Finding::LastStart) && fact.at.is_none();
    facts.iter().any(is_none) && facts.iter().any(|fact| matches!(fact.what, Finding::LastEnqueue))
}

/// A fact; what was read in a line to the second, so that the line can be found.
fn with_time(fact: &Fact, voice: &Voice) -> String {
    let is_of_a_line = matches!(
        fact.what,
        Finding::LogFile { .. }
            | Finding::StoreErrors { .. }
            | Finding::WorkerErrors { .. }
            | Finding::WorkerStopped(_)
            | Finding::Killed(_)
            | Finding::Boots { .. }
            | Finding::Booted { .. }
            | Finding::LastBoot
            | Finding::Paused
            | Finding::Maintenance
            | Finding::StillRunning { .. }
            | Finding::LostJobs(_)
    );
    let at = fact.at.map(|at| if is_of_a_line { voice.second(at) } else { voice.minute(at) });
    words::fact(fact, at.as_deref(), voice)
}

/// Whether it tells that a worker was started.
const fn is_of_a_start(fact: &Fact) -> bool {
    matches!(fact.what, Finding::LastBoot | Finding::Boots { .. } | Finding::LogFile { .. })
}

/// Whom it hits.
fn jobs(incident: &Incident, voice: &Voice) -> Option<String> {
    if incident.key.kind == Kind::Failing {
        let classes: Vec<String> =
            incident.detail.classes().take(CLASSES_MAX).map(|class| class.as_str().to_owned()).collect();
        return (!classes.is_empty()).then(|| words::aside(&Aside::Classes(&classes), voice));
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for class in incident.jobs.iter().filter_map(|job| job.class.as_ref()).map(JobClass::as_str) {
        let count = counts.entry(class).or_default();
        *count = count.saturating_add(1);
    }
    let mut classes: Vec<(String, usize)> =
        counts.into_iter().map(|(class, count)| (class.to_owned(), count)).collect();
    classes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    classes.truncate(CLASSES_MAX);
    let named: usize = classes.iter().map(|(_, count)| *count).fold(0, usize::saturating_add);
    // Counting tells how many jobs wait, not which.
    let oldest = incident.jobs.first().filter(|_| incident.matched_by != Some(MatchedBy::Count));
    let uuid = oldest.and_then(|job| job.uuid.as_ref()).map(ToString::to_string);
    let oldest = uuid.or_else(|| oldest.and_then(|job| job.id.as_ref()).map(ToString::to_string));
    let more = incident.jobs_count.saturating_sub(named as u64);
    let has_any = !classes.is_empty() || oldest.is_some();
    has_any.then(|| {
        words::aside(
            &Aside::Jobs { kind: incident.key.kind, classes: &classes, more, oldest: oldest.as_deref() },
            voice,
        )
    })
}

/// What the logs leave open, but for what stands with the causes.
pub(super) fn unknown(incident: &Incident, steps: &[Todo], voice: &Voice) -> Vec<String> {
    let Some(diagnosis) = &incident.diagnosis else { return Vec::new() };
    // Which of the causes it is has been asked with them.
    let is_asked = !diagnosis.runners_up.is_empty();
    // Two causes that are told side by side ask these as well.
    let is_told = |unknown: &&Unknown| {
        matches!(unknown, Unknown::DeadOrUnheard) && diagnosis.names(Cause::LogsNotForwarded)
            || matches!(unknown, Unknown::WorkerRuns) && diagnosis.names(Cause::WorkerSilent)
    };
    let open = diagnosis
        .cannot_tell
        .iter()
        .skip(usize::from(is_asked))
        .filter(|it| !(is_asked && is_told(it)))
        .take(UNKNOWN_MAX);
    open.map(|unknown| words::unknown(*unknown, step_of(*unknown, steps), voice)).collect()
}
