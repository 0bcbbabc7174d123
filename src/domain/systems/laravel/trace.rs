//! Stack traces as evidence: which frames show a job being put on a queue, which a worker fetching one, and which a
//! job at work.
//!
//! It refuses `Dispatcher->dispatchNow()`, which is in every trace of a running job and in many of a web request.

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

    /// What the frame tells of the error above it, or nothing.
    pub(super) fn part(&self) -> Option<Part> {
        let (class, method) = self.parts();
        let short = class.rsplit('\\').next().unwrap_or(class);
        match (short, method) {
            ("CallQueuedHandler", "call") | ("Worker", "process" | "runJob") | ("SyncQueue", _) => {
                Some(Part::Job)
            }
            (_, "fire") if class.contains("Jobs\\") && class.contains("Queue") => Some(Part::Job),
            ("Dispatcher", "pushCommandToQueue" | "dispatchToQueue") => Some(Part::Side(TraceSide::Push)),
            (
                _,
                "enqueueUsing" | "pushToDatabase" | "pushRaw" | "laterRaw" | "push" | "pushOn" | "later"
                | "laterOn" | "bulk" | "createPayload" | "createPayloadArray",
            ) if is_queue(class) => Some(Part::Side(TraceSide::Push)),
            (
                "Worker",
                "getNextJob"
                | "getTimestampOfLastQueueRestart"
                | "queueShouldRestart"
                | "daemonShouldRun"
                | "queuePaused",
            ) => Some(Part::Side(TraceSide::Pop)),
            (
                _,
                "pop"
                | "migrate"
                | "marshalJob"
                | "markJobAsReserved"
                | "retrieveNextJob"
                | "migrateExpiredJobs"
                | "getNextReservableJob"
                | "getNextAvailableJob"
                | "getNextJob",
            ) if is_queue(class) => Some(Part::Side(TraceSide::Pop)),
            // Whatever a worker meets that is neither in a job nor in the app is the worker's.
            ("WorkCommand" | "ConsumeCommand", _) => Some(Part::Side(TraceSide::Pop)),
            ("Consumer", "daemon") if class.contains("Queue") => Some(Part::Side(TraceSide::Pop)),
            _ => None,
        }
    }

    /// Class and method, `Illuminate\\Queue\\RedisQueue` and `push`. Arguments are not looked at.
    fn parts(&self) -> (&str, &str) {
        let name = self.call.split_once('(').map_or(self.call, |(name, _)| name);
        name.rsplit_once("->").or_else(|| name.rsplit_once("::")).unwrap_or(("", name))
    }
}

/// What one frame tells of the error that was thrown above it. The telling frame nearest to the throw decides: a job
/// that a web request runs at once has `CallQueuedHandler->call()` above `SyncQueue->push()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A queue's driver was at work.
    Side(TraceSide),
    /// A job was at work: the error is the job's own, whatever its class.
    Job,
}

/// Whether a class is a queue driver: an app's own `PrintQueue->push()` is not.
fn is_queue(class: &str) -> bool {
    /// Drivers of packages whose namespace does not say so.
    const DRIVERS: [&str; 8] = [
        "RedisQueue",
        "DatabaseQueue",
        "SqsQueue",
        "SqsFifoQueue",
        "BeanstalkdQueue",
        "RabbitMQQueue",
        "MongoQueue",
        "PubSubQueue",
    ];
    let is_in_namespace = class.contains("Queue\\") || class.contains("Horizon\\") || class.contains("Sqs\\");
    class.ends_with("Queue") && (is_in_namespace || DRIVERS.iter().any(|name| class.ends_with(name)))
}

