//! Lines as metric filters see them, and the per-minute metrics that come of it.
//!
//! A filter publishes how many lines of a minute match. Its default value, 0, is published for a minute in which its
//! log group took something in and nothing matched; for a minute in which nothing was taken in there is no datapoint.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringPolicyExamples.html>

use std::collections::{BTreeMap, BTreeSet};

/// A minute.
pub const MINUTE_MS: i64 = 60_000;

/// How long after CloudWatch took a line in an alarm may count it.
const LAG_MS: i64 = MINUTE_MS;

/// What a filter's pattern may look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    /// A job was put on a queue.
    Enqueued,
    /// An attempt started.
    Started,
    /// An attempt ended well.
    Done,
    /// An attempt ended badly.
    Failed,
}

/// One log line.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// Its stamp, in epoch milliseconds.
    pub at_ms: i64,
    /// When CloudWatch took it in.
    pub taken_in_ms: i64,
    /// Where it was written.
    pub log_group: &'a str,
    /// What it says; most lines say nothing.
    pub fact: Option<Fact>,
    /// The queue, for filters that each look at one.
    pub queue: Option<&'a str>,
}

/// What a metric counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counted {
    /// Lines that a filter matches.
    Matches(Fact),
    /// `IncomingLogEvents`: every line.
    Incoming,
}

/// A per-minute metric.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Metric {
    /// What it counts.
    pub counted: Counted,
    /// In which log groups, by [`Logs`]' numbers.
    pub groups: BTreeSet<usize>,
    /// Of which queue only.
    pub queue: Option<String>,
}

/// All lines, and the log groups they are in.
#[derive(Clone, Debug, Default)]
pub struct Logs {
    entries: Vec<Entry>,
    groups: BTreeMap<String, usize>,
    queues: BTreeMap<String, usize>,
    enqueues: BTreeMap<usize, u64>,
    app: BTreeSet<usize>,
    worker: BTreeSet<usize>,
}

/// A line, its times cut to minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    /// The minute in which it can be counted; an evaluation at the next one's beginning does.
    seen: i64,
    taken_in: i64,
    at: i64,
    group: usize,
    fact: Option<Fact>,
    queue: Option<usize>,
}

const fn minute(at_ms: i64) -> i64 {
    at_ms.div_euclid(MINUTE_MS)
}

/// The number of a name, given at its first use.
fn number(names: &mut BTreeMap<String, usize>, name: &str) -> usize {
    if let Some(number) = names.get(name) {
        return *number;
    }
    let number = names.len();
    names.insert(name.to_owned(), number);
    number
}

impl Logs {
    /// Takes a line in. Lines may come in any order; a line that is delivered twice must be given once.
    pub fn take(&mut self, line: Line<'_>) {
        let group = number(&mut self.groups, line.log_group);
        let queue = line.queue.map(|queue| number(&mut self.queues, queue));
        match line.fact {
            Some(Fact::Enqueued) => {
                self.app.insert(group);
                if let Some(queue) = queue {
                    let count = self.enqueues.entry(queue).or_insert(0);
                    *count = count.saturating_add(1);
                }
            }
            Some(Fact::Started | Fact::Done | Fact::Failed) => {
                self.worker.insert(group);
            }
            None => {}
        }
        let seen = minute(line.taken_in_ms.max(line.at_ms).saturating_add(LAG_MS));
        self.entries.push(Entry {
            seen,
            taken_in: minute(line.taken_in_ms),
            at: minute(line.at_ms),
            group,
            fact: line.fact,
            queue,
        });
    }

    /// Names a log group that workers write to, though nothing there may ever say so.
    pub fn expect_workers_in(&mut self, log_group: &str) {
        let group = number(&mut self.groups, log_group);
        self.worker.insert(group);
    }

    /// At most so many of the queues that jobs were put on: those with the most, in name order.
    #[must_use]
    pub fn queues(&self, most: usize) -> Vec<&str> {
        let count = |number: &usize| self.enqueues.get(number).copied().unwrap_or(0);
        let mut queues: Vec<(&str, u64)> =
            self.queues.iter().map(|(name, number)| (name.as_str(), count(number))).collect();
        queues.retain(|(_, count)| *count > 0);
        queues.sort_by(|a, b| (b.1, a.0).cmp(&(a.1, b.0)));
        queues.truncate(most);
        let mut names: Vec<&str> = queues.into_iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        names
    }

