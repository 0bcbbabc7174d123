//! What stands around a line: the words that a process manager, a container runtime or a log router puts before or
//! behind it. One table, a row each with a real line; [`peel`] takes one wrapper off, and its caller asks again.
//!
//! It refuses what is not certain: a wrapper is known by its own form, never by what it holds. Where a line begins
//! like none of them, which its first byte mostly tells, nothing is looked at.

pub(super) mod bundles;
mod container;
pub(super) mod fields;
mod labels;
mod logfmt;
pub(super) mod otlp;
mod php;
mod syslog;

use std::borrow::Cow;

/// How deep wrappers are taken off: a container runtime's inside a router's inside a console's label is three.
pub(super) const DEPTH_MAX: usize = 4;

/// What a wrapper held.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Peeled<'a> {
    /// The line, or lines, within.
    pub(super) inner: Cow<'a, str>,
    /// Whether the line goes on in the next one of its stream: the wrapper says that it was cut.
    pub(super) goes_on: bool,
    /// Whether the wrapper says that a supervisor speaks (systemd, supervisord, the kernel): its words are about another
    /// process, and read with its name in front.
    pub(super) is_supervisors: bool,
    /// Whose line it is, where the wrapper says so.
    pub(super) label: Cow<'a, str>,
}

impl<'a> Peeled<'a> {
    /// A whole line.
    const fn whole(inner: &'a str) -> Self {
        let label = Cow::Borrowed("");
        Self { inner: Cow::Borrowed(inner), goes_on: false, is_supervisors: false, label }
    }

    /// The same of somebody.
    fn of(self, label: &'a str) -> Self {
        Self { label: Cow::Borrowed(label), ..self }
    }
}

/// One wrapper.
pub(super) struct Wrapper {
    /// How `explain` calls it, and whose it is.
    pub(super) name: &'static str,
    /// What its lines may begin with.
    begins: Begins,
    /// Takes it off.
    peel: fn(&str) -> Option<Peeled<'_>>,
    /// A line in it, and what is within.
    #[cfg_attr(not(test), expect(dead_code, reason = "the row's proof, and the documentation's sample"))]
    pub(super) sample: (&'static str, &'static str),
}

/// The first byte of a wrapper's lines.
#[derive(Clone, Copy)]
enum Begins {
    Digit,
    Letter,
    Byte(u8),
    /// A name of whatever somebody called a process: a letter or a digit.
    Name,
}

impl Begins {
    const fn fits(self, first: u8) -> bool {
        match self {
            Self::Digit => first.is_ascii_digit(),
            Self::Letter => first.is_ascii_alphabetic(),
            Self::Byte(byte) => first == byte,
            Self::Name => first.is_ascii_alphanumeric(),
        }
    }
}

