//! The text of stack traces, as Laravel 12 logs them.

const VENDOR: &str = "/var/www/html/vendor/laravel/framework/src/Illuminate";

/// A frame: the file below Laravel's folder, the line, the call.
type Frame = (&'static str, u32, &'static str);

const REDIS: [Frame; 4] = [
    ("Redis/Connectors/PhpRedisConnector.php", 185, "Redis->connect()"),
    (
        "Redis/Connectors/PhpRedisConnector.php",
        34,
        "Illuminate\\Redis\\Connectors\\PhpRedisConnector->createClient()",
    ),
    ("Redis/Connections/PhpRedisConnection.php", 534, "call_user_func()"),
    (
        "Redis/Connections/PhpRedisConnection.php",
        448,
        "Illuminate\\Redis\\Connections\\PhpRedisConnection->command()",
    ),
];

const PUSH: [Frame; 9] = [
    ("Queue/RedisQueue.php", 226, "Illuminate\\Redis\\Connections\\PhpRedisConnection->eval()"),
    ("Queue/RedisQueue.php", 211, "Illuminate\\Queue\\RedisQueue->pushRaw()"),
    ("Queue/Queue.php", 379, "Illuminate\\Queue\\RedisQueue->Illuminate\\Queue\\{closure}()"),
    ("Queue/RedisQueue.php", 205, "Illuminate\\Queue\\Queue->enqueueUsing()"),
    ("Bus/Dispatcher.php", 246, "Illuminate\\Queue\\RedisQueue->push()"),
    ("Bus/Dispatcher.php", 230, "Illuminate\\Bus\\Dispatcher->pushCommandToQueue()"),
    ("Bus/Dispatcher.php", 80, "Illuminate\\Bus\\Dispatcher->dispatchToQueue()"),
    ("Foundation/Bus/PendingDispatch.php", 252, "Illuminate\\Bus\\Dispatcher->dispatch()"),
    ("Foundation/helpers.php", 461, "Illuminate\\Foundation\\Bus\\PendingDispatch->__destruct()"),
];

const POP: [Frame; 8] = [
    ("Queue/RedisQueue.php", 345, "Illuminate\\Redis\\Connections\\PhpRedisConnection->eval()"),
    ("Queue/RedisQueue.php", 329, "Illuminate\\Queue\\RedisQueue->migrateExpiredJobs()"),
    ("Queue/RedisQueue.php", 299, "Illuminate\\Queue\\RedisQueue->migrate()"),
    ("Queue/Worker.php", 393, "Illuminate\\Queue\\RedisQueue->pop()"),
    ("Queue/Worker.php", 412, "Illuminate\\Queue\\Worker->Illuminate\\Queue\\{closure}()"),
    ("Queue/Worker.php", 198, "Illuminate\\Queue\\Worker->getNextJob()"),
    ("Queue/Console/WorkCommand.php", 149, "Illuminate\\Queue\\Worker->daemon()"),
    ("Queue/Console/WorkCommand.php", 132, "Illuminate\\Queue\\Console\\WorkCommand->runWorker()"),
];

const JOB: [Frame; 8] = [
    ("Container/Container.php", 1180, "Illuminate\\Container\\Container->build()"),
    ("Container/BoundMethod.php", 36, "Illuminate\\Container\\Container->make()"),
    ("Bus/Dispatcher.php", 133, "Illuminate\\Pipeline\\Pipeline->then()"),
    ("Queue/CallQueuedHandler.php", 136, "Illuminate\\Bus\\Dispatcher->dispatchNow()"),
    ("Queue/Jobs/Job.php", 102, "Illuminate\\Queue\\CallQueuedHandler->call()"),
    ("Queue/Worker.php", 504, "Illuminate\\Queue\\Jobs\\Job->fire()"),
    ("Queue/Worker.php", 454, "Illuminate\\Queue\\Worker->process()"),
    ("Queue/Console/WorkCommand.php", 149, "Illuminate\\Queue\\Worker->daemon()"),
];

