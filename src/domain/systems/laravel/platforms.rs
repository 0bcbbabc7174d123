//! What a platform says of a worker that it runs: Lambda of an invocation, ECS of a task, Elastic Beanstalk of a job that
//! its daemon hands over.

use std::sync::LazyLock;

use regex::Regex;

use crate::domain::job::{Form, Stage};
use crate::domain::redact::constant;

use super::process::{names_worker, sighting};
use super::sighting::Sighting;

/// `2026-03-02T09:02:41.259Z da9e30e9-… Task timed out after 60.06 seconds`, or Lambda's newer
/// `REPORT RequestId: … Status: timeout` and `RequestId: … Error: Runtime exited with error: signal: killed`.
pub(super) fn timed_out(line: &str) -> Option<Sighting<'_>> {
    if let Some(rest) = line.strip_prefix("REPORT RequestId: ") {
        let field = |name: &str| rest.split('\t').find_map(|part| part.trim().strip_prefix(name));
        return match (field("Status: ")?.trim(), field("Error Type: ").map(str::trim)) {
            ("timeout", _) => sighting(Stage::WorkerStopped, "Task timed out: Status: timeout"),
            ("error", Some("Runtime.OutOfMemory")) => {
                sighting(Stage::WorkerStopped, "Killed by Lambda: Runtime.OutOfMemory")
            }
            _ => None,
        };
    }
    if let Some(rest) = line.strip_prefix("RequestId: ") {
        let (request, text) = rest.split_once(" Error: ")?;
        let is_exit = request.len() == UUID_BYTES && text.starts_with("Runtime exited with error: ");
        return is_exit.then(|| sighting(Stage::WorkerStopped, text))?;
    }
    let (head, _) = line.split_once(" Task timed out after ")?;
    let is_request = head.rsplit_once(' ')?.1.len() == UUID_BYTES;
    let text = line.get(head.len()..)?;
    is_request.then(|| sighting(Stage::WorkerStopped, text))?
}

/// `{"type":"platform.report","record":{"requestId":"…","status":"timeout"}}`: the same where Lambda writes JSON.
/// <https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html>
fn report(line: &str) -> Option<Sighting<'static>> {
    if !line.contains("\"platform.report\"") {
        return None;
    }
    #[derive(serde::Deserialize)]
    struct Report {
        record: Record,
    }
    #[derive(Default, serde::Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Record {
        status: String,
        error_type: String,
    }
    let record = serde_json::from_str::<Report>(line).ok()?.record;
    let text = match (&*record.status, &*record.error_type) {
        ("timeout", _) => "Task timed out: Status: timeout",
        ("error", "Runtime.OutOfMemory") => "Killed by Lambda: Runtime.OutOfMemory",
        _ => return None,
    };
    Some(Sighting::new(Stage::WorkerStopped, Form::Process).saying(text))
}

/// Every JSON line that says nothing else is looked through for these, once.
static EVENTS: LazyLock<Regex> =
    LazyLock::new(|| constant(r#""(?:ECS Task State Change|ECS Service Action|platform\.report)""#));

/// What a platform tells in JSON.
pub(super) fn event(line: &str) -> Option<Sighting<'static>> {
    if !EVENTS.is_match(line) {
        return None;
    }
    task_state(line).or_else(|| service_action(line)).or_else(|| report(line))
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

/// `{"detail-type":"ECS Service Action", …}`: a worker's service that cannot start its tasks.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_events.html>
fn service_action(line: &str) -> Option<Sighting<'static>> {
    if !line.contains("\"ECS Service Action\"") {
        return None;
    }
    #[derive(serde::Deserialize)]
    struct Event {
        #[serde(default)]
        resources: Vec<String>,
        detail: Detail,
    }
    #[derive(Default, serde::Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Detail {
        event_name: String,
        reason: String,
    }
    let event = serde_json::from_str::<Event>(line).ok()?;
    let service =
        event.resources.iter().filter_map(|arn| arn.rsplit('/').next()).find(|it| names_worker(it))?;
    let is_refusal = ["SERVICE_TASK_START_IMPAIRED", "SERVICE_TASK_PLACEMENT_FAILURE"]
        .contains(&&*event.detail.event_name);
    let text = format!("ECS service {service}: {} {}", event.detail.event_name, event.detail.reason);
    is_refusal.then(|| Sighting::new(Stage::WorkerStopped, Form::Process).saying(text.trim_end().to_owned()))
}

/// `{"detail-type":"ECS Task State Change", …}`, as a rule of EventBridge forwards it to a log group: a worker's
/// container that stopped, and why.
fn task_state(line: &str) -> Option<Sighting<'static>> {
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
        let request = "RequestId: da9e30e9-5449-4ccf-a47e-e9551eb3a0ed";
        let killed = "Runtime exited with error: signal: killed";
        check(&format!("{request} Error: {killed}"), Some((Stage::WorkerStopped, killed)));
        check(&format!("{request} Error: the order has no lines"), None);
        let memory = Some((Stage::WorkerStopped, "Killed by Lambda: Runtime.OutOfMemory"));
        check(
            &format!("REPORT {request}\tDuration: 9.00 ms\tStatus: error\tError Type: Runtime.OutOfMemory"),
            memory,
        );
        check(&format!("REPORT {request}\tDuration: 9.00 ms\tStatus: error\tError Type: App.Error"), None);
        let json = |status: &str| {
            format!(
                r#"{{"time":"t","type":"platform.report","record":{{"requestId":"r","status":"{status}"}}}}"#
            )
        };
        let text = |line: &str| report(line).and_then(|seen| seen.text).map(|text| text.into_owned());
        assert_eq!(text(&json("timeout")).as_deref(), Some("Task timed out: Status: timeout"));
        assert_eq!(text(&json("success")), None);
        let action = |service: &str, name: &str| {
            format!(
                r#"{{"detail-type":"ECS Service Action","resources":["arn:aws:ecs:eu-west-1:1:service/prod/{service}"],"detail":{{"eventType":"WARN","eventName":"{name}"}}}}"#
            )
        };
        let text = |line: &str| service_action(line).and_then(|seen| seen.text).map(|text| text.into_owned());
        let impaired = "ECS service shop-worker: SERVICE_TASK_START_IMPAIRED";
        assert_eq!(text(&action("shop-worker", "SERVICE_TASK_START_IMPAIRED")).as_deref(), Some(impaired));
        assert_eq!(text(&action("shop-web", "SERVICE_TASK_START_IMPAIRED")), None);
        assert_eq!(text(&action("shop-worker", "SERVICE_STEADY_STATE")), None);
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
