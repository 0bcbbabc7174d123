//! A table in a folder through crashes: whatever a process was doing when it died, what was acknowledged is there.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a table that fails must fail the test, and test helpers are outside clippy's exemption"
)]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use futures_util::future::join_all;
use queuewatch::adapters::file::{FileTable, FileTableError, Found};
use queuewatch::domain::job::Timestamp;
use queuewatch::ports::table::{Due, Expected, Item, ItemKey, Table, Written};
use queuewatch::ports::{Disposed, Disposition};

const NOW: Timestamp = Timestamp::from_ms(1_765_000_000_000);
const ACKNOWLEDGED: [&str; 3] = ["a", "b", "c"];

#[test]
fn what_was_written_is_there_after_a_restart() {
    let folder = new_folder("restart");
    let table = opened(&folder).0;
    for sort in ACKNOWLEDGED {
        put(&table, &item(sort, 1));
    }
    put(&table, &item("a", 2));
    now(table.unmark(&item("b", 1).key)).unwrap();
    let before = all(&table);
    drop(table);
    let (table, found) = opened(&folder);
    assert_eq!((all(&table), found), (before, Found { items: 3, torn_bytes: 0 }));
    let due = now(table.due("index", "", "z", 10)).unwrap();
    assert_eq!(due.iter().map(|line| line.key.sort.as_str()).collect::<Vec<_>>(), ["a", "c"]);
}

#[test]
fn a_crash_at_any_byte_of_a_write_loses_nothing_acknowledged() {
    let folder = new_folder("torn");
    let table = opened(&folder).0;
    for sort in ACKNOWLEDGED {
        put(&table, &item(sort, 1));
    }
    let acknowledged = all(&table);
    let start = journal(&folder).len();
    put(&table, &Item { body: "\"\u{65e5}\u{672c}\n\"".repeat(5), ..item("d", 1) });
    drop(table);
    let whole = journal(&folder);
    assert!(whole.len() > start + 50);
    for end in start..whole.len() {
        fs::write(journal_path(&folder), &whole[..end]).unwrap();
        let (table, found) = opened(&folder);
        assert_eq!(all(&table), acknowledged, "cut at byte {end}");
        assert_eq!(found, Found { items: 3, torn_bytes: (end - start) as u64 });
        put(&table, &item("e", 1));
        drop(table);
        let (table, found) = opened(&folder);
        assert_eq!(
            (all(&table).len(), found.torn_bytes),
            (4, 0),
            "what follows a cut at byte {end} is whole"
        );
    }
}

#[test]
fn writes_that_wait_together_go_to_the_disk_together() {
    let folder = new_folder("together");
    let table = opened(&folder).0;
    put(&table, &item("first", 1));
    let items: Vec<Item> = (0..50).map(|n| item(&format!("{n:02}"), 1)).collect();
    put_together(&table, &items);
    assert_eq!(journal(&folder).iter().filter(|byte| **byte == b'\n').count(), 3, "a header and two lines");
    let before = all(&table);
    assert_eq!(before.len(), 51);
    drop(table);
    assert_eq!(all(&table_of(&folder)), before);
}

#[test]
fn a_crash_at_any_byte_of_a_line_of_many_records_leaves_none_of_them() {
    let folder = new_folder("torn-group");
    let table = opened(&folder).0;
    put(&table, &item("a", 1));
    let start = journal(&folder).len();
    put_together(&table, &[item("b", 1), item("a", 2), item("c", 1)]);
    drop(table);
    let whole = journal(&folder);
    for end in start..whole.len() {
        fs::write(journal_path(&folder), &whole[..end]).unwrap();
        let (table, found) = opened(&folder);
        assert_eq!(all(&table), [item("a", 1)], "cut at byte {end}");
        assert_eq!(found, Found { items: 1, torn_bytes: (end - start) as u64 });
    }
}

#[test]
fn more_than_a_line_holds_takes_two_and_all_are_acknowledged() {
    let folder = new_folder("large-group");
    let table = opened(&folder).0;
    let large = |sort: &str| Item { body: "x".repeat(400_000), ..item(sort, 1) };
    put_together(&table, &[large("a"), large("b"), large("c"), large("d"), large("e")]);
    assert_eq!(journal(&folder).iter().filter(|byte| **byte == b'\n').count(), 4, "two, two and one");
    drop(table);
    assert_eq!(all(&table_of(&folder)).len(), 5);
}

#[test]
fn a_record_whose_pages_never_reached_the_disk_is_cut_off() {
    let folder = new_folder("zeros");
    put(&opened(&folder).0, &item("a", 1));
    let whole = journal(&folder);
    for tail in [&b"\0\0\0\0\0\0\0\0"[..], b"{\"pk\":\"p\",\0\0\0\0\n", b"{\"pk\":\"p\"}\n", b"\n"] {
        fs::write(journal_path(&folder), [&whole, tail].concat()).unwrap();
        let (table, found) = opened(&folder);
        assert_eq!(found, Found { items: 1, torn_bytes: tail.len() as u64 });
        assert_eq!(all(&table), [item("a", 1)]);
        assert_eq!(journal(&folder), whole);
    }
    assert_eq!(
        Found { items: 1, torn_bytes: 8 }.to_string(),
        "1 items known; an unfinished record of 8 bytes was cut off, as a crash leaves one"
    );
}

