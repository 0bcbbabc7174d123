//! What lines say under a numeric id, which is a row of a database table: the row is used again for other jobs, so its
//! lines are kept one by one, and dealt out to the jobs that were enqueued under the id.
//!
//! A line belongs to the newest enqueue of the id before it, on the same connection where both name one. A line that
//! carries a uuid belongs to the enqueue with that uuid, if any enqueue of the id carries one.
//!
//! **Invariant:** [`RowRecord::join`] is a union, and [`RowRecord::jobs`] depends on the lines alone, so that neither
//! order nor repetition shows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::job_facts::{CLOCKS_APART_MAX_MS, ENQUEUE_TOLERANCE_MS, JobFacts, StreamKey};
use super::job_key::{JobHash, JobKey};
use super::job_record::JobRecord;
use crate::domain::job::{ConnectionName, JobUuid, LineKey, Timestamp};

/// Lines kept of one row, the newest. A job prints three or four under one id, since a retry is a new row.
const LINES_MAX: usize = 64;

/// What is known of the jobs that had one numeric id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct RowRecord {
    /// What each line says.
    #[serde(rename = "l", with = "crate::domain::pairs")]
    lines: BTreeMap<LineKey, JobRecord>,
    /// What is known of a job beyond the lines of this row, by the enqueue line it began with.
    #[serde(rename = "x", with = "crate::domain::pairs", skip_serializing_if = "BTreeMap::is_empty")]
    notes: BTreeMap<LineKey, JobRecord>,
}

/// A row as stores hold it. Format 1 kept what was ever said under the id as if it were one job's record.
#[derive(Deserialize)]
struct Stored {
    #[serde(rename = "l", with = "crate::domain::pairs", default)]
    lines: BTreeMap<LineKey, JobRecord>,
    #[serde(rename = "x", with = "crate::domain::pairs", default)]
    notes: BTreeMap<LineKey, JobRecord>,
    #[serde(rename = "k")]
    joined: Option<JobFacts>,
    #[serde(rename = "b")]
    joined_born: Option<LineKey>,
    #[serde(rename = "src")]
    joined_source: Option<StreamKey>,
}

impl From<Stored> for RowRecord {
    fn from(stored: Stored) -> Self {
        let Stored { lines, notes, joined, joined_born: born, joined_source: source } = stored;
        match joined {
            Some(known) => Self::of_joined(JobRecord { known, born, source, ..JobRecord::default() }),
            None => Self { lines, notes },
        }
    }
}

/// One job that had a row's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowJob {
    /// The enqueue line it began with; `None` for lines that no enqueue of the id explains.
    pub enqueue: Option<LineKey>,
    /// Its uuid, if one of its lines carries it.
    pub uuid: Option<JobUuid>,
    /// All that its lines and notes say.
    pub record: JobRecord,
    /// The lines, oldest first.
    pub lines: Vec<(Timestamp, LineKey)>,
}

impl RowJob {
    /// The name of the job: its uuid, else the row and the enqueue line.
    #[must_use]
    pub fn name(&self, row: &JobKey) -> JobHash {
        let by_line = || JobHash::of_row(row, self.enqueue.unwrap_or(LineKey(0)));
        self.uuid.as_ref().map_or_else(by_line, JobHash::of_uuid)
    }
}

/// The moment that a line tells of.
fn moment(line: &JobRecord) -> Timestamp {
    line.known.newest_fact().unwrap_or_default()
}

/// An enqueue of a row's id, by which later lines are dealt out.
struct Enqueue<'a> {
    at: Timestamp,
    connection: Option<&'a ConnectionName>,
    job: usize,
}

impl RowRecord {
    /// What one line says.
    #[must_use]
    pub fn of(line: LineKey, record: JobRecord) -> Self {
        Self { lines: BTreeMap::from([(line, record)]), notes: BTreeMap::new() }
    }

