//! Lines of whatever runs the workers: shells, entrypoints, supervisors, and PHP itself.
//!
//! Their wording is not fixed, so each is anchored: an optional `[Entrypoint] ` or time in brackets, then the
//! sentence from its start. `Killed` counts only when the command it names is a worker's.

use crate::domain::job::{Form, Stage};

use super::sighting::Sighting;

/// Reads the line, or declines.
pub(super) fn read(line: &str) -> Option<Sighting<'_>> {
    if line.starts_with("PHP Fatal error:") || line.starts_with("Fatal error:") {
        return fatal(line);
    }
    if let Some(seen) = without_program(line) {
        return Some(seen);
    }
    // The gate: every other line here says what kind of process it is about.
    if !["ueue", "orker", "orizon", "rabbitmq:"].iter().any(|word| line.contains(word)) {
        return None;
    }
    let sentence = after_prefix(line);
    log_file(sentence)
        .or_else(|| shell(sentence))
        .or_else(|| supervised(sentence))
        .or_else(|| unit(sentence))
        .or_else(|| told(sentence))
        .or_else(|| super::artisan::read(sentence))
}

/// Whether a text names a worker: a program, a unit, a sentence about one.
fn names_worker(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["queue", "worker", "horizon"].iter().any(|word| text.contains(word))
}

/// Whether a command line is a worker's.
fn is_worker_command(command: &str) -> bool {
    ["queue:work", "queue:listen", "horizon", "rabbitmq:consume", "vapor:work"]
        .iter()
        .any(|name| command.contains(name))
}

/// Sentences that need no program's name to be about a worker: PHP that finds no artisan, Horizon that is told twice,
/// Lambda that ends an invocation, a daemon that hands a job over by HTTP.
fn without_program(line: &str) -> Option<Sighting<'_>> {
    // Each begins or ends with letters that few lines have, so that this costs next to nothing.
    match line.as_bytes().first()? {
        b'C' | b'P' | b's' | b'b' | b'/' => no_artisan(line).or_else(|| super::artisan::refused(line)),
        b' ' | b'A' | b'T' => super::artisan::refused(line),
        b'0'..=b'9' => by_http(line).or_else(|| timed_out(line)),
        b'R' => timed_out(line),
        _ => None,
    }
    .or_else(|| {
        if line.contains("[spawnerr") || line.contains(" spawnerr: ") { not_spawned(line) } else { None }
    })
}

/// `Could not open input file: artisan`: PHP's own words, whatever wrapper started it.
fn no_artisan(line: &str) -> Option<Sighting<'_>> {
    let what = line.find("Could not open input file: ").and_then(|at| line.get(at..))?;
    let file = what.rsplit_once(": ")?.1.trim();
    let name = file.rsplit('/').next()?;
    (name == "artisan").then(|| sighting(Stage::WorkerError, what))?
}

/// `2026-03-02T09:02:41.259Z da9e30e9-… Task timed out after 60.06 seconds`, or Lambda's newer
/// `REPORT RequestId: … Status: timeout` and `Runtime exited with error: signal: killed`.
fn timed_out(line: &str) -> Option<Sighting<'_>> {
    if let Some(rest) = line.strip_prefix("REPORT RequestId: ") {
        let status = rest.split('\t').find_map(|part| part.trim().strip_prefix("Status: "))?;
        return (status.trim() == "timeout")
            .then(|| sighting(Stage::WorkerStopped, "Task timed out: Status: timeout"))?;
    }
    let (head, _) = line.split_once(" Task timed out after ")?;
    let is_request = head.rsplit_once(' ')?.1.len() == UUID_BYTES;
    let text = line.get(head.len()..)?;
    is_request.then(|| sighting(Stage::WorkerStopped, text))?
}

/// Letters of a request's id, `da9e30e9-5449-4ccf-a47e-e9551eb3a0ed`.
const UUID_BYTES: usize = 36;

