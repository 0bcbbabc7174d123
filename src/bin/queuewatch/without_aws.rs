//! What the commands that talk to AWS say where this build leaves AWS out.

use anyhow::bail;

use serde_json::Value;

use crate::args::{DeployedArguments, DoctorArguments, RedriveArguments};

pub(crate) fn doctor(_: &DoctorArguments) -> anyhow::Result<u8> {
    refuse("doctor")
}

pub(crate) fn redrive(_: &RedriveArguments) -> anyhow::Result<u8> {
    refuse("redrive")
}

pub(crate) fn answer(_: &DeployedArguments, asked: &Value, _: &str) -> anyhow::Result<u8> {
    let is_by_incident = asked.pointer("/silence/incident").is_some() || asked.get("seen").is_some();
    refuse(match asked.get("close") {
        Some(_) => "close --stack",
        None if is_by_incident => "answer --stack",
        None => "silence --stack",
    })
}

fn refuse(command: &str) -> anyhow::Result<u8> {
    bail!(
        "{command} talks to AWS, which this build leaves out: build with the feature `aws`, \
         as in `cargo run --release --features aws -- {command} …`"
    )
}