/// What a JSON record's trace tells: files only, as Monolog writes them (`/path/file.php:12`), or whole frames. A queue
/// driver called by a worker fetches; called by anything else, it pushes.
pub(super) fn part_of_files<'a>(trace: impl Iterator<Item = &'a str>) -> Option<Part> {
    let mut in_driver = false;
    for entry in trace {
        if let Some(part) = frame(entry).and_then(|frame| frame.part()) {
            return Some(part);
        }
        let file = entry.rsplit_once(':').map_or(entry, |(file, _)| file);
        let Some((folder, name)) = file.rsplit_once('/') else { continue };
        let in_queue = folder.ends_with("/Queue");
        match name {
            "CallQueuedHandler.php" | "SyncQueue.php" if in_queue => return Some(Part::Job),
            _ if folder.ends_with("/Queue/Jobs") => return Some(Part::Job),
            "Worker.php" if in_queue && in_driver => return Some(Part::Side(TraceSide::Pop)),
            "WorkCommand.php" | "ConsumeCommand.php" => return Some(Part::Side(TraceSide::Pop)),
            "Queue.php" if in_queue => return Some(Part::Side(TraceSide::Push)),
            "QueueManager.php" if in_queue && in_driver => return Some(Part::Side(TraceSide::Push)),
            "Dispatcher.php" if in_driver && folder.ends_with("/Bus") => {
                return Some(Part::Side(TraceSide::Push));
            }
            "RedisQueue.php" | "RabbitMQQueue.php" | "SqsFifoQueue.php" => in_driver = true,
            _ if in_queue && name.ends_with("Queue.php") => in_driver = true,
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
        check_part(call, expected.map(Part::Side));
    }

    #[track_caller]
    fn check_part(call: &str, expected: Option<Part>) {
        let line = format!("#3 /var/www/html/vendor/x.php(116): {call}");
        assert_eq!(frame(&line).and_then(|f| f.part()), expected, "{line}");
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
        check(r"Illuminate\\Support\\Collection->push()", None);
        check(r"App\\Services\\PrintQueue->push()", None);
        check(r"App\\X->handle('Queue->pushRaw()')", None);
        check(r"SplQueue->pop()", None);
        check(r"App\\Messaging\\Outbox->pushRaw()", None);
        check(
            r"VladimirYuldashev\\LaravelQueueRabbitMQ\\Queue\\RabbitMQQueue->pushRaw()",
            Some(TraceSide::Push),
        );
        check(r"ShiftOneLabs\\LaravelSqsFifoQueue\\SqsFifoQueue->pushRaw()", Some(TraceSide::Push));
        check(r"MongoDB\\Laravel\\Queue\\MongoQueue->pop()", Some(TraceSide::Pop));
        check(r"Illuminate\\Queue\\Console\\WorkCommand->runWorker()", Some(TraceSide::Pop));
        check(r"Illuminate\\Queue\\Queue->createPayload()", Some(TraceSide::Push));
    }

    #[test]
    fn frames_of_a_running_job_tell_that_the_error_is_its_own() {
        check_part(r"Illuminate\\Queue\\CallQueuedHandler->call()", Some(Part::Job));
        check_part(r"Illuminate\\Queue\\Jobs\\Job->fire()", Some(Part::Job));
        check_part(r"Illuminate\\Queue\\SyncQueue->push()", Some(Part::Job));
        check_part(r"Illuminate\\Queue\\Worker->process()", Some(Part::Job));
        check_part(r"App\\Jobs\\Rocket->fire()", None);
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
    fn check_files(files: &[&str], expected: Option<Part>) {
        let trace: Vec<String> =
            files.iter().map(|f| format!("/app/vendor/laravel/framework/src/Illuminate/{f}:12")).collect();
        assert_eq!(part_of_files(trace.iter().map(String::as_str)), expected, "{files:?}");
    }

    #[test]
    fn files_tell_their_side_by_who_called_the_driver() {
        let push = [
            "Redis/Connections/Connection.php",
            "Queue/RedisQueue.php",
            "Queue/Queue.php",
            "Bus/Dispatcher.php",
        ];
        check_files(&push, Some(Part::Side(TraceSide::Push)));
        check_files(&["Queue/DatabaseQueue.php", "Bus/Dispatcher.php"], Some(Part::Side(TraceSide::Push)));
        check_files(
            &["Queue/RedisQueue.php", "Queue/RedisQueue.php", "Queue/Worker.php"],
            Some(Part::Side(TraceSide::Pop)),
        );
        check_files(
            &[
                "Cache/RedisStore.php",
                "Queue/CallQueuedHandler.php",
                "Bus/Dispatcher.php",
                "Queue/Worker.php",
            ],
            Some(Part::Job),
        );
        let inside_a_job =
            ["Queue/RedisQueue.php", "Queue/Queue.php", "Bus/Dispatcher.php", "Queue/Worker.php"];
        check_files(&inside_a_job, Some(Part::Side(TraceSide::Push)));
        check_files(&["Queue/SyncQueue.php", "Queue/Queue.php"], Some(Part::Job));
        check_files(&[], None);
    }
}
