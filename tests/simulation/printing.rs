//! The lines that app and workers print of a story.

use serde_json::json;

use crate::story::{Driver, Line, Names, Prints, Queue, Story, Tells};

/// The streams: the app's, the workers', and that of a container with both.
pub(crate) const STREAMS: [(&str, &str); 3] =
    [("/ecs/app", "ecs/app/1"), ("/ecs/worker", "ecs/worker/1"), ("/ecs/app", "ecs/app/2")];
const APP: usize = 0;
const WORKER: usize = 1;
const SHARED: usize = 2;

impl Story {
    pub(crate) fn print(&mut self, job: usize, at_ms: i64, tells: Tells, attempt: u32, ran_ms: i64) {
        let text = match tells {
            Tells::Enqueued => self.enqueue_line(job),
            Tells::Started | Tells::Released | Tells::Processed | Tells::Failed => {
                self.worker_line(job, tells, attempt, ran_ms)
            }
        };
        let stream = match (self.jobs[job].is_shared, tells) {
            (true, _) => SHARED,
            (false, Tells::Enqueued) => APP,
            (false, _) => WORKER,
        };
        // A text line prints whole seconds from one second on.
        let is_rounded = self.prints != Prints::Json && ran_ms >= 1_000;
        let ran_ms = if is_rounded { ran_ms / 1_000 * 1_000 } else { ran_ms };
        self.lines.push(Line { stream, at_ms, text, ran_ms, tells: Some((job, tells)) });
    }

    fn enqueue_line(&self, job: usize) -> String {
        let Queue { name: queue, delay_ms, .. } = &self.queues[self.jobs[job].queue];
        let connection = self.connection();
        let mut context =
            json!({"job": class(queue), "queue": queue, "connection": connection, "delay": null});
        if *delay_ms > 0 {
            context["delay"] = (delay_ms / 1_000).into();
        }
        if self.names != Names::Uuid {
            context["id"] = self.id(job, 1).into();
        }
        if self.names != Names::Id {
            context["uuid"] = uuid(job).into();
        }
        format!("[2026-01-05 09:00:00] production.INFO: Job queued {context} ")
    }

    fn worker_line(&self, job: usize, tells: Tells, attempt: u32, ran_ms: i64) -> String {
        let queue = &self.queues[self.jobs[job].queue].name;
        let class = class(queue);
        if self.prints == Prints::Json {
            let (status, result) = match tells {
                Tells::Enqueued | Tells::Started => ("starting", None),
                Tells::Released => ("released_after_exception", Some("released")),
                Tells::Processed => ("success", Some("deleted")),
                Tells::Failed => ("failed", Some("failed")),
            };
            let mut line = json!({
                "level": "info", "id": self.id(job, attempt), "uuid": uuid(job), "job": class,
                "connection": self.connection(), "queue": queue, "attempts": attempt,
                "status": status, "result": result, "exception": "", "message": "",
            });
            if tells != Tells::Started {
                line["duration"] = json!(ran_ms as f64 / 1_000.0);
            }
            return line.to_string();
        }
        let names = match self.prints {
            Prints::Verbose => format!(" {} {} {queue}", self.id(job, attempt), self.connection()),
            Prints::Plain | Prints::Json => String::new(),
        };
        let word = match tells {
            Tells::Enqueued | Tells::Started | Tells::Released => "RUNNING",
            Tells::Processed => "DONE",
            Tells::Failed => "FAIL",
        };
        let ran = match ran_ms {
            0 => String::new(),
            1..1_000 => format!("{ran_ms}.12ms "),
            _ => format!("{}s ", ran_ms / 1_000),
        };
        format!("  2026-01-05 09:00:00 {class}{names} ....... {ran}{word}")
    }
}

/// Each queue has a class of its own: where lines carry no id, only a class tells queues apart.
fn class(queue: &str) -> String {
    format!("App\\Jobs\\Of{queue}")
}

fn uuid(job: usize) -> String {
    format!("00000000-0000-4000-8000-{job:012}")
}

/// Names.
impl Story {
    const fn connection(&self) -> &'static str {
        match self.driver {
            Driver::Redis => "redis",
            Driver::Database => "database",
        }
    }

    /// The id that a job has in an attempt.
    fn id(&self, job: usize, attempt: u32) -> String {
        match self.driver {
            Driver::Redis => format!("job{job:029}"),
            Driver::Database => format!("{attempt}{job:03}"),
        }
    }

    /// Everything that a job may be called.
    pub(crate) fn names(&self, job: usize) -> [String; 3] {
        [self.id(job, 1), self.id(job, 2), uuid(job)]
    }
}
