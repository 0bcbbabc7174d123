//! A command that gets the machine JSON on its standard input.

use std::io::{self, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use super::error::NotifyError;

/// How long a command may run: a message is sent in seconds, and the next one may be waiting.
const RUN_MAX: Duration = Duration::from_secs(10);
/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Runs a command, to its end or to that of the time it may take. What it prints is shown on our standard error: our
/// output is for messages alone.
pub(super) fn run(command: &[String], json: &str) -> Result<(), NotifyError> {
    run_for(command, json, RUN_MAX)
}

pub(super) fn run_for(command: &[String], json: &str, limit: Duration) -> Result<(), NotifyError> {
    let (program, arguments) = command.split_first().map_or(("", &[][..]), |(first, rest)| (first, rest));
    let failed = |source| NotifyError::Start { program: program.to_owned(), source };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::from(io::stderr()))
        .spawn()
        .map_err(failed)?;
    let input = child.stdin.take();
    let ended = thread::scope(|scope| {
        // A command that does not read may hold up whoever writes. It may also close its input: its own matter.
        scope.spawn(move || input.map(|mut input| writeln!(input, "{json}")));
        wait(&mut child, limit)
    });
    match ended.map_err(failed)? {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(NotifyError::Failed { program: program.to_owned(), status }),
        None => Err(NotifyError::TooLong { program: program.to_owned(), limit }),
    }
}

/// Waits for a child to end. One that does not within the time is killed.
fn wait(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let mut waited = Duration::ZERO;
    while waited < limit {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        thread::sleep(LOOK_EVERY);
        waited = waited.saturating_add(LOOK_EVERY);
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}
