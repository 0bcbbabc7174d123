//! One stack: a table, two topics that can be read, a log group that feeds ingest, a sweep that is ticked.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::servers::Servers;

/// Lambda tries an asynchronous invocation three times in all.
const ATTEMPTS_MAX: usize = 3;
/// Longer than the SDK tries a call, shorter than a test may take.
const TIMEOUT_S: u32 = 60;
const ACCOUNT: &str = "arn:aws:SERVICE:us-east-1:123456789012";
/// An archive of nothing.
const EMPTY_ZIP: &str = "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==";
const MINUTE_MS: i64 = 60_000;

/// How an invocation ended.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Ended {
    pub(crate) outcome: String,
    pub(crate) payload: String,
}

/// A call that a function made.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Call {
    pub(crate) function: String,
    pub(crate) service: String,
    pub(crate) operation: String,
    pub(crate) detail: String,
    pub(crate) fault: Option<String>,
}

/// What arrived at a topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Message {
    /// `email` or `chat`.
    pub(crate) topic: &'static str,
    pub(crate) incident: String,
    pub(crate) notification: String,
    pub(crate) subject: String,
}

/// A value that was put.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Datum {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) dimensions: BTreeMap<String, String>,
    pub(crate) at_ms: i64,
    pub(crate) value: f64,
}

/// A stack, apart from others on the same servers by its name.
pub(crate) struct World<'a> {
    pub(crate) servers: &'a Servers,
    pub(crate) name: String,
    pub(crate) log_group: String,
    pub(crate) now_ms: i64,
    streams: Vec<String>,
}

impl<'a> World<'a> {
    pub(crate) fn new(servers: &'a Servers, name: &str, log_group: &str, now_ms: i64) -> Self {
        let mut world = Self {
            servers,
            name: name.to_owned(),
            log_group: log_group.to_owned(),
            now_ms,
            streams: Vec::new(),
        };
        world.set_clock(now_ms);
        servers.make_table(name);
        for topic in ["email", "chat"] {
            servers.form("sns", &format!("Action=CreateTopic&Name={name}-{topic}"));
            servers.aws("sqs", "AmazonSQS.CreateQueue", &json!({ "QueueName": format!("{name}-{topic}") }));
            let (topic, queue) = (world.arn("sns", topic), world.arn("sqs", topic));
            let subscription = format!("Action=Subscribe&Protocol=sqs&TopicArn={topic}&Endpoint={queue}");
            servers.form("sns", &subscription.replace(':', "%3A"));
        }
        world.declare("ingest");
        world.declare("sweep");
        world.subscribe();
        world
    }

    fn arn(&self, service: &str, what: &str) -> String {
        format!("{}:{}-{what}", ACCOUNT.replace("SERVICE", service), self.name)
    }

    fn function(&self, role: &str) -> String {
        format!("{}-{role}", self.name)
    }

    fn declare(&self, role: &str) {
        let name = self.function(role);
        let environment = json!({
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_LOG_GROUP_NAME": format!("/aws/lambda/{name}"),
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_SESSION_TOKEN": "test",
            "QUEUEWATCH_ROLE": role,
            "QUEUEWATCH_TABLE": self.name,
            "QUEUEWATCH_APP": self.name,
            "QUEUEWATCH_EMAIL_TOPIC_ARN": self.arn("sns", "email"),
            "QUEUEWATCH_CHAT_TOPIC_ARN": self.arn("sns", "chat"),
        });
        let said = json!({
            "name": name, "binary": env!("CARGO_BIN_EXE_queuewatch-lambda"),
            "environment": environment, "timeout_s": TIMEOUT_S,
        });
        self.servers.control::<Value>("function", &said);
    }

    /// Makes the log group, and has its lines sent to ingest.
    fn subscribe(&self) {
        let ingest = self.function("ingest");
        let role = format!("{ingest}-role");
        self.servers
            .form("iam", &format!("Action=CreateRole&RoleName={role}&AssumeRolePolicyDocument=%7B%7D"));
        let function = json!({
            "FunctionName": ingest, "Runtime": "provided.al2023", "Handler": "bootstrap",
            "Role": format!("arn:aws:iam::123456789012:role/{role}"), "Code": { "ZipFile": EMPTY_ZIP },
        });
        self.servers.rest("lambda", "/2015-03-31/functions", &function);
        self.logs("CreateLogGroup", &json!({ "logGroupName": self.log_group }));
        let filter = json!({
            "logGroupName": self.log_group, "filterName": self.name, "filterPattern": "",
            "destinationArn": format!("{}:function:{ingest}", ACCOUNT.replace("SERVICE", "lambda")),
        });
        self.logs("PutSubscriptionFilter", &filter);
    }

    fn logs(&self, operation: &str, input: &Value) {
        let answer = self.servers.aws("logs", &format!("Logs_20140328.{operation}"), input);
        assert_eq!(answer.get("rejectedLogEventsInfo").filter(|it| **it != json!({})), None, "{operation}");
    }

    pub(crate) fn set_clock(&mut self, ms: i64) {
        self.now_ms = ms;
        self.servers.control::<Value>("clock", &json!({ "ms": ms }));
    }

