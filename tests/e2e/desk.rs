//! An operator's desk: the command line against a stack, as the template describes it.

use std::path::Path;
use std::process::{Command, Output};

use regex::Regex;
use serde_json::{Value, json};

use crate::world::World;

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Variables that a developer's machine may have, and a test must not.
const FOREIGN: [&str; 7] = [
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "QUEUEWATCH_CONFIG",
];

pub(crate) const KEYS: [(&str, &str); 3] =
    [("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "operator"), ("AWS_SECRET_ACCESS_KEY", "test")];

impl World<'_> {
    /// Runs the command with an operator's keys.
    pub(crate) fn command(&self, arguments: &[&str]) -> Ran {
        self.command_with(arguments, &KEYS)
    }

    /// Runs the command with these variables.
    pub(crate) fn command_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_queuewatch"));
        for name in FOREIGN {
            command.env_remove(name);
        }
        command.env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", self.servers.port));
        command.env("QUEUEWATCH_TEST_CLOCK_FILE", &self.clock_file);
        let output = command.args(arguments).envs(variables.iter().copied()).output().unwrap();
        let Output { status, stdout, stderr } = output;
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let ran = Ran { status: status.code().unwrap(), out: text(stdout), err: text(stderr) };
        assert!(!ran.err.contains("panicked"), "{}", ran.err);
        ran
    }

    pub(crate) fn bucket(&self) -> String {
        format!("{}-failed", self.name)
    }

    /// Makes the stack known to CloudFormation, with the outputs that the template has, and its bucket.
    pub(crate) fn describe(&self) {
        self.servers.rest("PUT", "s3", &format!("/{}", self.bucket()), "");
        let known = [
            ("IngestFunctionName", self.function("ingest")),
            ("SweepFunctionName", self.function("sweep")),
            ("LedgerTableName", self.name.clone()),
            ("FailedEventsBucketName", self.bucket()),
            ("EmailTopicArn", self.arn("sns", "email")),
            ("ChatTopicArn", self.arn("sns", "chat")),
        ];
        let mut outputs = json!({});
        for name in outputs_of_template() {
            let value = known.iter().find(|(known, _)| *known == name).map_or("-", |(_, value)| value);
            outputs[name] = json!({ "Value": value });
        }
        let parameters =
            [("App", &*self.name), ("LogGroupName", &*self.log_group), ("SecondLogGroupName", "")];
        let parameter =
            |(name, value): (&str, &str)| (name.to_owned(), json!({ "Type": "String", "Default": value }));
        let template = json!({
            "Parameters": parameters.into_iter().map(parameter).collect::<serde_json::Map<_, _>>(),
            "Resources": { "Topic": { "Type": "AWS::SNS::Topic" } },
            "Outputs": outputs,
        });
        let body = encoded(&template.to_string());
        self.servers.form(
            "cloudformation",
            &format!("Action=CreateStack&StackName={}&TemplateBody={body}", self.name),
        );
    }

    /// Puts an object where Lambda puts what failed, and answers its key.
    pub(crate) fn keep_failed(&self, name: &str, record: &Value) -> String {
        let key = format!("aws/lambda/async/{}/2026/01/05/{name}", self.function("ingest"));
        self.servers.rest("PUT", "s3", &format!("/{}/{key}", self.bucket()), &record.to_string());
        key
    }

    /// The keys in the bucket.
    pub(crate) fn failed(&self) -> Vec<String> {
        let listed = self.servers.rest("GET", "s3", &format!("/{}?list-type=2", self.bucket()), "");
        let key = Regex::new("<Key>([^<]*)</Key>").unwrap();
        key.captures_iter(&listed).map(|found| found[1].to_owned()).collect()
    }
}

/// The names below `Outputs:`, to the end of the file.
fn outputs_of_template() -> Vec<String> {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("template.yaml");
    let template = std::fs::read_to_string(template).unwrap();
    let (_, outputs) = template.split_once("\nOutputs:\n").expect("a template with outputs");
    let name = Regex::new(r"(?m)^  (\w+):$").unwrap();
    name.captures_iter(outputs).map(|found| found[1].to_owned()).collect()
}

/// Percent-encoded, all but letters and digits.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}
