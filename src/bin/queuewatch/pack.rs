//! `queuewatch pack` and `unpack`: raw lines to saved events, and back to something to read.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use anyhow::Context;

use queuewatch::delivery::{self, Delivery};
use queuewatch::domain::envelope::{self, Header, Limits, Line, LineSink, Rejection};
use queuewatch::domain::job::Timestamp;
use queuewatch::pack::{self, PackOptions};
use queuewatch::saved::{self, Saved, SavedBody};

use crate::args::{PackArguments, UnpackArguments};
use crate::replay::chain;
use crate::{RAN, UNREADABLE, output};

pub(crate) fn pack(arguments: &PackArguments) -> anyhow::Result<u8> {
    let log = read(&arguments.file)?;
    let timestamps = arguments.timestamps.as_deref().map(read).transpose()?;
    let lines = pack::read_lines(&log, timestamps.as_deref(), arguments.timezone.as_deref())
        .with_context(|| arguments.file.display().to_string())?;
    let mut options = PackOptions::new(&arguments.log_group, &arguments.log_stream);
    options.batch_ms = i64::from(arguments.batch_ms);
    let events = pack::pack(&lines, &options);
    let Some(folder) = &arguments.out else {
        let mut text = events.join("\n");
        if !text.is_empty() {
            text.push('\n');
        }
        output::print(&text)?;
        return Ok(RAN);
    };
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let stem = arguments.file.file_stem().map_or_else(|| "lines".into(), |stem| stem.to_string_lossy());
    for (n, event) in (1_usize..).zip(&events) {
        let path = folder.join(format!("{stem}-{n:04}.json"));
        fs::write(&path, format!("{event}\n")).with_context(|| format!("cannot write {}", path.display()))?;
    }
    output::tell(&format!("{} lines in {} events in {}", lines.len(), events.len(), folder.display()));
    Ok(RAN)
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).context("cannot read standard input")?;
        return Ok(bytes);
    }
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

pub(crate) fn unpack(arguments: &UnpackArguments) -> anyhow::Result<u8> {
    let (saved, errors) = saved::read(&arguments.paths, &arguments.log_group, &mut io::stdin().lock());
    let mut status = RAN;
    for error in &errors {
        output::complain(&anyhow::Error::msg(chain(error)));
        status = UNREADABLE;
    }
    for one in &saved {
        let mut rows = Rows::default();
        if let Err(reason) = rows.take(one) {
            rows.text.clear();
            rows.faults.push(reason);
        }
        for fault in &rows.faults {
            output::tell(&format!("queuewatch: {}: {fault}", one.source));
        }
        output::print(&rows.text)?;
    }
    Ok(status)
}

/// Rows of one saved body. A payload that turns out broken prints nothing, as it counts for nothing.
#[derive(Default)]
struct Rows {
    log_group: String,
    log_stream: String,
    text: String,
    faults: Vec<String>,
}

impl Rows {
    fn take(&mut self, saved: &Saved) -> Result<(), String> {
        match &saved.body {
            SavedBody::Run(run) => {
                let lines = run.lines.iter().map(|line| (line.at, line.message.as_str()));
                self.text.push_str(&pack::unpack(&run.log_group, &run.log_stream, lines));
                Ok(())
            }
            SavedBody::Event(text) => match delivery::parse(text) {
                Ok(delivery) => self.take_delivery(delivery),
                Err(error) => Err(format!("{}: {error}", error.reason())),
            },
        }
    }

    fn take_delivery(&mut self, delivery: Delivery<'_>) -> Result<(), String> {
        let limits = Limits::default();
        let told = |rejection: Rejection| format!("{}: {}", rejection.reason.as_str(), rejection.detail);
        match delivery {
            Delivery::Subscription { data } => {
                envelope::open_base64(&data, &limits, self).map_err(told)?;
            }
            Delivery::Kinesis(records) => {
                // A bad record costs only itself.
                for record in records {
                    let whole = self.text.len();
                    let opened = match record.data {
                        Ok(bytes) => envelope::open_gzip(&bytes, &limits, self).map_err(told),
                        Err(error) => Err(format!("{}: {error}", error.reason())),
                    };
                    if let Err(reason) = opened {
                        self.text.truncate(whole);
                        self.faults.push(format!("record {}: {reason}", record.sequence));
                    }
                }
            }
            Delivery::OnFailure(inner) => self.take_delivery(*inner)?,
            Delivery::Tick | Delivery::Command(_) => {}
        }
        Ok(())
    }
}

impl LineSink for Rows {
    fn begin(&mut self, header: &Header) {
        self.log_group.clone_from(&header.log_group);
        self.log_stream.clone_from(&header.log_stream);
    }

    fn line(&mut self, line: Line<'_>) {
        let one: [(Timestamp, &str); 1] = [(line.at, line.message)];
        self.text.push_str(&pack::unpack(&self.log_group, &self.log_stream, one));
    }
}
