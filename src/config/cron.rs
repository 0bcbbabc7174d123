//! Five cron fields, checked: `minute hour day-of-month month day-of-week`.
//!
//! Numbers, `*`, lists, ranges and steps. It refuses names (`sun`, `@daily`) and a sixth field, which every
//! scheduler reads in its own way.

use std::ops::RangeInclusive;

/// Each field's name and bounds; day 0 and day 7 of the week are both Sunday.
const FIELDS: [(&str, RangeInclusive<u8>); 5] = [
    ("minute", 0..=59),
    ("hour", 0..=23),
    ("day of month", 1..=31),
    ("month", 1..=12),
    ("day of week", 0..=7),
];

/// Checks a cron expression.
///
/// # Errors
/// Says which field is wrong, and what it may hold.
pub(super) fn check_cron(text: &str) -> Result<(), String> {
    let fields: Vec<&str> = text.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return Err(format!(
            "`{text}` has {} fields, not the 5 of `minute hour day month weekday`",
            fields.len()
        ));
    }
    for (field, (name, bounds)) in fields.iter().zip(FIELDS) {
        if !field.split(',').all(|item| is_item(item, &bounds)) {
            return Err(format!(
                "`{field}` is no {name}: numbers {} to {}, `*`, `a-b`, `*/n`, `a-b/n`, and lists of them",
                bounds.start(),
                bounds.end()
            ));
        }
    }
    Ok(())
}

fn is_item(item: &str, bounds: &RangeInclusive<u8>) -> bool {
    let (range, step) = match item.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (item, None),
    };
    if step.is_some_and(|step| number(step).is_none_or(|step| step == 0)) {
        return false;
    }
    if range == "*" {
        return true;
    }
    match range.split_once('-') {
        Some((first, last)) => match (number(first), number(last)) {
            (Some(first), Some(last)) => bounds.contains(&first) && bounds.contains(&last) && first <= last,
            (_, _) => false,
        },
        // A step needs a range to step through: `5/10` means one thing to one cron and another to the next.
        None => step.is_none() && number(range).is_some_and(|number| bounds.contains(&number)),
    }
}

/// Digits only: `parse` would also take a sign.
fn number(text: &str) -> Option<u8> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: bool) {
        assert_eq!(check_cron(text).is_ok(), expected, "{text:?}: {:?}", check_cron(text));
    }

    #[test]
    fn numbers_stars_lists_ranges_and_steps_are_read() {
        check("0 3 * * 0", true);
        check("*/15 0-6,22-23 1,15 1-12/3 7", true);
        check("59 23 31 12 6", true);
        check("  0   3 * *  0 ", true);
    }

    #[test]
    fn anything_else_is_declined() {
        for text in [
            "",
            "0 3 * *",
            "0 3 * * 0 2026",
            "@daily",
            "60 3 * * 0",
            "0 24 * * 0",
            "0 3 0 * 0",
            "0 3 32 * 0",
            "0 3 * 0 0",
            "0 3 * 13 0",
            "0 3 * * 8",
            "0 3 * * sun",
            "6-0 3 * * 0",
            "*/0 3 * * 0",
            "5/10 3 * * 0",
            "1, 3 * * 0",
            "-1 3 * * 0",
            "+1 3 * * 0",
            "1-2-3 3 * * 0",
            "*/x 3 * * 0",
            "1-70 3 * * 0",
        ] {
            check(text, false);
        }
    }

    #[test]
    fn the_error_names_the_field() {
        assert!(check_cron("0 24 * * 0").unwrap_err().contains("`24` is no hour"));
        assert!(check_cron("0 3 * *").unwrap_err().contains("has 4 fields"));
    }
}
