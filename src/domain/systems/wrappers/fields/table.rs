//! Every JSON wrapper: its key, the marks beside it, and a line in it.

use super::{Field, Trust};

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
    "dt",
    "fields",
];

/// When a line was written. Apps call no message of theirs `log` or `line`, so that a time beside those is enough.
const TIMES: &[&str] = &["date", "time", "ts", "timestamp", "@timestamp"];

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
        marks: &["date", "time", "ts", "timestamp", "@timestamp", "source", "tag"],
        trust: Trust::Shipper,
        sample: (
            r#"{"line":"Processing: App\\Jobs\\X","timestamp":"2026-03-02T09:00:16Z","labels":{"job":"worker"}}"#,
            r"Processing: App\Jobs\X",
        ),
    },
    Field {
        name: "Splunk's JSON: its `event` is the line, and no level stands beside it",
        key: "event",
        marks: &["sourcetype", "index", "source"],
        trust: Trust::Shipper,
        sample: (
            r#"{"event":"Processing: App\\Jobs\\X","sourcetype":"httpevent","host":"web-1"}"#,
            r"Processing: App\Jobs\X",
        ),
    },
    Field {
        name: "Datadog's JSON: its `content` is the line, and no level stands beside it",
        key: "content",
        marks: &["service", "ddsource", "host"],
        trust: Trust::Shipper,
        sample: (
            r#"{"content":"Processing: App\\Jobs\\X","service":"worker","host":"web-1","status":"info"}"#,
            r"Processing: App\Jobs\X",
        ),
    },
    Field {
        name: "Docker's GELF driver: its `short_message` is the line",
        key: "short_message",
        marks: &["_container_name", "_container_id", "_image_name"],
        trust: Trust::Marks,
        sample: (
            r#"{"version":"1.1","host":"web-1","short_message":"Processing: App\\Jobs\\X","level":6,"_container_name":"worker"}"#,
            r"Processing: App\Jobs\X",
        ),
    },
    Field {
        name: "OpenTelemetry, as Azure and others name it: its `Body` is the line",
        key: "Body",
        marks: &["SeverityText", "Resource", "ResourceAttributes", "Timestamp"],
        trust: Trust::Marks,
        sample: (
            r#"{"Body":"Processing: App\\Jobs\\X","SeverityText":"","ResourceAttributes":{"service.name":"worker"}}"#,
            r"Processing: App\Jobs\X",
        ),
    },
    Field {
        name: "Azure Kubernetes: its `LogMessage` is the line",
        key: "LogMessage",
        marks: &["LogSource", "PodName", "ContainerName"],
        trust: Trust::Marks,
        sample: (
            r#"{"LogMessage":"Processing: App\\Jobs\\X","LogSource":"stdout","PodName":"worker-1"}"#,
            r"Processing: App\Jobs\X",
        ),
    },
    Field {
        name: "Azure Kubernetes, before that: its `LogEntry` is the line",
        key: "LogEntry",
        marks: &["LogEntrySource", "ContainerID"],
        trust: Trust::Marks,
        sample: (
            r#"{"LogEntry":"Processing: App\\Jobs\\X","LogEntrySource":"stdout"}"#,
            r"Processing: App\Jobs\X",
        ),
    },
    Field {
        name: "Lambda's telemetry: its `record` is the line",
        key: "record",
        marks: &["type"],
        trust: Trust::Shipper,
        sample: (
            r#"{"time":"2026-03-02T09:00:16Z","type":"function","record":"Processing: App\\Jobs\\X"}"#,
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
    Field {
        name: "a shipper's JSON with the line under any other key: it begins as a line does, and no level stands beside it",
        key: "",
        marks: &["stream", "container_name", "kubernetes", "date", "time", "ts", "timestamp", "@timestamp"],
        trust: Trust::Unnamed,
        sample: (
            r#"{"raw":"  2026-03-02 09:00:16 App\\Jobs\\X ... RUNNING","stream":"stdout"}"#,
            r"  2026-03-02 09:00:16 App\Jobs\X ... RUNNING",
        ),
    },
];
