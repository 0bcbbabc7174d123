//! Reads CloudWatch's document: the header's members, and the log events one by one.
//!
//! CloudWatch puts the header before the events, and then one pass does all. Where the header is not complete
//! when the events begin, the first pass only checks and gathers, and a second one hands out the lines.

use super::json::{Cursor, Stop, Str, lossy};
use super::window::Window;
use super::{Header, Kind, Limits, Line, LineSink, Reason, Rejection};
use crate::domain::job::Timestamp;

/// Characters of a strange `messageType` that a rejection repeats: enough to recognise a sender.
const TYPE_CHARS_MAX: usize = 40;

/// Reads a whole payload, `window_bytes` at a time.
pub(super) fn read(
    gzip: &[u8],
    limits: &Limits,
    window_bytes: usize,
    sink: &mut (impl LineSink + ?Sized),
) -> Result<Header, Rejection> {
    let pass = |known, sink: &mut _| {
        let mut pass = Pass {
            window: Window::new(gzip, limits, window_bytes),
            scratch: Scratch::default(),
            limits,
            sink,
        };
        let outcome = pass.run(known);
        // A fault of the document may be one of its bytes; the checksum at their end tells.
        if let Err(Rejection { reason: Reason::BadDocument | Reason::TooManyLines, .. }) = outcome {
            pass.window.verify_rest()?;
        }
        outcome
    };
    match pass(None, sink)? {
        Outcome::HandedOut(header) => Ok(header),
        Outcome::OnlyGathered(header) => {
            pass(Some(&header), sink)?;
            Ok(header)
        }
    }
}

/// One reading of the document from its start.
struct Pass<'a, S: ?Sized> {
    window: Window<'a>,
    scratch: Scratch,
    limits: &'a Limits,
    sink: &'a mut S,
}

/// Room for unescaped strings, kept from event to event.
#[derive(Debug, Default)]
struct Scratch {
    key: Vec<u8>,
    id: Vec<u8>,
    message: Vec<u8>,
}

/// What a pass achieved.
enum Outcome {
    /// The sink got all lines.
    HandedOut(Header),
    /// The header came too late; the sink got nothing.
    OnlyGathered(Header),
}

/// The header as far as it was read.
#[derive(Debug, Default)]
struct Gathered {
    kind: Option<Kind>,
    owner: Option<String>,
    log_group: Option<String>,
    log_stream: Option<String>,
    subscription_filters: Option<Vec<String>>,
    /// Whether `logEvents` is an array.
    has_events: Option<bool>,
}

/// A member of the document.
#[derive(Clone, Copy)]
enum Member {
    MessageType,
    Owner,
    LogGroup,
    LogStream,
    SubscriptionFilters,
    LogEvents,
    /// `policyLevel`, or one that CloudWatch has yet to invent.
    Other,
}

