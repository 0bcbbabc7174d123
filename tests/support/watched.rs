//! `queuewatch watch` as a child: its output line by line, its end, and what it left in its folder.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
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
/// How often it is looked whether something is so.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A folder of a test's own, empty at first, in which the command runs.
pub(crate) struct Folder(PathBuf);

/// What is left of a watch that has ended.
pub(crate) struct Ended {
    pub(crate) status: i32,
    pub(crate) printed: Vec<String>,
    pub(crate) said: Vec<String>,
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
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        let mut file = OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap();
        file.write_all(text.as_ref()).unwrap();
    }

    pub(crate) fn size(&self, name: &str) -> u64 {
        fs::metadata(self.path(name)).map_or(0, |metadata| metadata.len())
    }

    /// Enqueue, start and success lines that the ledger has counted, once the watch has ended.
    pub(crate) fn counts(&self) -> [u64; 3] {
        let (table, _) = FileTable::open(&self.path(".queuewatch"), Timestamp::MIN).unwrap();
        let key = ItemKey { partition: "C#app".to_owned(), sort: "-".to_owned() };
        let item = settled(table.get(&[key])).unwrap().remove(0).expect("a watch has swept here");
        let body: Value = serde_json::from_str(&item.body).unwrap();
        ["enqueued", "processing", "processed"]
            .map(|stage| body["ledger"]["tally"]["counts"][stage].as_u64().unwrap())
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
        Self::with(folder, arguments, &[])
    }

    /// Starts one in a folder, with variables of the environment.
    pub(crate) fn with(folder: &Folder, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut watch = Self::unread(folder, arguments, variables);
        watch.out = lines(watch.child.stdout.take().unwrap());
        watch
    }

    /// Starts one whose standard output nobody reads yet.
    fn unread(folder: &Folder, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_queuewatch"));
        for name in ["QUEUEWATCH_CONFIG", "QUEUEWATCH_APP", "QUEUEWATCH_GRACE", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        command.arg("watch").args(arguments).current_dir(&folder.0).envs(variables.iter().copied());
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (err, out) = (lines(child.stderr.take().unwrap()), channel().1);
        let input = child.stdin.take();
        Self { child, input, out, err, printed: Vec::new(), said: Vec::new() }
    }

    /// Starts one whose standard output nobody will ever read.
    pub(crate) fn unheard(folder: &Folder, arguments: &[&str]) -> Self {
        let mut watch = Self::unread(folder, arguments, &[]);
        drop(watch.child.stdout.take());
        watch
    }

    /// Waits for a line on standard output, and answers it.
    pub(crate) fn prints(&mut self, part: &str) -> String {
        wait(&self.out, &mut self.printed, part, &mut self.said, &self.err)
    }

    /// Waits for a line on standard error, and answers it.
    pub(crate) fn says(&mut self, part: &str) -> String {
        wait(&self.err, &mut self.said, part, &mut self.printed, &self.out)
    }

    /// Writes to its standard input.
    pub(crate) fn write(&mut self, text: &str) {
        self.input.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Waits until something is so, as long as it has nothing to say.
    pub(crate) fn waits_for(&mut self, is_so: impl Fn() -> bool) {
        for _ in 0..PATIENCE.as_millis() / LOOK_EVERY.as_millis() {
            if is_so() {
                return;
            }
            self.said.extend(self.err.recv_timeout(LOOK_EVERY));
        }
        panic!("it does not become so: {:#?}", self.said);
    }

    /// Asks it to end, and waits for that.
    pub(crate) fn stop(self) -> Ended {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", "TERM", &id]).status().unwrap().success());
        self.ended()
    }

    /// Ends it without a word.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Closes its input, and waits for it to end by itself.
    pub(crate) fn ended(mut self) -> Ended {
        drop(self.input.take());
        let (mut printed, mut said) = (Vec::new(), std::mem::take(&mut self.said));
        // Both streams end with the process; whatever it is stuck at, the test does not wait for ever.
        for (stream, lines) in [(&self.out, &mut printed), (&self.err, &mut said)] {
            loop {
                match stream.recv_timeout(PATIENCE) {
                    Ok(line) => lines.push(line),
                    Err(RecvTimeoutError::Disconnected) => break,
                    Err(RecvTimeoutError::Timeout) => panic!("it does not end: {lines:#?}"),
                }
            }
        }
        let status = self.child.wait().unwrap().code().unwrap_or(-1);
        assert!(!said.iter().any(|line| line.contains("panicked")), "{said:#?}");
        Ended { status, printed, said }
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

/// The bodies of what is posted to a server of the test's own, and its address. Each request gets the next status; the
/// server ends when it has given all of them.
pub(crate) fn server(statuses: &'static [u16]) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/alarms", listener.local_addr().unwrap());
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for status in statuses {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut line, mut length) = (String::new(), 0);
            while reader.read_line(&mut line).unwrap() > 2 {
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let answer = format!("HTTP/1.1 {status} Said\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
            sender.send(String::from_utf8(body).unwrap()).unwrap();
        }
    });
    (url, receiver)
}

/// The next body that comes.
pub(crate) fn posted(bodies: &Receiver<String>) -> String {
    bodies.recv_timeout(PATIENCE).expect("something is posted")
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
