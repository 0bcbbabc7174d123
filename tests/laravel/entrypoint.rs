//! The founding entrypoint: a web server and a worker in one container, the worker in a loop, its output in a file.

use std::collections::BTreeMap;
use std::fs;

use crate::app::App;
use crate::process::{Line, Process};
use crate::verdict::verdict;

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
}
