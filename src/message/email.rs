//! The e-mail text: what, where, since when; the likely cause and what supports it; what to run.
//!
//! It is read at night on a phone, so that what decides stands first, and lines are short but for commands.
//! **Invariant:** no payload and no argument appears in it, and an exception only as the ledger keeps it: redacted.

use std::collections::BTreeMap;

use super::clock::Clock;
use super::duration;
use super::explanation::pasted;
use super::lines::{item, labelled, paragraph, whole};
use super::subject::{place, subject};
use super::words::{self, Labels, Sentence};
use crate::domain::diagnosis::Diagnosis;
use crate::domain::diagnosis::finding::Trend;
use crate::domain::incident::{Fact, Finding, Incident, Kind, MatchedBy, NotificationState, Severity};
use crate::domain::job::{JobClass, QueueName, Timestamp};
use crate::domain::policy::{Language, Policy};
use crate::domain::runbook::{self, Note, Step};

/// Classes named in a message; the rest are counted.
const CLASSES_MAX: usize = 5;
/// Jobs named in a message: the reader looks one up, not twenty.
const JOBS_MAX: usize = 5;
/// Commands to run before anything else.
const FIRST_MAX: usize = 3;

/// A subject and a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// At most 99 ASCII characters.
    pub subject: String,
    /// Plain text, lines short enough for a phone where the facts allow it.
    pub body: String,
}

/// Puts an incident into words, as of `now`, in the policy's language, with times in UTC and in its zone.
#[must_use]
pub fn render(policy: &Policy, incident: &Incident, state: NotificationState, now: Timestamp) -> Words {
    let language = policy.language;
    let labels = words::labels(language);
    let mail = Mail { policy, language, labels, clock: Clock::of(&policy.timezone), incident, state, now };
    Words { subject: subject(&policy.app, incident, state, now), body: mail.body() }
}

struct Mail<'a> {
    policy: &'a Policy,
    language: Language,
    labels: &'static Labels,
    clock: Clock,
    incident: &'a Incident,
    state: NotificationState,
    now: Timestamp,
}

