//! Messages to SNS topics: one for mail, one for chat.

use std::borrow::Cow;

use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;
use thiserror::Error;

use super::client::{self, Cause};
use super::event_bus::{EventBus, EventBusError};
use crate::domain::model::channel::Channel;
use crate::domain::outbox::OutgoingMessage;
use crate::domain::printable::printable;
use crate::ports::{AlarmChannel, Disposed, Disposition};

/// A message that did not go out.
#[derive(Debug, Error)]
pub enum SnsError {
    /// Nobody said where messages of this kind go.
    #[error("no {} topic is configured", .0.as_str())]
    NoTopic(Channel),
    /// The message is too long for a topic, and of a kind that cannot be cut.
    #[error("the {} message takes {bytes} bytes, and SNS takes {BODY_BYTES_MAX}", .topic.as_str())]
    TooLong {
        /// Where it was to go.
        topic: Channel,
        /// How long it is.
        bytes: usize,
    },
    /// The bus did not take it, or did not say.
    #[error("the event did not go out")]
    EventBus(#[from] EventBusError),
    /// SNS did not take it, or did not say.
    #[error("SNS did not take the {} message", .topic.as_str())]
    Publish {
        /// Where it was to go.
        topic: Channel,
        /// What to do about it.
        disposition: Disposition,
        /// What SNS said.
        #[source]
        source: Cause,
    },
}

impl Disposed for SnsError {
    fn disposition(&self) -> Disposition {
        match self {
            Self::NoTopic(_) | Self::TooLong { .. } => Disposition::Drop,
            Self::EventBus(error) => error.disposition(),
            Self::Publish { disposition, .. } => *disposition,
        }
    }
}

/// The topics' ARNs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topics {
    /// For [`Channel::Email`].
    pub email: Option<String>,
    /// For [`Channel::Chat`].
    pub chat: Option<String>,
}

impl Topics {
    fn arn(&self, topic: Channel) -> Result<&str, SnsError> {
        let arn = match topic {
            Channel::Email => &self.email,
            Channel::Chat => &self.chat,
            // Those of `watch`, which has no topics on AWS, and the bus, which is none.
            Channel::Output
            | Channel::Command
            | Channel::Webhook
            | Channel::Slack
            | Channel::Teams
            | Channel::PagerDuty
            | Channel::EventBus => &None,
        };
        arn.as_deref().ok_or(SnsError::NoTopic(topic))
    }
}

/// SNS's topics, and the event bus where there is one.
#[derive(Clone, Debug)]
pub struct SnsAlarms {
    client: Client,
    topics: Topics,
    event_bus: Option<EventBus>,
}

impl SnsAlarms {
    /// Publishes with `client`, which must not try again by itself: a repeat is a second page.
    #[must_use]
    pub const fn new(client: Client, topics: Topics) -> Self {
        Self { client, topics, event_bus: None }
    }

    /// The same with a bus for programs.
    #[must_use]
    pub fn with_event_bus(self, event_bus: Option<EventBus>) -> Self {
        Self { event_bus, ..self }
    }
}

impl AlarmChannel for SnsAlarms {
    type Error = SnsError;

    async fn send(&mut self, message: &OutgoingMessage) -> Result<(), SnsError> {
        let topic = message.channel;
        if topic == Channel::EventBus {
            let bus = self.event_bus.as_ref().ok_or(SnsError::NoTopic(topic))?;
            return Ok(bus.put(message).await?);
        }
        let mut request =
            self.client.publish().topic_arn(self.topics.arn(topic)?).message(body(message)?.as_ref());
        // A chat is told by its payload alone.
        if topic == Channel::Email {
            request = request.subject(subject(&message.subject));
        }
        for (name, value) in attributes(message) {
            let value =
                MessageAttributeValue::builder().data_type("String").string_value(value).build().map_err(
                    |source| SnsError::Publish {
                        topic,
                        disposition: Disposition::Drop,
                        source: source.into(),
                    },
                )?;
            request = request.message_attributes(name, value);
        }
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(SnsError::Publish {
                topic,
                disposition: client::disposition(&error),
                source: error.into(),
            }),
        }
    }
}

/// "Subjects must be ASCII text that begins with a letter, number, or punctuation mark; must not include line
/// breaks or control characters; and must be less than 100 characters long."
/// <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>
const SUBJECT_CHARS_MAX: usize = 99;

/// What a message is called whose subject has nothing that may stay.
const SUBJECT_LESS: &str = "QueueWatch";

