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
