//! How much of a phone a text takes: rows of a 390-pixel screen, by the widths of an ordinary sans-serif type.

/// Pixels across, less the margins of a mail.
const WIDTH_PX: f64 = 390.0 - 2.0 * 16.0;
/// The type of a mail on a phone: 14 pixels, as plain text is shown.
const EM_PX: f64 = 14.0;
/// Rows of a screen 844 pixels high, at 20 pixels a row.
pub(crate) const ROWS: usize = 844 / 20;

/// Rows that a text takes, where a phone breaks its lines: at spaces, behind hyphens and question marks, and within a word that is
/// longer than a row.
pub(crate) fn rows(text: &str) -> usize {
    text.lines().map(rows_of_line).sum()
}

fn rows_of_line(line: &str) -> usize {
    let (mut rows, mut used) = (1, 0.0);
    for piece in pieces(line) {
        let width: f64 = piece.chars().map(width).sum();
        if used + width > WIDTH_PX && used > 0.0 {
            rows += 1;
            used = 0.0;
        }
        used += width;
        while used > WIDTH_PX {
            rows += 1;
            used -= WIDTH_PX;
        }
    }
    rows
}

/// What a line breaks between.
fn pieces(line: &str) -> Vec<&str> {
    let mut pieces: Vec<&str> = Vec::new();
    let mut start = 0;
    for (at, c) in line.char_indices() {
        let end = at + c.len_utf8();
        if c == ' ' || c == '-' || c == '?' || is_wide(c) {
            pieces.extend(line.get(start..end));
            start = end;
        }
    }
    pieces.extend(line.get(start..));
    pieces
}

/// Kana, ideographs and full-width forms.
fn is_wide(c: char) -> bool {
    c >= '\u{2e80}'
}

/// The width of a character in pixels; Helvetica's, by classes.
fn width(c: char) -> f64 {
    let em = match c {
        'i' | 'j' | 'l' | '\'' | '|' => 0.222,
        ' ' | 'f' | 't' | 'I' | '.' | ',' | ':' | ';' | '/' | '!' | '[' | ']' => 0.278,
        'r' | '-' | '(' | ')' | '`' => 0.333,
        '"' => 0.355,
        'm' => 0.833,
        'w' => 0.722,
        'c' | 'k' | 's' | 'v' | 'x' | 'y' | 'z' | 'J' => 0.5,
        'a'..='z' | '0'..='9' | '_' | '$' | '?' | '#' => 0.556,
        '=' | '+' | '<' | '>' | '~' => 0.584,
        'M' | 'W' | '@' | '%' => 0.9,
        'A'..='Z' | '&' => 0.7,
        c if is_wide(c) => 1.0,
        _ => 0.6,
    };
    em * EM_PX
}

#[test]
fn a_row_breaks_where_a_phone_breaks_it() {
    assert_eq!(rows("one\ntwo"), 2);
    assert_eq!(rows(&"word ".repeat(9)), 1);
    assert_eq!(rows(&"word ".repeat(30)), 3);
    assert_eq!(rows(&"x".repeat(120)), 3);
    assert_eq!(rows(&"あ".repeat(26)), 2);
}
