//! A server for tests that stands in for AWS: it answers what it was told to, in order, and keeps what it was asked.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::client::{Account, Clients};

/// What was asked.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    /// The path.
    pub(super) path: String,
    /// Names in lower case, and values.
    pub(super) headers: Vec<(String, String)>,
    /// The body.
    pub(super) body: Vec<u8>,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What to answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    status: u16,
    headers: &'static str,
    body: Vec<u8>,
    /// Hang up instead.
    is_lost: bool,
}

impl Answer {
    /// An answer of the status `status`, in the wire form of the service.
    pub(super) fn new(status: u16, headers: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers, body: body.into(), is_lost: false }
    }

    /// DynamoDB's wire form.
    pub(super) fn json(status: u16, body: impl ToString) -> Self {
        Self::new(status, "content-type: application/x-amz-json-1.0\r\n", body.to_string())
    }

    /// The connection breaks before the answer.
    pub(super) fn lost() -> Self {
        Self { is_lost: true, ..Self::new(200, "", "") }
    }
}

/// The server. It stops when it is dropped.
pub(super) struct Loopback {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    thread: Option<JoinHandle<()>>,
}

impl Loopback {
    /// Answers `answers` in order, and anything after them with 500.
    pub(super) fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (kept, mut answers) = (Arc::clone(&asked), answers.into_iter().collect::<Vec<_>>().into_iter());
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Some(request) = read(&mut BufReader::new(stream.as_ref().unwrap())) else { return };
                kept.lock().unwrap().push(request);
                let answer = answers.next().unwrap_or_else(|| Answer::new(500, "", ""));
                answered(stream.unwrap(), &answer);
            }
        });
        Self { address, asked, thread: Some(thread) }
    }

    /// Clients that take it for AWS.
    pub(super) fn clients(&self) -> Clients {
        Clients::new(Account {
            region: "eu-west-1".into(),
            access_key_id: "AKIDTEST".into(),
            secret_access_key: "secret".into(),
            session_token: Some("token".into()),
            endpoint: Some(format!("http://{}", self.address)),
            dynamodb_endpoint: None,
        })
    }

    /// What was asked so far.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        // A connection that says nothing ends the thread.
        drop(TcpStream::connect(self.address));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn read(stream: &mut impl BufRead) -> Option<Asked> {
    let mut asked = Asked::default();
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    asked.path = line.split(' ').nth(1)?.to_owned();
    loop {
        line.clear();
        stream.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        asked.headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = asked.header("content-length").map_or(0, |length| length.parse().unwrap());
    asked.body = vec![0; length];
    stream.read_exact(&mut asked.body).ok()?;
    Some(asked)
}

fn answered(mut stream: TcpStream, answer: &Answer) {
    if answer.is_lost {
        return;
    }
    let Answer { status, headers, body, .. } = answer;
    let head = format!(
        "HTTP/1.1 {status} x\r\n{headers}connection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(body);
}
