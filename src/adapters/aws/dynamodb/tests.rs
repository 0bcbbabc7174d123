//! What goes over the wire, and what comes of the answers.

use serde_json::{Value, json};

use super::super::loopback::{Answer, Loopback};
use super::*;
use crate::domain::job::Timestamp;
use crate::ports::table::Due;

fn key(partition: &str) -> ItemKey {
    ItemKey { partition: partition.into(), sort: "-".into() }
}

fn item(partition: &str) -> Item {
    Item { key: key(partition), version: 2, due: None, expires_at: None, body: "{}".into() }
}

fn stored(partition: &str) -> Value {
    json!({"pk": {"S": partition}, "sk": {"S": "-"}, "v": {"N": "2"}, "b": {"S": "{}"}})
}

fn stored_key(partition: &str) -> Value {
    json!({"pk": {"S": partition}, "sk": {"S": "-"}})
}

fn refusal(code: &str) -> Answer {
    let kind = format!("com.amazonaws.dynamodb.v20120810#{code}");
    Answer::json(400, json!({"__type": kind, "message": "no"}))
}

fn table(server: &Loopback) -> DynamoTable {
    DynamoTable::new(server.clients().dynamodb(), "jobs")
}

/// What was asked, as operations and bodies.
fn asked(server: &Loopback) -> Vec<(String, Value)> {
    let operation = |target: &str| target.rsplit('.').next().unwrap().to_owned();
    server
        .asked()
        .iter()
        .map(|asked| (operation(asked.header("x-amz-target").unwrap()), asked.json()))
        .collect()
}

#[tokio::test]
async fn items_come_in_the_order_of_the_keys_and_a_key_twice_is_asked_for_once() {
    let found = json!({"Responses": {"jobs": [stored("c"), stored("a")]}, "UnprocessedKeys": {}});
    let server = Loopback::new([Answer::json(200, found)]);
    let keys = [key("c"), key("a"), key("b"), key("c")];
    let read = table(&server).get(&keys).await.unwrap();
    assert_eq!(read, [Some(item("c")), Some(item("a")), None, Some(item("c"))]);
    let (operation, body) = asked(&server).remove(0);
    assert_eq!(operation, "BatchGetItem");
    let keys = [stored_key("a"), stored_key("b"), stored_key("c")];
    assert_eq!(body["RequestItems"]["jobs"], json!({"Keys": keys, "ConsistentRead": true}));
}

#[tokio::test]
async fn keys_left_unread_are_asked_for_again() {
    let left = json!({"jobs": {"Keys": [stored_key("b")]}});
    let server = Loopback::new([
        Answer::json(200, json!({"Responses": {"jobs": [stored("a")]}, "UnprocessedKeys": left})),
        Answer::json(200, json!({"Responses": {"jobs": []}, "UnprocessedKeys": left})),
        Answer::json(200, json!({"Responses": {"jobs": [stored("b")]}, "UnprocessedKeys": {}})),
    ]);
    let read = table(&server).get(&[key("a"), key("b")]).await.unwrap();
    assert_eq!(read, [Some(item("a")), Some(item("b"))]);
    let asked = asked(&server);
    assert_eq!(asked.len(), 3);
    assert_eq!(asked[2].1["RequestItems"]["jobs"]["Keys"], json!([stored_key("b")]));
    assert_eq!(asked[2].1["RequestItems"]["jobs"]["ConsistentRead"], json!(true));
}

