//! Files followed through whatever happens to files, by a watch whose clock the test holds: nothing is lost, and
//! nothing counted twice.

#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    reason = "what fails must fail the test, and test helpers are outside clippy's exemption"
)]

#[path = "support/site.rs"]
mod site;

use queuewatch::adapters::settled;
use queuewatch::app::{AppError, Swept};
use queuewatch::domain::command::Command;
use queuewatch::domain::deployment::Deployment;
use queuewatch::domain::metric::Metric;
use queuewatch::domain::model::policy::Silence;
use queuewatch::domain::systems::LINE_BYTES_MAX;
use queuewatch::watch::{Inputs, Notice, Pipe, WatchError};
use site::{Death, Mortal, Site, enqueue, enqueue_at, start, subjects, success, success_at};

#[test]
fn a_file_that_is_there_is_read_from_its_end_and_one_that_comes_from_its_beginning() {
    let mut site = Site::new("begin");
    site.write("app.log", enqueue(1));
    let mut watch = site.watch(&["app.log", "later.log"]);
    site.poll(&mut watch);
    assert_eq!(site.notices, [Notice::Awaited { path: site.path("later.log") }]);
    assert_eq!(site.counts(), (0, 0, 0));
    site.append("app.log", enqueue(2));
    site.append("later.log", enqueue(3) + &enqueue(4));
    site.poll(&mut watch);
    assert_eq!(site.counts(), (3, 0, 0));
    assert_eq!(site.notices.last(), Some(&Notice::Appeared { path: site.path("later.log") }));
}

#[test]
fn half_a_line_is_held_until_its_newline_comes() {
    let mut site = Site::new("partial");
    let line = enqueue(1);
    let (half, rest) = line.split_at(40);
    site.write("app.log", half);
    let mut watch = site.watch(&["app.log"]);
    site.poll(&mut watch);
    // The half that was there is nobody's line, nor is what completes it.
    site.append("app.log", rest);
    site.poll(&mut watch);
    assert_eq!(site.counts(), (0, 0, 0));
    for part in [half, &rest[..10], &rest[10..rest.len() - 1]] {
        site.append("app.log", part);
        site.poll(&mut watch);
        assert_eq!(site.counts(), (0, 0, 0));
    }
    site.append("app.log", "\n");
    site.poll(&mut watch);
    assert_eq!(site.counts(), (1, 0, 0));
}

#[test]
fn what_is_no_text_or_far_too_long_costs_itself_alone() {
    let mut site = Site::new("odd");
    site.write("app.log", "");
    let mut watch = site.watch(&["app.log"]);
    site.poll(&mut watch);
    let mut bytes = b"\xff\xfe\n\r\n\n".to_vec();
    bytes.extend(enqueue(1).replace('\n', "\r\n").bytes());
    bytes.extend(vec![b'x'; 3 * LINE_BYTES_MAX]);
    site.append("app.log", &bytes);
    site.poll(&mut watch);
    site.append("app.log", enqueue(2));
    site.append("app.log", enqueue(3));
    site.poll(&mut watch);
    // The second one ends the long line.
    assert_eq!(site.counts(), (2, 0, 0));
}

#[test]
fn a_rotated_file_is_read_to_its_end_and_the_new_one_from_its_beginning() {
    let mut site = Site::new("rotated");
    site.write("app.log", "");
    let mut watch = site.watch(&["app.log"]);
    site.poll(&mut watch);
    site.append("app.log", enqueue(1));
    site.rename("app.log", "app.log.1");
    site.poll(&mut watch);
    // Whoever writes has not noticed.
    site.append("app.log.1", enqueue(2));
    site.append("app.log", enqueue(3));
    site.poll(&mut watch);
    site.append("app.log.1", enqueue(4));
    site.poll(&mut watch);
    assert_eq!(site.counts(), (4, 0, 0));
    assert_eq!(site.notices, [Notice::Rotated { path: site.path("app.log") }]);
    // The last line of a file that nobody writes to any more is whole.
    site.append("app.log.1", enqueue(5).trim_end());
    site.poll(&mut watch);
    assert_eq!(site.counts(), (4, 0, 0));
    site.now_s += 61.0;
    site.poll(&mut watch);
    assert_eq!(site.counts(), (5, 0, 0));
}

