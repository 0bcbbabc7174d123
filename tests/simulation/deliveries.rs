//! How the lines of a story reach the function: in payloads, and the same lines in other payloads, again, and late.

use queuewatch::domain::envelope::Line;
use queuewatch::domain::intake::DeliveryRecord;
use queuewatch::domain::job::{HOUR_MS, SECOND_MS, Timestamp};
use queuewatch::domain::reading::read_lines;
use queuewatch::domain::systems::Classifier;

use crate::dice::Dice;
use crate::printing::STREAMS;
use crate::story::{BEGIN_MS, Story, Tells};
use crate::timetable::Tick;

/// A payload is closed this long after its first line.
const BATCH_MS: i64 = 20 * SECOND_MS;
/// A payload holds at most so many lines: mostly the whole life of a job, where one stream tells it.
const LINES_MAX: usize = 8;
/// When payloads come that were kept somewhere: so much later that the ledger has let go of jobs that settled.
pub(crate) const LATE_MS: i64 = BEGIN_MS + 3 * HOUR_MS;
/// How long before a sweep a payload comes whose lines decide what the sweep says.
const JUST_BEFORE_MS: i64 = 2 * SECOND_MS;

/// A payload and when it comes.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) at_ms: i64,
    /// Its lines, by their places in the story.
    pub(crate) lines: Vec<usize>,
    /// What it says; `Err` with a hash of its bytes where it cannot be opened.
    pub(crate) opened: Result<DeliveryRecord, u64>,
    /// Whether it is one of those that bring every line once.
    pub(crate) is_original: bool,
}

/// Everything that is delivered. The originals come first; `ticks` are the moments of the sweeps.
pub(crate) fn deliver(
    story: &Story,
    dice: &mut Dice,
    ticks: &[Tick],
    has_late: bool,
    classifier: &Classifier,
) -> Vec<Delivery> {
    let mut post = Post { story, dice, classifier, deliveries: Vec::new() };
    for stream in 0..STREAMS.len() {
        for lines in post.cut(stream, LINES_MAX) {
            let most_ms = if post.dice.happens(200) { 25_000 } else { 3_000 };
            post.send(lines, 300, most_ms, true);
        }
    }
    post.hold_back(ticks);
    post.copy();
    if post.dice.happens(200) {
        post.send_broken();
    }
    if has_late {
        post.send_late();
    }
    post.deliveries
}

struct Post<'a> {
    story: &'a Story,
    dice: &'a mut Dice,
    classifier: &'a Classifier,
    deliveries: Vec<Delivery>,
}

impl Post<'_> {
    /// Cuts a stream into payloads of at most `lines_max` lines.
    fn cut(&mut self, stream: usize, lines_max: usize) -> Vec<Vec<usize>> {
        let mut payloads: Vec<Vec<usize>> = Vec::new();
        let mut room = 0;
        for (n, line) in self.story.lines.iter().enumerate().filter(|(_, line)| line.stream == stream) {
            let is_open = |payload: &Vec<usize>| line.at_ms - self.story.lines[payload[0]].at_ms <= BATCH_MS;
            match payloads.last_mut().filter(|payload| payload.len() < room && is_open(payload)) {
                Some(payload) => payload.push(n),
                None => {
                    room = if self.dice.happens(400) { lines_max } else { 1 + self.dice.below(lines_max) };
                    payloads.push(vec![n]);
                }
            }
        }
        payloads
    }

    /// Sends lines so long after the newest of them.
    fn send(&mut self, lines: Vec<usize>, least_ms: i64, most_ms: i64, is_original: bool) {
        let newest_ms = self.story.lines[*lines.last().unwrap()].at_ms;
        let at_ms = newest_ms + self.dice.between(least_ms, most_ms);
        self.send_at(lines, at_ms, is_original);
    }

    fn send_at(&mut self, lines: Vec<usize>, at_ms: i64, is_original: bool) {
        let ids: Vec<String> = lines.iter().map(|n| format!("{n:056}")).collect();
        let read = lines.iter().zip(&ids).map(|(n, id)| {
            let line = &self.story.lines[*n];
            Line { id, at: Timestamp::from_ms(line.at_ms), message: &line.text }
        });
        let (log_group, log_stream) = STREAMS[self.story.lines[lines[0]].stream];
        let record = *read_lines(log_group, log_stream, read, self.classifier);
        self.deliveries.push(Delivery { at_ms, lines, opened: Ok(record), is_original });
    }

    /// Lets payloads of the minutes in which jobs become overdue come just before a sweep, where nobody knows which
    /// of the two is first.
    fn hold_back(&mut self, ticks: &[Tick]) {
        for delivery in &mut self.deliveries {
            let is_early = self.story.lines[delivery.lines[0]].at_ms < BEGIN_MS + 5 * 60 * SECOND_MS;
            let next = ticks.iter().map(|tick| tick.at_ms).find(|at_ms| *at_ms > delivery.at_ms);
            if let Some(tick) = next.filter(|tick| !is_early && tick - delivery.at_ms < 60 * SECOND_MS) {
                delivery.at_ms = delivery.at_ms.max(tick - self.dice.between(0, JUST_BEFORE_MS));
            }
        }
    }

    fn copy(&mut self) {
        // The same payload once more: at the same time, or some minutes later.
        for n in 0..self.deliveries.len() {
            if self.dice.happens(300) {
                let Delivery { lines, at_ms, .. } = self.deliveries[n].clone();
                let later_ms = if self.dice.happens(500) { 0 } else { self.dice.between(1_000, 240_000) };
                self.send_at(lines, at_ms + later_ms, false);
            }
        }
        // The same lines in other payloads.
        if self.dice.happens(500) {
            for stream in 0..STREAMS.len() {
                for lines in self.cut(stream, LINES_MAX) {
                    if self.dice.happens(500) {
                        self.send(lines, 300, 60_000, false);
                    }
                }
            }
        }
    }

    /// Sends what cannot be opened, some of it twice.
    fn send_broken(&mut self) {
        for hash in 0..self.dice.between(1, 2) {
            for _ in 0..self.dice.between(1, 2) {
                let at_ms = BEGIN_MS + self.dice.between(30_000, 300_000);
                let opened = Err(u64::try_from(hash).unwrap());
                self.deliveries.push(Delivery { at_ms, lines: Vec::new(), opened, is_original: false });
            }
        }
    }

    /// Sends lines once more, in small payloads, hours later; and, of jobs whose whole life one payload told, the
    /// enqueue alone.
    fn send_late(&mut self) {
        for job in 0..self.story.jobs.len() {
            let lines: Vec<usize> = self.story.lines_of(job).map(|(n, _, _)| n).collect();
            let tells_all = |delivery: &Delivery| lines.iter().all(|line| delivery.lines.contains(line));
            if lines.len() > 2 && self.deliveries.iter().any(tells_all) && self.dice.happens(800) {
                self.send_hours_later(vec![self.story.first(job, Tells::Enqueued).unwrap()]);
            }
        }
        for stream in 0..STREAMS.len() {
            for lines in self.cut(stream, 2) {
                if self.dice.happens(200) {
                    self.send_hours_later(lines);
                }
            }
        }
    }

    fn send_hours_later(&mut self, lines: Vec<usize>) {
        let at_ms = LATE_MS + self.dice.between(0, 45_000);
        self.send_at(lines, at_ms, false);
    }
}
