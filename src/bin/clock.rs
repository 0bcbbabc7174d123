//! The one place of a binary that asks what time it is.

use queuewatch::domain::job::Timestamp;

/// Now.
#[expect(clippy::disallowed_methods, reason = "the clock of the binary")]
pub(crate) fn now() -> Timestamp {
    #[cfg(feature = "e2e")]
    if let Some(ms) = time_of_the_tests() {
        return Timestamp::from_ms(ms);
    }
    Timestamp::from_ms(jiff::Timestamp::now().as_millisecond())
}

/// Epoch milliseconds from the file that the end-to-end tests keep: an incident takes minutes, and no test waits.
/// Nothing that is deployed has this feature.
#[cfg(feature = "e2e")]
#[expect(clippy::disallowed_methods, reason = "where the tests say what time it is, and no setting")]
fn time_of_the_tests() -> Option<i64> {
    let path = std::env::var_os("QUEUEWATCH_TEST_CLOCK_FILE")?;
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}
