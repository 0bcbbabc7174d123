//! What was read: payloads, lines, and the clock that they gave.

use std::fmt::Write;

use super::{Palette, are, count, short};
use crate::replay::Outcome;
use crate::report::Report;

/// Payloads and lines, in a line.
pub(super) fn input(report: &Report) -> String {
    let (payloads, lines) = (&report.payloads, &report.lines);
    let mut parts = vec![count(payloads.read, "payload")];
    if payloads.control > 0 {
        parts.push(count(payloads.control, "reachability check"));
    }
    for (n, what) in
        [(payloads.duplicate, "delivered once more"), (payloads.rejected.len() as u64, "rejected")]
    {
        if n > 0 {
            parts.push(format!("{n} {what}"));
        }
    }
    let known = if lines.duplicate > 0 {
        format!(", {} of them known already", lines.duplicate)
    } else {
        String::new()
    };
    let (all, about) = (count(lines.read, "log line"), lines.classified);
    format!("{}; {all}{known}, {about} about queues and workers", parts.join(", "))
}

/// When the last line came, and when the replay ends.
pub(super) fn clock(outcome: &Outcome) -> String {
    match outcome.last_delivery {
        Some(last) => format!("last line delivered {}, replay ends {}", short(last), short(outcome.ends_at)),
        None => "no log line told a time, so no clock ran".to_owned(),
    }
}

/// That lines were left out, where some were.
pub(super) fn late(text: &mut String, report: &Report, palette: Palette) {
    let late = report.lines.late;
    if late > 0 {
        let warn = palette.warn;
        let _ = writeln!(
            text,
            "{warn}{} stamped too far from the rest (14 days back, 2 hours ahead) and {} left out{warn:#}",
            are(late, "line"),
            if late == 1 { "was" } else { "were" }
        );
    }
}
