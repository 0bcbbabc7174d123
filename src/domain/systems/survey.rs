//! What a whole file of lines is read as: how many lines of each form, and the shapes of those that nobody reads.
//!
//! Nothing that it holds is a line's own text: a file is shown to others more readily than a line.

use std::collections::BTreeMap;

use crate::domain::job::{LineKey, Stage, Timestamp};

use super::Classifier;
use super::unread::{self, Near, shape};

/// Distinct shapes that are told apart; a file of more is no log.
const SHAPES_MAX: usize = 10_000;

/// What became of a file's lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Lines looked at, without empty ones.
    pub lines_count: u64,
    /// What was read: the form's name, the stage and how often, most often first.
    pub read: Vec<(&'static str, Stage, u64)>,
    /// What was not, most often first.
    pub unread: Vec<UnreadShape>,
}

/// Lines of one shape that nobody reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadShape {
    /// The shape.
    pub shape: String,
    /// How many lines have it.
    pub count: u64,
    /// The nearest form of the first of them.
    pub nearest: Option<String>,
    /// Why the first of them, which holds a worker's or a logger's words, is not read.
    pub near: Option<Near>,
}

impl Classifier {
    /// Reads lines as one stream.
    pub fn survey<'a>(
        &self,
        log_group: &str,
        log_stream: &str,
        lines: impl Iterator<Item = &'a str>,
    ) -> Survey {
        let mut reader = self.stream(log_group, log_stream);
        let mut survey = Survey::default();
        let mut shapes: BTreeMap<String, UnreadShape> = BTreeMap::new();
        for (number, line) in (0..).zip(lines).filter(|(_, line)| !line.trim().is_empty()) {
            survey.lines_count = survey.lines_count.saturating_add(1);
            let before = reader.unread_count();
            reader.line(LineKey(number), Timestamp::default(), line);
            if reader.unread_count() == before {
                continue;
            }
            let key = shape(line);
            if let Some(known) = shapes.get_mut(&key) {
                known.count = known.count.saturating_add(1);
            } else if shapes.len() < SHAPES_MAX {
                let nearest = self.explain(log_group, log_stream, line).nearest.map(|near| near.form);
                let unread = UnreadShape { shape: key.clone(), count: 1, nearest, near: unread::near(line) };
                shapes.insert(key, unread);
            }
        }
        let mut read: BTreeMap<(&'static str, &'static str), (Stage, u64)> = BTreeMap::new();
        for seen in reader.finish().observations {
            let key = (super::form(seen.form).name, seen.stage.as_str());
            let (_, count) = read.entry(key).or_insert((seen.stage, 0));
            *count = count.saturating_add(1);
        }
        survey.read = read.into_iter().map(|((name, _), (stage, count))| (name, stage, count)).collect();
        survey.read.sort_by_key(|(.., count)| std::cmp::Reverse(*count));
        survey.unread = shapes.into_values().collect();
        survey.unread.sort_by_key(|unread| std::cmp::Reverse(unread.count));
        survey
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_told_by_form_and_shape_and_by_no_word_of_it() {
        let lines = [
            r"  2026-11-23 16:49:31 App\Jobs\X ................. RUNNING",
            r"  2026-11-23 16:49:32 App\Jobs\X ......... 12.34ms DONE",
            "",
            r#"10.0.0.1 - bob [x] "GET /?token=hunter2""#,
            r#"10.0.0.2 - eve [y] "GET /?token=hunter3""#,
            r"worker says: [2026-11-23 16:49:31][x] Processing: App\Jobs\X",
        ];
        let survey = Classifier::default().survey("", "", lines.into_iter());
        assert_eq!(survey.lines_count, 5);
        let read: Vec<_> = survey.read.iter().map(|(_, stage, count)| (*stage, *count)).collect();
        assert_eq!(read, [(Stage::Processed, 1), (Stage::Processing, 1)]);
        let unread: Vec<_> = survey.unread.iter().map(|it| (it.count, it.near)).collect();
        assert_eq!(unread, [(2, None), (1, Some(Near::BehindPrefix))]);
        assert!(!format!("{survey:?}").contains("hunter"), "{survey:?}");
    }
}
