//! Stack traces as evidence: which frames show a job being put on a queue, which a worker fetching one.
//!
//! It refuses frames that are in every trace of a running job, first of all `Dispatcher->dispatchNow()`.

use crate::domain::job::TraceSide;

/// A line of a trace, `#12 /path/file.php(34): Class->method()`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Frame<'a> {
    /// Its number in the trace.
    pub(super) number: u32,
    /// What it called; `{main}` at the end.
    pub(super) call: &'a str,
}

/// Reads a frame, or declines.
pub(super) fn frame(line: &str) -> Option<Frame<'_>> {
    let (number, rest) = line.strip_prefix('#')?.split_once(' ')?;
    let number = number.parse().ok()?;
    let call = rest.split_once("): ").or_else(|| rest.split_once("]: ")).map_or(rest, |(_, call)| call);
    Some(Frame { number, call })
}

impl Frame<'_> {
    /// Whether the trace ends here.
    pub(super) fn is_last(&self) -> bool {
        self.call.starts_with("{main}")
    }

    /// Whether a worker was running a job here.
    pub(super) fn is_job_run(&self) -> bool {
        let (class, method) = self.parts();
        (class.ends_with("CallQueuedHandler") && method == "call")
            || (class.ends_with("\\Worker") && method == "process")
    }

    /// Whether a worker command was at work here.
    pub(super) fn is_work_command(&self) -> bool {
        self.parts().0.ends_with("WorkCommand")
    }

    /// The side the frame shows.
    pub(super) fn side(&self) -> Option<TraceSide> {
        let (class, method) = self.parts();
        match method {
            "enqueueUsing" | "pushCommandToQueue" | "dispatchToQueue" | "pushToDatabase" | "pushRaw"
            | "laterRaw" => Some(TraceSide::Push),
            "push" | "pushOn" | "later" | "laterOn" | "bulk" if is_queue(class) => Some(TraceSide::Push),
            "getNextJob"
            | "retrieveNextJob"
            | "migrateExpiredJobs"
            | "getNextReservableJob"
            | "getNextAvailableJob"
            | "getTimestampOfLastQueueRestart"
            | "queueShouldRestart"
            | "daemonShouldRun"
            | "queuePaused" => Some(TraceSide::Pop),
            "pop" | "migrate" | "marshalJob" | "markJobAsReserved" if is_queue(class) => Some(TraceSide::Pop),
            _ => None,
        }
    }

    /// Class and method, `Illuminate\\Queue\\RedisQueue` and `push`. Arguments are not looked at.
    fn parts(&self) -> (&str, &str) {
        let name = self.call.split_once('(').map_or(self.call, |(name, _)| name);
        name.rsplit_once("->").or_else(|| name.rsplit_once("::")).unwrap_or(("", name))
    }
}

/// Whether a class is a queue driver: an app's own `PrintQueue->push()` is not.
fn is_queue(class: &str) -> bool {
    class.ends_with("Queue") && (class.contains("\\Queue\\") || class.contains("Horizon\\"))
}

