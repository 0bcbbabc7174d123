//! What supervisord and systemd say of a program or a unit whose name is a worker's.

use crate::domain::job::Stage;

use super::process::{names_worker, sighting};
use super::sighting::Sighting;
use super::stamp;

/// `INFO exited: laravel-worker_00 (exit status 1; not expected)`, as supervisord prints it.
pub(super) fn supervised(line: &str) -> Option<Sighting<'_>> {
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
pub(super) fn not_spawned(line: &str) -> Option<Sighting<'_>> {
    let (_, sentence) = after_supervisor_stamp(line)
        .split_once(' ')
        .filter(|(level, _)| matches!(*level, "INFO" | "WARN" | "CRIT"))?;
    sentence.starts_with("spawnerr: ").then(|| sighting(Stage::WorkerError, sentence))?
}

/// `laravel-worker.service: Main process exited, code=exited, status=1/FAILURE`, as systemd prints it of a unit whose
/// name or description is a worker's.
pub(super) fn unit(line: &str) -> Option<Sighting<'_>> {
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
    const TOLD: [&str; 14] = [
        "Main process exited,",
        "Start request repeated too quickly",
        "Failed with result ",
        "A process of this unit has been killed by the OOM killer",
        "Scheduled restart job, restart counter is at ",
        "Unit process ",
        "Unit entered failed state",
        "Deactivated successfully",
        "Succeeded",
        "State 'stop-sigterm' timed out",
        "Killing process ",
        "Service RestartSec=",
        "Service hold-off time over, scheduling restart",
        "Failed at step ",
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
    let rest = stamp::skip(line).and_then(|rest| rest.strip_prefix(','));
    rest.map_or(line, |rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start())
}

#[cfg(test)]
mod tests {
    use super::super::process::read;
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<(Stage, &str)>) {
        let seen = read(line);
        let got = seen.as_ref().map(|s| (s.stage, s.text.as_deref().unwrap_or_default()));
        assert_eq!(got, expected, "{line}");
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
}
