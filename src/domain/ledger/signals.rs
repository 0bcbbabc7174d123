//! What lines tell beside jobs: store errors, workers that say they are alive, pauses, deploys.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::errors::StoreErrors;
use super::job_facts::StreamKey;
use super::served::Served;
use crate::domain::job::{ConnectionName, Form, MINUTE_MS, Observation, QueueName, Stage, Timestamp};
use crate::domain::model::queue_ref::QueueRef;

/// Workers remembered, those that spoke last: a fleet's, with some that were replaced.
const WORKERS_MAX: usize = 500;
/// Deploy marks remembered, the newest, one for each minute: three hours of them, so that where they come without end
/// it is known when they began.
const MARKS_MAX: usize = 180;
/// Places remembered that told of a queue's pauses.
const PLACES_MAX: usize = 8;
/// Queues whose pauses are remembered.
const PAUSES_MAX: usize = 500;

/// What is known beside the jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Signals {
    /// Errors of the queue's store.
    pub store_errors: StoreErrors,
    /// Workers by the name they give themselves.
    pub workers: BTreeMap<Arc<str>, Worker>,
    /// Queues that were paused or resumed.
    #[serde(with = "crate::domain::pairs")]
    pub pauses: BTreeMap<QueueRef, Pause>,
    /// Deploys, as lines mark them.
    pub deploy_marks: BTreeSet<Timestamp>,
    /// What workers say of the jobs they have done, by the connection and the queues that they name: until when jobs
    /// were worked off there. It matters where no line of a job's start or end ever comes.
    #[serde(with = "crate::domain::pairs", skip_serializing_if = "BTreeMap::is_empty")]
    pub worked_off: BTreeMap<FetchesFrom, Timestamp>,
    /// Who takes the jobs of each origin.
    #[serde(skip_serializing_if = "Served::is_empty")]
    pub served: Served,
    /// Whether jobs are handed over by HTTP, by a daemon that says so.
    pub is_by_http: bool,
}

/// What a worker fetches from: a connection, and its queues; none named are all.
pub type FetchesFrom = (Option<ConnectionName>, BTreeSet<QueueName>);

/// What a worker says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Worker {
    /// Its newest heartbeat.
    pub newest: Timestamp,
    /// The connection it fetches from.
    pub connection: Option<ConnectionName>,
    /// The queues it fetches from, as far as its heartbeats name them.
    pub queues: BTreeSet<QueueName>,
    /// Where it speaks.
    pub stream: StreamKey,
    /// When it said that it stops.
    pub stopped_at: Option<Timestamp>,
    /// The most jobs it said it has done since its start, and when it first said so.
    pub jobs: Option<(u32, Timestamp)>,
}

impl Worker {
    /// Whether it fetches from a queue; of what it does not name it may fetch.
    #[must_use]
    pub fn serves(&self, place: &QueueRef) -> bool {
        let is_queue = match &place.queue {
            Some(queue) => self.queues.is_empty() || self.queues.contains(queue),
            None => true,
        };
        let is_connection = match (&self.connection, &place.connection) {
            (Some(mine), Some(asked)) => mine == asked,
            _ => true,
        };
        is_queue && is_connection
    }

    /// Whether it has spoken at or after `from`, and has not stopped since.
    #[must_use]
    pub fn is_alive_since(&self, from: Timestamp) -> bool {
        self.newest >= from && self.stopped_at < Some(self.newest)
    }
}

/// When a queue was last paused and resumed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pause {
    /// Newest pause.
    pub paused_at: Option<Timestamp>,
    /// Newest resumption.
    pub resumed_at: Option<Timestamp>,
    /// The newest pause and the newest resumption of each place that printed one: see [`crate::domain::origin::workplace`].
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    by: BTreeMap<u64, [Option<Timestamp>; 2]>,
}

impl Pause {
    fn note(&mut self, is_pause: bool, at: Timestamp, workplace: u64) {
        let mark = if is_pause { &mut self.paused_at } else { &mut self.resumed_at };
        *mark = (*mark).max(Some(at));
        if self.by.len() >= PLACES_MAX && !self.by.contains_key(&workplace) {
            return;
        }
        let [paused_at, resumed_at] = self.by.entry(workplace).or_default();
        let mark = if is_pause { paused_at } else { resumed_at };
        *mark = (*mark).max(Some(at));
    }

