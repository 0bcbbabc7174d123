//! Lines within JSON: which key holds one, and which keys beside it show whose JSON it is.

use std::borrow::Cow;

use super::{begins_like_a_line, container};
use crate::domain::systems::json::Document;

/// A JSON wrapper: a line stands under `key` where one of `marks` stands beside it.
#[derive(Debug)]
pub(in crate::domain::systems) struct Field {
    /// How `explain` calls it.
    pub(in crate::domain::systems) name: &'static str,
    key: &'static str,
    marks: &'static [&'static str],
    trust: Trust,
    /// A line in it, and what is within.
    #[cfg_attr(not(test), expect(dead_code, reason = "the row's proof, and the documentation's sample"))]
    pub(in crate::domain::systems) sample: (&'static str, &'static str),
}

/// What shows that the text is a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    /// The marks: they are a log router's alone.
    Marks,
    /// The text: an app's own record has a time as well, so that the text must begin as a line does.
    Line,
    /// That no logger wrote it: there is no level, no context and no channel, only where and when the line was taken.
    Shipper,
    /// A container runtime's prefix in the text; no mark is needed.
    Runtime,
}

/// Keys of container runtimes and of the routers that read from them.
const CONTAINER: &[&str] = &[
    "container_name",
    "container_id",
    "source",
    "stream",
    "ecs_cluster",
    "ecs_task_arn",
    "kubernetes",
    "docker",
    "logtag",
];

/// Where a shipper took a line: the keys of Filebeat, Fluent Bit, Fluentd, Vector, PM2, Nomad and the like.
const PLACES: &[&str] = &[
    "host",
    "hostname",
    "file",
    "path",
    "filename",
    "tag",
    "labels",
    "agent",
    "nomad",
    "process_id",
    "app_name",
];

/// When a line was written. Apps call no message of theirs `log` or `line`, so that a time beside those is enough.
const TIMES: &[&str] = &["date", "time", "ts", "timestamp", "@timestamp"];

/// What every logger writes beside its message, and no shipper of plain lines does.
const LOGGERS: &[&str] = &[
    "level",
    "level_name",
    "levelname",
    "log.level",
    "loglevel",
    "lvl",
    "severity",
    "severity_text",
    "context",
    "channel",
    "extra",
    "exception",
];

