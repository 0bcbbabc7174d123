//! What every table must do: one law a function, so that a failure has a name. Generic over [`Table`], plain `async`,
//! for any executor; no law asks the time.
//!
//! The table must be new: each law has partitions of its own, and counts on finding them empty. An index may lag:
//! whoever looks into one asks again, a bounded number of times.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a table that fails must fail the test, and test helpers are outside clippy's exemption"
)]

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::join_all;
use queuewatch::domain::job::Timestamp;
use queuewatch::ports::table::{Due, Expected, Item, ItemKey, Listed, Table, Written};

/// How often an index is asked until it shows what it must: a lag of a second at five milliseconds a question.
const ASKED_MAX: usize = 200;
/// More than any index partition here holds.
const ALL: usize = 1_000;
/// The largest body that a ledger writes.
const BODY_BYTES_MAX: usize = 300 * 1024;

/// Calls `$then!` with what stands in the brackets and the names of all laws.
macro_rules! for_each_law {
    ($then:ident [$($given:tt)*]) => {
        $then! { [$($given)*]
            a_new_item_is_written_where_nothing_is,
            a_new_item_conflicts_with_the_one_that_is_there,
            a_new_item_conflicts_with_an_expired_one_that_is_still_there,
            a_version_is_written_over_the_one_expected,
            a_version_conflicts_with_another_and_with_nothing,
            anything_is_written_over_anything,
            a_conflict_writes_nothing,
            get_keeps_the_order_of_absent_and_repeated_keys,
            get_takes_more_keys_than_one_request_holds,
            get_reads_more_than_one_answer_holds,
            range_reads_a_partition_in_the_order_of_bytes,
            range_begins_at_from_and_ends_at_its_limit,
            range_of_nothing_is_empty,
            range_reads_more_than_one_page,
            due_lists_in_order_between_two_places,
            due_shows_the_body_only_where_the_item_says_so,
            due_lists_more_than_one_page,
            an_entry_leaves_when_it_is_unmarked,
            an_entry_leaves_with_a_write_that_is_not_due,
            an_entry_moves_with_a_write_that_is_due_elsewhere,
            unmarking_an_absent_item_makes_none,
            unmarking_keeps_the_rest_of_the_item,
            bodies_of_every_size_survive,
            bodies_of_odd_characters_survive,
            keys_of_odd_characters_are_kept_apart,
            an_expired_item_may_be_read_and_keeps_its_time,
            of_twenty_new_items_one_is_written,
            of_twenty_writers_of_one_version_one_wins,
        }
    };
}

pub(crate) use for_each_law;

macro_rules! run_all {
    ([$table:expr] $($law:ident,)*) => {
        $($law($table).await;)*
    };
}

/// Holds a new table to every law.
pub(crate) async fn contract<T: Table>(table: &T) {
    for_each_law!(run_all[table]);
}

pub(crate) async fn a_new_item_is_written_where_nothing_is<T: Table>(table: &T) {
    let item = item("new", "a", 1);
    assert_eq!(read(table, &item.key).await, None, "the table must be new");
    assert_eq!(write(table, &item, Expected::Nothing).await, Written::Done);
    assert_eq!(read(table, &item.key).await, Some(item));
}

pub(crate) async fn a_new_item_conflicts_with_the_one_that_is_there<T: Table>(table: &T) {
    let first = item("new-twice", "a", 1);
    done(table, &first).await;
    let second = Item { body: "second".into(), ..first.clone() };
    assert_eq!(write(table, &second, Expected::Nothing).await, Written::Conflict);
    assert_eq!(read(table, &first.key).await, Some(first));
}

/// A store may forget an expired item at any moment. Until then it is in the way: a writer that took it for gone
/// would count its versions anew.
pub(crate) async fn a_new_item_conflicts_with_an_expired_one_that_is_still_there<T: Table>(table: &T) {
    let expired = Item { expires_at: Some(Timestamp::from_ms(1_000)), ..item("expired", "a", 7) };
    done(table, &expired).await;
    let was_there = read(table, &expired.key).await.is_some();
    let next = item("expired", "a", 1);
    let written = write(table, &next, Expected::Nothing).await;
    let found = read(table, &next.key).await;
    match written {
        Written::Conflict => assert!(was_there && (found.is_none() || found == Some(expired))),
        Written::Done => assert!(found == Some(next) && !was_there, "an expired item was written over"),
    }
}

