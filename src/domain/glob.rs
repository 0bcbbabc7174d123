//! Globs over names: `*` is any run of characters, `?` is any one; everything else, `[` and `\` included, is
//! itself (a Lambda's stream is called `2025/12/06/[$LATEST]ab12`, a class `App\Jobs\X`).
//!
//! **Invariant:** no recursion, and at most `glob × text` steps: a mismatch goes back to the last `*` only.

/// Whether `glob` matches the whole of `text`. Case counts; `*` also crosses `/`.
#[must_use]
pub fn matches(glob: &str, text: &str) -> bool {
    let (mut glob, mut text) = (glob.chars(), text.chars());
    // What follows the last `*`, and the text that star has not swallowed yet.
    let mut star = None;
    loop {
        let mut glob_rest = glob.clone();
        match glob_rest.next() {
            Some('*') => {
                star = Some((glob_rest.clone(), text.clone()));
                glob = glob_rest;
                continue;
            }
            Some(expected) => {
                let mut text_rest = text.clone();
                if text_rest.next().is_some_and(|found| expected == '?' || expected == found) {
                    (glob, text) = (glob_rest, text_rest);
                    continue;
                }
            }
            None if text.as_str().is_empty() => return true,
            None => {}
        }
        let Some((after_star, unswallowed)) = &mut star else { return false };
        if unswallowed.next().is_none() {
            return false;
        }
        (glob, text) = (after_star.clone(), unswallowed.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(glob: &str, text: &str, expected: bool) {
        assert_eq!(matches(glob, text), expected, "{glob:?} on {text:?}");
    }

    #[test]
    fn plain_text_matches_itself_only() {
        check("default", "default", true);
        check("default", "default2", false);
        check("default", "defaul", false);
        check("default", "Default", false);
        check("", "", true);
        check("", "a", false);
    }

    #[test]
    fn a_star_is_any_run_and_a_question_mark_any_one() {
        check("*", "", true);
        check("*", "ecs/app/0f3c", true);
        check("ecs/app/*", "ecs/app/0f3c", true);
        check("ecs/app/*", "ecs/web/0f3c", false);
        check("*a*b", "xaybzab", true);
        check("*a*b", "xaybza", false);
        check("**", "x", true);
        check("a?c", "abc", true);
        check("a?c", "ac", false);
        check("?", "", false);
        check("?", "é", true);
        check("*?", "", false);
        check("*?", "x", true);
    }

    #[test]
    fn brackets_and_backslashes_are_themselves() {
        check("*[$LATEST]*", "2025/12/06/[$LATEST]ab12", true);
        check("[ab]", "a", false);
        check(r"App\Jobs\*", r"App\Jobs\ExportReport", true);
    }

    #[test]
    fn many_stars_on_a_text_that_never_matches_end_soon() {
        check(&"*a".repeat(100), &"a".repeat(99), false);
        check(&format!("{}b", "*a".repeat(200)), &"a".repeat(20_000), false);
    }
}