impl Mail<'_> {
    fn body(&self) -> String {
        let mut text = String::new();
        self.head(&mut text);
        self.cause(&mut text);
        if self.is_over() {
            self.foot(&mut text);
            return text;
        }
        self.evidence(&mut text);
        self.jobs(&mut text);
        self.commands(&mut text);
        self.unknown(&mut text);
        self.foot(&mut text);
        self.answers(&mut text);
        text
    }

    fn is_over(&self) -> bool {
        self.state == NotificationState::Resolved
    }

    fn say(&self, sentence: &Sentence<'_>) -> String {
        words::sentence(self.language, sentence)
    }

    fn diagnosis(&self) -> Option<&Diagnosis> {
        self.incident.diagnosis.as_ref()
    }

    /// What, where, since when, how many.
    fn head(&self, text: &mut String) {
        let (incident, labels) = (self.incident, self.labels);
        let opening = words::opening(self.language, self.state, incident.severity == Severity::Page);
        let headline = words::headline(self.language, incident, self.state);
        paragraph(text, &format!("{opening}  {headline}"));
        labelled(text, labels.app, &self.policy.app);
        if incident.key.kind == Kind::Blind {
            for source in &incident.sources {
                labelled(text, labels.source, source);
            }
        } else if incident.key.queue.is_some()
            || !incident.queues.is_empty()
            || incident.key.kind != Kind::EnqueueErrors
        {
            labelled(text, labels.queue, &place(&incident.key));
            if incident.key.queue.is_none() && !incident.queues.is_empty() {
                let queues = incident.queues.iter().map(QueueName::as_str).collect::<Vec<_>>().join(", ");
                labelled(text, &indent(labels.queue), &self.say(&Sentence::OneOf(&queues)));
            }
        }
        let since = incident.oldest_ready_at.or(incident.since).unwrap_or(incident.opened_at);
        let since = self.clock.show(since);
        let is_about = incident.matched_by == Some(MatchedBy::Count);
        let since = if is_about { self.say(&Sentence::About(&since)) } else { since };
        labelled(text, labels.since, &since);
        if let Some(resolved_at) = incident.resolved_at {
            let lasted = duration(resolved_at.since_ms(incident.opened_at));
            let lasted = self.say(&Sentence::OpenFor(&lasted));
            labelled(text, labels.until, &format!("{} ({lasted})", self.clock.show(resolved_at)));
        }
        if let Some(starts_since) = incident.starts_since.filter(|_| self.is_over()) {
            labelled(text, labels.moves, &self.clock.show(starts_since));
        }
        self.count(text);
        // Each tells of its own end.
        for follower in incident.followers.iter().filter(|_| !self.is_over()) {
            labelled(text, labels.also, follower);
        }
    }

    /// How many, and where that is heading.
    fn count(&self, text: &mut String) {
        let (incident, labels) = (self.incident, self.labels);
        let since = incident.oldest_ready_at.or(incident.since).unwrap_or(self.now);
        let oldest = duration(self.now.since_ms(since));
        let limit = duration(self.policy.grace_ms(incident.key.queue.as_ref(), None));
        let (jobs, longest) = (incident.jobs_now, duration(incident.longest_wait_ms));
        let said = match (incident.key.kind, self.is_over()) {
            (Kind::Blind, _) | (Kind::EnqueueErrors | Kind::Failing | Kind::StuckRunning, true) => None,
            (_, true) if incident.jobs_count == 0 => None,
            (Kind::Lost, _) if incident.is_of_missing_lines() => None,
            (_, true) => Some(Sentence::WereOverdue { jobs: incident.jobs_count, longest: &longest }),
            (Kind::Failing, false) => Some(Sentence::InARow(jobs)),
            (Kind::EnqueueErrors, false) => Some(Sentence::Refused(jobs)),
            (Kind::StuckRunning, false) => Some(Sentence::Stuck { jobs, oldest: &oldest }),
            (_, false) => Some(Sentence::Overdue { jobs, oldest: &oldest, limit: &limit }),
        };
        let mut label = labels.jobs.to_owned();
        let mut say = |words: &str| {
            labelled(text, &label, words);
            label = indent(labels.jobs);
        };
        if let Some(said) = said {
            say(&self.say(&said));
        }
        let unseen = incident.unseen_count.min(incident.given_up);
        if unseen > 0 {
            say(&self.say(&Sentence::Unseen(unseen)));
        }
        let given_up = incident.given_up.saturating_sub(unseen);
        if given_up > 0 {
            let by_hand = incident.closed_because.is_some();
            say(&self.say(&Sentence::GivenUp { jobs: given_up, by_hand }));
        }
        if self.is_over() {
            return self.classes(text, &indent(labels.jobs));
        }
        let draining = incident.done_in_ms.map(|done_in_ms| Trend::Draining { done_in_ms });
        let asked_now = self.diagnosis().filter(|diagnosis| diagnosis.as_of == self.now);
        if let Some(trend) = draining.or(asked_now.and_then(|diagnosis| diagnosis.trend)) {
            labelled(text, &indent(labels.jobs), &words::trend(self.language, trend));
        }
    }

    /// The likely cause, and the others that may be.
    fn cause(&self, text: &mut String) {
        let Some(diagnosis) = self.diagnosis() else { return };
        let is_blind_to_lines = self.incident.key.kind == Kind::Blind && diagnosis.is_certain;
        if is_blind_to_lines {
            // The first line has said so.
            return;
        }
        whole(text, "");
        let label = match (diagnosis.is_certain, self.is_over()) {
            (true, _) => self.labels.certain,
            (false, false) => self.labels.likely,
            (false, true) => self.labels.suspected,
        };
        labelled(text, label, words::cause(self.language, diagnosis.cause));
        if let Some(sub_cause) = diagnosis.sub_cause {
            labelled(text, &indent(label), words::sub_cause(self.language, sub_cause));
        }
        for cause in diagnosis.runners_up.iter().filter(|_| !self.is_over()) {
            labelled(text, self.labels.or, words::cause(self.language, *cause));
        }
    }

    /// What supports it, and what changed.
    fn evidence(&self, text: &mut String) {
        let diagnosis = self.diagnosis();
        let facts = diagnosis.map_or(&self.incident.evidence, |diagnosis| &diagnosis.evidence);
        // What is behind the cause has been said.
        let because = |fact: &&Fact| !matches!(fact.what, Finding::Because(_));
        let facts: Vec<_> = facts.iter().filter(because).collect();
        if !facts.is_empty() {
            let as_of = diagnosis.map(|diagnosis| diagnosis.as_of).filter(|at| *at != self.now);
            let title = match as_of {
                Some(at) => {
                    format!("{} ({} {})", self.labels.evidence, self.labels.as_of, self.clock.show(at))
                }
                None => self.labels.evidence.to_owned(),
            };
            title_of(text, &title);
            for fact in facts {
                item(text, &words::fact(self.language, fact, &self.clock, Some(self.now)));
            }
        }
        let changes = diagnosis.map_or(&[][..], |diagnosis| diagnosis.changes.as_slice());
        if !changes.is_empty() {
            title_of(text, self.labels.changed);
            for fact in changes {
                item(text, &words::fact(self.language, fact, &self.clock, Some(self.now)));
            }
        }
    }

    /// Whom it hits.
    fn jobs(&self, text: &mut String) {
        let incident = self.incident;
        if incident.jobs.is_empty() {
            if !incident.classes.is_empty() {
                title_of(text, self.labels.ids);
                for class in incident.classes.keys() {
                    item(text, class.as_str());
                }
            }
            return;
        }
        title_of(text, self.labels.ids);
        self.classes(text, "");
        if incident.matched_by == Some(MatchedBy::Count) {
            return paragraph(text, &self.say(&Sentence::Uncounted));
        }
        for job in incident.jobs.iter().take(JOBS_MAX) {
            let id = job.uuid.as_ref().map(ToString::to_string);
            let id = id.or_else(|| job.id.as_ref().map(ToString::to_string));
            let at = job.enqueued_at.map(|at| self.clock.show_near(at, self.now));
            item(text, &self.say(&Sentence::Enqueued { id: id.as_deref(), at: at.as_deref() }));
        }
        let more = incident.jobs_now.saturating_sub(incident.jobs.len().min(JOBS_MAX) as u64);
        if more > 0 {
            item(text, &self.say(&Sentence::More(more)));
        }
    }

    /// The classes among the listed jobs, most frequent first.
    fn classes(&self, text: &mut String, under: &str) {
        let listed = self.incident.jobs.len() as u64;
        if self.incident.jobs_count > listed && listed > 0 {
            labelled(text, under, &self.say(&Sentence::Oldest(listed)));
        }
        let unnamed = self.say(&Sentence::NoClass);
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for job in &self.incident.jobs {
            let class = job.class.as_ref().map_or(&*unnamed, JobClass::as_str);
            let count = counts.entry(class).or_default();
            *count = count.saturating_add(1);
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(class, count)| (std::cmp::Reverse(*count), *class));
        for (class, count) in counts.into_iter().take(CLASSES_MAX) {
            labelled(text, under, &format!("{class} x{count}"));
        }
    }

    /// What to run, and where to read on.
    fn commands(&self, text: &mut String) {
        if let Some(advice) = words::advice(self.language, &self.incident.key, &self.policy.seat) {
            title_of(text, self.labels.to_do);
            paragraph(text, advice);
        }
        let diagnosis = self.diagnosis();
        let all = diagnosis.map_or(&[][..], |diagnosis| diagnosis.commands.as_slice());
        let (finders, steps): (Vec<&Step>, Vec<&Step>) =
            all.iter().partition(|step| matches!(step.note, Some(Note::Finds(_))));
        let (first, then) = steps.split_at(steps.len().min(FIRST_MAX));
        let close = runbook::close(self.incident, self.policy);
        let sweep = close.map(|close| runbook::finders(&[&close], self.policy)).unwrap_or_default();
        let finders: Vec<&Step> = finders.into_iter().chain(&sweep).collect();
        for (title, steps) in
            [(self.labels.first, first), (self.labels.then, then), (self.labels.variables, &finders)]
        {
            if steps.is_empty() {
                continue;
            }
            title_of(text, title);
            for step in steps {
                whole(text, &pasted(self.language, step));
            }
        }
        if let Some(logs) = diagnosis.and_then(|diagnosis| diagnosis.logs.as_ref()) {
            title_of(text, self.labels.logs);
            if let Some(url) = logs.url(self.policy) {
                whole(text, &url);
            }
            whole(text, &logs.command(self.policy));
        }
    }

    fn unknown(&self, text: &mut String) {
        let unknown = self.diagnosis().map_or(&[][..], |diagnosis| diagnosis.cannot_tell.as_slice());
        if !unknown.is_empty() {
            title_of(text, self.labels.cannot_tell);
        }
        for unknown in unknown {
            item(text, &words::unknown(self.language, *unknown));
        }
    }

    /// What it is called, and when it is told again.
    fn foot(&self, text: &mut String) {
        let incident = self.incident;
        if incident.is_after_end {
            whole(text, "");
            paragraph(text, &self.say(&Sentence::AfterEnd));
        }
        whole(text, "");
        whole(text, &format!("{}{}", self.labels.incident, incident.id));
        if !self.is_over() {
            let grace = duration(self.policy.grace_ms(incident.key.queue.as_ref(), None));
            if incident.key.kind != Kind::Blind && !incident.is_of_missing_lines() {
                let kind = incident.key.kind;
                labelled(text, self.labels.rule, &self.say(&Sentence::Rule { kind, grace: &grace }));
            }
            labelled(text, self.labels.next, &self.clock.show(incident.next_reminder_at()));
        }
        whole(text, &format!("queuewatch {}", env!("CARGO_PKG_VERSION")));
    }

    /// The commands that answer the message.
    fn answers(&self, text: &mut String) {
        let close = runbook::close(self.incident, self.policy);
        let silence = runbook::silence(self.incident, self.policy, self.now);
        let (Some(close), Some(silence)) = (close, silence) else { return };
        title_of(text, self.labels.close);
        whole(text, &close);
        let is_all = self.incident.key.queue.is_none() && self.incident.queues.is_empty();
        title_of(text, if is_all { self.labels.silence_all } else { self.labels.silence });
        whole(text, &silence);
    }
}

fn title_of(text: &mut String, title: &str) {
    whole(text, "");
    whole(text, title);
}

/// As many columns as a label, empty.
fn indent(label: &str) -> String {
    " ".repeat(super::lines::width(label))
}