pub(crate) async fn a_version_is_written_over_the_one_expected<T: Table>(table: &T) {
    let expected = [Expected::Nothing, Expected::Version(1), Expected::Version(2), Expected::Version(3)];
    for (version, expected) in (1..).zip(expected) {
        let item = item("versions", "a", version);
        assert_eq!(write(table, &item, expected).await, Written::Done, "version {version}");
        assert_eq!(read(table, &item.key).await, Some(item));
    }
}

pub(crate) async fn a_version_conflicts_with_another_and_with_nothing<T: Table>(table: &T) {
    let held = item("mismatch", "a", 2);
    done(table, &held).await;
    for version in [0, 1, 3, u64::from(u32::MAX)] {
        let next = Item { version: version.saturating_add(1), body: "next".into(), ..held.clone() };
        assert_eq!(write(table, &next, Expected::Version(version)).await, Written::Conflict);
    }
    assert_eq!(read(table, &held.key).await, Some(held));
    let absent = item("mismatch", "absent", 2);
    assert_eq!(write(table, &absent, Expected::Version(1)).await, Written::Conflict);
    assert_eq!(read(table, &absent.key).await, None);
}

pub(crate) async fn anything_is_written_over_anything<T: Table>(table: &T) {
    for version in [5, 1, 1] {
        let item = item("anything", "a", version);
        assert_eq!(write(table, &item, Expected::Anything).await, Written::Done);
        assert_eq!(read(table, &item.key).await, Some(item));
    }
}

pub(crate) async fn a_conflict_writes_nothing<T: Table>(table: &T) {
    let held = due_item("conflict", "a", 1, ("conflict-index", "1", true));
    done(table, &held).await;
    listed(table, "conflict-index", &["1"]).await;
    let elsewhere = due_item("conflict", "a", 2, ("conflict-elsewhere", "2", true));
    for expected in [Expected::Nothing, Expected::Version(2)] {
        assert_eq!(write(table, &elsewhere, expected).await, Written::Conflict);
    }
    assert_eq!(read(table, &held.key).await, Some(held));
    listed(table, "conflict-elsewhere", &[]).await;
    listed(table, "conflict-index", &["1"]).await;
}

pub(crate) async fn get_keeps_the_order_of_absent_and_repeated_keys<T: Table>(table: &T) {
    let (a, b) = (item("get", "a", 1), item("get", "b", 1));
    done(table, &a).await;
    done(table, &b).await;
    let absent = item("get", "absent", 1).key;
    let keys = [b.key.clone(), absent.clone(), a.key.clone(), b.key.clone(), absent, b.key.clone()];
    let found = table.get(&keys).await.unwrap();
    assert_eq!(found, [Some(b.clone()), None, Some(a), Some(b.clone()), None, Some(b)]);
    assert_eq!(table.get(&[]).await.unwrap(), []);
}

pub(crate) async fn get_takes_more_keys_than_one_request_holds<T: Table>(table: &T) {
    let items: Vec<Item> = (0..230).map(|n| item("get-many", &format!("{n:03}"), 1)).collect();
    for item in &items {
        done(table, item).await;
    }
    let mut keys: Vec<ItemKey> = items.iter().rev().map(|item| item.key.clone()).collect();
    keys.insert(115, item("get-many", "absent", 1).key);
    let found = table.get(&keys).await.unwrap();
    assert_eq!(found.len(), 231);
    for (key, found) in keys.iter().zip(found) {
        assert_eq!(found.map(|item| item.key).as_ref(), Some(key).filter(|key| key.sort != "absent"));
    }
}

/// A hundred keys fit into a request, and 16 MB into its answer.
pub(crate) async fn get_reads_more_than_one_answer_holds<T: Table>(table: &T) {
    let items: Vec<Item> = (0..60).map(|n| large_item("get-large", n)).collect();
    for item in &items {
        done(table, item).await;
    }
    let keys: Vec<ItemKey> = items.iter().map(|item| item.key.clone()).collect();
    let found = table.get(&keys).await.unwrap();
    assert!(
        found.iter().map(Option::as_ref).eq(items.iter().map(Some)),
        "some item is not the one asked for"
    );
}