impl<S: LineSink + ?Sized> Pass<'_, S> {
    fn run(&mut self, known: Option<&Header>) -> Result<Outcome, Rejection> {
        let mut gathered = Gathered::default();
        let mut begun = None;
        self.window.read(|text| text.expect(b'{', "expected an object"))?;
        let mut goes_on = !self.window.read(|text| text.take_if(b'}'))?;
        while goes_on {
            match self.member()? {
                Member::LogEvents => {
                    set(&mut gathered.has_events, false, "logEvents")?;
                    begun = known.cloned().or_else(|| gathered.complete());
                    if let Some(header) = &begun {
                        self.sink.begin(header);
                    }
                    let is_handed_out = begun.as_ref().is_some_and(|h| h.kind == Kind::Data);
                    gathered.has_events = Some(self.events(is_handed_out)?);
                }
                Member::MessageType => {
                    let name = self.text()?.unwrap_or_default();
                    set(&mut gathered.kind, message_type(&name)?, "messageType")?;
                }
                Member::Owner => self.text_member(&mut gathered.owner, "owner")?,
                Member::LogGroup => self.text_member(&mut gathered.log_group, "logGroup")?,
                Member::LogStream => self.text_member(&mut gathered.log_stream, "logStream")?,
                Member::SubscriptionFilters => {
                    let scratch = &mut self.scratch.message;
                    let names = self.window.read(|text| names(text, scratch))?;
                    set(&mut gathered.subscription_filters, names, "subscriptionFilters")?;
                }
                Member::Other => self.window.read(|text| text.value(1).map(drop))?,
            }
            goes_on = self.window.read(|text| text.goes_on(b'}'))?;
        }
        self.window.finish()?;
        let header = gathered.finish()?;
        if begun.is_some() {
            return Ok(Outcome::HandedOut(header));
        }
        if header.kind == Kind::Data {
            return Ok(Outcome::OnlyGathered(header));
        }
        self.sink.begin(&header);
        Ok(Outcome::HandedOut(header))
    }

    fn member(&mut self) -> Result<Member, Rejection> {
        let scratch = &mut self.scratch.key;
        self.window.read(|text| {
            let key = text.key(scratch)?;
            Ok(match key.bytes(scratch) {
                b"messageType" => Member::MessageType,
                b"owner" => Member::Owner,
                b"logGroup" => Member::LogGroup,
                b"logStream" => Member::LogStream,
                b"subscriptionFilters" => Member::SubscriptionFilters,
                b"logEvents" => Member::LogEvents,
                _ => Member::Other,
            })
        })
    }

    fn text(&mut self) -> Result<Option<String>, Rejection> {
        let scratch = &mut self.scratch.message;
        self.window.read(|text| text_or_null(text, scratch))
    }

    fn text_member(&mut self, slot: &mut Option<String>, name: &str) -> Result<(), Rejection> {
        match self.text()? {
            Some(value) => set(slot, value, name),
            None => Ok(()),
        }
    }

    /// Reads the array of log events. False if there is `null` instead.
    fn events(&mut self, is_handed_out: bool) -> Result<bool, Rejection> {
        let is_null = self.window.read(|text| {
            let is_null = text.peek()? == b'n';
            if is_null {
                text.value(1).map(drop)
            } else {
                text.expect(b'[', "expected an array of log events")
            }
            .map(|()| is_null)
        })?;
        if is_null {
            return Ok(false);
        }
        let mut goes_on = !self.window.read(|text| text.take_if(b']'))?;
        let mut lines_count: usize = 0;
        while goes_on {
            lines_count = lines_count.saturating_add(1);
            if lines_count > self.limits.lines_max {
                let detail = format!("more than {} log events", self.limits.lines_max);
                return Err(Rejection::new(Reason::TooManyLines, detail));
            }
            let (scratch, sink) = (&mut self.scratch, &mut *self.sink);
            goes_on = self.window.read(|text| {
                let event = Event::read(text, scratch)?;
                let goes_on = text.goes_on(b']')?;
                if is_handed_out {
                    sink.line(Line {
                        id: &lossy(event.id.bytes(&scratch.id)),
                        at: event.at,
                        message: &lossy(event.message.bytes(&scratch.message)),
                    });
                }
                Ok(goes_on)
            })?;
        }
        Ok(true)
    }
}

impl Gathered {
    /// The header, once nothing of it can change any more.
    fn complete(&self) -> Option<Header> {
        Some(Header {
            owner: self.owner.clone()?,
            log_group: self.log_group.clone()?,
            log_stream: self.log_stream.clone()?,
            subscription_filters: self.subscription_filters.clone()?,
            kind: self.kind?,
        })
    }

    /// The header at the document's end.
    fn finish(self) -> Result<Header, Rejection> {
        let missing = |name: &str| Rejection::new(Reason::BadDocument, format!("the document has no {name}"));
        let kind = self.kind.ok_or_else(|| missing("messageType"))?;
        let is_data = kind == Kind::Data;
        if is_data && self.has_events != Some(true) {
            return Err(missing("logEvents"));
        }
        // Without its group and stream a line has no identity.
        let place = |value: Option<String>, name| match value {
            None if is_data => Err(missing(name)),
            value => Ok(value.unwrap_or_default()),
        };
        Ok(Header {
            owner: self.owner.unwrap_or_default(),
            log_group: place(self.log_group, "logGroup")?,
            log_stream: place(self.log_stream, "logStream")?,
            subscription_filters: self.subscription_filters.unwrap_or_default(),
            kind,
        })
    }
}

/// A log event in the window and the scratch space.
struct Event<'a> {
    id: Str<'a>,
    at: Timestamp,
    message: Str<'a>,
}

impl<'a> Event<'a> {
    fn read(text: &mut Cursor<'a>, scratch: &mut Scratch) -> Result<Self, Stop> {
        text.expect(b'{', "expected a log event, an object")?;
        let (mut id, mut at, mut message) = (Str::Plain(b""), None, Str::Plain(b""));
        let mut goes_on = !text.take_if(b'}')?;
        while goes_on {
            let key = text.key(&mut scratch.key)?;
            match key.bytes(&scratch.key) {
                b"id" => id = event_id(text, &mut scratch.id)?,
                b"timestamp" => at = Some(timestamp(text, &mut scratch.key)?),
                b"message" => message = event_message(text, &mut scratch.message)?,
                _ => drop(text.value(3)?),
            }
            goes_on = text.goes_on(b'}')?;
        }
        let at = at.ok_or_else(|| text.fault("the log event that ends here has no timestamp"))?;
        Ok(Self { id, at, message })
    }
}

