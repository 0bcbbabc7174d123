//! The command line: the table, the lines of one world, and what was made of it.

mod arguments;
mod lines;
mod show;
mod table;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Table(arguments) => table::run(&arguments),
        Command::Lines(arguments) => lines::run(&arguments),
        Command::Show(arguments) => show::run(&arguments),
        Command::Scenarios => lines::scenarios(),
    };
    match result {
        Ok(is_good) => ExitCode::from(u8::from(!is_good)),
        // The reader went away, as `head` does.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&format!("queuewatch-simulate: {error:#}"));
            ExitCode::from(2)
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Prints data.
fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Tells something that is no data. Where standard error is gone, nobody listens.
fn tell(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