/// `127.0.0.1 - - […] "POST /worker/queue HTTP/1.1" 200 2 "-" "aws-sqsd/3.0.4"`: Elastic Beanstalk's daemon hands a job
/// over, and the app says that it is done.
fn by_http(line: &str) -> Option<Sighting<'_>> {
    let (head, agent) = line.trim_end().rsplit_once(" \"aws-sqsd/")?;
    let (_, rest) = head.split_once("\"POST ")?;
    let (_, status) = rest.split_once("\" ")?;
    let is_done = status.starts_with('2') && agent.ends_with('"');
    is_done.then(|| {
        let mut seen = Sighting::new(Stage::WorkerAlive, Form::Process);
        seen.id = Some(SQSD.into());
        seen.connection = Some("sqs".into());
        seen.jobs = Some(1);
        seen
    })
}

/// The name of the worker that hands jobs over by HTTP.
const SQSD: &str = "aws-sqsd";

/// `{"detail-type":"ECS Task State Change", …}`, as a rule of EventBridge forwards it to a log group: a worker's
/// container that stopped, and why.
pub(super) fn task_state(line: &str) -> Option<Sighting<'_>> {
    if !line.contains("\"ECS Task State Change\"") {
        return None;
    }
    #[derive(serde::Deserialize)]
    struct Event {
        detail: Detail,
    }
    #[derive(Default, serde::Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Detail {
        last_status: String,
        group: String,
        stopped_reason: String,
        containers: Vec<Container>,
    }
    #[derive(Default, serde::Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Container {
        name: String,
        exit_code: Option<i64>,
        reason: String,
    }
    let detail = serde_json::from_str::<Event>(line).ok()?.detail;
    let worker = detail.containers.iter().find(|container| names_worker(&container.name));
    if detail.last_status != "STOPPED" || (worker.is_none() && !names_worker(&detail.group)) {
        return None;
    }
    let exit = worker.and_then(|it| it.exit_code).map(|code| format!("exit code {code}"));
    let why = worker.map(|it| it.reason.clone()).filter(|reason| !reason.is_empty());
    let parts = [Some("task stopped".to_owned()), exit, why, Some(detail.stopped_reason)];
    let text: Vec<String> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    Some(Sighting::new(Stage::WorkerStopped, Form::Process).saying(text.join(", ")))
}

/// Steps over one bracket: `[Entrypoint] `, `[2025-12-06 12:00:01] `.
fn after_prefix(line: &str) -> &str {
    const PREFIX_BYTES_MAX: usize = 40;
    match line.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((prefix, rest)) if prefix.len() <= PREFIX_BYTES_MAX => rest,
        _ => line,
    }
}

fn sighting<'a>(stage: Stage, text: &'a str) -> Option<Sighting<'a>> {
    Some(Sighting::new(stage, Form::Process).saying(text.trim()))
}

/// `PHP Fatal error:  Allowed memory size of 50331648 bytes exhausted (…)`.
fn fatal(line: &str) -> Option<Sighting<'_>> {
    let (_, what) = line.split_once("error:")?;
    let what = what.trim_start();
    if what.starts_with("Allowed memory size of ") && what.contains(" exhausted") {
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

/// `INFO exited: laravel-worker_00 (exit status 1; not expected)`, as supervisord prints it.
fn supervised(line: &str) -> Option<Sighting<'_>> {
    let line = after_supervisor_stamp(line);
    let (_, sentence) =
        line.split_once(' ').filter(|(level, _)| matches!(*level, "INFO" | "WARN" | "CRIT" | "ERRO"))?;
    let (verb, rest) = sentence.split_once(": ")?;
    let (program, tail) = rest.split_once(' ')?;
    if !names_worker(program) {
        return None;
    }
    match verb {
        "success" if tail.starts_with("entered RUNNING state") => sighting(Stage::WorkerStarted, program),
        "exited" | "stopped" | "gave up" => sighting(Stage::WorkerStopped, sentence),
        _ => None,
    }
}

