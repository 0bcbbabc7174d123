//! Outer bytes to lines, and to what they say, as ratios to **L**: a libdeflate one-shot gunzip of the same payload into a reused
//! buffer. Ratios within one run are stable where times are not.
//! Then whole replays, in lines a second of one core.

#![expect(clippy::print_stdout, reason = "a bench prints its result")]

use std::hint::black_box;

use cpu_time::ThreadTime;
use peak_alloc::PeakAlloc;
use queuewatch::domain::envelope::{Header, Limits, Line, LineSink, open_base64};
use queuewatch::domain::model::policy::Policy;
use queuewatch::domain::reading::read_base64;
use queuewatch::domain::systems::Classifier;
use queuewatch::replay::{self, Settings};
use queuewatch::report::{Extent, Report};
use queuewatch::saved::{Saved, SavedBody};
use queuewatch_bench::{Payload, app, worker};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// Odd, so that the median is one of them.
const ROUNDS_COUNT: usize = 31;

/// Touches each line as little as a sink can.
#[derive(Default)]
struct Counting {
    lines_count: usize,
    bytes: usize,
}

impl LineSink for Counting {
    fn begin(&mut self, _header: &Header) {}

    fn line(&mut self, line: Line<'_>) {
        self.lines_count = self.lines_count.wrapping_add(1);
        self.bytes = self.bytes.wrapping_add(black_box(line).message.len());
    }
}

fn main() {
    println!("payload  path    x L   ns/line  heap/inflated");
    for payload in [app(), worker()] {
        let limits = Limits::default();
        let lines = |base64: &str| open_base64(base64, &limits, &mut Counting::default()).ok();
        measure(&payload, "lines", lines);
        let classifier = Classifier::default();
        // What was read is kept until the clock has stopped: letting go of it is the ledger's time.
        measure(&payload, "reads", |base64| read_base64(base64, &classifier, &limits).ok());
    }
    for payload in [app(), worker()] {
        measure_replay(&payload);
    }
}

/// Measures saved events to a report, on one core: copies of the payload, each with lines of its own.
fn measure_replay(payload: &Payload) {
    let settings = Settings {
        policy: Policy::default(),
        settle_ms: replay::SETTLE_MS,
        keeps_order: false,
        visits_every_minute: false,
    };
    let classifier = Classifier::default();
    let limits = Limits::default();
    let saved = Saved {
        source: payload.name.to_owned(),
        body: SavedBody::Event(format!(r#"{{"awslogs":{{"data":"{}"}}}}"#, payload.base64).into_bytes()),
    };
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS_COUNT {
        rounds.push(timed(|| {
            let inputs = replay::open(black_box(&saved), &classifier, &limits);
            let outcome = replay::replay(inputs, &settings, |_| ());
            let report = Report::new(&outcome, &settings.policy, Extent::default());
            serde_json::to_string(&report).is_ok()
        }));
    }
    let ns = median(rounds) / payload.lines_count as f64;
    println!("{:8} replay {ns:14.0} ns/line, {:.0} lines/s on one core", payload.name, 1e9 / ns);
}

/// Measures a path from the outer bytes on.
fn measure<T>(payload: &Payload, path: &str, run: impl Fn(&str) -> Option<T>) {
    let mut inflated = vec![0; payload.text.len()];
    let mut limit = libdeflater::Decompressor::new();
    let (mut limit_ns, mut path_ns) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS_COUNT {
        limit_ns.push(timed(|| limit.gzip_decompress(black_box(&payload.gzip), &mut inflated).is_ok()));
        path_ns.push(timed(|| run(black_box(&payload.base64))));
    }
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    let kept = run(&payload.base64);
    let heap_bytes = HEAP.peak_usage().saturating_sub(before);
    let (limit_ns, path_ns) = (median(limit_ns), median(path_ns));
    println!(
        "{:8} {path:6} {:5.2} {:8.0} {:8.3}   ({} lines, {:.2} MB outer, {:.2} MB inflated, L {:.2} ms{})",
        payload.name,
        path_ns / limit_ns,
        path_ns / payload.lines_count as f64,
        heap_bytes as f64 / payload.text.len() as f64,
        payload.lines_count,
        payload.base64.len() as f64 / 1e6,
        payload.text.len() as f64 / 1e6,
        limit_ns / 1e6,
        if kept.is_some() { "" } else { ", REJECTED" },
    );
}

/// Nanoseconds of this thread's processor time.
fn timed<T>(work: impl FnOnce() -> T) -> f64 {
    let start = ThreadTime::now();
    let made = black_box(work());
    let spent = start.elapsed();
    drop(made);
    spent.as_nanos() as f64
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}
