//! What a stack does, as others see it: its calls, its messages, its metrics.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::world::World;

/// A call that a function made.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Call {
    /// `ingest` or `sweep`.
    pub(crate) function: String,
    /// Which of its instances.
    pub(crate) caller: String,
    pub(crate) service: String,
    pub(crate) operation: String,
    pub(crate) detail: String,
    /// The notification that is published, the app's sums that are put, or the place of the item that is put.
    pub(crate) said: Value,
    /// `None` where it was not done.
    pub(crate) status: Option<u16>,
    pub(crate) fault: Option<String>,
    #[serde(default)]
    pub(crate) table_units: f64,
    #[serde(default)]
    pub(crate) index_units: f64,
    /// Items that were looked at.
    #[serde(default, rename = "ScannedCount")]
    pub(crate) scanned: u64,
}

/// What arrived at a topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Message {
    /// `email` or `chat`.
    pub(crate) topic: &'static str,
    pub(crate) incident: String,
    pub(crate) notification: String,
    pub(crate) subject: String,
    pub(crate) body: String,
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

impl World<'_> {
    /// The calls of this stack's functions, `ingest` and `sweep`, in order.
    pub(crate) fn calls(&self) -> Vec<Call> {
        let prefix = format!("{}-", self.name);
        let mut calls: Vec<Call> = self.servers.control("journal", &json!({ "stack": self.name }));
        for call in &mut calls {
            call.function = call.function.replace(&prefix, "");
            call.detail = call.detail.replace(&prefix, "");
        }
        calls
    }

    /// What has arrived at both topics since the last time, in order of topic.
    pub(crate) fn messages(&self) -> Vec<Message> {
        let mut messages = Vec::new();
        for topic in ["email", "chat"] {
            let queue = format!("http://127.0.0.1:{}/123456789012/{}-{topic}", self.servers.port, self.name);
            loop {
                // What was received stays hidden for as long as can be, so that it is not received again.
                let input = json!({
                    "QueueUrl": queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0,
                    "VisibilityTimeout": 43_200,
                });
                let answer = self.servers.aws("sqs", "AmazonSQS.ReceiveMessage", &input);
                let Some(found) = answer["Messages"].as_array().filter(|found| !found.is_empty()) else {
                    break;
                };
                messages.extend(found.iter().map(|message| read_message(topic, message)));
            }
        }
        messages
    }

    /// Everything that was put for this stack's app.
    pub(crate) fn data(&self) -> Vec<Datum> {
        self.servers.control("metrics", &json!({ "app": self.name }))
    }

    /// The values of a metric that were put for this stack's app: moment and value, by their time.
    pub(crate) fn metric(&self, name: &str, queue: Option<&str>) -> Vec<(i64, f64)> {
        let mut dimensions = BTreeMap::from([("App".to_owned(), self.name.clone())]);
        dimensions.extend(queue.map(|queue| ("Queue".to_owned(), queue.to_owned())));
        let is_meant =
            |it: &Datum| it.namespace == "QueueWatch" && it.name == name && it.dimensions == dimensions;
        let mut values: Vec<_> =
            self.data().into_iter().filter(is_meant).map(|it| (it.at_ms, it.value)).collect();
        values.sort_by(|a, b| a.partial_cmp(b).unwrap());
        values
    }

    /// The newest value of a gauge.
    #[track_caller]
    pub(crate) fn gauge(&self, name: &str, queue: Option<&str>) -> f64 {
        self.metric(name, queue).last().unwrap_or_else(|| panic!("no {name} was put")).1
    }

    /// All that was put of a counter.
    pub(crate) fn sum(&self, name: &str) -> f64 {
        // A sum of nothing is -0.
        self.metric(name, None).iter().fold(0.0, |sum, (_, value)| sum + value)
    }

    /// What the functions printed, for whoever reads why a test failed.
    pub(crate) fn output(&self) -> String {
        let output: BTreeMap<String, Vec<String>> =
            self.servers.control("output", &json!({ "stack": self.name }));
        output.into_iter().map(|(caller, lines)| format!("{caller}: {}\n", lines.join("\n  "))).collect()
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
        body: envelope["Message"].as_str().unwrap_or_default().to_owned(),
    }
}
