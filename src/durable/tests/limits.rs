//! However much there is, no item outgrows DynamoDB's 400 KB, no message SNS's 256 KB, and what is cut is said.

use std::io::Write as _;

use super::*;
use crate::domain::incidents::cases::NEVER_STARTED_MAX;
use crate::domain::job::{DAY_MS, HOUR_MS, SECOND_MS};
use crate::domain::metric::{Dimensions, QUEUES_MAX};

/// An item of DynamoDB's ([quotas](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html)).
const ITEM_BYTES: usize = 400 * 1024;
/// A message of SNS's ([Publish](https://docs.aws.amazon.com/sns/latest/api/API_Publish.html)).
const MESSAGE_BYTES: usize = 256 * 1024;

/// Bytes of an item as the adapter for DynamoDB writes its body: deflated where it is long.
fn bytes_of(item: &Item) -> usize {
    let mut deflated = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    deflated.write_all(item.body.as_bytes()).unwrap();
    let body = deflated.finish().unwrap().len().min(item.body.len());
    let places = item.due.as_ref().map_or(0, |due| due.partition.len() + due.order.len());
    body + item.key.partition.len() + item.key.sort.len() + places
}

/// Puts lines into a table, a thousand to a delivery.
fn filled(lines: &[Told]) -> MemoryTable {
    let table = MemoryTable::new();
    for lines in lines.chunks(1_000) {
        merge(&table, &delivery(lines));
    }
    table
}

/// Asserts the limits, and answers what the last sweep showed.
#[track_caller]
fn check(what: &str, table: &MemoryTable, sweeps: &[Timestamp]) -> Vec<Seen> {
    let seen: Vec<Seen> = sweeps.iter().map(|at| sweep(table, *at)).collect();
    for item in table.items() {
        let bytes = bytes_of(&item);
        assert!(bytes < ITEM_BYTES, "{what}: {bytes} bytes at {} {}", item.key.partition, item.key.sort);
    }
    for message in seen.iter().flat_map(|seen| &seen.messages) {
        let bytes = message.body.len();
        assert!(bytes < MESSAGE_BYTES, "{what}: a message of {bytes} bytes");
    }
    assert!(seen.iter().all(|seen| seen.is_done), "{what}");
    seen
}

fn at(seconds: i64) -> Timestamp {
    BEGIN.plus_ms(seconds * SECOND_MS)
}

/// An enqueue line of any queue and class.
fn put_on(queue: &str, class: &str, at: Timestamp, number: u32) -> Told {
    let context = json!({
        "job": class, "queue": queue, "connection": "redis", "delay": null, "uuid": uuid(number),
        "id": format!("job{number:029}"),
    });
    (at, format!("[2026-01-05 09:00:00] production.INFO: Job queued {context} "))
}

#[test]
fn thousands_of_queues_that_stand_still_fit_and_are_counted() {
    const QUEUES: u32 = 2_000;
    let lines: Vec<Told> =
        (0..QUEUES).map(|n| put_on(&format!("queue{n}"), "App\\Jobs\\Mail", at(0), n)).collect();
    let seen = check("queues", &filled(&lines), &[BEGIN.plus_ms(OVERDUE_MS), BEGIN.plus_ms(2 * OVERDUE_MS)]);
    let first = &seen[0];
    assert_eq!(first.messages.len(), 1, "one page for all of them");
    let more = QUEUES - 20 - 1;
    let said = format!("and {more} more queues, too many to be told one by one");
    assert!(first.messages[0].body.contains(&said), "{}", first.messages[0].body);
    // By then whoever began to watch is greeted.
    let later: Vec<&str> = seen[1].messages.iter().map(|it| it.incident.as_str()).collect();
    assert_eq!(later, ["now-watching"], "nothing more is to be said of them");
    assert_eq!(first.sum(Metric::StalledQueues), i64::try_from(NEVER_STARTED_MAX).unwrap());
    let rows = first.data.iter().filter(|it| it.metric == Metric::Pending);
    let waiting = |dimensions: &Dimensions| {
        let row = rows.clone().find(|row| row.dimensions == *dimensions);
        row.and_then(|row| row.values.first_key_value()).map_or(0, |(value, _)| *value)
    };
    assert_eq!(rows.clone().count(), QUEUES_MAX + 2, "a row each, one of the rest, one of the app");
    let others = i64::from(QUEUES) - i64::try_from(QUEUES_MAX).unwrap();
    assert_eq!(waiting(&Dimensions::Queue("other".into())), others, "it says how much it holds");
    assert_eq!(waiting(&Dimensions::App), i64::from(QUEUES));
}