/// Reads an event's id; some emulators send numbers.
fn event_id<'a>(text: &mut Cursor<'a>, scratch: &mut Vec<u8>) -> Result<Str<'a>, Stop> {
    match text.peek()? {
        b'"' => text.string(scratch, ""),
        b'-' | b'0'..=b'9' => Ok(Str::Plain(text.number()?)),
        _ => text.value(3).map(|_| Str::Plain(b"")),
    }
}

fn event_message<'a>(text: &mut Cursor<'a>, scratch: &mut Vec<u8>) -> Result<Str<'a>, Stop> {
    match text.peek()? {
        b'"' => text.string(scratch, ""),
        b'n' => text.value(3).map(|_| Str::Plain(b"")),
        _ => Ok(Str::Plain(text.value(3)?)),
    }
}

/// Reads a timestamp: a number, or a string that holds one.
fn timestamp(text: &mut Cursor<'_>, scratch: &mut Vec<u8>) -> Result<Timestamp, Stop> {
    const WANTED: &str = "expected a timestamp, a number of milliseconds";
    let wrong = text.clone();
    let digits = match text.peek()? {
        b'"' => text.string(scratch, WANTED)?.bytes(scratch),
        b'-' | b'0'..=b'9' => text.number()?,
        _ => return Err(text.fault(WANTED)),
    };
    if let Some(ms) = whole(digits) {
        return Ok(Timestamp::from_ms(ms));
    }
    let digits = std::str::from_utf8(digits).unwrap_or_default();
    let ms = digits.parse::<i64>().ok().or_else(|| {
        let number = digits.parse::<f64>().ok().filter(|n| !n.is_nan())?;
        // A cast cuts the fraction off and stops at the range's ends, which is what is wanted.
        Some(number as i64)
    });
    ms.map(Timestamp::from_ms).ok_or_else(|| wrong.fault(WANTED))
}

/// A number of a few digits, as every timestamp of this century is; others are read with more care.
fn whole(digits: &[u8]) -> Option<i64> {
    const DIGITS_MAX: usize = 18;
    let is_whole = !digits.is_empty() && digits.len() <= DIGITS_MAX && digits.iter().all(u8::is_ascii_digit);
    let add = |sum: i64, digit: &u8| sum.wrapping_mul(10).wrapping_add(i64::from(digit & 0xf));
    is_whole.then(|| digits.iter().fold(0, add))
}

/// Reads a header's value. `null` is no value.
fn text_or_null(text: &mut Cursor<'_>, scratch: &mut Vec<u8>) -> Result<Option<String>, Stop> {
    let bytes = match text.peek()? {
        b'n' => return text.value(1).map(|_| None),
        b'-' | b'0'..=b'9' => text.number()?,
        _ => text.string(scratch, "expected a string")?.bytes(scratch),
    };
    Ok(Some(lossy(bytes).into_owned()))
}

/// Reads an array of strings. `null` is none.
fn names(text: &mut Cursor<'_>, scratch: &mut Vec<u8>) -> Result<Vec<String>, Stop> {
    let mut names = Vec::new();
    if text.peek()? == b'n' {
        return text.value(1).map(|_| names);
    }
    text.expect(b'[', "expected an array of subscription filters")?;
    let mut goes_on = !text.take_if(b']')?;
    while goes_on {
        let name = text.string(scratch, "expected a subscription filter's name")?;
        names.push(lossy(name.bytes(scratch)).into_owned());
        goes_on = text.goes_on(b']')?;
    }
    Ok(names)
}

fn message_type(name: &str) -> Result<Kind, Rejection> {
    match name {
        "DATA_MESSAGE" => Ok(Kind::Data),
        "CONTROL_MESSAGE" => Ok(Kind::Control),
        _ => {
            let name: String = name.chars().take(TYPE_CHARS_MAX).collect();
            let detail = format!("messageType {name:?} is neither DATA_MESSAGE nor CONTROL_MESSAGE");
            Err(Rejection::new(Reason::BadDocument, detail))
        }
    }
}

/// Fills an empty slot. Two values for one key are no document of CloudWatch's, and either could be wrong.
fn set<T>(slot: &mut Option<T>, value: T, name: &str) -> Result<(), Rejection> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Rejection::new(Reason::BadDocument, format!("the document has {name} twice"))),
    }
}
