//! The local servers of one test: a process that ends with it, whatever it ends by.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::http;

/// Where tables are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tables {
    Moto,
    Dynalite,
}

/// The servers, and the control that the tests have over them.
pub(crate) struct Servers {
    pub(crate) port: u16,
    child: Child,
    // They run while this is open: a test that is killed closes it, too.
    stdin: Option<ChildStdin>,
}

#[derive(Deserialize)]
struct Ready {
    port: u16,
}

impl Servers {
    /// Starts them on free ports.
    pub(crate) fn start(tables: Tables) -> Self {
        let mut command = Command::new(installed("e2e-venv/bin/python"));
        command.args(["-m", "aws"]).current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e"));
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        if tables == Tables::Dynalite {
            command.args(["--dynalite", "node"]).arg(installed("e2e-node/node_modules/dynalite/cli.js"));
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Ready = serde_json::from_str(&line).expect("the servers say when they are ready");
        let stdin = child.stdin.take();
        Self { port: ready.port, child, stdin }
    }

    /// Says something to the servers that AWS has no word for.
    pub(crate) fn control<T: DeserializeOwned>(&self, verb: &str, said: &Value) -> T {
        let path = format!("/_e2e/{verb}");
        let answer = http::ask("POST", self.port, &path, &[], said.to_string().as_bytes());
        let text = String::from_utf8_lossy(&answer.body);
        assert_eq!(answer.status, 200, "{verb}: {text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{verb}: {error}: {text}"))
    }

    /// Calls an AWS service in its JSON protocol; `target` is `Logs_20140328.PutLogEvents` or alike.
    pub(crate) fn aws(&self, service: &str, target: &str, input: &Value) -> Value {
        let headers = [
            ("authorization", &*authorization(service)),
            ("content-type", "application/x-amz-json-1.0"),
            ("x-amz-target", target),
            ("x-amz-date", "20260101T000000Z"),
        ];
        let answer = http::ask("POST", self.port, "/", &headers, input.to_string().as_bytes());
        let text = String::from_utf8_lossy(&answer.body);
        assert_eq!(answer.status, 200, "{target}: {text}");
        if text.trim().is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
    }

    /// Calls one that speaks forms, and answers XML.
    pub(crate) fn form(&self, service: &str, fields: &str) -> String {
        let headers = [
            ("authorization", &*authorization(service)),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let answer = http::ask("POST", self.port, "/", &headers, fields.as_bytes());
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.status, 200, "{fields}: {text}");
        text
    }

    /// Calls one that speaks REST.
    pub(crate) fn rest(&self, method: &str, service: &str, path: &str, body: &str) -> String {
        let headers = [("authorization", &*authorization(service)), ("content-type", "application/json")];
        let answer = http::ask(method, self.port, path, &headers, body.as_bytes());
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(answer.status < 300, "{method} {path}: {text}");
        text
    }

    /// Makes a table as the template does.
    pub(crate) fn make_table(&self, name: &str) {
        let named = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
        let key = |hash: &str, range: &str| json!([{ "AttributeName": hash, "KeyType": "HASH" }, { "AttributeName": range, "KeyType": "RANGE" }]);
        let table = json!({
            "TableName": name,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [named("pk"), named("sk"), named("w"), named("k")],
            "KeySchema": key("pk", "sk"),
            "GlobalSecondaryIndexes": [{
                "IndexName": "due",
                "KeySchema": key("w", "k"),
                "Projection": { "ProjectionType": "INCLUDE", "NonKeyAttributes": ["d", "x"] },
            }],
        });
        self.aws("dynamodb", "DynamoDB_20120810.CreateTable", &table);
        let described = || {
            self.aws("dynamodb", "DynamoDB_20120810.DescribeTable", &json!({ "TableName": name }))["Table"]
                ["TableStatus"]
                .clone()
        };
        assert!((0..1_000).any(|_| described() == "ACTIVE"), "{name} does not become active");
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}

/// What `make test` has installed beside what cargo builds.
fn installed(path: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let path = target.join(path);
    assert!(path.exists(), "missing: {} (`make e2e-servers` installs it)", path.display());
    path
}

/// Nobody checks it, but services are told apart by it.
fn authorization(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )
}
