//! Lines within JSON: which key holds one, and which keys beside it show whose JSON it is.

mod table;

use std::borrow::Cow;

use super::{begins_like_a_line, container};
use crate::domain::systems::json::Document;
pub(in crate::domain::systems) use table::ALL;

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
    /// That the text begins as a worker's or a logger's line does, under whatever key, and no logger wrote it.
    Unnamed,
}

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

/// The line within, and whose JSON it is in.
pub(in crate::domain::systems) fn inner<'a>(
    document: &Document<'a>,
) -> Option<(&'static Field, Cow<'a, str>)> {
    ALL.iter().find_map(|field| {
        if field.trust == Trust::Unnamed {
            return Some((field, unnamed(field, document)?));
        }
        let raw = document.get(field.key)?;
        // Lambda's reports of itself are records, too.
        if field.key == "record" && document.text(&["type"]).is_none_or(|of| of != "function") {
            return None;
        }
        // Filebeat's `log` says where the line was read, and `message` is the line.
        if field.key == "log" && raw.get().starts_with('{') && document.has("message") {
            return None;
        }
        if field.trust != Trust::Runtime && !field.marks.iter().any(|mark| document.has(mark)) {
            return None;
        }
        let line = with_level(text(raw.get())?, field, document);
        let fits = match field.trust {
            Trust::Marks | Trust::Unnamed => true,
            Trust::Line => begins_like_a_line(&line),
            Trust::Shipper => !LOGGERS.iter().any(|key| document.has(key)),
            Trust::Runtime => container::cri(&line).is_some(),
        };
        fits.then_some((field, line))
    })
}

/// The one text of an object that begins with a time as workers and loggers print it. JSON is not looked for: a request's
/// body is JSON as well.
fn unnamed<'a>(field: &Field, document: &Document<'a>) -> Option<Cow<'a, str>> {
    let is_shippers = field.marks.iter().any(|mark| document.has(mark));
    if !is_shippers || LOGGERS.iter().any(|key| document.has(key)) {
        return None;
    }
    let mut texts =
        document.values().filter(|raw| ["\"[", "\"  "].iter().any(|it| raw.get().starts_with(it)));
    let line = text(texts.next()?.get()).filter(|line| begins_like_a_line(line))?;
    texts.next().is_none().then_some(line)
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
    let of_labels =
        || document.object("labels")?.text(&["namespace", "app", "service_name", "service", "job"]);
    match (of_pod(), namespace) {
        (Some(app), Some(namespace)) => Some(Cow::Owned(format!("{namespace}/{app}"))),
        (app, namespace) => {
            app.or(namespace).or_else(of_resource).or_else(|| document.text(&NAMES)).or_else(of_labels)
        }
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

/// A text, also as bytes; or an object where somebody made one of the line's JSON; or OpenTelemetry's typed value.
fn text(raw: &str) -> Option<Cow<'_, str>> {
    /// A text that borrows where it has no escapes.
    #[derive(serde::Deserialize)]
    #[serde(transparent)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    // The journal prints what has colours as numbers, a byte each.
    if raw.starts_with('[') {
        let bytes: Vec<u8> = serde_json::from_str(raw).ok()?;
        return Some(Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()));
    }
    if !raw.starts_with('{') {
        let Text(line) = serde_json::from_str(raw).ok()?;
        return (!line.is_empty()).then_some(line);
    }
    let value: Document<'_> = serde_json::from_str(raw).ok()?;
    value.text(&["stringValue", "string_value", "Str"]).or(Some(Cow::Borrowed(raw)))
}