/// Every JSON wrapper.
pub(in crate::domain::systems) const ALL: &[Field] = &[
    Field {
        name: "a log router's JSON: its `log` is the line",
        key: "log",
        marks: CONTAINER,
        trust: Trust::Marks,
        sample: (
            r#"{"log":"2026-03-02T09:00:16.5Z stdout F Processing: App\\Jobs\\X","kubernetes":{"pod_name":"w-1"}}"#,
            r"2026-03-02T09:00:16.5Z stdout F Processing: App\Jobs\X",
        ),
    },
    Field {
        name: "EKS on Fargate: its `log` is the line, with the container runtime's prefix",
        key: "log",
        marks: &[],
        trust: Trust::Runtime,
        sample: (
            r#"{"log":"2026-03-02T09:00:16.534811998Z stdout F Processing: App\\Jobs\\X"}"#,
            r"2026-03-02T09:00:16.534811998Z stdout F Processing: App\Jobs\X",
        ),
    },
    Field {
        name: "Container Insights: its `log_processed` is the line's own JSON",
        key: "log_processed",
        marks: CONTAINER,
        trust: Trust::Marks,
        sample: (
            r#"{"log_processed":{"level":"info","job":"App\\Jobs\\X","status":"starting"},"kubernetes":{"pod_name":"w-1"}}"#,
            r#"{"level":"info","job":"App\\Jobs\\X","status":"starting"}"#,
        ),
    },
    Field {
        name: "a log router's JSON: its `message` is the line",
        key: "message",
        marks: &[
            "kubernetes",
            "docker",
            "stream",
            "logtag",
            "container_name",
            "container_id",
            "ecs_cluster",
            "ecs_task_arn",
            "source_type",
            "systemdUnit",
            "ddsource",
            "ddtags",
        ],
        trust: Trust::Marks,
        sample: (
            r#"{"message":"Processing: App\\Jobs\\X","kubernetes":{"pod_name":"w-1"},"stream":"stdout"}"#,
            r"Processing: App\Jobs\X",
        ),
    },
    Field {
        name: "the journal's JSON: its `MESSAGE` is the line",
        key: "MESSAGE",
        marks: &["_PID", "_SYSTEMD_UNIT", "SYSLOG_IDENTIFIER", "__REALTIME_TIMESTAMP", "_HOSTNAME"],
        trust: Trust::Marks,
        sample: (
            r#"{"MESSAGE":"Processing: App\\Jobs\\X","_SYSTEMD_UNIT":"laravel-worker.service","_PID":"70"}"#,
            r"Processing: App\Jobs\X",
        ),
    },
    Field {
        name: "OpenTelemetry: its `body` is the line",
        key: "body",
        marks: &[
            "severity_text",
            "severityText",
            "severity_number",
            "severityNumber",
            "resource",
            "attributes",
        ],
        trust: Trust::Marks,
        sample: (
            r#"{"body":"Processing: App\\Jobs\\X","severity_text":"INFO","resource":{"service.name":"worker"}}"#,
            r"Processing: App\Jobs\X",
        ),
    },
    Field {
        name: "Google Cloud: its `textPayload` is the line",
        key: "textPayload",
        marks: &["insertId", "logName", "resource"],
        trust: Trust::Marks,
        sample: (
            r#"{"insertId":"1x","textPayload":"Processing: App\\Jobs\\X","logName":"projects/p/logs/run.googleapis.com%2Fstdout"}"#,
            r"Processing: App\Jobs\X",
        ),
    },
    Field {
        name: "Google Cloud: its `jsonPayload` is the line's own JSON, and the level is beside it",
        key: "jsonPayload",
        marks: &["insertId", "logName", "resource"],
        trust: Trust::Marks,
        sample: (
            r#"{"insertId":"1x","severity":"INFO","jsonPayload":{"message":"Job queued","context":{"id":"a1"}}}"#,
            r#"{"severity":"INFO","message":"Job queued","context":{"id":"a1"}}"#,
        ),
    },
    Field {
        name: "Azure Container Apps: its `Log_s` is the line",
        key: "Log_s",
        marks: &["ContainerAppName_s", "ContainerId_s", "TimeGenerated"],
        trust: Trust::Marks,
        sample: (
            r#"{"TimeGenerated":"2026-03-02T09:00:16Z","ContainerAppName_s":"worker","Log_s":"Processing: App\\Jobs\\X"}"#,
            r"Processing: App\Jobs\X",
        ),
    },
    Field {
        name: "Lambda's JSON: its `message` is the line",
        key: "message",
        marks: &["requestId", "AWSRequestId"],
        trust: Trust::Marks,
        sample: (
            r#"{"timestamp":"2026-03-02T09:00:16Z","level":"INFO","requestId":"8b7c","message":"Processing: App\\Jobs\\X"}"#,
            r"Processing: App\Jobs\X",
        ),
    },
    Field {
        name: "a shipper's JSON: its `log` is the line, and no level stands beside it",
        key: "log",
        marks: TIMES,
        trust: Trust::Shipper,
        sample: (r#"{"date":1772442016.5,"log":"Processing: App\\Jobs\\X"}"#, r"Processing: App\Jobs\X"),
    },
    Field {
        name: "a shipper's JSON: its `message` is the line, and no level stands beside it",
        key: "message",
        marks: PLACES,
        trust: Trust::Shipper,
        sample: (
            r#"{"@timestamp":"2026-03-02T09:00:16.003Z","message":"Processing: App\\Jobs\\X","log":{"offset":12,"file":{"path":"/var/log/worker.log"}},"agent":{"type":"filebeat"}}"#,
            r"Processing: App\Jobs\X",
        ),
    },
    Field {
        name: "a shipper's JSON: its `line` is the line, and no level stands beside it",
        key: "line",
        marks: TIMES,
        trust: Trust::Shipper,
        sample: (
            r#"{"line":"Processing: App\\Jobs\\X","timestamp":"2026-03-02T09:00:16Z","labels":{"job":"worker"}}"#,
            r"Processing: App\Jobs\X",
        ),
    },
    Field {
        name: "a server's JSON (FrankenPHP, Caddy, RoadRunner): its `msg` is the line",
        key: "msg",
        marks: &["ts", "logger", "time", "timestamp"],
        trust: Trust::Line,
        sample: (
            r#"{"level":"info","ts":1772442000.1,"logger":"server","msg":"{\"message\":\"Job queued\"}"}"#,
            r#"{"message":"Job queued"}"#,
        ),
    },
    Field {
        name: "structured JSON: its `message` is the line",
        key: "message",
        marks: &["timestamp", "@timestamp", "time", "ts"],
        trust: Trust::Line,
        sample: (
            r#"{"timestamp":"2026-03-02T09:00:16Z","level":"INFO","message":"  2026-03-02 09:00:16 App\\Jobs\\X ... RUNNING"}"#,
            r"  2026-03-02 09:00:16 App\Jobs\X ... RUNNING",
        ),
    },
    Field {
        name: "structured JSON: its `log` is the line",
        key: "log",
        marks: TIMES,
        trust: Trust::Line,
        sample: (
            r#"{"date":1772442016.5,"level":"info","log":"[2026-03-02 09:00:16][17] Processing: App\\Jobs\\X"}"#,
            r"[2026-03-02 09:00:16][17] Processing: App\Jobs\X",
        ),
    },
];

/// The line within, and whose JSON it is in.
pub(in crate::domain::systems) fn inner<'a>(
    document: &Document<'a>,
) -> Option<(&'static Field, Cow<'a, str>)> {
    ALL.iter().find_map(|field| {
        let raw = document.get(field.key)?;
        // Filebeat's `log` says where the line was read, and `message` is the line.
        if field.key == "log" && raw.get().starts_with('{') && document.has("message") {
            return None;
        }
        if field.trust != Trust::Runtime && !field.marks.iter().any(|mark| document.has(mark)) {
            return None;
        }
        let line = with_level(text(raw.get())?, field, document);
        let fits = match field.trust {
            Trust::Marks => true,
            Trust::Line => begins_like_a_line(&line),
            Trust::Shipper => !LOGGERS.iter().any(|key| document.has(key)),
            Trust::Runtime => container::cri(&line).is_some(),
        };
        fits.then_some((field, line))
    })
}