#[tokio::test]
async fn more_than_a_hundred_keys_take_two_calls_and_none_takes_none() {
    let nothing = || Answer::json(200, json!({"Responses": {"jobs": []}}));
    let server = Loopback::new([nothing(), nothing()]);
    let keys: Vec<ItemKey> = (0..101).map(|n| key(&format!("{n:03}"))).collect();
    assert_eq!(table(&server).get(&keys).await.unwrap(), vec![None; 101]);
    let mut sizes: Vec<usize> = asked(&server)
        .iter()
        .map(|(_, body)| body["RequestItems"]["jobs"]["Keys"].as_array().unwrap().len())
        .collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 100]);
    assert_eq!(table(&server).get(&[]).await.unwrap(), []);
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_write_names_what_it_expects() {
    let server = Loopback::new((0..3).map(|_| Answer::json(200, "{}")));
    let table = table(&server);
    for expected in [Expected::Nothing, Expected::Version(7), Expected::Anything] {
        assert_eq!(table.put(&item("a"), expected).await.unwrap(), Written::Done);
    }
    let bodies: Vec<Value> = asked(&server).into_iter().map(|(_, body)| body).collect();
    assert_eq!(bodies[0]["ConditionExpression"], "attribute_not_exists(pk)");
    assert_eq!(bodies[1]["ConditionExpression"], "v = :v");
    assert_eq!(bodies[1]["ExpressionAttributeValues"], json!({":v": {"N": "7"}}));
    assert_eq!(bodies[2]["ConditionExpression"], Value::Null);
    assert!(bodies.iter().all(|body| body["Item"] == stored("a") && body["TableName"] == "jobs"));
}

#[tokio::test]
async fn something_else_found_than_expected_is_a_conflict_and_no_error() {
    let server = Loopback::new((0..2).map(|_| refusal("ConditionalCheckFailedException")));
    let table = table(&server);
    assert_eq!(table.put(&item("a"), Expected::Version(1)).await.unwrap(), Written::Conflict);
    table.unmark(&key("a")).await.unwrap();
    let (operation, body) = asked(&server).remove(1);
    assert_eq!(operation, "UpdateItem");
    assert_eq!(body["UpdateExpression"], "REMOVE w, k");
    assert_eq!(body["ConditionExpression"], "attribute_exists(pk)");
    assert_eq!(body["Key"], stored_key("a"));
}

