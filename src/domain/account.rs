//! AWS accounts: how a log group of another one is called.

/// A log group of another account, as it is called beside those of the stack's own: `123456789012:/ecs/app`.
#[must_use]
pub fn account_group(owner: &str, log_group: &str) -> String {
    format!("{owner}:{log_group}")
}

/// The account in a log group's name, and the group as that account calls it.
#[must_use]
pub fn split_account(log_group: &str) -> (&str, &str) {
    let split = log_group.split_once(':');
    let is_account = |owner: &str| owner.len() == ACCOUNT_DIGITS && owner.bytes().all(|b| b.is_ascii_digit());
    split.filter(|(owner, _)| is_account(owner)).unwrap_or(("", log_group))
}

/// Digits of an account's number.
pub const ACCOUNT_DIGITS: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_of_another_account_is_called_by_both() {
        let group = account_group("222222222222", "/ecs/app");
        assert_eq!(split_account(&group), ("222222222222", "/ecs/app"));
        assert_eq!(split_account("/ecs/app"), ("", "/ecs/app"));
        assert_eq!(split_account("a:b"), ("", "a:b"));
    }
}