    /// What format 1 kept of a row, as if one line had said it all.
    #[must_use]
    pub fn of_joined(record: JobRecord) -> Self {
        Self::of(record.born.unwrap_or(LineKey(0)), record)
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Joins what another source knows of the same row. Answers whether any of it is news.
    pub fn join(&mut self, other: &Self) -> bool {
        let mut is_news = false;
        for (mine, others) in [(&mut self.lines, &other.lines), (&mut self.notes, &other.notes)] {
            for (line, record) in others {
                match mine.get_mut(line) {
                    Some(known) if known == record => {}
                    Some(known) => {
                        let before = known.clone();
                        known.join(record);
                        is_news |= *known != before;
                    }
                    None => {
                        mine.insert(*line, record.clone());
                        is_news = true;
                    }
                }
            }
            forget_oldest(mine);
        }
        is_news
    }

    /// Notes what is known of the job that began with an enqueue line.
    pub fn note(&mut self, enqueue: LineKey, beyond: JobRecord) {
        self.notes.entry(enqueue).or_default().join(&beyond);
    }

    /// One line's record.
    #[must_use]
    pub fn line(&self, line: LineKey) -> Option<&JobRecord> {
        self.lines.get(&line)
    }

    /// The newest moment that any line tells of.
    #[must_use]
    pub fn newest_fact(&self) -> Option<Timestamp> {
        self.lines.values().filter_map(|record| record.known.newest_fact()).max()
    }

    /// The jobs that the row was, in the order they were enqueued; lines that no enqueue explains come last.
    #[must_use]
    pub fn jobs(&self) -> Vec<RowJob> {
        let mut jobs: Vec<RowJob> = Vec::new();
        let mut lines: Vec<(Timestamp, LineKey, &JobRecord)> =
            self.lines.iter().map(|(line, record)| (moment(record), *line, record)).collect();
        lines.sort_unstable_by_key(|(at, line, _)| (*at, *line));
        let enqueues = self.take_enqueues(&lines, &mut jobs);
        let named = jobs.len();
        for (at, line, record) in lines.iter().filter(|(.., record)| record.known.enqueued.is_none()) {
            let uuid = record.known.uuid();
            let ix = owner(&jobs, named, &enqueues, *at, record)
                .or_else(|| {
                    let mut others = jobs.iter().enumerate().skip(named);
                    others.find(|(_, job)| job.uuid.as_ref() == uuid).map(|(ix, _)| ix)
                })
                .unwrap_or(jobs.len());
            if ix == jobs.len() {
                jobs.push(RowJob {
                    enqueue: None,
                    uuid: uuid.cloned(),
                    record: JobRecord::default(),
                    lines: Vec::new(),
                });
            }
            if let Some(job) = jobs.get_mut(ix) {
                job.uuid = job.uuid.take().or_else(|| uuid.cloned());
                job.take(*at, *line, record);
            }
        }
        for job in &mut jobs {
            job.lines.sort_unstable();
            if let Some(note) = job.enqueue.and_then(|line| self.notes.get(&line)) {
                job.record.join(note);
            }
        }
        jobs
    }

    /// One job for each enqueue, or for all enqueues with one uuid.
    fn take_enqueues<'a>(
        &self,
        lines: &[(Timestamp, LineKey, &'a JobRecord)],
        jobs: &mut Vec<RowJob>,
    ) -> Vec<Enqueue<'a>> {
        let mut enqueues = Vec::new();
        for (at, line, record) in lines {
            let Some(enqueue) = record.known.enqueued else { continue };
            let uuid = record.known.uuid();
            let same = jobs.iter().position(|job| uuid.is_some() && job.uuid.as_ref() == uuid);
            let ix = same.unwrap_or(jobs.len());
            if ix == jobs.len() {
                let (enqueue, uuid) = (Some(*line), uuid.cloned());
                jobs.push(RowJob { enqueue, uuid, record: JobRecord::default(), lines: Vec::new() });
            }
            if let Some(job) = jobs.get_mut(ix) {
                job.take(*at, *line, record);
            }
            enqueues.push(Enqueue { at: enqueue.at, connection: record.known.connection(), job: ix });
        }
        enqueues.sort_by_key(|enqueue| enqueue.at);
        enqueues
    }

    /// The same with one line for each job that is over, if all its lines carry its uuid: those of no other job can be
    /// among them, however late its enqueue line comes.
    #[must_use]
    pub fn compacted(&self) -> Self {
        let mut lines = self.lines.clone();
        for job in self.jobs() {
            let Some(enqueue) = job.enqueue.filter(|_| job.record.is_whole_life()) else { continue };
            let is_its_own =
                |line: &LineKey| self.lines.get(line).is_some_and(|it| it.known.uuid().is_some());
            if !job.lines.iter().all(|(_, line)| is_its_own(line)) {
                continue;
            }
            let mut joined = JobRecord::default();
            for (_, line) in &job.lines {
                if let Some(record) = lines.remove(line) {
                    joined.join(&record);
                }
            }
            lines.insert(enqueue, joined);
        }
        Self { lines, notes: self.notes.clone() }
    }
}

impl RowJob {
    fn take(&mut self, at: Timestamp, line: LineKey, record: &JobRecord) {
        self.record.join(record);
        self.lines.push((at, line));
    }
}

/// The job among the first `named`, those with an enqueue, that a line belongs to.
fn owner(
    jobs: &[RowJob],
    named: usize,
    enqueues: &[Enqueue<'_>],
    at: Timestamp,
    line: &JobRecord,
) -> Option<usize> {
    let (uuid, connection) = (line.known.uuid(), line.known.connection());
    let of_uuid = |uuid: &JobUuid| jobs.iter().take(named).position(|job| job.uuid.as_ref() == Some(uuid));
    if let Some(ix) = uuid.and_then(of_uuid) {
        return Some(ix);
    }
    let by = at.plus_ms(ENQUEUE_TOLERANCE_MS);
    let is_there = |enqueue: &&Enqueue<'_>| {
        enqueue.at <= by && enqueue.connection.zip(connection).is_none_or(|(one, other)| one == other)
    };
    // Before any enqueue of its row, a start is that of the first one, by a clock that is behind.
    let is_next = |enqueue: &&Enqueue<'_>| {
        let by = at.plus_ms(CLOCKS_APART_MAX_MS);
        enqueue.at <= by && enqueue.connection.zip(connection).is_none_or(|(one, other)| one == other)
    };
    let newest = enqueues.iter().rev().find(is_there).or_else(|| enqueues.first().filter(is_next))?;
    // A job with another uuid is another job.
    let is_other = uuid.is_some() && jobs.get(newest.job).is_some_and(|job| job.uuid.is_some());
    (!is_other).then_some(newest.job)
}