/// Every wrapper but the JSON ones, which [`fields`] has: the more certain ones first.
pub(super) const ALL: &[Wrapper] = &[
    Wrapper {
        name: "container runtime (CRI)",
        begins: Begins::Digit,
        peel: container::cri,
        sample: (
            r"2025-12-06T12:31:10.123456789Z stdout F [2025-12-06 12:31:10][17] Processing: App\Jobs\X",
            r"[2025-12-06 12:31:10][17] Processing: App\Jobs\X",
        ),
    },
    Wrapper {
        name: "Lambda's text form",
        begins: Begins::Digit,
        peel: container::lambda,
        sample: (
            "2026-03-02T09:00:00.123Z\t8b7c9a52-1f2e-4a3b-9c4d-5e6f7a8b9c0d\tINFO\tProcessing: App\\Jobs\\X",
            r"Processing: App\Jobs\X",
        ),
    },
    Wrapper {
        name: "syslog (its host and program)",
        begins: Begins::Letter,
        peel: syslog::traditional,
        sample: (
            r"Dec 06 12:31:10 ip-10-0-0-1 php[1234]: [2025-12-06 12:31:10][17] Processing: App\Jobs\X",
            r"[2025-12-06 12:31:10][17] Processing: App\Jobs\X",
        ),
    },
    Wrapper {
        name: "syslog with an ISO time (rsyslog, journalctl -o short-iso)",
        begins: Begins::Digit,
        peel: syslog::iso,
        sample: (
            r"2026-03-02T09:00:16.123456+00:00 web-1 php[1234]:   2026-03-02 09:00:16 App\Jobs\X ... RUNNING",
            r"  2026-03-02 09:00:16 App\Jobs\X ... RUNNING",
        ),
    },
    Wrapper {
        name: "syslog protocol (RFC 5424, RFC 3164 with a priority)",
        begins: Begins::Byte(b'<'),
        peel: syslog::protocol,
        sample: (
            r"<14>1 2026-03-02T09:00:16.003Z web-1 worker 1234 - - Processing: App\Jobs\X",
            r"Processing: App\Jobs\X",
        ),
    },
    Wrapper {
        name: "aws logs tail (a time and the stream)",
        begins: Begins::Digit,
        peel: container::tail,
        sample: (
            r"2026-03-02T09:00:16.500000+00:00 ecs/app/7a1b2c3d [2026-03-02 09:00:16][17] Processing: App\Jobs\X",
            r"[2026-03-02 09:00:16][17] Processing: App\Jobs\X",
        ),
    },
    Wrapper {
        name: "a time in front (docker logs --timestamps)",
        begins: Begins::Digit,
        peel: container::timestamp,
        sample: (
            r"2025-12-06T12:31:10.123456789Z [2025-12-06 12:31:10][17] Processing: App\Jobs\X",
            r"[2025-12-06 12:31:10][17] Processing: App\Jobs\X",
        ),
    },
    Wrapper {
        name: "a time in brackets in front (ts, a shell loop)",
        begins: Begins::Byte(b'['),
        peel: container::bracketed_time,
        sample: (
            r#"[2026-03-02 09:00:16] [2026-03-02 09:00:16] production.INFO: Job queued {"id":"a1"} "#,
            r#"[2026-03-02 09:00:16] production.INFO: Job queued {"id":"a1"} "#,
        ),
    },
    Wrapper {
        name: "php-fpm's words around its child's",
        begins: Begins::Byte(b'['),
        peel: php::said,
        sample: (
            r#"[25-Nov-2026 19:49:06] WARNING: [pool www] child 7 said into stdout: "Processing: App\Jobs\X""#,
            r"Processing: App\Jobs\X",
        ),
    },
    Wrapper {
        name: "php-fpm's words around its child's",
        begins: Begins::Letter,
        peel: php::said_without_time,
        sample: (
            r#"WARNING: [pool www] child 12 said into stderr: "Processing: App\Jobs\X""#,
            r"Processing: App\Jobs\X",
        ),
    },
    Wrapper {
        name: "php-fpm's PHP message",
        begins: Begins::Letter,
        peel: php::message,
        sample: (
            r#"NOTICE: PHP message: [2026-03-02 09:00:00] production.INFO: Job queued {"id":"a1"} "#,
            r#"[2026-03-02 09:00:00] production.INFO: Job queued {"id":"a1"} "#,
        ),
    },
    Wrapper {
        name: "nginx (FastCGI sent in stderr)",
        begins: Begins::Digit,
        peel: php::nginx,
        sample: (
            r#"2026/03/02 09:00:00 [error] 7#7: *1 FastCGI sent in stderr: "PHP message: Processing: App\Jobs\X" while reading response header from upstream"#,
            r"Processing: App\Jobs\X",
        ),
    },
    Wrapper {
        name: "PHP's error log",
        begins: Begins::Byte(b'['),
        peel: php::error_log,
        sample: (
            r#"[02-Mar-2026 09:00:00 UTC] [2026-03-02 09:00:00] production.INFO: Job queued {"id":"a1"} "#,
            r#"[2026-03-02 09:00:00] production.INFO: Job queued {"id":"a1"} "#,
        ),
    },
    Wrapper {
        name: "Apache (Got error)",
        begins: Begins::Byte(b'['),
        peel: php::apache,
        sample: (
            r"[Mon Mar 02 09:00:00.123456 2026] [proxy_fcgi:error] [pid 7:tid 9] [client 10.0.0.1:5] AH01071: Got error 'PHP message: Processing: App\Jobs\X'",
            r"Processing: App\Jobs\X",
        ),
    },
    Wrapper {
        name: "Octane's label",
        begins: Begins::Byte(b' '),
        peel: labels::console,
        sample: (
            r#"   INFO  {"message":"Job queued","context":{"id":"a1"},"level_name":"INFO"}"#,
            r#"{"message":"Job queued","context":{"id":"a1"},"level_name":"INFO"}"#,
        ),
    },
    Wrapper {
        name: "Bref's formatter",
        begins: Begins::Letter,
        peel: labels::tabbed,
        sample: (
            "INFO\tJob queued\t{\"message\":\"Job queued\",\"level\":\"INFO\",\"context\":{\"id\":\"a1\"}}",
            r#"{"message":"Job queued","level":"INFO","context":{"id":"a1"}}"#,
        ),
    },
    Wrapper {
        name: "a label in brackets",
        begins: Begins::Byte(b'['),
        peel: labels::bracketed,
        sample: (
            r"[queue]   2026-03-02 09:00:16 App\Jobs\X ... RUNNING",
            r"  2026-03-02 09:00:16 App\Jobs\X ... RUNNING",
        ),
    },
    Wrapper {
        name: "a program's name",
        begins: Begins::Letter,
        peel: labels::named,
        sample: (
            r"worker:   2026-03-02 09:00:16 App\Jobs\X ... RUNNING",
            r"  2026-03-02 09:00:16 App\Jobs\X ... RUNNING",
        ),
    },
    Wrapper {
        name: "logfmt",
        begins: Begins::Letter,
        peel: logfmt::logfmt,
        sample: (
            r#"time="2026-03-02T09:00:16Z" level=info msg="  2026-03-02 09:00:16 App\\Jobs\\X ... RUNNING" channel=stdout"#,
            r#"{"time":"2026-03-02T09:00:16Z","level":"info","msg":"  2026-03-02 09:00:16 App\\Jobs\\X ... RUNNING","channel":"stdout"}"#,
        ),
    },
    Wrapper {
        name: "docker compose's prefix",
        begins: Begins::Name,
        peel: labels::piped,
        sample: (
            r"laravel.test-1  |   2026-03-02 09:00:16 App\Jobs\X ... RUNNING",
            r"  2026-03-02 09:00:16 App\Jobs\X ... RUNNING",
        ),
    },
];

