//! A message's subject: what, where and for how long, in one line, in English whatever the body's language is.
//!
//! **Invariant:** at most [`SUBJECT_CHARS_MAX`] printable ASCII characters, as SNS demands.

use super::compose::Situation;
use super::words::{self, Voice};

/// The longest subject that SNS takes is 100 characters; one less leaves no doubt whether that is a bound
/// or a limit ([Publish](https://docs.aws.amazon.com/sns/latest/api/API_Publish.html)).
const SUBJECT_CHARS_MAX: usize = 99;

/// The subject of a message. An error's text gives way to what else it says.
pub(super) fn subject(mut situation: Situation<'_>, voice: &Voice) -> String {
    let voice = Voice::english(voice.store, voice.is_on_aws);
    loop {
        let title = words::title(&situation, &voice);
        if title.chars().count() <= SUBJECT_CHARS_MAX || situation.text_chars_max == 0 {
            return ascii(&title);
        }
        situation.text_chars_max = situation.text_chars_max.saturating_sub(1);
    }
}

/// Printable ASCII only, cut to what SNS takes.
pub(super) fn ascii(text: &str) -> String {
    text.chars().map(|c| if (' '..='~').contains(&c) { c } else { '?' }).take(SUBJECT_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_ascii_and_short() {
        let text = ascii(&format!("caf\u{e9}\n{}", "x".repeat(200)));
        assert_eq!(text.len(), 99);
        assert!(text.starts_with("caf??x"));
    }
}
