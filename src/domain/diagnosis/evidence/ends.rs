//! How workers end, in the words of whatever runs them: by design, badly, or for good.

/// What the words of an end tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::domain::diagnosis) enum End {
    /// It was asked to, or has done what it was started for.
    Designed,
    /// The words do not tell.
    Unclear,
    /// A signal, an error status.
    Bad,
    /// Whatever starts it has given up: no worker will start again by itself.
    ForGood,
}

impl End {
    /// Judges a worker's last words.
    pub(in crate::domain::diagnosis) fn of(text: &str) -> Self {
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if REASONS.contains(&text) {
            return Self::Designed;
        }
        if has(&FOR_GOOD) {
            return Self::ForGood;
        }
        // `queue:work` leaves with 12 where its memory limit is reached, and is meant to be started again.
        let is_limit = has(&["(exit status 12;", "status=12"]);
        if is_limit || has(&["exit code 0", "code 0", "code [0]", "(exit status 0"]) {
            return Self::Unclear;
        }
        if has(&BAD) { Self::Bad } else { Self::Unclear }
    }
}

/// Reasons that the package logs where a worker stops by its own options or is told to.
const REASONS: [&str; 6] = ["empty", "max_jobs", "max_time", "restart", "restart_signal", "interrupted"];

/// A supervisor's last words.
const FOR_GOOD: [&str; 7] = [
    "gave up:",
    "too many unstable restarts",
    "FATAL state",
    "repeated too quickly",
    "Failed to start ",
    "is already running",
    "is not defined",
];

const BAD: [&str; 18] = [
    "not expected",
    "terminated by SIG",
    "Killed",
    "Segmentation fault",
    "Aborted",
    "Bus error",
    "Illegal instruction",
    "status=",
    "Failed with result ",
    "OOM killer",
    "OutOfMemory",
    "exit code ",
    "exited with code [",
    "command exited ",
    "Runtime exited with error",
    "exceeded the timeout of ",
    "Failed at step ",
    "SERVICE_TASK_START_IMPAIRED",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: End) {
        assert_eq!(End::of(text), expected, "{text}");
    }

    #[test]
    fn an_end_is_by_design_bad_or_for_good() {
        check("empty", End::Designed);
        check("max_time", End::Designed);
        check("exited: laravel-worker_00 (exit status 0; expected)", End::Unclear);
        check("exited: laravel-worker_00 (exit status 12; not expected)", End::Unclear);
        check("exited: laravel-worker_00 (exit status 1; not expected)", End::Bad);
        check("exited: laravel-worker_00 (terminated by SIGKILL; not expected)", End::Bad);
        check("Main process exited, code=exited, status=1/FAILURE", End::Bad);
        check(
            "task stopped, exit code 137, OutOfMemoryError: Container killed due to memory usage",
            End::Bad,
        );
        check("task stopped, exit code 0, Scaling activity initiated by deployment", End::Unclear);
        check("worker exited with code 137", End::Unclear);
        check(
            "gave up: laravel-queue_00 entered FATAL state, too many start retries too quickly",
            End::ForGood,
        );
        check("Start request repeated too quickly.", End::ForGood);
        check("PM2 | Script /app/artisan had too many unstable restarts (16). Stopped.", End::ForGood);
        check("App [queue-worker:0] exited with code [255] via signal [SIGINT]", End::Bad);
        check("App [queue-worker:0] exited with code [0] via signal [SIGINT]", End::Unclear);
        check("queue:listen: the worker exceeded the timeout of 60 seconds", End::Bad);
        check("Runtime exited with error: signal: killed", End::Bad);
        check("A supervisor with this name is already running.", End::ForGood);
        check("Queue worker stopped. Restarting in 5 seconds...", End::Unclear);
        check("memory", End::Unclear);
    }
}
