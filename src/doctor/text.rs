//! Checks as lines: the verdict first, so that it can be searched for; what to do below what is wrong.

use std::fmt::Write;

use super::{Check, StackFacts, Verdict};
use crate::domain::printable::printable;

/// Puts checks into words, in the order in which they were made.
#[must_use]
pub fn render(stack: &StackFacts, checks: &[Check]) -> String {
    let StackFacts { name, region, app, .. } = stack;
    let mut text = format!("{} in {}, app {}\n\n", printable(name), printable(region), printable(app));
    for check in checks {
        let verdict = match check.verdict {
            Verdict::Fine => "ok",
            Verdict::Note => "note",
            Verdict::Wrong => "WRONG",
        };
        // Writing to a string cannot fail; the results are let go.
        let _ = writeln!(text, "{verdict:<6} {:<14} {}", check.subject, printable(&check.finding));
        if let Some(remedy) = &check.remedy {
            let _ = writeln!(text, "{:21} {}", "", printable(remedy));
        }
    }
    let wrong = checks.iter().filter(|check| check.verdict == Verdict::Wrong).count();
    let _ = match wrong {
        0 => writeln!(text, "\nNothing is wrong."),
        1 => writeln!(text, "\n1 thing is wrong."),
        more => writeln!(text, "\n{more} things are wrong."),
    };
    text
}
