//! The flags and arguments of every command.

mod answering;
mod help;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use answering::{CloseArguments, DeployedArguments, IncidentArguments, SilenceArguments, Word};
use help::{
    ANSWER_HELP, CLOSE_HELP, COMPLETIONS_HELP, DOCTOR_HELP, MAN_HELP, REDRIVE_HELP, REPLAY_HELP,
    SILENCE_HELP, WATCH_HELP,
};

/// Finds background jobs that are enqueued and never processed, from CloudWatch Logs alone.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say what queuewatch would have said about saved events: the alarms as they are sent, and what they are made of.
    ///
    /// Reads Lambda events (`.json`, one per line in `.jsonl`, either with `.gz`), what `aws logs filter-log-events`,
    /// `get-log-events`, `get-query-results` and `tail` print, and what Logs Insights and the console download as JSON
    /// or CSV; also `.log`, `.txt` and standard input whose lines have a time with its offset. A folder means the files
    /// directly in it, or an export to S3.
    #[command(after_help = REPLAY_HELP)]
    Replay(ReplayArguments),
    /// Tell which rule reads a line, or the nearest one and why it does not.
    Explain(ExplainArguments),
    /// Make saved events of raw log lines, as CloudWatch would send them.
    Pack(PackArguments),
    /// Print the log lines of saved events: timestamp, group, stream, message, separated by tabs.
    Unpack(UnpackArguments),
    /// Check a configuration: every key, every rule and its example.
    Check(CheckArguments),
    /// Follow live files or standard input, and sound the alarm here: all of queuewatch on one machine.
    ///
    /// Follows as `tail -F` does: files that are not there yet, rotated or emptied. What is known, and how far each
    /// file was read, is kept in a folder and survives a restart. A file that is met for the first time is read from
    /// its end, or, with --from-start, from its beginning: then lines are stamped by the time printed on them (UTC
    /// where no offset is), and what has waited longer than its grace is told at once. A line is read when its newline
    /// is there; one of more than 256 KiB is cut to that.
    #[command(after_help = WATCH_HELP)]
    Watch(WatchArguments),
    /// Answer an alarm: `seen` (it stays open, reminders stop, everybody is told who), `silence 2h`, or `close`.
    ///
    /// It reaches the watch, or with --stack or --function the deployed queuewatch, as `queuewatch close` does.
    #[command(after_help = ANSWER_HELP)]
    Answer(IncidentArguments),
    /// Close an incident by hand: it is over, its jobs are given up, and nobody is told of them again.
    ///
    /// A watch that is at work does it within a second, and says so; else the next one does that is started over the
    /// folder. With --stack or --function the deployed queuewatch does it (needs the feature `aws`). Each alarm prints the
    /// whole command.
    #[command(after_help = CLOSE_HELP)]
    Close(CloseArguments),
    /// Silence queues for a while: their pages wait, and come at the end if there is still something to say.
    ///
    /// It reaches the watch as `queuewatch close` does.
    #[command(after_help = SILENCE_HELP)]
    Silence(SilenceArguments),
    /// Tell what is wrong with a deployed stack, if anything (needs the feature `aws`).
    ///
    /// Looks at the last sweep, the log groups and their filters, who is told, open incidents and how to close
    /// them, failed events, and what these logs cannot show. It changes nothing.
    #[command(after_help = DOCTOR_HELP)]
    Doctor(DoctorArguments),
    /// Print what a shell needs to complete these commands.
    #[command(after_help = COMPLETIONS_HELP)]
    Completions(CompletionsArguments),
    /// Print a manual page: of queuewatch, or of one of its commands.
    #[command(after_help = MAN_HELP)]
    Man(ManArguments),
    /// Deliver failed events once more (needs the feature `aws`).
    ///
    /// Sends each event of the stack's bucket, or of PATH, to the function that reads logs, and removes from the
    /// bucket what was delivered. What was delivered before changes nothing a second time.
    #[command(after_help = REDRIVE_HELP)]
    Redrive(RedriveArguments),
}

/// How to print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// One object, for programs.
    Json,
}

/// Whom to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Rival {
    /// Metric filters, metric math and alarms on them.
    Cloudwatch,
}

