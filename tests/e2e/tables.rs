//! The table in DynamoDB, held to the contract of every table, on two servers with different gaps.

use crate::kept;
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
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(table_contract::contract(&kept::table(&servers, "contract")));
}
