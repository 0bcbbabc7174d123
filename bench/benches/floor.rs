//! Counts instructions with valgrind, and fails where a case takes a quarter more than `bench/floor.toml` says. A busy
//! machine does not show in it. The compiler does, and, a little, the processor.

#![expect(clippy::print_stdout, reason = "a bench prints its result")]

use std::env;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, bail, ensure};
use queuewatch_bench::cases::{CASES, Case, prepare};
use queuewatch_bench::floor::{Floor, rounded};

fn main() -> anyhow::Result<ExitCode> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("floor");
    let arguments: Vec<String> = env::args().collect();
    if let [_, flag, name] = arguments.as_slice()
        && flag == "--case"
    {
        let case = CASES.iter().find(|case| case.name == name).context("no such case")?;
        let is_ok = case.run(&folder, |work| toggles_callgrind(work))?;
        return Ok(if is_ok { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    prepare(&folder).context("writing the inputs")?;
    let mut measured = Floor::default();
    for case in CASES.iter().filter(|case| !case.is_held()) {
        let count = instructions(case)? / case.units_count() as f64;
        measured.instructions.insert(case.name.to_owned(), rounded(count));
    }
    let verdict = Floor::read()?.compare(&measured);
    println!("{}", verdict.text);
    Ok(if verdict.is_worse { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The instructions of a case, in a process of its own under callgrind.
fn instructions(case: &Case) -> anyhow::Result<f64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=*toggles_callgrind*"])
        .arg(env::current_exe()?)
        .args(["--case", case.name])
        .output()
        .context("valgrind counts instructions; Debian, Ubuntu: apt-get install valgrind")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{} failed:\n{said}", case.name);
    let Some((_, collected)) = said.split_once("Collected :") else { bail!("valgrind said:\n{said}") };
    let count: f64 = collected.split_whitespace().next().unwrap_or_default().parse()?;
    ensure!(count > 0.0, "{}: nothing was counted", case.name);
    Ok(count)
}

/// Callgrind counts what runs within this, and finds it by its name.
#[inline(never)]
fn toggles_callgrind(work: &mut dyn FnMut()) {
    work();
}
