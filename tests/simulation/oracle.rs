//! What must hold after every history, judged by the story and by what reached the outside.

use std::collections::{BTreeMap, BTreeSet};

use queuewatch::adapters::memory::MemoryTable;
use queuewatch::domain::incidents::{Incident, Severity};
use queuewatch::domain::job::QueueName;
use queuewatch::domain::metric::{Dimensions, Metric};
use queuewatch::domain::model::channel::Channel;
use serde_json::Value;

use crate::history::History;
use crate::ledger;
use crate::reference;
use crate::story::Prints;
use crate::truth::Counters;
use crate::witness::End;
use crate::world::REJECTED;

/// The metrics that the lines alone decide, whenever they come.
const OF_LINES: [Metric; 6] = [
    Metric::Enqueued,
    Metric::Processing,
    Metric::Processed,
    Metric::Failed,
    Metric::Released,
    Metric::JobDuration,
];

/// What did not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Broken {
    /// A job waits, and nobody will ever look at it.
    JobForgotten,
    /// A job was taken, and is shown to wait.
    FalsePending,
    /// A job is not in the state that its lines tell.
    WrongState,
    /// A counter is higher than the lines.
    CountedTooOften,
    /// A counter is lower than the lines.
    NotCounted,
    /// A counter went out twice though no reply was lost and nobody died.
    CountRepeated,
    /// A queue stood still, and nobody was told.
    StallMissed,
    /// The same, told too late though nothing went wrong.
    StallLate,
    /// One stall made two incidents.
    SecondIncident,
    /// Somebody was told of a stall though every job was known to have been taken.
    FalseStall,
    /// A stall is over, and its incident is not.
    NotResolved,
    /// An incident is over, and its stall is not.
    FalseRecovery,
    /// Something was decided to be said, and never arrived.
    LetterLost,
    /// A message arrived that no checkpoint held: a death before it would have lost it.
    LetterUnwritten,
    /// A message arrived again though no reply was lost and nobody died before the very next write.
    LetterRepeated,
    /// The ledger is not that of a run in which nothing goes wrong.
    LedgerDiffers,
    /// Deliveries are not folded, or messages not sent, though nothing goes wrong any more.
    Unfinished,
}

/// Something that did not hold.
#[derive(Clone, Debug)]
pub(crate) struct Violation {
    pub(crate) broken: Broken,
    pub(crate) what: String,
}

/// Judges a history.
pub(crate) fn judge(history: &History) -> Vec<Violation> {
    let mut judge = Judge { history, incidents: incidents(&history.outside.table), violations: Vec::new() };
    judge.steps();
    judge.jobs();
    judge.gauges();
    judge.counters();
    judge.stalls();
    judge.rejections();
    judge.messages();
    judge.rest();
    judge.violations
}

pub(crate) struct Judge<'a> {
    pub(crate) history: &'a History,
    pub(crate) incidents: Vec<Incident>,
    violations: Vec<Violation>,
}

/// Every incident that the table holds, open or closed, by id.
fn incidents(table: &MemoryTable) -> Vec<Incident> {
    let mut found: BTreeMap<String, Incident> = BTreeMap::new();
    let mut take = |value: Value| {
        let incident: Incident = serde_json::from_value(value).unwrap();
        let known = found.get(&incident.id).map_or(0, |known| known.notifications.len());
        if incident.notifications.len() >= known {
            found.insert(incident.id.clone(), incident);
        }
    };
    for item in table.items().filter(|item| item.key.partition.starts_with("I#")) {
        take(serde_json::from_str(&item.body).unwrap());
    }
    if let Some(checkpoint) = ledger::checkpoint(table) {
        checkpoint["incidents"].as_array().unwrap().iter().cloned().for_each(take);
    }
    found.into_values().collect()
}

