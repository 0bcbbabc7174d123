//! Lines of whatever runs the workers: shells, entrypoints, PHP itself; `supervisors` and `platforms` have the rest.
//!
//! Their wording is not fixed, so each is anchored: an optional `[Entrypoint] ` or time in brackets, then the
//! sentence from its start. `Killed` counts only when the command it names is a worker's.

use std::sync::LazyLock;

use regex::Regex;

use crate::domain::job::{Form, Stage};
use crate::domain::redact::constant;

use super::sighting::Sighting;
use super::{managers, platforms, supervisors};

/// Words of which nearly every line here has one, looked for in one pass: most lines are noise, and end at this gate.
static WORDS: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        "ueue|orker|orizon|rabbitmq:|spawnerr|\"aws-sqsd/|Task timed out after |Could not open input file: \
         |unstable restarts|Runtime exited with error: ",
    )
});

/// Reads the line, or declines.
pub(super) fn read(line: &str) -> Option<Sighting<'_>> {
    if line.starts_with("PHP Fatal error:") || line.starts_with("Fatal error:") {
        return fatal(line);
    }
    let has_words = WORDS.is_match(line);
    if let Some(seen) = without_program(line, has_words) {
        return Some(seen);
    }
    // Every other line here says what kind of process it is about.
    if !has_words || !["ueue", "orker", "orizon", "rabbitmq:"].iter().any(|word| line.contains(word)) {
        return None;
    }
    let sentence = after_prefix(line);
    log_file(sentence)
        .or_else(|| shell(sentence))
        .or_else(|| supervisors::supervised(sentence))
        .or_else(|| supervisors::unit(sentence))
        .or_else(|| managers::read(sentence))
        .or_else(|| timed_out(sentence))
        .or_else(|| told(sentence))
        .or_else(|| super::artisan::read(sentence))
}

/// Whether a text names a worker: a program, a unit, a sentence about one.
pub(super) fn names_worker(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["queue", "worker", "horizon"].iter().any(|word| text.contains(word))
}

/// Whether a command line is a worker's.
fn is_worker_command(command: &str) -> bool {
    ["queue:work", "queue:listen", "horizon", "rabbitmq:consume", "vapor:work"]
        .iter()
        .any(|name| command.contains(name))
}

/// What of a text is a worker's command, from artisan's own name of it on: `queue:work redis`, and never `queue:restart`.
pub(super) fn command_of_worker(text: &str) -> Option<&str> {
    const COMMANDS: [&str; 6] =
        ["queue:work", "queue:listen", "horizon", "horizon:work", "rabbitmq:consume", "vapor:work"];
    let command = match text.split_once("artisan") {
        Some((_, rest)) => rest.trim_start_matches(['\'', '"', ' ']),
        None => text,
    };
    let name = command.split([' ', '\'', '"']).next()?;
    COMMANDS.contains(&name).then_some(command)
}

/// `The process "'/usr/bin/php8.3' 'artisan' 'queue:work' '--once' …" exceeded the timeout of 60 seconds.`: what
/// `queue:listen` says of the worker that it started for a job, and then ends itself.
pub(super) fn timed_out(line: &str) -> Option<Sighting<'_>> {
    let line = line.trim();
    let (command, rest) = line.strip_prefix("The process \"")?.split_once("\" exceeded the timeout of ")?;
    command_of_worker(command)?;
    let text = rest.split_once(". ").map_or(rest, |(seconds, _)| seconds);
    Some(
        Sighting::new(Stage::WorkerStopped, Form::Process).saying(format!(
            "queue:listen: the worker exceeded the timeout of {}",
            text.trim_end_matches('.')
        )),
    )
}