/// `INFO spawnerr: can't find command 'php8.9'`: supervisord cannot start a program, and does not say which.
fn not_spawned(line: &str) -> Option<Sighting<'_>> {
    let (_, sentence) = after_supervisor_stamp(line)
        .split_once(' ')
        .filter(|(level, _)| matches!(*level, "INFO" | "WARN" | "CRIT"))?;
    sentence.starts_with("spawnerr: ").then(|| sighting(Stage::WorkerError, sentence))?
}

/// `laravel-worker.service: Main process exited, code=exited, status=1/FAILURE`, as systemd prints it of a unit whose
/// name or description is a worker's.
fn unit(line: &str) -> Option<Sighting<'_>> {
    let line = after_syslog(line);
    const STARTS: [&str; 1] = ["Started "];
    const ENDS: [&str; 2] = ["Stopped ", "Failed to start "];
    let is_sentence = |beginnings: &[&str]| {
        beginnings.iter().find_map(|beginning| line.strip_prefix(beginning)).is_some_and(names_worker)
            && line.ends_with('.')
            // Who logs in may be called so.
            && !line.contains(" of user ")
            && !line.contains("User ")
    };
    if is_sentence(&STARTS) {
        return sighting(Stage::WorkerStarted, line);
    }
    if is_sentence(&ENDS) {
        return sighting(Stage::WorkerStopped, line);
    }
    let (name, tail) = line.split_once(".service: ")?;
    const TOLD: [&str; 6] = [
        "Main process exited,",
        "Start request repeated too quickly",
        "Failed with result ",
        "A process of this unit has been killed by the OOM killer",
        "Scheduled restart job, restart counter is at ",
        "Unit process ",
    ];
    let is_end = names_worker(name) && !name.contains(' ') && TOLD.iter().any(|told| tail.starts_with(told));
    is_end.then(|| sighting(Stage::WorkerStopped, tail))?
}

/// Steps over `Mar 02 09:00:01 ip-10-0-0-1 systemd[1]: `.
fn after_syslog(line: &str) -> &str {
    const PREFIX_BYTES_MAX: usize = 100;
    match line.split_once("systemd[") {
        Some((before, rest)) if before.len() <= PREFIX_BYTES_MAX => {
            rest.split_once("]: ").map_or(line, |(_, sentence)| sentence)
        }
        _ => line,
    }
}