/// Takes the outermost wrapper off, if the line has one.
pub(super) fn peel(line: &str) -> Option<(&'static Wrapper, Peeled<'_>)> {
    let first = *line.as_bytes().first()?;
    // Workers' lines in columns, JSON and records: no wrapper begins so, and most lines that matter do.
    let is_record = first == b'[' && line.as_bytes().get(5) == Some(&b'-') && !is_timed_twice(line);
    if first == b'{' || is_record || (first == b' ' && !line.starts_with("   ")) {
        return None;
    }
    let fitting = ALL.iter().filter(|wrapper| wrapper.begins.fits(first));
    fitting.filter_map(|wrapper| (wrapper.peel)(line).map(|peeled| (wrapper, peeled))).next()
}

/// Whether what follows the time in brackets is no record's channel: `[2026-03-02 09:00:16] [`, a blank, a brace, a
/// frame of a trace.
fn is_timed_twice(line: &str) -> bool {
    const TIME: usize = "[2026-03-02 09:00:16] ".len();
    line.as_bytes().get(TIME).is_some_and(|next| matches!(next, b'[' | b' ' | b'{' | b'#' | b'"'))
}

/// Whether a text begins as a worker's or a logger's line does, so that a short label before it is a label.
pub(super) fn begins_like_a_line(text: &str) -> bool {
    let is_year = |text: &str| {
        text.as_bytes().first_chunk::<5>().is_some_and(|[a, b, c, d, dash]| {
            *dash == b'-' && [a, b, c, d].into_iter().all(u8::is_ascii_digit)
        })
    };
    text.starts_with("{\"")
        || text.strip_prefix('[').is_some_and(is_year)
        || text.strip_prefix("  ").is_some_and(is_year)
}

/// A line of a record's trace: which side of a queue an error was on stands there.
fn is_trace(line: &str) -> bool {
    let is_frame = || line.strip_prefix('#').is_some_and(|it| it.starts_with(|c: char| c.is_ascii_digit()));
    is_frame() || ["[stacktrace]", "[previous exception]", "\"}"].iter().any(|start| line.starts_with(start))
}

#[cfg(test)]
mod tests;
