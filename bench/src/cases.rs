//! What the floor is measured on: inputs that are made once, and the work on each.
//!
//! Inputs are files, so that a process under valgrind does not spend its time making them.

use std::fs;
use std::hint::black_box;
use std::io;
use std::path::{Path, PathBuf};

use queuewatch::adapters::memory::{MemoryLedger, RecordedAlarms, RecordedMetrics};
use queuewatch::adapters::settled;
use queuewatch::app;
use queuewatch::config::Config;
use queuewatch::domain::envelope::Limits;
use queuewatch::domain::job::{MINUTE_MS, Timestamp};
use queuewatch::domain::model::policy::Policy;
use queuewatch::domain::reading::read_base64;
use queuewatch::domain::sweep::Horizon;
use queuewatch::domain::systems::Classifier;
use queuewatch::replay::{self, Input, Opened, Settings};
use queuewatch::report::{Extent, Report, text};
use queuewatch::saved;

use crate::lives::{self, Print, STARTS_AT_MS};
use crate::{Payload, app as app_payload, worker};

/// Jobs of a replay: three lines each.
const JOBS_COUNT: i64 = 8_000;

/// An operator's rules: none reads a line of the payloads, so that each is tried on all of them.
const RULES_COUNT: usize = 12;

/// One measurement.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// How the floor calls it.
    pub name: &'static str,
    /// The file with its input.
    input: &'static str,
    work: Work,
}

#[derive(Clone, Copy, Debug)]
enum Work {
    /// The limit: a libdeflate one-shot gunzip.
    Limit,
    /// Outer bytes to observations.
    Read,
    /// The same with an operator's rules.
    ReadWithRules,
    /// Lambda events to a printed report.
    Replay,
    /// A sweep over jobs that all wait.
    Sweep,
    /// What is remembered of jobs.
    Hold,
}

/// All of them.
pub const CASES: &[Case] = &[
    Case { name: "limit app", input: "app.gz", work: Work::Limit },
    Case { name: "limit worker", input: "worker.gz", work: Work::Limit },
    Case { name: "read app", input: "app.base64", work: Work::Read },
    Case { name: "read worker", input: "worker.base64", work: Work::Read },
    Case { name: "read app, 12 rules", input: "app.base64", work: Work::ReadWithRules },
    Case { name: "read worker, 12 rules", input: "worker.base64", work: Work::ReadWithRules },
    Case { name: "replay lives, JSON", input: "lives-json.jsonl", work: Work::Replay },
    Case { name: "replay lives, text", input: "lives-text.jsonl", work: Work::Replay },
    Case { name: "hold waiting", input: "waiting-100000.jsonl", work: Work::Hold },
    Case { name: "hold settled", input: "lives-json.jsonl", work: Work::Hold },
    Case { name: "sweep 10000 waiting", input: "waiting-10000.jsonl", work: Work::Sweep },
    Case { name: "sweep 100000 waiting", input: "waiting-100000.jsonl", work: Work::Sweep },
];

impl Case {
    /// Lines of the input; jobs, of a sweep and of what is held.
    #[must_use]
    pub fn units_count(&self) -> u64 {
        match self.input {
            "lives-json.jsonl" if matches!(self.work, Work::Hold) => JOBS_COUNT.unsigned_abs(),
            "app.gz" | "app.base64" => 18_345,
            "worker.gz" | "worker.base64" => 15_123,
            "waiting-10000.jsonl" => 10_000,
            "waiting-100000.jsonl" => 100_000,
            _ => JOBS_COUNT.unsigned_abs().saturating_mul(3),
        }
    }

    /// Whether what counts is what is held at its end.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        matches!(self.work, Work::Hold)
    }

    /// Does the work on an input of [`prepare`]; `counted` is given the part that counts, and runs it. `false` where it
    /// did not come to what it should.
    ///
    /// # Errors
    /// Where the input cannot be read.
    pub fn run(&self, folder: &Path, counted: impl FnOnce(&mut dyn FnMut())) -> io::Result<bool> {
        let path = folder.join(self.input);
        match self.work {
            Work::Limit => gunzip(&fs::read(path)?, counted),
            Work::Read => read(&fs::read_to_string(path)?, &Classifier::default(), counted),
            Work::ReadWithRules => read(&fs::read_to_string(path)?, &rules()?, counted),
            Work::Replay => Ok(replay(path, counted)),
            Work::Sweep => Ok(sweep(path, self.units_count(), counted)),
            Work::Hold => Ok(hold(path, self.units_count(), counted)),
        }
    }
}

/// Makes every input.
///
/// # Errors
/// Where a file cannot be written.
pub fn prepare(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for Payload { name, gzip, base64, .. } in [app_payload(), worker()] {
        fs::write(folder.join(format!("{name}.gz")), gzip)?;
        fs::write(folder.join(format!("{name}.base64")), base64)?;
    }
    for (name, events) in [
        ("lives-json", lives::worked_off(JOBS_COUNT, Print::Json)),
        ("lives-text", lives::worked_off(JOBS_COUNT, Print::Text)),
        ("waiting-10000", lives::waiting(10_000)),
        ("waiting-100000", lives::waiting(100_000)),
    ] {
        fs::write(folder.join(format!("{name}.jsonl")), events.join("\n"))?;
    }
    Ok(())
}

