//! An item as DynamoDB keeps it, there and back.
//!
//! | attribute | holds |
//! |---|---|
//! | `pk`, `sk` | the key |
//! | `v` | the version |
//! | `w`, `k` | the place in the index `due`, while there is one |
//! | `x` | the second from which DynamoDB may forget the item |
//! | `d` or `b` | the body: `d` where the index carries it, else `b` |
//!
//! A body is JSON in a text. A long one is deflated (zlib) into bytes: reads and writes are paid by size.

use std::io::{self, Read, Write};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use thiserror::Error;

use crate::domain::job::{SECOND_MS, Timestamp};
use crate::ports::table::{Due, Item, ItemKey, Listed};

pub(super) const PARTITION: &str = "pk";
pub(super) const SORT: &str = "sk";
pub(super) const VERSION: &str = "v";
pub(super) const DUE_PARTITION: &str = "w";
pub(super) const DUE_ORDER: &str = "k";
const EXPIRES: &str = "x";
const BODY_SHOWN: &str = "d";
const BODY: &str = "b";

/// The SDK's form of an item.
#[expect(clippy::disallowed_types, reason = "the SDK's own type; asked by name, never listed")]
pub(super) type Attributes = std::collections::HashMap<String, AttributeValue>;

/// DynamoDB bills writes by the kilobyte, names and keys included: a delivery's take some 130 bytes, a job's as many.
/// A body that fits beside them stays readable in the console.
const DEFLATE_FROM_BYTES: usize = 1_024 - 160;

/// 16 MiB: an item has 400 KB, and JSON of job names deflates some 10 times; deflate itself reaches 1,030 times, so
/// what is not ours could name 400 MB.
pub const BODY_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// An item's size, names and values together
/// ([quotas](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html)).
pub const ITEM_BYTES_MAX: usize = 400 * 1024;

