//! Counts allocations, and what is held at most, while a delivery near Lambda's limit is read, and what is remembered of
//! each job; fails where that is a quarter more than `bench/floor.toml` says.

#![expect(clippy::print_stdout, reason = "a bench prints its result")]

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, ensure};
use queuewatch_bench::cases::{CASES, prepare};
use queuewatch_bench::floor::{Floor, rounded};

fn main() -> anyhow::Result<ExitCode> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("heap");
    prepare(&folder).context("writing the inputs")?;
    let mut measured = Floor::default();
    for case in CASES.iter().filter(|case| case.name.starts_with("read ") || case.is_held()) {
        let mut taken = None;
        let is_ok = case.run(&folder, |work| taken = Some(allocation_counter::measure(work)))?;
        let taken = taken.filter(|_| is_ok).with_context(|| format!("{} failed", case.name))?;
        ensure!(taken.count_total > 0, "{}: nothing was counted", case.name);
        if case.is_held() {
            let bytes = taken.bytes_current as f64 / case.units_count() as f64;
            measured.job_bytes.insert(case.name.to_owned(), rounded(bytes));
            continue;
        }
        let allocations = taken.count_total as f64 / case.units_count() as f64;
        measured.allocations.insert(case.name.to_owned(), rounded(allocations));
        measured.heap_kb.insert(case.name.to_owned(), rounded(taken.bytes_max as f64 / 1e3));
    }
    let verdict = Floor::read()?.compare(&measured);
    println!("{}", verdict.text);
    Ok(if verdict.is_worse { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