/// Sentences that need no program's name to be about a worker: PHP that finds no artisan, Horizon that is told twice,
/// Lambda that ends an invocation, a daemon that hands a job over by HTTP.
fn without_program(line: &str, has_words: bool) -> Option<Sighting<'_>> {
    // What is refused is told by how it begins.
    match line.as_bytes().first()? {
        b'C' | b'P' | b's' | b'b' | b'/' => {
            has_words.then(|| no_artisan(line)).flatten().or_else(|| super::artisan::refused(line))
        }
        b' ' | b'A' | b'T' => super::artisan::refused(line),
        b'0'..=b'9' if has_words => platforms::by_http(line).or_else(|| platforms::timed_out(line)),
        b'R' => platforms::timed_out(line),
        _ => None,
    }
    .or_else(|| has_words.then(|| managers::gave_up(line)).flatten())
    .or_else(|| {
        if has_words && (line.contains("[spawnerr") || line.contains(" spawnerr: ")) {
            supervisors::not_spawned(line)
        } else {
            None
        }
    })
}

/// `Could not open input file: artisan`: PHP's own words, whatever wrapper started it.
fn no_artisan(line: &str) -> Option<Sighting<'_>> {
    let what = line.find("Could not open input file: ").and_then(|at| line.get(at..))?;
    let file = what.rsplit_once(": ")?.1.trim();
    let name = file.rsplit('/').next()?;
    (name == "artisan").then(|| sighting(Stage::WorkerError, what))?
}

/// Steps over one bracket: `[Entrypoint] `, `[2025-12-06 12:00:01] `.
fn after_prefix(line: &str) -> &str {
    const PREFIX_BYTES_MAX: usize = 40;
    match line.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((prefix, rest)) if prefix.len() <= PREFIX_BYTES_MAX => rest,
        _ => line,
    }
}

pub(super) fn sighting<'a>(stage: Stage, text: &'a str) -> Option<Sighting<'a>> {
    Some(Sighting::new(stage, Form::Process).saying(text.trim()))
}

/// `PHP Fatal error:  Allowed memory size of 50331648 bytes exhausted (…)`.
fn fatal(line: &str) -> Option<Sighting<'_>> {
    let (_, what) = line.split_once("error:")?;
    let what = what.trim_start();
    let is_limit = what.starts_with("Allowed memory size of ") && what.contains(" exhausted");
    if is_limit || what.starts_with("Out of memory (allocated ") {
        return sighting(Stage::WorkerError, what);
    }
    None
}

/// `/bin/bash: line 1:  6258 Killed                  php artisan queue:work`, `[1]+  Killed   php artisan queue:work`,
/// and the same of other signals.
fn shell(line: &str) -> Option<Sighting<'_>> {
    const ENDS: [&str; 8] = [
        "Killed",
        "Terminated",
        "Segmentation fault",
        "Aborted",
        "Bus error",
        "Illegal instruction",
        "Floating point exception",
        "Hangup",
    ];
    let (end, (before, command)) =
        ENDS.iter().find_map(|end| Some((*end, line.split_once(&format!(" {end} "))?)))?;
    let before = before.trim_end();
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_script = before.contains(": line ") && before.rsplit([' ', ':']).next().is_some_and(is_number);
    let job = before.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let is_job = job.is_some_and(|(number, mark)| is_number(number) && matches!(mark.trim(), "" | "+" | "-"));
    let is_dumped = command.contains("(core dumped)");
    if (!is_script && !is_job) || !is_worker_command(command) {
        return None;
    }
    sighting(Stage::WorkerStopped, if is_dumped { "Segmentation fault (core dumped)" } else { end })
}