#[tokio::test]
async fn a_lost_answer_and_a_busy_table_are_tried_again() {
    let busy = || refusal("ProvisionedThroughputExceededException");
    let server = Loopback::new([Answer::lost(), busy(), Answer::json(200, "{}")]);
    assert_eq!(table(&server).put(&item("a"), Expected::Anything).await.unwrap(), Written::Done);
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn an_error_says_what_failed_and_whether_to_try_again() {
    for (code, disposition) in [
        ("ValidationException", Disposition::Drop),
        ("AccessDeniedException", Disposition::Retry),
        ("ResourceNotFoundException", Disposition::Retry),
    ] {
        let server = Loopback::new([refusal(code)]);
        let error = table(&server).put(&item("a"), Expected::Anything).await.unwrap_err();
        assert_eq!(error.disposition(), disposition, "{code}");
        assert_eq!(error.to_string(), "DynamoDB's PutItem failed");
        assert_eq!(server.asked().len(), 1, "{code}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_worth_another_try() {
    let server = Loopback::new([]);
    let table = table(&server);
    drop(server);
    let error = table.unmark(&key("a")).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::Retry);
}

#[tokio::test]
async fn an_item_too_large_is_refused_before_it_is_sent() {
    let server = Loopback::new([]);
    // Characters that do not repeat hardly deflate.
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from_u32(0x4e00 + (state >> 8) % 0x5000).unwrap()
    };
    let body: String = (0..400_000).map(|_| next()).collect();
    let error = table(&server).put(&Item { body, ..item("a") }, Expected::Anything).await.unwrap_err();
    assert!(matches!(&error, DynamoError::TooLarge { bytes, .. } if *bytes > ITEM_BYTES_MAX), "{error}");
    assert_eq!(error.disposition(), Disposition::Drop);
    assert_eq!(server.asked().len(), 0);
}

#[tokio::test]
async fn an_item_that_cannot_be_read_is_named() {
    let damaged = json!({"pk": {"S": "J#shop#i7"}, "sk": {"S": "-"}, "v": {"N": "2"}, "b": {"B": "AAAA"}});
    let server = Loopback::new([Answer::json(200, json!({"Responses": {"jobs": [damaged]}}))]);
    let error = table(&server).get(&[key("J#shop#i7")]).await.unwrap_err();
    assert_eq!(error.to_string(), "the item J#shop#i7 / - cannot be read");
    assert_eq!(error.disposition(), Disposition::Drop);
}

fn listed(order: &str) -> Value {
    json!({"pk": {"S": order}, "sk": {"S": "-"}, "w": {"S": "o1"}, "k": {"S": order}, "d": {"S": "{}"}})
}

#[tokio::test]
async fn the_index_is_read_page_by_page_up_to_the_limit() {
    let page = |orders: &[&str], next: Option<&str>| {
        let items: Vec<Value> = orders.iter().map(|order| listed(order)).collect();
        let mut page = json!({"Items": items});
        if let Some(next) = next {
            page["LastEvaluatedKey"] = listed(next);
        }
        Answer::json(200, page)
    };
    let server = Loopback::new([page(&["1", "2"], Some("2")), page(&[], Some("3")), page(&["4"], Some("4"))]);
    let found = table(&server).due("o1", "1", "9", 3).await.unwrap();
    assert_eq!(found.iter().map(|listed| listed.order.as_str()).collect::<Vec<_>>(), ["1", "2", "4"]);
    assert_eq!(found[0].body.as_deref(), Some("{}"));
    let bodies: Vec<Value> = asked(&server).into_iter().map(|(_, body)| body).collect();
    assert_eq!(bodies.iter().map(|body| &body["Limit"]).collect::<Vec<_>>(), [3, 1, 1]);
    assert_eq!(bodies[0]["IndexName"], "due");
    assert_eq!(bodies[0]["KeyConditionExpression"], "w = :w AND k BETWEEN :from AND :until");
    assert_eq!(bodies[0]["ConsistentRead"], Value::Null);
    assert_eq!(bodies[2]["ExclusiveStartKey"], listed("3"));
}

#[tokio::test]
async fn bounds_that_dynamodb_refuses_are_not_sent() {
    let server = Loopback::new([Answer::json(200, json!({"Items": []}))]);
    let table = table(&server);
    assert_eq!(table.due("o1", "2", "1", 9).await.unwrap(), []);
    assert_eq!(table.due("o1", "", "", 9).await.unwrap(), []);
    assert_eq!(table.due("o1", "1", "2", 0).await.unwrap(), []);
    assert_eq!(server.asked().len(), 0);
    assert_eq!(table.due("o1", "", "2", 9).await.unwrap(), []);
    let (_, body) = asked(&server).remove(0);
    assert_eq!(body["KeyConditionExpression"], "w = :w AND k <= :until");
    assert_eq!(body["ExpressionAttributeValues"], json!({":w": {"S": "o1"}, ":until": {"S": "2"}}));
}

#[tokio::test]
async fn a_partition_is_read_from_a_key_on_consistently() {
    let answers = [json!({"Items": [stored("a")]}), json!({"Items": []})];
    let server = Loopback::new(answers.map(|answer| Answer::json(200, answer)));
    let table = table(&server);
    assert_eq!(table.range("a", "-", 5).await.unwrap(), [item("a")]);
    assert_eq!(table.range("a", "", 5).await.unwrap(), []);
    let bodies: Vec<Value> = asked(&server).into_iter().map(|(_, body)| body).collect();
    assert_eq!(bodies[0]["KeyConditionExpression"], "pk = :pk AND sk >= :from");
    assert_eq!(bodies[1]["KeyConditionExpression"], "pk = :pk");
    assert!(bodies.iter().all(|body| body["ConsistentRead"] == true && body["Limit"] == 5));
}

#[tokio::test]
async fn a_due_item_is_written_with_its_place_and_its_end() {
    let server = Loopback::new([Answer::json(200, "{}")]);
    let due = Due { partition: "o1".into(), order: "1765024270000i7".into(), shows_body: true };
    let expires_at = Some(Timestamp::from_ms(1_765_024_270_000));
    let item = Item { due: Some(due), expires_at, ..item("a") };
    table(&server).put(&item, Expected::Nothing).await.unwrap();
    let expected = json!({
        "pk": {"S": "a"}, "sk": {"S": "-"}, "v": {"N": "2"}, "w": {"S": "o1"}, "k": {"S": "1765024270000i7"},
        "x": {"N": "1765024270"}, "d": {"S": "{}"}
    });
    assert_eq!(asked(&server).remove(0).1["Item"], expected);
}
