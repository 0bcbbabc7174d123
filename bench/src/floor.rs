//! The floor: what each case took when it was last looked at, and whether it has become worse.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::{fs, io};

use serde::{Deserialize, Serialize};

/// How much more than its floor a case may take.
const WORSE_MAX: f64 = 1.25;

/// From here on the floor is too low to notice much.
const BETTER_MIN: f64 = 0.8;

/// The floor in force.
const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/floor.toml");

/// What was measured, by case. A part that is empty was not measured.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Floor {
    /// Instructions of a line; of a sweep, for each waiting job.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub instructions: BTreeMap<String, f64>,
    /// Allocations of a line.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub allocations: BTreeMap<String, f64>,
    /// The most that was held above the payload, in kilobytes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub heap_kb: BTreeMap<String, f64>,
    /// Bytes that are remembered of a job.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub job_bytes: BTreeMap<String, f64>,
}

/// A comparison.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// A line for each case, what is to be done, and what was measured in the floor's form.
    pub text: String,
    /// Whether something is worse, or not compared.
    pub is_worse: bool,
}

/// Three digits behind the point: more changes from run to run.
#[must_use]
pub fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

impl Floor {
    /// The floor in force.
    ///
    /// # Errors
    /// Where its file cannot be read.
    pub fn read() -> io::Result<Self> {
        toml::from_str(&fs::read_to_string(PATH)?).map_err(io::Error::other)
    }

    /// Compares what was measured with this floor.
    #[must_use]
    pub fn compare(&self, measured: &Self) -> Verdict {
        let mut verdict = Verdict::default();
        let limit = |name: &str| {
            let payload = ["app", "worker"].into_iter().find(|payload| name.contains(payload))?;
            measured.instructions.get(&format!("limit {payload}")).copied()
        };
        verdict.add("instructions", &self.instructions, &measured.instructions, limit);
        verdict.add("allocations", &self.allocations, &measured.allocations, |_| None);
        verdict.add("heap, kB", &self.heap_kb, &measured.heap_kb, |_| None);
        verdict.add("of a job, bytes", &self.job_bytes, &measured.job_bytes, |_| None);
        let form = toml::to_string(measured).unwrap_or_default();
        let _ = write!(verdict.text, "\nAs bench/floor.toml would have it:\n\n{form}");
        verdict
    }
}

impl Verdict {
    fn add(
        &mut self,
        what: &str,
        floor: &BTreeMap<String, f64>,
        measured: &BTreeMap<String, f64>,
        limit: impl Fn(&str) -> Option<f64>,
    ) {
        if measured.is_empty() {
            return;
        }
        let _ = writeln!(self.text, "{what:24} {:>10} {:>10} {:>6} {:>6}", "now", "floor", "ratio", "x L");
        for (name, now) in measured {
            let limit = limit(name).map(|limit| format!("{:.2}", now / limit)).unwrap_or_default();
            let before = floor.get(name).copied();
            let ratio = before.map(|before| now / before.max(f64::MIN_POSITIVE));
            let remark = match ratio {
                None => "  WORSE: it has no floor",
                Some(ratio) if ratio > WORSE_MAX => "  WORSE by more than a quarter",
                Some(ratio) if ratio < BETTER_MIN => "  better: lower its floor",
                Some(_) => "",
            };
            self.is_worse |= remark.contains("WORSE");
            let (before, ratio) = (before.unwrap_or(f64::NAN), ratio.unwrap_or(f64::NAN));
            let _ =
                writeln!(self.text, "  {name:22} {now:10.2} {before:10.2} {ratio:6.2} {limit:>6}{remark}");
        }
        for name in floor.keys().filter(|name| !measured.contains_key(*name)) {
            let _ = writeln!(self.text, "  {name:22} WORSE: it is measured no more");
            self.is_worse = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floor(name: &str, instructions: f64) -> Floor {
        Floor { instructions: BTreeMap::from([(name.to_owned(), instructions)]), ..Floor::default() }
    }

    #[track_caller]
    fn check(now: f64, is_worse: bool, is_better: bool) {
        let verdict = floor("read app", 100.0).compare(&floor("read app", now));
        assert_eq!((verdict.is_worse, verdict.text.contains("lower")), (is_worse, is_better), "{verdict:?}");
    }

    #[test]
    fn what_takes_a_quarter_more_than_its_floor_fails() {
        check(100.0, false, false);
        check(124.0, false, false);
        check(126.0, true, false);
        check(140.0, true, false);
        check(79.0, false, true);
    }

    #[test]
    fn a_case_without_a_floor_and_a_floor_without_a_case_fail() {
        let verdict = floor("read app", 100.0).compare(&floor("read worker", 100.0));
        assert_eq!(verdict.text.matches("WORSE").count(), 2, "{verdict:?}");
    }

    #[test]
    fn what_one_run_does_not_measure_is_not_missed() {
        assert!(!floor("read app", 100.0).compare(&Floor::default()).is_worse);
    }
}