fn forget_oldest(records: &mut BTreeMap<LineKey, JobRecord>) {
    while records.len() > LINES_MAX {
        let oldest = records.iter().min_by_key(|(line, record)| (moment(record), **line));
        let Some(oldest) = oldest.map(|(line, _)| *line) else { return };
        records.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::job::{Form, Observation, Runtime, Stage};

    /// One line: `q` an enqueue, `s` a start, `p` a good end, `f` a bad one; at a second; `/CONNECTION`; `#UUID`.
    fn line(number: u64, text: &str) -> RowRecord {
        let (text, uuid) = text.split_once('#').map_or((text, None), |(rest, uuid)| (rest, Some(uuid)));
        let (text, connection) = text.split_once('/').map_or((text, None), |(rest, name)| (rest, Some(name)));
        let (kind, at) = text.split_at(1);
        let stage = match kind {
            "q" => Stage::Enqueued,
            "s" => Stage::Processing,
            "p" => Stage::Processed,
            _ => Stage::Failed,
        };
        let at = Timestamp::from_ms(at.parse::<i64>().unwrap().saturating_mul(1_000));
        let observation = Observation {
            id: Some("7".into()),
            uuid: uuid.map(Into::into),
            connection: connection.map(Into::into),
            runtime: stage.is_end().then_some(Runtime { ms: 5, is_whole_seconds: false }),
            ..Observation::bare(stage, at, LineKey(number), Form::Json)
        };
        RowRecord::of(LineKey(number), JobRecord::of(&observation, StreamKey(1), at))
    }

    fn row(lines: &[&str]) -> RowRecord {
        let mut row = RowRecord::default();
        for (text, number) in lines.iter().zip(1..) {
            row.join(&line(number, text));
        }
        row
    }

    /// Each job as `enqueue line: state, lines`, whatever order the lines come in.
    #[track_caller]
    fn check(lines: &[&str], expected: &[&str]) {
        let told = |row: &RowRecord| -> Vec<String> {
            let told = |job: &RowJob| {
                let numbers: Vec<String> = job.lines.iter().map(|(_, line)| line.0.to_string()).collect();
                let enqueue = job.enqueue.map_or("-".to_owned(), |line| line.0.to_string());
                format!("{enqueue}: {} {}", job.record.state().as_str(), numbers.join(" "))
            };
            row.jobs().iter().map(told).collect()
        };
        let whole = row(lines);
        assert_eq!(told(&whole), expected);
        for turn in 1..lines.len() {
            let mut again = RowRecord::default();
            let numbered: Vec<(u64, &&str)> = (1..).zip(lines).collect();
            for (number, text) in numbered.iter().cycle().skip(turn).take(lines.len().saturating_mul(2)) {
                again.join(&line(*number, text));
            }
            assert_eq!(again, whole, "turn {turn}");
        }
        assert_eq!(told(&read(&whole)), expected, "read back");
        let mut compacted = whole.compacted();
        compacted.join(&whole);
        let states = |row: &RowRecord| row.jobs().iter().map(|job| job.record.state()).collect::<Vec<_>>();
        assert_eq!(states(&compacted), states(&whole), "compacted, and told again");
    }

    fn read(row: &RowRecord) -> RowRecord {
        serde_json::from_str(&serde_json::to_string(row).unwrap()).unwrap()
    }

    #[test]
    fn a_line_belongs_to_the_newest_enqueue_of_its_row_before_it() {
        check(&["q100", "s101", "p102"], &["1: processed 1 2 3"]);
        check(&["q100", "s101", "p102", "q200", "s201"], &["1: processed 1 2 3", "4: running 4 5"]);
        check(&["q100", "q200", "s201"], &["1: pending 1", "2: running 2 3"]);
        check(&["s39", "q100"], &["2: pending 2", "-: running 1"]);
        check(&["q100/a", "q105/b", "s106/a", "s107/b"], &["1: running 1 3", "2: running 2 4"]);
    }

    #[test]
    fn by_a_clock_that_is_behind_lines_come_before_the_first_enqueue() {
        check(&["s40", "q100"], &["2: running 1 2"]);
        check(&["s90", "p91", "q100"], &["3: processed 1 2 3"]);
        check(&["s90/a", "q100/b"], &["2: pending 2", "-: running 1"]);
        check(&["q20", "s21", "p22", "q100"], &["1: processed 1 2 3", "4: pending 4"]);
    }

    #[test]
    fn a_uuid_decides_where_enqueues_carry_one() {
        check(&["q100#a", "q200#b", "s201#a"], &["1: running 1 3", "2: pending 2"]);
        check(&["q100#a", "s101#b"], &["1: pending 1", "-: running 2"]);
        check(&["q100", "s101#a", "p102#a"], &["1: processed 1 2 3"]);
        check(&["q100#a", "q101#a", "s102#a"], &["1: running 1 2 3"]);
    }

    #[test]
    fn an_enqueue_line_that_comes_late_takes_its_lines_from_the_job_before() {
        let kept = row(&["q100#a", "s105", "p106"]).compacted();
        let mut late = kept.clone();
        late.join(&line(4, "q104#b"));
        let states: Vec<_> = late.jobs().iter().map(|job| job.record.state().as_str()).collect();
        assert_eq!(states, ["pending", "processed"]);
        assert_eq!(
            row(&["q100#a", "s105#a", "p106#a"]).compacted().lines.len(),
            1,
            "these are nobody else's"
        );
    }

    #[test]
    fn what_format_1_kept_of_a_row_is_one_job() {
        let joined = line(9, "q100").lines.remove(&LineKey(9)).unwrap();
        let stored = serde_json::to_string(&joined).unwrap();
        let row: RowRecord = serde_json::from_str(&stored).unwrap();
        let jobs = row.jobs();
        assert_eq!(jobs.len(), 1);
        assert_eq!((jobs[0].enqueue, jobs[0].record.known.clone()), (Some(LineKey(9)), joined.known));
    }

    #[test]
    fn the_newest_lines_of_a_row_are_kept() {
        let texts: Vec<String> = (1..=100).map(|at| format!("q{}", at * 100)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let row = row(&texts);
        assert_eq!(row.lines.len(), LINES_MAX);
        assert!(row.line(LineKey(100)).is_some() && row.line(LineKey(36)).is_none());
    }
}
