//! An error record in Monolog's JSON form: its exception as an object, or printed into a string.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::job::Stage;

use super::records::stage_of;
use super::store_error::{self, Fault};
use super::trace::{self, Part};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Context<'a> {
    #[serde(borrow)]
    exception: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Exception<'a> {
    #[serde(borrow)]
    class: Cow<'a, str>,
    #[serde(borrow)]
    message: Cow<'a, str>,
    file: Option<Cow<'a, str>>,
    trace: Vec<Cow<'a, str>>,
}

/// What the record is evidence of, if its exception is a queue's.
pub(super) fn read(context: Option<&RawValue>) -> Option<Stage> {
    let context: Context<'_> = serde_json::from_str(context?.get()).ok()?;
    let exception = context.exception?.get();
    let (fault, part) = if exception.starts_with('"') {
        let printed: String = serde_json::from_str(exception).ok()?;
        let text = printed.strip_prefix("[object] (").unwrap_or(&printed);
        let (class, message) = store_error::split_printed(text);
        (store_error::fault(class, message), trace::part_of_files(printed.lines()))
    } else {
        let exception: Exception<'_> = serde_json::from_str(exception).ok()?;
        let frames = exception.file.iter().chain(&exception.trace).map(AsRef::as_ref);
        (store_error::fault(&exception.class, &exception.message), trace::part_of_files(frames))
    };
    match (part, fault) {
        (Some(Part::Side(side)), _) | (None, Fault::Sided(side)) => Some(stage_of(side)),
        (None, Fault::Store) => Some(Stage::RedisError),
        (Some(Part::Job), _) | (None, Fault::Other) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(exception: &str, expected: Option<Stage>) {
        let context =
            RawValue::from_string(format!(r#"{{"userId":1,"exception":{exception}}}"#)).expect("JSON");
        assert_eq!(read(Some(&context)), expected, "{exception}");
    }

    #[test]
    fn the_trace_decides_and_without_one_redis_alone_counts() {
        let redis = r#""class":"RedisException","message":"Connection refused","code":0,"file":"/v/PhpRedisConnector.php:185""#;
        let sql =
            r#""class":"Illuminate\\Database\\QueryException","message":"SQLSTATE[HY000] gone","code":0"#;
        let push = r#""trace":["/v/Illuminate/Queue/RedisQueue.php:1","/v/Illuminate/Queue/Queue.php:2"]"#;
        let pop = r#""trace":["/v/Illuminate/Queue/DatabaseQueue.php:1","/v/Illuminate/Queue/Worker.php:2"]"#;
        check(&format!("{{{redis}}}"), Some(Stage::RedisError));
        check(&format!("{{{redis},{push}}}"), Some(Stage::EnqueueError));
        check(&format!("{{{redis},{pop}}}"), Some(Stage::WorkerError));
        check(&format!("{{{sql}}}"), None);
        check(&format!("{{{sql},{pop}}}"), Some(Stage::WorkerError));
        check(r#"{"class":"RuntimeException","message":"Connection refused"}"#, None);
        check(
            r##""[object] (RedisException(code: 0): gone at /x.php:1)\n[stacktrace]\n#0 /x.php(1): Illuminate\\Queue\\RedisQueue->pushRaw()""##,
            Some(Stage::EnqueueError),
        );
        check("17", None);
    }
}
