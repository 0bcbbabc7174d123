//! What a preset read from a line, still borrowing from it, and the step that makes it an observation.

use std::borrow::Cow;
use std::sync::Arc;

use crate::domain::job::{
    ConnectionName, DAY_MS, ERROR_CHARS_MAX, Ending, Form, JobClass, JobId, JobUuid, LineKey, Observation,
    QueueName, Runtime, Stage, Timestamp,
};
use crate::domain::name::bounded;
use crate::domain::printable::printable;
use crate::domain::redact::redact;

/// The longest delay that is believed: a job that may not be taken for longer than a year is a job that nobody waits for,
/// and a line may be forged.
const DELAY_MS_MAX: i64 = 366 * DAY_MS;
/// The longest timeout that is believed: for as long a job that started keeps its queue from being called silent.
const TIMEOUT_MS_MAX: i64 = DAY_MS;

/// A line's fields before they are owned. A preset fills what its form carries and leaves the rest `None`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sighting<'a> {
    pub(super) stage: Stage,
    pub(super) form: Form,
    pub(super) ending: Ending,
    pub(super) class: Option<Cow<'a, str>>,
    pub(super) queue: Option<Cow<'a, str>>,
    pub(super) connection: Option<Cow<'a, str>>,
    /// The channel of an enqueue's record, or the app that it names.
    pub(super) channel: Option<Cow<'a, str>>,
    pub(super) id: Option<Cow<'a, str>>,
    pub(super) uuid: Option<Cow<'a, str>>,
    pub(super) attempt: Option<u32>,
    pub(super) jobs: Option<u32>,
    pub(super) delay_ms: Option<i64>,
    pub(super) runtime: Option<Runtime>,
    pub(super) timeout_ms: Option<i64>,
    pub(super) text: Option<Cow<'a, str>>,
}

impl<'a> Sighting<'a> {
    /// A sighting of nothing but its stage.
    pub(super) const fn new(stage: Stage, form: Form) -> Self {
        Self {
            stage,
            form,
            ending: Ending::Plain,
            class: None,
            queue: None,
            connection: None,
            channel: None,
            id: None,
            uuid: None,
            attempt: None,
            jobs: None,
            delay_ms: None,
            runtime: None,
            timeout_ms: None,
            text: None,
        }
    }

    /// The same sighting with a text.
    pub(super) fn saying(mut self, text: impl Into<Cow<'a, str>>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// The same, of a line that does not live as long.
    pub(super) fn into_owned(self) -> Sighting<'static> {
        let own = |text: Option<Cow<'_, str>>| text.map(|text| Cow::Owned(text.into_owned()));
        Sighting {
            stage: self.stage,
            form: self.form,
            ending: self.ending,
            class: own(self.class),
            queue: own(self.queue),
            connection: own(self.connection),
            channel: own(self.channel),
            id: own(self.id),
            uuid: own(self.uuid),
            attempt: self.attempt,
            delay_ms: self.delay_ms,
            runtime: self.runtime,
            timeout_ms: self.timeout_ms,
            text: own(self.text),
            jobs: self.jobs,
        }
    }
}

/// The first line of an error, without secrets, cut to [`ERROR_CHARS_MAX`] characters.
pub(super) fn cut(text: &str) -> Arc<str> {
    first(&redact(first_line(text)))
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default().trim()
}

fn first(line: &str) -> Arc<str> {
    let line = printable(line);
    match line.char_indices().nth(ERROR_CHARS_MAX) {
        Some((end, _)) => Arc::from(line.get(..end).unwrap_or_default()),
        None => Arc::from(&*line),
    }
}

/// Names lately seen in a stream, so that equal names share one allocation.
#[derive(Debug, Default)]
pub(super) struct Names {
    classes: Recent<JobClass>,
    queues: Recent<(Box<str>, Option<QueueName>)>,
    connections: Recent<ConnectionName>,
    channels: Recent<Arc<str>>,
}

impl Names {
    /// Makes an observation of a sighting.
    pub(super) fn own(&mut self, seen: Sighting<'_>, at: Timestamp, line: LineKey) -> Observation {
        Observation {
            stage: seen.stage,
            at,
            line,
            form: seen.form,
            ending: seen.ending,
            class: seen.class.map(|name| {
                let make = || JobClass::from(&*printable(&name));
                self.classes.get(|known| known.as_str() == name, make).clone()
            }),
            queue: seen.queue.and_then(|name| {
                let make = || (Box::from(name.as_ref()), QueueName::parse(&printable(&name)));
                self.queues.get(|known| *known.0 == *name, make).1.clone()
            }),
            connection: seen.connection.filter(|name| !name.is_empty()).map(|name| {
                let make = || ConnectionName::from(&*printable(&name));
                self.connections.get(|known| known.as_str() == name, make).clone()
            }),
            id: seen.id.filter(|id| !id.is_empty()).map(|id| JobId::from(&*printable(&id))),
            uuid: seen.uuid.filter(|uuid| !uuid.is_empty()).map(|uuid| JobUuid::from(&*printable(&uuid))),
            origin: seen.channel.map(|channel| {
                let make = || Arc::from(&*bounded(&printable(&channel)));
                Arc::clone(self.channels.get(|known| **known == *channel, make))
            }),
            attempt: seen.attempt,
            jobs: seen.jobs,
            delay_ms: seen.delay_ms.map(|ms| ms.min(DELAY_MS_MAX)),
            runtime: seen.runtime,
            timeout_ms: seen.timeout_ms.map(|ms| ms.min(TIMEOUT_MS_MAX)),
            text: seen.text.map(|text| {
                // Names of a file, of queues: there is nothing to hide in them, and a redacted path leads nowhere.
                let is_name =
                    matches!(seen.stage, Stage::LogFileHint | Stage::WorkerStarted | Stage::WorkerAlive);
                if is_name { first(first_line(&text)) } else { cut(&text) }
            }),
        }
    }
}