    /// A filter's metric: enqueues are looked for where they were ever seen, the rest where workers write. Where that
    /// is not known, everywhere.
    #[must_use]
    pub fn metric(&self, fact: Fact, queue: Option<&str>) -> Metric {
        let groups = match fact {
            Fact::Enqueued => &self.app,
            Fact::Started | Fact::Done | Fact::Failed => &self.worker,
        };
        Metric {
            counted: Counted::Matches(fact),
            groups: self.or_all(groups),
            queue: queue.map(str::to_owned),
        }
    }

    /// `IncomingLogEvents` of where workers write.
    #[must_use]
    pub fn incoming(&self) -> Metric {
        Metric { counted: Counted::Incoming, groups: self.or_all(&self.worker), queue: None }
    }

    fn or_all(&self, groups: &BTreeSet<usize>) -> BTreeSet<usize> {
        if groups.is_empty() { self.groups.values().copied().collect() } else { groups.clone() }
    }

    /// The first minute anything was taken in, and the last; `None` where nothing was.
    #[must_use]
    pub fn span(&self) -> Option<(i64, i64)> {
        let taken_in = || self.entries.iter().map(|entry| entry.taken_in);
        taken_in().min().zip(taken_in().max())
    }

    /// Plays the lines again, for these metrics.
    #[must_use]
    pub fn play(&self, metrics: Vec<Metric>) -> Playback {
        let mut entries = self.entries.clone();
        entries.sort_unstable();
        let watch = |metric: Metric| {
            // A queue that no line names matches nothing, and is no number of another.
            let queue =
                metric.queue.as_ref().map(|name| self.queues.get(name).copied().unwrap_or(usize::MAX));
            (metric, Watched { queue, matches: BTreeMap::new() })
        };
        let watched = metrics.into_iter().map(watch).collect();
        Playback { entries, played: 0, watched, active: BTreeMap::new() }
    }
}

#[derive(Clone, Debug)]
struct Watched {
    queue: Option<usize>,
    matches: BTreeMap<i64, i64>,
}

impl Watched {
    /// The minute at which it counts the line, if it does.
    fn counts(&self, metric: &Metric, entry: &Entry) -> Option<i64> {
        if !metric.groups.contains(&entry.group) {
            return None;
        }
        match metric.counted {
            Counted::Incoming => Some(entry.taken_in),
            Counted::Matches(fact) => {
                let is_it = entry.fact == Some(fact) && (self.queue.is_none() || self.queue == entry.queue);
                is_it.then_some(entry.at)
            }
        }
    }
}

/// Metrics as they grow.
#[derive(Clone, Debug)]
pub struct Playback {
    entries: Vec<Entry>,
    played: usize,
    watched: BTreeMap<Metric, Watched>,
    /// The log groups that took something in, by minute.
    active: BTreeMap<i64, BTreeSet<usize>>,
}

impl Playback {
    /// Takes in what an evaluation at the beginning of `minute` may count.
    pub fn advance(&mut self, minute: i64) {
        while let Some(entry) = self.entries.get(self.played).filter(|entry| entry.seen < minute) {
            self.active.entry(entry.taken_in).or_default().insert(entry.group);
            for (metric, watched) in &mut self.watched {
                if let Some(at) = watched.counts(metric, entry) {
                    let count = watched.matches.entry(at).or_insert(0);
                    *count = count.saturating_add(1);
                }
            }
            self.played = self.played.saturating_add(1);
        }
    }

    /// The minute in which the last line was counted that has been, and the next one will be.
    #[must_use]
    pub fn around(&self) -> (Option<i64>, Option<i64>) {
        let seen = |at: usize| self.entries.get(at).map(|entry| entry.seen);
        (self.played.checked_sub(1).and_then(seen), seen(self.played))
    }

