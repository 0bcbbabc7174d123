//! `queuewatch completions` and `queuewatch man`: what shells and manuals are told of these commands.

use anyhow::Context;
use clap::CommandFactory;

use crate::args::{Arguments, CompletionsArguments, ManArguments};
use crate::{RAN, output};

/// Prints the completions of a shell.
pub(crate) fn completions(arguments: &CompletionsArguments) -> anyhow::Result<u8> {
    let mut command = Arguments::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, name, &mut script);
    output::print(&String::from_utf8(script).context("the script is no text")?)?;
    Ok(RAN)
}

/// Prints a manual page.
pub(crate) fn man(arguments: &ManArguments) -> anyhow::Result<u8> {
    let mut command = Arguments::command();
    command.build();
    let command = match &arguments.command {
        None => command,
        Some(name) => command
            .find_subcommand(name)
            .with_context(|| format!("there is no command `{name}`: `queuewatch --help` lists them"))?
            .clone(),
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page).context("writing the page")?;
    output::print(&String::from_utf8(page).context("the page is no text")?)?;
    Ok(RAN)
}
