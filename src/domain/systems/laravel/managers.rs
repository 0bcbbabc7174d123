//! What process managers without a unit or a program file say of a worker: docker compose, PM2, Foreman and its kin, s6.
//!
//! Each names the process first. The name must be a worker's, as in [`names_worker`]; a web server's children end in the
//! same words.

use crate::domain::job::Stage;

use super::process::{command_of_worker, names_worker, sighting};
use super::sighting::Sighting;

/// Reads the line, or declines.
pub(super) fn read(line: &str) -> Option<Sighting<'_>> {
    exited(line)
        .or_else(|| pm2(line))
        .or_else(|| labelled(line))
        .or_else(|| s6(line))
        .or_else(|| traced(line))
}

/// `worker-1 exited with code 137`, `php artisan queue:work exited with code 1`, `queue:work exited (code 1)`.
fn exited(line: &str) -> Option<Sighting<'_>> {
    let (name, rest) = line.split_once(" exited ")?;
    let is_end = ["with code ", "with status ", "with exit code ", "(code ", "(exit "]
        .iter()
        .any(|words| rest.starts_with(words));
    let is_process = |name: &str| !name.contains(' ') && names_worker(name);
    (is_end && (is_process(name) || command_of_worker(name).is_some()))
        .then(|| sighting(Stage::WorkerStopped, line))?
}

/// `Script /app/artisan had too many unstable restarts (16). Stopped. "errored"`: PM2 gives up, and names the script alone.
pub(super) fn gave_up(line: &str) -> Option<Sighting<'_>> {
    let (script, rest) = line.split_once(" had too many unstable restarts")?;
    let is_artisan = script.rsplit_once("Script ")?.1.ends_with("artisan");
    (is_artisan && rest.contains("Stopped.")).then(|| sighting(Stage::WorkerStopped, line))?
}

/// `App [queue-worker:0] exited with code [1] via signal [SIGINT]`, `App [queue-worker:0] online`, with PM2's own label
/// and time before it or not. <https://github.com/Unitech/pm2/blob/master/lib/God.js>
fn pm2(line: &str) -> Option<Sighting<'_>> {
    let (before, rest) = line.split_once("App [")?;
    let (name, told) = rest.split_once("] ")?;
    if !(before.is_empty() || before.ends_with(' ')) || !names_worker(name) {
        return None;
    }
    if told == "online" {
        return sighting(Stage::WorkerStarted, name);
    }
    told.starts_with("exited with code [")
        .then(|| sighting(Stage::WorkerStopped, line.get(before.len()..)?))?
}

/// `12:00:01 worker.1  | exited with code 1`, `12:00:01 system    | worker.1 stopped (rc=1)`: Foreman, Honcho, Overmind.
fn labelled(line: &str) -> Option<Sighting<'_>> {
    const LABEL_BYTES_MAX: usize = 64;
    let (label, told) = line.split_once('|').filter(|(label, _)| label.len() <= LABEL_BYTES_MAX)?;
    let (label, told) = (label.trim_end().rsplit(' ').next()?, told.trim());
    let (name, told) =
        if label == "system" { told.split_once(' ').unwrap_or((told, "")) } else { (label, told) };
    if !names_worker(name) {
        return None;
    }
    let starts = |words: &[&str]| words.iter().any(|words| told.starts_with(words));
    if starts(&["started with pid ", "started (pid=", "Running..."]) {
        return sighting(Stage::WorkerStarted, name);
    }
    let is_end = starts(&[
        "exited with code ",
        "terminated by SIG",
        "stopped (rc=",
        "Exited with code ",
        "Exited (code ",
    ]);
    is_end.then(|| sighting(Stage::WorkerStopped, told))?
}

/// `s6-rc: info: service laravel-queue successfully started`, `s6-rc: warning: unable to start service laravel-queue:
/// command exited 111`.
/// <https://github.com/just-containers/s6-overlay>
fn s6(line: &str) -> Option<Sighting<'_>> {
    let told = line.strip_prefix("s6-rc: ")?;
    if let Some(rest) = told.strip_prefix("info: service ") {
        let (name, told) = rest.split_once(' ')?;
        let stage = match told {
            "successfully started" => Stage::WorkerStarted,
            "successfully stopped" => Stage::WorkerStopped,
            _ => return None,
        };
        return names_worker(name).then(|| sighting(stage, rest))?;
    }
    let (_, rest) = told.split_once("unable to start service ")?;
    names_worker(rest.split_once(':')?.0).then(|| sighting(Stage::WorkerStopped, rest))?
}

