//! `queuewatch watch` beside a real app and its worker, while they run: the alarm within seconds of the worker's death,
//! and its end with the next worker.

use std::fs;

use crate::app::App;
use crate::process::{Process, now_ms};
use crate::verdict::{CONFIG, queuewatch};

/// What `grace` and a sweep every half of it come to, and time for a machine that is busy with other tests.
const ALARM_MS: std::ops::RangeInclusive<i64> = 4_000..=20_000;

/// A worker that writes into a file, as a shell makes one.
fn work(app: &App) -> Process {
    let worker = "exec php artisan queue:work --sleep=0.1 --max-time=120 >> worker.log 2>&1";
    Process::start(app.command("bash").args(["-c", worker]))
}

fn dispatch(app: &App, jobs: &str) -> i64 {
    let (status, _) = Process::start(
        app.command("bash").args(["-c", &format!("php artisan app:dispatch {jobs} 2>> app.log")]),
    )
    .end();
    assert!(status.success(), "{status}");
    now_ms()
}

/// When a line with this text came.
fn moment(watch: &Process, text: &str) -> i64 {
    watch.wait_for(text, 1);
    watch.lines().iter().find(|(_, line)| line.contains(text)).unwrap().0
}

#[test]
fn a_killed_worker_is_an_alarm_within_seconds_and_the_next_ones_start_is_its_end() {
    let app = App::new("live", "redis");
    fs::write(app.path("queuewatch.toml"), CONFIG).unwrap();
    let mut command = queuewatch(&app.path(""));
    let watch =
        Process::start(command.args(["watch", "--config", "queuewatch.toml", "app.log", "worker.log"]));
    watch.wait_for("watching", 1);
    let first = work(&app);
    dispatch(&app, "plain plain plain");
    let log = || fs::read_to_string(app.path("worker.log")).unwrap_or_default();
    let processed = |count: usize| {
        (0..600).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(100));
            log().matches("] Processed: ").count() >= count
        })
    };
    assert!(processed(3), "{}", log());

    first.signal("KILL");
    first.end();
    let queued_at = dispatch(&app, "plain plain");
    let alarm = "ALARM my-app redis:default: no job started for ";
    let waited_ms = moment(&watch, alarm) - queued_at;
    assert!(ALARM_MS.contains(&waited_ms), "{waited_ms} ms");

    let second = work(&app);
    let back_at = now_ms();
    assert!(processed(5), "{}", log());
    let waited_ms = moment(&watch, "OK my-app redis:default: jobs start again, ") - back_at;
    assert!(waited_ms <= *ALARM_MS.end(), "{waited_ms} ms");

    second.signal("TERM");
    second.end();
    watch.signal("TERM");
    let (status, said) = watch.end();
    assert!(status.success(), "{status}");
    let alarms = said.iter().filter(|(_, line)| line.contains("ALARM ") && line.contains("──"));
    assert_eq!(alarms.count(), 1, "{}", crate::process::text(&said));
}
