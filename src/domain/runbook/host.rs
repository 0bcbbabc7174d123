//! Where a command runs: in the container that a log stream is named after, in a service's task, or on a machine.

use super::Inside;
use crate::domain::ledger::stream::StreamFacts;
use crate::domain::model::policy::Policy;
use crate::domain::shell;

/// Where commands about workers run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// A task of ECS.
    Task {
        /// Its id, or the variable that stands for it.
        task: String,
        /// The container, where the stream names it: a task of one container needs no name.
        container: Option<String>,
    },
    /// A machine of the reader's.
    Machine,
}

/// A command line as it is pasted, and what of it runs inside a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// The whole.
    pub(super) command: String,
    /// What runs inside; `None` where it runs where it is pasted.
    pub(super) inside: Option<Inside>,
}

/// Reads the task and the container of a stream that the `awslogs` driver named `prefix/container/task`
/// ([awslogs-stream-prefix](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specify-log-config.html)).
#[must_use]
pub fn task_of(log_stream: &str) -> Option<(&str, &str)> {
    let mut parts = log_stream.split('/');
    let (_, container, task) =
        (parts.next().filter(|it| !it.is_empty())?, parts.next().filter(|it| !it.is_empty())?, parts.next()?);
    // A task's id is a hash; a stream of another driver may have three parts, too.
    let is_id = !task.is_empty() && task.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    (parts.next().is_none() && is_id).then_some((task, container))
}

impl Host {
    /// Where a stream's lines come from; without a stream, anywhere in the configured service.
    #[must_use]
    pub(super) fn of(stream: Option<&StreamFacts>, policy: &Policy) -> Self {
        match stream.and_then(|stream| task_of(&stream.log_stream)) {
            Some((task, container)) => Self::Task {
                task: shell::word(task).into_owned(),
                container: Some(shell::word(container).into_owned()),
            },
            None if policy.ecs.cluster.is_some() => {
                Self::Task { task: "\"$TASK\"".to_owned(), container: None }
            }
            None => Self::Machine,
        }
    }

    /// Runs one program there.
    #[must_use]
    pub(super) fn run(&self, words: &str, policy: &Policy) -> Line {
        self.run_as(words, words, policy)
    }

    /// Runs one program there, which somebody who has a shell there would write as `line`.
    fn run_as(&self, words: &str, line: &str, policy: &Policy) -> Line {
        match self {
            Self::Machine => Line { command: words.to_owned(), inside: None },
            Self::Task { task, container } => {
                let named = container.as_ref().map_or_else(String::new, |it| format!(" --container {it}"));
                let aws = super::aws(policy, "ecs execute-command");
                let cluster = super::cluster(policy);
                let words = shell::command(words);
                let command =
                    format!("{aws} --cluster {cluster} --task {task}{named} --interactive --command {words}");
                let inside =
                    Inside { task: task.clone(), container: container.clone(), line: line.to_owned() };
                Line { command, inside: Some(inside) }
            }
        }
    }

    /// Runs a line there that needs a shell: ECS starts a program, and reads no `|`.
    #[must_use]
    pub(super) fn shell(&self, line: &str, policy: &Policy) -> Line {
        match self {
            Self::Machine => Line { command: line.to_owned(), inside: None },
            Self::Task { .. } => self.run_as(&format!("sh -c {}", shell::word(line)), line, policy),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_of_the_awslogs_driver_names_container_and_task() {
        let task = "34902fc94fc5b5a745195640d35c0ce4";
        assert_eq!(task_of(&format!("ecs/app/{task}")), Some((task, "app")));
        let old = "1bdef602-d9d6-4a01-b660-a616c2fff565";
        assert_eq!(task_of(&format!("prod/queue worker/{old}")), Some((old, "queue worker")));
        for other in
            ["", "app", "ecs/app", "2025/12/06/[$LATEST]ab12", "host/app/worker.log", "ecs//ab", "a/b/"]
        {
            assert_eq!(task_of(other), None, "{other}");
        }
    }

    #[test]
    fn a_program_runs_in_the_task_and_a_pipe_in_a_shell_there() {
        let mut policy = Policy::default();
        policy.ecs.cluster = Some("prod cluster".into());
        policy.aws.region = Some("eu-west-1".into());
        let host = Host::Task { task: "ab12".into(), container: Some("app".into()) };
        assert_eq!(
            host.run("php artisan queue:failed", &policy).command,
            "aws ecs execute-command --region eu-west-1 --cluster 'prod cluster' --task ab12 --container app \
             --interactive --command \"php artisan queue:failed\""
        );
        assert!(
            host.shell("ps aux | grep queue:work", &policy)
                .command
                .ends_with("--command \"sh -c 'ps aux | grep queue:work'\"")
        );
        assert_eq!(
            Host::Machine.shell("ps aux | grep queue:work", &policy).command,
            "ps aux | grep queue:work"
        );
    }

    #[test]
    fn what_is_not_known_is_a_variable() {
        let mut policy = Policy::default();
        assert_eq!(Host::of(None, &policy), Host::Machine);
        policy.ecs.cluster = Some("c".into());
        let text = Host::of(None, &policy).run("x", &policy).command;
        assert_eq!(
            text,
            "aws ecs execute-command --cluster c --task \"$TASK\" --interactive --command \"x\""
        );
    }
}
