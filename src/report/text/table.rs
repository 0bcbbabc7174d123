//! A table of aligned columns.

use super::Palette;

/// Rows under headings. A heading that starts with `>` aligns its column to the right.
#[derive(Clone, Debug)]
pub(super) struct Table {
    headings: Vec<String>,
    is_right: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(headings: &[&str]) -> Self {
        Self {
            headings: headings.iter().map(|h| h.trim_start_matches('>').to_owned()).collect(),
            is_right: headings.iter().map(|h| h.starts_with('>')).collect(),
            rows: Vec::new(),
        }
    }

    pub(super) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Prints the table, `indent` columns in; a table without rows says so.
    pub(super) fn print(&self, indent: usize, palette: Palette) -> String {
        let margin = " ".repeat(indent);
        if self.rows.is_empty() {
            return format!("{margin}none\n");
        }
        let mut widths: Vec<usize> = self.headings.iter().map(|cell| cell.chars().count()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let line = |cells: &[String]| {
            let mut line = margin.clone();
            for ((cell, width), is_right) in cells.iter().zip(&widths).zip(&self.is_right) {
                let padding = " ".repeat(width.saturating_sub(cell.chars().count()));
                if *is_right {
                    line.push_str(&padding);
                    line.push_str(cell);
                } else {
                    line.push_str(cell);
                    line.push_str(&padding);
                }
                line.push_str("  ");
            }
            line.trim_end().to_owned()
        };
        let dim = palette.dim;
        let mut text = format!("{dim}{}{dim:#}\n", line(&self.headings));
        for row in &self.rows {
            text.push_str(&line(row));
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["queue", ">jobs"]);
        table.row(vec!["redis:default".into(), "7".into()]);
        table.row(vec!["x".into(), "1200".into()]);
        assert_eq!(
            table.print(2, Palette::default()),
            "  queue          jobs\n  redis:default     7\n  x              1200\n"
        );
    }

    #[test]
    fn an_empty_table_says_so() {
        assert_eq!(Table::new(&["queue"]).print(2, Palette::default()), "  none\n");
    }
}