#[test]
fn a_file_that_is_emptied_is_read_from_its_beginning_even_if_it_has_grown_beyond_since() {
    let mut site = Site::new("emptied");
    site.write("app.log", "");
    let mut watch = site.watch(&["app.log"]);
    site.poll(&mut watch);
    site.append("app.log", enqueue(1) + &enqueue(2));
    site.poll(&mut watch);
    site.write("app.log", enqueue(3));
    site.poll(&mut watch);
    assert_eq!(site.counts(), (3, 0, 0), "it is shorter");
    site.write("app.log", enqueue(4) + &enqueue(5));
    site.poll(&mut watch);
    assert_eq!(site.counts(), (5, 0, 0), "it is longer, and begins otherwise");
    assert_eq!(site.notices, vec![Notice::Emptied { path: site.path("app.log") }; 2]);
}

#[test]
fn a_file_that_is_removed_and_made_anew_is_followed() {
    let mut site = Site::new("removed");
    site.write("app.log", "");
    let mut watch = site.watch(&["app.log"]);
    site.poll(&mut watch);
    site.append("app.log", enqueue(1));
    site.remove("app.log");
    site.poll(&mut watch);
    site.write("app.log", enqueue(2));
    site.poll(&mut watch);
    site.remove("app.log");
    site.now_s += 61.0;
    site.poll(&mut watch);
    site.now_s += 61.0;
    site.poll(&mut watch);
    site.write("app.log", enqueue(3));
    site.poll(&mut watch);
    assert_eq!(site.counts(), (3, 0, 0));
}

#[test]
fn a_restart_goes_on_where_it_was_left() {
    let mut site = Site::new("restart");
    site.write("app.log", "");
    let mut watch = site.watch(&["app.log"]);
    site.poll(&mut watch);
    site.append("app.log", enqueue(1) + &enqueue(2)[..30]);
    site.pass(&mut watch, 1);
    drop(watch);
    site.append("app.log", &enqueue(2)[30..]);
    site.append("app.log", enqueue(3));
    site.now_s += 3_600.0;
    let mut watch = site.watch(&["app.log"]);
    site.poll(&mut watch);
    site.append("app.log", enqueue(4));
    site.pass(&mut watch, 1);
    assert_eq!(site.counts(), (4, 0, 0));
}

#[test]
fn a_file_begun_at_its_end_is_missed_from_there_on() {
    let mut site = Site::new("begun");
    site.write("app.log", enqueue(1));
    let mut watch = site.watch(&["app.log"]);
    site.poll(&mut watch);
    // It dies before it has read or looked at anything.
    drop(watch);
    site.append("app.log", enqueue(2));
    let mut watch = site.watch(&["app.log"]);
    site.poll(&mut watch);
    assert_eq!(site.counts(), (1, 0, 0));
}

#[test]
fn what_happened_to_a_file_while_nobody_looked_costs_nothing_that_is_still_there() {
    let mut site = Site::new("meanwhile");
    for name in ["rotated.log", "emptied.log", "grown.log"] {
        site.write(name, "");
    }
    let names = ["rotated.log", "emptied.log", "grown.log", "new.log"];
    let mut watch = site.watch(&names);
    site.poll(&mut watch);
    for (name, n) in [("rotated.log", 1), ("emptied.log", 2), ("grown.log", 3)] {
        site.append(name, enqueue(n));
    }
    site.pass(&mut watch, 1);
    drop(watch);
    site.append("rotated.log", enqueue(4));
    site.rename("rotated.log", "rotated.log.1");
    site.write("rotated.log", enqueue(5));
    site.write("emptied.log", "");
    site.write("grown.log", enqueue(6) + &enqueue(7));
    site.write("new.log", enqueue(8));
    site.now_s += 600.0;
    let mut watch = site.watch(&names);
    site.pass(&mut watch, 1);
    assert_eq!(site.counts(), (8, 0, 0));
    drop(watch);
    site.remove("rotated.log");
    let mut watch = site.watch(&names);
    site.pass(&mut watch, 1);
    let lost =
        |notice: &Notice| matches!(notice, Notice::Lost { path, .. } if *path == site.path("rotated.log"));
    assert!(site.notices.iter().any(lost), "{:?}", site.notices);
    assert_eq!(site.counts(), (8, 0, 0));
}

