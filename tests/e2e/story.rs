//! A short stall: three jobs wait too long, then a worker takes them. What it must come to, whatever goes wrong on the way.

use std::collections::BTreeMap;
use std::sync::Mutex;

use regex::Regex;
use serde_json::{Value, json};

use crate::seen::Call;
use crate::world::World;

/// 2026-01-05T09:00:10Z.
pub(crate) const BEGIN_MS: i64 = 1_767_603_610_000;
const MINUTE_MS: i64 = 60_000;
const JOBS: i64 = 3;
const COUNTERS: [&str; 4] = ["Enqueued", "Processing", "Processed", "Failed"];

/// A message: its topic, and its notification without the minute at which the incident opened, which is a later one
/// where a tick has died.
type LetterName = (String, String);

/// What became of it, as others see it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct End {
    /// How often each message arrived.
    pub(crate) messages: BTreeMap<LetterName, usize>,
    /// Counters.
    pub(crate) sums: BTreeMap<&'static str, f64>,
    /// Every job of the ledger.
    pub(crate) jobs: Value,
    /// `Pending` and `StalledQueues` at the end, jobs that the index calls open, incidents that are open.
    pub(crate) left: [usize; 4],
}

pub(crate) fn enqueued(n: i64) -> String {
    format!(
        r#"[2026-01-05 09:00:10] production.INFO: Job queued {{"id":"job{n}","uuid":"00000000-0000-4000-8000-0000000000{n:02}","job":"App\\Jobs\\Render","queue":"default","connection":"redis","delay":null}} "#
    )
}

pub(crate) fn worked(n: i64, status: &str) -> String {
    format!(
        r#"{{"level":"info","id":"job{n}","uuid":"00000000-0000-4000-8000-0000000000{n:02}","connection":"redis","queue":"default","job":"App\\Jobs\\Render","status":"{status}","result":null,"attempts":1,"exception":"","message":"","timestamp":"2026-01-05T09:10:00+00:00"}}"#
    )
}

/// Plays it: failed deliveries are repeated as Lambda would, ticks are not, and the next one comes a minute later. The
/// last two ticks go undisturbed.
pub(crate) fn play(world: &mut World<'_>) -> End {
    for n in 0..JOBS {
        let at_ms = BEGIN_MS + n * 1_000;
        world.set_clock(at_ms);
        for event in world.put("ecs/app/one", &[(at_ms, &enqueued(n))]) {
            world.deliver(&event);
            world.deliver(&event);
        }
    }
    tick(world, 1);
    world.set_clock(BEGIN_MS + 6 * MINUTE_MS);
    tick(world, 4);
    for n in 0..JOBS {
        let at_ms = world.now_ms + 1_000;
        world.set_clock(at_ms);
        let (start, end) = (worked(n, "starting"), worked(n, "success"));
        for event in world.put("ecs/worker/one", &[(at_ms, &start), (at_ms + 500, &end)]) {
            world.deliver(&event);
        }
    }
    tick(world, 3);
    world.faults(&json!([]));
    (0..2).for_each(|_| world.sweep());
    end(world)
}

fn tick(world: &mut World<'_>, times: usize) {
    for _ in 0..times {
        world.tick();
    }
}

fn end(world: &World<'_>) -> End {
    let mut messages = BTreeMap::new();
    for message in world.messages() {
        *messages.entry((message.topic.to_owned(), plain(&message.notification))).or_default() += 1;
    }
    let mut held = world.held();
    for job in held.jobs.as_array_mut().unwrap() {
        job["app"] = Value::Null;
    }
    let incidents = held.incidents.as_array().unwrap();
    let open = incidents.iter().filter(|incident| incident["resolved_at"].is_null()).count();
    let gauge = |name: &str| world.gauge(name, None).round() as usize;
    End {
        messages,
        sums: COUNTERS.into_iter().map(|name| (name, world.sum(name))).collect(),
        jobs: held.jobs,
        left: [gauge("Pending"), gauge("StalledQueues"), held.indexed, open],
    }
}

