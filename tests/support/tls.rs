//! An `https` server of a test's own: a certificate for `localhost` and `127.0.0.1` that the root in `tests/tls` signed.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Its address, and the bodies of what is posted to it. It ends after as many requests as it is to answer; a client
/// that does not trust it is none.
pub(crate) fn server(requests: usize) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/alarms", listener.local_addr().unwrap());
    let (sender, receiver) = channel();
    let config = Arc::new(config());
    thread::spawn(move || {
        let mut answered = 0;
        while answered < requests {
            let (stream, _) = listener.accept().unwrap();
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = BufReader::new(StreamOwned::new(connection, stream));
            let Some(body) = body(&mut stream) else { continue };
            let answer = "HTTP/1.1 204 Taken\r\nconnection: close\r\n\r\n";
            stream.get_mut().write_all(answer.as_bytes()).unwrap();
            answered += 1;
            if sender.send(body).is_err() {
                return;
            }
        }
    });
    (url, receiver)
}

fn config() -> ServerConfig {
    let chain = CertificateDer::pem_slice_iter(include_bytes!("../tls/server.pem")).map(Result::unwrap);
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../tls/server.key")).unwrap();
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain.collect(), key)
        .unwrap()
}

/// The body of a request; `None` where the client hangs up before it has said anything.
fn body(stream: &mut impl BufRead) -> Option<String> {
    let (mut line, mut length) = (String::new(), 0);
    loop {
        line.clear();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(String::from_utf8(body).unwrap())
}