#[test]
fn a_file_that_was_made_after_the_last_run_is_read_from_its_beginning() {
    let mut site = Site::new("made-since");
    site.write("app.log", "");
    // Runs of the past, as the clock of the file system sees it.
    let mut watch = site.watch(&["app.log"]);
    site.pass(&mut watch, 1);
    drop(watch);
    site.write("other.log", enqueue(1));
    let mut watch = site.watch(&["app.log", "other.log"]);
    site.pass(&mut watch, 1);
    assert_eq!(site.counts(), (1, 0, 0));
}

#[test]
fn a_process_that_dies_at_any_write_loses_nothing_and_counts_nothing_twice() {
    let mut deaths = 0;
    for death in [Death::Before, Death::After] {
        for last in 0.. {
            let mut site = Site::new(&format!("death-{death:?}-{last}"));
            let mortal = Mortal::new(site.table.clone(), last, death);
            let names = ["app.log", "worker.log"];
            let has_died = story(&mut site, &names, Some(&mortal));
            assert_eq!(site.counts(), (5, 4, 4), "{death:?} at write {last}");
            if !has_died {
                break;
            }
            deaths += 1;
        }
    }
    assert!(deaths > 60, "{deaths}");
}

/// Five jobs of which four are processed, over two files that are rotated. The process may die, and is started again.
fn story(site: &mut Site, names: &[&str], mortal: Option<&Mortal>) -> bool {
    for name in names {
        site.write(name, "");
    }
    let mut watch = mortal.map(|mortal| site.try_watch(names, mortal)).and_then(Result::ok);
    let mut has_died = false;
    let steps: [&dyn Fn(&Site); 5] = [
        &|_| {},
        &|site| site.append("app.log", enqueue(1) + &enqueue(2)),
        &|site| site.append("worker.log", start(1) + &success(1) + &start(2)),
        &|site| {
            site.append("app.log", enqueue(3) + &enqueue(4));
            site.rename("app.log", "app.log.1");
            site.append("worker.log", success(2) + &start(3) + &success(3));
        },
        &|site| {
            site.append("app.log", enqueue(5));
            site.append("worker.log", start(4) + &success(4));
        },
    ];
    for step in steps {
        step(site);
        for _ in 0..2 {
            let mut alive = watch.take().unwrap_or_else(|| site.watch(names));
            let swept = site.try_poll(&mut alive).map(|()| settled(alive.sweep(site.now())));
            assert!(!matches!(swept, Ok(Ok(Swept::Stood))), "nobody else is at work, whoever died");
            let is_well = matches!(swept, Ok(Ok(_)));
            has_died |= !is_well;
            site.now_s += if is_well { 1.0 } else { 30.0 };
            watch = is_well.then_some(alive);
        }
    }
    has_died
}

#[test]
fn old_lines_are_from_when_they_say_and_tell_at_once_what_has_waited_too_long() {
    let mut site = Site::new("old");
    site.is_from_start = true;
    let done = enqueue_at(1, "2026-01-05 07:30:00") + &success_at(1, "2026-01-05T07:31:00.000000+00:00");
    site.write("app.log", format!("no time\n{done}{}", enqueue_at(2, "2026-01-05 08:00:00")));
    let mut watch = site.watch(&["app.log"]);
    assert!(!watch.is_caught_up());
    site.poll(&mut watch);
    assert!(watch.is_caught_up());
    site.sweep(&mut watch);
    assert_eq!(subjects(&mut watch), ["ALARM app redis:default: no job started for 1 h, 1 waiting"]);
    site.append("app.log", enqueue_at(3, "2026-01-05 08:00:00"));
    site.pass(&mut watch, 2);
    assert_eq!(subjects(&mut watch).len(), 1, "a line that is written now is from now");
}

#[test]
fn what_is_read_again_after_a_crash_is_from_when_it_was_read_first() {
    let mut site = Site::new("again");
    // What the lines themselves say cannot be true.
    site.now_s = 100.0;
    site.write("app.log", "");
    site.write("worker.log", "");
    let names = ["app.log", "worker.log"];
    let mut watch = site.watch(&names);
    site.poll(&mut watch);
    site.append("app.log", enqueue(1));
    site.poll(&mut watch);
    site.append("worker.log", start(1));
    site.poll(&mut watch);
    site.append("worker.log", success(1));
    site.poll(&mut watch);
    // It dies before a look, and is started again half a minute later: the enqueue is read again, the start is not.
    drop(watch);
    site.now_s += 30.0;
    let mut watch = site.watch(&names);
    site.pass(&mut watch, 1);
    assert_eq!(watch.metrics().get(Metric::Pending), 0);
    assert_eq!(site.counts(), (1, 1, 1));
}

