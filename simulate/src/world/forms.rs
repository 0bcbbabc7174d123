//! The forms of single lines: times, Monolog's records, worker lines of three versions.

use jiff::Timestamp;

use super::history::{End, Job};
use super::span::SECOND;
use super::traces::Failure;

/// Columns of a worker's line, where nothing says how wide the terminal is.
const WIDTH: usize = 78;

/// `2026-03-02 10:00:00`, UTC.
pub(super) fn stamp(at_ms: i64) -> String {
    print_time(at_ms, "%Y-%m-%d %H:%M:%S")
}

/// `2026-03-02T10:00:00.123456+00:00`.
pub(super) fn micro(at_ms: i64) -> String {
    print_time(at_ms, "%Y-%m-%dT%H:%M:%S%.6f+00:00")
}

fn print_time(at_ms: i64, format: &str) -> String {
    Timestamp::from_millisecond(at_ms).map_or_else(|_| String::new(), |at| at.strftime(format).to_string())
}

pub(super) fn access(stamp: &str, request: &str, status: u32, agent: &str) -> String {
    format!("10.0.1.112 - - [{stamp} +0000] \"{request} HTTP/1.1\" {status} 229 \"-\" \"{agent}\"")
}

pub(super) fn escape(text: &str) -> String {
    text.replace('\\', "\\\\")
}

/// `App\\Jobs\\Class`, as in JSON.
pub(super) fn class_json(job: &Job) -> String {
    format!("App\\\\Jobs\\\\{}", job.class)
}

/// A record of Monolog's `JsonFormatter`. `context` is JSON.
pub(super) fn monolog_json(message: &str, context: &str, level: &str, at_ms: i64) -> String {
    let number = if level == "ERROR" { 400 } else { 200 };
    format!(
        "{{\"message\":\"{}\",\"context\":{context},\"level\":{number},\"level_name\":\"{level}\",\"channel\":\"production\",\"datetime\":\"{}\",\"extra\":{{}}}}",
        escape(message),
        micro(at_ms)
    )
}

/// A record of `queue:work --json`, its keys in Laravel's order.
pub(super) fn worker_json(
    job: &Job,
    attempt: usize,
    end: Option<(i64, End)>,
    thrown: Failure,
    at_ms: i64,
) -> String {
    let (level, status, result) = match end.map(|(_, end)| end) {
        None => ("info", "starting", ""),
        Some(End::Done) => ("info", "success", ",\"result\":\"deleted\""),
        Some(End::PutBack) => ("info", "success", ",\"result\":\"released\""),
        Some(End::Released | End::Lost) => {
            ("warning", "released_after_exception", ",\"result\":\"released\"")
        }
        Some(End::Failed) => ("warning", "failed", ",\"result\":\"deleted\""),
    };
    let mut line = format!(
        "{{\"level\":\"{level}\",\"id\":\"{}\",\"uuid\":\"{}\",\"connection\":\"{}\",\"queue\":\"{}\",\"job\":\"{}\",\"status\":\"{status}\"{result},\"attempts\":{}",
        job.id,
        job.uuid,
        job.lane.connection,
        job.lane.queue,
        class_json(job),
        attempt + 1
    );
    if let Some((_, End::Failed)) = end {
        let (class, message, _) = thrown.exception();
        line += &format!(",\"exception\":\"{}\",\"message\":\"{}\"", escape(class), escape(&message));
    }
    line += &format!(",\"timestamp\":\"{}\"", micro(at_ms));
    if let Some((runtime_ms, _)) = end {
        line += &format!(",\"duration\":{}.{:03}", runtime_ms / SECOND, runtime_ms % SECOND);
    }
    line.push('}');
    line
}

/// `  time Class .... RUNNING` or `  time Class .... 12.00ms DONE`, with id and queue if `names` them.
pub(super) fn columns(job: &Job, end: Option<(i64, End)>, stamp: &str, names: bool) -> String {
    let class = format!("App\\Jobs\\{}", job.class);
    let tail = match end {
        None => "RUNNING".to_owned(),
        Some((runtime_ms, End::Done | End::PutBack)) => format!("{} DONE", runtime(runtime_ms)),
        Some((runtime_ms, End::Released | End::Failed | End::Lost)) => {
            format!("{} FAIL", runtime(runtime_ms))
        }
    };
    if names {
        // At 80 columns a line with an id has no room for dots.
        let (id, lane) = (&job.id, job.lane);
        return format!("  {stamp} {class} {id} {} {}  {tail}", lane.connection, lane.queue);
    }
    let taken = 2 + stamp.len() + 1 + class.len() + 1 + 1 + tail.len();
    let dots = ".".repeat(WIDTH.saturating_sub(taken));
    format!("  {stamp} {class} {dots} {tail}")
}

/// Up to a second with milliseconds, then as people say it, without them.
fn runtime(runtime_ms: i64) -> String {
    let seconds = runtime_ms / SECOND;
    let part = |count: i64, unit: &str| if count > 0 { format!("{count}{unit} ") } else { String::new() };
    if runtime_ms <= SECOND {
        format!("{runtime_ms}.00ms")
    } else {
        let text = part(seconds / 3_600, "h") + &part(seconds / 60 % 60, "m") + &part(seconds % 60, "s");
        text.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runtimes_are_printed_as_laravel_prints_them() {
        assert_eq!(runtime(12), "12.00ms");
        assert_eq!(runtime(2_345), "2s");
        assert_eq!(runtime(65_000), "1m 5s");
        assert_eq!(runtime(3_600_000), "1h");
    }

    #[test]
    fn times_are_printed_in_both_forms() {
        assert_eq!(stamp(1_772_409_600_000), "2026-03-02 00:00:00");
        assert_eq!(micro(1_772_409_600_007), "2026-03-02T00:00:00.007000+00:00");
    }
}
