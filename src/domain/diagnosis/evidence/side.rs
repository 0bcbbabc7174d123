//! The streams that may be of the app that an incident is about: where apps are told apart, those of the others tell
//! nothing of this one.

use std::collections::BTreeSet;

use crate::domain::diagnosis::Question;
use crate::domain::ledger::Ledger;
use crate::domain::ledger::served::Takers;
use crate::domain::ledger::stream::StreamFacts;
use crate::domain::model::queue_ref::QueueRef;
use crate::domain::origin::{Origin, split_queue, workplace};

/// Other apps.
#[derive(Debug, Default)]
pub(in crate::domain::diagnosis) struct Others<'a> {
    /// Where they print: their workers, and whoever enqueues their jobs.
    pub(in crate::domain::diagnosis) places: BTreeSet<u64>,
    /// Where their enqueue lines come from.
    origins: BTreeSet<&'a str>,
}

impl Others<'_> {
    /// Whether all jobs of a queue are theirs.
    pub(super) fn own(&self, ledger: &Ledger, place: &QueueRef) -> bool {
        if self.origins.is_empty() {
            return false;
        }
        let lanes = ledger.queues().filter_map(|(lane, _)| {
            let (bare, origin) = split_queue(lane.queue.as_ref()?);
            (Some(bare) == place.queue && lane.may_share_connection(place)).then_some(origin)
        });
        let mut lanes = lanes.peekable();
        lanes.peek().is_some() && lanes.all(|origin| origin.is_some_and(|it| self.origins.contains(it)))
    }
}

/// All of them, without those of the others.
pub(super) fn streams<'a>(ledger: &'a Ledger, others: &Others<'_>) -> Vec<&'a StreamFacts> {
    let mut streams = ledger.streams.all();
    if !others.places.is_empty() {
        streams.retain(|stream| !others.places.contains(&workplace(&stream.log_group, &stream.log_stream)));
    }
    streams
}

/// Whether another app has a queue of this name.
fn has_namesake(question: &Question<'_>) -> bool {
    let place = question.place;
    let is_namesake = |other: &QueueRef| {
        let names = [place, other].map(|it| it.queue.as_ref().map(|queue| queue.as_str()));
        names[0] == names[1] && other.queue != place.queue
    };
    place.queue.is_some() && question.queues.keys().any(is_namesake)
}

/// The other apps. An origin is another app's if other workers take its jobs, and the two apps have a queue of one name or
/// are called otherwise in their logs.
pub(super) fn others<'a>(ledger: &'a Ledger, question: &Question<'_>) -> Others<'a> {
    let of_job = |ix| ledger.job(ix).and_then(|job| job.known.origin());
    let mine: BTreeSet<&str> =
        question.jobs.iter().filter_map(|job| of_job(job.ix)).map(|it| &**it).collect();
    let served = &ledger.signals.served;
    let takers = mine.iter().filter_map(|origin| served.takers(origin)).flat_map(Takers::workplaces);
    let mut own: BTreeSet<u64> = takers.collect();
    let has_workers = !own.is_empty();
    let channels: BTreeSet<&str> = mine.iter().map(|origin| Origin::parse(origin).channel).collect();
    own.extend(mine.iter().map(|origin| Origin::parse(origin).workplace()));
    let has_namesake = has_namesake(question);
    let is_others = |origin: &str, takers: &Takers| {
        let channel = Origin::parse(origin).channel;
        let is_called_otherwise = has_workers
            && !channel.is_empty()
            && !channels.contains("")
            && !channels.is_empty()
            && !channels.contains(channel);
        !mine.contains(origin)
            && (has_namesake || is_called_otherwise)
            && takers.workplaces().all(|workplace| !own.contains(&workplace))
    };
    let mut others = Others::default();
    for (origin, takers) in served.all().filter(|(origin, takers)| is_others(origin, takers)) {
        let places = takers.workplaces().chain([Origin::parse(origin).workplace()]);
        others.places.extend(places.filter(|workplace| !own.contains(workplace)));
        others.origins.insert(origin);
    }
    others
}
