//! The captures: one Laravel version in one scenario each, and what happened to their jobs.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// What happened, as the queue's own events told it.
#[derive(Deserialize)]
pub(crate) struct Truth {
    pub(crate) laravel: String,
    pub(crate) jobs: Vec<Job>,
}

/// One job of the truth.
#[derive(Deserialize)]
pub(crate) struct Job {
    pub(crate) uuid: Option<String>,
    pub(crate) class: String,
    pub(crate) outcome: String,
    pub(crate) enqueue_id: Option<serde_json::Value>,
    pub(crate) events: Vec<(String, serde_json::Value, serde_json::Value, f64)>,
}

/// The app's and the worker's output, each line with its epoch millisecond, and the truth.
pub(crate) struct Capture {
    pub(crate) name: String,
    pub(crate) truth: Truth,
    pub(crate) app: Vec<(i64, String)>,
    pub(crate) worker: Vec<(i64, String)>,
}

/// What a capture's lines say, counted.
#[derive(Debug, PartialEq)]
pub(crate) struct Counts {
    pub(crate) enqueued: u64,
    pub(crate) starts: u64,
    pub(crate) ends: u64,
    pub(crate) enqueue_errors: u64,
}

pub(crate) fn captures() -> Vec<Capture> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/laravel");
    let mut folders: Vec<PathBuf> = Vec::new();
    for version in fs::read_dir(root).unwrap() {
        folders.extend(fs::read_dir(version.unwrap().path()).unwrap().map(|entry| entry.unwrap().path()));
    }
    folders.sort();
    folders.iter().map(|folder| capture(folder)).collect()
}

fn capture(folder: &Path) -> Capture {
    let lines = |name: &str| {
        let log = fs::read(folder.join(format!("{name}.log"))).unwrap();
        let log = String::from_utf8_lossy(&log).into_owned();
        let stamps = fs::read_to_string(folder.join(format!("{name}.ts"))).unwrap();
        stamps.lines().map(|ms| ms.parse().unwrap()).zip(log.lines().map(str::to_owned)).collect()
    };
    let version = folder.parent().and_then(Path::file_name).unwrap();
    let name = Path::new(version).join(folder.file_name().unwrap()).to_str().unwrap().to_owned();
    let truth = serde_json::from_slice(&fs::read(folder.join("truth.json")).unwrap()).unwrap();
    Capture { name, truth, app: lines("app"), worker: lines("worker") }
}

impl Capture {
    /// App and worker as one stream, by time.
    pub(crate) fn merged(&self) -> Vec<(i64, String)> {
        let mut lines = [self.app.as_slice(), self.worker.as_slice()].concat();
        lines.sort_by_key(|(ms, _)| *ms);
        lines
    }

    /// What its lines should count to.
    pub(crate) fn expected(&self) -> Counts {
        let jobs = &self.truth.jobs;
        let count = |kinds: &[&str]| {
            jobs.iter().flat_map(|job| &job.events).filter(|event| kinds.contains(&event.0.as_str())).count()
                as u64
        };
        // 9.21–9.40 print no start, and nothing of a worker that wrote into a file reaches its log.
        let prints_starts = self.truth.laravel != "9.40.0";
        Counts {
            enqueued: jobs.iter().filter(|job| job.enqueue_id.is_some()).count() as u64,
            starts: if prints_starts && !self.is_redirected() { count(&["processing"]) } else { 0 },
            ends: if self.is_redirected() { 0 } else { count(self.ends()) },
            enqueue_errors: jobs.iter().filter(|job| job.outcome == "dispatch_failed").count() as u64,
        }
    }

    /// Whether the worker wrote into a file.
    pub(crate) fn is_redirected(&self) -> bool {
        self.name.ends_with("h-redirected")
    }

    /// Whether worker lines carry ids: text of 9.21 and later does only with `-v`.
    pub(crate) fn prints_ids(&self) -> bool {
        self.name.starts_with("8.") || self.name.contains("json") || self.name.contains("verbose")
    }

    /// The events that print an end: before 9.21 a job that goes back to be tried again prints nothing.
    pub(crate) fn ends(&self) -> &'static [&'static str] {
        const ENDS: [&str; 3] = ["processed", "failed", "released_after_exception"];
        if self.truth.laravel.starts_with("8.") { &ENDS[..2] } else { &ENDS }
    }
}
