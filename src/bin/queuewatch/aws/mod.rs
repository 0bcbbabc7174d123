//! The commands that talk to AWS, and who they are there.

mod answer;
mod doctor;
mod redrive;

use std::process::Command;

use anyhow::{Context, bail};
use queuewatch::adapters::aws::client::{Account, Clients};
use queuewatch::adapters::aws::operator::Stack;
use queuewatch::config::account::{Keys, Operator};
use serde_json::Value;

use crate::args::{DeployedArguments, DoctorArguments, RedriveArguments, StackArguments};

/// Whose profile and sign-in are used where the environment holds no keys.
const AWS_CLI: &str = "aws";

pub(crate) fn answer(arguments: &DeployedArguments, asked: &Value, done: &str) -> anyhow::Result<u8> {
    let (stack, region) = (arguments.stack.clone().unwrap_or_default(), arguments.region.clone());
    let stack = StackArguments { stack, region };
    run(answer::run(arguments.function.as_deref(), &stack, asked, done, &clients(&stack)?))
}

pub(crate) fn doctor(arguments: &DoctorArguments) -> anyhow::Result<u8> {
    run(doctor::run(arguments, &clients(&arguments.stack)?))
}

pub(crate) fn redrive(arguments: &RedriveArguments) -> anyhow::Result<u8> {
    run(redrive::run(arguments, &clients(&arguments.stack)?))
}

fn run<T>(command: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(command)
}

async fn stack(clients: &Clients, arguments: &StackArguments) -> anyhow::Result<Stack> {
    clients
        .stacks()
        .find(&arguments.stack)
        .await
        .with_context(|| format!("cannot look up the stack {}", arguments.stack))
}

/// The environment comes first, as for every AWS tool; what it does not say, the AWS CLI does.
fn clients(arguments: &StackArguments) -> anyhow::Result<Clients> {
    let mut operator = Operator::from_environment()?;
    let region = match arguments.region.clone().or_else(|| operator.region.take()) {
        Some(region) => region,
        None => text(&asked(&["configure", "get", "region"]).context(
            "no region: set AWS_REGION, or install the AWS CLI, whose profile's region is then taken",
        )?),
    };
    let keys = match operator.keys.take() {
        Some(keys) => keys,
        None => Keys::from_process(&asked(&["configure", "export-credentials", "--format", "process"]).context(
            "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or install the AWS CLI and sign in: \
             its profile is then taken (AWS_PROFILE names another)",
        )?)?,
    };
    let known = operator.with(region, keys)?;
    Ok(Clients::new(Account {
        region: known.region,
        access_key_id: known.access_key_id,
        secret_access_key: known.secret_access_key.reveal().to_owned(),
        session_token: known.session_token.map(|token| token.reveal().to_owned()),
        endpoint: known.endpoint,
        dynamodb_endpoint: known.dynamodb_endpoint,
    }))
}

/// What the AWS CLI answers. What it has to say about a failure goes to standard error by itself.
fn asked(arguments: &[&str]) -> anyhow::Result<Vec<u8>> {
    let said = || format!("{AWS_CLI} {}", arguments.join(" "));
    let output = Command::new(AWS_CLI).args(arguments).output().with_context(said)?;
    if !output.status.success() || output.stdout.trim_ascii().is_empty() {
        bail!("{} told nothing: {}", said(), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(output.stdout)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}