    /// Puts lines into CloudWatch Logs at one time, and returns what is sent for it.
    pub(crate) fn put(&mut self, log_stream: &str, lines: &[(i64, &str)]) -> Vec<Value> {
        let place = json!({ "logGroupName": self.log_group, "logStreamName": log_stream });
        if !self.streams.iter().any(|known| known == log_stream) {
            self.logs("CreateLogStream", &place);
            self.streams.push(log_stream.to_owned());
        }
        let events: Vec<Value> =
            lines.iter().map(|(ms, text)| json!({ "timestamp": ms, "message": text })).collect();
        let mut request = place;
        request["logEvents"] = json!(events);
        self.logs("PutLogEvents", &request);
        let deliveries: Vec<Value> = self.servers.control("deliveries", &json!({}));
        deliveries.into_iter().map(|mut delivery| delivery["event"].take()).collect()
    }

    /// One invocation, once.
    pub(crate) fn invoke(&self, role: &str, event: &Value) -> Ended {
        self.servers.control("invoke", &json!({ "function": self.function(role), "event": event }))
    }

    /// Delivers to ingest as Lambda does: a failed invocation is repeated twice.
    pub(crate) fn deliver(&self, event: &Value) {
        let mut ends = Vec::new();
        for _ in 0..ATTEMPTS_MAX {
            let ended = self.invoke("ingest", event);
            if ended.outcome == "response" {
                return;
            }
            ends.push(ended);
        }
        panic!("{}: a delivery was lost: {ends:?}\n{}", self.name, self.output());
    }

    /// The next whole minute, and its tick: never repeated, whatever becomes of it.
    pub(crate) fn tick(&mut self) -> Ended {
        self.set_clock((self.now_ms.div_euclid(MINUTE_MS) + 1) * MINUTE_MS);
        self.invoke(
            "sweep",
            &json!({ "source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": {} }),
        )
    }

    /// A tick that must go well.
    #[track_caller]
    pub(crate) fn sweep(&mut self) {
        let ended = self.tick();
        assert_eq!(ended.outcome, "response", "{}: {}\n{}", self.name, ended.payload, self.output());
    }

    /// What is to go wrong from now on.
    pub(crate) fn faults(&self, rules: &Value) {
        self.servers.control::<Value>("faults", &json!({ "rules": rules }));
    }

    /// The calls of this stack's functions, `ingest` and `sweep`.
    pub(crate) fn calls(&self) -> Vec<Call> {
        let prefix = format!("{}-", self.name);
        let calls: Vec<Call> = self.servers.control("journal", &json!({ "functions": prefix }));
        let own = |mut call: Call| {
            call.function = call.function.strip_prefix(&prefix)?.to_owned();
            call.detail = call.detail.replace(&prefix, "");
            Some(call)
        };
        calls.into_iter().filter_map(own).collect()
    }

    /// What has arrived at both topics since the last time, in order of topic.
    pub(crate) fn messages(&self) -> Vec<Message> {
        let mut messages = Vec::new();
        for topic in ["email", "chat"] {
            let queue = format!("http://127.0.0.1:{}/123456789012/{}-{topic}", self.servers.port, self.name);
            loop {
                let input = json!({ "QueueUrl": queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0 });
                let answer = self.servers.aws("sqs", "AmazonSQS.ReceiveMessage", &input);
                let Some(found) = answer["Messages"].as_array().filter(|found| !found.is_empty()) else {
                    break;
                };
                messages.extend(found.iter().map(|message| read_message(topic, message)));
            }
        }
        messages
    }

    /// The values of a metric that were put for this stack's app: moment and value, by their time.
    pub(crate) fn metric(&self, name: &str, queue: Option<&str>) -> Vec<(i64, f64)> {
        let mut dimensions = BTreeMap::from([("App".to_owned(), self.name.clone())]);
        dimensions.extend(queue.map(|queue| ("Queue".to_owned(), queue.to_owned())));
        let all: Vec<Datum> = self.servers.control("metrics", &json!({ "app": self.name }));
        let is_meant =
            |it: &Datum| it.namespace == "QueueWatch" && it.name == name && it.dimensions == dimensions;
        let mut values: Vec<_> = all.into_iter().filter(is_meant).map(|it| (it.at_ms, it.value)).collect();
        values.sort_by(|a, b| a.partial_cmp(b).unwrap());
        values
    }

    /// All that was put of a counter.
    pub(crate) fn sum(&self, name: &str) -> f64 {
        self.metric(name, None).iter().map(|(_, value)| value).sum()
    }

    /// What the functions printed, for whoever reads why a test failed.
    pub(crate) fn output(&self) -> String {
        let output: BTreeMap<String, Vec<String>> = self.servers.control("output", &json!({}));
        let own = output.into_iter().filter(|(caller, _)| caller.starts_with(&format!("{}-", self.name)));
        own.map(|(caller, lines)| format!("{caller}: {}\n", lines.join("\n  "))).collect()
    }
}

fn read_message(topic: &'static str, message: &Value) -> Message {
    let envelope: Value = serde_json::from_str(message["Body"].as_str().unwrap()).unwrap();
    let attribute = |name: &str| {
        envelope["MessageAttributes"][name]["Value"]
            .as_str()
            .unwrap_or_else(|| panic!("{name}: {envelope}"))
            .to_owned()
    };
    Message {
        topic,
        incident: attribute("incident"),
        notification: attribute("notification"),
        subject: envelope["Subject"].as_str().unwrap_or_default().to_owned(),
    }
}
