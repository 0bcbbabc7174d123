//! A world in lines: `second stream verb words…`, one a row.
//!
//! Verbs: `queued ID [QUEUE [CONNECTION]]`, `start`, `done`, `fail` and `release` of `ID [QUEUE [CONNECTION]]`, with a
//! text after `|`; `push`, `pop` and `redis` are a store's errors by their traces, `console` one of a command line; `beat QUEUES [CONNECTION]`; `raw TEXT`.

use crate::domain::diagnosis::{Diagnosis, Question, diagnose};
use crate::domain::envelope::Line;
use crate::domain::incidents::{Blindness, Detail, Incident, Key, Kind};
use crate::domain::job::{SECOND_MS, Timestamp};
use crate::domain::ledger::Ledger;
use crate::domain::model::policy::Policy;
use crate::domain::model::queue_ref::QueueRef;
use crate::domain::model::wake::Wake;
use crate::domain::queues::resolver::QueueResolver;
use crate::domain::queues::view::{self, QueueView, WaitingJob};
use crate::domain::reading::read_lines;
use crate::domain::systems::Classifier;

/// 2026-01-05T12:00:00Z.
const BEGIN_MS: i64 = 1_767_614_400_000;

/// Lines, and what is known of the app.
pub(in crate::domain) struct World {
    pub(in crate::domain) ledger: Ledger,
    pub(in crate::domain) policy: Policy,
    pub(super) reason: Option<Blindness>,
    pub(super) classes: Vec<&'static str>,
    pub(super) unseen_count: u64,
}

/// A moment so many seconds after the beginning.
pub(in crate::domain) fn second(s: i64) -> Timestamp {
    Timestamp::from_ms(BEGIN_MS).plus_ms(s.saturating_mul(SECOND_MS))
}

impl World {
    /// Reads rows.
    pub(in crate::domain) fn read(rows: &str) -> Self {
        let policy = Policy { job_timeout_ms: Some(120_000), ..Policy::default() };
        let mut world =
            Self { ledger: Ledger::default(), policy, reason: None, classes: Vec::new(), unseen_count: 0 };
        for row in rows.lines().map(str::trim).filter(|row| !row.is_empty()) {
            let mut words = row.splitn(3, ' ');
            let (at, stream, what) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
            world.tell(at.parse().unwrap(), stream, what);
        }
        world.ledger.settle();
        world
    }

    /// Adds what one row says, as a payload of its own.
    pub(super) fn tell(&mut self, at_s: i64, stream: &str, what: &str) {
        let at = second(at_s);
        let lines = lines(what);
        let ids: Vec<String> = (0..lines.len()).map(|n| format!("{at_s}-{stream}-{what}-{n}")).collect();
        let events = lines.iter().zip(&ids).map(|(message, id)| Line { id, at, message });
        let mut record = read_lines(&format!("/ecs/{stream}"), stream, events, &Classifier::default());
        record.arrived_at = at;
        self.ledger.fold(&record, []);
    }

    /// Asks why `redis:default` is ill, as a sweep at `now_s` would.
    pub(super) fn ask(&self, kind: Kind, now_s: i64) -> Diagnosis {
        self.ask_of(kind, (Some("redis".into()), Some("default".into())), now_s)
    }

    pub(super) fn ask_of(&self, kind: Kind, place: impl Into<QueueRef>, now_s: i64) -> Diagnosis {
        let place = place.into();
        let now = second(now_s);
        let queues = view::read(&self.ledger, &self.policy, now, &mut Wake::default());
        let nothing = QueueView::default();
        let view = queues.get(&place).unwrap_or(&nothing);
        let is_lost = kind == Kind::Lost;
        let jobs: Vec<&WaitingJob> = match kind {
            Kind::Stalled | Kind::Backlog | Kind::Lost => {
                let overdue = view.waiting.iter().filter(|job| job.overdue_at <= now);
                overdue.filter(|job| job.overtaken_at.is_some() == is_lost).collect()
            }
            Kind::Failing | Kind::StuckRunning | Kind::EnqueueErrors | Kind::Blind => Vec::new(),
        };
        let incident = self.incident(kind, &place, now);
        let question = Question {
            incident: &incident,
            place: &place,
            view,
            jobs: &jobs,
            queues: &queues,
            resolver: &QueueResolver::of(&self.ledger, &self.policy),
            missing: self.ledger.missing_lines(now),
            now,
            heard_until: now,
        };
        diagnose(&self.ledger, &self.policy, &question)
    }

