//! `queuewatch watch`: live files and standard input, and the alarms they are worth, on this machine.

mod console;
mod inbox;
mod outlets;
mod state_folder;
mod stop;

use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};

use queuewatch::adapters::file::{FileTable, Inbox};
use queuewatch::adapters::memory::MemoryTable;
use queuewatch::adapters::notify::{Heartbeat, Outlets};
use queuewatch::adapters::openmetrics::{MetricsServer, Series};
use queuewatch::adapters::settled;
use queuewatch::app::AppError;
use queuewatch::config::Config;
use queuewatch::domain::deployment::Deployment;
use queuewatch::domain::incidents::Incident;
use queuewatch::domain::job::Timestamp;
use queuewatch::durable::TableLedger;
use queuewatch::watch::{ErrorOf, Inputs, Outside, Pipe, Settings, Watch, WatchError};

use crate::args::{Format, WatchArguments};
use crate::clock::now;
use crate::replay::{chain, load};
use crate::{NOTIFIED, RAN, output};
use console::Console;
use inbox::OperatorInbox;
use state_folder::StateFolder;
use stop::Stop;

/// How often the inputs are looked at, where there was nothing more to read.
const POLL_EVERY: Duration = Duration::from_millis(200);
/// Streams that are named at the start.
const NAMED_MAX: usize = 3;
/// The name of standard input as a log stream.
const STDIN: &str = "stdin";

pub(crate) fn run(arguments: &WatchArguments) -> anyhow::Result<u8> {
    let config = load(&arguments.config)?
        .with_machine_topics(arguments.format == Format::Json)
        .with_deployment(deployment(arguments)?);
    let stop = Stop::on_signals().context("cannot listen for signals")?;
    if arguments.no_state {
        return watch(arguments, &config, &MemoryTable::new(), None, &stop);
    }
    // Nothing is forgotten before it is known what was being read when the last run ended.
    let (table, found) = FileTable::open(&arguments.state, Timestamp::MIN)
        .with_context(|| format!("--state {}", arguments.state.display()))?;
    state_folder::hide(&arguments.state)?;
    output::tell(&format!("queuewatch: state in {}: {found}", arguments.state.display()));
    let inbox = Inbox::of(&arguments.state);
    inbox.make()?;
    watch(arguments, &config, &table, Some(inbox), &stop)
}

/// Where an operator gets at this watch, from whatever folder.
fn deployment(arguments: &WatchArguments) -> anyhow::Result<Deployment> {
    if arguments.no_state {
        return Ok(Deployment::Process);
    }
    let folder = std::path::absolute(&arguments.state)
        .with_context(|| format!("--state {}", arguments.state.display()))?;
    Ok(Deployment::Folder(folder.to_string_lossy().into_owned()))
}

/// The watch over a table.
type Watched<T> = Watch<T, TableLedger<T>, Series, Outlets<Console>>;
type ErrorOver<T> = ErrorOf<T, TableLedger<T>, Outlets<Console>>;

