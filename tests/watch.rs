//! `queuewatch watch` itself, on files that grow: what it says, what it survives, and that it counts nothing twice.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a command that does not run must fail the test, and test helpers are outside clippy's exemption"
)]

#[path = "support/watched.rs"]
mod watched;

use std::fs;

use serde_json::Value;
use watched::{Folder, Watched, enqueue, posted, server, start, success};

#[test]
fn a_job_that_nobody_starts_is_an_alarm_and_its_start_the_recovery() {
    let folder = Folder::new("alarm");
    folder.append("app.log", "");
    let mut watch = Watched::of(&folder, &["--grace", "1s", "app.log", "worker.log"]);
    watch.says("worker.log is not there yet");
    folder.append("app.log", enqueue(1));
    let header = watch.prints("ALARM app redis:default stalled");
    assert!(header.starts_with("── ALARM") && header.ends_with('─'), "{header:?}");
    watch.prints("ALARM queue stalled: jobs wait and none is started");
    folder.append("worker.log", start(1));
    folder.append("worker.log", success(1));
    watch.prints("OK app redis:default moves again");
    let ended = watch.stop();
    assert_eq!(ended.status, 0);
    assert!(ended.said.iter().any(|line| line == "queuewatch: stopped after 3 lines"), "{:?}", ended.said);
    assert_eq!(folder.counts(), [1, 1, 1]);
}

#[test]
fn standard_input_is_watched_to_its_end() {
    let folder = Folder::new("stdin");
    let mut watch = Watched::of(&folder, &["--grace", "1s", "--format", "json", "--exit-code", "-"]);
    watch.write(&enqueue(1));
    let json: Value = serde_json::from_str(&watch.prints("")).unwrap();
    assert_eq!((&json["schema"], &json["notification"]["state"]), (&1.into(), &"firing".into()));
    assert_eq!(
        (&json["incident"]["kind"], &json["incident"]["queue"]),
        (&"stalled".into(), &"default".into())
    );
    watch.write(&start(1));
    watch.write(success(1).trim_end());
    let ended = watch.ended();
    assert_eq!(ended.status, 1, "somebody was notified");
    // The end of input is followed by a last look.
    let [resolved] = &ended.printed[..] else { panic!("{:?}", ended.printed) };
    let json: Value = serde_json::from_str(resolved).unwrap();
    assert_eq!(json["notification"]["state"], "resolved");
    assert_eq!(folder.counts(), [1, 1, 1]);
    let quiet = Watched::of(&folder, &["--exit-code", "-"]);
    assert_eq!(quiet.ended().status, 0, "nobody was");
}

#[test]
fn killed_again_and_again_it_counts_each_line_once() {
    const JOBS: u32 = 1_500;
    let folder = Folder::new("killed");
    folder.append("app.log", (0..JOBS).map(enqueue).collect::<String>());
    folder.append("worker.log", (0..JOBS).map(|n| start(n) + &success(n)).collect::<String>());
    let arguments = ["--from-start", "app.log", "worker.log"];
    for kilobytes in [30, 300, 700] {
        let mut watch = Watched::of(&folder, &arguments);
        watch.waits_for(|| folder.size(".queuewatch/journal.jsonl") > kilobytes * 1024);
        watch.kill();
    }
    let mut watch = Watched::of(&folder, &arguments);
    watch.says("lines that were there; following");
    folder.append("app.log", enqueue(JOBS));
    assert_eq!(watch.stop().status, 0);
    assert_eq!(folder.counts(), [JOBS + 1, JOBS, JOBS].map(u64::from));
}

#[test]
fn a_second_watch_of_the_same_folder_is_refused() {
    let folder = Folder::new("second");
    folder.append("app.log", "");
    let mut first = Watched::of(&folder, &["app.log"]);
    first.says("watching");
    let second = Watched::of(&folder, &["app.log"]).ended();
    assert_eq!(second.status, 2);
    assert_eq!(
        second.said,
        [
            "queuewatch: --state .queuewatch: .queuewatch is in use by another queuewatch: stop that one, or name \
             another folder"
        ]
    );
    let mut third = Watched::of(&folder, &["--state", "other", "app.log"]);
    third.says("watching");
    assert_eq!(third.stop().status, 0);
    let ended = first.stop();
    assert_eq!(ended.status, 0, "{:?}", ended.said);
    // The lock is gone with its holder.
    let mut fourth = Watched::of(&folder, &["app.log"]);
    fourth.says("watching");
    assert_eq!(fourth.stop().status, 0);
    assert_eq!(fs::read_to_string(folder.path(".queuewatch/.gitignore")).unwrap(), "*\n");
}

#[test]
fn without_state_nothing_is_left_behind() {
    let folder = Folder::new("no-state");
    folder.append("app.log", enqueue(1));
    let mut watch = Watched::of(&folder, &["--no-state", "--from-start", "--grace", "1s", "app.log"]);
    watch.prints("ALARM");
    assert_eq!(watch.stop().status, 0);
    assert_eq!(fs::read_dir(folder.path("")).unwrap().count(), 1);
}

