//! One line into what is known of its job, in place: the quick way of a ledger, which joins millions of lines. What
//! [`JobFacts::of`] makes of the line and [`JobFacts::join`] joins is the same, and is what stores do.

use super::job_facts::{Enqueue, JobFacts, Mark, Ranked, StreamKey, least};
use crate::domain::job::{Observation, Stage, Timestamp};

impl JobFacts {
    /// Joins what one line says; tells whether the queue is another now, as the ledger names it.
    pub(super) fn take(&mut self, line: &Observation, stream: StreamKey, arrived_at: Timestamp) -> bool {
        let at = line.at;
        let mark = Mark { at, attempt: line.attempt.unwrap_or(0) };
        let is_enqueue = line.stage == Stage::Enqueued;
        if is_enqueue {
            let enqueue = Some(Enqueue { at, delay_ms: line.delay_ms });
            if enqueue > self.enqueued {
                (self.enqueued, self.arrived_at) = (enqueue, Some(arrived_at));
            } else if enqueue == self.enqueued {
                self.arrived_at = least(self.arrived_at, Some(arrived_at));
            }
            self.first_enqueued = least(self.first_enqueued, Some(at));
        } else if line.stage == Stage::Processing {
            self.first_start = least(self.first_start, Some(at));
            self.newest_start = self.newest_start.max(Some((mark, stream)));
        } else if line.stage.is_end() {
            self.imply_start(line, mark, stream);
            if line.stage == Stage::Processed {
                self.newest_success = self.newest_success.max(Some(at));
            } else if line.stage == Stage::Failed {
                self.newest_failure = self.newest_failure.max(Some(at));
            } else {
                self.released = self.released.max(Some(mark));
            }
        }
        self.timeout_ms = self.timeout_ms.max(line.timeout_ms);
        self.attempts.take(line);
        let rank = u8::from(is_enqueue);
        raise(&mut self.class, rank, line.class.as_ref());
        raise(&mut self.id, rank, line.id.as_ref());
        raise(&mut self.uuid, rank, line.uuid.as_ref());
        let mut is_elsewhere = raise(&mut self.queue, rank, line.queue.as_ref());
        is_elsewhere |= raise(&mut self.connection, rank, line.connection.as_ref());
        if line.origin > self.origin {
            self.origin.clone_from(&line.origin);
            is_elsewhere = true;
        }
        is_elsewhere
    }
}

/// Takes a name that is to be believed more; tells whether it is.
fn raise<T: Ord + Clone>(mine: &mut Ranked<T>, rank: u8, name: Option<&T>) -> bool {
    let Some(name) = name else { return false };
    let is_more = mine.as_ref().is_none_or(|(held_rank, held)| (rank, name) > (*held_rank, held));
    if is_more {
        *mine = Some((rank, name.clone()));
    }
    is_more
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::job::{Ending, Form, LineKey, Runtime};

    /// Lines drawn by a seed, of few moments and names, so that many meet: both ways say the same of each.
    #[test]
    fn a_line_taken_in_place_is_a_line_joined() {
        const STAGES: [Stage; 5] =
            [Stage::Enqueued, Stage::Processing, Stage::Processed, Stage::Failed, Stage::Released];
        let mut seed = 0x5eed_u64;
        let mut below = |count: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(seed >> 33).unwrap() % count
        };
        for _ in 0..2_000 {
            let (mut quick, mut slow) = (JobFacts::default(), JobFacts::default());
            for _ in 0..below(7) {
                let mut name = |names: [&'static str; 2]| names.get(below(4)).copied();
                let (class, queue, connection) = (name(["A", "B"]), name(["x", "y"]), name(["redis", "sqs"]));
                let (id, uuid, origin) = (name(["1", "a"]), name(["u", "v"]), name(["o", "p"]));
                let mut ms = |least: i64| least + i64::try_from(below(4)).unwrap();
                let (at, arrived_at, stream) = (ms(100), ms(200), StreamKey(ms(0).unsigned_abs()));
                let runtime = Some(Runtime { ms: ms(0), is_whole_seconds: ms(0) > 1 }).filter(|_| ms(0) > 1);
                let attempt = u32::try_from(ms(0)).ok().filter(|n| *n > 0);
                let (delay_ms, timeout_ms) = (Some(ms(0)).filter(|n| *n > 1), Some(ms(0)).filter(|n| *n > 1));
                let form = if ms(0) > 2 { Form::Bracket } else { Form::Json };
                let line = Observation {
                    class: class.map(Into::into),
                    queue: queue.map(Into::into),
                    connection: connection.map(Into::into),
                    id: id.map(Into::into),
                    uuid: uuid.map(Into::into),
                    origin: origin.map(Into::into),
                    ending: Ending::Plain,
                    attempt,
                    runtime,
                    delay_ms,
                    timeout_ms,
                    ..Observation::bare(STAGES[below(5)], Timestamp::from_ms(at), LineKey(1), form)
                };
                let arrived_at = Timestamp::from_ms(arrived_at);
                let before = slow.marked_queue();
                slow.join(&JobFacts::of(&line, stream, arrived_at));
                let is_elsewhere = quick.take(&line, stream, arrived_at);
                assert_eq!(quick, slow, "{line:?}");
                assert!(is_elsewhere || before == slow.marked_queue(), "{line:?}");
            }
        }
    }
}
