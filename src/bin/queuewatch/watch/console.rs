//! What the operator sees: alarms on standard output, the rest on standard error, and, on a terminal, a line that
//! tells that somebody is looking.

use std::io;

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressStyle};

use queuewatch::adapters::memory::LatestGauges;
use queuewatch::adapters::notify::{NotifyError, Screen};
use queuewatch::domain::job::Timestamp;
use queuewatch::domain::metric::Metric;
use queuewatch::domain::model::channel::Channel;
use queuewatch::domain::outbox::OutgoingMessage;

use crate::args::Format;
use crate::output;
use crate::replay::chain;

/// Columns of a header: a terminal that nobody made wider.
const COLUMNS: usize = 80;

/// The operator's view.
pub(super) struct Console {
    format: Format,
    line: ProgressBar,
    has_notified: bool,
    /// Why nobody reads any more.
    pub(super) broken: Option<io::Error>,
}

impl Console {
    pub(super) fn new(format: Format) -> Self {
        // It draws on standard error, and nowhere else than on a terminal.
        let line = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            line.set_style(style);
        }
        Self { format, line, has_notified: false, broken: None }
    }

    pub(super) fn begin(&self) {
        self.line.set_message("reading what is there");
        self.line.tick();
    }

    /// Tells something that is no data.
    pub(super) fn note(&self, text: &str) {
        self.line.suspend(|| output::tell(&format!("queuewatch: {text}")));
    }

    /// Shows what a sweep saw.
    pub(super) fn show(&self, at: Timestamp, lines_count: u64, gauges: &LatestGauges) {
        let time = at.to_string();
        let time = time.get(11..19).unwrap_or_default();
        let of = |metric| gauges.get(metric);
        self.line.set_message(format!(
            "{time} UTC  {lines_count} lines; {} jobs wait, {} overdue, {} run; {} queues stalled",
            of(Metric::Pending),
            of(Metric::Overdue),
            of(Metric::Running),
            of(Metric::StalledQueues)
        ));
        self.line.tick();
    }

    /// Takes the line away. Answers whether anybody was notified.
    pub(super) fn end(&self, lines_count: u64) -> bool {
        self.line.finish_and_clear();
        output::tell(&format!("queuewatch: stopped after {lines_count} lines"));
        self.has_notified
    }
}

impl Screen for Console {
    fn print(&mut self, message: &OutgoingMessage) -> io::Result<()> {
        // A greeting is no notification.
        self.has_notified |= message.severity.is_some();
        let text = match (self.format, message.channel) {
            (Format::Text, Channel::Email) => format!("{}\n{}\n", header(&message.subject), message.body),
            (Format::Json, Channel::Output) => format!("{}\n", message.body),
            // The same in a form that nobody asked for.
            (Format::Text | Format::Json, _) => return Ok(()),
        };
        self.line.suspend(|| output::write(&text)).map_err(|error| {
            let kind = error.kind();
            self.broken = Some(error);
            kind.into()
        })
    }

    fn complain(&mut self, message: &OutgoingMessage, error: &NotifyError) {
        self.note(&format!(
            "{} is not delivered and will be tried again: {}",
            message.notification,
            chain(error)
        ));
    }
}

/// `── subject ─────`, in the colour of its first word.
fn header(subject: &str) -> String {
    let colour = match subject.split(' ').next() {
        Some("ALARM") => AnsiColor::Red,
        Some("WARN") => AnsiColor::Yellow,
        Some("OK") => AnsiColor::Green,
        Some(_) | None => AnsiColor::Cyan,
    };
    let style = Style::new().bold().fg_color(Some(colour.into()));
    let rule = "─".repeat(COLUMNS.saturating_sub(subject.chars().count().saturating_add(4)));
    format!("{style}── {subject} {rule}{style:#}")
}
