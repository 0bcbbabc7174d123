//! When saved payloads are delivered, and which of them no clock should believe.

use super::{Input, Opened};
use crate::domain::intake::{BEHIND_MAX_MS, is_plausible};
use crate::domain::job::Timestamp;

/// A payload with its moment.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    /// Where it came from.
    pub(super) source: String,
    /// What it is.
    pub(super) opened: Opened,
    /// When it is delivered; `None` where neither it nor any before it tells.
    pub(super) at: Option<Timestamp>,
}

/// Sets payloads from broken clocks aside, and puts the rest in order: by the time of their newest line, or
/// by when CloudWatch took them in, where that is known.
///
/// A payload that tells no time (rejected, a reachability check, no line believed) keeps its place behind
/// the one before it.
pub(super) fn schedule(mut inputs: Vec<Input>, keeps_order: bool) -> Vec<Delivery> {
    set_lonely_aside(&mut inputs);
    let mut before = inputs.iter().find_map(moment);
    let mut deliveries: Vec<Delivery> = inputs
        .into_iter()
        .map(|input| {
            let at = moment(&input).or(before);
            before = at;
            Delivery { source: input.source, opened: input.opened, at }
        })
        .collect();
    if !keeps_order {
        deliveries.sort_by_key(|delivery| delivery.at);
    }
    deliveries
}

fn moment(input: &Input) -> Option<Timestamp> {
    match &input.opened {
        Opened::Lines(record, ingested_at) => {
            let newest = record.newest()?;
            Some(ingested_at.map_or(newest, |at| at.max(newest)))
        }
        Opened::Control | Opened::Rejected(_) => None,
    }
}

/// Payloads whose medians follow each other within the age CloudWatch takes events at.
struct Cluster {
    members: Vec<usize>,
    is_plausible: bool,
}

/// Leaves out payloads that lie more than 14 days from those before and after them: one broken clock must
/// not drag the replay's clock with it. Where some payloads are stamped in CloudWatch's lifetime and some
/// are not, only the former are believed, however many the latter are.
fn set_lonely_aside(inputs: &mut [Input]) {
    let mut medians: Vec<(Timestamp, usize)> = inputs
        .iter()
        .enumerate()
        .filter_map(|(ix, input)| match &input.opened {
            Opened::Lines(record, _) => Some((record.median()?, ix)),
            Opened::Control | Opened::Rejected(_) => None,
        })
        .collect();
    medians.sort_unstable();
    let mut clusters: Vec<Cluster> = Vec::new();
    let mut last: Option<Timestamp> = None;
    for (median, ix) in medians {
        let is_near = last.is_some_and(|last| median.since_ms(last) <= BEHIND_MAX_MS);
        match clusters.last_mut().filter(|_| is_near) {
            Some(cluster) => cluster.members.push(ix),
            None => clusters.push(Cluster { members: vec![ix], is_plausible: is_plausible(median) }),
        }
        last = Some(median);
    }
    let has_plausible = clusters.iter().any(|cluster| cluster.is_plausible);
    // Where no clock was ever right, one is as good as another, and two cannot both be: the fullest is believed.
    let fullest = clusters.iter().map(|cluster| cluster.members.len()).max().unwrap_or(0);
    let only = clusters.iter().position(|cluster| cluster.members.len() == fullest);
    let mut n: usize = 0;
    let (believed, mut aside): (Vec<Cluster>, Vec<Cluster>) = clusters.into_iter().partition(|cluster| {
        let is_only = only == Some(n);
        n = n.saturating_add(1);
        if has_plausible { cluster.is_plausible } else { is_only }
    });
    aside.extend(lonely(believed));
    for ix in aside.into_iter().flat_map(|cluster| cluster.members) {
        if let Some(Input { opened: Opened::Lines(record, _), .. }) = inputs.get_mut(ix) {
            record.set_all_aside();
        }
    }
}

/// Single payloads far from what lies before and after them. At either end there is only one neighbour:
/// then others must keep company for a single one to be the odd one out.
fn lonely(clusters: Vec<Cluster>) -> impl Iterator<Item = Cluster> {
    let has_company = clusters.iter().any(|cluster| cluster.members.len() > 1);
    let last = clusters.len().saturating_sub(1);
    clusters.into_iter().enumerate().filter_map(move |(n, cluster)| {
        let has_two_neighbours = n > 0 && n < last;
        (cluster.members.len() == 1 && last > 0 && (has_two_neighbours || has_company)).then_some(cluster)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::intake::DeliveryRecord;
    use crate::domain::job::{DAY_MS, HOUR_MS, LineKey};
    use crate::domain::line::LineStamp;

    const NOW: i64 = 1_765_024_270_000;

    /// Payloads of one line each; asserts which are set aside.
    #[track_caller]
    fn check(stamps: &[i64], aside: &[usize]) {
        let mut inputs: Vec<Input> = stamps
            .iter()
            .map(|ms| {
                let lines = vec![LineStamp { key: LineKey(1), at: Timestamp::from_ms(*ms) }];
                let record = DeliveryRecord { lines, ..DeliveryRecord::default() };
                Input { source: String::new(), opened: Opened::Lines(Box::new(record), None) }
            })
            .collect();
        set_lonely_aside(&mut inputs);
        let got: Vec<usize> = (0..inputs.len())
            .filter(|ix| matches!(&inputs[*ix].opened, Opened::Lines(record, _) if !record.late.is_empty()))
            .collect();
        assert_eq!(got, aside);
    }

    #[test]
    fn one_broken_clock_is_set_aside() {
        check(&[NOW, 0, NOW + 1], &[1]);
        check(&[NOW, 95_617_584_000_000], &[1]);
        check(&[0, NOW, 95_617_584_000_000], &[0, 2]);
        check(&[0, 1, NOW], &[0, 1]);
        check(&[0, 100_000_000_000_000], &[1]);
        check(&[i64::MIN, 5, 6, i64::MAX], &[0, 3]);
    }

    #[test]
    fn a_lonely_payload_is_set_aside_where_others_keep_company() {
        check(&[NOW, NOW + 1, NOW + 20 * DAY_MS], &[2]);
        check(&[NOW - 20 * DAY_MS, NOW, NOW + 1], &[0]);
    }

    #[test]
    fn quiet_hours_days_and_two_saved_incidents_are_no_broken_clock() {
        check(&[NOW, NOW + 3 * HOUR_MS], &[]);
        check(&[NOW, NOW + 3 * HOUR_MS, NOW + 3 * DAY_MS, NOW + 10 * DAY_MS], &[]);
        check(&[NOW, NOW + 20 * DAY_MS], &[]);
        check(&[NOW, NOW + 1, NOW + 40 * DAY_MS, NOW + 40 * DAY_MS + 1], &[]);
        check(&[1_000, 2_000, 3_000], &[]);
    }
}