/// Makes a subject legal. Whoever wrote it has seen to that; a wrong one would cost the page.
fn subject(text: &str) -> String {
    let is_legal = |c: char| matches!(c, ' '..='~');
    let legal: String =
        text.trim().chars().map(|c| if is_legal(c) { c } else { '?' }).take(SUBJECT_CHARS_MAX).collect();
    if legal.is_empty() { SUBJECT_LESS.to_owned() } else { legal }
}

/// SNS takes 262,144 bytes of body and attributes together, by the same page. The attributes are bounded by
/// [`ATTRIBUTE_CHARS_MAX`] and stay under what is left here.
const BODY_BYTES_MAX: usize = 250_000;

/// Ends a text that was cut.
const CUT: &str = "\n[cut]";

/// A message's body. A page that is cut is better than none; JSON that is cut is none.
fn body(message: &OutgoingMessage) -> Result<Cow<'_, str>, SnsError> {
    let (text, topic) = (message.body.as_str(), message.channel);
    if text.is_empty() {
        // SNS refuses an empty message; the subject is all there is to say.
        return Ok(Cow::Owned(subject(&message.subject)));
    }
    if text.len() <= BODY_BYTES_MAX {
        return Ok(Cow::Borrowed(text));
    }
    match topic {
        Channel::Chat
        | Channel::Output
        | Channel::Command
        | Channel::Webhook
        | Channel::Slack
        | Channel::Teams
        | Channel::PagerDuty
        | Channel::EventBus => Err(SnsError::TooLong { topic, bytes: text.len() }),
        Channel::Email => {
            let end = text.floor_char_boundary(BODY_BYTES_MAX);
            Ok(Cow::Owned(format!("{}{CUT}", text.get(..end).unwrap_or_default())))
        }
    }
}

/// More than any name that a filter policy could want to tell from another.
const ATTRIBUTE_CHARS_MAX: usize = 256;

