//! The tables that AWS prints of how an alarm treats missing data, cell by cell, and what the page says of them.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html>

#![expect(
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "test helpers are outside clippy's exemption"
)]

use cloudwatch_alarms::evaluate::State::{Alarm, InsufficientData, Ok};
use cloudwatch_alarms::evaluate::{Datapoint, Evaluation, Missing, State};

/// The state stays what it was.
const STAYS: Option<State> = None;

/// A row: datapoints as printed, newest on the right; then the state for `missing`, `ignore`, `breaching` and
/// `notBreaching`.
type Row = (&'static str, [Option<State>; 4]);

const TREATMENTS: [Missing; 4] =
    [Missing::Missing, Missing::Ignore, Missing::Breaching, Missing::NotBreaching];

fn read(printed: &str) -> Vec<Datapoint> {
    let point = |sign: &str| match sign {
        "0" => Datapoint::Within,
        "X" => Datapoint::Breaching,
        "-" => Datapoint::Missing,
        other => panic!("{other} is no datapoint"),
    };
    printed.split(' ').map(point).collect()
}

/// Checks every cell of a table, from every state the alarm may have been in. Returns how many cells it has.
#[track_caller]
fn check(to_alarm: usize, rows: &[Row]) -> usize {
    for (printed, states) in rows {
        for (missing, expected) in TREATMENTS.into_iter().zip(states) {
            for current in [InsufficientData, Ok, Alarm] {
                let evaluation = Evaluation { periods: 3, to_alarm, missing };
                assert_eq!(
                    evaluation.state(&read(printed), current),
                    expected.unwrap_or(current),
                    "{to_alarm} of 3, {printed}, {missing:?}, from {current:?}"
                );
            }
        }
    }
    rows.len() * TREATMENTS.len()
}

const fn all(state: State) -> [Option<State>; 4] {
    [Some(state); 4]
}

#[test]
fn three_of_three_is_as_published() {
    let cells = check(
        3,
        &[
            ("0 - X - X", all(Ok)),
            ("0 - - - -", all(Ok)),
            ("- - - - -", [Some(InsufficientData), STAYS, Some(Alarm), Some(Ok)]),
            ("0 X X - X", all(Alarm)),
            ("- - X - -", [Some(Alarm), STAYS, Some(Alarm), Some(Ok)]),
        ],
    );
    assert_eq!(cells, 20);
}

#[test]
fn two_of_three_is_as_published() {
    let cells = check(
        2,
        &[
            ("0 - X - X", all(Alarm)),
            ("0 0 X 0 X", all(Alarm)),
            ("0 - X - -", [Some(Ok), Some(Ok), Some(Alarm), Some(Ok)]),
            ("- - - - 0", [Some(Ok), Some(Ok), Some(Alarm), Some(Ok)]),
            ("- - - X -", [Some(Alarm), STAYS, Some(Alarm), Some(Ok)]),
        ],
    );
    assert_eq!(cells, 20);
}

/// "These two older data points are ignored", of the second row of the second table.
#[test]
fn what_is_older_than_the_periods_is_ignored() {
    for missing in TREATMENTS {
        let evaluation = Evaluation { periods: 3, to_alarm: 2, missing };
        assert_eq!(evaluation.state(&read("X X 0 0 X"), Alarm), Ok, "{missing:?}");
    }
}

/// *Avoiding premature transitions to alarm state*: the next datapoint may not be breaching, so a fresh one that is
/// does not do; an old one does.
#[test]
fn a_lone_breach_waits_until_it_is_old_enough() {
    let evaluation = Evaluation { periods: 3, to_alarm: 3, missing: Missing::Missing };
    for printed in ["- - - - X", "- - - X -"] {
        assert_eq!(evaluation.state(&read(printed), Ok), InsufficientData, "{printed}");
    }
    for printed in ["- - - X 0", "- - X - 0"] {
        assert_eq!(evaluation.state(&read(printed), Ok), Ok, "{printed}");
    }
    for printed in ["- - X - -", "X - - - -"] {
        assert_eq!(evaluation.state(&read(printed), Ok), Alarm, "{printed}");
    }
}

/// The page on the second row of its first table: "the next time this alarm is evaluated, if the data is still missing
/// it will go to ALARM".
#[test]
fn breaching_gaps_fill_the_range_only_once_the_last_datapoint_has_left_it() {
    let evaluation = Evaluation { periods: 3, to_alarm: 3, missing: Missing::Breaching };
    assert_eq!(evaluation.range(), 5);
    assert_eq!(evaluation.state(&read("0 - - - -"), Ok), Ok);
    assert_eq!(evaluation.state(&read("- - - - -"), Ok), Alarm);
}

/// An alarm on one period looks further back, too: a gap of one period is not enough.
#[test]
fn one_of_one_breaching_needs_three_empty_periods() {
    let evaluation = Evaluation { periods: 1, to_alarm: 1, missing: Missing::Breaching };
    assert_eq!(evaluation.range(), 3);
    assert_eq!(evaluation.state(&read("0 - -"), Ok), Ok);
    assert_eq!(evaluation.state(&read("- - -"), Ok), Alarm);
}