const TOO_OFTEN: [Frame; 5] = [
    ("Queue/Worker.php", 785, "Illuminate\\Queue\\MaxAttemptsExceededException::forJob()"),
    ("Queue/Worker.php", 586, "Illuminate\\Queue\\Worker->maxAttemptsExceededException()"),
    ("Queue/Worker.php", 496, "Illuminate\\Queue\\Worker->markJobAsFailedIfAlreadyExceedsMaxAttempts()"),
    ("Queue/Worker.php", 454, "Illuminate\\Queue\\Worker->process()"),
    ("Queue/Console/WorkCommand.php", 149, "Illuminate\\Queue\\Worker->daemon()"),
];

/// A job that a web request runs at once: its own command fails, below the handler and the sync queue.
const SYNC: [Frame; 7] = [
    ("Cache/RedisStore.php", 80, "Illuminate\\Redis\\Connections\\PhpRedisConnection->get()"),
    ("Bus/Dispatcher.php", 133, "Illuminate\\Pipeline\\Pipeline->then()"),
    ("Queue/CallQueuedHandler.php", 136, "Illuminate\\Bus\\Dispatcher->dispatchNow()"),
    ("Queue/Jobs/Job.php", 102, "Illuminate\\Queue\\CallQueuedHandler->call()"),
    ("Queue/SyncQueue.php", 126, "Illuminate\\Queue\\Jobs\\Job->fire()"),
    ("Queue/SyncQueue.php", 92, "Illuminate\\Queue\\SyncQueue->executeJob()"),
    ("Bus/Dispatcher.php", 230, "Illuminate\\Queue\\SyncQueue->push()"),
];

/// What failed, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// An app could not put a job on a queue.
    Push,
    /// A worker could not fetch a job.
    Pop,
    /// A job threw.
    Job,
    /// A job of this class was attempted more often than it may be.
    TriedTooOften(&'static str),
    /// A job threw that a web request ran at once.
    Sync,
}

impl Failure {
    /// The exception's class, its message, its file and line.
    pub(super) fn exception(self) -> (&'static str, String, &'static str) {
        match self {
            Self::Push | Self::Pop | Self::Sync => {
                let place = "/var/www/html/vendor/laravel/framework/src/Illuminate/Redis/Connectors/PhpRedisConnector.php:185";
                ("RedisException", "Connection refused".to_owned(), place)
            }
            Self::Job => (
                "Illuminate\\Contracts\\Container\\BindingResolutionException",
                "Target class [App\\Jobs\\OpenAIService] does not exist.".to_owned(),
                "/var/www/html/vendor/laravel/framework/src/Illuminate/Container/Container.php:1019",
            ),
            Self::TriedTooOften(job) => (
                "Illuminate\\Queue\\MaxAttemptsExceededException",
                format!("App\\Jobs\\{job} has been attempted too many times."),
                "/var/www/html/vendor/laravel/framework/src/Illuminate/Queue/MaxAttemptsExceededException.php:24",
            ),
        }
    }

    fn frames(self) -> Vec<Frame> {
        match self {
            Self::Push => REDIS.into_iter().chain(PUSH).collect(),
            Self::Pop => REDIS.into_iter().chain(POP).collect(),
            Self::Sync => REDIS.into_iter().chain(SYNC).collect(),
            Self::Job => JOB.to_vec(),
            Self::TriedTooOften(_) => TOO_OFTEN.to_vec(),
        }
    }

    /// The lines of a record in line form, each a log event of its own.
    pub(super) fn lines(self, stamp: &str) -> Vec<String> {
        let (class, message, place) = self.exception();
        let escaped = |text: &str| text.replace('\\', "\\\\");
        let mut lines = vec![
            format!(
                "[{stamp}] production.ERROR: {message} {{\"exception\":\"[object] ({}(code: 0): {} at {place})",
                escaped(class),
                escaped(&message)
            ),
            "[stacktrace]".to_owned(),
        ];
        let frames = self.frames();
        let last = frames.len();
        for (n, (file, line, call)) in frames.into_iter().enumerate() {
            lines.push(format!("#{n} {VENDOR}/{file}({line}): {}", escaped(call)));
        }
        lines.push(format!("#{last} {{main}}"));
        lines.push("\"} ".to_owned());
        lines
    }

    /// The files of a record in JSON form, as `includeStacktraces` adds them.
    pub(super) fn files(self) -> Vec<String> {
        self.frames().into_iter().map(|(file, line, _)| format!("{VENDOR}/{file}:{line}")).collect()
    }
}