/// What filter policies may ask for. SNS refuses an attribute without a value, so those are left out.
fn attributes(message: &OutgoingMessage) -> Vec<(&'static str, String)> {
    let severity = message.severity.map_or("", |severity| severity.as_str());
    let queue = message.queue.as_deref().unwrap_or_default();
    let label = |name: &str| message.labels.get(name).map_or("", String::as_str);
    [
        ("incident", message.incident.as_str()),
        ("notification", message.notification.as_str()),
        ("severity", severity),
        ("queue", queue),
        ("app", label("app")),
        ("kind", label("kind")),
        ("state", label("state")),
        ("cause", label("cause")),
    ]
    .into_iter()
    .map(|(name, value)| (name, printable(value).chars().take(ATTRIBUTE_CHARS_MAX).collect::<String>()))
    .filter(|(_, value)| !value.is_empty())
    .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::loopback::{Answer, Loopback};
    use super::*;
    use crate::domain::incidents::Severity;

    fn message(topic: Channel, body: &str) -> OutgoingMessage {
        OutgoingMessage {
            channel: topic,
            subject: "stalled: redis/default".into(),
            body: body.into(),
            incident: "stalled-redis-default-20251206T1237Z".into(),
            notification: "stalled-redis-default-20251206T1237Z/1".into(),
            severity: Some(Severity::Page),
            queue: Some("default".into()),
            labels: BTreeMap::new(),
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(subject(text), expected);
    }

    #[test]
    fn a_subject_is_printable_ascii_in_one_line_under_a_hundred_characters() {
        check("PAGE stalled redis/default", "PAGE stalled redis/default");
        check("  led by spaces ", "led by spaces");
        check("two\r\nlines\tand\u{1b}", "two??lines?and?");
        check("caf\u{e9} \u{30e1}", "caf? ?");
        check(&"x".repeat(100), &"x".repeat(99));
        check(&"\u{30e1}".repeat(100), &"?".repeat(99));
        check("", "QueueWatch");
        check(" \n ", "QueueWatch");
    }

    #[test]
    fn a_long_mail_is_cut_between_characters_and_a_long_chat_is_refused() {
        let long = "\u{30e1}".repeat(BODY_BYTES_MAX);
        let cut = message(Channel::Email, &long);
        let cut = body(&cut).unwrap();
        assert!(cut.len() <= BODY_BYTES_MAX + CUT.len() && cut.ends_with("\u{30e1}\n[cut]"));
        let refused = message(Channel::Chat, &long);
        let error = body(&refused).unwrap_err();
        assert_eq!(error.to_string(), "the chat message takes 750000 bytes, and SNS takes 250000");
        assert_eq!(error.disposition(), Disposition::Drop);
    }

    #[test]
    fn a_body_goes_as_it_is_and_an_empty_one_says_its_subject() {
        assert_eq!(body(&message(Channel::Chat, "{\"version\":\"1.0\"}")).unwrap(), "{\"version\":\"1.0\"}");
        assert_eq!(body(&message(Channel::Email, "")).unwrap(), "stalled: redis/default");
    }

    #[test]
    fn attributes_are_what_is_known_and_never_empty() {
        let names = |message: &OutgoingMessage| {
            attributes(message).into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        let page = message(Channel::Email, "x");
        assert_eq!(names(&page), ["incident", "notification", "severity", "queue"]);
        let labels = [("kind", "stalled"), ("state", "firing"), ("app", "shop")];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let labelled = OutgoingMessage { labels, ..page.clone() };
        let expected = ["incident", "notification", "severity", "queue", "app", "kind", "state"];
        assert_eq!(names(&labelled), expected);
        let greeting = OutgoingMessage { severity: None, queue: None, ..page.clone() };
        assert_eq!(names(&greeting), ["incident", "notification"]);
        let nameless = OutgoingMessage { queue: Some(String::new()), ..page.clone() };
        assert_eq!(names(&nameless), ["incident", "notification", "severity"]);
        let long = OutgoingMessage { queue: Some("\u{1b}q".repeat(500)), ..page };
        let (_, queue) = attributes(&long).pop().unwrap();
        assert_eq!(queue.chars().count(), ATTRIBUTE_CHARS_MAX);
        assert!(!queue.contains('\u{1b}'));
    }

    #[test]
    fn a_letter_for_a_topic_that_nobody_configured_is_an_error() {
        let topics = Topics { email: Some("arn:aws:sns:eu-west-1:1:mail".into()), chat: None };
        assert_eq!(topics.arn(Channel::Email).unwrap(), "arn:aws:sns:eu-west-1:1:mail");
        let error = topics.arn(Channel::Chat).unwrap_err();
        assert_eq!(error.to_string(), "no chat topic is configured");
        assert_eq!(error.disposition(), Disposition::Drop);
    }

    const XML: &str = "content-type: text/xml\r\n";

    fn published() -> Answer {
        let xml = "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>\
                   <MessageId>1</MessageId></PublishResult></PublishResponse>";
        Answer::new(200, XML, xml)
    }

    fn refusal(status: u16, code: &str) -> Answer {
        let xml =
            format!("<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>");
        Answer::new(status, XML, xml)
    }

    fn alarms(server: &Loopback) -> SnsAlarms {
        let arn = |name: &str| Some(format!("arn:aws:sns:eu-west-1:1:{name}"));
        SnsAlarms::new(server.clients().sns(), Topics { email: arn("mail"), chat: arn("chat") })
    }

    #[tokio::test]
    async fn a_letter_goes_to_its_topic_and_a_chat_has_no_subject() {
        let server = Loopback::new([published(), published()]);
        let mut alarms = alarms(&server);
        alarms.send(&message(Channel::Email, "jobs wait")).await.unwrap();
        alarms.send(&message(Channel::Chat, "{}")).await.unwrap();
        let asked: Vec<String> =
            server.asked().iter().map(|asked| String::from_utf8(asked.body.clone()).unwrap()).collect();
        let has = |n: usize, part: &str| asked[n].split('&').any(|field| field == part);
        assert!(has(0, "TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A1%3Amail"), "{}", asked[0]);
        assert!(has(0, "Subject=stalled%3A%20redis%2Fdefault"), "{}", asked[0]);
        assert!(has(0, "Message=jobs%20wait"), "{}", asked[0]);
        assert!(asked[0].contains("Value.StringValue=page") && asked[0].contains("Value.DataType=String"));
        assert!(has(1, "TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A1%3Achat"), "{}", asked[1]);
        assert!(!asked[1].contains("Subject="), "{}", asked[1]);
    }

    #[tokio::test]
    async fn a_letter_is_sent_once_whatever_the_answer() {
        for (answer, disposition) in [
            (Answer::lost(), Disposition::Retry),
            (refusal(500, "InternalError"), Disposition::Retry),
            (refusal(403, "AuthorizationError"), Disposition::Retry),
            (refusal(404, "NotFound"), Disposition::Retry),
            (refusal(400, "InvalidParameter"), Disposition::Drop),
        ] {
            let server = Loopback::new([answer, published()]);
            let error = alarms(&server).send(&message(Channel::Email, "x")).await.unwrap_err();
            assert_eq!(error.disposition(), disposition);
            assert_eq!(error.to_string(), "SNS did not take the e-mail message");
            assert_eq!(server.asked().len(), 1);
        }
    }
}