impl Judge<'_> {
    pub(crate) fn broken(&mut self, broken: Broken, what: String) {
        self.violations.push(Violation { broken, what });
    }

    /// What was seen to be wrong while the history went on.
    fn steps(&mut self) {
        let witness = &self.history.outside.witness;
        let (gone, unwritten) = (witness.gone.clone(), witness.unwritten.clone());
        gone.into_iter().for_each(|what| self.broken(Broken::JobForgotten, what));
        unwritten.into_iter().for_each(|what| self.broken(Broken::LetterUnwritten, what));
    }

    /// No enqueue is forgotten, and what was taken is known to have been.
    fn jobs(&mut self) {
        let story = &self.history.story;
        let found = ledger::jobs(&self.history.outside.table, story);
        for (job, found) in found.iter().enumerate() {
            let truth = story.state(job);
            if truth == "pending" && !(found.state() == truth && found.is_listed) {
                self.broken(Broken::JobForgotten, format!("job {job} waits, the table says {found:?}"));
            }
            // Where lines carry no id, the jobs' own items learn only hours later that they were taken.
            if truth == "pending" || story.prints == Prints::Plain {
                continue;
            }
            // The twin of one that runs is put right once that has ended.
            if found.is_listed_waiting && truth != "running" {
                self.broken(Broken::FalsePending, format!("job {job} was taken, the table says {found:?}"));
            } else if found.state() != truth {
                self.broken(Broken::WrongState, format!("job {job} is {truth}, the table says {found:?}"));
            }
        }
    }

    /// What the last sweep says waits is what waits.
    fn gauges(&mut self) {
        let story = &self.history.story;
        let mut wanted: BTreeMap<Dimensions, i64> = BTreeMap::new();
        for (n, queue) in story.queues.iter().enumerate() {
            let waiting = i64::try_from(story.waiting_on(n)).unwrap();
            *wanted.entry(Dimensions::App).or_default() += waiting;
            wanted.insert(Dimensions::Queue(QueueName::from(queue.name.as_str())), waiting);
        }
        let shown =
            self.history.outside.witness.gauges.iter().filter(|datum| datum.metric == Metric::Pending);
        let shown: BTreeMap<Dimensions, i64> = shown
            .map(|datum| (datum.dimensions.clone(), *datum.values.first_key_value().unwrap().0))
            .collect();
        for (dimensions, wanted) in wanted {
            let shown = shown.get(&dimensions).copied().unwrap_or(0);
            let what = format!("{dimensions:?}: {wanted} wait, {shown} are shown");
            if shown < wanted {
                self.broken(Broken::JobForgotten, what);
            } else if shown > wanted {
                self.broken(Broken::FalsePending, what);
            }
        }
    }

    /// Counters are exact, but for those that were sent by a sweep whose reply was lost or that did not get to write
    /// down that they were; and those are sent once more.
    fn counters(&mut self) {
        let witness = &self.history.outside.witness;
        let mut settled = Counters::new();
        let mut wrong = Vec::new();
        for counted in &witness.counters {
            if counted.is_reply_lost || !counted.is_noted {
                let has_died = matches!(witness.ends.get(&counted.by), Some(End::Died | End::Failed));
                if !(counted.is_reply_lost || has_died) {
                    wrong.push((Broken::CountRepeated, format!("counters of process {}", counted.by)));
                }
                continue;
            }
            for datum in counted.data.iter().filter(|datum| OF_LINES.contains(&datum.metric)) {
                let sum: i64 = datum.values.iter().map(|(value, n)| value * i64::try_from(*n).unwrap()).sum();
                *settled.entry((datum.metric, datum.dimensions.clone(), datum.at)).or_default() += sum;
            }
        }
        let truth = self.history.story.counters();
        let rows: BTreeSet<_> = truth.keys().chain(settled.keys()).collect();
        for row in rows {
            let (wanted, counted) = (truth.get(row).unwrap_or(&0), settled.get(row).unwrap_or(&0));
            let what = format!("{row:?}: {wanted} by the lines, {counted} counted");
            if counted > wanted {
                wrong.push((Broken::CountedTooOften, what));
            } else if counted < wanted {
                wrong.push((Broken::NotCounted, what));
            }
        }
        for (broken, what) in wrong {
            self.broken(broken, what);
        }
    }

    /// A payload that cannot be opened is counted once, however often it comes.
    fn rejections(&mut self) {
        let hashes = self.history.deliveries.iter().filter_map(|delivery| delivery.opened.as_ref().err());
        let wanted = i64::try_from(hashes.collect::<BTreeSet<_>>().len()).unwrap();
        let reason = Dimensions::Reason(REJECTED.into());
        let settled =
            self.history.outside.witness.counters.iter().filter(|it| !it.is_reply_lost && it.is_noted);
        let data = settled.flat_map(|counted| &counted.data).filter(|datum| datum.dimensions == reason);
        let counted: i64 = data.flat_map(|datum| datum.values.keys()).sum();
        if counted != wanted {
            let broken = if counted > wanted { Broken::CountedTooOften } else { Broken::NotCounted };
            self.broken(broken, format!("{wanted} payloads rejected, {counted} counted"));
        }
    }

    /// Whatever was decided to be said arrived, everywhere it should, and not again without a cause.
    fn messages(&mut self) {
        let witness = &self.history.outside.witness;
        let sent: BTreeSet<(Channel, &str)> = witness
            .messages
            .iter()
            .map(|sent| (sent.message.channel, sent.message.notification.as_str()))
            .collect();
        let has_chat = self.history.policy.has_chat_topic;
        let mut lost = Vec::new();
        for incident in &self.incidents {
            let topics: &[Channel] = match (incident.severity, has_chat) {
                (Severity::Page, true) => &[Channel::Email, Channel::Chat],
                (Severity::Warn, true) => &[Channel::Chat],
                (_, false) => &[Channel::Email],
            };
            for notification in &incident.notifications {
                let missing =
                    topics.iter().filter(|topic| !sent.contains(&(**topic, notification.id.as_str())));
                lost.extend(missing.map(|topic| format!("{topic:?} {}", notification.id)));
            }
        }
        for what in lost {
            self.broken(Broken::LetterLost, what);
        }
        for what in witness.repeats_without_cause.clone() {
            self.broken(Broken::LetterRepeated, what);
        }
    }

    /// Nothing is left to do, and the ledger is that of a run in which nothing goes wrong.
    fn rest(&mut self) {
        let table = &self.history.outside.table;
        for item in table.items().filter(|item| item.key.partition.starts_with("D#") && item.due.is_some()) {
            self.broken(Broken::Unfinished, format!("{:?} is not folded", item.key));
        }
        let checkpoint = ledger::checkpoint(table).unwrap_or_default();
        for list in ["outbox", "applied", "closed"] {
            let left = checkpoint[list].as_array().map_or(1, Vec::len);
            if left > 0 {
                self.broken(Broken::Unfinished, format!("{left} left in {list}"));
            }
        }
        for what in reference::differences(self.history) {
            self.broken(Broken::LedgerDiffers, what);
        }
    }
}