    /// Since when the queue is paused, by what was printed anywhere but at the places of `others`.
    fn since(&self, others: &BTreeSet<u64>) -> Option<Timestamp> {
        let told =
            || self.by.iter().filter(|(workplace, _)| !others.contains(*workplace)).map(|(_, told)| *told);
        let is_everybodys = others.is_empty() || self.by.is_empty();
        let (paused_at, resumed_at) = match is_everybodys {
            true => (self.paused_at, self.resumed_at),
            false => (told().filter_map(|[at, _]| at).max(), told().filter_map(|[_, at]| at).max()),
        };
        paused_at.filter(|_| paused_at > resumed_at)
    }
}

impl Signals {
    /// Takes a line that is neither of a job's life nor an error of the store.
    pub fn take(&mut self, observation: &Observation, stream: StreamKey, workplace: u64) {
        let at = observation.at;
        match observation.stage {
            Stage::WorkerAlive => self.take_heartbeat(observation, stream),
            Stage::WorkerStopped => {
                self.take_end(observation);
                if let Some(worker) = observation.id.as_ref().and_then(|id| self.workers.get_mut(id.key())) {
                    worker.stopped_at = worker.stopped_at.max(Some(at));
                }
            }
            Stage::Paused | Stage::Resumed => {
                let queue_ref =
                    QueueRef { connection: observation.connection.clone(), queue: observation.queue.clone() };
                if self.pauses.len() >= PAUSES_MAX && !self.pauses.contains_key(&queue_ref) {
                    return;
                }
                let is_pause = observation.stage == Stage::Paused;
                self.pauses.entry(queue_ref).or_default().note(is_pause, at, workplace);
            }
            Stage::DeployMark => {
                let minute = at.minute();
                let known = self.deploy_marks.range(minute..minute.plus_ms(MINUTE_MS)).next().copied();
                if known.is_none_or(|known| at < known) {
                    known.iter().for_each(|known| _ = self.deploy_marks.remove(known));
                    self.deploy_marks.insert(at);
                }
                if self.deploy_marks.len() > MARKS_MAX {
                    self.deploy_marks.pop_first();
                }
            }
            Stage::EnqueueError
            | Stage::WorkerError
            | Stage::RedisError
            | Stage::Enqueued
            | Stage::Processing
            | Stage::Processed
            | Stage::Failed
            | Stage::Released
            | Stage::WorkerStarted
            | Stage::LogFileHint => {}
        }
    }

    /// A worker that stops because nothing waits any more has worked off all that was ready.
    fn take_end(&mut self, observation: &Observation) {
        let is_drained = observation.text.as_deref() == Some("empty")
            || (observation.text.as_deref() == Some("max_jobs") && observation.jobs > Some(0));
        if is_drained && observation.form == Form::Monolog {
            self.note_worked_off(observation);
        }
    }

    fn note_worked_off(&mut self, observation: &Observation) {
        let served: FetchesFrom =
            (observation.connection.clone(), observation.queue.iter().cloned().collect());
        if self.worked_off.len() >= PAUSES_MAX && !self.worked_off.contains_key(&served) {
            return;
        }
        let until = self.worked_off.entry(served).or_insert(observation.at);
        *until = (*until).max(observation.at);
    }

    /// Until when workers say that jobs of a queue were worked off.
    #[must_use]
    pub fn worked_off_until(&self, queue_ref: &QueueRef) -> Option<Timestamp> {
        let told = self.worked_off.iter().filter(|((connection, queues), _)| {
            let is_connection =
                connection.is_none() || queue_ref.connection.is_none() || *connection == queue_ref.connection;
            is_connection
                && (queues.is_empty() || queue_ref.queue.as_ref().is_none_or(|queue| queues.contains(queue)))
        });
        let beats =
            self.workers.values().filter(|worker| !worker.queues.is_empty() && worker.serves(queue_ref));
        let beats = beats.filter_map(|worker| worker.jobs.map(|(_, at)| at));
        told.map(|(_, at)| *at).chain(beats).max()
    }

