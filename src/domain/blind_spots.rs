//! What logs like these cannot show. Said, not hidden.

use crate::domain::ledger::Ledger;
use crate::domain::ledger::coverage::Missing;
use crate::domain::origin::split_queue;

/// Something that these logs cannot show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BlindSpot {
    /// No payload could be opened.
    NothingOpens,
    /// No enqueue line ever came.
    NoEnqueueLines,
    /// No line of a job's start or end ever came.
    NoJobLines,
    /// The same, and workers say that they do jobs.
    JobsUnseen,
    /// The same, and jobs reach workers by HTTP.
    ByHttp,
    /// Worker lines carry neither id nor uuid.
    NoIds,
    /// Worker lines print no start.
    EndOnly,
    /// Worker lines carry a row's number, which changes with every retry.
    RowIds,
    /// Enqueue lines carry no delay.
    NoDelay,
    /// The clocks of workers are behind the app's by up to so many milliseconds.
    ClocksApart(i64),
    /// So many queues share a row of the metrics.
    Measured(u64),
    /// Worker lines go missing, one here and one there.
    LinesMissing(Missing),
}

/// The blind spots of what was read.
#[must_use]
pub fn find(ledger: &Ledger) -> Vec<BlindSpot> {
    if ledger.deliveries.opened_at.is_none() && ledger.tally.payloads_rejected > 0 {
        return vec![BlindSpot::NothingOpens];
    }
    let traits = &ledger.traits;
    let is_hidden = traits.first_worker_line_at.is_none();
    let signals = &ledger.signals;
    let is_told = signals.worked_off.keys().next().is_some()
        || signals.workers.values().any(|worker| worker.jobs.is_some());
    let all = [
        (BlindSpot::NoEnqueueLines, traits.first_enqueue_at.is_none()),
        (BlindSpot::NoJobLines, is_hidden && !is_told),
        (BlindSpot::JobsUnseen, is_hidden && is_told && !signals.is_by_http),
        (BlindSpot::ByHttp, is_hidden && signals.is_by_http),
        (BlindSpot::NoIds, traits.worker_has_neither),
        (BlindSpot::EndOnly, traits.has_end_only),
        (BlindSpot::RowIds, traits.has_row_ids),
        (BlindSpot::NoDelay, traits.first_enqueue_at.is_some() && !traits.is_delay_logged),
    ];
    let missing = traits.newest_worker_line_at.and_then(|newest| ledger.missing_lines(newest));
    let always = all.into_iter().filter_map(|(spot, is_so)| is_so.then_some(spot));
    let apart = ledger.clocks_apart_ms().map(BlindSpot::ClocksApart);
    let unmeasured = ledger.queues().filter_map(|(at, _)| at.queue.as_ref());
    let unmeasured =
        unmeasured.filter(|queue| !ledger.unpublished.has_row(&split_queue(queue).0)).count() as u64;
    let measured = (unmeasured > 0).then_some(BlindSpot::Measured(unmeasured));
    always.chain(apart).chain(measured).chain(missing.map(BlindSpot::LinesMissing)).collect()
}
