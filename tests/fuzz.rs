//! Damaged input of every kind, seeded: whatever comes, nothing panics, nothing outgrows its bounds, and what is read once is
//! read the same again.
//!
//! It mutates real inputs (captured lines, saved events, the example configuration, the items of a table) and splices them with
//! what has broken readers elsewhere. `FUZZ_ROUNDS=1000000 cargo test --release --test fuzz` looks for longer.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "what goes wrong here must fail the test, and test helpers are outside clippy's exemption"
)]

#[path = "support/corpus.rs"]
#[expect(dead_code, reason = "other tests ask for more")]
mod corpus;

use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use queuewatch::adapters::memory::{MemoryTable, RecordedAlarms, RecordedMetrics};
use queuewatch::app;
use queuewatch::config::Config;
use queuewatch::delivery;
use queuewatch::domain::envelope::{Limits, Line};
use queuewatch::domain::intake::DeliveryRecord;
use queuewatch::domain::job::{ERROR_CHARS_MAX, MINUTE_MS, Timestamp};
use queuewatch::domain::model::policy::Policy;
use queuewatch::domain::reading::{read_base64, read_gzip, read_lines};
use queuewatch::domain::sweep::Horizon;
use queuewatch::domain::systems::Classifier;
use queuewatch::durable::TableLedger;
use queuewatch::ports::table::Item;

const BEGIN_MS: i64 = 1_767_603_600_000;
/// Bytes of a name, and of the scope that it may be within.
const NAME_BYTES_MAX: usize = 600;

/// What has broken readers of logs, JSON and text elsewhere.
const TOKENS: [&str; 40] = [
    "\u{1b}[31m",
    "\u{1b}]8;;http://x\u{7}",
    "\r",
    "\n",
    "\0",
    "\u{feff}",
    "\u{202e}",
    "\u{2028}",
    "\u{1f}",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    ": ",
    ", ",
    " ... ",
    "....................",
    " RUNNING",
    " DONE",
    " FAIL",
    "12.34ms ",
    "99999999999999999999s ",
    "Processing: ",
    "[2026-01-05 09:00:00]",
    "production.INFO: Job queued ",
    "{\"status\":\"starting\",\"id\":\"",
    "\"attempts\":4294967296",
    "\"delay\":-1",
    "\"delay\":1e308",
    "\"timeout\":1e18",
    "$(reboot)",
    "'; rm -rf /; '",
    "<script>",
    "[stacktrace]\n#0 ",
    "{\"log\":\"",
    "日本語",
];

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % bound.max(1) as u64).unwrap()
    }

    fn pick<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.below(of.len())]
    }

    /// Damages bytes here and there; `others` are spliced in.
    fn damage(&mut self, bytes: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            let until = (at + self.below(40)).min(bytes.len());
            match self.below(8) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                1 => drop(bytes.drain(at..until)),
                2 => bytes.truncate(at),
                3 => {
                    let piece = bytes[at..until].to_vec();
                    let times = 1 + self.below(300);
                    bytes.splice(at..at, piece.repeat(times));
                }
                4 => {
                    let other = self.pick(others);
                    let from = self.below(other.len() + 1);
                    bytes.splice(at..until, other[from..].iter().copied());
                }
                5 => {
                    let digits = ["0", "-1", "9223372036854775807", "18446744073709551616", "1e400"];
                    bytes.splice(at..until, self.pick(&digits).bytes());
                }
                _ => drop(bytes.splice(at..at, self.pick(&TOKENS).bytes())),
            }
        }
        bytes
    }
}

#[expect(clippy::disallowed_methods, reason = "who looks for longer has no other way to say so to a test")]
fn rounds(usual: u64) -> std::ops::Range<u64> {
    0..std::env::var("FUZZ_ROUNDS").map_or(usual, |rounds| rounds.parse().unwrap())
}

/// Every captured line of apps and workers.
fn lines() -> Vec<Vec<u8>> {
    let captured = corpus::captures().into_iter().flat_map(|it| it.app.into_iter().chain(it.worker));
    captured.map(|(_, text)| text.into_bytes()).filter(|text| !text.is_empty()).collect()
}

fn read(texts: &[String], classifier: &Classifier) -> DeliveryRecord {
    let ids: Vec<String> = (0..texts.len()).map(|n| format!("{n:056}")).collect();
    let at = |n: usize| Timestamp::from_ms(BEGIN_MS + i64::try_from(n).unwrap() * 700);
    let lines = texts.iter().zip(&ids).enumerate().map(|(n, (message, id))| Line { id, at: at(n), message });
    *read_lines("/ecs/app", "ecs/app/1", lines, classifier)
}

/// What must hold of everything that was read.
fn hold(record: &DeliveryRecord, seed: u64) {
    for seen in &record.observations {
        assert!(
            record.lines.iter().any(|line| line.key == seen.line && line.at == seen.at),
            "seed {seed}: {seen:?}"
        );
        let class = seen.class.as_ref().map(|it| it.key());
        let queue = seen.queue.as_ref().map(|it| it.key());
        let connection = seen.connection.as_ref().map(|it| it.key());
        let id = seen.id.as_ref().map(|it| it.key());
        let uuid = seen.uuid.as_ref().map(|it| it.key());
        for name in [class, queue, connection, id, uuid].into_iter().flatten() {
            assert!(name.len() <= NAME_BYTES_MAX, "seed {seed}: a name of {} bytes", name.len());
            assert!(!name.chars().any(char::is_control), "seed {seed}: {name:?}");
        }
        let text = seen.text.as_deref().unwrap_or_default();
        assert!(text.chars().count() <= ERROR_CHARS_MAX + 1, "seed {seed}: {text:?}");
    }
    let again: DeliveryRecord = serde_json::from_str(&serde_json::to_string(record).unwrap()).unwrap();
    assert!(again == *record, "seed {seed}: written and read, it is another");
}