/// Whose line a router's JSON says it is: the app's name or namespace before the container's, which tells an app's web
/// containers from its workers.
pub(in crate::domain::systems) fn label<'a>(document: &Document<'a>) -> Option<Cow<'a, str>> {
    const RESOURCES: [&str; 3] = ["service.namespace", "k8s.namespace.name", "service.name"];
    const LABELS: [&str; 3] = ["app.kubernetes.io/part-of", "app.kubernetes.io/instance", "app"];
    const NAMES: [&str; 8] = [
        "service",
        "app_name",
        "ContainerAppName_s",
        "container_name",
        "SYSLOG_IDENTIFIER",
        "_HOSTNAME",
        "hostname",
        "host",
    ];
    let resource = document.object("resource");
    let kubernetes = document.object("kubernetes");
    let of_resource = || resource.as_ref()?.text(&RESOURCES);
    let of_pod = || kubernetes.as_ref()?.object("labels")?.text(&LABELS);
    let of_namespace = || kubernetes.as_ref()?.text(&["namespace_name", "namespace"]);
    let namespace = of_namespace();
    match (of_pod(), namespace) {
        (Some(app), Some(namespace)) => Some(Cow::Owned(format!("{namespace}/{app}"))),
        (app, namespace) => app.or(namespace).or_else(of_resource).or_else(|| document.text(&NAMES)),
    }
}

/// Google Cloud takes the level out of an app's own JSON.
fn with_level<'a>(line: Cow<'a, str>, field: &Field, document: &Document<'_>) -> Cow<'a, str> {
    let level = document.text(&["severity"]).filter(|_| field.key == "jsonPayload");
    match (level.and_then(|level| serde_json::to_string(&level).ok()), line.strip_prefix("{\"")) {
        (Some(level), Some(rest)) => Cow::Owned(format!("{{\"severity\":{level},\"{rest}")),
        _ => line,
    }
}

/// A text; or an object where somebody made one of the line's JSON; or OpenTelemetry's typed value.
fn text(raw: &str) -> Option<Cow<'_, str>> {
    /// A text that borrows where it has no escapes.
    #[derive(serde::Deserialize)]
    #[serde(transparent)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    if !raw.starts_with('{') {
        let Text(line) = serde_json::from_str(raw).ok()?;
        return (!line.is_empty()).then_some(line);
    }
    let value: Document<'_> = serde_json::from_str(raw).ok()?;
    value.text(&["stringValue", "string_value", "Str"]).or(Some(Cow::Borrowed(raw)))
}
