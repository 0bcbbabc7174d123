//! `queuewatch redrive`: failed events, sent to ingest once more.

use std::io;

use queuewatch::adapters::aws::client::Clients;
use queuewatch::adapters::aws::operator::{FailedEvents, Ingest};
use queuewatch::redrive::{Errand, Outcome, errand, outcome};
use queuewatch::saved::{self, Saved, SavedBody};

use crate::args::RedriveArguments;
use crate::replay::chain;
use crate::{LEFT, RAN, UNREADABLE, output};

/// Failures one after the other that say that the function is ill, not the events: the rest waits.
const ILL_MAX: usize = 5;

/// What became of all events.
#[derive(Default)]
struct Tally {
    delivered: usize,
    hopeless: usize,
    left: usize,
    ill_in_a_row: usize,
}

/// What becomes of an event.
enum Became {
    Delivered,
    Kept,
}

impl Tally {
    fn is_over(&self) -> bool {
        self.ill_in_a_row >= ILL_MAX
    }
}

pub(super) async fn run(arguments: &RedriveArguments, clients: &Clients) -> anyhow::Result<u8> {
    let needs_bucket = arguments.paths.is_empty() && arguments.bucket.is_none();
    let needs_function = !arguments.dry_run && arguments.function.is_none();
    let stack = match needs_bucket || needs_function {
        true => Some(super::stack(clients, &arguments.stack).await?),
        false => None,
    };
    let named = |given: &Option<String>, output: &str| match (given, &stack) {
        (Some(name), _) => Ok(name.clone()),
        (None, Some(stack)) => stack.output(output).map(ToOwned::to_owned),
        (None, None) => Ok(String::new()),
    };
    let ingest = match arguments.dry_run {
        true => None,
        false => Some(clients.ingest(&named(&arguments.function, "IngestFunctionName")?)),
    };
    let (mut tally, mut status) = (Tally::default(), RAN);
    if arguments.paths.is_empty() {
        let bucket = clients.failed_events(&named(&arguments.bucket, "FailedEventsBucketName")?);
        from_bucket(arguments, &bucket, ingest.as_ref(), &mut tally).await?;
    } else {
        let (saved, errors) = saved::read(&arguments.paths, "", &mut io::stdin().lock());
        for error in &errors {
            output::complain(&anyhow::Error::msg(chain(error)));
            status = UNREADABLE;
        }
        for Saved { source, body } in saved {
            if tally.is_over() {
                break;
            }
            match body {
                SavedBody::Event(event) => {
                    send(&source, &event, ingest.as_ref(), &mut tally).await?;
                }
                SavedBody::Run(_) => leave(&source, "it is log lines, and no event", &mut tally)?,
            }
        }
    }
    if tally.is_over() {
        output::tell(&format!(
            "queuewatch: stopped after {ILL_MAX} failures one after the other: see the function's log, and come back"
        ));
    }
    let Tally { delivered, hopeless, left, .. } = tally;
    if ingest.is_some() {
        output::tell(&format!("{delivered} delivered, {hopeless} can never work, {left} left"));
    }
    let has_left = hopeless > 0 || left > 0;
    Ok(if status == RAN && has_left { LEFT } else { status })
}

/// Sends every object of the bucket, and removes what was delivered.
async fn from_bucket(
    arguments: &RedriveArguments,
    bucket: &FailedEvents,
    ingest: Option<&Ingest>,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let mut from = None;
    loop {
        let page = bucket.list(&arguments.prefix, from).await?;
        for key in &page.keys {
            if tally.is_over() {
                return Ok(());
            }
            let event = bucket.read(key).await?;
            let became = send(key, &event, ingest, tally).await?;
            if matches!(became, Became::Delivered) && !arguments.keep {
                bucket.remove(key).await?;
            }
        }
        from = page.next;
        if from.is_none() {
            return Ok(());
        }
    }
}

/// Sends one event, or says what would be sent.
async fn send(
    source: &str,
    event: &[u8],
    ingest: Option<&Ingest>,
    tally: &mut Tally,
) -> anyhow::Result<Became> {
    let event = match errand(event) {
        Errand::Send(event) => event,
        Errand::Leave(why) => {
            leave(source, &why, tally)?;
            return Ok(Became::Kept);
        }
    };
    let Some(ingest) = ingest else {
        output::print(&format!("would send  {source} ({} bytes)\n", event.len()))?;
        return Ok(Became::Kept);
    };
    let answered = ingest.invoke(event).await?;
    match outcome(answered.is_error, &answered.payload) {
        Outcome::Delivered => {
            tally.delivered = tally.delivered.saturating_add(1);
            tally.ill_in_a_row = 0;
            output::print(&format!("delivered   {source}\n"))?;
            return Ok(Became::Delivered);
        }
        Outcome::Hopeless(why) => {
            tally.hopeless = tally.hopeless.saturating_add(1);
            tally.ill_in_a_row = 0;
            output::print(&format!("never works {source}: {why}\n"))?;
        }
        Outcome::Ill(why) => {
            tally.ill_in_a_row = tally.ill_in_a_row.saturating_add(1);
            leave(source, &why, tally)?;
        }
    }
    Ok(Became::Kept)
}

fn leave(source: &str, why: &str, tally: &mut Tally) -> anyhow::Result<()> {
    tally.left = tally.left.saturating_add(1);
    output::print(&format!("left        {source}: {why}\n"))
}
