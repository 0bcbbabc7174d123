//! Sweeps that meet what another one left when it died, and an index that lags.

#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "what fails must fail the test, and test helpers are outside clippy's exemption"
)]

use std::convert::Infallible;
use std::future::{Future, pending};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use queuewatch::adapters::memory::{MemoryTable, RecordedAlarms, RecordedMetrics};
use queuewatch::app::{self, Swept};
use queuewatch::domain::command::Command;
use queuewatch::domain::envelope::Line;
use queuewatch::domain::job::{MINUTE_MS, SECOND_MS, Timestamp};
use queuewatch::domain::metric::{Datum, Dimensions, Metric};
use queuewatch::domain::model::policy::Policy;
use queuewatch::domain::outbox::OutgoingMessage;
use queuewatch::domain::reading::read_lines;
use queuewatch::domain::sweep::Horizon;
use queuewatch::domain::systems::Classifier;
use queuewatch::durable::TableLedger;
use queuewatch::ports::{AlarmChannel, MetricSink};

/// 2026-01-05T09:00:00Z.
const BEGIN_MS: i64 = 1_767_603_600_000;

fn second(s: i64) -> Timestamp {
    Timestamp::from_ms(BEGIN_MS + s * SECOND_MS)
}

fn horizon(minute: i64) -> Horizon {
    Horizon { now: Timestamp::from_ms(BEGIN_MS + minute * MINUTE_MS), last_delivery: None }
}

/// Polls once: the memory answers at once, and whoever waits never goes on.
fn once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

fn settled<F: Future>(future: F) -> F::Output {
    let Poll::Ready(output) = once(future) else { unreachable!("it waits") };
    output
}

/// Sinks that whoever calls them dies of: after everything is written down, before it is tidied up.
struct Deadly;

impl MetricSink for Deadly {
    type Error = Infallible;

    async fn put(&mut self, _app: &str, _data: Vec<Datum>, _now: Timestamp) -> Result<(), Infallible> {
        pending().await
    }
}

impl AlarmChannel for Deadly {
    type Error = Infallible;

    async fn send(&mut self, _letter: &OutgoingMessage) -> Result<(), Infallible> {
        pending().await
    }
}

/// A deployed queuewatch, of which each process is a new one.
#[derive(Default)]
struct World {
    table: MemoryTable,
    policy: Policy,
    metrics: RecordedMetrics,
    alarms: RecordedAlarms,
    count: u64,
}

impl World {
    fn process(&mut self) -> TableLedger<MemoryTable> {
        self.count += 1;
        TableLedger::new(self.table.clone(), &self.policy, format!("process{}", self.count))
    }

    fn deliver(&mut self, group: &str, at_s: i64, message: &str) {
        self.count += 1;
        let id = format!("{:056}", self.count);
        let line = Line { id: &id, at: second(at_s), message };
        let mut record = read_lines(group, "ecs/app/1", [line].into_iter(), &Classifier::default());
        record.arrived_at = second(at_s + 2);
        settled(app::ingest(&mut self.process(), &record)).unwrap();
    }

    fn enqueue(&mut self, n: u32, at_s: i64) {
        let context = format!(
            r#"{{"id":"job{n:029}","job":"App\\Jobs\\Mail","queue":"default","connection":"redis"}}"#
        );
        self.deliver("/app", at_s, &format!("[2026-01-05 09:00:00] production.INFO: Job queued {context}"));
    }

    fn sweep(&mut self, minute: i64) {
        let mut store = self.process();
        let Self { policy, metrics, alarms, .. } = self;
        let swept = settled(app::sweep(&mut store, metrics, alarms, policy, horizon(minute)));
        assert!(matches!(swept, Ok(Swept::Done(_))));
    }

    /// A sweep that has written down what it decided, has said it, and dies.
    fn sweep_and_die(&mut self, minute: i64) {
        let mut store = self.process();
        let Self { policy, alarms, .. } = self;
        let swept = once(app::sweep(&mut store, &mut Deadly, alarms, policy, horizon(minute)));
        assert!(swept.is_pending());
    }

    fn pages(&self) -> usize {
        self.alarms.sent.iter().filter(|letter| letter.subject.starts_with("ALARM")).count()
    }

    /// How many jobs the sweep of that minute showed to wait.
    fn pending(&self, minute: i64) -> i64 {
        let mut rows = self.metrics.rows();
        let of_app = |metric: Metric, of: &Dimensions| metric == Metric::Pending && *of == Dimensions::App;
        let (_, _, _, minutes) = rows.find(|(metric, of, ..)| of_app(*metric, of)).unwrap();
        minutes.iter().find(|(at, _)| *at == horizon(minute).now).unwrap().1.max
    }
}

#[test]
fn what_was_settled_by_counting_stays_settled() {
    let mut world = World::default();
    world.enqueue(1, 0);
    world.deliver("/worker", 1, "  2026-01-05 09:00:00 App\\Jobs\\Mail ....... RUNNING");
    world.deliver("/worker", 2, "  2026-01-05 09:00:00 App\\Jobs\\Mail ....... 1s DONE");
    world.sweep(1);
    assert_eq!(world.pending(1), 0);
    // Beyond two hours the lines are let go of, and what they said of the job is written to its item: not here.
    world.sweep_and_die(130);
    for minute in 131..=140 {
        world.sweep(minute);
        assert_eq!(world.pending(minute), 0, "minute {minute}");
    }
    assert_eq!(world.pages(), 0);
}

#[test]
fn what_was_given_up_by_hand_stays_given_up() {
    let mut world = World::default();
    world.enqueue(1, 0);
    for minute in 1..=6 {
        world.sweep(minute);
    }
    let id = world.alarms.sent[0].incident.clone();
    let close = Command::Close { id, reason: "redis was flushed".to_owned() };
    let mut store = world.process();
    let (metrics, alarms) = (&mut Deadly, &mut Deadly);
    assert!(
        once(app::apply_command(&mut store, metrics, alarms, &world.policy, horizon(130), &close))
            .is_pending()
    );
    for minute in 131..=140 {
        world.sweep(minute);
        assert_eq!(world.pending(minute), 0, "minute {minute}");
    }
    assert_eq!(world.pages(), 1);
}

#[test]
fn a_job_whose_end_the_index_does_not_show_yet_pages_nobody() {
    let mut world = World::default();
    world.enqueue(1, 0);
    world.sweep(1);
    let line = format!("  2026-01-05 09:00:00 App\\Jobs\\Mail job{:029} redis default ....... 1s DONE", 1);
    world.deliver("/worker", 350, &line);
    // It has left the index already, and what its lines say is not in there yet.
    world.table.set_index_lag(1);
    world.sweep(6);
    world.table.set_index_lag(0);
    world.sweep(7);
    assert_eq!(world.pages(), 0);
    assert_eq!(world.pending(7), 0);
}

#[test]
fn what_was_given_up_by_hand_stays_given_up_however_much_it_is() {
    let mut world = World::default();
    // More than the checkpoint remembers.
    for n in 0..2_300 {
        world.enqueue(n, 0);
    }
    world.sweep(6);
    let id = world.alarms.sent.first().unwrap().incident.clone();
    let close = Command::Close { id, reason: "redis was flushed".to_owned() };
    let mut store = world.process();
    let World { policy, metrics, alarms, .. } = &mut world;
    settled(app::apply_command(&mut store, metrics, alarms, policy, horizon(150), &close)).unwrap();
    world.sweep(151);
    assert_eq!((world.pending(151), world.pages()), (0, 1));
}
