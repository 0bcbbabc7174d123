//! Tables of log lines: Logs Insights' and the console's CSV.
//!
//! Quoted fields may hold commas, line breaks and doubled quotes (RFC 4180); the first row names the columns.

use super::{Column, Row, in_order};
use crate::saved::runs::Exported;

/// Whether the first row names a time and a message.
pub(super) fn is_table(text: &str) -> bool {
    let columns = columns(text.lines().next().unwrap_or_default());
    columns.contains(&Some(Column::At)) && columns.contains(&Some(Column::Message))
}

/// The lines of such a table.
pub(super) fn read(text: &str) -> Option<Vec<Exported>> {
    if !is_table(text) {
        return None;
    }
    let mut rows = rows(text).into_iter();
    let columns: Vec<Option<Column>> = rows.next()?.iter().map(|name| Column::of(name)).collect();
    let lines = rows.filter_map(|fields| {
        let mut row = Row::default();
        for (column, field) in columns.iter().zip(&fields) {
            if let Some(column) = column {
                row.take(*column, field);
            }
        }
        row.exported()
    });
    Some(in_order(lines.collect()))
}

fn columns(line: &str) -> Vec<Option<Column>> {
    let names = rows(line).into_iter().next().unwrap_or_default();
    names.iter().map(|name| Column::of(name)).collect()
}

/// Every row, field by field.
fn rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut is_quoted, mut has_begun) = (false, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if is_quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' if is_quoted => is_quoted = false,
            '"' if field.is_empty() => (is_quoted, has_begun) = (true, true),
            ',' if !is_quoted => {
                row.push(std::mem::take(&mut field));
                has_begun = true;
            }
            '\r' if !is_quoted && chars.peek() == Some(&'\n') => {}
            '\n' if !is_quoted => {
                if has_begun || !field.is_empty() {
                    row.push(std::mem::take(&mut field));
                    rows.push(std::mem::take(&mut row));
                }
                has_begun = false;
            }
            c => field.push(c),
        }
    }
    if has_begun || !field.is_empty() {
        row.push(field);
        rows.push(row);
    }
    rows
}
