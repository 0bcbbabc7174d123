//! Until when an incident is suppressed: the end of a silence, of a maintenance window, or of a deploy. Its page is delayed,
//! never dropped.

use jiff::tz::TimeZone;

use super::Incident;
use crate::domain::job::Timestamp;
use crate::domain::ledger::Ledger;
use crate::domain::model::policy::Policy;
use crate::domain::model::silence::Silence;

/// New containers that make a rollout: one alone may as well be a worker that died.
const ROLLOUT_STREAMS: usize = 2;
/// A rollout counts as over after so many graces, even where containers go on booting: that is a crash loop.
const GRACES_MAX: i64 = 2;

/// Until when the messages of an incident are suppressed; `None` where they are not. `asked_for` are the silences of
/// operators, beside those of the configuration.
#[must_use]
pub fn until(
    incident: &Incident,
    policy: &Policy,
    asked_for: &[Silence],
    deployed_until: Option<Timestamp>,
    now: Timestamp,
) -> Option<Timestamp> {
    let silences = policy.silences.iter().chain(asked_for);
    let silences = silences.filter(|it| it.concerns(&incident.queues)).map(|it| it.until);
    let zone = TimeZone::get(&policy.timezone).unwrap_or(TimeZone::UTC);
    let windows = policy.windows.iter().filter(|it| it.concerns(&incident.queues));
    let windows = windows.filter_map(|it| it.cron.lasts_until(now, it.length_ms, &zone));
    silences.chain(windows).chain(deployed_until).filter(|until| *until > now).max()
}

/// When the grace of the newest deploy ends, by its mark or by the boots of a rollout.
#[must_use]
pub fn deployed_until(ledger: &Ledger, policy: &Policy, now: Timestamp) -> Option<Timestamp> {
    let grace_ms = policy.deploy_grace_ms;
    let marks = ledger.signals.deploy_marks.range(..=now).rev().copied();
    let marked = marked_until(marks, grace_ms);
    marked.max(rolled_out_until(ledger, now, grace_ms))
}

/// When the grace of the newest mark ends. Marks that follow each other with no time to tell anything between them are one
/// deploy, however many: they may be forged, and put a page off once.
fn marked_until(mut newest_first: impl Iterator<Item = Timestamp>, grace_ms: i64) -> Option<Timestamp> {
    let apart_ms = grace_ms.saturating_mul(GRACES_MAX);
    let newest = newest_first.next()?;
    let mut first = newest;
    for at in newest_first {
        if first.since_ms(at) > apart_ms {
            break;
        }
        first = at;
    }
    Some(newest.plus_ms(grace_ms).min(first.plus_ms(apart_ms)))
}

/// The first boots of streams, as containers have streams of their own, that follow each other within a grace.
fn rolled_out_until(ledger: &Ledger, now: Timestamp, grace_ms: i64) -> Option<Timestamp> {
    let streams = ledger.streams.all();
    let mut boots: Vec<Timestamp> =
        streams.iter().filter_map(|stream| stream.boots.first().copied()).filter(|at| *at <= now).collect();
    boots.sort_unstable();
    let newest = *boots.last()?;
    let mut first = newest;
    let mut count: usize = 0;
    for at in boots.iter().rev() {
        if first.since_ms(*at) > grace_ms {
            break;
        }
        first = *at;
        count = count.saturating_add(1);
    }
    let until = newest.plus_ms(grace_ms).min(first.plus_ms(grace_ms.saturating_mul(GRACES_MAX)));
    (count >= ROLLOUT_STREAMS).then_some(until)
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers of the test's own")]
mod tests {
    use super::*;

    /// Marks at these seconds, oldest first, with a grace of 100 s.
    #[track_caller]
    fn check(marks_s: &[i64], until_s: Option<i64>) {
        let newest_first = marks_s.iter().rev().map(|s| Timestamp::from_ms(s * 1_000));
        let until = marked_until(newest_first, 100_000).map(|at| at.as_ms() / 1_000);
        assert_eq!(until, until_s, "{marks_s:?}");
    }

    #[test]
    fn marks_without_end_put_a_page_off_once() {
        check(&[], None);
        check(&[1_000], Some(1_100));
        check(&[1_000, 1_030], Some(1_130));
        check(&[1_000, 1_090, 1_180], Some(1_200));
        // From here on nothing is put off, for as long as they come.
        let forged: Vec<i64> = (0..180).map(|n| 1_000 + n * 60).collect();
        check(&forged, Some(1_200));
        let forged: Vec<i64> = (0..180).map(|n| 1_000 + n * 101).collect();
        check(&forged, Some(1_200));
        // A deploy of the next hour is one of its own.
        check(&[1_000, 1_030, 4_600], Some(4_700));
    }
}
