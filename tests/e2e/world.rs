//! One stack: a table, two topics that can be read, a log group that feeds ingest, a sweep that is ticked.

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
    /// `response` or `error` as the function said, `exit` or `timeout` where it did not.
    pub(crate) outcome: String,
    pub(crate) payload: String,
}

/// A stack, apart from others on the same servers by its name. Its functions end with it.
pub(crate) struct World<'a> {
    pub(crate) servers: &'a Servers,
    pub(crate) name: String,
    pub(crate) log_group: String,
    pub(crate) now_ms: i64,
    streams: Vec<String>,
    pub(crate) clock_file: String,
    /// How often each minute's tick comes.
    pub(crate) ticks_at_once: usize,
    /// How its functions are started.
    command: Vec<String>,
}

impl Drop for World<'_> {
    fn drop(&mut self) {
        // Where a test fails, the servers are about to end with all they run.
        if !std::thread::panicking() {
            self.servers.control::<Value>("forget", &json!({ "stack": self.name }));
        }
    }
}

impl<'a> World<'a> {
    /// One whose functions are what cargo built for the tests.
    pub(crate) fn new(servers: &'a Servers, name: &str, log_group: &str, now_ms: i64) -> Self {
        let command = vec![env!("CARGO_BIN_EXE_queuewatch-lambda").to_owned()];
        Self::running(command, servers, name, log_group, now_ms)
    }

    /// One whose functions are started by `command`.
    pub(crate) fn running(
        command: Vec<String>,
        servers: &'a Servers,
        name: &str,
        log_group: &str,
        now_ms: i64,
    ) -> Self {
        let world = Self::without_group(command, servers, name, log_group, now_ms);
        world.logs("CreateLogGroup", &json!({ "logGroupName": log_group }));
        let filter = json!({
            "logGroupName": log_group, "filterName": name, "filterPattern": "",
            "destinationArn": format!("{}:function:{}", world.account("lambda"), world.function("ingest")),
        });
        world.logs("PutSubscriptionFilter", &filter);
        world
    }

    /// One whose functions nothing feeds yet.
    fn without_group(
        command: Vec<String>,
        servers: &'a Servers,
        name: &str,
        log_group: &str,
        now_ms: i64,
    ) -> Self {
        let mut world = Self {
            servers,
            name: name.to_owned(),
            log_group: log_group.to_owned(),
            now_ms,
            streams: Vec::new(),
            clock_file: String::new(),
            ticks_at_once: 1,
            command,
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
        world
    }

    fn account(&self, service: &str) -> String {
        ACCOUNT.replace("SERVICE", service)
    }

    pub(crate) fn arn(&self, service: &str, what: &str) -> String {
        format!("{}:{}-{what}", self.account(service), self.name)
    }

    pub(crate) fn function(&self, role: &str) -> String {
        format!("{}-{role}", self.name)
    }

    /// Makes a function known: to the servers that run it, and to Lambda, for what is subscribed to it.
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
            "name": name, "stack": self.name, "command": self.command,
            "environment": environment, "timeout_s": TIMEOUT_S,
        });
        self.servers.control::<Value>("function", &said);
        let assumed = format!("{name}-role");
        self.servers
            .form("iam", &format!("Action=CreateRole&RoleName={assumed}&AssumeRolePolicyDocument=%7B%7D"));
        let function = json!({
            "FunctionName": name, "Runtime": "provided.al2023", "Handler": "bootstrap",
            "Role": format!("arn:aws:iam::123456789012:role/{assumed}"), "Code": { "ZipFile": EMPTY_ZIP },
        });
        self.servers.rest("POST", "lambda", "/2015-03-31/functions", &function.to_string());
    }

    pub(crate) fn logs(&self, operation: &str, input: &Value) -> Value {
        let answer = self.servers.aws("logs", &format!("Logs_20140328.{operation}"), input);
        assert_eq!(answer.get("rejectedLogEventsInfo").filter(|it| **it != json!({})), None, "{operation}");
        answer
    }

    pub(crate) fn set_clock(&mut self, ms: i64) {
        self.now_ms = ms;
        self.clock_file = self.servers.control("clock", &json!({ "stack": self.name, "ms": ms }));
    }

    /// Puts lines into CloudWatch Logs at one time, and returns what is sent to ingest for it.
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
        self.servers.control("deliveries", &json!({ "function": self.function("ingest") }))
    }

    /// One invocation, once.
    pub(crate) fn invoke(&self, role: &str, event: &Value) -> Ended {
        self.servers.control("invoke", &json!({ "function": self.function(role), "event": event }))
    }

    /// Delivers to ingest as Lambda does, which repeats a failed invocation twice; then it gives up.
    pub(crate) fn attempt(&self, event: &Value) -> Result<(), Ended> {
        let mut last = None;
        for _ in 0..ATTEMPTS_MAX {
            let ended = self.invoke("ingest", event);
            if ended.outcome == "response" {
                return Ok(());
            }
            last = Some(ended);
        }
        Err(last.unwrap())
    }

    /// Delivers what must arrive.
    #[track_caller]
    pub(crate) fn deliver(&self, event: &Value) {
        if let Err(ended) = self.attempt(event) {
            panic!("{}: a delivery was lost: {ended:?}\n{}", self.name, self.output());
        }
    }

    /// The next whole minute, and its tick: never repeated, whatever becomes of it. Where ticks come several times,
    /// they come at once, and the first answer is told.
    pub(crate) fn tick(&mut self) -> Ended {
        self.set_clock((self.now_ms.div_euclid(MINUTE_MS) + 1) * MINUTE_MS);
        let tick = json!({ "tick": true });
        std::thread::scope(|scope| {
            let ticks: Vec<_> =
                (0..self.ticks_at_once).map(|_| scope.spawn(|| self.invoke("sweep", &tick))).collect();
            let mut ended = ticks.into_iter().map(|tick| tick.join().unwrap());
            let first = ended.next().unwrap();
            ended.for_each(drop);
            first
        })
    }

    /// A tick that must go well.
    #[track_caller]
    pub(crate) fn sweep(&mut self) {
        let ended = self.tick();
        assert_eq!(ended.outcome, "response", "{}: {}\n{}", self.name, ended.payload, self.output());
    }

    /// What is to go wrong from now on.
    pub(crate) fn faults(&self, rules: &Value) {
        self.servers.control::<Value>("faults", &json!({ "stack": self.name, "rules": rules }));
    }
}
