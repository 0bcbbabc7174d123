//! `queuewatch watch` itself, on files that grow: what it says, what it survives, and that it counts nothing twice.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a command that does not run must fail the test, and test helpers are outside clippy's exemption"
)]

#[path = "support/watched.rs"]
mod watched;

use watched::{Folder, Watched, enqueue, start, success};

#[test]
fn a_job_that_nobody_starts_is_an_alarm_and_its_start_the_recovery() {
    let folder = Folder::new("alarm");
    folder.append("app.log", "");
    let mut watch = Watched::of(&folder, &["--grace", "1s", "app.log", "worker.log"]);
    watch.says("worker.log is not there yet");
    folder.append("app.log", enqueue(1));
    watch.prints("ALARM app redis:default stalled");
    folder.append("worker.log", start(1));
    folder.append("worker.log", success(1));
    watch.prints("OK app redis:default moves again");
    assert_eq!(watch.stop(), 0);
    let counts = folder.counts();
    assert_eq!((counts.enqueued, counts.processing, counts.processed), (1, 1, 1));
}
