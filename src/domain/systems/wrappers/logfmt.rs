//! logfmt: `time=… level=info msg="…" key=value`, as Go's loggers and the routers written with them print it. It is made
//! the JSON object that it stands for. <https://pkg.go.dev/github.com/go-logfmt/logfmt>

use std::borrow::Cow;

use super::Peeled;

/// Pairs of which a line has at least these many: fewer are a sentence with an equals sign.
const PAIRS_LEAST: usize = 3;

/// Reads a line that is nothing but pairs, and says something.
pub(super) fn logfmt(line: &str) -> Option<Peeled<'_>> {
    // The gate: most lines that begin with a letter are no pairs.
    let (first, _) = line.split_once('=')?;
    if !is_key(first) {
        return None;
    }
    let mut json = String::from("{");
    let (mut rest, mut pairs_count, mut is_saying) = (line.trim_end(), 0_usize, false);
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=')?;
        if !is_key(key) {
            return None;
        }
        let (value, after) = value(after)?;
        is_saying |= matches!(key, "msg" | "message" | "log" | "status");
        if pairs_count > 0 {
            json.push(',');
        }
        json.push_str(&serde_json::to_string(key).ok()?);
        json.push(':');
        match value {
            Value::Number(number) => json.push_str(number),
            Value::Text(text) => json.push_str(&serde_json::to_string(&text).ok()?),
        }
        pairs_count = pairs_count.saturating_add(1);
        rest = after.trim_start_matches(' ');
    }
    json.push('}');
    (is_saying && pairs_count >= PAIRS_LEAST).then(|| Peeled { inner: Cow::Owned(json), ..Peeled::whole("") })
}

enum Value<'a> {
    Number(&'a str),
    Text(Cow<'a, str>),
}

/// A value, quoted or up to the next blank, and what follows it.
fn value(text: &str) -> Option<(Value<'_>, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (word, after) = text.split_once(' ').unwrap_or((text, ""));
        // A quote within a word is another form.
        return (!word.contains('"')).then(|| (plain(word), after));
    };
    let mut plain = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                let after = quoted.get(at..)?.strip_prefix('"')?;
                let is_over = after.is_empty() || after.starts_with(' ');
                return is_over.then_some((Value::Text(Cow::Owned(plain)), after));
            }
            '\\' => match chars.next()?.1 {
                escaped @ ('"' | '\\') => plain.push(escaped),
                'n' => plain.push('\n'),
                't' => plain.push('\t'),
                // Whoever quotes without escaping prints a namespace as it is.
                other => plain.extend(['\\', other]),
            },
            other => plain.push(other),
        }
    }
    None
}

fn plain(word: &str) -> Value<'_> {
    // A number that JSON would write otherwise is a text: an id may begin with zeros.
    let is_number = serde_json::from_str::<serde_json::Number>(word).is_ok_and(|it| it.to_string() == word);
    if is_number { Value::Number(word) } else { Value::Text(Cow::Borrowed(word)) }
}

fn is_key(key: &str) -> bool {
    const KEY_BYTES_MAX: usize = 64;
    !key.is_empty()
        && key.len() <= KEY_BYTES_MAX
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-/@".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<&str>) {
        assert_eq!(logfmt(line).map(|peeled| peeled.inner.into_owned()).as_deref(), expected, "{line}");
    }

    #[test]
    fn pairs_are_the_object_that_they_stand_for() {
        check(
            r#"level=info msg="say \"no\"" job=App\Jobs\X id=017 attempts=1 duration=0.5"#,
            Some(
                r#"{"level":"info","msg":"say \"no\"","job":"App\\Jobs\\X","id":"017","attempts":1,"duration":0.5}"#,
            ),
        );
        check(
            r#"a=1 b= msg="App\\Jobs\\X App\Jobs\X""#,
            Some(r#"{"a":1,"b":"","msg":"App\\Jobs\\X App\\Jobs\\X"}"#),
        );
    }

    #[test]
    fn a_sentence_with_an_equals_sign_is_none() {
        for line in [
            "a=1 b=2",
            "a=1 b=2 c=3",
            "x = 1 msg=2 y=3",
            "level=info msg=hello world",
            r#"level=info msg="open"#,
            r#"level=info msg="a"b c=1"#,
            r#"id=5 status=a"b c=1"#,
            "the level=info msg=x c=1",
            "",
        ] {
            check(line, None);
        }
    }
}
