//! Commands, a loopback server, and couriers that wait for a word.

use std::collections::BTreeMap;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use super::command::run_for;
use super::courier::Courier;
use super::webhook::post_within;
use super::*;
use crate::adapters::settled;
use crate::domain::incidents::Severity;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(30);
/// Soon over.
const SHORT: Duration = Duration::from_millis(60);

fn shell(script: &str) -> Vec<String> {
    ["sh", "-c", script].map(str::to_owned).to_vec()
}

fn message(channel: Channel, number: u32) -> OutgoingMessage {
    OutgoingMessage {
        channel,
        subject: "ALARM".to_owned(),
        body: format!("{{\"number\":{number}}}"),
        incident: format!("incident{number}"),
        notification: format!("incident{number}/1"),
        severity: Some(Severity::Page),
        queue: None,
        labels: BTreeMap::new(),
    }
}

#[test]
fn a_command_gets_the_json_as_a_line_on_its_input() {
    let folder = Folder::new("input");
    let path = folder.0.join("got");
    run_for(&shell(&format!("cat > '{}'", path.display())), "{\"a\":1}", LONG).unwrap();
    assert_eq!(fs::read_to_string(path).unwrap(), "{\"a\":1}\n");
}

#[test]
fn a_command_that_fails_or_is_not_there_is_an_error_that_names_it() {
    let error = run_for(&shell("exit 3"), "{}", LONG).unwrap_err();
    assert_eq!(error.to_string(), "the command `sh` failed with exit status: 3");
    let error = run_for(&["no-such-program-here".to_owned()], "{}", LONG).unwrap_err();
    assert_eq!(error.to_string(), "cannot run the command `no-such-program-here`");
}

#[test]
fn a_command_that_hangs_is_killed_whatever_it_does_with_its_input() {
    let large = "x".repeat(1024 * 1024);
    for json in ["{}", &large] {
        let error = run_for(&["sleep".to_owned(), "60".to_owned()], json, SHORT).unwrap_err();
        assert!(matches!(error, NotifyError::TooLong { .. }), "{error}");
    }
}

#[test]
fn a_command_may_close_its_input() {
    run_for(&shell("exec 0<&-; exit 0"), &"x".repeat(1024 * 1024), LONG).unwrap();
}

/// A server that answers one request, and what it was asked.
fn server(answer: &'static str) -> (String, Receiver<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook?key=1", listener.local_addr().unwrap());
    let (tell, asked) = channel();
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(&stream);
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let lower = line.to_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            head.push_str(&lower);
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        tell.send((head, String::from_utf8(body).unwrap())).unwrap();
        (&stream).write_all(answer.as_bytes()).unwrap();
        if answer.is_empty() {
            // Hang until the other side has had enough.
            let _ = (&stream).read(&mut [0]);
        }
    });
    (url, asked)
}

fn webhook(url: String, routing_key: Option<&str>) -> Webhook {
    Webhook { channel: Channel::Webhook, url, routing_key: routing_key.map(str::to_owned) }
}

#[test]
fn a_routing_key_is_added_to_what_is_posted() {
    let (url, asked) = server("HTTP/1.1 202 Accepted\r\n\r\n");
    post_within(&webhook(url, Some("R")), "{\"event_action\":\"resolve\"}", LONG).unwrap();
    assert_eq!(asked.recv().unwrap().1, "{\"event_action\":\"resolve\",\"routing_key\":\"R\"}");
}

#[test]
fn a_webhook_gets_the_json_as_a_post() {
    let (url, asked) = server("HTTP/1.1 204 No Content\r\n\r\n");
    post_within(&webhook(url, None), "{\"a\":1}", LONG).unwrap();
    let (head, body) = asked.recv().unwrap();
    assert!(head.starts_with("post /hook?key=1 http/1.1\r\n"), "{head}");
    assert!(head.contains("content-type: application/json\r\n"), "{head}");
    assert_eq!(body, "{\"a\":1}");
}

#[test]
fn a_webhook_that_answers_anything_but_success_or_nothing_is_an_error_without_its_address() {
    for answer in [
        "HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n",
        "",
    ] {
        let limit = if answer.is_empty() { SHORT } else { LONG };
        let (url, _asked) = server(answer);
        let error = post_within(&webhook(url, None), "{}", limit).unwrap_err();
        let NotifyError::Webhook { source, .. } = &error else { panic!("{error}") };
        assert!(!source.to_string().contains("key=1") && !error.to_string().contains("key=1"), "{source}");
    }
}