/// `Queue Worker started with PID: 70`, `Starting queue worker …`, `worker exited with code 137`.
fn told(line: &str) -> Option<Sighting<'_>> {
    const SENTENCE_CHARS_MAX: usize = 200;
    if line.len() > SENTENCE_CHARS_MAX {
        return None;
    }
    let lower = line.to_ascii_lowercase();
    let sentence = match lower.strip_prefix("step ").and_then(|rest| rest.split_once(": ")) {
        Some((number, rest)) if number.bytes().all(|b| b.is_ascii_digit()) => rest,
        _ => lower.as_str(),
    };
    let sentence = sentence.strip_prefix("laravel ").unwrap_or(sentence);
    if let Some(what) = sentence.strip_prefix("starting ") {
        let what = what.strip_prefix("the ").unwrap_or(what);
        let what = what.strip_prefix("laravel ").unwrap_or(what);
        let is_worker = ["queue worker", "horizon", "queue:work"].iter().any(|name| what.starts_with(name));
        return if is_worker { sighting(Stage::WorkerStarted, line) } else { None };
    }
    let rest = sentence.strip_prefix("queue ").unwrap_or(sentence);
    let rest = rest.strip_prefix("worker ").or_else(|| rest.strip_prefix("horizon "))?;
    let verb = rest.split([' ', '.', ':', ',']).next()?;
    match verb {
        "started" => sighting(Stage::WorkerStarted, line),
        "stopped" | "exited" | "died" | "crashed" | "terminated" => sighting(Stage::WorkerStopped, line),
        _ => None,
    }
}

