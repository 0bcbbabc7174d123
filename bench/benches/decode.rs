//! Outer bytes to lines, as ratios to **L**: a libdeflate one-shot gunzip of the same payload into a reused
//! buffer. Ratios within one run are stable where times are not.

#![expect(clippy::print_stdout, reason = "a bench prints its result")]

use std::hint::black_box;

use cpu_time::ThreadTime;
use peak_alloc::PeakAlloc;
use queuewatch::domain::envelope::{Header, Limits, Line, LineSink, open_base64};
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
        measure::<Counting>(&payload, "lines");
    }
}

/// Measures outer bytes to `S`. A sink that classifies is one more call of this.
fn measure<S: LineSink + Default>(payload: &Payload, path: &str) {
    let limits = Limits::default();
    let mut inflated = vec![0; payload.text.len()];
    let mut limit = libdeflater::Decompressor::new();
    let (mut limit_ns, mut path_ns) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS_COUNT {
        limit_ns.push(timed(|| limit.gzip_decompress(black_box(&payload.gzip), &mut inflated).is_ok()));
        path_ns.push(timed(|| open_base64(black_box(&payload.base64), &limits, &mut S::default()).is_ok()));
    }
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    let mut sink = S::default();
    let is_open = open_base64(&payload.base64, &limits, &mut sink).is_ok();
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
        if is_open { "" } else { ", REJECTED" },
    );
}

/// Nanoseconds of this thread's processor time.
fn timed(work: impl FnOnce() -> bool) -> f64 {
    let start = ThreadTime::now();
    black_box(work());
    start.elapsed().as_nanos() as f64
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}