pub(crate) async fn range_reads_a_partition_in_the_order_of_bytes<T: Table>(table: &T) {
    let sorts = ["-", "1", "10", "2", "A", "Z", "a", "\u{e9}", "\u{65e5}", "\u{1f980}"];
    for sort in sorts.iter().rev() {
        done(table, &item("order", sort, 1)).await;
    }
    for neighbour in ["orde", "order ", "order0", "Order"] {
        done(table, &item(neighbour, "1", 1)).await;
    }
    assert_eq!(ranged(table, "order", "", ALL).await, sorts);
}

pub(crate) async fn range_begins_at_from_and_ends_at_its_limit<T: Table>(table: &T) {
    for sort in ["1", "2", "3", "4"] {
        done(table, &item("from", sort, 1)).await;
    }
    assert_eq!(ranged(table, "from", "2", ALL).await, ["2", "3", "4"]);
    assert_eq!(ranged(table, "from", "20", ALL).await, ["3", "4"]);
    assert_eq!(ranged(table, "from", "2", 2).await, ["2", "3"]);
    assert_eq!(ranged(table, "from", "", 1).await, ["1"]);
    assert_eq!(ranged(table, "from", "4", 1).await, ["4"]);
}

pub(crate) async fn range_of_nothing_is_empty<T: Table>(table: &T) {
    done(table, &item("range-end", "1", 1)).await;
    assert!(ranged(table, "range-never-written", "", ALL).await.is_empty());
    assert!(ranged(table, "range-end", "2", ALL).await.is_empty());
}

/// DynamoDB ends a page at 1 MB.
pub(crate) async fn range_reads_more_than_one_page<T: Table>(table: &T) {
    let items: Vec<Item> = (0..9).map(|n| large_item("pages", n)).collect();
    for item in &items {
        done(table, item).await;
    }
    let found = table.range("contract/pages", "", ALL).await.unwrap();
    assert!(found == items, "{} items of {} are as they were written", found.len(), items.len());
    assert_eq!(ranged(table, "pages", "002", 6).await, ["002", "003", "004", "005", "006", "007"]);
}

pub(crate) async fn due_lists_in_order_between_two_places<T: Table>(table: &T) {
    for (sort, order) in [("a", "30"), ("b", "10"), ("c", "20"), ("d", "40")] {
        done(table, &due_item("due", sort, 1, ("due-index", order, false))).await;
    }
    done(table, &due_item("due", "e", 1, ("due-index-2", "25", false))).await;
    done(table, &item("due", "f", 1)).await;
    let lines = listed(table, "due-index", &["10", "20", "30", "40"]).await;
    let sorts: Vec<&str> = lines.iter().map(|line| line.key.sort.as_str()).collect();
    assert_eq!(sorts, ["b", "c", "a", "d"]);
    for (from, until, limit, expected) in [
        ("20", "30", ALL, vec!["20", "30"]),
        ("11", "39", ALL, vec!["20", "30"]),
        ("0", "9", 2, vec!["10", "20"]),
        ("20", "9", 1, vec!["20"]),
        ("0", "10", ALL, vec!["10"]),
        ("40", "40", ALL, vec!["40"]),
        ("41", "9", ALL, vec![]),
    ] {
        let lines = table.due("due-index", from, until, limit).await.unwrap();
        assert_eq!(orders(&lines), expected, "{from} to {until}, at most {limit}");
    }
    listed(table, "due-never-written", &[]).await;
}

