//! What an error says, without what nobody may read: secrets, addresses, values of SQL statements.
//!
//! Exception texts are kept and sent, so they are redacted before anything is kept. It is done by rule, from the
//! words around a value or from its shape, and hides rather too much. **Invariant:** nothing is made longer than by
//! a few marks, and a text without anything to hide is returned as it is.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// Longest text that is looked at, in characters; what comes behind is dropped, so that no half of a secret is left.
const CHARS_MAX: usize = 2_000;

/// One rule: what it finds, and what it puts there.
struct Rule {
    pattern: Regex,
    instead: &'static str,
}

/// In this order: a statement goes as a whole before its values are looked at.
static RULES: LazyLock<[Rule; 10]> = LazyLock::new(|| {
    [
        // `(Connection: mysql, SQL: insert into users (email) values (…))`, with the framework's bindings filled in.
        rule(r"\((?:[^()]*, )?SQL: .*$", "(SQL redacted)"),
        // `Duplicate entry 'bob' for key`, `Incorrect integer value: 'x'`, `invalid input syntax for type uuid: "x"`.
        rule(r"(?i)(entry )'.*' for ", "${1}(redacted) for "),
        rule(r#"(?i)(value:? |syntax for [\w ]+: )(?:'[^']*'|"[^"]*")"#, "${1}(redacted)"),
        rule(r"Key \([^)]*\)=\([^)]*\)", "Key (redacted)"),
        // `redis://user:secret@host`, and whatever follows the `?` of an address.
        rule(r#"(?i)\b([a-z][a-z0-9+.-]*://)[^\s@'"<>]*@"#, "${1}(redacted)@"),
        rule(r#"(?i)\b([a-z][a-z0-9+.-]*://[^\s?'"<>]*)\?[^\s'"<>)]*"#, "${1}?(redacted)"),
        rule(SECRET_PAIR, "${1}${2}(redacted)"),
        rule(r"(?i)\b(bearer )[a-z0-9._~+/=-]{8,}", "${1}(redacted)"),
        rule(
            r"\b(?:(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}|eyJ[\w-]{8,}(?:\.[\w-]+)*|(?:sk|pk|rk|gh[pousr]|github_pat|glpat|xox[a-z])[-_][\w.-]{8,})",
            "(redacted)",
        ),
        rule(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", "(e-mail)"),
    ]
});

/// `password=…`, `"api_key": "…"`, `Authorization: Bearer …`: a name that ends in a secret's word, and its value.
const SECRET_PAIR: &str = r#"(?ix)
    \b([\w.-]*(?:pass|passwd|password|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key
        |credentials?|authorization|auth|cookie|session|session[_-]?id|signature|sig))
    (\\?["']?\s*(?:=>|=|:)\s*)
    (?:\\?"[^"]*"|'[^']*'|(?:bearer|basic)\s+\S+|[^\s,;&)\]}"']+)"#;

/// Letters and digits in one run: ids, hashes, keys. What a run is, [`is_random`] tells.
static RUNS: LazyLock<Regex> = LazyLock::new(|| constant(r"[A-Za-z0-9+/_=-]{12,}"));

fn rule(pattern: &str, instead: &'static str) -> Rule {
    Rule { pattern: constant(pattern), instead }
}

/// A constant pattern, compiled.
#[expect(clippy::expect_used, reason = "constants, each of which a test tries")]
pub(super) fn constant(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a constant pattern")
}

/// The text without secrets.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    let text = match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => text.get(..end).unwrap_or_default(),
        None => text,
    };
    // Most errors say nothing that a rule could be about: `Connection refused`.
    let may_tell = text.bytes().any(|b| b.is_ascii_digit() || matches!(b, b'@' | b'=' | b':' | b'\''));
    if !may_tell {
        return Cow::Borrowed(text);
    }
    let mut shown = Cow::Borrowed(text);
    for rule in RULES.iter() {
        if let Cow::Owned(clean) = rule.pattern.replace_all(&shown, rule.instead) {
            shown = Cow::Owned(clean);
        }
    }
    let judge = |run: &Captures<'_>| {
        let run = run.get(0).map_or("", |run| run.as_str());
        if is_random(run) { "(redacted)".to_owned() } else { run.to_owned() }
    };
    if let Cow::Owned(clean) = RUNS.replace_all(&shown, judge) {
        shown = Cow::Owned(clean);
    }
    shown
}

/// Whether a run looks drawn rather than written: a long number, a hash, base64. Paths and class names are written.
fn is_random(run: &str) -> bool {
    const DIGITS_MAX: usize = 11;
    const HEX_MAX: usize = 15;
    let is_hex = |text: &str| {
        let digits = || text.bytes().filter(|b| *b != b'-');
        digits().all(|b| b.is_ascii_hexdigit()) && digits().any(|b| b.is_ascii_digit())
    };
    if is_hex(run) && (run.len() > HEX_MAX || run.bytes().filter(u8::is_ascii_digit).count() > DIGITS_MAX) {
        return true;
    }
    run.split(['/', '-', '_', '+', '='])
        .any(|piece| (piece.len() > HEX_MAX && is_hex(piece)) || is_key(piece))
}

/// Whether a piece mixes capitals, small letters and digits as no name does: it changes between them at every other
/// character. `GenerateS3UploadUrl` changes at every word.
fn is_key(piece: &str) -> bool {
    const KEY_MIN: usize = 20;
    const DIGITS_MIN: usize = 3;
    let kind = |b: u8| (b.is_ascii_digit(), b.is_ascii_uppercase());
    let digits = piece.bytes().filter(u8::is_ascii_digit).count();
    let has = |is: fn(&u8) -> bool| piece.bytes().any(|b| is(&b));
    let changes = piece.bytes().zip(piece.bytes().skip(1)).filter(|(a, b)| kind(*a) != kind(*b)).count();
    piece.len() >= KEY_MIN
        && digits > 0
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && (digits >= DIGITS_MIN || changes.saturating_mul(2) > piece.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(redact(text), expected, "{text}");
    }

    #[test]
    fn what_tells_the_cause_stays() {
        for text in [
            "Connection refused",
            "RedisException: Connection refused [tcp://127.0.0.1:6411]",
            "Redis server redis.internal:6379 went away",
            "NOAUTH Authentication required.",
            "WRONGPASS invalid username-password pair or user is disabled.",
            "MOVED 866 10.0.0.1:6379",
            "Target class [App\\Jobs\\OpenAIService] does not exist.",
            "App\\Jobs\\GenerateS3UploadUrlForTenants has been attempted too many times.",
            "Illuminate\\Queue\\CallQueuedHandler@call not found",
            "Allowed memory size of 134217728 bytes exhausted (tried to allocate 20480 bytes)",
            "SQLSTATE[42S02]: Base table or view not found: 1146 Table 'shop.jobs' doesn't exist",
            "file_put_contents(/var/www/html/storage/framework/cache/data): Permission denied",
            "The \"stop-when-empty-for\" option does not exist.",
            "Unexpected null in cart #3",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn a_value_beside_a_secrets_name_is_hidden() {
        check("login failed: password=hunter2, retry", "login failed: password=(redacted), retry");
        check(r#"bad {"api_key":"abc def","n":1}"#, r#"bad {"api_key":(redacted),"n":1}"#);
        check(r#"bad {\"secret\":\"abc\"}"#, r#"bad {\"secret\":(redacted)}"#);
        check("Authorization: Bearer abc.def", "Authorization: (redacted)");
        check("header Bearer abcdefgh12", "header Bearer (redacted)");
        check("STRIPE_SECRET => 'x y'", "STRIPE_SECRET => (redacted)");
        check("Access denied for user 'root'@'db' (using password: YES)", {
            "Access denied for user 'root'@'db' (using password: (redacted))"
        });
    }

    #[test]
    fn an_address_loses_its_credentials_and_its_query() {
        check(
            "cannot connect to redis://:s3cret@cache:6379/0",
            "cannot connect to redis://(redacted)@cache:6379/0",
        );
        check(
            "GET https://api.example.com/v1/x?key=1&user=bob failed",
            "GET https://api.example.com/v1/x?(redacted) failed",
        );
    }

    #[test]
    fn a_statement_loses_its_values() {
        check(
            "SQLSTATE[23000]: 1062 Duplicate entry 'O'Neil' for key 'name' (Connection: mysql, SQL: insert into `u` (`n`) values (O'Neil))",
            "SQLSTATE[23000]: 1062 Duplicate entry (redacted) for key 'name' (SQL redacted)",
        );
        check(
            "SQLSTATE[22007]: 1366 Incorrect integer value: 'abc' for column 'n'",
            "SQLSTATE[22007]: 1366 Incorrect integer value: (redacted) for column 'n'",
        );
        check(
            "SQLSTATE[22P02]: invalid input syntax for type uuid: \"abc\"",
            "SQLSTATE[22P02]: invalid input syntax for type uuid: (redacted)",
        );
        check("Key (phone)=(555) already exists. 1", "Key (redacted) already exists. 1");
        check("gone (SQL: select 1 where a = (2))", "gone (SQL redacted)");
    }

    #[test]
    fn people_and_keys_are_hidden_by_their_shape() {
        check("no such user bob.smith+x@mail.example.com!", "no such user (e-mail)!");
        check("key AKIAIOSFODNN7EXAMPLE is disabled", "key (redacted) is disabled");
        check("Incorrect API key provided: sk-proj-abcdefgh", "Incorrect API key provided: (redacted)");
        check("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-def", "jwt (redacted)");
        check("digest 9f86d081884c7d659a2feaa0c55ad015 differs", "digest (redacted) differs");
        check("job 1bdef602-d9d6-4a01-b660-a616c2fff565 gone", "job (redacted) gone");
        check("card 4111111111111111 declined", "card (redacted) declined");
        check("phone 818012345678 unknown", "phone (redacted) unknown");
        check("id hGTusZBOe04jzF4dbUTIF7AkSjAAEm4i unknown", "id (redacted) unknown");
        check("file containers/0123456789abcdef0123/x gone", "file (redacted) gone");
    }

    #[test]
    fn a_text_without_end_is_looked_at_no_further_than_anybody_reads() {
        let shown = redact(&"1 password=x; ".repeat(CHARS_MAX)).into_owned();
        assert!(shown.len() < 2 * CHARS_MAX && !shown.contains("=x"), "{shown}");
    }
}
