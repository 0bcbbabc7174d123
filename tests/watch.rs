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
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use watched::{Folder, Watched, enqueue, posted, server, start, success};

#[test]
fn a_job_that_nobody_starts_is_an_alarm_and_its_start_the_recovery() {
    let folder = Folder::new("alarm");
    folder.append("app.log", "");
    let mut watch = Watched::of(&folder, &["--grace", "1s", "app.log", "worker.log"]);
    watch.says("worker.log is not there yet");
    folder.append("app.log", enqueue(1));
    let header = watch.prints("ALARM app redis:default: no job started for ");
    assert!(header.starts_with("── ALARM") && header.ends_with('─'), "{header:?}");
    watch.prints("app: jobs on redis:default have waited since ");
    folder.append("worker.log", start(1));
    folder.append("worker.log", success(1));
    watch.prints("OK app redis:default: jobs start again, ");
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
    folder.append("url.toml", "[notify]\nwebhook = \"https://chat example/x\"");
    folder.append("bad/journal.jsonl", "notes\n");
    for (arguments, words) in [
        (&["--config", "broken.toml", "app.log"][..], "broken.toml: line 2, column 9: stall.grace:"),
        (&["--config", "absent.toml", "app.log"], "cannot read the configuration absent.toml"),
        (
            &["--config", "url.toml", "app.log"],
            "url.toml: line 2, column 11: notify.webhook: it must begin with",
        ),
        (&["--state", "bad", "app.log"], "is not a journal that this queuewatch can read"),
        (&["--state", "app.log", "app.log"], "cannot use the folder app.log"),
        (&["bad"], "bad is a folder: name files, or all that it will ever hold as 'bad/*.log'"),
        (&["/dev/null"], "/dev/null is no file that can be read again"),
        (&["-", "-"], "`-` is given twice"),
        (
            &["logs/*/x*.log"],
            "logs/*/x*.log: `*` and `?` are read in a file's name, not in a folder's (logs/*)",
        ),
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
    watch.prints("ALARM app redis:default: no job started for ");
    let first = posted(&bodies);
    assert_eq!(first, posted(&bodies), "the same once more, since the first was refused");
    watch.says("/1 is not delivered and will be tried again: the command `sh` failed with exit status: 1");
    folder.append("willing", "");
    folder.append("app.log", success(1));
    watch.prints("OK app redis:default: no job waits any more, ");
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
    watch.prints("ALARM app redis:default: no job started for ");
    posted(&bodies);
    folder.append("app.log", success(1));
    watch.prints("OK app redis:default: jobs start again, ");
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

/// Runs a line as it is typed in some other folder, by a shell that knows where queuewatch is.
fn typed(line: &str) -> Output {
    let programs = Path::new(env!("CARGO_BIN_EXE_queuewatch")).parent().unwrap();
    let path = format!("{}:/usr/bin:/bin", programs.display());
    Command::new("sh").args(["-c", line]).env("PATH", path).current_dir("/").output().unwrap()
}

/// What `queuewatch` with these arguments says in a folder, and its exit status.
fn answered(folder: &Folder, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_queuewatch"));
    let output = command.args(arguments).current_dir(folder.path("")).output().unwrap();
    assert_eq!(output.stdout, b"");
    (output.status.code().unwrap_or(-1), String::from_utf8(output.stderr).unwrap())
}

/// The names of what lies in the inbox.
fn inbox(folder: &Folder) -> Vec<String> {
    let entries = fs::read_dir(folder.path(".queuewatch/inbox")).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// A stall, and the lines of its alarm that close the incident and silence its queue.
fn stalled(folder: &Folder) -> (Watched, String, String) {
    folder.append("app.log", "");
    let mut watch = Watched::of(folder, &["--grace", "1s", "app.log", "worker.log"]);
    watch.says("worker.log is not there yet");
    folder.append("app.log", enqueue(1));
    watch.prints("Close");
    let close = watch.prints("");
    watch.prints("Silence for 4 h");
    let silence = watch.prints("");
    (watch, close, silence)
}

#[test]
fn an_alarm_is_closed_by_the_command_that_it_prints() {
    let folder = Folder::new("close");
    let (mut watch, close, _) = stalled(&folder);
    for line in &watch.printed {
        assert!(
            !line.contains("aws ") && !line.contains('$') && !line.contains("CloudWatch"),
            "not here: {line}"
        );
    }
    let output = typed(&close);
    assert!(output.status.success(), "{close}\n{output:?}");
    watch.prints("OK app redis:default: stall closed by hand: WHY");
    watch.says("is closed by hand: WHY");
    assert_eq!(inbox(&folder), Vec::<String>::new());
    let ended = watch.stop();
    assert!(!ended.printed.iter().any(|line| line.starts_with("──")), "once: {:?}", ended.printed);
    let again = typed(&close);
    assert_eq!(again.status.code(), Some(2));
    let said = String::from_utf8(again.stderr).unwrap();
    assert!(said.contains("/.queuewatch, nor any other"), "{said}");
    let mut next = Watched::of(&folder, &["--grace", "1s", "app.log"]);
    next.says("watching");
    let ended = next.stop();
    assert!(ended.printed.is_empty(), "{:?}", ended.printed);
}

#[test]
fn what_is_asked_for_while_no_watch_is_at_work_is_done_by_the_next_one() {
    let folder = Folder::new("close-later");
    let (watch, close, _) = stalled(&folder);
    watch.kill();
    assert!(typed(&close).status.success());
    let mut next = Watched::of(&folder, &["--grace", "1s", "app.log"]);
    next.prints("OK app redis:default: stall closed by hand: WHY");
    assert_eq!(next.stop().status, 0);
    assert_eq!(inbox(&folder), Vec::<String>::new());
}

#[cfg(target_os = "linux")]
#[test]
fn a_watch_that_dies_while_it_closes_an_incident_leaves_it_to_the_next_one() {
    let folder = Folder::new("close-dies");
    let (watch, close, _) = stalled(&folder);
    assert_eq!(watch.stop().status, 0);
    assert!(typed(&close).status.success());
    // The journal may grow by what a start writes, and the kernel ends whoever writes more: what was decided.
    let blocks = (folder.size(".queuewatch/journal.jsonl") + 1_024) / 512;
    let program = env!("CARGO_BIN_EXE_queuewatch");
    let script = format!("ulimit -c 0; ulimit -f {blocks}; exec {program} watch --grace 1s app.log");
    let died = Command::new("sh").args(["-c", &script]).current_dir(folder.path("")).output().unwrap();
    assert!(died.status.code().is_none(), "a signal ends it: {died:?}");
    assert!(!String::from_utf8(died.stdout).unwrap().contains("closed by hand"));
    assert_eq!(inbox(&folder).len(), 1, "it is still asked for");
    let mut next = Watched::of(&folder, &["--grace", "1s", "app.log"]);
    next.prints("OK app redis:default: stall closed by hand: WHY");
    let ended = next.stop();
    assert!(!ended.printed.iter().any(|line| line.starts_with("──")), "once: {:?}", ended.printed);
}

#[test]
fn a_queue_is_silenced_by_the_command_that_the_alarm_prints() {
    let folder = Folder::new("silence");
    let (mut watch, _, silence) = stalled(&folder);
    let output = typed(&silence);
    assert!(output.status.success(), "{silence}\n{output:?}");
    watch.says("pages of queue default wait until");
    let (status, said) = answered(&folder, &["silence", "nosuch", "--until", "2h", "--reason", "r"]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("no queue nosuch has been seen; there are default\n"), "{said}");
    let odd = ["silence", "--until", "2999-01-01T00:00:00Z", "--reason", "r", "--", "-rf"];
    assert_eq!(answered(&folder, &odd).0, 0);
    watch.says("pages of queue -rf wait until 2999-01-01T00:00:00.000Z: r");
    assert_eq!(watch.stop().status, 0);
    let mut next = Watched::of(&folder, &["--grace", "1s", "app.log"]);
    next.says("watching");
    assert!(next.stop().printed.is_empty());
}

#[test]
fn an_alarm_is_answered_in_a_word() {
    let folder = Folder::new("word");
    let (mut watch, close, _) = stalled(&folder);
    let id = close.split(' ').nth(2).unwrap();
    assert_eq!(answered(&folder, &["answer", "stalled", "seen", "--by", "anna"]).0, 0);
    watch.says(&format!("{id} is seen by anna"));
    assert_eq!(answered(&folder, &["answer", id, "silence", "2h"]).0, 0);
    watch.says(&format!("messages of {id} and its queue wait until"));
    assert_eq!(answered(&folder, &["answer", id, "close", "--reason", "flushed"]).0, 0);
    watch.says(&format!("{id} is closed by hand: flushed"));
    assert_eq!(watch.stop().status, 0);
}

#[test]
fn what_cannot_be_asked_for_is_said_with_what_can() {
    let folder = Folder::new("answers");
    let (watch, close, _) = stalled(&folder);
    assert_eq!(watch.stop().status, 0);
    let id = close.split(' ').nth(2).unwrap();
    let open = format!("no incident stalled-x is open in .queuewatch. Open are:\n  {id}\n");
    let until = |until| ["silence", "default", "--reason", "r", "--until", until];
    for (arguments, words) in [
        (&["close", "stalled-x", "--reason", "r"][..], open.as_str()),
        (
            &["close", id, "--reason", "r", "--state", "other"],
            "other holds no state of a watch: name its folder",
        ),
        (&["close", id], "--reason"),
        (&["answer", "stalled-x", "seen"], open.as_str()),
        (&["answer", id, "silence"], "<DURATION>"),
        (&["answer", id, "silence", "soon"], "DURATION"),
        (&["answer", id, "seen", "2h"], "only `silence` lasts"),
        (&["answer", id, "shrug"], "invalid value 'shrug'"),
        (
            &until("tomorrow"),
            "`tomorrow` is no RFC 3339 time with an offset: write it as in `queuewatch silence",
        ),
        (&until("2026-12-01T18:00:00"), "no RFC 3339 time with an offset"),
        (&until("2020-01-01T00:00:00Z"), "is over: write a time to come, such as 2"),
        (&["silence", " ", "--reason", "r", "--until", "2999-01-01T00:00:00Z"], "silence.queue is empty"),
    ] {
        let (status, said) = answered(&folder, arguments);
        assert_eq!(status, 2, "{arguments:?}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
    assert_eq!(inbox(&folder), Vec::<String>::new());
    // Written by hand, and not by these commands.
    fs::create_dir_all(folder.path(".queuewatch/inbox/0.json")).unwrap();
    folder.append(".queuewatch/inbox/1.json", "{\"close\": 7}");
    folder.append(".queuewatch/inbox/2.json", r#"{"tick": true}"#);
    folder.append(".queuewatch/inbox/3.json", r#"{"close": "stalled-x", "reason": "r"}"#);
    folder.append(".queuewatch/inbox/4.part", r#"{"close": "#);
    let mut next = Watched::of(&folder, &["--grace", "1s", "app.log"]);
    next.says("cannot read .queuewatch/inbox/0.json: let the one who runs queuewatch watch do it");
    let first = next.says("inbox/1.json is not understood: close: invalid type: integer `7`");
    assert!(
        first.ends_with("`queuewatch silence` write what is; it is .queuewatch/inbox/1.refused now"),
        "{first}"
    );
    next.says("inbox/2.json is not understood: it holds none of `seen`, `silence` and `close`");
    next.says("stalled-x is not open: there is nothing to close");
    assert!(!next.stop().printed.iter().any(|line| line.starts_with("──")));
    let mut left = inbox(&folder);
    left.sort();
    assert_eq!(left, ["0.json", "1.refused", "2.refused", "4.part"]);
}

#[test]
fn a_watch_that_keeps_nothing_prints_no_command_that_would_find_nobody() {
    let folder = Folder::new("no-answer");
    folder.append("app.log", enqueue(1));
    let mut watch = Watched::of(&folder, &["--no-state", "--from-start", "--grace", "1s", "app.log"]);
    watch.prints("ALARM app redis:default: no job started for ");
    watch.prints("Incident: ");
    let ended = watch.stop();
    let all = ended.printed.join("\n");
    assert!(!all.contains("Close") && !all.contains("Silence") && !all.contains("aws "), "{all}");
}