pub(crate) async fn due_shows_the_body_only_where_the_item_says_so<T: Table>(table: &T) {
    let shown = Item {
        expires_at: Some(Timestamp::from_ms(4_102_444_800_000)),
        ..due_item("shows", "a", 1, ("shows-index", "1", true))
    };
    let hidden = due_item("shows", "b", 1, ("shows-index", "2", false));
    done(table, &shown).await;
    done(table, &hidden).await;
    let lines = listed(table, "shows-index", &["1", "2"]).await;
    assert_eq!(
        lines,
        [
            Listed {
                key: shown.key.clone(),
                order: "1".into(),
                expires_at: shown.expires_at,
                body: Some(shown.body.clone())
            },
            Listed { key: hidden.key.clone(), order: "2".into(), expires_at: None, body: None },
        ]
    );
    assert_eq!(read(table, &hidden.key).await, Some(hidden));
    let (bare, bodiless) = (due_item("shows", "a", 2, ("shows-index", "1", false)), None);
    assert_eq!(write(table, &bare, Expected::Version(1)).await, Written::Done);
    eventually(table, "shows-index", |lines| lines[0].body == bodiless).await;
    assert_eq!(read(table, &bare.key).await, Some(bare));
}

pub(crate) async fn due_lists_more_than_one_page<T: Table>(table: &T) {
    for n in 0..9 {
        let due = Due { partition: "due-pages".into(), order: n.to_string(), shows_body: true };
        done(table, &Item { due: Some(due), ..large_item("due-large", n) }).await;
    }
    let lines = listed(table, "due-pages", &["0", "1", "2", "3", "4", "5", "6", "7", "8"]).await;
    assert!(lines.iter().all(|line| line.body.as_ref().is_some_and(|body| body.len() == BODY_BYTES_MAX)));
    assert_eq!(orders(&table.due("due-pages", "2", "9", 5).await.unwrap()), ["2", "3", "4", "5", "6"]);
}

pub(crate) async fn an_entry_leaves_when_it_is_unmarked<T: Table>(table: &T) {
    for (sort, order) in [("a", "1"), ("b", "2")] {
        done(table, &due_item("unmark", sort, 1, ("unmark-index", order, true))).await;
    }
    listed(table, "unmark-index", &["1", "2"]).await;
    let key = item("unmark", "a", 1).key;
    table.unmark(&key).await.unwrap();
    listed(table, "unmark-index", &["2"]).await;
    table.unmark(&key).await.unwrap();
    listed(table, "unmark-index", &["2"]).await;
}

pub(crate) async fn an_entry_leaves_with_a_write_that_is_not_due<T: Table>(table: &T) {
    done(table, &due_item("settle", "a", 1, ("settle-index", "1", false))).await;
    listed(table, "settle-index", &["1"]).await;
    let settled = item("settle", "a", 2);
    assert_eq!(write(table, &settled, Expected::Version(1)).await, Written::Done);
    listed(table, "settle-index", &[]).await;
    assert_eq!(read(table, &settled.key).await, Some(settled));
}

pub(crate) async fn an_entry_moves_with_a_write_that_is_due_elsewhere<T: Table>(table: &T) {
    done(table, &due_item("move", "a", 1, ("move-index", "1", false))).await;
    listed(table, "move-index", &["1"]).await;
    let later = due_item("move", "a", 2, ("move-index", "2", false));
    assert_eq!(write(table, &later, Expected::Version(1)).await, Written::Done);
    listed(table, "move-index", &["2"]).await;
    let elsewhere = due_item("move", "a", 3, ("move-elsewhere", "0", false));
    assert_eq!(write(table, &elsewhere, Expected::Version(2)).await, Written::Done);
    listed(table, "move-index", &[]).await;
    listed(table, "move-elsewhere", &["0"]).await;
}

pub(crate) async fn unmarking_an_absent_item_makes_none<T: Table>(table: &T) {
    let key = item("unmark-absent", "a", 1).key;
    table.unmark(&key).await.unwrap();
    assert_eq!(read(table, &key).await, None);
    assert!(ranged(table, "unmark-absent", "", ALL).await.is_empty());
    assert_eq!(write(table, &item("unmark-absent", "a", 1), Expected::Nothing).await, Written::Done);
}

