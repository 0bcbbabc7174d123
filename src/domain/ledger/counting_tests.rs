//! Which start takes which job, in every order of lines.

use super::*;
use crate::domain::job::Runtime;

/// `J<ready>` jobs, `R<at>` starts, `D`/`F<end>-<runtime>` ends, given in every rotation; asserts each
/// job's state as `ready:state`.
#[track_caller]
fn check(lines: &[&str], expected: &str) {
    for turn in 0..lines.len() {
        for settle_each in [false, true] {
            let mut series = ClassSeries::default();
            let mut starts: BTreeMap<JobIx, StartKey> = BTreeMap::new();
            let mut settle = |series: &mut ClassSeries| {
                series.settle(|job, start| {
                    match start {
                        Some(start) => starts.insert(job, start),
                        None => starts.remove(&job),
                    };
                });
            };
            for n in 0..lines.len() {
                let ix = (n + turn) % lines.len();
                add(&mut series, lines[ix], ix);
                if settle_each {
                    settle(&mut series);
                }
            }
            settle(&mut series);
            let got: Vec<String> = series
                .jobs
                .all()
                .map(|((ready, _), job)| {
                    let state = starts.get(job).map_or("pending", |s| series.outcome(*s).0.as_str());
                    format!("{}:{state}", ready.as_ms())
                })
                .collect();
            assert_eq!(got.join(" "), expected, "turn {turn}, settle_each {settle_each}");
        }
    }
}

fn add(series: &mut ClassSeries, text: &str, ix: usize) {
    let (kind, rest) = text.split_at(1);
    let (at, runtime) = rest.split_once('-').map_or((rest, None), |(a, r)| (a, Some(r)));
    let at = Timestamp::from_ms(at.parse().unwrap());
    let line = LineKey(ix as u64);
    match kind {
        "J" => series.add_job(&Likeness::default(), (at, line), JobIx(ix)),
        "R" => series.add_start(StreamKey(0), (at, line)),
        _ => {
            let runtime = runtime.map(|r| Runtime { ms: r.parse().unwrap(), is_whole_seconds: false });
            let is_failure = kind == "F";
            let end = CountedEnd { at, is_failure, may_retry: is_failure, runtime };
            series.add_end(StreamKey(0), line, end);
        }
    }
}

#[test]
fn a_start_takes_the_oldest_ready_job() {
    check(&["J1000", "J2000", "R3000", "D3050-50"], "1000:processed 2000:pending");
    check(&["J1000", "R1500"], "1000:running");
}

#[test]
fn a_start_may_come_five_seconds_before_its_enqueue_and_by_a_clock_that_is_behind_a_minute() {
    check(&["J6000", "R1000"], "6000:running");
    check(&["J6001", "R1000"], "6001:running");
    check(&["J61000", "R1000"], "61000:running");
    check(&["J61001", "R1000"], "61001:pending");
}

#[test]
fn where_starts_and_jobs_are_not_as_many_five_seconds_it_is() {
    check(&["J6001", "R900", "R1000"], "6001:pending");
    check(&["J6001", "J6002", "R1000"], "6001:pending 6002:pending");
}

#[test]
fn a_retry_is_no_start_of_a_job_that_comes_after_it() {
    check(&["J1000", "R1100", "F1130-30", "R50000", "J91000"], "1000:running 91000:pending");
}

#[test]
fn a_surplus_start_is_dropped_never_banked() {
    check(&["R1000", "D1010-10", "R2000", "D2010-10", "J9000"], "9000:pending");
}

#[test]
fn a_retry_continues_the_job_that_failed() {
    check(&["J1000", "R1100", "F1130-30", "R3000", "D3020-20"], "1000:processed");
    check(&["J1000", "R1100", "F1130-30"], "1000:failed");
    check(&["J1000", "R1100", "F1130-30", "D1140-40", "R9000", "D9020-20"], "1000:failed");
}

#[test]
fn an_end_without_a_start_takes_a_job_all_the_same() {
    check(&["J1000", "D1180-80"], "1000:processed");
}

#[test]
fn a_job_shown_started_by_its_own_lines_gives_its_start_back() {
    let mut series = ClassSeries::default();
    add(&mut series, "J1000", 0);
    add(&mut series, "J2000", 1);
    add(&mut series, "R3000", 2);
    series.settle(|_, _| {});
    series.remove_job(&Likeness::default(), (Timestamp::from_ms(1000), LineKey(0)));
    let mut told = Vec::new();
    series.settle(|job, start| told.push((job.0, start.is_some())));
    assert_eq!(told, [(0, false), (1, true)]);
}