/// `Queue Worker logs: storage/logs/queue-20251206.log`, `php artisan queue:work >> storage/logs/worker.log`.
fn log_file(line: &str) -> Option<Sighting<'_>> {
    let place = line.find("storage/logs/")?;
    let is_gap = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '=');
    let before = line.get(..place)?;
    // The word that the path ends may have a folder in front: `/var/www/html/storage/logs/…`.
    let start = before.rfind(|c: char| is_gap(c) || c == '>').map_or(0, |at| at.saturating_add(1));
    let path = line.get(start..)?.split(|c: char| is_gap(c) || matches!(c, ')' | ';' | ',')).next()?;
    let lead = line.get(..start)?.trim_end_matches(is_gap).to_ascii_lowercase();
    let points =
        [">", "logs:", "log:", "log file:", "logs to", "logging to", "output to", "--stdout_logfile"];
    let is_worker = ["queue", "worker", "horizon"].iter().any(|word| lead.contains(word));
    if is_worker && path.ends_with(".log") && points.iter().any(|point| lead.ends_with(point)) {
        return sighting(Stage::LogFileHint, path);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<(Stage, &str)>) {
        let seen = read(line);
        let got = seen.as_ref().map(|s| (s.stage, s.text.as_deref().unwrap_or_default()));
        assert_eq!(got, expected, "{line}");
    }

    /// The gate must let through whatever the readers behind it would take.
    #[test]
    fn every_word_that_a_reader_looks_for_passes_the_gate() {
        for sample in super::super::forms::PROCESS.samples {
            assert!(read(sample.line).is_some() || sample.line.starts_with('{'), "{}", sample.line);
        }
        for line in [
            "2026-03-02T09:02:41.259Z da9e30e9-5449-4ccf-a47e-e9551eb3a0ed Task timed out after 60.06 seconds",
            "2025-12-06 12:00:00,123 INFO spawnerr: can't find command 'php8.9'",
            "sh: 1: Could not open input file: artisan",
            r#"127.0.0.1 - - [x] "POST /worker/queue HTTP/1.1" 200 2 "-" "aws-sqsd/3.0.4""#,
            "REPORT RequestId: da9e30e9-5449-4ccf-a47e-e9551eb3a0ed\tStatus: timeout",
            "There are no commands defined in the \"queue\" namespace.",
            "Command \"horizon\" is not defined.",
        ] {
            assert!(read(line).is_some(), "{line}");
        }
    }

    #[test]
    fn a_killed_worker_is_told_by_its_shell() {
        let killed = Some((Stage::WorkerStopped, "Killed"));
        check("/bin/bash: line 1:  6258 Killed                  php artisan queue:work --sleep=1", killed);
        check("/entrypoint.sh: line 44:    70 Killed     php artisan queue:listen", killed);
        check("/bin/bash: line 1: 10011 Killed                  php artisan horizon", killed);
        check("/bin/bash: line 1:  6258 Killed                  php artisan migrate --queue", None);
        check("[1]+  Killed                  php artisan queue:work", killed);
        check("sh: line 1: 12 Killed php artisan horizon", killed);
        let fault = Some((Stage::WorkerStopped, "Segmentation fault (core dumped)"));
        check(
            "/entrypoint.sh: line 5:    12 Segmentation fault      (core dumped) php artisan queue:work",
            fault,
        );
        let terminated = Some((Stage::WorkerStopped, "Terminated"));
        check("/entrypoint.sh: line 5:    12 Terminated              php artisan queue:work", terminated);
        let hangup = Some((Stage::WorkerStopped, "Hangup"));
        check("start.sh: line 9:     8 Hangup                  php artisan queue:work redis", hangup);
        check("[2]-  Terminated              php artisan rabbitmq:consume", terminated);
        check("Job Killed by queue:work", None);
        check("[note]  Killed the php artisan queue:work", None);
    }

    #[test]
    fn workers_start_and_stop_in_many_words() {
        let line = "[Entrypoint] Queue Worker started with PID: 70";
        check(line, Some((Stage::WorkerStarted, "Queue Worker started with PID: 70")));
        let line = "[2025-12-06 12:00:01] Starting queue worker with driver: redis...";
        check(line, Some((Stage::WorkerStarted, "Starting queue worker with driver: redis...")));
        let step = "Step 5: Starting Laravel Queue Worker in background...";
        check(&format!("[Entrypoint] {step}"), Some((Stage::WorkerStarted, step)));
        let line = "[2025-12-06 13:00:01] Queue worker stopped. Restarting in 5 seconds...";
        check(line, Some((Stage::WorkerStopped, "Queue worker stopped. Restarting in 5 seconds...")));
        check("worker exited with code 137", Some((Stage::WorkerStopped, "worker exited with code 137")));
        check("   INFO  Horizon started successfully.  ", Some((Stage::WorkerStarted, "horizon")));
        check("Starting web server beside the queue worker", None);
        check("The worker exited with code 137", None);
        check("Queue worker configuration loaded", None);
        check("worker process 12 exited", None);
        check("Starting php-fpm", None);
    }

    #[test]
    fn a_log_file_is_named_for_a_workers_output() {
        let line = "[Entrypoint] Queue Worker logs: storage/logs/queue-20251206.log";
        check(line, Some((Stage::LogFileHint, "storage/logs/queue-20251206.log")));
        let line = "+ php artisan queue:work redis >> /var/www/html/storage/logs/worker.log 2>&1";
        check(line, Some((Stage::LogFileHint, "/var/www/html/storage/logs/worker.log")));
        let line = "+ php artisan queue:work >>storage/logs/worker.log";
        check(line, Some((Stage::LogFileHint, "storage/logs/worker.log")));
        check("GET /storage/logs/queue.log 404", None);
        check("queue: reading storage/logs/queue.log", None);
        check("Application logs: storage/logs/laravel.log", None);
        check("Queue Worker logs: storage/logs/", None);
    }

    #[test]
    fn a_worker_says_itself_why_it_does_not_run() {
        let artisan = "Could not open input file: /var/www/app/artisan";
        check(artisan, Some((Stage::WorkerError, artisan)));
        check("Could not open input file: cron.php", None);
        let taken = "A supervisor with this name is already running.";
        check(taken, Some((Stage::WorkerStopped, taken)));
        check(&format!("   ERROR  {taken}"), Some((Stage::WorkerStopped, taken)));
        let undefined = "Command \"horizon\" is not defined.";
        check(&format!("   ERROR  {undefined}  "), Some((Stage::WorkerStopped, undefined)));
        check("   ERROR  Command \"inspire\" is not defined.", None);
    }

    #[test]
    fn memory_exhaustion_ends_a_php_process() {
        let line = "PHP Fatal error:  Allowed memory size of 50331648 bytes exhausted (tried to allocate 2097152 bytes) in /var/www/html/app/Jobs/FatalJob.php on line 9";
        assert_eq!(read(line).map(|s| s.stage), Some(Stage::WorkerError));
        check("PHP Fatal error:  Uncaught Exception: x in /a.php:1", None);
        check("PHP Warning:  Allowed memory size of 1 bytes exhausted", None);
    }
}
