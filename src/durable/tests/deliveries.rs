//! Deliveries' items: told from what came before, kept for as long as they may come again.

use super::*;
use crate::domain::job::{DAY_MS, HOUR_MS};

/// A job's id.
fn id(number: u32) -> String {
    format!("job{number:029}")
}

#[test]
fn a_line_is_known_however_many_deliveries_of_its_stream_lie_between() {
    let table = MemoryTable::new();
    let at = |n: u32| BEGIN.plus_ms(i64::from(n).saturating_mul(100));
    let told: Vec<Told> = (0..120).map(|n| enqueued(at(n), &id(n), n, 0)).collect();
    for line in &told {
        merge(&table, &delivery(std::slice::from_ref(line)));
    }
    assert_eq!(sweep(&table, BEGIN.plus_ms(MINUTE_MS)).sum(Metric::Enqueued), 120);
    // The oldest line and some of the newest, once more in a payload of their own.
    let again = [&told[..1], &told[70..]].concat();
    assert_eq!(merge(&table, &delivery(&again)), Merged::New);
    assert_eq!(sweep(&table, BEGIN.plus_ms(3 * MINUTE_MS)).sum(Metric::Enqueued), 0);
}

#[test]
fn a_delivery_that_is_redriven_late_is_kept_for_as_long_as_it_was_late_and_days_more() {
    let record = delivery(&[enqueued(BEGIN, &id(1), 1, 0)]);
    for late_days in [0, 7, 29] {
        let table = MemoryTable::new();
        let arrived_at = record.arrived_at.plus_ms(DAY_MS.saturating_mul(late_days));
        let late = DeliveryRecord { arrived_at, ..record.clone() };
        merge(&table, &late);
        let expires_at = only(&table, "D#").expires_at.unwrap();
        let kept_ms = expires_at.since_ms(arrived_at);
        assert!(kept_ms >= DAY_MS.saturating_mul(late_days.saturating_add(3)), "{late_days} days: {kept_ms}");
        // So that it comes again and is known.
        let again = DeliveryRecord { arrived_at: arrived_at.plus_ms(HOUR_MS), ..record.clone() };
        assert_eq!(merge(&table, &again), Merged::Duplicate);
    }
}

#[test]
fn an_expired_delivery_is_not_asked_whether_it_came() {
    let table = MemoryTable::new();
    let record = delivery(&[enqueued(BEGIN, &id(1), 1, 0)]);
    merge(&table, &record);
    let expired = only(&table, "D#").expires_at.unwrap();
    let again = DeliveryRecord { arrived_at: expired, ..record.clone() };
    assert_eq!(merge(&table, &again), Merged::New);
    let just_before = DeliveryRecord { arrived_at: expired.minus_ms(1), ..record };
    assert_eq!(merge(&table, &just_before), Merged::Duplicate, "the item was renewed");
}

#[test]
fn what_a_container_heard_yesterday_is_not_heard_any_more() {
    let table = MemoryTable::new();
    merge(&table, &delivery(&[enqueued(BEGIN, &id(1), 1, 0)]));
    let expired = only(&table, "H#").expires_at.unwrap();
    let heard = |at: Timestamp| {
        sweep(&table, at);
        let body: serde_json::Value = serde_json::from_str(&only(&table, "C#").body).unwrap();
        body["heard"].as_object().unwrap().len()
    };
    // The sweeps of this test hear nothing themselves.
    assert_eq!((heard(expired.minus_ms(2 * MINUTE_MS)), heard(expired)), (1, 0));
}
