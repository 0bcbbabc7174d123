//! The page that a scraper reads: one path over plain HTTP/1.1, and no more of a server than that takes.
//!
//! A library would be thousands of lines for one answer that is the same for everybody. **Invariant:** one connection at
//! a time, each for a bounded number of reads and bytes, so that whoever connects and says nothing takes nothing but its
//! turn; what waits meanwhile is in the kernel's own bounded queue.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use thiserror::Error;

/// How long one read or write may take.
const STEP_MAX: Duration = Duration::from_millis(250);
/// Reads of a request: whoever needs more of them is no scraper.
const READS_MAX: usize = 16;
/// A request's head.
const HEAD_BYTES_MAX: usize = 8 * 1024;
/// [What OpenMetrics calls itself](https://prometheus.io/docs/specs/om/open_metrics_spec/#overall-structure).
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The page cannot be served.
#[derive(Debug, Error)]
#[error("cannot listen at {address}")]
pub struct ServerError {
    /// Where.
    pub address: SocketAddr,
    /// What the machine says.
    #[source]
    pub source: io::Error,
}

/// A server of one page.
#[derive(Debug)]
pub struct MetricsServer {
    page: Arc<Mutex<String>>,
    address: SocketAddr,
}

impl MetricsServer {
    /// Listens, and answers with an empty page until there is one.
    ///
    /// # Errors
    /// Where it cannot listen there.
    pub fn start(address: SocketAddr) -> Result<Self, ServerError> {
        let failed = |source| ServerError { address, source };
        let listener = TcpListener::bind(address).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let page = Arc::new(Mutex::new("# EOF\n".to_owned()));
        let served = Arc::clone(&page);
        thread::spawn(move || {
            for stream in listener.incoming() {
                match stream {
                    // A scraper that hangs up is no matter of ours.
                    Ok(stream) => drop(answer(&stream, &served)),
                    // No descriptor is free, or the like: not to be asked for again at once.
                    Err(_) => thread::sleep(STEP_MAX),
                }
            }
        });
        Ok(Self { page, address })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves this text from now on.
    pub fn publish(&self, text: String) {
        *self.page.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }
}

fn answer(mut stream: &TcpStream, page: &Mutex<String>) -> io::Result<()> {
    stream.set_read_timeout(Some(STEP_MAX))?;
    stream.set_write_timeout(Some(STEP_MAX))?;
    let Some((method, path)) = asked(stream)? else { return Ok(()) };
    let (status, kind, body) = match (method.as_str(), path.as_str()) {
        ("GET" | "HEAD", "/metrics") => {
            let text = page.lock().unwrap_or_else(PoisonError::into_inner).clone();
            ("200 OK", CONTENT_TYPE, text)
        }
        ("GET" | "HEAD", _) => ("404 Not Found", "text/plain", "the metrics are at /metrics\n".to_owned()),
        _ => ("405 Method Not Allowed", "text/plain", "GET /metrics\n".to_owned()),
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    if method != "HEAD" {
        stream.write_all(body.as_bytes())?;
    }
    stream.flush()
}

/// The method and the path of a request; `None` where it is none, or does not end.
fn asked(mut stream: &TcpStream) -> io::Result<Option<(String, String)>> {
    let mut head = Vec::new();
    let mut part = [0; 1024];
    for _ in 0..READS_MAX {
        let count = stream.read(&mut part)?;
        head.extend_from_slice(part.get(..count).unwrap_or_default());
        if head.windows(4).any(|end| end == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&head);
            let mut words = head.lines().next().unwrap_or_default().split(' ');
            let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(None) };
            let path = target.split('?').next().unwrap_or_default();
            return Ok(Some((method.to_owned(), path.to_owned())));
        }
        if count == 0 || head.len() > HEAD_BYTES_MAX {
            break;
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> MetricsServer {
        MetricsServer::start(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap()
    }

    fn ask(server: &MetricsServer, request: &str) -> String {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[track_caller]
    fn check(request: &str, status: &str, end: &str) {
        let server = server();
        server.publish("queuewatch_pending 1\n# EOF\n".to_owned());
        let answer = ask(&server, request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.ends_with(end), "{answer}");
    }

    #[test]
    fn the_page_is_at_one_path_and_nothing_else_is_answered_with_it() {
        check("GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n", "200", "\r\n\r\nqueuewatch_pending 1\n# EOF\n");
        check("GET /metrics?x=1 HTTP/1.0\r\n\r\n", "200", "# EOF\n");
        check("HEAD /metrics HTTP/1.1\r\n\r\n", "200", "\r\n\r\n");
        check("GET / HTTP/1.1\r\n\r\n", "404", "the metrics are at /metrics\n");
        check("POST /metrics HTTP/1.1\r\ncontent-length: 0\r\n\r\n", "405", "GET /metrics\n");
    }

    #[test]
    fn whoever_says_nothing_or_too_much_holds_up_nobody_for_long() {
        let server = server();
        let silent = TcpStream::connect(server.address()).unwrap();
        let mut loud = TcpStream::connect(server.address()).unwrap();
        // The server hangs up in the midst of it, which may fail the write.
        let _ = loud.write_all(&[b'x'; 64 * 1024]);
        assert!(ask(&server, "GET /metrics HTTP/1.1\r\n\r\n").contains("200 OK"));
        drop((silent, loud));
    }

    #[test]
    fn a_port_that_is_taken_is_named() {
        let server = server();
        let error = MetricsServer::start(server.address()).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot listen at {}", server.address()));
    }
}
