//! A function's life, minute by minute, without an end: what an operator asks for, the greeting, lines that come late;
//! over the memory's ledger and over a table's, which must not differ.

#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "what fails must fail the test, and test helpers are outside clippy's exemption"
)]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use queuewatch::adapters::memory::{MemoryLedger, MemoryTable, RecordedAlarms, RecordedMetrics};
use queuewatch::app::{self, Swept};
use queuewatch::domain::command::Command;
use queuewatch::domain::envelope::Line;
use queuewatch::domain::job::{MINUTE_MS, SECOND_MS, Timestamp};
use queuewatch::domain::model::policy::{Policy, Silence};
use queuewatch::domain::reading::read_lines;
use queuewatch::domain::sweep::Horizon;
use queuewatch::domain::systems::Classifier;
use queuewatch::durable::TableLedger;
use queuewatch::ports::LedgerStore;

/// 2026-01-05T09:00:00Z.
const BEGIN_MS: i64 = 1_767_603_600_000;

fn settled<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// A deployed queuewatch.
struct Live<S> {
    store: S,
    metrics: RecordedMetrics,
    alarms: RecordedAlarms,
    policy: Policy,
    lines: u64,
}

impl<S: LedgerStore> Live<S> {
    fn new(store: S, policy: Policy) -> Self {
        Self {
            store,
            metrics: RecordedMetrics::default(),
            alarms: RecordedAlarms::default(),
            policy,
            lines: 0,
        }
    }

    /// A line of a log group, stamped at a second and delivered at another.
    fn deliver(&mut self, group: &str, stamp_s: i64, arrival_s: i64, message: &str) {
        self.lines += 1;
        let id = format!("{:056}", self.lines);
        let line = Line { id: &id, at: second(stamp_s), message };
        let mut record = read_lines(group, "ecs/app/1", [line].into_iter(), &Classifier::default());
        record.arrived_at = second(arrival_s);
        settled(app::ingest(&mut self.store, &record)).unwrap();
    }

    fn enqueue(&mut self, n: u32, at_s: i64) {
        let context = format!(
            r#"{{"id":"job{n:029}","job":"App\\Jobs\\Mail","queue":"default","connection":"redis"}}"#
        );
        self.deliver(
            "/app",
            at_s,
            at_s + 2,
            &format!("[2026-01-05 09:00:00] production.INFO: Job queued {context}"),
        );
    }

    fn start(&mut self, n: u32, at_s: i64, arrival_s: i64) {
        let line = format!("  2026-01-05 09:00:00 App\\Jobs\\Mail job{n:029} ........ RUNNING");
        self.deliver("/worker", at_s, arrival_s, &line);
    }

    fn end(&mut self, n: u32, at_s: i64, arrival_s: i64) {
        let line = format!("  2026-01-05 09:00:00 App\\Jobs\\Mail job{n:029} ........ 900ms DONE");
        self.deliver("/worker", at_s, arrival_s, &line);
    }

    fn tick(&mut self, minute: i64) {
        let swept = settled(app::sweep(
            &mut self.store,
            &mut self.metrics,
            &mut self.alarms,
            &self.policy,
            horizon(minute),
        ));
        assert!(matches!(swept, Ok(Swept::Done(_))));
    }

    fn ticks(&mut self, minutes: std::ops::RangeInclusive<i64>) {
        for minute in minutes {
            self.tick(minute);
        }
    }

    fn apply_command(&mut self, minute: i64, command: &Command) -> Result<(), String> {
        let Self { store, metrics, alarms, policy, .. } = self;
        let applied = settled(app::apply_command(store, metrics, alarms, policy, horizon(minute), command));
        applied.map(drop).map_err(|error| error.to_string())
    }

    fn subjects(&self) -> Vec<&str> {
        let greeting = |subject: &&str| !subject.starts_with("WATCHING");
        self.alarms.sent.iter().map(|message| message.subject.as_str()).filter(greeting).collect()
    }
}

fn second(s: i64) -> Timestamp {
    Timestamp::from_ms(BEGIN_MS + s * SECOND_MS)
}

fn horizon(minute: i64) -> Horizon {
    Horizon { now: Timestamp::from_ms(BEGIN_MS + minute * MINUTE_MS), last_delivery: None }
}

