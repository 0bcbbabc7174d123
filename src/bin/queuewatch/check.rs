//! `queuewatch check`: is this configuration right, and what of it does nothing yet?

use std::fmt::Write;

use queuewatch::config::Config;

use crate::args::CheckArguments;
use crate::{RAN, output};

pub(crate) fn run(arguments: &CheckArguments) -> anyhow::Result<u8> {
    let config = Config::read(&arguments.config)?;
    config.classifier()?;
    let policy = config.policy();
    let mut text = format!("{}: fine\n", arguments.config.display());
    let _ = writeln!(
        text,
        "  app {}; [[source]] {}, [[rule]] {}, [[queue]] {}, [[class]] {}",
        policy.app,
        policy.sources.len(),
        config.rules().len(),
        policy.queues.len(),
        policy.classes.len()
    );
    for remark in config.remarks() {
        let _ = writeln!(text, "  note: {remark}");
    }
    output::print(&text)?;
    Ok(RAN)
}