fn watch<T: StateFolder>(
    arguments: &WatchArguments,
    config: &Config,
    table: &T,
    inbox: Option<Inbox>,
    stop: &Stop,
) -> anyhow::Result<u8> {
    let policy = config.policy().clone();
    let classifier = config.classifier()?;
    let inputs = inputs(&arguments.files)?;
    let notify = config.notify();
    let webhooks = notify.map(outlets::webhooks).unwrap_or_default();
    outlets::tell_if_unchecked(&webhooks);
    for stream in inputs.streams().filter(|_| !policy.sources.is_empty()) {
        if policy.source(&arguments.log_group, stream).is_none() {
            output::tell(&format!(
                "queuewatch: no [[source]] covers log group {} and log stream {stream}: none of its lines says anything",
                arguments.log_group
            ));
        }
    }
    let console = Console::new(arguments.format);
    let command = notify.and_then(|notify| notify.command.clone());
    let alarms = Outlets::new(console, command, webhooks);
    let owner = format!("watch-{}-{:x}", std::process::id(), now().as_ms());
    let store = TableLedger::new(table.clone(), &policy, owner).alone();
    tell_of_open(settled(store.read_only(now()))?.register.open());
    let outside = Outside { table: table.clone(), store, metrics: Series::default(), alarms };
    let settings = Settings {
        classifier,
        policy,
        log_group: arguments.log_group.clone(),
        is_from_start: arguments.from_start,
    };
    let page = arguments.metrics.map(MetricsServer::start).transpose().context("--metrics")?;
    let watch = settled(Watch::start(inputs, outside, settings, now()))?;
    let every = watch.sweeps_every_ms().checked_div(1000).unwrap_or(0);
    let what = named(&watch.inputs().streams().collect::<Vec<_>>());
    output::tell(&format!("queuewatch: watching {what}; a look at what is known every {every} s"));
    if let Some(page) = &page {
        output::tell(&format!("queuewatch: metrics at http://{}/metrics", page.address()));
    }
    let asked = inbox.map(OperatorInbox::of);
    let heartbeat = notify.and_then(|notify| notify.heartbeat.clone()).map(Heartbeat::new);
    let round = Round { watch, table: table.clone(), asked, heartbeat, page, lines_count: 0, trouble: None };
    let has_notified = round.go_on(stop)?;
    Ok(if arguments.exit_code && has_notified { NOTIFIED } else { RAN })
}

fn inputs(files: &[std::path::PathBuf]) -> anyhow::Result<Inputs> {
    let mut inputs = Inputs::default();
    let mut has_stdin = false;
    for file in files {
        if file.as_os_str() == "-" {
            if std::mem::replace(&mut has_stdin, true) {
                bail!("`-` is given twice: there is one standard input");
            }
            let origin = format!("{STDIN}-{}-{:x}", std::process::id(), now().as_ms());
            inputs.add_pipe(Pipe::new(STDIN, &origin, io::stdin()));
            continue;
        }
        check_path(file)?;
        inputs.add_path(file);
    }
    Ok(inputs)
}

/// Says which incidents a restart finds open.
fn tell_of_open<'a>(open: impl Iterator<Item = &'a Incident>) {
    let open: Vec<&str> = open.map(|incident| incident.id.as_str()).collect();
    match open.len() {
        0 => {}
        1 => output::tell(&format!("queuewatch: 1 incident is open: {}", named(&open))),
        count => output::tell(&format!("queuewatch: {count} incidents are open: {}", named(&open))),
    }
}

/// The first few names, and how many more there are.
fn named(streams: &[&str]) -> String {
    let more = streams.len().saturating_sub(NAMED_MAX);
    let first = streams.iter().take(NAMED_MAX).copied().collect::<Vec<_>>().join(", ");
    match (streams.is_empty(), more) {
        (true, _) => "for files to come".to_owned(),
        (false, 0) => first,
        (false, more) => format!("{first} and {more} more"),
    }
}

fn check_path(path: &Path) -> anyhow::Result<()> {
    let Ok(metadata) = path.metadata() else {
        let folder = path.parent().filter(|folder| !folder.is_dir());
        if let Some(folder) = folder.filter(|folder| folder.to_string_lossy().contains(['*', '?'])) {
            bail!(
                "{}: `*` and `?` are read in a file's name, not in a folder's ({}): name each folder",
                path.display(),
                folder.display()
            );
        }
        return Ok(());
    };
    if metadata.is_dir() {
        bail!("{0} is a folder: name files, or all that it will ever hold as '{0}/*.log'", path.display());
    }
    if !metadata.is_file() {
        bail!("{0} is no file that can be read again: queuewatch watch - < {0}", path.display());
    }
    Ok(())
}

/// The loop: read, look, sleep.
struct Round<T: StateFolder> {
    watch: Watched<T>,
    table: T,
    asked: Option<OperatorInbox>,
    heartbeat: Option<Heartbeat>,
    /// What a scraper reads.
    page: Option<MetricsServer>,
    lines_count: u64,
    /// What was last said to be wrong.
    trouble: Option<String>,
}