/// Tells a story over both stores.
fn tell(policy: &Policy, story: impl Fn(&mut dyn Told)) {
    let mut memory = Live::new(MemoryLedger::default(), policy.clone());
    story(&mut memory);
    let table = TableLedger::new(MemoryTable::new(), policy, "test".to_owned());
    let mut durable = Live::new(table, policy.clone());
    story(&mut durable);
    // But for the greeting, whose count of lines may be half a minute old.
    let bodies = |alarms: &RecordedAlarms| {
        let of_incidents = alarms.sent.iter().filter(|message| message.severity.is_some());
        of_incidents.map(|message| message.body.clone()).collect::<Vec<_>>()
    };
    assert_eq!(bodies(&memory.alarms), bodies(&durable.alarms), "both stores say the same");
}

/// What a story may do, over either store.
trait Told {
    fn enqueue(&mut self, n: u32, at_s: i64);
    fn start(&mut self, n: u32, at_s: i64, arrival_s: i64);
    fn end(&mut self, n: u32, at_s: i64, arrival_s: i64);
    fn noise(&mut self, at_s: i64);
    fn ticks(&mut self, minutes: std::ops::RangeInclusive<i64>);
    fn apply_command(&mut self, minute: i64, command: &Command) -> Result<(), String>;
    fn subjects(&self) -> Vec<String>;
    fn greetings(&self) -> Vec<String>;
}