    /// The sum of a metric over `[from, to)`, in minutes; `None` where it has no datapoint there.
    #[must_use]
    pub fn sum(&self, metric: &Metric, from: i64, to: i64) -> Option<i64> {
        let watched = self.watched.get(metric)?;
        let mut matched = watched.matches.range(from..to).map(|(_, count)| *count).peekable();
        if matched.peek().is_some() {
            return Some(matched.fold(0, i64::saturating_add));
        }
        let has_default = matches!(metric.counted, Counted::Matches(_))
            && self.active.range(from..to).any(|(_, groups)| !groups.is_disjoint(&metric.groups));
        has_default.then_some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(minute: i64, log_group: &str, fact: Option<Fact>, queue: Option<&'static str>) -> Logs {
        let mut logs = Logs::default();
        add(&mut logs, minute, minute, log_group, fact, queue);
        logs
    }

    fn add(
        logs: &mut Logs,
        at: i64,
        taken_in: i64,
        log_group: &str,
        fact: Option<Fact>,
        queue: Option<&str>,
    ) {
        let ms = |minutes: i64| minutes.saturating_mul(MINUTE_MS);
        let (at_ms, taken_in_ms) = (ms(at), ms(taken_in));
        logs.take(Line { at_ms, taken_in_ms, log_group, fact, queue });
    }

    #[track_caller]
    fn check(logs: &Logs, metric: &Metric, at: i64, from_to: (i64, i64), expected: Option<i64>) {
        let mut playback = logs.play(vec![metric.clone()]);
        playback.advance(at);
        assert_eq!(playback.sum(metric, from_to.0, from_to.1), expected);
    }

    #[test]
    fn a_default_is_published_only_where_the_group_took_something_in() {
        let mut logs = line(10, "/worker", Some(Fact::Started), None);
        add(&mut logs, 12, 12, "/worker", None, None);
        add(&mut logs, 14, 14, "/app", None, None);
        let starts = logs.metric(Fact::Started, None);
        check(&logs, &starts, 20, (10, 11), Some(1));
        check(&logs, &starts, 20, (11, 12), None);
        check(&logs, &starts, 20, (12, 13), Some(0));
        check(&logs, &starts, 20, (14, 15), None);
        check(&logs, &starts, 20, (10, 15), Some(1));
    }

    #[test]
    fn incoming_events_have_no_default() {
        let mut logs = line(10, "/worker", Some(Fact::Started), None);
        add(&mut logs, 10, 11, "/worker", None, None);
        let incoming = logs.incoming();
        check(&logs, &incoming, 20, (10, 12), Some(2));
        check(&logs, &incoming, 20, (11, 12), Some(1));
        check(&logs, &incoming, 20, (12, 20), None);
    }

    #[test]
    fn a_line_counts_a_minute_after_it_was_taken_in_and_at_its_own_stamp() {
        let mut logs = line(10, "/worker", Some(Fact::Started), None);
        add(&mut logs, 10, 13, "/worker", Some(Fact::Started), None);
        let starts = logs.metric(Fact::Started, None);
        check(&logs, &starts, 11, (10, 11), None);
        check(&logs, &starts, 12, (10, 11), Some(1));
        check(&logs, &starts, 14, (10, 11), Some(1));
        check(&logs, &starts, 15, (10, 11), Some(2));
    }

    #[test]
    fn a_filter_of_one_queue_counts_that_queue() {
        let mut logs = line(10, "/app", Some(Fact::Enqueued), Some("default"));
        add(&mut logs, 10, 10, "/app", Some(Fact::Enqueued), Some("mails"));
        check(&logs, &logs.metric(Fact::Enqueued, Some("mails")), 20, (10, 11), Some(1));
        check(&logs, &logs.metric(Fact::Enqueued, None), 20, (10, 11), Some(2));
        check(&logs, &logs.metric(Fact::Enqueued, Some("none")), 20, (10, 11), Some(0));
    }

    #[test]
    fn where_workers_write_is_learned_or_told() {
        let mut logs = line(10, "/app", Some(Fact::Enqueued), None);
        assert_eq!(logs.incoming().groups, BTreeSet::from([0]), "it may be anywhere");
        logs.expect_workers_in("/worker");
        assert_eq!(logs.incoming().groups, BTreeSet::from([1]));
        add(&mut logs, 11, 11, "/app", Some(Fact::Done), None);
        assert_eq!(logs.incoming().groups, BTreeSet::from([0, 1]));
    }
}
