//! The founding entrypoint: a web server and a worker in one container, the worker in a loop, its output in a file.

use std::collections::BTreeMap;
use std::fs;

use crate::app::{App, run};
use crate::process::{Line, Process, text};
use crate::readme::{HEADING, blocks};
use crate::verdict::{causes, verdict};

/// As it was, but for the pauses: what prints, and where to, is all that matters.
const FOUNDING: &str = r#"
echo "[Entrypoint] Step 5: Starting Laravel Queue Worker in background..."
QUEUE_LOGFILE="storage/logs/queue-$(date +%Y%m%d).log"
(
    echo "[$(date '+%Y-%m-%d %H:%M:%S')] Starting queue worker with driver: redis..." >> "$QUEUE_LOGFILE"
    while true; do
        php artisan queue:work redis --sleep=0.1 --tries=3 --max-time=60 --timeout=300 >> "$QUEUE_LOGFILE" 2>&1
        echo "[$(date '+%Y-%m-%d %H:%M:%S')] Queue worker stopped. Restarting in 5 seconds..." >> "$QUEUE_LOGFILE"
        sleep 5
    done
) &
echo "[Entrypoint] Queue Worker started with PID: $!"
echo "[Entrypoint] Queue Worker logs: $QUEUE_LOGFILE"
for job in plain plain plain; do php artisan app:dispatch $job; done
exec sleep 60
"#;

/// Runs an entrypoint until its worker's file is as is said, and returns what its container printed.
fn printed_by(app: &App, entrypoint: &str, is_done: impl Fn(&str, &[Line]) -> bool) -> Vec<Line> {
    let container = Process::start(app.command("bash").args(["-c", entrypoint]));
    container.wait_for("] Queue Worker logs: ", 1);
    let lines = container.lines();
    let file = lines.iter().find_map(|(_, line)| line.split_once("logs: ")).unwrap().1;
    let log = || fs::read_to_string(app.path(file)).unwrap_or_default();
    // The file prints nothing here that could be waited for.
    assert!((0..600).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        is_done(&log(), &container.lines())
    }));
    container.lines()
}

fn processed(text: &str) -> usize {
    text.matches(r"] Processed:  App\Jobs\Plain").count()
}

#[test]
fn output_in_a_file_looks_like_no_worker_although_every_job_is_processed() {
    let app = App::new("founding", "redis");
    let lines = printed_by(&app, FOUNDING, |log, _| processed(log) == 3);
    let verdict = verdict(&app.folder, &[("ecs/app/1", &lines)]);
    assert_eq!(verdict.incidents(), [("stalled", "redis", "default", false)]);
    assert_eq!(verdict.counts(), [3, 0, 0, 0, 0]);
    assert_eq!(verdict.states(), BTreeMap::from([(("Plain", "pending"), 3)]));
    // The alarm names the file, how to look into it, and how to have its lines seen.
    let stall = &verdict.rows("incidents")[0];
    assert_eq!(causes(stall)[0], "logs_not_forwarded");
    let body = stall["notifications"][0]["body"].as_str().unwrap();
    for told in ["(storage/logs/queue-", "tail -n 100 storage/logs/queue-"] {
        assert!(body.contains(told), "{told}: {body}");
    }
    let commands = stall["diagnosis"]["commands"].to_string();
    assert!(commands.contains("> >(tee -a storage/logs/queue-"), "{commands}");
}

/// The redirection that the README takes away, and what it puts in its place.
fn mend() -> (String, String) {
    let blocks = blocks("docs/getting-started.md", HEADING);
    let diff = &blocks.iter().find(|block| block.language == "diff").expect("the diff").text;
    let side =
        |sign: char| diff.lines().find_map(|line| line.strip_prefix(sign)).expect("both sides").to_owned();
    let (old, new) = (side('-'), side('+'));
    let cut = |line: &str| line.get(line.find(" >").expect("a redirection")..).unwrap().to_owned();
    (cut(&old), cut(&new))
}

#[test]
fn the_readmes_redirection_shows_every_line_and_keeps_the_file() {
    let app = App::new("mended", "redis");
    let (old, new) = mend();
    assert!(FOUNDING.contains(&old), "{old}");
    let mended = FOUNDING.replace(&old, &new);
    let lines = printed_by(&app, &mended, |log, lines| processed(log) == 3 && processed(&text(lines)) == 3);
    let verdict = verdict(&app.folder, &[("ecs/app/1", &lines)]);
    assert_eq!(verdict.incidents(), []);
    assert_eq!(verdict.counts(), [3, 3, 3, 0, 0]);
    assert_eq!(verdict.states(), BTreeMap::from([(("Plain", "processed"), 3)]));
}

#[test]
fn the_readmes_redirection_keeps_the_workers_status_and_its_process_id_and_a_pipe_does_not() {
    let app = App::new("status", "redis");
    let (_, new) = mend();
    let script = |output: &str| {
        format!(
            "QUEUE_LOGFILE=storage/logs/queue.log\n\
             php artisan queue:work --memory=1{output}; echo \"status $?\"\n\
             php artisan queue:work --max-time=5{output} &\n\
             until grep -q 'Worker started.*pid\":'\"$!\" $QUEUE_LOGFILE || [ \"$(cat /proc/$!/comm)\" = tee ]; do sleep 0.1; done\n\
             echo \"process $(cat /proc/$!/comm)\"; kill $!; wait $!; echo \"signalled $?\"\n"
        )
    };
    let told = |output: &str| {
        let lines = run(app.command("bash").args(["-c", &script(output)]));
        let ours = lines.into_iter().map(|(_, line)| line);
        ours.filter(|line| ["status ", "process ", "signalled "].iter().any(|word| line.starts_with(word)))
            .collect::<Vec<_>>()
    };
    assert_eq!(told(&new), ["status 12", "process php", "signalled 0"]);
    assert_eq!(told(r#" 2>&1 | tee -a "$QUEUE_LOGFILE""#), ["status 0", "process tee", "signalled 143"]);
}
