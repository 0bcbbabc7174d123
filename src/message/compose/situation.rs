//! The numbers and moments that an incident's first sentences tell, gathered from what is known of it.
//!
//! **Invariant:** a number that was found earlier than the message is only here where it cannot have changed since, or
//! where [`Situation::is_asked_now`] says that it was found at the same moment.

use crate::domain::diagnosis::Diagnosis;
use crate::domain::incidents::cause::Cause;
use crate::domain::incidents::fact::Trend;
use crate::domain::incidents::{
    Blindness, Fact, Finding, Incident, Kind, MatchedBy, NotificationState, Severity,
};
use crate::domain::job::{JobClass, Timestamp};
use crate::domain::model::policy::Policy;
use crate::message::place::Place;

/// What a title shows of an error: enough to know it again.
const TEXT_CHARS_MAX: usize = 40;

/// How the last attempts of a class ended.
pub(in crate::message) struct Worst<'a> {
    /// The class, without its namespace.
    pub(in crate::message) class: &'a str,
    /// How many ended badly.
    pub(in crate::message) bad: u64,
    /// Of how many.
    pub(in crate::message) of: u64,
    /// The newest bad end.
    pub(in crate::message) at: Option<Timestamp>,
}

/// What a message tells first.
pub(in crate::message) struct Situation<'a> {
    /// The app.
    pub(in crate::message) app: &'a str,
    /// What went wrong.
    pub(in crate::message) kind: Kind,
    /// Why queuewatch cannot see, for [`Kind::Blind`].
    pub(in crate::message) reason: Option<Blindness>,
    /// What is said of it.
    pub(in crate::message) state: NotificationState,
    /// How loud it is.
    pub(in crate::message) severity: Severity,
    /// Where it is.
    pub(in crate::message) place: Place<'a>,
    /// Since when, to the minute where jobs are counted.
    pub(in crate::message) since: Timestamp,
    /// Jobs are counted, so that the moment is an estimate.
    pub(in crate::message) is_about: bool,
    /// How long it has lasted now.
    pub(in crate::message) age_ms: i64,
    /// How long a job of the place may wait.
    pub(in crate::message) limit_ms: i64,
    /// The jobs, attempts or errors that it is about now.
    pub(in crate::message) jobs_now: u64,
    /// The most that it was ever about.
    pub(in crate::message) jobs_count: u64,
    /// Every job that waits there, where that was counted now.
    pub(in crate::message) waiting: Option<u64>,
    /// How many more wait than ten minutes ago, where that was counted now.
    pub(in crate::message) gained: Option<u64>,
    /// How long it will take to work them off.
    pub(in crate::message) done_in_ms: Option<i64>,
    /// Whether its facts are of this moment.
    pub(in crate::message) is_asked_now: bool,
    /// The last start there, of those known when its facts were found.
    pub(in crate::message) last_start: Option<Timestamp>,
    /// Since when jobs are started again.
    pub(in crate::message) starts_since: Option<Timestamp>,
    /// From one round of its workers to the next, where they keep a rhythm.
    pub(in crate::message) rhythm_ms: Option<i64>,
    /// How often the queue has stalled of late before.
    pub(in crate::message) stalls_lately: usize,
    /// How the class that fails most lately ends.
    pub(in crate::message) worst: Option<Worst<'a>>,
    /// The classes that it is about, without their namespaces.
    pub(in crate::message) classes: Vec<&'a str>,
    /// The error's first line.
    pub(in crate::message) text: Option<&'a str>,
    /// How much of it a line shows.
    pub(in crate::message) text_chars_max: usize,
    /// The newest error.
    pub(in crate::message) newest_error: Option<Timestamp>,
    /// The newest enqueue on any queue; `None` where there was none, or nothing tells.
    pub(in crate::message) last_enqueue: Option<Timestamp>,
    /// Jobs lost one worker after the other.
    pub(in crate::message) has_lost_workers: bool,
    /// Jobs are put back by themselves, over and over.
    pub(in crate::message) is_put_back: bool,
    /// It is about worker lines that are missing, not about jobs.
    pub(in crate::message) is_of_missing_lines: bool,
    /// Jobs given up as unknown.
    pub(in crate::message) given_up: u64,
    /// Why it was closed by hand.
    pub(in crate::message) closed_because: Option<&'a str>,
    /// The longest wait.
    pub(in crate::message) longest_ms: i64,
    /// How long it was open.
    pub(in crate::message) open_ms: i64,
    /// The log groups or files that it is about.
    pub(in crate::message) sources: Vec<&'a str>,
    /// Lines or payloads counted, for [`Kind::Blind`].
    pub(in crate::message) count: Option<u64>,
    /// How late deliveries are, in minutes.
    pub(in crate::message) late_minutes: Option<u64>,
}