#[test]
fn a_crash_while_the_journal_is_written_anew_loses_nothing() {
    let folder = new_folder("next");
    let table = opened(&folder).0;
    for version in 1..=3 {
        put(&table, &item("a", version));
    }
    drop(table);
    let old = journal(&folder);
    table_of(&folder).compact(NOW).unwrap();
    let new = journal(&folder);
    assert!(new.len() < old.len());
    fs::write(journal_path(&folder), &old).unwrap();
    for end in 0..=new.len() {
        fs::write(folder.join("journal.jsonl.next"), &new[..end]).unwrap();
        assert_eq!(all(&table_of(&folder)), [item("a", 3)], "the new journal had {end} bytes");
    }
    table_of(&folder).compact(NOW).unwrap();
    assert_eq!(journal(&folder), new, "what a crash left behind is written over");
}

#[test]
fn a_journal_written_anew_forgets_what_is_replaced_or_expired() {
    let folder = new_folder("compact");
    let table = opened(&folder).0;
    for version in 1..=50 {
        put(&table, &item("a", version));
    }
    for (sort, expires_at) in [("b", NOW), ("c", NOW.plus_ms(1)), ("d", NOW.plus_ms(-1))] {
        put(&table, &Item { expires_at: Some(expires_at), ..item(sort, 1) });
    }
    assert_eq!(all(&table).len(), 4, "an expired item is there until then");
    table.compact(NOW).unwrap();
    let kept = all(&table);
    assert_eq!(kept.iter().map(|item| item.key.sort.as_str()).collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(journal(&folder).iter().filter(|byte| **byte == b'\n').count(), 3, "a header and two records");
    assert_eq!(now(table.due("index", "", "z", 10)).unwrap().len(), 2);
    put(&table, &item("e", 1));
    drop(table);
    assert_eq!(all(&table_of(&folder)).len(), 3, "and goes on in the new journal");
}

#[test]
fn only_a_journal_that_has_grown_is_written_anew() {
    let folder = new_folder("grown");
    let table = opened(&folder).0;
    let large = |version| Item { body: "x".repeat(300_000), ..item("a", version) };
    for version in 1..=3 {
        put(&table, &large(version));
        assert!(!table.compact_if_grown(NOW).unwrap());
    }
    put(&table, &large(4));
    assert!(table.compact_if_grown(NOW).unwrap());
    assert!(journal(&folder).len() < 310_000);
    for version in 5..=7 {
        put(&table, &large(version));
    }
    assert!(!table.compact_if_grown(NOW).unwrap(), "four times of what it must hold, not less");
    put(&table, &large(8));
    assert!(table.compact_if_grown(NOW).unwrap());
}

#[test]
fn a_folder_is_one_processs() {
    let folder = new_folder("lock");
    let table = opened(&folder).0;
    let error = FileTable::open(&folder, NOW).unwrap_err();
    assert!(matches!(error, FileTableError::InUse { .. }));
    assert_eq!(error.disposition(), Disposition::Retry);
    assert!(
        error.to_string().ends_with("is in use by another queuewatch: stop that one, or name another folder")
    );
    let same = table.clone();
    drop(table);
    assert!(FileTable::open(&folder, NOW).is_err(), "a clone is the same table");
    drop(same);
    opened(&folder);
}

#[test]
fn a_journal_that_is_damaged_or_not_ours_is_left_alone() {
    let folder = new_folder("damaged");
    let table = opened(&folder).0;
    for sort in ACKNOWLEDGED {
        put(&table, &item(sort, 1));
    }
    drop(table);
    let text = String::from_utf8(journal(&folder)).unwrap();
    let damaged = text.replacen("\"sk\":\"b\"", "\"sk\":b", 1);
    let newer = text.replacen("table\":1", "table\":2", 1);
    for (text, words) in [
        (damaged.as_str(), "line 3 of "),
        (newer.as_str(), "is not a journal that this queuewatch can read"),
        ("", "is not a journal that this queuewatch can read"),
        ("notes of somebody\n", "is not a journal that this queuewatch can read"),
    ] {
        fs::write(journal_path(&folder), text).unwrap();
        let error = FileTable::open(&folder, NOW).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(error.disposition(), Disposition::Drop);
        assert_eq!(journal(&folder), text.as_bytes());
        assert_eq!(error.source().is_some(), words.starts_with("line"));
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = new_folder("file");
    fs::write(&folder, "a file").unwrap();
    let error = FileTable::open(&folder.join("below"), NOW).unwrap_err();
    assert!(matches!(error, FileTableError::Folder { .. }), "{error}");
    assert!(error.to_string().contains("name one that this user may write to"));
}

fn new_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("file-table-{name}"));
    let _ = fs::remove_dir_all(&folder);
    let _ = fs::remove_file(&folder);
    folder
}

fn opened(folder: &Path) -> (FileTable, Found) {
    FileTable::open(folder, NOW).unwrap()
}

fn table_of(folder: &Path) -> FileTable {
    opened(folder).0
}

fn journal_path(folder: &Path) -> PathBuf {
    folder.join("journal.jsonl")
}

fn journal(folder: &Path) -> Vec<u8> {
    fs::read(journal_path(folder)).expect("there is a journal")
}

fn item(sort: &str, version: u64) -> Item {
    Item {
        key: ItemKey { partition: "p".into(), sort: sort.into() },
        version,
        due: Some(Due { partition: "index".into(), order: sort.into(), shows_body: true }),
        expires_at: None,
        body: format!("{{\"{sort}\":{version}}}"),
    }
}

fn put(table: &FileTable, item: &Item) {
    assert_eq!(now(table.put(item, Expected::Anything)).unwrap(), Written::Done);
}

fn put_together(table: &FileTable, items: &[Item]) {
    let puts = items.iter().map(|item| table.put(item, Expected::Anything));
    for written in now(join_all(puts)) {
        assert_eq!(written.unwrap(), Written::Done);
    }
}

fn all(table: &FileTable) -> Vec<Item> {
    now(table.range("p", "", 100)).unwrap()
}

/// What a future comes to that waits for nobody but those polled beside it.
fn now<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}
