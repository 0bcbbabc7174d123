//! Lines of jobs' lives, and nothing else: what a replay and a sweep are measured on.

use std::fmt::Write as _;

use queuewatch::domain::job::{MINUTE_MS, SECOND_MS, Timestamp};

use crate::{Dice, compressed};

/// When the first line was printed: 2025-12-06T12:00:00Z.
pub const STARTS_AT_MS: i64 = 1_765_022_400_000;

/// How a worker prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Print {
    /// `queue:work --json`: with ids.
    Json,
    /// The columns of `queue:work`: a class and a time.
    Text,
}

/// Lambda events of jobs that are enqueued, started a second later and done two seconds after that, twenty of them a
/// second: one event for each minute of a stream.
#[must_use]
pub fn worked_off(jobs_count: i64, print: Print) -> Vec<String> {
    let (mut web, mut worker) = (Vec::new(), Vec::new());
    for n in 0..jobs_count {
        let job = Job::new(n);
        web.push((job.at_ms, job.enqueued()));
        for (after_ms, state) in [(SECOND_MS, State::Starts), (3 * SECOND_MS, State::Ends)] {
            let at_ms = job.at_ms.saturating_add(after_ms);
            worker.push((at_ms, job.worked(at_ms, state, print)));
        }
    }
    worker.sort_by_key(|(at_ms, _)| *at_ms);
    deliveries([("ecs/web/1", web), ("ecs/worker/1", worker)])
}

/// Lambda events of jobs that are enqueued, and no more: all of them wait.
#[must_use]
pub fn waiting(jobs_count: i64) -> Vec<String> {
    let enqueued = (0..jobs_count).map(Job::new).map(|job| (job.at_ms, job.enqueued())).collect();
    deliveries([("ecs/web/1", enqueued)])
}

/// What the worker says of a job.
#[derive(Clone, Copy)]
enum State {
    Starts,
    Ends,
}

struct Job {
    number: i64,
    at_ms: i64,
    class: &'static str,
}

impl Job {
    fn new(number: i64) -> Self {
        let class = Dice(number.unsigned_abs()).job();
        Self { number, at_ms: STARTS_AT_MS.saturating_add(number.saturating_mul(50)), class }
    }

    fn enqueued(&self) -> String {
        let Self { number, at_ms, class } = self;
        format!(
            "[{}] production.INFO: Job queued {{\"job\":\"App\\\\Jobs\\\\{class}\",\"queue\":\"default\",\"id\":\"{}\",\"uuid\":\"{}\",\"connection\":\"redis\",\"delay\":null}} ",
            stamp(*at_ms),
            id(*number),
            uuid(*number)
        )
    }

    fn worked(&self, at_ms: i64, state: State, print: Print) -> String {
        let Self { number, class, .. } = self;
        let text = match (print, state) {
            (Print::Text, State::Starts) => "RUNNING".to_owned(),
            (Print::Text, State::Ends) => "2s DONE".to_owned(),
            (Print::Json, State::Starts) => r#""status":"starting","attempts":1"#.to_owned(),
            (Print::Json, State::Ends) => {
                r#""status":"success","attempts":1,"result":"deleted","duration":2.01"#.to_owned()
            }
        };
        match print {
            Print::Text => {
                format!("  {} App\\Jobs\\{class} ........................... {text}", stamp(at_ms))
            }
            Print::Json => format!(
                "{{\"level\":\"info\",\"id\":\"{}\",\"uuid\":\"{}\",\"connection\":\"redis\",\"queue\":\"default\",\"job\":\"App\\\\Jobs\\\\{class}\",{text}}}",
                id(*number),
                uuid(*number)
            ),
        }
    }
}

fn id(number: i64) -> String {
    format!("A{number:031}")
}

fn uuid(number: i64) -> String {
    format!("{number:08x}-0000-4000-8000-000000000000")
}

fn stamp(at_ms: i64) -> String {
    let text = Timestamp::from_ms(at_ms).to_string();
    text.get(..19).unwrap_or_default().replace('T', " ")
}

/// A subscription payload for each minute of each stream.
fn deliveries<const N: usize>(streams: [(&str, Vec<(i64, String)>); N]) -> Vec<String> {
    let mut made = Vec::new();
    for (stream, lines) in streams {
        for minute in lines.chunk_by(|(a, _), (b, _)| a.div_euclid(MINUTE_MS) == b.div_euclid(MINUTE_MS)) {
            made.push(payload(stream, minute));
        }
    }
    made
}

fn payload(stream: &str, lines: &[(i64, String)]) -> String {
    let mut text = format!(
        r#"{{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"/ecs/app","logStream":"{stream}","subscriptionFilters":["all"],"logEvents":["#
    );
    for (place, (at_ms, message)) in lines.iter().enumerate() {
        let comma = if place == 0 { "" } else { "," };
        let message = message.replace('\\', "\\\\").replace('"', "\\\"");
        let _ = write!(
            text,
            r#"{comma}{{"id":"39312634{at_ms:020}{place:028}","timestamp":{at_ms},"message":"{message}"}}"#
        );
    }
    text.push_str("]}");
    let data = base64_simd::STANDARD.encode_to_string(compressed(&text));
    format!(r#"{{"awslogs":{{"data":"{data}"}}}}"#)
}