/// Why attributes are no item.
#[derive(Debug, Error)]
pub enum Fault {
    /// An attribute is missing, or of another type.
    #[error("the attribute `{0}` is missing or of another type")]
    Attribute(&'static str),
    /// A body that does not inflate to text.
    #[error("the body does not inflate")]
    Body(#[source] io::Error),
    /// A body that would take more memory than [`BODY_BYTES_MAX`].
    #[error("the body inflates to more than {BODY_BYTES_MAX} bytes")]
    BodyTooLarge,
}

/// An item's attributes, and how many bytes DynamoDB counts them as.
pub(super) fn encode(item: &Item) -> io::Result<(Attributes, usize)> {
    let mut encoded = Attributes::from([
        (PARTITION.to_owned(), text(&item.key.partition)),
        (SORT.to_owned(), text(&item.key.sort)),
        (VERSION.to_owned(), AttributeValue::N(item.version.to_string())),
    ]);
    let mut body_name = BODY;
    if let Some(due) = &item.due {
        encoded.insert(DUE_PARTITION.to_owned(), text(&due.partition));
        encoded.insert(DUE_ORDER.to_owned(), text(&due.order));
        if due.shows_body {
            body_name = BODY_SHOWN;
        }
    }
    if let Some(at) = item.expires_at {
        encoded.insert(EXPIRES.to_owned(), AttributeValue::N(second_after(at).to_string()));
    }
    encoded.insert(body_name.to_owned(), deflated(&item.body)?);
    let bytes = encoded
        .iter()
        .fold(0_usize, |sum, (name, value)| sum.saturating_add(name.len()).saturating_add(size(value)));
    Ok((encoded, bytes))
}

/// An item's primary key, as a request names it.
pub(super) fn encode_key(key: &ItemKey) -> Attributes {
    Attributes::from([(PARTITION.to_owned(), text(&key.partition)), (SORT.to_owned(), text(&key.sort))])
}

/// Reads an item.
pub(super) fn decode(attributes: &Attributes) -> Result<Item, Fault> {
    let key = decode_key(attributes)?;
    let version = attributes
        .get(VERSION)
        .and_then(|value| value.as_n().ok()?.parse().ok())
        .ok_or(Fault::Attribute(VERSION))?;
    let shown = attributes.get(BODY_SHOWN);
    let due = match (attributes.get(DUE_PARTITION), attributes.get(DUE_ORDER)) {
        (None, None) => None,
        (Some(_), _) | (_, Some(_)) => Some(Due {
            partition: read_text(attributes, DUE_PARTITION)?,
            order: read_text(attributes, DUE_ORDER)?,
            shows_body: shown.is_some(),
        }),
    };
    let body = shown.or_else(|| attributes.get(BODY)).ok_or(Fault::Attribute(BODY))?;
    Ok(Item { key, version, due, expires_at: expiry(attributes)?, body: inflated(body)? })
}

/// Reads a line of the index.
pub(super) fn decode_listed(attributes: &Attributes) -> Result<Listed, Fault> {
    Ok(Listed {
        key: decode_key(attributes)?,
        order: read_text(attributes, DUE_ORDER)?,
        expires_at: expiry(attributes)?,
        body: attributes.get(BODY_SHOWN).map(inflated).transpose()?,
    })
}

/// Reads an item's key.
pub(super) fn decode_key(attributes: &Attributes) -> Result<ItemKey, Fault> {
    Ok(ItemKey { partition: read_text(attributes, PARTITION)?, sort: read_text(attributes, SORT)? })
}

pub(super) fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn read_text(attributes: &Attributes, name: &'static str) -> Result<String, Fault> {
    let value = attributes.get(name).and_then(|value| value.as_s().ok());
    value.cloned().ok_or(Fault::Attribute(name))
}

/// DynamoDB forgets by the second: the first whole one that is not before the moment.
fn second_after(at: Timestamp) -> i64 {
    let floor = at.as_ms().div_euclid(SECOND_MS);
    if at.as_ms().rem_euclid(SECOND_MS) == 0 { floor } else { floor.saturating_add(1) }
}

fn expiry(attributes: &Attributes) -> Result<Option<Timestamp>, Fault> {
    let Some(value) = attributes.get(EXPIRES) else { return Ok(None) };
    let seconds: i64 =
        value.as_n().ok().and_then(|digits| digits.parse().ok()).ok_or(Fault::Attribute(EXPIRES))?;
    Ok(Some(Timestamp::from_ms(seconds.saturating_mul(SECOND_MS))))
}

/// A body, deflated where that makes it shorter.
fn deflated(body: &str) -> io::Result<AttributeValue> {
    if body.len() <= DEFLATE_FROM_BYTES {
        return Ok(text(body));
    }
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body.as_bytes())?;
    let bytes = encoder.finish()?;
    Ok(if bytes.len() < body.len() { AttributeValue::B(Blob::new(bytes)) } else { text(body) })
}

fn inflated(value: &AttributeValue) -> Result<String, Fault> {
    if let Ok(plain) = value.as_s() {
        return Ok(plain.clone());
    }
    let bytes = value.as_b().map_err(|_| Fault::Attribute(BODY))?;
    let mut body = Vec::new();
    let over = BODY_BYTES_MAX.saturating_add(1);
    ZlibDecoder::new(bytes.as_ref()).take(over).read_to_end(&mut body).map_err(Fault::Body)?;
    // The size comes first: the cut may go through a character, which is no fault of the text.
    if body.len() as u64 > BODY_BYTES_MAX {
        return Err(Fault::BodyTooLarge);
    }
    String::from_utf8(body).map_err(|error| Fault::Body(io::Error::new(io::ErrorKind::InvalidData, error)))
}

/// What DynamoDB counts a value as; of a number the most that it can be.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
fn size(value: &AttributeValue) -> usize {
    if let Ok(text) = value.as_s().or_else(|value| value.as_n()) {
        text.len()
    } else if let Ok(bytes) = value.as_b() {
        bytes.as_ref().len()
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(body: &str, due: Option<Due>) -> Item {
        let key = ItemKey { partition: "J#shop#i7".into(), sort: "-".into() };
        Item {
            key,
            version: 3,
            due,
            expires_at: Some(Timestamp::from_ms(1_765_024_270_000)),
            body: body.into(),
        }
    }

    fn due(shows_body: bool) -> Option<Due> {
        Some(Due { partition: "o3".into(), order: "1765024270000i7".into(), shows_body })
    }

    fn words(bytes: usize) -> String {
        let mut text = String::from("{\"class\":\"");
        while text.len() < bytes {
            text.push_str("App\\\\Jobs\\\\GenerateAvatarImagesJob ");
        }
        text.push_str("\"}");
        text
    }

    #[track_caller]
    fn check_there_and_back(item: &Item) {
        let (attributes, bytes) = encode(item).unwrap();
        assert_eq!(decode(&attributes).unwrap(), *item);
        let names: usize = attributes.keys().map(String::len).sum();
        assert_eq!(bytes, names.saturating_add(attributes.values().map(size).sum()));
    }

    #[test]
    fn an_item_is_the_same_there_and_back() {
        for body in ["{}", "", &words(864), &words(300_000), "{\"q\":\"\u{30e1}\u{30fc}\u{30eb}\"}"] {
            check_there_and_back(&item(body, None));
            check_there_and_back(&item(body, due(true)));
            check_there_and_back(&item(body, due(false)));
            check_there_and_back(&Item { expires_at: None, ..item(body, due(true)) });
        }
    }

    #[test]
    fn a_body_lies_where_the_index_shows_it_or_where_it_does_not() {
        let names = |item: &Item| {
            let (attributes, _) = encode(item).unwrap();
            let mut names: Vec<String> = attributes.into_keys().collect();
            names.sort();
            names.join(" ")
        };
        assert_eq!(names(&item("{}", None)), "b pk sk v x");
        assert_eq!(names(&item("{}", due(false))), "b k pk sk v w x");
        assert_eq!(names(&item("{}", due(true))), "d k pk sk v w x");
    }

    #[test]
    fn an_item_that_was_unmarked_keeps_its_body_and_is_not_due() {
        let marked = item(&words(5_000), due(true));
        let (mut attributes, _) = encode(&marked).unwrap();
        attributes.remove(DUE_PARTITION);
        attributes.remove(DUE_ORDER);
        assert_eq!(decode(&attributes).unwrap(), Item { due: None, ..marked });
    }

    #[test]
    fn a_long_body_is_deflated_and_a_short_or_dense_one_is_not() {
        let kind = |body: &str| {
            let (attributes, _) = encode(&item(body, None)).unwrap();
            if attributes["b"].is_b() { "bytes" } else { "text" }
        };
        assert_eq!(kind(&"x".repeat(864)), "text");
        assert_eq!(kind(&"x".repeat(865)), "bytes");
        // Every code point once: nothing in it repeats, so deflating it does not pay.
        let dense: String = ('\u{4e00}'..'\u{9000}').step_by(37).collect();
        assert!(dense.len() > DEFLATE_FROM_BYTES);
        check_there_and_back(&item(&dense, None));
    }

    #[test]
    fn a_line_of_the_index_is_read() {
        let shown = item(&words(3_000), due(true));
        let (mut attributes, _) = encode(&shown).unwrap();
        attributes.remove(VERSION);
        let listed = decode_listed(&attributes).unwrap();
        assert_eq!((listed.key, listed.order.as_str()), (shown.key.clone(), "1765024270000i7"));
        assert_eq!((listed.body, listed.expires_at), (Some(shown.body.clone()), shown.expires_at));
        attributes.remove(BODY_SHOWN);
        assert_eq!(decode_listed(&attributes).unwrap().body, None);
    }

    #[test]
    fn an_item_is_not_forgotten_before_its_moment() {
        let seconds = |ms| second_after(Timestamp::from_ms(ms));
        assert_eq!(seconds(1_765_024_270_000), 1_765_024_270);
        assert_eq!(seconds(1_765_024_270_001), 1_765_024_271);
        assert_eq!(seconds(0), 0);
    }

    #[track_caller]
    fn check_fault(change: impl FnOnce(&mut Attributes), expected: &str) {
        let (mut attributes, _) = encode(&item("{}", due(false))).unwrap();
        change(&mut attributes);
        assert_eq!(decode(&attributes).unwrap_err().to_string(), expected);
    }

    #[test]
    fn attributes_that_are_no_item_are_declined() {
        let missing = |name: &str| format!("the attribute `{name}` is missing or of another type");
        let put = |name: &'static str, value: AttributeValue| {
            move |attributes: &mut Attributes| {
                attributes.insert(name.to_owned(), value);
            }
        };
        for name in ["pk", "sk", "v", "w", "k", "b"] {
            check_fault(
                |attributes| {
                    attributes.remove(name);
                },
                &missing(name),
            );
        }
        check_fault(put("v", AttributeValue::N("-1".into())), &missing("v"));
        check_fault(put("v", text("1")), &missing("v"));
        check_fault(put("x", AttributeValue::N("1.5".into())), &missing("x"));
        check_fault(put("b", AttributeValue::Bool(true)), &missing("b"));
    }

    #[test]
    fn a_body_that_is_damaged_or_no_text_is_declined() {
        let blob = |bytes: Vec<u8>| AttributeValue::B(Blob::new(bytes));
        let (attributes, _) = encode(&item(&words(5_000), None)).unwrap();
        let good = attributes["b"].as_b().unwrap().as_ref().to_vec();
        let cut = good[..good.len() - 6].to_vec();
        let mut turned = good.clone();
        *turned.last_mut().unwrap() ^= 1;
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&[0xff; 10]).unwrap();
        let no_text = encoder.finish().unwrap();
        for bytes in [Vec::new(), b"not zlib".to_vec(), cut, turned, no_text] {
            assert!(matches!(inflated(&blob(bytes)), Err(Fault::Body(_))));
        }
    }

    #[test]
    fn a_body_that_inflates_without_end_is_stopped() {
        let bomb = |bytes: u64, with: &[u8]| {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
            let block = with.repeat(64 * 1024 / with.len());
            let mut left = usize::try_from(bytes).unwrap();
            while left > 0 {
                let part = left.min(block.len());
                encoder.write_all(&block[..part]).unwrap();
                left -= part;
            }
            AttributeValue::B(Blob::new(encoder.finish().unwrap()))
        };
        assert_eq!(inflated(&bomb(BODY_BYTES_MAX, b"x")).unwrap().len() as u64, BODY_BYTES_MAX);
        assert!(matches!(inflated(&bomb(BODY_BYTES_MAX + 1, b"x")), Err(Fault::BodyTooLarge)));
        assert!(matches!(inflated(&bomb(BODY_BYTES_MAX * 4, b"x")), Err(Fault::BodyTooLarge)));
        // A character of two bytes lies across the limit.
        let across = "\u{e9}".as_bytes();
        assert!(matches!(inflated(&bomb(BODY_BYTES_MAX * 2, across)), Err(Fault::BodyTooLarge)));
    }
}