/// Steps over `2025-12-06 12:00:01,123 `.
fn after_supervisor_stamp(line: &str) -> &str {
    let rest = super::stamp::skip(line).and_then(|rest| rest.strip_prefix(','));
    rest.map_or(line, |rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start())
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
    fn a_supervisor_names_its_program() {
        let line = "2025-12-06 12:00:00,123 INFO exited: laravel-worker_00 (exit status 1; not expected)";
        let exited = "exited: laravel-worker_00 (exit status 1; not expected)";
        check(line, Some((Stage::WorkerStopped, exited)));
        let line = "2025-12-06 12:00:00,123 INFO gave up: laravel-worker_00 entered FATAL state, too many start retries too quickly";
        let gave_up = "gave up: laravel-worker_00 entered FATAL state, too many start retries too quickly";
        check(line, Some((Stage::WorkerStopped, gave_up)));
        let line = "2025-12-06 12:00:00,123 INFO spawnerr: can't find command 'php8.9'";
        check(line, Some((Stage::WorkerError, "spawnerr: can't find command 'php8.9'")));
        let line = "INFO success: laravel-worker_00 entered RUNNING state, process has stayed up";
        check(line, Some((Stage::WorkerStarted, "laravel-worker_00")));
        check("INFO exited: nginx (exit status 1; the worker is fine)", None);
        check("INFO spawned: 'laravel-worker_00' with pid 9", None);
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
    fn a_unit_is_told_by_its_name_or_its_description() {
        let prefix = "Mar 02 09:00:01 ip-10-0-0-1 systemd[1]: ";
        let stop = |text| Some((Stage::WorkerStopped, text));
        for text in [
            "Main process exited, code=exited, status=1/FAILURE",
            "Start request repeated too quickly.",
            "A process of this unit has been killed by the OOM killer.",
            "Failed with result 'exit-code'.",
        ] {
            check(&format!("{prefix}laravel-worker.service: {text}"), stop(text));
            check(&format!("horizon.service: {text}"), stop(text));
            check(&format!("{prefix}php8.3-fpm.service: {text}"), None);
        }
        let started = "Started Laravel queue worker.";
        check(&format!("{prefix}{started}"), Some((Stage::WorkerStarted, started)));
        let started = "Started panelq.service - Queue Worker.";
        check(started, Some((Stage::WorkerStarted, started)));
        let failed = "Failed to start panelq.service - Queue Worker.";
        check(failed, stop(failed));
        check("Started the queue of tasks for today", None);
        check("Started Session 12 of user worker.", None);
        check("Started nginx.service - A high performance web server.", None);
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
    fn lambda_and_ecs_tell_an_end() {
        let line = "2026-03-02T09:02:41.259Z da9e30e9-5449-4ccf-a47e-e9551eb3a0ed Task timed out after 60.06 seconds";
        check(line, Some((Stage::WorkerStopped, "Task timed out after 60.06 seconds")));
        let line =
            "REPORT RequestId: da9e30e9-5449-4ccf-a47e-e9551eb3a0ed\tDuration: 3000.00 ms\tStatus: timeout";
        check(line, Some((Stage::WorkerStopped, "Task timed out: Status: timeout")));
        check("REPORT RequestId: da9e30e9-5449-4ccf-a47e-e9551eb3a0ed\tDuration: 3.00 ms\t", None);
        let event = |name: &str, status: &str| {
            format!(
                r#"{{"detail-type":"ECS Task State Change","source":"aws.ecs","detail":{{"containers":[{{"exitCode":137,"name":"{name}","reason":"OutOfMemoryError: Container killed due to memory usage"}}],"group":"service:shop","lastStatus":"{status}","stoppedReason":"Essential container in task exited"}}}}"#
            )
        };
        let text = "task stopped, exit code 137, OutOfMemoryError: Container killed due to memory usage, Essential container in task exited";
        let state = |line: &str| task_state(line).and_then(|seen| seen.text).map(|text| text.into_owned());
        assert_eq!(state(&event("queue-worker", "STOPPED")).as_deref(), Some(text));
        assert_eq!(state(&event("queue-worker", "RUNNING")), None);
        assert_eq!(state(&event("nginx", "STOPPED")), None);
    }

    #[test]
    fn a_daemon_that_hands_jobs_over_by_http_tells_of_each() {
        let line = |status: u16| {
            format!(
                r#"127.0.0.1 (-) - - [02/Mar/2026:09:00:16 +0000] "POST /worker/queue HTTP/1.1" {status} 2 "-" "aws-sqsd/3.0.4""#
            )
        };
        let line_200 = line(200);
        let seen = read(&line_200).expect("a job that was done");
        assert_eq!((seen.stage, seen.id.as_deref(), seen.jobs), (Stage::WorkerAlive, Some(SQSD), Some(1)));
        assert_eq!(read(&line(500)).map(|seen| seen.stage), None);
        check(r#"10.0.0.1 - - [x] "POST /orders HTTP/1.1" 200 2 "-" "curl/8.1""#, None);
    }

    #[test]
    fn memory_exhaustion_ends_a_php_process() {
        let line = "PHP Fatal error:  Allowed memory size of 50331648 bytes exhausted (tried to allocate 2097152 bytes) in /var/www/html/app/Jobs/FatalJob.php on line 9";
        assert_eq!(read(line).map(|s| s.stage), Some(Stage::WorkerError));
        check("PHP Fatal error:  Uncaught Exception: x in /a.php:1", None);
        check("PHP Warning:  Allowed memory size of 1 bytes exhausted", None);
    }
}
