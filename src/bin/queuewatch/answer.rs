//! `queuewatch close` and `queuewatch silence`: an operator's answer to a message, put where the watch finds it, or
//! given to the function that sweeps.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use queuewatch::adapters::file::{FileTable, Inbox};
use queuewatch::adapters::memory::MemoryTable;
use queuewatch::adapters::settled;
use queuewatch::delivery::{self, Delivery};
use queuewatch::domain::command::Command;
use queuewatch::domain::incidents::Incident;
use queuewatch::domain::job::{HOUR_MS, Timestamp};
use queuewatch::domain::model::policy::Policy;
use queuewatch::durable::{self, TableLedger};

use crate::args::{AnswerArguments, CloseArguments, SilenceArguments};
use crate::clock::now;
use crate::{RAN, aws, output};

pub(crate) fn close(arguments: &CloseArguments) -> anyhow::Result<u8> {
    let CloseArguments { id, answer } = arguments;
    let asked = json!({ "close": id, "reason": answer.reason });
    if is_deployed(answer) {
        return aws::answer(&answer.deployed, &asked, &format!("{id} is closed"));
    }
    let table = known(&answer.state)?;
    let open = open(&table, now())?;
    if !open.iter().any(|incident| incident.id == *id) {
        bail!("{}", none_of(id, &open, &answer.state));
    }
    put(answer, &asked, &format!("{id} is closed"))
}

/// Whether the answer is for a queuewatch on AWS.
const fn is_deployed(answer: &AnswerArguments) -> bool {
    answer.deployed.stack.is_some() || answer.deployed.function.is_some()
}

pub(crate) fn silence(arguments: &SilenceArguments) -> anyhow::Result<u8> {
    let SilenceArguments { queue, until, answer } = arguments;
    if !is_deployed(answer) {
        known(&answer.state)?;
    }
    let asked = json!({ "silence": { "queue": queue, "until": until, "reason": answer.reason } });
    let until = match command(asked.to_string().as_bytes()) {
        Ok(Command::Silence(silence)) => silence.until,
        Ok(Command::Close { .. }) => bail!("it is no silence"),
        Err(error) => bail!("{error}: write it as in `queuewatch silence reports --until {}`", example()),
    };
    if until <= now() {
        bail!("--until {until} is over: write a time to come, such as {}", example());
    }
    let done = format!("pages of queue {queue} wait until {until}");
    if is_deployed(answer) {
        return aws::answer(&answer.deployed, &asked, &done);
    }
    put(answer, &asked, &done)
}

/// A time that could be meant.
fn example() -> Timestamp {
    now().plus_ms(HOUR_MS).minute()
}

/// Reads what was asked of a watch.
///
/// # Errors
/// Where that is nothing that an operator may ask for.
pub(crate) fn command(text: &[u8]) -> anyhow::Result<Command> {
    match delivery::parse(text)? {
        Delivery::Command(command) => Ok(command),
        Delivery::Subscription { .. } | Delivery::Kinesis(_) | Delivery::OnFailure(_) | Delivery::Tick => {
            bail!("it holds neither `close` nor `silence`")
        }
    }
}

/// What a watch knows.
fn known(state: &Path) -> anyhow::Result<MemoryTable> {
    let table = FileTable::copy_of(state).with_context(|| format!("--state {}", state.display()))?;
    table.with_context(|| {
        format!(
            "{} holds no state of a watch: name its folder with --state, as its alarms do",
            state.display()
        )
    })
}

/// The incidents that are open, oldest first.
fn open(table: &MemoryTable, now: Timestamp) -> anyhow::Result<Vec<Incident>> {
    let keys: Vec<_> = table.items().map(|item| item.key).collect();
    let mut open = Vec::new();
    for app in durable::apps(keys.iter()) {
        let policy = Policy { app: app.to_owned(), ..Policy::default() };
        let kept = settled(TableLedger::new(table.clone(), &policy, "look".to_owned()).read_only(now))?;
        open.extend(kept.register.open().cloned());
    }
    open.sort_by(|a, b| (a.opened_at, &a.id).cmp(&(b.opened_at, &b.id)));
    Ok(open)
}

fn none_of(id: &str, open: &[Incident], state: &Path) -> String {
    let mut text = format!("no incident {id} is open in {}", state.display());
    text.push_str(if open.is_empty() { ", nor any other" } else { ". Open are:" });
    for incident in open {
        let _ = write!(text, "\n  {}", incident.id);
    }
    text
}

fn put(answer: &AnswerArguments, asked: &Value, done: &str) -> anyhow::Result<u8> {
    let at = now().as_ms();
    // In the order in which they were asked for.
    let path =
        Inbox::of(&answer.state).put(&format!("{at:013}-{}", std::process::id()), &format!("{asked}\n"))?;
    output::tell(&format!(
        "queuewatch: noted in {}: {done} within a second where a watch is at work there, else when one is started",
        path.display()
    ));
    Ok(RAN)
}