#[test]
fn old_lines_that_are_read_again_are_from_when_they_say() {
    let mut site = Site::new("old-again");
    site.is_from_start = true;
    // More than is read at once: what was read first is written down at once, what was read last is not.
    let noise = "10.0.0.1 - - [05/Jan/2026:07:00:00 +0000] \"GET / HTTP/1.1\" 200 12\n".repeat(20_000);
    site.write("app.log", noise + &enqueue_at(1, "2026-01-05 08:00:00"));
    let mut watch = site.watch(&["app.log"]);
    site.poll(&mut watch);
    drop(watch);
    let mut watch = site.watch(&["app.log"]);
    site.pass(&mut watch, 1);
    assert_eq!(subjects(&mut watch), ["ALARM app redis:default: no job started for 1 h, 1 waiting"]);
}

#[test]
fn no_sweep_is_due_before_everything_is_read_that_was_there() {
    let mut site = Site::new("due");
    site.is_from_start = true;
    site.write("app.log", "10.0.0.1 - - \"GET / HTTP/1.1\" 200 12\n".repeat(100_000));
    let mut watch = site.watch(&["app.log"]);
    while !watch.is_caught_up() {
        assert!(!watch.is_due(site.now()));
        // However long it takes.
        site.now_s += 50.0;
        settled(watch.poll(site.now())).unwrap();
    }
    assert!(site.now_s > 150.0, "several reads");
    assert!(watch.is_due(site.now()));
    site.sweep(&mut watch);
    assert!(!watch.is_due(site.now()));
}

#[test]
fn a_printed_time_that_cannot_be_true_is_not_believed() {
    let mut site = Site::new("zone");
    site.is_from_start = true;
    // Nine hours ahead: a clock in Tokyo that prints no offset.
    site.write("app.log", enqueue_at(1, "2026-01-05 17:59:00"));
    site.policy.grace_ms = 5_000;
    let mut watch = site.watch(&["app.log"]);
    site.pass(&mut watch, 7);
    assert_eq!(subjects(&mut watch), ["ALARM app redis:default: no job started for 5 s, 1 waiting"]);
}

#[test]
fn what_was_written_while_the_machine_slept_is_from_when_it_says() {
    let mut site = Site::new("slept");
    site.write("app.log", "");
    let mut watch = site.watch(&["app.log"]);
    site.poll(&mut watch);
    // The lid is closed after a few seconds, and opened an hour later.
    site.append("app.log", enqueue_at(1, "2026-01-05 09:00:04") + &enqueue_at(2, "2026-01-04 09:00:00"));
    site.now_s = 3_600.0;
    site.poll(&mut watch);
    site.sweep(&mut watch);
    assert_eq!(subjects(&mut watch), ["ALARM app redis:default: no job started for 1 h, 2 waiting"]);
}

#[test]
fn a_pattern_takes_in_what_comes_and_reads_a_file_under_one_name_only() {
    let mut site = Site::new("pattern");
    site.write("a.log", enqueue(1));
    site.write("a.log.1", enqueue(7));
    site.write("notes.txt", enqueue(2));
    let mut watch = site.watch(&["*.log*"]);
    site.pass(&mut watch, 2);
    site.append("a.log", enqueue(3));
    site.pass(&mut watch, 2);
    site.rename("a.log.1", "a.log.2");
    site.rename("a.log", "a.log.1");
    site.write("a.log", enqueue(4));
    site.write("b.log", enqueue(5));
    site.pass(&mut watch, 2);
    assert_eq!(site.counts(), (3, 0, 0));
    // Again, beyond the time that a rotated file is read on.
    site.rename("a.log.2", "a.log.3");
    site.rename("a.log.1", "a.log.2");
    site.rename("a.log", "a.log.1");
    site.write("a.log", enqueue(6));
    site.pass(&mut watch, 70);
    site.rename("b.log", "c.log");
    site.pass(&mut watch, 70);
    assert_eq!(site.counts(), (4, 0, 0));
    let is_followed = |watch: &site::Watching, name| watch.inputs().streams().any(|it| it.ends_with(name));
    assert!(
        is_followed(&watch, "/c.log") && !is_followed(&watch, "/b.log"),
        "what is gone is not waited for"
    );
    // Nor is anything read again by another process, whatever is renamed meanwhile, unless it has grown.
    drop(watch);
    site.rename("a.log.3", "a.log.4");
    site.rename("a.log.2", "a.log.3");
    site.rename("a.log.1", "a.log.2");
    site.rename("a.log", "a.log.1");
    site.append("a.log.4", enqueue(8));
    let mut watch = site.watch(&["*.log*"]);
    site.pass(&mut watch, 70);
    assert_eq!(site.counts(), (5, 0, 0));
}