impl<'a> Situation<'a> {
    /// The situation of an incident as of `now`.
    pub(super) fn of(
        policy: &'a Policy,
        incident: &'a Incident,
        state: NotificationState,
        now: Timestamp,
    ) -> Self {
        let diagnosis = incident.diagnosis.as_ref();
        let facts = facts(incident);
        let is_asked_now = diagnosis.is_some_and(|diagnosis| diagnosis.as_of == now);
        let since = incident.oldest_ready_at.or(incident.since).unwrap_or(incident.opened_at);
        let find = |what: fn(&Finding) -> bool| facts.iter().find(|fact| what(&fact.what));
        let error = find(|it| matches!(it, Finding::StoreErrors { .. }));
        let last_enqueue = find(|it| matches!(it, Finding::LastEnqueueAnywhere | Finding::LastEnqueue));
        let last_start = find(|it| matches!(it, Finding::LastStart));
        Self {
            app: incident.key.scope().unwrap_or(&policy.app),
            kind: incident.key.kind,
            reason: incident.key.reason,
            state,
            severity: incident.severity,
            place: Place::of(incident),
            since,
            is_about: incident.matched_by == Some(MatchedBy::Count),
            age_ms: now.since_ms(since),
            limit_ms: policy.grace_ms(incident.key.queue.as_ref(), None),
            jobs_now: incident.jobs_now,
            jobs_count: incident.jobs_count,
            waiting: waiting(incident, now),
            gained: diagnosis.filter(|_| is_asked_now).and_then(gained),
            done_in_ms: incident
                .detail
                .delay()
                .done_in_ms
                .or(diagnosis.filter(|_| is_asked_now).and_then(done_in_ms)),
            is_asked_now,
            last_start: last_start.and_then(|fact| fact.at),
            starts_since: incident.detail.stall().starts_since,
            rhythm_ms: incident.detail.stall().rhythm_ms,
            stalls_lately: incident.detail.stall().ends.len(),
            worst: facts.iter().find_map(worst),
            classes: classes(incident),
            text: facts.iter().find_map(text),
            text_chars_max: TEXT_CHARS_MAX,
            newest_error: error.and_then(|fact| fact.at),
            last_enqueue: last_enqueue.and_then(|fact| fact.at),
            has_lost_workers: find(|it| matches!(it, Finding::LostJobs(_))).is_some(),
            is_put_back: diagnosis.is_some_and(|it| it.cause == Cause::PutBack),
            is_of_missing_lines: incident.is_of_missing_lines(),
            given_up: incident.given_up,
            closed_because: incident.closed_because.as_deref(),
            longest_ms: incident.longest_wait_ms,
            open_ms: incident.resolved_at.unwrap_or(now).since_ms(incident.opened_at),
            sources: incident.detail.sources().map(String::as_str).collect(),
            count: facts.iter().find_map(count),
            late_minutes: facts.iter().find_map(late_minutes),
        }
    }

    /// How many more wait than ten minutes ago; nothing of a single one, which says as much by its time.
    pub(in crate::message) fn growth(&self) -> Option<u64> {
        self.gained.filter(|_| self.waiting.is_none_or(|waiting| waiting > 1))
    }

    /// Whether it is over.
    pub(in crate::message) fn is_over(&self) -> bool {
        self.state == NotificationState::Resolved
    }

    /// Whether nothing speaks against it that no job was started since the oldest one was ready.
    pub(in crate::message) fn has_no_start(&self) -> bool {
        self.is_asked_now
            && self.starts_since.is_none()
            && self.last_start.is_none_or(|start| start <= self.since)
    }