#[test]
fn a_queue_where_jobs_have_started_is_told_however_many_were_invented() {
    let mut lines: Vec<Told> =
        (0..1_000).map(|n| put_on(&format!("invented{n}"), "App\\Jobs\\Mail", at(0), n)).collect();
    lines.push(enqueued(at(10), "job-of-somebody", 5_000, 0));
    lines.push(worker(at(11), "job-of-somebody", 5_000, 1, "starting"));
    lines.push(worker(at(12), "job-of-somebody", 5_000, 1, "success"));
    let table = filled(&lines);
    check("invented", &table, &[BEGIN.plus_ms(OVERDUE_MS)]);
    let later = BEGIN.plus_ms(OVERDUE_MS + MINUTE_MS);
    merge(&table, &delivery(&[enqueued(later, "job-of-nobody", 5_001, 0)]));
    let seen = check("invented", &table, &[later.plus_ms(OVERDUE_MS)]);
    let told: Vec<Option<&str>> = seen[0].messages.iter().map(|it| it.queue.as_deref()).collect();
    assert!(told.contains(&Some("default")), "{told:?}");
}

#[test]
fn more_classes_than_are_remembered_fit() {
    let lines: Vec<Told> = (0..5_000)
        .map(|n| put_on("default", &format!("App\\Jobs\\Class{n}"), at(i64::from(n) / 10), n))
        .collect();
    check("classes", &filled(&lines), &[BEGIN.plus_ms(2 * OVERDUE_MS)]);
}

#[test]
fn two_hundred_open_incidents_of_long_names_fit() {
    // Names that deflate badly, as whoever wants to fill an item would choose.
    let name = |n: u32| {
        let words = (0..16_u32).map(|word| {
            format!(
                "{:016x}",
                crate::domain::line::LineHash::default().with(&[n, word].map(|it| it as u8)).finish()
            )
        });
        format!("{n}{}", words.collect::<String>())
    };
    let lines: Vec<Told> = (0..300)
        .flat_map(|n| {
            let id = format!("job{n:029}");
            let queue = name(n);
            let start = worker(at(1), &id, n, 1, "starting").1.replace("default", &queue);
            let end = worker(at(2), &id, n, 1, "success").1.replace("default", &queue);
            let stuck = put_on(&queue, &format!("App\\Jobs\\{}", name(n)), at(60), 1_000 + n);
            [put_on(&queue, "App\\Jobs\\Mail", at(0), n), (at(1), start), (at(2), end), stuck]
        })
        .collect();
    let seen =
        check("incidents", &filled(&lines), &[BEGIN.plus_ms(2 * OVERDUE_MS), BEGIN.plus_ms(3 * OVERDUE_MS)]);
    assert!(seen[0].sum(Metric::StalledQueues) >= 200, "{}", seen[0].sum(Metric::StalledQueues));
}

#[test]
fn a_day_of_a_stall_fits() {
    let table = MemoryTable::new();
    let every_ms = 5 * SECOND_MS;
    for hour in 0..24_i64 {
        let lines: Vec<Told> = (0..HOUR_MS / every_ms)
            .map(|n| {
                let number = u32::try_from(hour * HOUR_MS / every_ms + n).unwrap();
                put_on("default", "App\\Jobs\\Mail", BEGIN.plus_ms(hour * HOUR_MS + n * every_ms), number)
            })
            .collect();
        merge(&table, &delivery(&lines));
        check("a day", &table, &[BEGIN.plus_ms((hour + 1) * HOUR_MS + 2_000)]);
    }
    let seen = check("a day", &table, &[BEGIN.plus_ms(DAY_MS + MINUTE_MS)]);
    assert_eq!(seen[0].sum(Metric::Pending), DAY_MS / every_ms);
}