/// The side that a JSON record's trace shows: files only, as Monolog writes them (`/path/file.php:12`), or
/// whole frames. A queue driver called by a worker fetches; called by anything else, it pushes.
pub(super) fn side_of_files<'a>(trace: impl Iterator<Item = &'a str>) -> Option<TraceSide> {
    let mut in_driver = false;
    for entry in trace {
        if let Some(side) = frame(entry).and_then(|f| f.side()) {
            return Some(side);
        }
        let file = entry.rsplit_once(':').map_or(entry, |(file, _)| file);
        let folder_and_name = file.rsplit_once('/').map(|(folder, name)| (folder.ends_with("/Queue"), name));
        match folder_and_name {
            Some((true, "Worker.php")) if in_driver => return Some(TraceSide::Pop),
            Some((true, "Queue.php")) => return Some(TraceSide::Push),
            Some((true, name)) if name.ends_with("Queue.php") => in_driver = true,
            Some((_, "RedisQueue.php")) => in_driver = true,
            Some((false, "Dispatcher.php")) if in_driver && file.ends_with("/Bus/Dispatcher.php") => {
                return Some(TraceSide::Push);
            }
            Some((true, "QueueManager.php" | "SyncQueue.php")) if in_driver => return Some(TraceSide::Push),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(call: &str, expected: Option<TraceSide>) {
        let line = format!("#3 /var/www/html/vendor/x.php(116): {call}");
        assert_eq!(frame(&line).and_then(|f| f.side()), expected, "{line}");
    }

    #[test]
    fn frames_tell_their_side() {
        check(r"Illuminate\\Queue\\RedisQueue->pushRaw()", Some(TraceSide::Push));
        check(r"Illuminate\\Queue\\RedisQueue->push()", Some(TraceSide::Push));
        check(r"Illuminate\\Queue\\Queue->enqueueUsing()", Some(TraceSide::Push));
        check(r"Illuminate\\Bus\\Dispatcher->pushCommandToQueue()", Some(TraceSide::Push));
        check(r"Illuminate\\Bus\\Dispatcher->dispatchToQueue()", Some(TraceSide::Push));
        check(
            r"Illuminate\\Queue\\DatabaseQueue->pushToDatabase('default', 'Queue->pop()')",
            Some(TraceSide::Push),
        );
        check(r"Laravel\\Horizon\\RedisQueue->later()", Some(TraceSide::Push));
        check(r"Illuminate\\Queue\\RedisQueue->pop()", Some(TraceSide::Pop));
        check(r"Illuminate\\Queue\\RedisQueue->migrateExpiredJobs()", Some(TraceSide::Pop));
        check(r"Illuminate\\Queue\\Worker->getNextJob()", Some(TraceSide::Pop));
        check(r"Illuminate\\Queue\\DatabaseQueue->getNextAvailableJob()", Some(TraceSide::Pop));
        check(r"Illuminate\\Bus\\Dispatcher->dispatchNow()", None);
        check(r"Illuminate\\Bus\\Dispatcher->dispatch()", None);
        check(r"Illuminate\\Queue\\Worker->daemon()", None);
        check(r"Illuminate\\Queue\\Worker->process()", None);
        check(r"Illuminate\\Support\\Collection->push()", None);
        check(r"App\\Services\\PrintQueue->push()", None);
        check(r"App\\X->handle('Queue->pushRaw()')", None);
        check(r"SplQueue->pop()", None);
    }

    #[test]
    fn a_frame_has_a_number_and_a_call() {
        assert_eq!(frame("#34 {main}").map(|f| (f.number, f.is_last())), Some((34, true)));
        let internal = frame("#5 [internal function]: call_user_func()");
        assert_eq!(internal.map(|f| (f.number, f.call)), Some((5, "call_user_func()")));
        assert_eq!(frame("# heading"), None);
        assert_eq!(frame("#1"), None);
        assert_eq!(frame("text #1 x"), None);
    }

    #[track_caller]
    fn check_files(files: &[&str], expected: Option<TraceSide>) {
        let trace: Vec<String> =
            files.iter().map(|f| format!("/app/vendor/laravel/framework/src/Illuminate/{f}:12")).collect();
        assert_eq!(side_of_files(trace.iter().map(String::as_str)), expected, "{files:?}");
    }

    #[test]
    fn files_tell_their_side_by_who_called_the_driver() {
        let push = [
            "Redis/Connections/Connection.php",
            "Queue/RedisQueue.php",
            "Queue/Queue.php",
            "Bus/Dispatcher.php",
        ];
        check_files(&push, Some(TraceSide::Push));
        check_files(&["Queue/DatabaseQueue.php", "Bus/Dispatcher.php"], Some(TraceSide::Push));
        check_files(
            &["Queue/RedisQueue.php", "Queue/RedisQueue.php", "Queue/Worker.php"],
            Some(TraceSide::Pop),
        );
        check_files(
            &[
                "Cache/RedisStore.php",
                "Queue/CallQueuedHandler.php",
                "Bus/Dispatcher.php",
                "Queue/Worker.php",
            ],
            None,
        );
        let inside_a_job =
            ["Queue/RedisQueue.php", "Queue/Queue.php", "Bus/Dispatcher.php", "Queue/Worker.php"];
        check_files(&inside_a_job, Some(TraceSide::Push));
        check_files(&[], None);
    }
}
