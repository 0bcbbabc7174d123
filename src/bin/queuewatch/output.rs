//! Where text goes: data to standard output, the rest to standard error.

use std::io::{self, Write};

/// Prints data.
///
/// # Errors
/// Where standard output cannot be written.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Prints text that holds colours: kept on a terminal, stripped elsewhere and under `NO_COLOR`.
///
/// # Errors
/// Where standard output cannot be written.
pub(crate) fn print_coloured(text: &str) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Prints data, which may hold colours, as [`print_coloured`] does.
///
/// # Errors
/// Where standard output cannot be written.
pub(crate) fn write(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Tells the operator something that is no data. Where standard error is gone, nobody listens.
pub(crate) fn tell(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Tells what went wrong, with the whole chain of causes.
pub(crate) fn complain(error: &anyhow::Error) {
    tell(&format!("queuewatch: {error:#}"));
}

/// Whether the reader of our output went away, as `head` does: no fault of ours.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