impl<T: StateFolder> Round<T> {
    /// Goes on until it is stopped or its input ends. Answers whether anybody was notified.
    fn go_on(mut self, stop: &Stop) -> anyhow::Result<bool> {
        self.console().begin();
        while !stop.is_asked_for() && !self.watch.has_ended() {
            let was_caught_up = self.watch.is_caught_up();
            let has_more = self.read()?;
            if self.watch.is_caught_up() && !was_caught_up && self.lines_count > 0 {
                let read = format!("read {} lines that were there; following", self.lines_count);
                self.console().note(&read);
            }
            if self.watch.is_caught_up() {
                self.apply_command()?;
            }
            if self.watch.is_due(now()) {
                self.sweep()?;
            }
            if !has_more && !stop.is_asked_for() && !self.watch.has_ended() {
                thread::sleep(POLL_EVERY);
            }
        }
        // What was written until now belongs to this run, and there may be no other.
        self.read()?;
        if self.watch.is_caught_up() {
            self.watch.alarms_mut().wait_for_delivery();
            self.sweep()?;
        } else {
            settled(self.watch.remember(now())).map_err(anyhow::Error::from)?;
        }
        let lines_count = self.lines_count;
        Ok(self.console().end(lines_count))
    }

    fn console(&mut self) -> &mut Console {
        self.watch.alarms_mut().screen_mut()
    }

    /// Reads once. Answers whether there is more.
    fn read(&mut self) -> anyhow::Result<bool> {
        let polled = settled(self.watch.poll(now()));
        for notice in self.watch.take_notices() {
            self.console().note(&notice.to_string());
        }
        match polled {
            Ok(polled) => {
                self.trouble = None;
                self.lines_count = self.lines_count.saturating_add(polled.lines_count);
                Ok(polled.has_more)
            }
            Err(error) => self.bear(error).map(|()| false),
        }
    }

    /// Does what operators asked for.
    fn apply_command(&mut self) -> anyhow::Result<()> {
        let Some(asked) = &mut self.asked else { return Ok(()) };
        asked.apply_command(&mut self.watch).or_else(|error| self.bear(error))?;
        self.heard()
    }

    /// Ends where nobody reads what is printed.
    fn heard(&mut self) -> anyhow::Result<()> {
        self.console().broken.take().map_or(Ok(()), |error| Err(error.into()))
    }

    fn sweep(&mut self) -> anyhow::Result<()> {
        let at = now();
        match settled(self.watch.sweep(at)) {
            Ok(_) => self.beat(at),
            // Told already, one by one; the next sweep sends them again.
            Err(WatchError::Sweep(AppError::Alarm(_))) => {}
            Err(error) => self.bear(error)?,
        }
        self.heard()?;
        if let Some(asked) = &mut self.asked {
            asked.try_again();
        }
        if let Err(error) = self.table.tidy(at) {
            self.console().note(&chain(&error));
        }
        if let Some(page) = &self.page {
            page.publish(self.watch.metrics().text());
        }
        let (gauges, lines_count) = (self.watch.metrics().latest().clone(), self.lines_count);
        self.console().show(at, lines_count, &gauges);
        Ok(())
    }

    /// Tells whoever waits for it that a sweep worked and everything was said.
    fn beat(&mut self, at: Timestamp) {
        let Some(heartbeat) = &mut self.heartbeat else { return };
        heartbeat.beat(at);
        match heartbeat.take_news() {
            Some(Err(error)) => self.console().note(&format!("{}; trying again", chain(&error))),
            Some(Ok(())) => self.console().note("the heartbeat's address is reached again"),
            None => {}
        }
    }

    /// Says what is wrong, once, and goes on, if that can help.
    fn bear(&mut self, error: ErrorOver<T>) -> anyhow::Result<()> {
        if state_folder::is_over::<T>(&error) {
            return Err(error.into());
        }
        let text = chain(&error);
        if self.trouble.as_ref() != Some(&text) {
            self.console().note(&format!("{text}; trying again"));
            self.trouble = Some(text);
        }
        Ok(())
    }
}