#[test]
fn damaged_lines_are_read_the_same_twice_and_within_bounds() {
    let (lines, classifier) = (lines(), Classifier::default());
    for seed in rounds(6_000) {
        let mut dice = Dice(seed);
        let from = dice.below(lines.len());
        let texts: Vec<String> = (0..=dice.below(6))
            .map(|n| {
                let line = &lines[(from + n) % lines.len()];
                let line = if dice.below(3) == 0 { line.clone() } else { dice.damage(line, &lines) };
                String::from_utf8_lossy(&line).into_owned()
            })
            .collect();
        let record = read(&texts, &classifier);
        hold(&record, seed);
        assert!(read(&texts, &classifier) == record, "seed {seed}: read again, it is another");
    }
}

/// Saved events as they are, and the lines within as a router of logs would put them.
#[test]
fn damaged_deliveries_are_opened_or_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let events: Vec<Vec<u8>> = paths
        .filter(|path| path.extension().is_some_and(|it| it == "json"))
        .map(|path| std::fs::read(path).unwrap())
        .collect();
    let (classifier, limits) = (Classifier::default(), Limits::default());
    for seed in rounds(3_000) {
        let mut dice = Dice(seed);
        let event = dice.pick(&events).clone();
        drop(delivery::parse(&dice.damage(&event, &events)));
        let text = String::from_utf8_lossy(&event);
        let data = text.split('"').max_by_key(|part| part.len()).unwrap();
        let bytes = base64_simd::STANDARD.decode_to_vec(data.as_bytes()).unwrap();
        let damaged = dice.damage(&bytes, std::slice::from_ref(&bytes));
        let by_bytes = read_gzip(&damaged, &classifier, &limits).map_err(|it| it.reason);
        let text = base64_simd::STANDARD.encode_to_string(&damaged);
        let by_text = read_base64(&text, &classifier, &limits).map_err(|it| it.reason);
        assert_eq!(by_bytes.is_ok(), by_text.is_ok(), "seed {seed}");
        let damaged = String::from_utf8_lossy(&dice.damage(data.as_bytes(), &events)).into_owned();
        drop(read_base64(&damaged, &classifier, &limits));
    }
}

#[test]
fn a_damaged_configuration_is_taken_or_refused_with_its_place() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/queuewatch.example.toml");
    // All of it: what the example only shows is in comments.
    let example = std::fs::read_to_string(path).unwrap();
    let shown: String =
        example.lines().map(|line| format!("{}\n", line.strip_prefix("# ").unwrap_or(line))).collect();
    let texts = [example.into_bytes(), shown.into_bytes()];
    for seed in rounds(1_500) {
        let mut dice = Dice(seed);
        let text = dice.pick(&texts).clone();
        let text = String::from_utf8_lossy(&dice.damage(&text, &texts)).into_owned();
        match Config::parse(&text) {
            Ok(config) => drop(config.classifier()),
            Err(error) => assert!(!error.to_string().is_empty(), "seed {seed}"),
        }
    }
}

/// What a future that never waits comes to.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("memory keeps nobody waiting"),
    }
}

fn sweep(table: &MemoryTable, at: Timestamp) -> bool {
    let policy = Policy::default();
    let mut store = TableLedger::new(table.clone(), &policy, "sweep".to_owned());
    let (mut metrics, mut alarms) = (RecordedMetrics::default(), RecordedAlarms::default());
    let horizon = Horizon { now: at, last_delivery: None };
    now(app::sweep(&mut store, &mut metrics, &mut alarms, &policy, horizon)).is_ok()
}

#[test]
fn a_sweep_over_damaged_items_does_its_work_or_says_why_not() {
    let (table, policy, lines) = (MemoryTable::new(), Policy::default(), lines());
    let mut store = TableLedger::new(table.clone(), &policy, "ingest".to_owned());
    for (texts, n) in lines.chunks(40).take(12).zip(1_i64..) {
        let texts: Vec<String> =
            texts.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect();
        let mut record = read(&texts, &Classifier::default());
        record.arrived_at = Timestamp::from_ms(BEGIN_MS + n * MINUTE_MS);
        now(app::ingest(&mut store, &record)).unwrap();
        if n == 6 {
            assert!(sweep(&table, Timestamp::from_ms(BEGIN_MS + 7 * MINUTE_MS)));
        }
    }
    let items: Vec<Item> = table.items().collect();
    let bodies: Vec<Vec<u8>> = items.iter().map(|item| item.body.clone().into_bytes()).collect();
    let (mut done, mut refused) = (0, 0);
    for seed in rounds(300) {
        let mut dice = Dice(seed);
        let mut damaged = items.clone();
        let n = dice.below(damaged.len());
        damaged[n].body = String::from_utf8_lossy(&dice.damage(&bodies[n], &bodies)).into_owned();
        let is_done = sweep(&MemoryTable::of(damaged), Timestamp::from_ms(BEGIN_MS + 40 * MINUTE_MS));
        *if is_done { &mut done } else { &mut refused } += 1;
    }
    assert!(done > 0 && refused > 0, "{done} done, {refused} refused");
}
