//! The function's binary, on a runtime API that stands in for Lambda's. No invocation here touches a table.

#![cfg(feature = "function")]
#![expect(clippy::unwrap_used, reason = "a machine without loopback or processes must fail the test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};

use queuewatch::domain::job::Timestamp;
use queuewatch::pack::{PackLine, PackOptions, pack};
use serde_json::Value;

/// The function with the environment that a stack gives it; an empty variable is an unset one.
fn function(role: &str, runtime_api: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_queuewatch-lambda"));
    command.env_clear().stdout(Stdio::piped()).stderr(Stdio::piped());
    command.envs([
        ("AWS_LAMBDA_RUNTIME_API", runtime_api),
        ("AWS_LAMBDA_FUNCTION_NAME", &format!("qw-{role}")),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", &format!("/aws/lambda/qw-{role}")),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "AKIDTEST"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("QUEUEWATCH_ROLE", role),
        ("QUEUEWATCH_TABLE", "jobs"),
        ("QUEUEWATCH_EMAIL_TOPIC_ARN", "arn:aws:sns:eu-west-1:1:mail"),
    ]);
    command
}

/// Reads a request: its path and body.
fn request(stream: &TcpStream) -> (String, Vec<u8>) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let path = line.split(' ').nth(1).unwrap().to_owned();
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (path, body)
}

fn answer(mut stream: &TcpStream, headers: &str, body: &str) {
    let length = body.len();
    write!(stream, "HTTP/1.1 200 OK\r\n{headers}connection: close\r\ncontent-length: {length}\r\n\r\n{body}")
        .unwrap();
}

/// Invokes the function once: how it answered (`response` or `error`), what, and the lines that it printed.
fn invoke(role: &str, event: &str) -> (String, Value, Vec<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut child = function(role, &listener.local_addr().unwrap().to_string()).spawn().unwrap();
    let (next, _) = listener.accept().unwrap();
    assert_eq!(request(&next).0, "/2018-06-01/runtime/invocation/next");
    let headers = "lambda-runtime-aws-request-id: id-1\r\nlambda-runtime-deadline-ms: 4102444800000\r\n\
                   lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-west-1:1:function:qw\r\n";
    answer(&next, headers, event);
    let (done, _) = listener.accept().unwrap();
    let (path, body) = request(&done);
    answer(&done, "", "{}");
    child.kill().unwrap();
    let Output { stdout, .. } = child.wait_with_output().unwrap();
    let outcome = path.strip_prefix("/2018-06-01/runtime/invocation/id-1/").unwrap().to_owned();
    (outcome, serde_json::from_slice(&body).unwrap(), printed(&stdout))
}

fn printed(stdout: &[u8]) -> Vec<Value> {
    stdout.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
}

#[test]
fn a_delivery_of_its_own_lines_is_answered_and_nothing_is_printed() {
    let message = "[2025-12-06 12:31:10][7] Processing: App\\Jobs\\SendMail".to_owned();
    let lines = [PackLine { at: Timestamp::from_ms(1_765_024_270_000), message }];
    let event = pack(&lines, &PackOptions::new("/aws/lambda/qw-sweep", "2025/12/06/[$LATEST]1")).remove(0);
    assert_eq!(invoke("ingest", &event), ("response".to_owned(), Value::Null, Vec::new()));
}

#[test]
fn an_event_that_can_never_work_is_an_error_called_drop_and_one_line_of_json() {
    let (outcome, told, printed) =
        invoke("sweep", r#"{"Records": [{"kinesis": {"sequenceNumber": "1", "data": "AAAA"}}]}"#);
    assert_eq!((outcome.as_str(), &told["errorType"]), ("error", &Value::from("Drop")));
    assert!(
        told["errorMessage"].as_str().unwrap().contains("log lines came to the sweep function"),
        "{told}"
    );
    let [line] = printed.as_slice() else { panic!("one line: {printed:?}") };
    assert_eq!((&line["level"], &line["request_id"]), (&Value::from("ERROR"), &Value::from("id-1")));
    assert_eq!((&line["error"], &line["error_type"]), (&told["errorMessage"], &told["errorType"]));
    assert!(line["timestamp"].as_str().unwrap().ends_with('Z'), "{line}");
}

#[test]
fn a_wrong_environment_ends_the_function_and_the_variable_is_named() {
    let output = function("sweep", "127.0.0.1:9").env("QUEUEWATCH_TABLE", "").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let printed = printed(&output.stdout);
    assert_eq!(printed.len(), 1);
    assert_eq!(printed[0]["error"], "QUEUEWATCH_TABLE: it is not set");
}