    /// For how long nothing has been started, where that is known of this moment. Of several queues one may be stalled while
    /// jobs of another start.
    pub(in crate::message) fn idle_ms(&self) -> Option<i64> {
        let is_idle = self.is_asked_now && self.starts_since.is_none();
        let after_start_ms =
            self.last_start.map_or(0, |start| start.since_ms(self.since).max(0)).min(self.age_ms);
        is_idle
            .then(|| self.age_ms.saturating_sub(after_start_ms))
            .filter(|idle_ms| *idle_ms >= self.limit_ms)
    }

    /// Whether a job could be enqueued after the newest error.
    pub(in crate::message) fn is_taken_again(&self) -> bool {
        self.last_enqueue.is_some_and(|enqueued| Some(enqueued) > self.newest_error)
    }
}

/// What is known of an incident.
pub(super) fn facts(incident: &Incident) -> &[Fact] {
    incident.diagnosis.as_ref().map_or(&incident.evidence, |diagnosis| &diagnosis.evidence)
}

/// Every job that waits: said with the diagnosis, or with the incident as it opens. Where it opens and nothing else is
/// said, those that it is about are all.
fn waiting(incident: &Incident, now: Timestamp) -> Option<u64> {
    let waits = |facts: &[Fact]| {
        facts.iter().find_map(|fact| {
            let Finding::JobsWait { waiting, overdue } = fact.what else { return None };
            (overdue == incident.jobs_now).then_some(waiting)
        })
    };
    let is_of_a_queue = matches!(incident.key.kind, Kind::Stalled | Kind::Lost | Kind::Backlog);
    let diagnosis = incident.diagnosis.as_ref().filter(|it| is_of_a_queue && it.as_of == now)?;
    let is_new = incident.notifications.is_empty() && !incident.evidence.is_empty();
    waits(&diagnosis.evidence).or_else(|| {
        is_new.then(|| waits(&incident.evidence).unwrap_or(incident.jobs_now)).filter(|_| is_of_a_queue)
    })
}

fn gained(diagnosis: &Diagnosis) -> Option<u64> {
    match diagnosis.trend? {
        // The trend is of the last ten minutes, and six of those are an hour.
        Trend::Growing { per_hour } => per_hour.checked_div(6).filter(|gained| *gained > 0),
        Trend::Draining { .. } => None,
    }
}

fn done_in_ms(diagnosis: &Diagnosis) -> Option<i64> {
    match diagnosis.trend? {
        Trend::Growing { .. } => None,
        Trend::Draining { done_in_ms } => Some(done_in_ms),
    }
}

fn worst(fact: &Fact) -> Option<Worst<'_>> {
    let Finding::BadEnds { class, bad, of } = &fact.what else { return None };
    Some(Worst { class: short(class), bad: *bad, of: *of, at: fact.at })
}

fn text(fact: &Fact) -> Option<&str> {
    if let Finding::Exception(text) = &fact.what {
        return Some(text);
    }
    let Finding::StoreErrors { text, .. } = &fact.what else { return None };
    text.as_deref()
}

fn count(fact: &Fact) -> Option<u64> {
    let (Finding::OnlyWorkerLines(count) | Finding::PayloadsRejected(count)) = fact.what else { return None };
    Some(count)
}

fn late_minutes(fact: &Fact) -> Option<u64> {
    let Finding::DeliveryLate { minutes } = fact.what else { return None };
    Some(minutes)
}

/// The classes that an incident names itself, or those of its jobs; each once.
fn classes(incident: &Incident) -> Vec<&str> {
    let mut classes: Vec<&str> = incident.detail.classes().map(short).collect();
    if classes.is_empty() {
        classes = incident.jobs.iter().filter_map(|job| job.class.as_ref()).map(short).collect();
    }
    classes.sort_unstable();
    classes.dedup();
    classes
}

/// `GenerateThumb` of `App\Jobs\GenerateThumb`.
pub(super) fn short(class: &JobClass) -> &str {
    class.as_str().rsplit('\\').next().unwrap_or_default()
}