/// A courier whose deliveries wait for a word: `true` is a success.
fn courier() -> (Courier, std::sync::mpsc::Sender<bool>, Receiver<String>) {
    let (word, words) = channel::<bool>();
    let (tell, told) = channel::<String>();
    let courier = Courier::new(move |json| {
        tell.send(json.to_owned()).unwrap();
        let is_good = words.recv().unwrap_or(false);
        if is_good { Ok(()) } else { Err(NotifyError::Gone) }
    });
    (courier, word, told)
}

#[test]
fn a_letter_on_its_way_is_neither_waited_for_nor_delivered_twice() {
    let (mut courier, word, told) = courier();
    let (one, two) = (message(Channel::Command, 1), message(Channel::Command, 2));
    assert!(matches!(courier.deliver(&one), Err(NotifyError::OnItsWay)));
    assert!(matches!(courier.deliver(&two), Err(NotifyError::OnItsWay)));
    assert!(matches!(courier.deliver(&one), Err(NotifyError::OnItsWay)));
    assert_eq!(told.recv().unwrap(), one.body);
    word.send(true).unwrap();
    // The second one is begun when the first one is done.
    assert_eq!(told.recv().unwrap(), two.body);
    assert!(courier.deliver(&one).is_ok());
    word.send(true).unwrap();
    courier.be_patient();
    assert!(courier.deliver(&two).is_ok());
    assert!(told.try_recv().is_err(), "once each");
}

#[test]
fn a_letter_that_failed_is_delivered_again_when_asked_again() {
    let (mut courier, word, told) = courier();
    let one = message(Channel::Command, 1);
    word.send(false).unwrap();
    word.send(true).unwrap();
    courier.be_patient();
    assert!(matches!(courier.deliver(&one), Err(NotifyError::Gone)));
    courier.be_patient();
    assert!(courier.deliver(&one).is_ok());
    assert_eq!(told.iter().take(2).collect::<Vec<_>>(), [one.body.clone(), one.body]);
}

#[test]
fn a_recovery_does_not_overtake_its_alarm() {
    let (mut courier, word, told) = courier();
    let alarm = message(Channel::Command, 1);
    let recovery =
        OutgoingMessage { notification: "incident1/2".to_owned(), body: "over".to_owned(), ..alarm.clone() };
    let other = message(Channel::Command, 2);
    for is_good in [false, true, true, true, true] {
        word.send(is_good).unwrap();
    }
    courier.be_patient();
    let first = [&alarm, &recovery, &other].map(|message| courier.deliver(message).is_ok());
    assert_eq!(first, [false, false, true], "the alarm fails, and its recovery waits for it");
    courier.be_patient();
    assert_eq!([&alarm, &recovery].map(|message| courier.deliver(message).is_ok()), [true, true]);
    assert_eq!(told.iter().take(4).collect::<Vec<_>>(), [&*alarm.body, &*other.body, &*alarm.body, "over"]);
}

#[derive(Default)]
struct Paper {
    printed: Vec<String>,
    complaints: Vec<String>,
}

impl Screen for Paper {
    fn print(&mut self, message: &OutgoingMessage) -> io::Result<()> {
        self.printed.push(message.notification.clone());
        Ok(())
    }

    fn complain(&mut self, message: &OutgoingMessage, error: &NotifyError) {
        self.complaints.push(format!("{}: {error}", message.notification));
    }
}

#[test]
fn each_outlet_gets_its_own_letters_and_its_failures_are_told() {
    let folder = Folder::new("outlets");
    let path = folder.0.join("got");
    let command = shell(&format!("cat >> '{}'; test ! -s '{}.fail'", path.display(), path.display()));
    let mut outlets = Outlets::new(Paper::default(), Some(command), Vec::new());
    outlets.wait_for_delivery();
    settled(outlets.send(&message(Channel::Email, 1))).unwrap();
    settled(outlets.send(&message(Channel::Output, 2))).unwrap();
    settled(outlets.send(&message(Channel::Command, 3))).unwrap();
    // Nobody configured one: the message is left over.
    settled(outlets.send(&message(Channel::Webhook, 4))).unwrap();
    fs::write(path.with_extension("fail"), "x").unwrap();
    settled(outlets.send(&message(Channel::Command, 5))).unwrap_err();
    let Paper { printed, complaints } = outlets.screen_mut();
    assert_eq!(printed, &["incident1/1", "incident2/1"]);
    assert_eq!(complaints, &["incident5/1: the command `sh` failed with exit status: 1"]);
    assert_eq!(fs::read_to_string(path).unwrap(), "{\"number\":3}\n{\"number\":5}\n");
}

/// An empty folder of a test's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("queuewatch-notify-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