#[test]
fn what_cannot_be_read_is_said_and_ends_with_2() {
    let folder = Folder::new("unreadable");
    folder.append("app.log", "");
    folder.append("broken.toml", "[stall]\ngrace = 5");
    folder.append("https.toml", "[notify]\nwebhook = \"https://chat.example/x\"");
    folder.append("bad/journal.jsonl", "notes\n");
    for (arguments, words) in [
        (&["--config", "broken.toml", "app.log"][..], "broken.toml: line 2, column 9: stall.grace:"),
        (&["--config", "absent.toml", "app.log"], "cannot read the configuration absent.toml"),
        (&["--config", "https.toml", "app.log"], "notify.webhook: watch speaks plain http only"),
        (&["--state", "bad", "app.log"], "is not a journal that this queuewatch can read"),
        (&["--state", "app.log", "app.log"], "cannot use the folder app.log"),
        (&["bad"], "bad is a folder: name files, or all that it will ever hold as 'bad/*.log'"),
        (&["/dev/null"], "/dev/null is no file that can be read again"),
        (&["-", "-"], "`-` is given twice"),
    ] {
        let ended = Watched::of(&folder, arguments).ended();
        assert_eq!(ended.status, 2, "{arguments:?}");
        assert!(ended.said.iter().any(|line| line.contains(words)), "{arguments:?}: {:?}", ended.said);
    }
}

#[test]
fn a_source_that_covers_nothing_is_said() {
    let folder = Folder::new("source");
    folder.append("aws.toml", "[[source]]\nlog_group = \"/ecs/*\"");
    folder.append("app.log", "");
    let mut watch = Watched::of(&folder, &["--config", "aws.toml", "app.log"]);
    watch
        .says("no [[source]] covers log group watch and log stream app.log: none of its lines says anything");
    let mut watch =
        Watched::of(&folder, &["--state", "s", "--log-group", "/ecs/x", "--config", "aws.toml", "app.log"]);
    watch.says("watching");
    assert!(!watch.stop().said.iter().any(|line| line.contains("[[source]]")));
}

#[test]
fn whoever_stops_reading_ends_it() {
    let folder = Folder::new("broken-pipe");
    folder.append("app.log", enqueue(1));
    let arguments = ["--from-start", "--grace", "1s", "--format", "json", "app.log"];
    assert_eq!(Watched::unheard(&folder, &arguments).ended().status, 0);
    // What nobody has read is still to be said.
    let mut watch = Watched::of(&folder, &["--grace", "1s", "--format", "json", "app.log"]);
    watch.prints("firing");
}

#[test]
fn a_command_and_a_webhook_get_the_json_until_they_take_it() {
    let folder = Folder::new("notify");
    let (url, bodies) = server(&[500, 204, 204]);
    let command = r#"["sh", "-c", "cat >> got; test -e willing"]"#;
    folder.append("q.toml", format!("[notify]\ncommand = {command}\nwebhook = \"{url}\"\n"));
    folder.append("app.log", enqueue(1));
    let arguments = ["--config", "q.toml", "--from-start", "--grace", "1s", "app.log"];
    let mut watch = Watched::of(&folder, &arguments);
    watch.prints("ALARM app redis:default stalled");
    let first = posted(&bodies);
    assert_eq!(first, posted(&bodies), "the same once more, since the first was refused");
    watch.says("/1 is not delivered and will be tried again: the command `sh` failed with exit status: 1");
    folder.append("willing", "");
    folder.append("app.log", success(1));
    watch.prints("OK app redis:default moves again");
    let second: Value = serde_json::from_str(&posted(&bodies)).unwrap();
    assert_eq!(second["notification"]["state"], "resolved");
    let ended = watch.stop();
    assert_eq!(ended.status, 0);
    assert!(ended.printed.iter().all(|line| !line.contains("ALARM")), "printed once: {:?}", ended.printed);
    let got = fs::read_to_string(folder.path("got")).unwrap();
    let lines: Vec<&str> = got.lines().collect();
    assert_eq!(lines[0], first, "the command gets what the webhook gets");
    assert!(lines.len() >= 3 && lines[lines.len() - 2] == first, "{lines:#?}");
    let last: Value = serde_json::from_str(lines[lines.len() - 1]).unwrap();
    assert_eq!(last, second);
    // What was taken is not sent again.
    let mut again = Watched::of(&folder, &arguments);
    again.says("watching");
    assert_eq!(again.stop().status, 0);
    assert_eq!(fs::read_to_string(folder.path("got")).unwrap(), got);
}

#[test]
fn a_command_that_hangs_holds_up_nobody() {
    let folder = Folder::new("hangs");
    let (url, bodies) = server(&[204]);
    folder.append("q.toml", format!("[notify]\ncommand = [\"sleep\", \"60\"]\nwebhook = \"{url}\"\n"));
    folder.append("app.log", enqueue(1));
    let mut watch = Watched::of(&folder, &["--config", "q.toml", "--from-start", "--grace", "1s", "app.log"]);
    watch.prints("ALARM app redis:default stalled");
    posted(&bodies);
    folder.append("app.log", success(1));
    watch.prints("OK app redis:default moves again");
    watch.kill();
    // What it was given is still to be delivered.
    fs::write(folder.path("q.toml"), "[notify]\ncommand = [\"sh\", \"-c\", \"cat >> got\"]\n").unwrap();
    let mut again = Watched::of(&folder, &["--config", "q.toml", "app.log"]);
    again.says("watching");
    assert_eq!(again.stop().status, 0);
    assert_eq!(fs::read_to_string(folder.path("got")).unwrap().lines().count(), 2);
}

#[test]
fn nothing_is_said_before_everything_is_read_that_was_there() {
    let folder = Folder::new("caught-up");
    folder.append("app.log", enqueue(1));
    // Several reads of lines that say nothing, and then that the job was done.
    folder.append("worker.log", "10.0.0.1 - - \"GET / HTTP/1.1\" 200 12\n".repeat(100_000));
    folder.append("worker.log", success(1));
    let arguments = ["--from-start", "--grace", "1s", "--exit-code", "app.log", "worker.log"];
    let mut watch = Watched::of(&folder, &arguments);
    watch.says("read 100002 lines that were there; following");
    let ended = watch.stop();
    assert_eq!(ended.status, 0, "{:?}", ended.printed);
    assert_eq!(folder.counts(), [1, 0, 1]);
}
