//! Globs over log group and log stream names: `*` is any run of characters, `?` is one character.

/// Whether `name` fits `pattern` as a whole.
///
/// Greedy with one step back: linear for the patterns people write, quadratic at worst, never exponential.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    let mut pattern = pattern.chars();
    let mut name = name.chars();
    let mut retry: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
    loop {
        let name_before = name.clone();
        match (pattern.next(), name.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                name = name_before.clone();
                retry = Some((pattern.clone(), name_before));
            }
            (Some('?'), Some(_)) => {}
            (Some(wanted), Some(found)) if wanted == found => {}
            _ => {
                let Some((after_star, mut skipped)) = retry.take() else { return false };
                if skipped.next().is_none() {
                    return false;
                }
                pattern = after_star.clone();
                name = skipped.clone();
                retry = Some((after_star, skipped));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, name: &str, expected: bool) {
        assert_eq!(fits(pattern, name), expected, "{pattern} over {name}");
    }

    #[test]
    fn a_star_is_any_run_and_a_question_mark_is_one_character() {
        check("/ecs/app", "/ecs/app", true);
        check("/ecs/app", "/ecs/app2", false);
        check("ecs/app/*", "ecs/app/1f2e", true);
        check("ecs/app/*", "ecs/web/1f2e", false);
        check("*", "", true);
        check("", "", true);
        check("", "a", false);
        check("*/worker/*", "ecs/worker/1", true);
        check("*/worker/*", "ecs/worker", false);
        check("a*b*c", "a-b-b-c", true);
        check("a*b*c", "a-b-b-d", false);
        check("task-?", "task-1", true);
        check("task-?", "task-", false);
        check("task-?", "task-12", false);
        check("**", "é/ü", true);
        check("?", "é", true);
        check("*a", "aaab", false);
    }
}