fn gunzip(gzip: &[u8], counted: impl FnOnce(&mut dyn FnMut())) -> io::Result<bool> {
    // The last four bytes of a gzip are the length of what it holds.
    let size = gzip.last_chunk::<4>().map_or(0, |size| u32::from_le_bytes(*size));
    let mut inflated = vec![0; usize::try_from(size).map_err(io::Error::other)?];
    let mut limit = libdeflater::Decompressor::new();
    let mut is_ok = false;
    counted(&mut || is_ok = limit.gzip_decompress(black_box(gzip), &mut inflated).is_ok());
    Ok(is_ok)
}

fn read(base64: &str, classifier: &Classifier, counted: impl FnOnce(&mut dyn FnMut())) -> io::Result<bool> {
    let mut kept = None;
    counted(&mut || kept = read_base64(black_box(base64), classifier, &Limits::default()).ok());
    Ok(kept.is_some())
}

/// A classifier with rules, as `queuewatch.toml` would have them.
fn rules() -> io::Result<Classifier> {
    let rule = |n: usize| {
        format!(
            "[[rule]]\nname = \"rule {n}\"\nstage = \"enqueued\"\nclass = 'App\\Jobs\\Rule{n}'\nqueue = \"default\"\n\
             pattern = '\"POST /area-{n}/(?:store|regenerate) HTTP/1\\.[01]\" 302'\n"
        )
    };
    let text: String = (0..RULES_COUNT).map(rule).collect();
    Config::parse(&text).and_then(|config| config.classifier()).map_err(io::Error::other)
}

fn opened(path: PathBuf) -> Vec<Input> {
    let (saved, _) = saved::read(&[path], "", &mut io::empty());
    let (classifier, limits) = (Classifier::default(), Limits::default());
    saved.iter().flat_map(|one| replay::open(one, &classifier, &limits)).collect()
}

fn replay(path: PathBuf, counted: impl FnOnce(&mut dyn FnMut())) -> bool {
    let settings = Settings {
        policy: Policy::default(),
        settle_ms: replay::SETTLE_MS,
        keeps_order: false,
        visits_every_minute: false,
    };
    let mut printed = None;
    counted(&mut || {
        let outcome = replay::replay(opened(path.clone()), &settings, |_| ());
        let report = Report::new(&outcome, &settings.policy, Extent::default());
        let palette = text::Palette::default();
        let text = text::render(&outcome, &report, &settings.policy, palette, text::Detail::Brief);
        // Taking it apart is not the replay's: the command does not, either.
        printed = Some((text, outcome, report));
    });
    let jobs_count = printed.as_ref().map(|(_, _, report)| report.counts.enqueued);
    std::mem::forget(printed);
    jobs_count == Some(JOBS_COUNT.unsigned_abs())
}

/// Joins deliveries to a ledger that is still there when the counting ends, and the deliveries as well.
fn hold(path: PathBuf, jobs_count: u64, counted: impl FnOnce(&mut dyn FnMut())) -> bool {
    let deliveries = opened(path);
    let mut store = MemoryLedger::default();
    counted(&mut || {
        for input in &deliveries {
            if let Opened::Lines(record, _) = &input.opened {
                let Ok(_) = settled(app::ingest(&mut store, record));
            }
        }
    });
    let held = store.ledger.jobs().count() as u64;
    std::mem::forget((store, deliveries));
    held == jobs_count
}

fn sweep(path: PathBuf, jobs_count: u64, counted: impl FnOnce(&mut dyn FnMut())) -> bool {
    let policy = Policy::default();
    let mut store = MemoryLedger::default();
    for input in opened(path) {
        if let Opened::Lines(record, _) = input.opened {
            let Ok(_) = settled(app::ingest(&mut store, &record));
        }
    }
    let last = i64::try_from(jobs_count).unwrap_or_default().saturating_mul(50).saturating_add(STARTS_AT_MS);
    let (mut metrics, mut alarms) = (RecordedMetrics::default(), RecordedAlarms::default());
    let mut sweep_at = |minutes: i64| {
        let now = Timestamp::from_ms(last).minute_ceil().plus_ms(minutes.saturating_mul(MINUTE_MS));
        let horizon = Horizon { now, last_delivery: None };
        settled(app::sweep(&mut store, &mut metrics, &mut alarms, &policy, horizon)).is_ok()
    };
    // The first opens the incident; the second is one of the many that follow.
    let mut is_ok = sweep_at(20);
    counted(&mut || is_ok &= sweep_at(21));
    std::mem::forget(store);
    is_ok && !alarms.sent.is_empty()
}
