//! `queue:work --json`, Laravel 11.27 and later: one object a line, told by its keys.
//!
//! `result` outranks `status`: an attempt that put its job back is a release, whatever else it says.

use crate::domain::job::{Ending, Form, Stage};

use super::json::{Document, Scalar};
use super::runtime;
use super::sighting::Sighting;

/// The keys of a worker's record.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Record<'a> {
    pub(super) status: Scalar<'a>,
    pub(super) job: Scalar<'a>,
    pub(super) id: Scalar<'a>,
    pub(super) uuid: Scalar<'a>,
    pub(super) connection: Scalar<'a>,
    pub(super) queue: Scalar<'a>,
    pub(super) result: Scalar<'a>,
    pub(super) attempts: Scalar<'a>,
    pub(super) duration: Scalar<'a>,
    pub(super) exception: Scalar<'a>,
    pub(super) message: Scalar<'a>,
}

impl<'a> From<&Document<'a>> for Record<'a> {
    fn from(document: &Document<'a>) -> Self {
        Self {
            status: document.scalar("status"),
            job: document.scalar("job"),
            id: document.scalar("id"),
            uuid: document.scalar("uuid"),
            connection: document.scalar("connection"),
            queue: document.scalar("queue"),
            result: document.scalar("result"),
            attempts: document.scalar("attempts"),
            duration: document.scalar("duration"),
            exception: document.scalar("exception"),
            message: document.scalar("message"),
        }
    }
}

impl Record<'_> {
    /// Whether it has what a worker's record always has and nobody else's. Others say how their jobs went as well: a
    /// build's `{"job":"test","status":"failed","queue":"ci"}` is none of a queue's.
    fn is_workers(&self) -> bool {
        self.connection.as_text().is_some()
    }
}

/// Reads a worker's record, or declines.
pub(super) fn read(document: Record<'_>) -> Option<Sighting<'_>> {
    let stage = match document.status.as_text()? {
        "paused" | "PAUSED" => Stage::Paused,
        "resumed" | "RESUMED" => Stage::Resumed,
        _ if document.result.as_text() == Some("released") => Stage::Released,
        "starting" => Stage::Processing,
        "success" => Stage::Processed,
        "released_after_exception" => Stage::Released,
        "failed" => Stage::Failed,
        _ => return None,
    };
    let mut seen = Sighting::new(stage, Form::Json);
    if document.status.as_text() == Some("released_after_exception") {
        seen.ending = Ending::Thrown;
    }
    if stage.is_lifecycle() {
        let is_workers = document.is_workers();
        seen.class = Some(document.job.into_text()?).filter(|class| is_workers || class.contains('\\'));
        seen.class.as_ref()?;
    } else if document.job.as_text().is_some() {
        return None;
    } else {
        document.queue.as_text()?;
    }
    seen.text = error(document.exception.as_text(), document.message.as_text());
    seen.runtime = document.duration.as_real().and_then(runtime::from_seconds);
    seen.attempt = document.attempts.as_count();
    seen.id = document.id.into_id();
    seen.uuid = document.uuid.into_text();
    seen.connection = document.connection.into_text();
    seen.queue = document.queue.into_text();
    Some(seen)
}

/// `LogicException: Unexpected null`, or as much of it as there is.
fn error(class: Option<&str>, message: Option<&str>) -> Option<std::borrow::Cow<'static, str>> {
    match (class, message) {
        (Some(class), Some(message)) => Some(format!("{class}: {message}").into()),
        (Some(class), None) => Some(class.to_owned().into()),
        (None, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Option<Sighting<'_>> {
        read(Record::from(&Document::read(line)?))
    }

    #[track_caller]
    fn check(fields: &str, expected: Option<Stage>) {
        let line = format!(r#"{{"job":"App\\Jobs\\X",{fields}}}"#);
        assert_eq!(parse(&line).map(|s| s.stage), expected, "{line}");
    }

    #[test]
    fn status_and_result_decide_the_stage() {
        check(r#""status":"starting""#, Some(Stage::Processing));
        check(r#""status":"success","result":"deleted""#, Some(Stage::Processed));
        check(r#""status":"success","result":"released""#, Some(Stage::Released));
        check(r#""status":"released_after_exception","result":"released""#, Some(Stage::Released));
        check(r#""status":"released_after_exception""#, Some(Stage::Released));
        check(r#""status":"failed","result":"deleted""#, Some(Stage::Failed));
        check(r#""status":"failed","result":"failed""#, Some(Stage::Failed));
        check(r#""status":"failed","result":"released""#, Some(Stage::Released));
        check(r#""status":"started""#, None);
        check(r#""status":200"#, None);
        check(r#""result":"deleted""#, None);
        check(r#""status":"paused","queue":"default""#, None);
    }

    #[test]
    fn every_field_is_read_in_any_order() {
        let line = r#"{"duration":1.304,"message":"Unexpected null","exception":"LogicException","attempts":2,"result":"deleted","status":"failed","job":"App\\Jobs\\X","queue":"default","connection":"redis","uuid":"u-1","id":"Xto3","level":"warning"}"#;
        let seen = parse(line).expect("a worker's record");
        assert_eq!(seen.class.as_deref(), Some(r"App\Jobs\X"));
        assert_eq!(seen.id.as_deref(), Some("Xto3"));
        assert_eq!(seen.uuid.as_deref(), Some("u-1"));
        assert_eq!((seen.connection.as_deref(), seen.queue.as_deref()), (Some("redis"), Some("default")));
        assert_eq!((seen.attempt, seen.runtime.map(|r| r.ms)), (Some(2), Some(1304)));
        assert_eq!(seen.text.as_deref(), Some("LogicException: Unexpected null"));
        assert_eq!(seen.ending, crate::domain::job::Ending::Plain);
    }

    #[test]
    fn a_database_id_is_a_number() {
        let seen = parse(r#"{"status":"starting","job":"X","id":17,"connection":"database"}"#)
            .expect("a worker's record");
        assert_eq!(seen.id.as_deref(), Some("17"));
    }

    #[test]
    fn another_programs_job_is_none() {
        for line in [
            r#"{"job":"build","status":"failed","queue":"ci"}"#,
            r#"{"level":"info","job":"nightly","status":"success","duration":3}"#,
            r#"{"job":"import","status":"failed","id":17,"queue":"default","attempts":2}"#,
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
        assert!(parse(r#"{"job":"import","status":"failed","id":17,"connection":"redis"}"#).is_some());
        assert!(parse(r#"{"job":"App\\Jobs\\X","status":"failed"}"#).is_some());
    }

    #[test]
    fn a_pause_has_a_queue_and_no_job() {
        let line = r#"{"level":"warning","queue":"default","status":"paused","timestamp":"2026-11-23T16:54:24+00:00"}"#;
        let seen = parse(line).expect("a pause");
        assert_eq!((seen.stage, seen.queue.as_deref()), (Stage::Paused, Some("default")));
        assert_eq!(parse(r#"{"status":"paused"}"#), None);
    }

    #[test]
    fn a_record_without_a_job_is_declined() {
        assert_eq!(parse(r#"{"status":"starting","id":"1"}"#), None);
        assert_eq!(parse(r#"{"status":"success","job":{"name":"X"}}"#), None);
        assert_eq!(parse(r#"{"status":"success","job":""}"#), None);
    }
}
