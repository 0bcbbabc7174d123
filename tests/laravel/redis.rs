//! One test's Redis: on a free port of the loopback, in a folder of its own, gone with the test whatever it ends by.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::Duration;

/// Ends the server when the test closes our end of standard input, be it by dying.
const WRAPPER: &str = r#"redis-server --port "$1" --bind 127.0.0.1 --save '' --appendonly no --dir "$2" >"$2/redis.log" 2>&1 &
server=$!; read -r _; kill "$server"; wait "$server""#;

/// A running server.
pub(crate) struct Redis {
    pub(crate) port: u16,
    wrapper: Child,
    stdin: Option<ChildStdin>,
}

impl Redis {
    /// Starts it, and waits until it answers.
    pub(crate) fn start(folder: &Path) -> Self {
        // Free a moment ago: where somebody else was quicker, the next port is tried.
        (0..5).find_map(|_| Self::try_start(folder)).expect("a Redis that answers")
    }

    fn try_start(folder: &Path) -> Option<Self> {
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let mut command = Command::new("bash");
        command.args(["-c", WRAPPER, "redis"]).arg(port.to_string()).arg(folder);
        let mut wrapper = command.stdin(Stdio::piped()).spawn().unwrap();
        let stdin = wrapper.stdin.take();
        let redis = Self { port, wrapper, stdin };
        (0..200).any(|_| redis.answers()).then_some(redis)
    }

    fn answers(&self) -> bool {
        let ask = || {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            stream.write_all(b"PING\r\n")?;
            let mut answer = [0; 5];
            stream.read_exact(&mut answer)?;
            Ok::<_, std::io::Error>(answer == *b"+PONG")
        };
        let is_there = ask().unwrap_or(false);
        if !is_there {
            thread::sleep(Duration::from_millis(25));
        }
        is_there
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.wrapper.wait();
    }
}