/// `+ exec php artisan queue:work redis`: a shell that prints what it runs (`set -x`). One that runs a worker for a job
/// at a time is started again and again by design, and so tells of no boot.
fn traced(line: &str) -> Option<Sighting<'_>> {
    let command = line.strip_prefix('+')?.trim_start_matches('+').strip_prefix(' ')?;
    let worker = command_of_worker(command)?;
    let is_by_the_job = worker.contains("--once") || worker.contains("--stop-when-empty");
    (!is_by_the_job && !command.contains('>')).then(|| sighting(Stage::WorkerStarted, command))?
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

    #[track_caller]
    fn check_end(line: &str) {
        check(line, Some((Stage::WorkerStopped, line)));
    }

    #[test]
    fn a_container_or_a_command_exits() {
        check_end("worker-1 exited with code 137");
        check_end("shop_queue_1 exited with code 255");
        check_end("laravel-horizon-1 exited with code 1 (restarting)");
        check_end("php artisan queue:work exited with code 1");
        check_end("queue:work exited (code 1), restarting in 3s");
        check("web-1 exited with code 0", None);
        check("worker process 12 exited with code 0", None);
        check("php artisan queue:restart exited with code 0", None);
        check("The queue worker exited with code 1", None);
    }

    #[test]
    fn pm2_names_the_app_and_gives_up() {
        let exited = "App [queue-worker:0] exited with code [1] via signal [SIGINT]";
        check_end(exited);
        check(
            &format!("PM2        | 2026-03-02T09:00:16: PM2 log: {exited}"),
            Some((Stage::WorkerStopped, exited)),
        );
        check("PM2      | App [queue-worker:0] online", Some((Stage::WorkerStarted, "queue-worker:0")));
        check_end("PM2 | Script /app/artisan had too many unstable restarts (16). Stopped. \"errored\"");
        check("PM2 | Script /app/worker.js had too many unstable restarts (16). Stopped. \"errored\"", None);
        check("App [api:0] exited with code [1] via signal [SIGINT]", None);
        check("App [queue-worker:0] starting in -fork mode-", None);
    }

    #[test]
    fn procfile_managers_tell_behind_a_label() {
        let end = |text| Some((Stage::WorkerStopped, text));
        check("12:00:01 worker.1  | exited with code 1", end("exited with code 1"));
        check("12:00:01 worker.1  | terminated by SIGKILL", end("terminated by SIGKILL"));
        check("12:00:01 system    | worker.1 stopped (rc=-9)", end("stopped (rc=-9)"));
        check("12:00:01 system    | queue.1 started (pid=12)", Some((Stage::WorkerStarted, "queue.1")));
        check("queue  | Exited with code 255", end("Exited with code 255"));
        check("12:00:01 web.1     | exited with code 1", None);
        check("12:00:01 worker.1  | order exited with code 1", None);
    }

    #[test]
    fn s6_names_its_service() {
        let started = "s6-rc: info: service laravel-queue successfully started";
        check(started, Some((Stage::WorkerStarted, "laravel-queue successfully started")));
        let failed = "s6-rc: warning: unable to start service laravel-queue: command exited 111";
        check(failed, Some((Stage::WorkerStopped, "laravel-queue: command exited 111")));
        check("s6-rc: info: service queue: starting", None);
        check("s6-rc: info: service nginx successfully started", None);
    }

    #[test]
    fn a_shell_prints_the_command_that_it_runs() {
        let started = |text| Some((Stage::WorkerStarted, text));
        check(
            "+ exec php artisan queue:work redis --sleep=3",
            started("exec php artisan queue:work redis --sleep=3"),
        );
        check(
            "++ su-exec www-data php /app/artisan horizon",
            started("su-exec www-data php /app/artisan horizon"),
        );
        check("+ php artisan queue:work --once", None);
        check("+ php artisan horizon:terminate", None);
        check("+ php artisan queue:restart", None);
        check("+ php artisan migrate --force", None);
    }
}
