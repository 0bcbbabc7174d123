//! `queuewatch close` and `queuewatch silence` for a deployed stack: the function that sweeps takes the word.

use anyhow::bail;
use queuewatch::adapters::aws::client::Clients;
use serde_json::Value;

use crate::args::StackArguments;
use crate::{RAN, output};

pub(super) async fn run(
    function: Option<&str>,
    arguments: &StackArguments,
    asked: &Value,
    done: &str,
    clients: &Clients,
) -> anyhow::Result<u8> {
    let function = match function {
        Some(function) => function.to_owned(),
        None => super::stack(clients, arguments).await?.output("SweepFunctionName")?.to_owned(),
    };
    let answered = clients.ingest(&function).invoke(asked.to_string().into_bytes()).await?;
    if answered.is_error {
        bail!("{function} did not take it: {}", String::from_utf8_lossy(&answered.payload).trim());
    }
    output::tell(&format!("queuewatch: {function}: {done}"));
    Ok(RAN)
}