#[test]
fn a_rotated_file_that_was_read_is_not_read_again_when_it_is_named_itself() {
    let mut site = Site::new("named-later");
    site.write("app.log", "");
    let mut watch = site.watch(&["app.log"]);
    site.poll(&mut watch);
    site.append("app.log", enqueue(1));
    site.rename("app.log", "app.log.1");
    site.write("app.log", enqueue(2));
    site.pass(&mut watch, 70);
    drop(watch);
    site.is_from_start = true;
    let mut watch = site.watch(&["app.log", "app.log.1"]);
    site.pass(&mut watch, 2);
    assert_eq!(site.counts(), (2, 0, 0));
}

#[test]
fn a_pipe_is_read_to_its_end_and_its_last_line_is_one() {
    let site = Site::new("pipe");
    let text = format!("{}{}{}", enqueue(1), start(1), success(1).trim_end());
    let mut inputs = Inputs::default();
    inputs.add_pipe(Pipe::new("stdin", "test", std::io::Cursor::new(text)));
    let table = Mortal::new(site.table.clone(), usize::MAX, Death::Before);
    let mut watch = site.try_watch_of(inputs, &table).unwrap();
    while !watch.has_ended() {
        settled(watch.poll(site.now())).unwrap();
    }
    assert_eq!(site.counts(), (1, 1, 1));
}

/// One with an empty log, where four seconds are a long wait.
fn of_seconds(name: &str) -> Site {
    let mut site = Site::new(name);
    site.policy.grace_ms = 4_000;
    site.write("app.log", "");
    site
}

#[test]
fn stalls_of_seconds_reopen_or_are_told_apart() {
    let mut site = of_seconds("seconds");
    let mut watch = site.watch(&["app.log"]);
    site.poll(&mut watch);
    site.append("app.log", enqueue(1));
    site.pass(&mut watch, 6);
    // One more waits when the first one is started, and is as badly off soon after.
    site.append("app.log", enqueue(2));
    site.pass(&mut watch, 1);
    site.append("app.log", start(1) + &success(1));
    site.pass(&mut watch, 6);
    site.append("app.log", start(2) + &success(2));
    // Long enough that it does not come and go.
    site.pass(&mut watch, 80);
    site.append("app.log", enqueue(3));
    site.pass(&mut watch, 6);
    site.append("app.log", start(3) + &success(3));
    site.pass(&mut watch, 2);
    let said: Vec<&str> = watch.alarms_mut().sent.iter().map(|letter| letter.notification.as_str()).collect();
    assert_eq!(
        said,
        [
            "stalled-redis-default-20260105T0900Z/1",
            "stalled-redis-default-20260105T0900Z/2",
            "stalled-redis-default-20260105T0900Z/3",
            "stalled-redis-default-20260105T0900Z/4",
            "stalled-redis-default-20260105T0901Z/1",
            "stalled-redis-default-20260105T0901Z/2",
        ]
    );
}

#[test]
fn a_silence_counts_from_when_somebody_listened() {
    let mut site = Site::new("silence");
    site.policy.deployment = Deployment::Folder("/var/lib/queuewatch".to_owned());
    site.write("app.log", "");
    let mut watch = site.watch(&["app.log"]);
    for _ in 0..30 {
        site.append("app.log", "10.0.0.1 - - \"GET / HTTP/1.1\" 200 12\n");
        site.now_s += 40.0;
        site.pass(&mut watch, 1);
    }
    drop(watch);
    site.now_s += 60.0 * 3_600.0;
    let mut watch = site.watch(&["app.log"]);
    site.pass(&mut watch, 2);
    assert_eq!(subjects(&mut watch), Vec::<String>::new(), "a weekend");
    site.now_s += 8.0 * 3_600.0;
    site.pass(&mut watch, 2);
    assert_eq!(subjects(&mut watch), Vec::<String>::new(), "a night with the lid closed");
    for _ in 0..32 {
        site.now_s += 58.0;
        site.pass(&mut watch, 1);
    }
    assert_eq!(subjects(&mut watch), ["ALARM app: a log file is silent"]);
    let body = &watch.alarms_mut().sent.last().unwrap().body;
    assert!(body.contains("into the files that are watched"), "{body}");
    assert!(!body.contains("aws ") && !body.contains("subscription"), "{body}");
}

