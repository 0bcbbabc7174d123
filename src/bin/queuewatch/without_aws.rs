//! What the commands that talk to AWS say where this build leaves AWS out.

use anyhow::bail;

use crate::args::{DoctorArguments, RedriveArguments};

pub(crate) fn doctor(_: &DoctorArguments) -> anyhow::Result<u8> {
    refuse("doctor")
}

pub(crate) fn redrive(_: &RedriveArguments) -> anyhow::Result<u8> {
    refuse("redrive")
}

fn refuse(command: &str) -> anyhow::Result<u8> {
    bail!(
        "{command} talks to AWS, which this build leaves out: build with the feature `aws`, \
         as in `cargo run --release --features aws -- {command} …`"
    )
}