impl<S: LedgerStore> Told for Live<S> {
    fn enqueue(&mut self, n: u32, at_s: i64) {
        Live::enqueue(self, n, at_s);
    }
    fn start(&mut self, n: u32, at_s: i64, arrival_s: i64) {
        Live::start(self, n, at_s, arrival_s);
    }
    fn end(&mut self, n: u32, at_s: i64, arrival_s: i64) {
        Live::end(self, n, at_s, arrival_s);
    }
    fn noise(&mut self, at_s: i64) {
        self.deliver("/app", at_s, at_s + 2, r#"10.0.0.1 - - "GET / HTTP/1.1" 200 12"#);
    }
    fn ticks(&mut self, minutes: std::ops::RangeInclusive<i64>) {
        Live::ticks(self, minutes);
    }
    fn apply_command(&mut self, minute: i64, command: &Command) -> Result<(), String> {
        Live::apply_command(self, minute, command)
    }
    fn subjects(&self) -> Vec<String> {
        Live::subjects(self).into_iter().map(str::to_owned).collect()
    }
    fn greetings(&self) -> Vec<String> {
        let greeting =
            |message: &&queuewatch::domain::outbox::OutgoingMessage| message.incident == "now-watching";
        self.alarms.sent.iter().filter(greeting).map(|message| message.body.clone()).collect()
    }
}

fn close(id: &str) -> Command {
    Command::Close { id: id.to_owned(), reason: "redis was flushed".to_owned() }
}

#[test]
fn an_incident_closed_by_hand_is_over_and_its_jobs_are_given_up() {
    tell(&Policy::default(), |live| {
        live.enqueue(1, 0);
        live.ticks(1..=6);
        assert_eq!(live.subjects(), ["ALARM app redis:default: no job started for 6 min, 1 waiting"]);
        assert_eq!(
            live.apply_command(7, &close("stalled-redis-default-20260105T0859Z")),
            Err("no incident of this id is open; `queuewatch doctor` lists those that are".to_owned())
        );
        live.apply_command(7, &close("stalled-redis-default-20260105T0906Z")).unwrap();
        let closed = "OK app redis:default: stall closed by hand: redis was flushed";
        assert_eq!(live.subjects().get(1).map(String::as_str), Some(closed));
        live.ticks(8..=200);
        assert_eq!(live.subjects().len(), 2, "{:?}", live.subjects());
        live.enqueue(2, 201 * 60);
        live.ticks(202..=210);
        assert_eq!(
            live.subjects().get(2).map(String::as_str),
            Some("ALARM app redis:default: no job started for 6 min, 1 waiting")
        );
    });
}

fn seen(id: &str, by: &str) -> Command {
    Command::Seen { id: id.to_owned(), by: by.to_owned() }
}

#[test]
fn an_incident_that_is_seen_stays_open_and_reminds_nobody_and_everybody_is_told_who() {
    tell(&Policy::default(), |live| {
        live.enqueue(1, 0);
        live.ticks(1..=6);
        assert!(live.apply_command(7, &seen("stalled-redis-other", "anna")).is_err());
        // The beginning is enough where no other open one begins so.
        live.apply_command(7, &seen("stalled", "anna")).unwrap();
        live.apply_command(8, &seen("stalled-redis-default-20260105T0906Z", "anna")).unwrap();
        live.ticks(9..=300);
        let said = live.subjects();
        assert_eq!(said.len(), 2, "the same person again is no news, and nobody is reminded: {said:?}");
        assert_eq!(said[1], "SEEN app redis:default: 1 job waits over 5 min, 7 min now");
        live.apply_command(301, &seen("stalled", "ben")).unwrap();
        live.ticks(302..=310);
        assert_eq!(live.subjects().len(), 3, "another one is");
        live.start(1, 310 * 60 + 5, 310 * 60 + 7);
        live.end(1, 310 * 60 + 6, 310 * 60 + 8);
        live.ticks(311..=340);
        let said = live.subjects();
        assert!(said.len() == 4 && said[3].starts_with("OK app redis:default:"), "it was open: {said:?}");
        // The next one is nobody's yet.
        live.enqueue(2, 341 * 60);
        live.ticks(342..=420);
        let said = live.subjects();
        assert!(said[4].starts_with("ALARM ") && said[5].contains("still no job started"), "{said:?}");
    });
}

#[test]
fn a_message_says_who_has_seen_it_and_does_not_ask_again() {
    let mut memory = Live::new(MemoryLedger::default(), Policy::default());
    memory.enqueue(1, 0);
    memory.ticks(1..=6);
    let offer = "queuewatch answer stalled-redis-default-20260105T0906Z seen --stack queuewatch";
    assert!(memory.alarms.sent[0].body.contains(offer), "{}", memory.alarms.sent[0].body);
    memory.apply_command(7, &seen("stalled", "anna")).unwrap();
    let told = &memory.alarms.sent.last().unwrap().body;
    assert!(told.starts_with("anna has seen it, at 09:07. app: jobs on redis:default"), "{told}");
    assert!(!told.contains(" seen --") && !told.contains("told again"), "{told}");
    assert!(told.contains("queuewatch close "), "{told}");
}

#[test]
fn an_incident_is_silenced_by_its_id() {
    tell(&Policy::default(), |live| {
        live.enqueue(1, 0);
        live.ticks(1..=6);
        let hush =
            |id: &str| Command::Hush { id: id.to_owned(), until: horizon(200).now, reason: String::new() };
        assert!(live.apply_command(7, &hush("lost")).is_err());
        live.apply_command(7, &hush("stalled-redis")).unwrap();
        live.ticks(8..=199);
        assert_eq!(live.subjects().len(), 1, "{:?}", live.subjects());
    });
}

#[test]
fn a_silence_delays_a_page_and_does_not_cancel_it() {
    tell(&Policy::default(), |live| {
        live.enqueue(1, 0);
        let until = horizon(30).now;
        let silence = Silence { queue: "default".to_owned(), until, reason: "deploy".to_owned() };
        live.apply_command(1, &Command::Silence(silence)).unwrap();
        live.ticks(2..=29);
        assert_eq!(live.subjects(), Vec::<String>::new());
        live.ticks(30..=31);
        assert_eq!(live.subjects(), ["ALARM app redis:default: no job started for 30 min, 1 waiting"]);
    });
}

#[test]
fn what_is_over_when_a_silence_ends_was_never_said() {
    let until = horizon(60).now;
    let silence = Silence { queue: "def*".to_owned(), until, reason: String::new() };
    tell(&Policy { silences: vec![silence], ..Policy::default() }, |live| {
        live.enqueue(1, 0);
        live.ticks(1..=20);
        live.start(1, 20 * 60 + 5, 20 * 60 + 7);
        live.end(1, 20 * 60 + 6, 20 * 60 + 8);
        live.ticks(21..=90);
        assert_eq!(live.subjects(), Vec::<String>::new());
    });
}

#[test]
fn the_greeting_goes_out_once_a_quarter_of_an_hour_after_the_first_delivery() {
    tell(&Policy::default(), |live| {
        live.noise(10);
        live.ticks(1..=15);
        assert!(live.greetings().is_empty());
        live.ticks(16..=40);
        assert_eq!(live.greetings().len(), 1);
    });
}

#[test]
fn a_workers_lines_that_come_six_minutes_late_page_nobody() {
    tell(&Policy::default(), |live| {
        for n in 0..20 {
            let at_s = i64::from(n) * 60;
            live.enqueue(n, at_s);
            // The first of these tell of jobs from before, and that the stream is late.
            let job = if n >= 6 { n - 6 } else { 1_000 + n };
            live.start(job, at_s - 360 + 1, at_s + 1);
            live.ticks(i64::from(n) + 1..=i64::from(n) + 1);
        }
        let pages =
            live.subjects().into_iter().filter(|subject| subject.starts_with("ALARM")).collect::<Vec<_>>();
        assert_eq!(pages, Vec::<String>::new());
    });
}
