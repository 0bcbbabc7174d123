//! Jobs' items: where they lie in the index, how long they are kept, and what is looked up before anybody is told.

use super::*;
use crate::domain::job::{DAY_MS, HOUR_MS};
use crate::durable::items::job_expires_at;
use crate::durable::sharing::TableSharing;

const ID: &str = "job00000000000000000000000000001";

#[test]
fn a_job_keeps_its_place_in_the_index_for_as_long_as_it_is_open() {
    let table = MemoryTable::new();
    merge(&table, &delivery(&[enqueued(BEGIN, ID, 1, 60)]));
    let place = only(&table, "J#").due;
    assert!(place.is_some());
    let later = |minutes: i64| BEGIN.plus_ms(minutes.saturating_mul(MINUTE_MS));
    for (minutes, attempt, status) in
        [(2, 1, "starting"), (3, 1, "released_after_exception"), (4, 2, "starting")]
    {
        let before = only(&table, "J#").version;
        merge(&table, &delivery(&[worker(later(minutes), ID, 1, attempt, status)]));
        let item = only(&table, "J#");
        assert!(item.version > before, "{status} is noted");
        assert_eq!(item.due, place, "each move in the index is two more writes: {status}");
    }
}

#[test]
fn a_job_that_settled_leaves_the_index() {
    for status in ["success", "failed"] {
        let table = MemoryTable::new();
        merge(&table, &delivery(&[enqueued(BEGIN, ID, 1, 0)]));
        merge(&table, &delivery(&[worker(BEGIN.plus_ms(1_000), ID, 1, 1, "starting")]));
        merge(&table, &delivery(&[worker(BEGIN.plus_ms(2_000), ID, 1, 1, status)]));
        assert_eq!(only(&table, "J#").due, None, "{status}: sweeps would read it for a fortnight");
    }
}

#[test]
fn a_job_is_kept_from_the_newest_thing_that_is_known_or_expected_of_it() {
    let table = MemoryTable::new();
    let ready = BEGIN.plus_ms(30 * DAY_MS);
    merge(&table, &delivery(&[enqueued(BEGIN, ID, 1, 30 * DAY_MS / 1_000)]));
    assert_eq!(only(&table, "J#").expires_at, Some(ready.plus_ms(14 * DAY_MS)), "a delay of a month");
    let started = ready.plus_ms(HOUR_MS);
    merge(&table, &delivery(&[worker(started, ID, 1, 1, "starting")]));
    let read_at = started.plus_ms(1_000);
    assert_eq!(only(&table, "J#").expires_at, Some(read_at.plus_ms(14 * DAY_MS)), "from when it was read");
}

#[test]
fn one_process_alone_forgets_a_job_that_settled_after_hours() {
    let record = delivery(&[
        enqueued(BEGIN, ID, 1, 0),
        worker(BEGIN.plus_ms(1_000), ID, 1, 1, "starting"),
        worker(BEGIN.plus_ms(HOUR_MS), ID, 1, 1, "failed"),
    ]);
    let stream = crate::domain::ledger::job_facts::StreamKey(1);
    let entries =
        crate::domain::ledger::entry::entries_of(record.observations.iter(), stream, record.arrived_at);
    let entry = entries.values().next().unwrap();
    assert_eq!(
        job_expires_at(entry, record.arrived_at, TableSharing::Alone),
        Some(BEGIN.plus_ms(4 * HOUR_MS))
    );
    assert_eq!(
        job_expires_at(entry, record.arrived_at, TableSharing::Shared),
        Some(BEGIN.plus_ms(HOUR_MS + 14 * DAY_MS))
    );
}

#[test]
fn an_expired_job_is_nobodys_any_more() {
    let table = MemoryTable::new();
    merge(&table, &delivery(&[enqueued(BEGIN, ID, 1, 0)]));
    let expired = only(&table, "J#").expires_at.unwrap();
    let waiting = |at: Timestamp| sweep(&table, at).sum(Metric::Pending);
    assert_eq!(waiting(expired.minus_ms(1)), 1);
    // A store may show for days what is expired.
    let table = MemoryTable::new();
    merge(&table, &delivery(&[enqueued(BEGIN, ID, 1, 0)]));
    let delivered = only(&table, "D#").key;
    let Ok(()) = now(table.unmark(&delivered));
    assert_eq!(sweep(&table, expired).sum(Metric::Pending), 0, "neither in the index");
    // Nor is it joined to a job that has the same name later.
    merge(&table, &delivery(&[worker(expired.plus_ms(HOUR_MS), ID, 1, 1, "starting")]));
    let body = only(&table, "J#").body;
    assert!(!body.contains(&BEGIN.as_ms().to_string()), "{body}");
}

#[test]
fn the_twin_under_the_uuid_is_looked_at_before_anybody_is_told() {
    // A row's number is another one after a release: the first line says 7, the later ones 9, and the uuid is the same.
    let table = MemoryTable::new();
    merge(&table, &delivery(&[enqueued(BEGIN, "7", 1, 0)]));
    let later = delivery(&[
        worker(BEGIN.plus_ms(20_000), "9", 1, 2, "starting"),
        worker(BEGIN.plus_ms(21_000), "9", 1, 2, "success"),
    ]);
    merge(&table, &later);
    assert_eq!(items(&table, "J#").len(), 2);
    // The checkpoint knew that delivery once, and has let go of it.
    for item in items(&table, "D#") {
        let Ok(()) = now(table.unmark(&item.key));
    }
    let seen = sweep(&table, BEGIN.plus_ms(OVERDUE_MS));
    assert!(seen.messages.is_empty(), "{:#?}", seen.messages);
    assert_eq!(seen.sum(Metric::Pending), 0);
}

#[test]
fn a_life_with_a_failure_or_a_release_is_kept_as_an_item() {
    let at = |seconds: i64| BEGIN.plus_ms(seconds.saturating_mul(1_000));
    let begin = [enqueued(BEGIN, ID, 1, 0), worker(at(1), ID, 1, 1, "starting")];
    let whole = [&begin[..], &[worker(at(2), ID, 1, 1, "success")]].concat();
    let released = [
        &begin[..],
        &[worker(at(2), ID, 1, 1, "released_after_exception"), worker(at(3), ID, 1, 2, "starting")],
        &[worker(at(4), ID, 1, 2, "success")],
    ]
    .concat();
    // A failure and a success of one attempt: which of them holds is told by lines that may come elsewhere.
    let failed =
        [&begin[..], &[worker(at(2), ID, 1, 1, "failed"), worker(at(3), ID, 1, 1, "success")]].concat();
    let retried = [
        &begin[..],
        &[worker(at(2), ID, 1, 1, "failed"), worker(at(3), ID, 1, 2, "starting")],
        &[worker(at(4), ID, 1, 2, "success")],
    ]
    .concat();
    for (lines, items_count) in [(whole, 0), (released, 1), (failed, 1), (retried, 1)] {
        let table = MemoryTable::new();
        merge(&table, &delivery(&lines));
        assert_eq!(items(&table, "J#").len(), items_count, "{lines:#?}");
    }
}
