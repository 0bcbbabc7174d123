//! An incident as JSON keeps it: its own fields and its payload's, side by side.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::Incident;

impl Serialize for Incident {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Incident {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut value = Value::deserialize(deserializer)?;
        // Earlier versions kept the fields of all kinds with every incident, and did not say whose they are: its key does.
        let kind = value.pointer("/key/kind").filter(|_| value.get("detail").is_none()).cloned();
        if let (Some(kind), Some(fields)) = (kind, value.as_object_mut()) {
            fields.insert("detail".to_owned(), kind);
        }
        Self::deserialize(value).map_err(Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::incidents::{Detail, Key, Kind};
    use crate::domain::job::Timestamp;
    use crate::domain::model::queue_ref::QueueRef;

    /// An incident of `kind` as an earlier version kept it.
    fn earlier(kind: &str) -> String {
        format!(
            r#"{{"id":"one","key":{{"kind":"{kind}","connection":"redis","queue":"default","reason":null}},
            "severity":"page","queues":["default"],"classes":{{"A":5}},"sources":["/ecs/app"],"opened_at":1,
            "resolved_at":null,"is_after_end":false,"oldest_ready_at":0,"since":null,"jobs_count":2,"jobs_now":2,
            "jobs":[],"matched_by":"id","longest_wait_ms":7,"newest_start_at_opening":3,"starts_since":4,"given_up":1,
            "reminders_count":1,"evidence":[],"notifications":[],"diagnosis":null,"unseen_count":9,"calm_since":6,
            "turned_unknown":[[6,1,2]],"is_gap_judged":true,"done_in_ms":8,"corrections_count":0,"followers":["two"],
            "grouped_under":null,"is_withheld":true,"closed_because":null}}"#
        )
    }

    #[track_caller]
    fn check(kind: &str, is_kept: impl Fn(&Detail) -> bool) {
        let incident: Incident = serde_json::from_str(&earlier(kind)).unwrap();
        assert!(is_kept(&incident.detail), "{:?}", incident.detail);
        assert_eq!((incident.jobs_count, incident.is_suppressed), (2, true));
        assert!(incident.grouped.contains("two"));
        let again: Incident = serde_json::from_str(&serde_json::to_string(&incident).unwrap()).unwrap();
        assert_eq!(again, incident);
    }

    #[test]
    fn what_an_earlier_version_kept_is_read_as_its_kinds_payload() {
        let at = |ms: i64| Some(Timestamp::from_ms(ms));
        check("stalled", |it| it.stall().starts_since == at(4) && it.stall().is_silence_judged);
        check("lost", |it| it.loss().hidden_count == 9 && it.loss().turned_unknown_at == at(6));
        check("lost", |it| it.loss().turned_unknown == [(Timestamp::from_ms(6), 1, 2)]);
        check("backlog", |it| it.delay().done_in_ms == Some(8) && it.delay().calm_since == at(6));
        check("failing", |it| it.failure().classes.contains_key(&"A".into()));
        check("blind", |it| it.silent().sources.contains("/ecs/app"));
        check("stuck_running", |it| *it == Detail::blank(Kind::StuckRunning));
        check("enqueue_errors", |it| *it == Detail::EnqueueErrors);
    }

    #[test]
    fn a_payload_is_kept_beside_the_incidents_own_fields() {
        let incident =
            Incident::open("one".into(), Key::at(Kind::Lost, &QueueRef::default()), Timestamp::MIN);
        let value = serde_json::to_value(&incident).unwrap();
        assert_eq!((value["detail"].as_str(), value["unseen_count"].as_u64()), (Some("lost"), Some(0)));
    }
}
