//! What a stack's table holds, read back item by item.

use std::io::Read as _;

use flate2::read::ZlibDecoder;
use queuewatch::adapters::aws::client::{Account, Clients};
use queuewatch::adapters::aws::dynamodb::DynamoTable;
use queuewatch::domain::incidents::{Incident, Register};
use queuewatch::domain::job::Timestamp;
use queuewatch::domain::ledger::entry::Entry;
use queuewatch::domain::ledger::job_key::JobKey;
use queuewatch::domain::model::policy::Policy;
use queuewatch::durable::{Kept, TableLedger};
use queuewatch::report::{incident_rows, job_rows};
use serde_json::{Value, json};

use crate::servers::Servers;
use crate::world::World;

/// The ledger of a stack, in the words of `replay --jobs`.
#[derive(Debug, PartialEq)]
pub(crate) struct Held {
    pub(crate) jobs: Value,
    /// Without the words of what was said, which the checkpoint does not keep.
    pub(crate) incidents: Value,
    /// Closed incidents of the history, in full.
    pub(crate) history: Value,
    /// Jobs that the index calls open.
    pub(crate) indexed: usize,
}

/// A client as the functions have it.
pub(crate) fn table(servers: &Servers, name: &str) -> DynamoTable {
    let account = Account {
        region: "us-east-1".into(),
        access_key_id: "test".into(),
        secret_access_key: "test".into(),
        session_token: None,
        endpoint: Some(format!("http://127.0.0.1:{}", servers.port)),
        dynamodb_endpoint: None,
    };
    DynamoTable::new(Clients::new(account).dynamodb(), name)
}

impl World<'_> {
    /// Every item, as DynamoDB shows it.
    pub(crate) fn items(&self) -> Vec<Value> {
        let mut found = Vec::new();
        let mut from = Value::Null;
        loop {
            let mut input = json!({ "TableName": self.name, "ConsistentRead": true });
            if !from.is_null() {
                input["ExclusiveStartKey"] = from;
            }
            let mut answer = self.servers.aws("dynamodb", "DynamoDB_20120810.Scan", &input);
            found.append(answer["Items"].as_array_mut().unwrap());
            from = answer["LastEvaluatedKey"].take();
            if from.is_null() {
                return found;
            }
        }
    }

    /// What is known and was said, from the checkpoint and every job's item.
    pub(crate) fn held(&self) -> Held {
        let policy = Policy { app: self.name.clone(), ..Policy::default() };
        let ledger = TableLedger::new(table(self.servers, &self.name), &policy, "test".to_owned());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let Kept { mut ledger, register, .. } =
            runtime.block_on(ledger.read_only(Timestamp::from_ms(self.now_ms))).unwrap();
        let mut history = Register::default();
        let mut indexed = 0;
        for item in self.items() {
            let key = item["pk"]["S"].as_str().unwrap();
            if let Some(job) = key.strip_prefix(&format!("J#{}#", self.name)) {
                let (key, body) = (JobKey::from_text(job.to_owned()), body(&item));
                let entry = if key.is_row() {
                    Entry::Row(serde_json::from_str(&body).unwrap())
                } else {
                    Entry::Job(serde_json::from_str(&body).unwrap())
                };
                ledger.adopt(&key, &entry);
                indexed += usize::from(item.get("w").is_some());
            } else if key.starts_with("I#") {
                let incident: Incident = serde_json::from_str(&body(&item)).unwrap();
                history.write(incident);
            }
        }
        ledger.settle();
        Held {
            jobs: json!(job_rows(&ledger, &policy, &std::collections::BTreeSet::new())),
            incidents: without_words(&json!(incident_rows(&register, &self.name))),
            history: json!(incident_rows(&history, &self.name)),
            indexed,
        }
    }
}

/// Compares what may be long: what differs is shown, and the lines around it.
#[track_caller]
pub(crate) fn same(found: &Value, wanted: &Value) {
    let (found, wanted) = (format!("{found:#}"), format!("{wanted:#}"));
    let (found, wanted): (Vec<&str>, Vec<&str>) = (found.lines().collect(), wanted.lines().collect());
    let equal = found.iter().zip(&wanted).take_while(|(one, other)| one == other).count();
    let around = |lines: &[&str]| {
        lines.iter().skip(equal.saturating_sub(6)).take(12).copied().collect::<Vec<_>>().join("\n")
    };
    assert!(found == wanted, "line {equal}: found\n{}\nwanted\n{}", around(&found), around(&wanted));
}

/// Incidents of a report without the text of their notifications.
pub(crate) fn without_words(incidents: &Value) -> Value {
    let mut incidents = incidents.clone();
    for incident in incidents.as_array_mut().unwrap() {
        for notification in incident["notifications"].as_array_mut().unwrap() {
            notification["body"] = json!("");
        }
    }
    incidents
}

/// The body of an item, inflated.
pub(crate) fn body(item: &Value) -> String {
    let value = item.get("d").or_else(|| item.get("b")).unwrap();
    if let Some(text) = value["S"].as_str() {
        return text.to_owned();
    }
    let bytes = base64_simd::STANDARD.decode_to_vec(value["B"].as_str().unwrap()).unwrap();
    let mut text = String::new();
    ZlibDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
    text
}
