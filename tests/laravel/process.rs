//! A process of a test: what it prints, line by line with the moment of each, and its end, which is the test's at the
//! latest.

use std::io::{self, BufRead as _, BufReader, PipeReader};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Long enough for a machine that compiles beside; a test that waits this long has failed.
const DEADLINE: Duration = Duration::from_secs(90);

/// A line, and the epoch millisecond at which it came.
pub(crate) type Line = (i64, String);

#[derive(Default)]
struct Printed {
    lines: Mutex<Vec<Line>>,
    more: Condvar,
}

/// A running process, and all processes it starts.
pub(crate) struct Process {
    child: Child,
    printed: Arc<Printed>,
    reader: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts it, standard output and error on one pipe, as a container's are on one log stream.
    pub(crate) fn start(command: &mut Command) -> Self {
        let (out, into) = io::pipe().unwrap();
        let command = command.stdin(Stdio::null()).stdout(into.try_clone().unwrap()).stderr(into);
        let child = command.process_group(0).spawn().unwrap();
        // The command holds the pipe's other end, and its reader would never see the end.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let printed = Arc::new(Printed::default());
        let reader = Some(read(out, Arc::clone(&printed)));
        Self { child, printed, reader }
    }

    /// Waits until what was printed is enough.
    #[track_caller]
    pub(crate) fn wait_until(&self, what: &str, is_enough: impl Fn(&[Line]) -> bool) {
        let lines = self.printed.lines.lock().unwrap();
        let (lines, waited) =
            self.printed.more.wait_timeout_while(lines, DEADLINE, |lines| !is_enough(lines)).unwrap();
        assert!(!waited.timed_out(), "{what} did not come:\n{}", text(&lines));
    }

    /// Waits until as many lines hold this text.
    #[track_caller]
    pub(crate) fn wait_for(&self, text: &str, times: usize) {
        self.wait_until(text, |lines| lines.iter().filter(|(_, line)| line.contains(text)).count() >= times);
    }

    /// Sends a signal to the process alone.
    pub(crate) fn signal(&self, signal: &str) {
        kill(signal, &self.child.id().to_string());
    }

    /// What was printed so far.
    pub(crate) fn lines(&self) -> Vec<Line> {
        self.printed.lines.lock().unwrap().clone()
    }

    /// Waits for its end by itself, and returns how it ended and all that it and its children printed.
    #[track_caller]
    pub(crate) fn end(mut self) -> (ExitStatus, Vec<Line>) {
        let alarm = self.watchdog();
        let status = self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        drop(alarm);
        (status, self.lines())
    }

    /// Kills it if it does not end.
    fn watchdog(&self) -> Watchdog {
        let group = format!("-{}", self.child.id());
        let ended = Arc::new((Mutex::new(false), Condvar::new()));
        let other = Arc::clone(&ended);
        let thread = thread::spawn(move || {
            let is_ended = other.0.lock().unwrap();
            let (is_ended, _) =
                other.1.wait_timeout_while(is_ended, DEADLINE, |is_ended| !*is_ended).unwrap();
            if !*is_ended {
                kill("KILL", &group);
            }
        });
        Watchdog { ended, thread: Some(thread) }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The group may be gone, which is as well.
        kill("KILL", &format!("-{}", self.child.id()));
        let _ = self.child.wait();
    }
}

struct Watchdog {
    ended: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        *self.ended.0.lock().unwrap() = true;
        self.ended.1.notify_all();
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn kill(signal: &str, id: &str) {
    let _ = Command::new("kill").args(["-s", signal, "--", id]).stderr(Stdio::null()).status();
}

fn read(out: PipeReader, printed: Arc<Printed>) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut out = BufReader::new(out);
        let mut line = Vec::new();
        while out.read_until(b'\n', &mut line).unwrap() > 0 {
            let text = String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned();
            printed.lines.lock().unwrap().push((now_ms(), text));
            printed.more.notify_all();
            line.clear();
        }
    })
}

/// Lines as a person reads them.
pub(crate) fn text(lines: &[Line]) -> String {
    lines.iter().map(|(ms, line)| format!("{ms} {line}\n")).collect()
}

/// The machine's own time: real workers print and wait by it.
#[expect(
    clippy::disallowed_methods,
    reason = "real processes live in real time, and their lines are stamped with it"
)]
pub(crate) fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}
