//! The table in DynamoDB, held to the contract of every table, on two servers with different gaps.

use queuewatch::adapters::aws::client::{Account, Clients};
use queuewatch::adapters::aws::dynamodb::DynamoTable;

use crate::servers::{Servers, Tables};
use crate::table_contract;

#[test]
fn a_table_on_moto_keeps_the_contract() {
    keeps_the_contract(Tables::Moto);
}

#[test]
fn a_table_on_dynalite_keeps_the_contract() {
    keeps_the_contract(Tables::Dynalite);
}

#[track_caller]
fn keeps_the_contract(tables: Tables) {
    let servers = Servers::start(tables);
    servers.make_table("contract");
    let clients = Clients::new(Account {
        region: "us-east-1".into(),
        access_key_id: "test".into(),
        secret_access_key: "test".into(),
        session_token: None,
        endpoint: Some(format!("http://127.0.0.1:{}", servers.port)),
        dynamodb_endpoint: None,
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(table_contract::contract(&DynamoTable::new(clients.dynamodb(), "contract")));
}
