//! The payloads the benches read: two synthetic hours near Lambda's 1 MB limit, the same at every run.

pub mod cases;
pub mod floor;
pub mod lives;

use std::fmt::Write as _;
use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};

/// A payload in every form a bench compares.
#[derive(Clone, Debug)]
pub struct Payload {
    /// What prints these lines.
    pub name: &'static str,
    /// How many lines it has.
    pub lines_count: usize,
    /// The document.
    pub text: String,
    /// The document, compressed.
    pub gzip: Vec<u8>,
    /// The Lambda event's `awslogs.data`.
    pub base64: String,
}

/// A web container: Apache access lines, Monolog records, one line in sixteen of a job's life.
#[must_use]
pub fn app() -> Payload {
    let mut dice = Dice(1);
    build("app", 18_345, |i| match dice.below(100) {
        0..6 => format!(
            "  2025-12-06 12:{:02}:{:02} App\\Jobs\\{} ................. {}ms DONE",
            i / 60 % 60,
            i % 60,
            dice.job(),
            dice.below(5_000)
        ),
        6..70 => format!(
            "10.0.{}.{} - - [06/Dec/2025:12:{:02}:{:02} +0900] \"GET /{}/{} HTTP/1.1\" 200 {} \"https://app.example.jp/home\" \"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X)\"",
            dice.below(256),
            dice.below(256),
            i / 60 % 60,
            i % 60,
            dice.job(),
            dice.below(90_000),
            dice.below(60_000)
        ),
        _ => format!(
            "[2025-12-06 12:{:02}:{:02}] production.INFO: Request handled {{\"user_id\":{},\"path\":\"\\/{}\\/{}\",\"controller\":\"App\\\\Http\\\\Controllers\\\\{}Controller\",\"ms\":{}}}",
            i / 60 % 60,
            i % 60,
            dice.below(90_000),
            dice.job(),
            dice.below(90_000),
            dice.job(),
            dice.below(900)
        ),
    })
}

/// A worker under `queue:work --json`: each line is of a job's life.
#[must_use]
pub fn worker() -> Payload {
    let mut dice = Dice(2);
    build("worker", 15_123, |i| {
        let (status, tail) = if i % 2 == 0 {
            ("starting", String::new())
        } else {
            ("success", format!(",\"result\":\"deleted\",\"duration\":{}.{}", dice.below(9), dice.below(99)))
        };
        format!(
            "{{\"level\":\"info\",\"id\":\"{:08x}\",\"uuid\":\"{:08x}-{:04x}-4{:03x}\",\"connection\":\"redis\",\"queue\":\"default\",\"job\":\"App\\\\Jobs\\\\{}\",\"status\":\"{status}\"{tail}}}",
            dice.below(u32::MAX),
            dice.below(u32::MAX),
            dice.below(65_536),
            dice.below(4_096),
            dice.job()
        )
    })
}

fn build(name: &'static str, lines_count: usize, mut message: impl FnMut(usize) -> String) -> Payload {
    let mut text = String::from(
        r#"{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"/ecs/app","logStream":"ecs/app/0af1","subscriptionFilters":["all"],"logEvents":["#,
    );
    let mut dice = Dice(3);
    for i in 0..lines_count {
        let comma = if i == 0 { "" } else { "," };
        let message = message(i).replace('\\', "\\\\").replace('"', "\\\"");
        let at = 1_765_024_270_000_u64.saturating_add(i as u64);
        let id = (dice.below(u32::MAX), dice.below(100_000));
        let _ = write!(
            text,
            r#"{comma}{{"id":"3931263489126348912634891263489126{:010}{:012}","timestamp":{at},"message":"{message}"}}"#,
            id.0, id.1
        );
    }
    text.push_str("]}");
    let gzip = compressed(&text);
    let base64 = base64_simd::STANDARD.encode_to_string(&gzip);
    Payload { name, lines_count, text, gzip, base64 }
}

fn compressed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let _ = encoder.write_all(text.as_bytes());
    encoder.finish().unwrap_or_default()
}

/// The same numbers at every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 33).unwrap_or_default().checked_rem(end).unwrap_or_default()
    }

    fn job(&mut self) -> &'static str {
        const JOBS: [&str; 5] =
            ["GenerateAvatarImagesJob", "SendMail", "ExportReport", "SyncContacts", "Thumbnail"];
        let at = self.below(5) as usize;
        JOBS.get(at).copied().unwrap_or_default()
    }
}
