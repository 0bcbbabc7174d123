//! The links of the documents: each leads to a file that is there, and to a heading that it has.

#![expect(clippy::unwrap_used, reason = "what cannot be read must fail the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The documents of the repository, those of folders that a build or an installation makes left out.
fn documents(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.')
                && !matches!(name.as_str(), "target" | "vendor" | "node_modules" | "dist")
            {
                documents(&path, found);
            }
        } else if path.extension().is_some_and(|it| it == "md") {
            found.push(path);
        }
    }
}

/// What a heading is called in a link: small letters, blanks as `-`, no other punctuation.
fn slug(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|it| it.is_alphanumeric() || matches!(it, ' ' | '-' | '_'));
    kept.map(|it| if it == ' ' { '-' } else { it }).collect::<String>().to_lowercase()
}

/// The places of a document that a link may name. Code is none.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut is_code = false;
    for line in text.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
        }
        if !is_code && line.starts_with('#') {
            found.insert(slug(line.trim_start_matches('#')));
        }
        for piece in line.split("<a id=\"").skip(1) {
            found.extend(piece.split('"').next().map(str::to_owned));
        }
    }
    found
}

/// Where a document's links lead, without those to other sites.
fn links(text: &str) -> Vec<String> {
    let pieces = text.split("](").skip(1);
    let targets = pieces.filter_map(|piece| piece.split([')', '\n']).next());
    let is_ours = |target: &&str| !target.is_empty() && !target.contains("://") && !target.contains(' ');
    targets.filter(is_ours).map(str::to_owned).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut found = Vec::new();
    documents(root(), &mut found);
    let (mut wrong, mut count) = (Vec::new(), 0_usize);
    for document in found {
        let text = fs::read_to_string(&document).unwrap();
        for link in links(&text) {
            count += 1;
            let (path, anchor) = link.split_once('#').map_or((link.as_str(), None), |(p, a)| (p, Some(a)));
            let target =
                if path.is_empty() { document.clone() } else { document.parent().unwrap().join(path) };
            let is_there = match anchor {
                Some(anchor) if target.extension().is_some_and(|it| it == "md") => {
                    fs::read_to_string(&target).is_ok_and(|text| anchors(&text).contains(anchor))
                }
                _ => target.exists(),
            };
            if !is_there {
                wrong.push(format!("{}: {link}", document.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert!(count > 50, "{count} links are too few: none was looked for");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    assert_eq!(links("[a](b.md#c-d) and [e](https://example.com)"), ["b.md#c-d"]);
    assert_eq!(slug(" What it cannot know: `x_y`, 2 "), "what-it-cannot-know-x_y-2");
    assert!(anchors("# A b\n```\n# no\n```\n<a id=\"z\"></a>").iter().eq(["a-b", "z"]));
}

/// What stands between marks of code, outside of blocks.
fn quoted(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(|piece| piece.split('`').skip(1).step_by(2)).collect()
}

/// Whether a word is a test's name: a sentence.
fn is_sentence(word: &str) -> bool {
    word.matches('_').count() >= 3
        && word.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_')
}

/// The code of a folder, whole.
fn code(folder: &Path, found: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            code(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

/// The tests and files that a document names and that are not there, and how many are.
fn missing(text: &str, code: &str) -> (Vec<String>, usize) {
    let is_path = |word: &str| ["tests/", "src/"].iter().any(|folder| word.starts_with(folder));
    let words: Vec<&str> =
        quoted(text).into_iter().filter(|word| is_path(word) || is_sentence(word)).collect();
    let is_there = |word: &str| {
        if is_path(word) { root().join(word).exists() } else { code.contains(&format!("fn {word}(")) }
    };
    let wrong: Vec<String> =
        words.iter().filter(|word| !is_there(word)).map(|word| (*word).to_owned()).collect();
    (wrong, words.len())
}

#[test]
fn every_test_that_a_promise_names_is_there() {
    let mut all = String::new();
    for folder in ["src", "tests"] {
        code(&root().join(folder), &mut all);
    }
    let mut count = 0_usize;
    for document in ["docs/guarantees.md", "docs/stack.md"] {
        let (wrong, named) = missing(&fs::read_to_string(root().join(document)).unwrap(), &all);
        assert!(wrong.is_empty(), "{document} names what is not there: {wrong:?}");
        count += named;
    }
    assert!(count > 40, "{count} are named: the documents are elsewhere");
}

#[test]
fn a_test_that_has_gone_is_found() {
    let text = "`a_test_that_is_there` in `tests/links.rs`, `a_test_that_has_gone` in `tests/gone.rs`; `role` is a word";
    let (wrong, named) = missing(text, "fn a_test_that_is_there() {}");
    assert_eq!((wrong, named), (vec!["a_test_that_has_gone".to_owned(), "tests/gone.rs".to_owned()], 4));
}