pub(crate) async fn unmarking_keeps_the_rest_of_the_item<T: Table>(table: &T) {
    for (sort, shows_body) in [("shown", true), ("hidden", false)] {
        let marked = Item {
            expires_at: Some(Timestamp::from_ms(4_102_444_800_000)),
            ..due_item("unmark-rest", sort, 3, ("unmark-rest-index", sort, shows_body))
        };
        done(table, &marked).await;
        table.unmark(&marked.key).await.unwrap();
        let unmarked = Item { due: None, ..marked };
        assert_eq!(read(table, &unmarked.key).await, Some(unmarked.clone()));
        let next = Item { version: 4, ..unmarked };
        assert_eq!(write(table, &next, Expected::Version(3)).await, Written::Done, "the version stays");
    }
}

pub(crate) async fn bodies_of_every_size_survive<T: Table>(table: &T) {
    for bytes in [0, 1, 2, 1_023, 1_024, 65_535, 65_536, BODY_BYTES_MAX] {
        for (kind, body) in [("plain", "a".repeat(bytes)), ("noise", noise(bytes))] {
            check_body(table, "sizes", &format!("{kind}-{bytes}"), body).await;
        }
    }
}

pub(crate) async fn bodies_of_odd_characters_survive<T: Table>(table: &T) {
    let bodies = [
        r#"{"a":"quote \" backslash \\ \u0000 \n slash \/"}"#,
        "\" ' \\ \n \r \t \u{1} \u{7f} % $ # {} []",
        "\u{e9} e\u{301} \u{65e5}\u{672c}\u{8a9e} \u{1f980} \u{2028} \u{feff} \u{fffd}",
        "  leading and trailing  \n",
        "null",
    ];
    for (n, body) in (0..).zip(bodies) {
        check_body(table, "odd-bodies", &format!("{n}"), body.to_owned()).await;
        check_body(table, "odd-bodies", &format!("{n} large"), body.repeat(2_000)).await;
    }
}

pub(crate) async fn keys_of_odd_characters_are_kept_apart<T: Table>(table: &T) {
    let long = "k".repeat(900);
    let names = [
        "#",
        "J#app#i1",
        "a/b",
        "a b",
        " a",
        "a ",
        "a:b",
        "%41",
        "\u{e9}",
        "e\u{301}",
        "\u{1f980}",
        "\"",
        "'",
        "\\",
        "\n",
        "\t",
        ":v",
        "$x",
        "-",
        &long,
    ];
    let items: Vec<Item> = names
        .iter()
        .flat_map(|name| {
            [due_item(&format!("odd{name}"), "a", 1, ("odd-index", name, false)), item("odd-sorts", name, 1)]
        })
        .collect();
    for item in &items {
        assert_eq!(write(table, item, Expected::Nothing).await, Written::Done, "{:?}", item.key);
    }
    let mut sorted = names.to_vec();
    sorted.sort_unstable();
    let lines = listed(table, "odd-index", &sorted).await;
    assert!(lines.iter().all(|line| line.key.partition == format!("contract/odd{}", line.order)));
    for item in &items {
        assert_eq!(read(table, &item.key).await.as_ref(), Some(item));
        table.unmark(&item.key).await.unwrap();
    }
    listed(table, "odd-index", &[]).await;
    assert_eq!(ranged(table, "odd-sorts", "", ALL).await, sorted);
}

pub(crate) async fn an_expired_item_may_be_read_and_keeps_its_time<T: Table>(table: &T) {
    for ms in [1_000, 1_764_981_045_000, 4_102_444_800_000] {
        let mortal = Item { expires_at: Some(Timestamp::from_ms(ms)), ..item("mortal", &ms.to_string(), 1) };
        done(table, &mortal).await;
        // A store may have forgotten it already; what it has not forgotten is whole.
        if let Some(found) = read(table, &mortal.key).await {
            assert_eq!(found, mortal);
        }
    }
}

pub(crate) async fn of_twenty_new_items_one_is_written<T: Table>(table: &T) {
    check_race(table, "race-new", 1, Expected::Nothing).await;
}

pub(crate) async fn of_twenty_writers_of_one_version_one_wins<T: Table>(table: &T) {
    done(table, &item("race-version", "a", 1)).await;
    check_race(table, "race-version", 2, Expected::Version(1)).await;
}

