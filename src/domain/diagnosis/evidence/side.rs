//! The streams that may be of the app that an incident is about: where apps are told apart, those in which workers take
//! other apps' jobs alone tell nothing of this one.

use std::collections::BTreeSet;

use crate::domain::diagnosis::Question;
use crate::domain::ledger::Ledger;
use crate::domain::ledger::served::Takers;
use crate::domain::ledger::stream::StreamFacts;
use crate::domain::model::queue_ref::QueueRef;
use crate::domain::origin::workplace;

/// All of them, without those.
pub(super) fn streams<'a>(ledger: &'a Ledger, question: &Question<'_>) -> Vec<&'a StreamFacts> {
    let mut streams = ledger.streams.all();
    if is_told_apart(question) {
        let others = others(ledger, question);
        streams.retain(|stream| !others.contains(&workplace(&stream.log_group, &stream.log_stream)));
    }
    streams
}

/// Whether another app has a queue of this name.
fn is_told_apart(question: &Question<'_>) -> bool {
    let place = question.place;
    let is_namesake = |other: &QueueRef| {
        let names = [place, other].map(|it| it.queue.as_ref().map(|queue| queue.as_str()));
        names[0] == names[1] && other.queue != place.queue
    };
    place.queue.is_some() && question.queues.keys().any(is_namesake)
}

/// Where workers print that take other jobs than those of the incident's origins.
fn others(ledger: &Ledger, question: &Question<'_>) -> BTreeSet<u64> {
    let of_job = |ix| ledger.job(ix).and_then(|job| job.known.origin());
    let mine: BTreeSet<&str> =
        question.jobs.iter().filter_map(|job| of_job(job.ix)).map(|it| &**it).collect();
    let served = &ledger.signals.served;
    let own: BTreeSet<u64> =
        mine.iter().filter_map(|origin| served.takers(origin)).flat_map(Takers::workplaces).collect();
    let all = served.all().filter(|(origin, _)| !mine.contains(*origin));
    all.flat_map(|(_, takers)| takers.workplaces()).filter(|workplace| !own.contains(workplace)).collect()
}
