//! The command line. It reads files and flags, calls the library, and prints: data on standard output,
//! everything else on standard error.

mod answer;
mod args;
#[cfg(feature = "aws")]
mod aws;
#[cfg(not(feature = "aws"))]
#[path = "without_aws.rs"]
mod aws;
mod check;
#[path = "../clock.rs"]
mod clock;
mod explain;
mod output;
mod pack;
mod replay;
mod versus;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};

/// It ran.
const RAN: u8 = 0;
/// A notification fired, where `--exit-code` asks.
const NOTIFIED: u8 = 1;
/// Something is wrong with a stack, or an event could not be delivered.
#[cfg(feature = "aws")]
const LEFT: u8 = 1;
/// A path or configuration could not be read, or a folder holds no events.
const UNREADABLE: u8 = 2;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Pack(arguments) => pack::pack(&arguments),
        Command::Unpack(arguments) => pack::unpack(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Watch(arguments) => watch::run(&arguments),
        Command::Answer(arguments) => answer::answer(&arguments),
        Command::Close(arguments) => answer::close(&arguments),
        Command::Silence(arguments) => answer::silence(&arguments),
        Command::Doctor(arguments) => aws::doctor(&arguments),
        Command::Redrive(arguments) => aws::redrive(&arguments),
    };
    match result {
        Ok(status) => ExitCode::from(status),
        Err(error) if output::is_broken_pipe(&error) => ExitCode::from(RAN),
        Err(error) => {
            output::complain(&error);
            ExitCode::from(UNREADABLE)
        }
    }
}
