//! `queuewatch answer`, `close` and `silence`: an operator's answer to a message, put where the watch finds it, or
//! given to the function that sweeps.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use queuewatch::adapters::file::{FileTable, Inbox};
use queuewatch::adapters::memory::MemoryTable;
use queuewatch::adapters::settled;
use queuewatch::config::parse_duration_ms;
use queuewatch::delivery::{self, Delivery};
use queuewatch::domain::command::Command;
use queuewatch::domain::glob;
use queuewatch::domain::incidents::{Incident, by_name};
use queuewatch::domain::job::{HOUR_MS, Timestamp};
use queuewatch::domain::model::policy::Policy;
use queuewatch::durable::{self, Kept, TableLedger};

use crate::args::{CloseArguments, DeployedArguments, IncidentArguments, SilenceArguments, Word};
use crate::clock::now;
use crate::{RAN, aws, output};

pub(crate) fn answer(arguments: &IncidentArguments) -> anyhow::Result<u8> {
    let IncidentArguments { id, word, duration, reason, by, state, deployed } = arguments;
    if let Some(duration) = duration.as_ref().filter(|_| *word != Word::Silence) {
        bail!("`{duration}` says how long, and only `silence` lasts");
    }
    let is_deployed = is_deployed(deployed);
    // What a watch has open is known here, so that the whole id is sent; a stack looks for itself.
    let id = if is_deployed { id.clone() } else { whole(id, state)? };
    let (asked, done) = match word {
        Word::Seen => {
            let by = by.clone().unwrap_or_else(user);
            (json!({ "seen": id, "by": by }), format!("{id} is seen; nobody is reminded of it"))
        }
        Word::Silence => {
            let for_ms = parse_duration_ms(duration.as_deref().unwrap_or_default()).context("DURATION")?;
            let until = now().plus_ms(for_ms);
            let asked =
                json!({ "silence": { "incident": id, "until": until.to_string(), "reason": reason } });
            (asked, format!("the messages of {id} and its queue wait until {until}"))
        }
        Word::Close => (json!({ "close": id, "reason": reason }), format!("{id} is closed")),
    };
    if is_deployed {
        return aws::answer(deployed, &asked, &done);
    }
    put(state, &asked, &done)
}

/// The whole id of an incident that a watch has open.
fn whole(name: &str, state: &Path) -> anyhow::Result<String> {
    let table = known(state)?;
    let open = open(&table, now())?;
    match by_name(open.iter(), name) {
        Some(incident) => Ok(incident.id.clone()),
        None => bail!("{}", none_of(name, &open, state)),
    }
}

/// Who sits here, as the shell says.
#[expect(clippy::disallowed_methods, reason = "a name to sign with is no configuration")]
fn user() -> String {
    ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok()).unwrap_or_default()
}

pub(crate) fn close(arguments: &CloseArguments) -> anyhow::Result<u8> {
    let CloseArguments { id, answer } = arguments;
    let asked = json!({ "close": id, "reason": answer.reason });
    if is_deployed(&answer.deployed) {
        return aws::answer(&answer.deployed, &asked, &format!("{id} is closed"));
    }
    let table = known(&answer.state)?;
    let open = open(&table, now())?;
    if !open.iter().any(|incident| incident.id == *id) {
        bail!("{}", none_of(id, &open, &answer.state));
    }
    put(&answer.state, &asked, &format!("{id} is closed"))
}

/// Whether the answer is for a queuewatch on AWS.
const fn is_deployed(deployed: &DeployedArguments) -> bool {
    deployed.stack.is_some() || deployed.function.is_some()
}

pub(crate) fn silence(arguments: &SilenceArguments) -> anyhow::Result<u8> {
    let SilenceArguments { queue, until, answer } = arguments;
    let is_deployed = is_deployed(&answer.deployed);
    let seen = if is_deployed { Vec::new() } else { queues(&known(&answer.state)?, now())? };
    // A span is the shorter way to say it.
    let until = match parse_duration_ms(until) {
        Ok(for_ms) => now().plus_ms(for_ms).to_string(),
        Err(_) => until.clone(),
    };
    let asked = json!({ "silence": { "queue": queue, "until": until, "reason": answer.reason } });
    let until = match command(asked.to_string().as_bytes()) {
        Ok(Command::Silence(silence)) => silence.until,
        Ok(Command::Close { .. } | Command::Seen { .. } | Command::Hush { .. }) => bail!("it is no silence"),
        Err(error) => bail!(
            "{error}: write it as in `queuewatch silence reports --until {}`, or how long: 2h",
            example()
        ),
    };
    if until <= now() {
        bail!("--until {until} is over: write a time to come, such as {}", example());
    }
    let done = format!("pages of queue {queue} wait until {until}");
    if is_deployed {
        return aws::answer(&answer.deployed, &asked, &done);
    }
    // It may be one to come, so it is taken all the same.
    if !seen.is_empty() && !seen.iter().any(|name| glob::matches(queue, name)) {
        output::tell(&format!("queuewatch: no queue {queue} has been seen; there are {}", seen.join(", ")));
    }
    put(&answer.state, &asked, &done)
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
            bail!("it holds none of `seen`, `silence` and `close`")
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

/// What is kept of each app.
fn kept(table: &MemoryTable, now: Timestamp) -> anyhow::Result<Vec<Kept>> {
    let keys: Vec<_> = table.items().map(|item| item.key).collect();
    let of = |app: &str| {
        let policy = Policy { app: app.to_owned(), ..Policy::default() };
        Ok(settled(TableLedger::new(table.clone(), &policy, "look".to_owned()).read_only(now))?)
    };
    durable::apps(keys.iter()).map(of).collect()
}

/// The queues that lines have named.
fn queues(table: &MemoryTable, now: Timestamp) -> anyhow::Result<Vec<String>> {
    let kept = kept(table, now)?;
    let named = kept.iter().flat_map(|kept| kept.ledger.queues());
    let names: BTreeSet<String> =
        named.filter_map(|(at, _)| at.queue.as_ref()).map(ToString::to_string).collect();
    Ok(names.into_iter().collect())
}

/// The incidents that are open, oldest first.
fn open(table: &MemoryTable, now: Timestamp) -> anyhow::Result<Vec<Incident>> {
    let kept = kept(table, now)?;
    let mut open: Vec<Incident> = kept.iter().flat_map(|kept| kept.register.open().cloned()).collect();
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

fn put(state: &Path, asked: &Value, done: &str) -> anyhow::Result<u8> {
    let at = now().as_ms();
    // In the order in which they were asked for.
    let path = Inbox::of(state).put(&format!("{at:013}-{}", std::process::id()), &format!("{asked}\n"))?;
    output::tell(&format!(
        "queuewatch: noted in {}: {done} within a second where a watch is at work there, else when one is started",
        path.display()
    ));
    Ok(RAN)
}
