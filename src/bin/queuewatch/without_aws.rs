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
    refuse(if asked.get("close").is_some() { "close --stack" } else { "silence --stack" })
}

fn refuse(command: &str) -> anyhow::Result<u8> {
    bail!(
        "{command} talks to AWS, which this build leaves out: build with the feature `aws`, \
         as in `cargo run --release --features aws -- {command} …`"
    )
}