/// Closes the only incident that there is.
fn close() -> Command {
    Command::Close { id: "stalled-redis-default-20260105T0900Z".to_owned(), reason: "flushed".to_owned() }
}

#[test]
fn a_closed_incident_is_told_once_and_its_jobs_never_again() {
    let mut site = of_seconds("closed");
    let mut watch = site.watch(&["app.log"]);
    site.poll(&mut watch);
    site.append("app.log", enqueue(1));
    site.pass(&mut watch, 6);
    settled(watch.apply_command(&close(), site.now())).unwrap();
    let said = [
        "ALARM app redis:default: no job started for 4 s, 1 waiting",
        "OK app redis:default: stall closed by hand: flushed",
    ];
    assert_eq!(subjects(&mut watch), said);
    let again = settled(watch.apply_command(&close(), site.now()));
    assert!(matches!(again, Err(WatchError::Command(AppError::NoSuchIncident))), "{again:?}");
    site.pass(&mut watch, 10);
    // As long as three reminders would take.
    for hours in [1.0, 4.0, 24.0] {
        site.now_s += hours * 3_600.0;
        site.pass(&mut watch, 2);
    }
    assert_eq!(subjects(&mut watch), said);
}

#[test]
fn a_silence_holds_a_page_back_until_its_end() {
    let mut site = of_seconds("silenced");
    let mut watch = site.watch(&["app.log"]);
    site.poll(&mut watch);
    let until = site.now().plus_ms(60_000);
    let silence = Silence { queue: "def*".to_owned(), until, reason: "migration".to_owned() };
    settled(watch.apply_command(&Command::Silence(silence), site.now())).unwrap();
    site.append("app.log", enqueue(1));
    site.pass(&mut watch, 30);
    // It outlives the process.
    drop(watch);
    let mut watch = site.watch(&["app.log"]);
    site.pass(&mut watch, 28);
    assert_eq!(subjects(&mut watch), Vec::<String>::new());
    site.pass(&mut watch, 4);
    assert_eq!(subjects(&mut watch), ["ALARM app redis:default: no job started for 59 s, 1 waiting"]);
}

#[test]
fn an_incident_that_is_closed_while_the_process_dies_is_closed_by_the_next_one_and_told() {
    let mut deaths = 0;
    for death in [Death::Before, Death::After] {
        for last in 0.. {
            let mut site = of_seconds(&format!("closing-{death:?}-{last}"));
            let mut watch = site.watch(&["app.log"]);
            site.poll(&mut watch);
            site.append("app.log", enqueue(1));
            site.pass(&mut watch, 6);
            drop(watch);
            let mut watch = site.try_watch(&["app.log"], &Mortal::new(site.table.clone(), last, death));
            let applied =
                watch.as_mut().map(|watch| settled(watch.apply_command(&close(), site.now())).is_ok());
            let has_died = !matches!(applied, Ok(true));
            let mut said = watch.as_mut().map(subjects).unwrap_or_default();
            site.now_s += 1.0;
            let mut next = site.watch(&["app.log"]);
            let again = settled(next.apply_command(&close(), site.now()));
            assert!(
                matches!(again, Ok(()) | Err(WatchError::Command(AppError::NoSuchIncident))),
                "{again:?}"
            );
            site.pass(&mut next, 10);
            said.extend(subjects(&mut next));
            let told = said.len();
            said.dedup();
            assert_eq!(
                said,
                ["OK app redis:default: stall closed by hand: flushed"],
                "{death:?} at write {last}"
            );
            assert!(told == 1 || (told == 2 && has_died), "{death:?} at write {last}: {told} times");
            if !has_died {
                break;
            }
            deaths += 1;
        }
    }
    assert!(deaths >= 6, "{deaths}");
}
