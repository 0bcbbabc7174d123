//! What programs on AWS are told: each event against its schema, and `docs/connect.md` against both.

#![expect(clippy::unwrap_used, reason = "a document of another shape must fail the test")]
#![expect(clippy::indexing_slicing, reason = "JSON values answer null to a key they lack")]

#[path = "support/stories.rs"]
mod stories;
#[path = "support/wire.rs"]
#[expect(dead_code, reason = "stories are delivered by it and not reported")]
mod wire;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use queuewatch::domain::model::channel::Channel;
use queuewatch::domain::model::policy::{Aws, Language, Policy};
use queuewatch::domain::outbox::OutgoingMessage;
use queuewatch::replay::{Outcome, replay};
use regex::Regex;
use serde_json::Value;

fn document(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)).unwrap()
}

fn schema() -> Value {
    serde_json::from_str(&document("event.schema.json")).unwrap()
}

/// What a story puts on the bus.
fn events(folder: &Path, language: Language) -> Vec<OutgoingMessage> {
    let mut story = stories::read(folder);
    story.settings.policy = Policy {
        language,
        aws: Aws {
            account: Some("123456789012".into()),
            region: Some("ap-northeast-1".into()),
            sweep_function: Some("queuewatch-SweepFunction-1A2B3C".into()),
        },
        machine_topics: vec![Channel::EventBus],
        ..story.settings.policy
    };
    let outcome: Outcome = replay(story.inputs, &story.settings, |_| ());
    outcome.alarms.sent.into_iter().filter(|message| message.channel == Channel::EventBus).collect()
}

#[test]
fn each_announcement_of_each_story_is_an_event_of_the_schema() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let (mut kinds, mut states, mut ids) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for folder in stories::all() {
        for message in events(&folder, Language::Ja) {
            let event: Value = serde_json::from_str(&message.body).unwrap();
            let errors: Vec<String> = validator.iter_errors(&event).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{}: {errors:?}", folder.display());
            assert_eq!(event["id"], *message.notification);
            assert_eq!(event["dedup_key"], *message.incident);
            for label in ["app", "kind", "state"] {
                assert_eq!(event[label], *message.labels[label]);
            }
            kinds.insert(event["kind"].as_str().unwrap().to_owned());
            states.insert(event["state"].as_str().unwrap().to_owned());
            assert!(ids.insert((folder.clone(), message.notification)), "each is said once");
        }
    }
    assert_eq!(kinds.len(), 7, "{kinds:?}");
    assert_eq!(states.len(), 4, "{states:?}");
}

#[test]
fn the_page_shows_an_event_of_the_schema_and_asks_for_fields_that_it_has() {
    let (page, schema) = (document("connect.md"), schema());
    let shown = page.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let event: Value = serde_json::from_str(shown).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&event).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let fields = schema["properties"].as_object().unwrap();
    let path = Regex::new(r"\$\.detail\.(\w+)").unwrap();
    let asked: BTreeSet<&str> = path.captures_iter(&page).map(|hit| hit.get(1).unwrap().as_str()).collect();
    assert!(asked.len() >= 5);
    for field in asked {
        assert!(fields.contains_key(field), "no field {field}");
    }
    let states: BTreeSet<&str> =
        fields["state"]["enum"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let named = Regex::new(r"state: \[([\w, ]+)\]").unwrap();
    let matched: BTreeSet<&str> =
        named.captures_iter(&page).flat_map(|hit| hit.get(1).unwrap().as_str().split(", ")).collect();
    assert_eq!(matched, states, "each state goes somewhere");
}