    fn take_heartbeat(&mut self, observation: &Observation, stream: StreamKey) {
        let at = observation.at;
        if observation.form == Form::Process && observation.jobs > Some(0) {
            self.is_by_http = true;
            self.note_worked_off(observation);
        }
        let name: Arc<str> = match &observation.id {
            Some(id) => Arc::from(id.key()),
            // A heartbeat without a name is its stream's.
            None => Arc::from(format!("{:016x}", stream.0)),
        };
        let worker = self.workers.entry(name).or_default();
        worker.queues.extend(observation.queue.clone());
        // A worker on several queues names them in one list.
        let named = observation.text.iter().flat_map(|list| list.split(',')).filter_map(QueueName::parse);
        worker.queues.extend(named.map(|queue| queue.within(observation.scope())));
        if let Some(jobs) = observation.jobs.filter(|jobs| *jobs > 0 && observation.form == Form::Monolog) {
            let known = worker.jobs.unwrap_or((jobs, at));
            worker.jobs = Some(match jobs.cmp(&known.0) {
                Ordering::Greater => (jobs, at),
                Ordering::Equal => (jobs, at.min(known.1)),
                Ordering::Less => known,
            });
        }
        if observation.at >= worker.newest {
            worker.newest = observation.at;
            worker.stream = stream;
            worker.connection = observation.connection.clone().or(worker.connection.take());
        }
        if self.workers.len() > WORKERS_MAX {
            let oldest = self.workers.iter().min_by_key(|(name, worker)| (worker.newest, (*name).clone()));
            if let Some(oldest) = oldest.map(|(name, _)| Arc::clone(name)) {
                self.workers.remove(&oldest);
            }
        }
    }