/// Settings that the environment and the file have, too.
#[derive(Debug, Args)]
pub(crate) struct ConfigArguments {
    /// Read this configuration.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Name the app (replaces `app` of the configuration).
    #[arg(long, value_name = "NAME")]
    pub(crate) app: Option<String>,
    /// Let ready jobs wait this long: 90s, 5m, 1h (replaces `[stall].grace` only).
    #[arg(long, value_name = "DURATION")]
    pub(crate) grace: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArguments {
    /// Saved events, folders of them, or `-` for standard input.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) config: ConfigArguments,
    /// Print for people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Print all of it for people: the timeline, every message whole, queues, lines, metrics.
    #[arg(long)]
    pub(crate) details: bool,
    /// List every job (with --format json).
    #[arg(long)]
    pub(crate) jobs: bool,
    /// List every metric minute by minute (with --format json).
    #[arg(long)]
    pub(crate) metrics: bool,
    /// Say beside it what plain CloudWatch alarms would have done on the same lines.
    #[arg(long, value_enum, value_name = "WHOM")]
    pub(crate) versus: Option<Rival>,
    /// Write a page for a post-mortem beside it: charts, lifelines, the messages; one HTML file that loads nothing.
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,
    /// Go on this long after the last delivery while something is open.
    #[arg(long, value_name = "DURATION", default_value = "30m")]
    pub(crate) settle: String,
    /// Deliver payloads in the given order, instead of by their newest line.
    #[arg(long)]
    pub(crate) keep_order: bool,
    /// Exit with 1 if a notification fired.
    #[arg(long)]
    pub(crate) exit_code: bool,
    /// The log group of `filter-log-events` output, which does not name it.
    #[arg(long, value_name = "GROUP", default_value = "")]
    pub(crate) log_group: String,
}

#[derive(Debug, Args)]
pub(crate) struct WatchArguments {
    /// Files, `-` for standard input, or in quotes `folder/*.log` for all such files, those still to come included.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) config: ConfigArguments,
    /// Keep what is known in this folder.
    #[arg(long, value_name = "DIR", default_value = ".queuewatch")]
    pub(crate) state: PathBuf,
    /// Keep nothing: what is known ends with the process.
    #[arg(long, conflicts_with = "state")]
    pub(crate) no_state: bool,
    /// Read files from their beginning that are met for the first time.
    #[arg(long)]
    pub(crate) from_start: bool,
    /// The log group that the lines are taken to be of; a file's path is its log stream.
    #[arg(long, value_name = "GROUP", default_value = "watch")]
    pub(crate) log_group: String,
    /// Print alarms for people, or one JSON object a line for programs.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Serve metrics to Prometheus at http://ADDRESS/metrics: `9464`, or to other machines `0.0.0.0:9464`.
    ///
    /// A port alone is one of this machine only. Whoever reaches the page reads the names of queues on it.
    #[arg(long, value_name = "ADDRESS", value_parser = metrics_address)]
    pub(crate) metrics: Option<SocketAddr>,
    /// Exit with 1 if a notification fired.
    #[arg(long)]
    pub(crate) exit_code: bool,
}

/// `127.0.0.1:9464`, `[::1]:9464`, `localhost:9464`, or a port of this machine alone.
fn metrics_address(text: &str) -> Result<SocketAddr, String> {
    let text = text.replace("localhost", "127.0.0.1");
    let port = text.strip_prefix(':').unwrap_or(&text).parse::<u16>();
    let address = port.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port))).ok();
    address
        .or_else(|| text.parse().ok())
        .ok_or_else(|| "write a port, or an address and a port: 127.0.0.1:9464".to_owned())
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// The line; a file of lines, of which the forms and the shapes of unread lines are counted; `-`, or none, reads
    /// standard input, a line each.
    #[arg(value_name = "LINE|FILE|-")]
    pub(crate) line: Option<String>,
    /// Read this configuration.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The line's log group.
    #[arg(long, value_name = "GROUP", default_value = "")]
    pub(crate) log_group: String,
    /// The line's log stream.
    #[arg(long, value_name = "STREAM", default_value = "")]
    pub(crate) log_stream: String,
}

#[derive(Debug, Args)]
pub(crate) struct PackArguments {
    /// The log group the lines are from.
    #[arg(long, value_name = "GROUP")]
    pub(crate) log_group: String,
    /// The log stream the lines are from.
    #[arg(long, value_name = "STREAM")]
    pub(crate) log_stream: String,
    /// One epoch millisecond a line, for each line of FILE; without it the lines' own times.
    #[arg(long, value_name = "FILE")]
    pub(crate) timestamps: Option<PathBuf>,
    /// The time zone of times that lines print without an offset: `UTC`, `Asia/Tokyo`.
    #[arg(long, value_name = "ZONE")]
    pub(crate) timezone: Option<String>,
    /// Close a batch this many milliseconds after its first line.
    #[arg(long, value_name = "N", default_value_t = 5000)]
    pub(crate) batch_ms: u32,
    /// Write one event a file into this folder, instead of one a line on standard output.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// The raw lines, or `-` for standard input.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct UnpackArguments {
    /// Saved events, folders of them, or `-` for standard input.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// The log group of `filter-log-events` output, which does not name it.
    #[arg(long, value_name = "GROUP", default_value = "")]
    pub(crate) log_group: String,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArguments {
    /// The shell.
    #[arg(value_enum, value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArguments {
    /// One of the commands.
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// The configuration.
    #[arg(value_name = "CONFIG")]
    pub(crate) config: PathBuf,
}

/// Which stack, and where.
#[derive(Debug, Args)]
pub(crate) struct StackArguments {
    /// The stack, by name or ARN.
    #[arg(long, value_name = "NAME", default_value = "queuewatch")]
    pub(crate) stack: String,
    /// The region (replaces AWS_REGION).
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    #[command(flatten)]
    pub(crate) stack: StackArguments,
}

#[derive(Debug, Args)]
pub(crate) struct RedriveArguments {
    /// Saved events, folders of them, or `-` for standard input; without any, what is in the bucket.
    #[arg(value_name = "PATH", conflicts_with_all = ["bucket", "prefix", "keep"])]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) stack: StackArguments,
    /// The bucket of failed events, where it is not the stack's.
    #[arg(long, value_name = "NAME")]
    pub(crate) bucket: Option<String>,
    /// Only the objects whose keys begin so.
    #[arg(long, value_name = "PREFIX", default_value = "")]
    pub(crate) prefix: String,
    /// The function to send to, where it is not the stack's.
    #[arg(long, value_name = "NAME")]
    pub(crate) function: Option<String>,
    /// Leave in the bucket what was delivered.
    #[arg(long)]
    pub(crate) keep: bool,
    /// Say what would be sent, and send nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}