async fn check_race<T: Table>(table: &T, partition: &str, version: u64, expected: Expected) {
    let items: Vec<Item> =
        (0..20).map(|n| Item { body: format!("writer {n}"), ..item(partition, "a", version) }).collect();
    let written = join_all(items.iter().map(|item| write(table, item, expected))).await;
    let winners: Vec<&Item> =
        items.iter().zip(&written).filter(|(_, it)| **it == Written::Done).map(|(item, _)| item).collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(read(table, &winners[0].key).await.as_ref(), Some(winners[0]));
}

async fn check_body<T: Table>(table: &T, partition: &str, sort: &str, body: String) {
    let shown = Due { partition: format!("{partition}-index"), order: sort.to_owned(), shows_body: true };
    let hidden = Due { shows_body: false, ..shown.clone() };
    for (version, due) in [(1, None), (2, Some(hidden)), (3, Some(shown))] {
        let item = Item { due, body: body.clone(), ..item(partition, sort, version) };
        done(table, &item).await;
        let found = read(table, &item.key).await.unwrap();
        assert!(found.body == body, "{partition} {sort}: another body of {} bytes", found.body.len());
        assert_eq!((found.due, found.version), (item.due, version));
    }
}

fn item(partition: &str, sort: &str, version: u64) -> Item {
    Item {
        key: ItemKey { partition: format!("contract/{partition}"), sort: sort.to_owned() },
        version,
        due: None,
        expires_at: None,
        body: format!(r#"{{"{sort}":{version}}}"#).replace(['\n', '\t', '\\'], "?"),
    }
}

fn due_item(partition: &str, sort: &str, version: u64, due: (&str, &str, bool)) -> Item {
    let (index, order, shows_body) = due;
    let due = Due { partition: index.to_owned(), order: order.to_owned(), shows_body };
    Item { due: Some(due), ..item(partition, sort, version) }
}

/// An item of the largest body, which does not shrink when it is deflated.
fn large_item(partition: &str, n: usize) -> Item {
    Item { body: noise(BODY_BYTES_MAX), ..item(partition, &format!("{n:03}"), 1) }
}

/// Letters without a pattern, the same at every call.
fn noise(bytes: usize) -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let letter = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-"[(state >> 58) as usize],
        )
    };
    (0..bytes).map(letter).collect()
}

async fn write<T: Table>(table: &T, item: &Item, expected: Expected) -> Written {
    table.put(item, expected).await.unwrap()
}

/// Writes an item whatever is there.
async fn done<T: Table>(table: &T, item: &Item) {
    assert_eq!(write(table, item, Expected::Anything).await, Written::Done);
}

async fn read<T: Table>(table: &T, key: &ItemKey) -> Option<Item> {
    let mut found = table.get(std::slice::from_ref(key)).await.unwrap();
    assert_eq!(found.len(), 1);
    found.remove(0)
}

async fn ranged<T: Table>(table: &T, partition: &str, from: &str, limit: usize) -> Vec<String> {
    let found = table.range(&format!("contract/{partition}"), from, limit).await.unwrap();
    found.into_iter().map(|item| item.key.sort).collect()
}

fn orders(lines: &[Listed]) -> Vec<&str> {
    lines.iter().map(|line| line.order.as_str()).collect()
}

/// What a partition of the index lists once it lists `expected`.
async fn listed<T: Table>(table: &T, partition: &str, expected: &[&str]) -> Vec<Listed> {
    eventually(table, partition, |lines| orders(lines) == expected).await
}

/// What a partition of the index lists once it is as it must be.
async fn eventually<T: Table>(table: &T, partition: &str, is_so: impl Fn(&[Listed]) -> bool) -> Vec<Listed> {
    let mut lines = Vec::new();
    for _ in 0..ASKED_MAX {
        // An empty place is no place to DynamoDB.
        lines = table.due(partition, "\u{1}", "\u{10fffd}", ALL).await.unwrap();
        if is_so(&lines) {
            return lines;
        }
        Pause::default().await;
    }
    assert!(is_so(&lines), "{partition} lists {:?} after {ASKED_MAX} questions", orders(&lines));
    lines
}

/// Lets others run once.
#[derive(Default)]
struct Pause {
    is_over: bool,
}

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.is_over {
            return Poll::Ready(());
        }
        self.is_over = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