    /// Since when a queue is paused, and whether that is the whole app. A line that names no connection or queue speaks of
    /// any; what was printed at the places of `others` is of their app.
    #[must_use]
    pub fn paused_since(&self, place: &QueueRef, others: &BTreeSet<u64>) -> Option<(Timestamp, bool)> {
        let concerns = |named: &QueueRef| {
            named.may_share_connection(place) && (named.queue.is_none() || named.queue == place.queue)
        };
        let pauses = self.pauses.iter().filter(|(queue_ref, _)| concerns(queue_ref));
        let since = pauses.filter_map(|(of, pause)| Some((pause.since(others)?, *of == QueueRef::default())));
        since.max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::job::{Form, LineKey};

    fn line(stage: Stage, ms: i64) -> Observation {
        Observation::bare(stage, Timestamp::from_ms(ms), LineKey(1), Form::Process)
    }

    fn queue_ref(connection: &str, queue: &str) -> QueueRef {
        QueueRef { connection: Some(connection.into()), queue: Some(queue.into()) }
    }

    #[test]
    fn what_another_app_prints_pauses_nobody_else() {
        let (shop, crm) = (1, 2);
        let mut known = Signals::default();
        let place = queue_ref("redis", "default");
        known.take(&line(Stage::Paused, 5), StreamKey(1), crm);
        assert_eq!(known.paused_since(&place, &BTreeSet::from([shop])), Some((Timestamp::from_ms(5), true)));
        assert_eq!(known.paused_since(&place, &BTreeSet::from([crm])), None);
        known.take(&line(Stage::Resumed, 9), StreamKey(1), shop);
        assert_eq!(known.paused_since(&place, &BTreeSet::from([shop])), Some((Timestamp::from_ms(5), true)));
        assert_eq!(known.paused_since(&place, &BTreeSet::new()), None);
    }

    #[test]
    fn a_queue_is_paused_until_it_is_resumed_whatever_comes_first() {
        let of = |stage, ms| Observation { queue: Some("default".into()), ..line(stage, ms) };
        let lines = [of(Stage::Paused, 5), of(Stage::Resumed, 9), of(Stage::Paused, 12)];
        let nobody = BTreeSet::new();
        for turn in 0..3 {
            let mut known = Signals::default();
            for line in lines.iter().cycle().skip(turn).take(3) {
                known.take(line, StreamKey(1), 1);
            }
            assert_eq!(
                known.paused_since(&queue_ref("redis", "default"), &nobody),
                Some((Timestamp::from_ms(12), false))
            );
            assert_eq!(known.paused_since(&queue_ref("redis", "mail"), &nobody), None);
            known.take(&of(Stage::Resumed, 13), StreamKey(1), 1);
            assert_eq!(known.paused_since(&queue_ref("redis", "default"), &nobody), None);
        }
    }

    #[test]
    fn a_worker_serves_what_its_heartbeats_name_until_it_stops() {
        let mut known = Signals::default();
        let beat = |ms, queue: &str| Observation {
            id: Some("web-1:70".into()),
            queue: Some(queue.into()),
            connection: Some("redis".into()),
            ..line(Stage::WorkerAlive, ms)
        };
        known.take(&beat(100, "high"), StreamKey(1), 1);
        known.take(&beat(100, "default"), StreamKey(1), 1);
        known.take(
            &Observation { text: Some("low,{later}".into()), queue: None, ..beat(100, "") },
            StreamKey(1),
            1,
        );
        let worker = known.workers.values().next().unwrap();
        assert!(worker.serves(&queue_ref("redis", "low")) && worker.serves(&queue_ref("redis", "later")));
        assert!(
            worker.serves(&queue_ref("redis", "high"))
                && worker.serves(&QueueRef::of_queue("default".into()))
        );
        assert!(
            !worker.serves(&queue_ref("redis", "mail")) && !worker.serves(&queue_ref("database", "high"))
        );
        assert!(worker.is_alive_since(Timestamp::from_ms(100)));
        assert!(!worker.is_alive_since(Timestamp::from_ms(101)));
        known.take(
            &Observation { id: Some("web-1:70".into()), ..line(Stage::WorkerStopped, 150) },
            StreamKey(1),
            1,
        );
        assert!(!known.workers.values().next().unwrap().is_alive_since(Timestamp::from_ms(0)));
    }

    #[test]
    fn what_workers_say_of_their_jobs_tells_until_when_they_were_worked_off() {
        let stop = |ms, reason: &str, jobs| Observation {
            connection: Some("database".into()),
            queue: Some("default".into()),
            text: Some(reason.into()),
            jobs,
            form: Form::Monolog,
            ..line(Stage::WorkerStopped, ms)
        };
        let beat = |ms, jobs| Observation {
            id: Some("web-1:70".into()),
            connection: Some("redis".into()),
            queue: Some("high".into()),
            jobs: Some(jobs),
            form: Form::Monolog,
            ..line(Stage::WorkerAlive, ms)
        };
        let by_http =
            Observation { jobs: Some(1), connection: Some("sqs".into()), ..line(Stage::WorkerAlive, 90) };
        let lines = [
            stop(10, "empty", Some(0)),
            stop(20, "max_time", Some(3)),
            beat(30, 5),
            beat(40, 7),
            beat(50, 7),
            by_http,
        ];
        for turn in 0..lines.len() {
            let mut known = Signals::default();
            for line in lines.iter().cycle().skip(turn).take(lines.len()) {
                known.take(line, StreamKey(1), 1);
            }
            let until = |connection, queue| {
                known.worked_off_until(&queue_ref(connection, queue)).map(Timestamp::as_ms)
            };
            assert_eq!(
                until("database", "default"),
                Some(10),
                "which of its jobs were the last, it does not say"
            );
            assert_eq!(until("redis", "high"), Some(40), "since then it has done nothing");
            assert_eq!(until("redis", "low"), None);
            assert_eq!((until("sqs", "jobs"), known.is_by_http), (Some(90), true));
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut known = Signals::default();
        for n in 0..2_000_i64 {
            let id = format!("w{n}");
            known.take(
                &Observation { id: Some(id.as_str().into()), ..line(Stage::WorkerAlive, n) },
                StreamKey(1),
                1,
            );
            known.take(&line(Stage::DeployMark, n * MINUTE_MS), StreamKey(1), 1);
            known.take(&line(Stage::DeployMark, n * MINUTE_MS + 1), StreamKey(1), 1);
        }
        assert_eq!((known.workers.len(), known.deploy_marks.len()), (WORKERS_MAX, MARKS_MAX));
        assert!(known.workers.contains_key("w1999"));
    }
}