fn plain(notification: &str) -> String {
    Regex::new(r"-\d{8}T\d{4}Z").unwrap().replace(notification, "").into_owned()
}

/// The end without a fault.
#[track_caller]
pub(crate) fn clean(world: &mut World<'_>) -> End {
    let end = play(world);
    assert_eq!(end.left, [0; 4], "{end:#?}\n{}", world.output());
    let sums: Vec<f64> = COUNTERS.iter().map(|name| end.sums[name]).collect();
    assert_eq!(sums, [3.0, 3.0, 3.0, 0.0]);
    let messages: Vec<_> =
        end.messages.iter().map(|((topic, name), times)| (&**topic, &**name, *times)).collect();
    let (page, recovery) = ("stalled-redis-default/1", "stalled-redis-default/2");
    let wanted = [("chat", page, 1), ("chat", recovery, 1), ("email", page, 1), ("email", recovery, 1)];
    assert_eq!(messages, wanted);
    let states: Vec<&Value> = end.jobs.as_array().unwrap().iter().map(|job| &job["state"]).collect();
    assert_eq!(states, ["processed"; 3]);
    end
}

/// Holds what became of it against what had to. A message or a delta comes once more for each time that nobody could
/// know that it had come, and not otherwise; it is never missing, and nothing else is ever different.
pub(crate) fn judge(end: &End, clean: &End, calls: &[Call]) -> Result<(), String> {
    let mut wanted = clean.clone();
    for (ix, call) in calls.iter().enumerate().filter(|(_, call)| call.status == Some(200)) {
        if call.operation == "Publish" && !is_noted(calls, ix, is_after_letters) {
            let name = (call.detail.clone(), plain(call.said.as_str().unwrap_or_default()));
            *wanted.messages.entry(name).or_default() += 1;
        }
        if call.operation == "PutMetricData" && !is_noted(calls, ix, is_checkpoint) {
            for (name, sum) in &mut wanted.sums {
                *sum += call.said[name].as_f64().unwrap_or(0.0);
            }
        }
    }
    if *end == wanted { Ok(()) } else { Err(format!("{end:#?}\nwanted {wanted:#?}")) }
}

/// Whether an instance heard that a call was done, and lived to note it: whether the first call after it that could
/// be the note was done. Where that is another call than a note, the note came too late, and a repeat is a fault.
fn is_noted(calls: &[Call], ix: usize, could_note: impl Fn(&Call) -> bool) -> bool {
    let call = &calls[ix];
    let is_lost = call.fault.as_deref().is_some_and(|kind| kind != "delay");
    let later = calls[ix + 1..].iter().filter(|it| it.caller == call.caller);
    // What was refused is asked again by the SDK.
    let is_refused = |it: &Call| it.fault.as_deref() == Some("refuse");
    let note = later.filter(|it| could_note(it)).find(|it| !is_refused(it));
    !is_lost && note.is_some_and(|note| !is_checkpoint(note) || note.status == Some(200))
}

/// That a message was sent is noted before anything else is done but sending the others.
fn is_after_letters(call: &Call) -> bool {
    call.operation != "Publish"
}

/// That deltas were put is noted by the checkpoint's last write: they may be repeated until then.
fn is_checkpoint(call: &Call) -> bool {
    call.operation == "PutItem" && call.detail == "C"
}

/// Runs worlds side by side: what they wait for takes longer than what they compute.
pub(crate) fn side_by_side<T: Send>(at_once: usize, work: Vec<T>, run: impl Fn(T) -> Option<String> + Sync) {
    let left = Mutex::new(work.into_iter());
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                loop {
                    let Some(next) = left.lock().unwrap().next() else { return };
                    if let Some(why) = run(next) {
                        failed.lock().unwrap().push(why);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
