//! `queuewatch watch` as a child: its output line by line, its end, and what it left in its folder.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use queuewatch::adapters::file::FileTable;
use queuewatch::domain::job::Timestamp;
use queuewatch::ports::table::{ItemKey, Table};
use serde_json::{Value, json};

/// How long anything is waited for: many times what it takes on a machine with something else to do.
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder of a test's own, empty at first, in which the command runs.
pub(crate) struct Folder(PathBuf);

/// Lifecycle lines that the ledger has counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) enqueued: u64,
    pub(crate) processing: u64,
    pub(crate) processed: u64,
}

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("watch-{name}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Appends to a file, which is made where there is none.
    pub(crate) fn append(&self, name: &str, text: impl AsRef<[u8]>) {
        let mut file = OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap();
        file.write_all(text.as_ref()).unwrap();
    }

    /// What a watch that has ended left in its folder.
    pub(crate) fn counts(&self) -> Counts {
        let (table, _) = FileTable::open(&self.path(".queuewatch"), Timestamp::MIN).unwrap();
        let key = ItemKey { partition: "C#app".to_owned(), sort: "-".to_owned() };
        let item = settled(table.get(&[key])).unwrap().remove(0).expect("a watch has swept here");
        let body: Value = serde_json::from_str(&item.body).unwrap();
        let count = |stage: &str| body["ledger"]["tally"]["counts"][stage].as_u64().unwrap();
        Counts { enqueued: count("enqueued"), processing: count("processing"), processed: count("processed") }
    }
}

/// A running watch.
pub(crate) struct Watched {
    child: Child,
    pub(crate) input: Option<ChildStdin>,
    out: Receiver<String>,
    err: Receiver<String>,
    /// What was printed so far.
    pub(crate) printed: Vec<String>,
    pub(crate) said: Vec<String>,
}

impl Watched {
    /// Starts one in a folder.
    pub(crate) fn of(folder: &Folder, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_queuewatch"));
        for name in ["QUEUEWATCH_CONFIG", "QUEUEWATCH_APP", "QUEUEWATCH_GRACE", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        command.arg("watch").args(arguments).current_dir(&folder.0);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (out, err) = (lines(child.stdout.take().unwrap()), lines(child.stderr.take().unwrap()));
        let input = child.stdin.take();
        Self { child, input, out, err, printed: Vec::new(), said: Vec::new() }
    }

    /// Waits for a line on standard output, and answers it.
    pub(crate) fn prints(&mut self, part: &str) -> String {
        wait(&self.out, &mut self.printed, part, &mut self.said, &self.err)
    }

    /// Waits for a line on standard error, and answers it.
    pub(crate) fn says(&mut self, part: &str) -> String {
        wait(&self.err, &mut self.said, part, &mut self.printed, &self.out)
    }

    /// Asks it to end, and answers its status.
    pub(crate) fn stop(self) -> i32 {
        self.signal("TERM");
        self.ended()
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Waits for it to end by itself, and answers its status.
    pub(crate) fn ended(mut self) -> i32 {
        drop(self.input.take());
        // Both streams end with the process; whatever it is stuck at, the test does not wait for ever.
        loop {
            match self.out.recv_timeout(PATIENCE) {
                Ok(line) => self.printed.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end: {:#?}", self.printed),
            }
        }
        self.said.extend(self.err.iter());
        let status = self.child.wait().unwrap().code().unwrap_or(-1);
        assert!(!self.said.iter().any(|line| line.contains("panicked")), "{:#?}", self.said);
        status
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver): (Sender<String>, Receiver<String>) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

fn wait(
    from: &Receiver<String>,
    seen: &mut Vec<String>,
    part: &str,
    others: &mut Vec<String>,
    other: &Receiver<String>,
) -> String {
    loop {
        match from.recv_timeout(PATIENCE) {
            Ok(line) => {
                seen.push(line.clone());
                if line.contains(part) {
                    return line;
                }
            }
            Err(_) => {
                others.extend(other.try_iter());
                panic!("no line with {part:?}:\n{seen:#?}\n{others:#?}");
            }
        }
    }
}

pub(crate) fn settled<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}

/// The record that a listener writes when a job is enqueued.
pub(crate) fn enqueue(n: u32) -> String {
    let context = json!({"id": format!("{n:A>32}"), "job": "App\\Jobs\\Mail", "queue": "default",
        "connection": "redis", "uuid": uuid(n), "delay": null});
    format!("[2026-01-05 12:00:20] production.INFO: Job queued {context} \n")
}

/// The worker's line for a start.
pub(crate) fn start(n: u32) -> String {
    worker(n, "starting", Value::Null)
}

/// The worker's line for a good end.
pub(crate) fn success(n: u32) -> String {
    worker(n, "success", json!("deleted"))
}

fn worker(n: u32, status: &str, result: Value) -> String {
    let line = json!({"level": "info", "id": format!("{n:A>32}"), "uuid": uuid(n), "connection": "redis",
        "queue": "default", "job": "App\\Jobs\\Mail", "status": status, "result": result, "attempts": 1,
        "exception": null, "message": null, "timestamp": "2026-01-05T12:00:21.000000+00:00"});
    format!("{line}\n")
}

fn uuid(n: u32) -> String {
    format!("00000000-0000-4000-8000-{n:012}")
}