/// Names kept per kind: an app has few queues and, within one payload, few classes in turn.
const RECENT_MAX: usize = 16;

/// The last names of one kind, newest last.
#[derive(Debug)]
struct Recent<T>(Vec<T>);

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Recent<T> {
    fn get(&mut self, is_same: impl Fn(&T) -> bool, make: impl FnOnce() -> T) -> &T {
        let place = self.0.iter().rposition(is_same).unwrap_or_else(|| {
            if self.0.len() >= RECENT_MAX {
                self.0.remove(0);
            }
            self.0.push(make());
            self.0.len().saturating_sub(1)
        });
        #[expect(clippy::indexing_slicing, reason = "the place was found or pushed just above")]
        &self.0[place]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(class: &'static str, queue: &'static str) -> Sighting<'static> {
        let mut seen = Sighting::new(Stage::Processing, Form::Json);
        seen.class = Some(class.into());
        seen.queue = Some(queue.into());
        seen
    }

    #[test]
    fn equal_names_share_one_allocation() {
        let mut names = Names::default();
        let mut own = |seen| names.own(seen, Timestamp::from_ms(0), LineKey(0));
        let one = own(named("App\\Jobs\\X", "default"));
        let other = own(named("App\\Jobs\\Y", "default"));
        let again = own(named("App\\Jobs\\X", "default"));
        let pointer = |o: &Observation| o.class.as_ref().map(|c| c.as_str().as_ptr());
        assert_eq!(pointer(&one), pointer(&again));
        assert_ne!(pointer(&one), pointer(&other));
        let queue = |o: &Observation| o.queue.as_ref().map(|q| q.as_str().as_ptr());
        assert_eq!(queue(&one), queue(&other));
    }

    #[test]
    fn many_names_are_still_read_right() {
        let mut names = Names::default();
        for number in 0..100 {
            let class = format!("Job{number}");
            let mut seen = Sighting::new(Stage::Processing, Form::Json);
            seen.class = Some(class.as_str().into());
            let owned = names.own(seen, Timestamp::from_ms(0), LineKey(0));
            assert_eq!(owned.class.map(|c| c.to_string()), Some(class));
        }
    }

    #[test]
    fn a_name_cannot_drive_a_terminal_or_break_a_line() {
        let mut seen = named("App\u{1b}]0;x\u{7}\nX", "de\tfault");
        seen.id = Some("1\r2".into());
        let owned = Names::default().own(seen, Timestamp::from_ms(0), LineKey(0));
        assert_eq!(owned.class, Some("App\u{fffd}]0;x\u{fffd}\u{fffd}X".into()));
        assert_eq!((owned.queue, owned.id), (Some("de\u{fffd}fault".into()), Some("1\u{fffd}2".into())));
        assert_eq!(&*cut("bad \u{1b}[31m"), "bad \u{fffd}[31m");
    }

    #[test]
    fn an_error_is_kept_without_secrets_and_a_file_by_its_whole_name() {
        let told = |stage, text: &'static str| {
            let seen = Sighting::new(stage, Form::Process).saying(text);
            Names::default().own(seen, Timestamp::from_ms(0), LineKey(0)).text.map(|text| text.to_string())
        };
        let error = "E: password=hunter2";
        for stage in [Stage::Failed, Stage::EnqueueError, Stage::WorkerError, Stage::WorkerStopped] {
            assert_eq!(told(stage, error).as_deref(), Some("E: password=(redacted)"));
        }
        let across = format!("E: {}bob@mail.example.com", "x ".repeat(ERROR_CHARS_MAX / 2 - 4));
        assert!(cut(&across).ends_with(" (e-ma"), "{}", cut(&across));
        let file = "/data/0123456789abcdef0123/storage/logs/queue.log";
        assert_eq!(told(Stage::LogFileHint, file).as_deref(), Some(file));
    }

    #[test]
    fn a_text_is_its_first_line_cut_at_a_character() {
        assert_eq!(&*cut("first\nsecond"), "first");
        assert_eq!(cut(&"é".repeat(400)).chars().count(), ERROR_CHARS_MAX);
    }

    #[test]
    fn an_empty_name_is_no_name_and_a_queue_url_is_its_last_segment() {
        let mut seen = named("X", "https://sqs.eu-west-1.amazonaws.com/1/emails");
        seen.id = Some("".into());
        seen.connection = Some("".into());
        let owned = Names::default().own(seen, Timestamp::from_ms(0), LineKey(0));
        assert_eq!((owned.id, owned.connection), (None, None));
        assert_eq!(owned.queue, Some(QueueName::from("emails")));
    }
}
