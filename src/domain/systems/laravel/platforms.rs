//! What a platform says of a worker that it runs: Lambda of an invocation, ECS of a task, Elastic Beanstalk of a job that
//! its daemon hands over.

use crate::domain::job::{Form, Stage};

use super::process::{names_worker, sighting};
use super::sighting::Sighting;

/// `2026-03-02T09:02:41.259Z da9e30e9-… Task timed out after 60.06 seconds`, or Lambda's newer
/// `REPORT RequestId: … Status: timeout` and `Runtime exited with error: signal: killed`.
pub(super) fn timed_out(line: &str) -> Option<Sighting<'_>> {
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
pub(super) fn by_http(line: &str) -> Option<Sighting<'_>> {
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
}
