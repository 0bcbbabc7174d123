//! Lines to saved events to a report, in the process: what `pack` and `replay` do, without files.

use queuewatch::domain::account::split_account;
use queuewatch::domain::envelope::Limits;
use queuewatch::domain::job::Timestamp;
use queuewatch::domain::model::policy::Policy;
use queuewatch::domain::systems::Classifier;
use queuewatch::pack::{PackLine, PackOptions, pack};
use queuewatch::replay::{Input, Outcome, SETTLE_MS, Settings, open, replay};
use queuewatch::report::{Extent, Report};
use queuewatch::saved::{Saved, SavedBody};
use serde_json::Value;

/// Packs the lines of one stream into events.
pub(crate) fn events(
    log_group: &str,
    log_stream: &str,
    lines: &[(i64, String)],
    batch_ms: i64,
) -> Vec<String> {
    let lines: Vec<PackLine> = lines
        .iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(ms, text)| PackLine { at: Timestamp::from_ms(*ms), message: text.clone() })
        .collect();
    let (owner, log_group) = split_account(log_group);
    let mut options = PackOptions::new(log_group, log_stream);
    if !owner.is_empty() {
        owner.clone_into(&mut options.owner);
    }
    options.batch_ms = batch_ms;
    pack(&lines, &options)
}

/// Opens events as replay does.
pub(crate) fn inputs(events: &[String], classifier: &Classifier) -> Vec<Input> {
    let saved = |(n, event): (usize, &String)| Saved {
        source: format!("events.jsonl:{n}"),
        body: SavedBody::Event(event.clone().into_bytes()),
    };
    let limits = Limits::default();
    (1..).zip(events).flat_map(|pair| open(&saved(pair), classifier, &limits)).collect()
}

/// Settings that deliver by time and settle for half an hour.
pub(crate) fn settings(policy: Policy) -> Settings {
    Settings { policy, settle_ms: SETTLE_MS, keeps_order: false, visits_every_minute: false }
}

/// Replays, and reports everything as the JSON contract has it.
pub(crate) fn report(inputs: Vec<Input>, settings: &Settings) -> Value {
    let outcome: Outcome = replay(inputs, settings, |_| ());
    let extent = Extent { jobs: true, minutes: true };
    serde_json::to_value(Report::new(&outcome, &settings.policy, extent)).unwrap()
}
