//! Where an enqueue line comes from: the logger's channel or the app that the record names, and the log group and
//! container that printed it.
//!
//! One app mostly writes from several places, and two apps may share one. So an origin decides nothing by itself: it is
//! kept with the queue's name in the ledger's lanes, and `apps` of the queues tells which of them are one app.

use std::sync::Arc;

use crate::domain::job::QueueName;
use crate::domain::line::LineHash;

/// Stands between the parts. Names hold none: what is not printable is replaced as lines are read.
const MARK: char = '\u{1e}';
const MARK_TEXT: &str = "\u{1e}";

/// An origin's parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin<'a> {
    /// The logger's channel, or the app or the environment that the record names; empty where it names none.
    pub channel: &'a str,
    /// The log group.
    pub log_group: &'a str,
    /// Whose line it is, by what stood around it; empty where nothing did.
    pub label: &'a str,
    /// The stream without what is drawn for each container: see [`family`].
    pub family: &'a str,
}

/// What a line itself says of its origin: the channel, and whose line it is by what stood around it. [`told`] reads it.
#[must_use]
pub fn of_line(channel: &str, label: &str) -> Arc<str> {
    if label.is_empty() {
        Arc::from(channel)
    } else {
        Arc::from([channel, MARK_TEXT, &family(label)].concat())
    }
}

impl<'a> Origin<'a> {
    /// Reads an origin as [`Origin::text`] writes it.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        let mut parts = text.split(MARK);
        let mut next = || parts.next().unwrap_or_default();
        Self { channel: next(), log_group: next(), label: next(), family: next() }
    }

    /// Where its lines are printed, as [`workplace`] names it.
    #[must_use]
    pub fn workplace(&self) -> u64 {
        named(self.log_group, self.family)
    }

    /// The origin as it is kept.
    #[must_use]
    pub fn text(&self) -> Arc<str> {
        let Self { channel, log_group, label, family } = self;
        Arc::from([*channel, MARK_TEXT, log_group, MARK_TEXT, label, MARK_TEXT, family].concat())
    }
}

/// The channel and the label that a line tells.
#[must_use]
pub fn told(of_line: &str) -> (&str, &str) {
    of_line.split_once(MARK).unwrap_or((of_line, ""))
}

/// What a stream's name says of its container's kind: without the words that are drawn for each one. `ecs/app/7a1b2c3d`
/// is of `ecs/app`, `shop-worker-6d4cf56db6-xkcdq_prod` of `shop-worker-_prod`.
#[must_use]
pub fn family(log_stream: &str) -> String {
    let is_mark = |c: char| !c.is_alphanumeric();
    let mut kept = String::with_capacity(log_stream.len());
    for piece in log_stream.split_inclusive(is_mark) {
        let word = piece.trim_end_matches(is_mark);
        if !is_drawn(word) {
            kept.push_str(piece);
        } else if piece.ends_with('_') {
            kept.push('_');
        }
    }
    kept.trim_end_matches(is_mark).to_owned()
}

/// Whether a word is drawn: numbers and hashes have digits, and what Kubernetes draws has no vowels, so that it spells
/// nothing.
fn is_drawn(word: &str) -> bool {
    const KUBERNETES_CHARS: usize = 5;
    let spells = || word.bytes().any(|b| b"aeiou".contains(&b.to_ascii_lowercase()));
    word.bytes().any(|b| b.is_ascii_digit()) || (word.len() == KUBERNETES_CHARS && !spells())
}

/// Where workers of a kind print, as a number: their group and their streams' family.
#[must_use]
pub fn workplace(log_group: &str, log_stream: &str) -> u64 {
    named(log_group, &family(log_stream))
}

fn named(log_group: &str, family: &str) -> u64 {
    LineHash::default().with(log_group.as_bytes()).with(family.as_bytes()).finish()
}

/// A queue's name with the origin of what is on it, as lanes have it.
#[must_use]
pub fn mark_queue(queue: &QueueName, origin: Option<&str>) -> QueueName {
    match origin {
        Some(origin) => {
            let app = queue.scope().unwrap_or_default();
            queue.within(Some(&[app, MARK_TEXT, origin].concat()))
        }
        None => queue.clone(),
    }
}

/// A queue's name as lanes have it: the name alone, and the origin.
#[must_use]
pub fn split_queue(queue: &QueueName) -> (QueueName, Option<&str>) {
    match queue.scope().and_then(|scope| scope.split_once(MARK)) {
        Some((app, origin)) => (queue.within(Some(app).filter(|app| !app.is_empty())), Some(origin)),
        None => (queue.clone(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_has_no_word_that_is_drawn() {
        for (stream, expected) in [
            ("ecs/app/7a1b2c3d4e5f", "ecs/app"),
            ("ecs/app/1", "ecs/app"),
            ("shop/worker/0f3c9a", "shop/worker"),
            ("2026/03/02/[$LATEST]8b7c9a52", "[$LATEST"),
            ("shop-worker-6d4cf56db6-xkcdq_prod", "shop-worker-_prod"),
            ("storage/logs/laravel.log", "storage/logs/laravel.log"),
            ("i-0abc123", "i"),
            ("", ""),
        ] {
            assert_eq!(family(stream), expected, "{stream}");
        }
        assert_eq!(workplace("g", "ecs/app/1a"), workplace("g", "ecs/app/2b"));
        assert_ne!(workplace("g", "ecs/app/1a"), workplace("h", "ecs/app/1a"));
    }

    #[test]
    fn a_line_says_its_channel_and_whose_it_is() {
        assert_eq!(told(&of_line("billing", "")), ("billing", ""));
        assert_eq!(told(&of_line("billing", "shop-web-7c9f8d")), ("billing", "shop-web"));
    }

    #[test]
    fn an_origin_goes_with_its_queue_and_comes_back() {
        let origin = Origin { channel: "billing", log_group: "/ecs/app", label: "", family: "ecs/app" };
        let text = origin.text();
        assert_eq!(Origin::parse(&text), origin);
        for queue in [QueueName::from("default"), QueueName::from("default").within(Some("shop"))] {
            let marked = mark_queue(&queue, Some(&text));
            assert_eq!(split_queue(&marked), (queue.clone(), Some(&*text)));
            assert_ne!(marked, queue);
            assert_eq!(split_queue(&queue), (queue.clone(), None));
            assert_eq!(mark_queue(&queue, None), queue);
        }
    }
}
