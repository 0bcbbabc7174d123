//! The same lines, delivered in other ways: cut, shuffled, repeated, in the given order or by time.

use queuewatch::domain::envelope::Line;
use queuewatch::domain::job::Timestamp;
use queuewatch::domain::reading::read_lines;
use queuewatch::domain::systems::Classifier;
use queuewatch::replay::{Input, Opened};

/// One log stream.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    pub(crate) log_group: &'static str,
    pub(crate) log_stream: String,
    pub(crate) lines: Vec<(i64, String)>,
}

/// How to deliver.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    /// Lines a payload holds at most; each one holds a different number.
    pub(crate) lines_max: usize,
    /// Which order; 0 keeps it.
    pub(crate) shuffle: u64,
    /// Which payloads come again, somewhere; 0 none.
    pub(crate) repeat: u64,
    /// Deliver in that order, instead of by time.
    pub(crate) keeps_order: bool,
}

impl Cut {
    /// Whole minutes of lines, in order, once.
    pub(crate) const PLAIN: Self = Self { lines_max: 1_000, shuffle: 0, repeat: 0, keeps_order: false };
}

/// A small generator of numbers: what a seed gives is what it gives everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound.max(1)
    }
}

/// The streams as replay inputs.
pub(crate) fn deliver(streams: &[Stream], cut: Cut, classifier: &Classifier) -> Vec<Input> {
    let mut inputs = Vec::new();
    for stream in streams {
        let mut dice = Dice(cut.lines_max as u64);
        let numbered: Vec<(String, &(i64, String))> =
            stream.lines.iter().enumerate().map(|(n, line)| (format!("{n:056}"), line)).collect();
        let mut rest = numbered.as_slice();
        while !rest.is_empty() {
            let (payload, after) = rest.split_at(rest.len().min(1 + dice.below(cut.lines_max)));
            rest = after;
            let lines = payload.iter().map(|(id, (ms, text))| Line {
                id,
                at: Timestamp::from_ms(*ms),
                message: text,
            });
            let record = read_lines(stream.log_group, &stream.log_stream, lines, classifier);
            inputs.push(Input { source: String::new(), opened: Opened::Lines(record, None) });
        }
    }
    if cut.repeat > 0 {
        let mut dice = Dice(cut.repeat);
        let again: Vec<Input> = inputs.iter().filter(|_| dice.below(2) == 0).cloned().collect();
        inputs.extend(again);
    }
    if cut.shuffle > 0 {
        let mut dice = Dice(cut.shuffle);
        for n in (1..inputs.len()).rev() {
            inputs.swap(n, dice.below(n + 1));
        }
    }
    inputs
}