    /// An incident as a sweep would open it.
    fn incident(&self, kind: Kind, place: &QueueRef, now: Timestamp) -> Incident {
        let key = Key { reason: self.reason, ..Key::at(kind, place) };
        let mut incident = Incident::open("one".into(), key, now);
        match &mut incident.detail {
            Detail::Lost(loss) => loss.hidden_count = self.unseen_count,
            Detail::Failing(failure) => {
                failure.classes = self.classes.iter().map(|class| ((*class).into(), now)).collect();
            }
            Detail::Stalled(_)
            | Detail::Backlog(_)
            | Detail::StuckRunning(_)
            | Detail::EnqueueErrors
            | Detail::Blind(_) => {}
        }
        incident
    }
}

/// The log lines of a row.
fn lines(what: &str) -> Vec<String> {
    let (verb, rest) = what.split_once(' ').unwrap_or((what, ""));
    let (words, text) = rest.split_once(" | ").unwrap_or((rest, ""));
    let mut words = words.split(' ');
    let first = words.next().unwrap_or_default();
    let queue = words.next().unwrap_or("default");
    let connection = words.next().unwrap_or("redis");
    let worker = |status: &str, more: &str| {
        vec![format!(
            r#"{{"level":"info","id":"{first}","uuid":"{first}","connection":"{connection}","queue":"{queue}","job":"App\\Jobs\\Make","status":"{status}"{more}}}"#
        )]
    };
    let record = |level: &str, rest: &str| format!("[2026-01-05 12:00:00] production.{level}: {rest}");
    let store = |frame: &str| {
        vec![
            record(
                "ERROR",
                &format!(
                    "{rest} {{\"exception\":\"[object] (RedisException(code: 0): {rest} at /v/PhpRedisConnector.php:185)"
                ),
            ),
            "[stacktrace]".to_owned(),
            format!("#0 /v/x.php(12): {frame}"),
            "#1 {main}".to_owned(),
            "\"} ".to_owned(),
        ]
    };
    match verb {
        "queued" => vec![record(
            "INFO",
            &format!(
                r#"Job queued {{"id":"{first}","uuid":"{first}","job":"App\\Jobs\\Make","queue":"{queue}","connection":"{connection}","delay":null}} "#
            ),
        )],
        "start" => worker("starting", ""),
        "done" => worker("success", r#","result":"deleted","duration":0.02"#),
        "release" => worker("released_after_exception", r#","result":"released","duration":0.02"#),
        "fail" => {
            let (class, message) = text.split_once(": ").unwrap_or(("LogicException", text));
            worker(
                "failed",
                &format!(
                    r#","result":"deleted","exception":"{class}","message":"{message}","duration":0.012"#
                ),
            )
        }
        "console" => vec![
            record(
                "ERROR",
                &format!(
                    "{rest} {{\"exception\":\"[object] (Symfony\\\\Component\\\\Console\\\\Exception\\\\RuntimeException(code: 0): {rest} at /v/ArgvInput.php:1)"
                ),
            ),
            "[stacktrace]".to_owned(),
            r"#0 /v/x.php(1): Laravel\\Horizon\\Console\\WorkCommand->run()".to_owned(),
            "#1 {main}".to_owned(),
            "\"} ".to_owned(),
        ],
        "push" => store(r"Illuminate\\Queue\\RedisQueue->pushRaw()"),
        "pop" => store(r"Illuminate\\Queue\\RedisQueue->pop()"),
        "redis" => store(r"App\\Services\\Cache->get()"),
        "beat" => {
            let connection = rest.split(' ').nth(1).unwrap_or("redis");
            let context = format!(r#"{{"connection":"{connection}","queues":"{first}"}} "#);
            vec![record("INFO", &format!("Worker heartbeat {context}"))]
        }
        "raw" => vec![rest.to_owned()],
        other => unreachable!("verb {other}"),
    }
}
