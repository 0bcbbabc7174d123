//! What the shape of the code promises: a pure domain, arrows that point inward, heads, sizes, names.

#![expect(clippy::unwrap_used, reason = "a file that cannot be read must fail the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// Who may import whom, as the design draws it: `bin` and the rest of the crate above, `domain` at the core.
/// `report` prints what a replay found, so it knows its outcome and the statistics it recorded.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &["domain"]),
    ("message", &["domain", "message"]),
    ("ports", &["domain", "ports"]),
    ("durable", &["domain", "durable", "ports"]),
    ("config", &["config", "domain"]),
    ("delivery", &["delivery", "domain"]),
    ("doctor", &["doctor", "domain", "durable", "message"]),
    ("redrive", &["delivery", "redrive"]),
    ("pack", &["domain", "pack"]),
    ("saved", &["domain", "pack", "saved"]),
    ("app", &["domain", "message", "ports"]),
    ("adapters", &["adapters", "domain", "ports"]),
    ("replay", &["adapters", "app", "delivery", "domain", "ports", "replay", "report", "saved"]),
    ("watch", &["app", "domain", "pack", "ports", "watch"]),
    ("function", &["app", "config", "delivery", "domain", "function", "message", "ports"]),
    ("report", &["adapters", "domain", "message", "replay", "report"]),
];

/// What the core may use of others: pure formats. `jiff` prints and reads moments, and is never asked for one.
const CRATES_OF_DOMAIN: &[&str] = &[
    "base64_simd",
    "crate",
    "flate2",
    "jiff",
    "memchr",
    "regex",
    "self",
    "serde",
    "serde_json",
    "std",
    "super",
    "thiserror",
];

/// A file of more lines wants a second noun.
const LINES_MAX: usize = 400;

/// A source file of the crate: its path below `src`, and its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The text without its tests: neither a test file nor what follows `#[cfg(test)]`.
    fn code(&self) -> &str {
        let is_tests = self.path.ends_with("tests.rs") || self.path.contains("tests/");
        let module = Regex::new(r"(?m)^#\[cfg\(test\)\]\n(?:#\[[^\n]*\]\n)*mod \w+ \{").unwrap();
        let end = module.find(&self.text).map_or(self.text.len(), |found| found.start());
        if is_tests { "" } else { self.text.get(..end).unwrap() }
    }

    /// The code without comments.
    fn statements(&self) -> String {
        self.code().lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
    }

    /// `domain` of `domain/job.rs`, `app` of `app.rs`.
    fn module(&self) -> &str {
        self.path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Whether a folder is git's, or made by a command and none of the project's: those that git ignores.
fn is_made(name: &str) -> bool {
    let mut ignored = include_str!("../.gitignore").lines().filter_map(|line| line.strip_suffix('/'));
    name == ".git" || ignored.any(|folder| folder == name)
}

/// Every file below a folder, in order.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_string_lossy();
        if path.is_dir() {
            if !is_made(&name) {
                files(&path, found);
            }
        } else {
            found.push(path);
        }
    }
}

fn sources() -> Vec<Source> {
    let folder = root().join("src");
    let mut found = Vec::new();
    files(&folder, &mut found);
    let sources: Vec<Source> = found
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| Source {
            path: path.strip_prefix(&folder).unwrap().to_string_lossy().into_owned(),
            text: fs::read_to_string(&path).unwrap(),
        })
        .collect();
    assert!(sources.len() > 50, "the sources are elsewhere");
    sources
}

/// Fails with all that was found.
#[track_caller]
fn none(found: Vec<String>, rule: &str) {
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

#[test]
fn the_domain_asks_nothing_of_the_machine() {
    let machine = Regex::new(
        r"\bstd::(fs|env|net|process|thread|time|io)\b|SystemTime|Instant\b|::now\(|\basync\b|\.await\b|\btokio\b|\baws_|\btracing::|\blog::|println!",
    )
    .unwrap();
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| source.module() == "domain") {
        let statements = source.statements();
        found.extend(machine.find_iter(&statements).map(|hit| format!("{}: {}", source.path, hit.as_str())));
    }
    none(found, "the domain is pure");
}

#[test]
fn the_domain_uses_pure_crates_only() {
    let import = Regex::new(r"(?m)^\s*(?:pub(?:\(\w+\))? )?use ([a-z_0-9]+)(?:::|;)").unwrap();
    let module = Regex::new(r"(?m)^\s*(?:pub(?:\((?:super|crate)\))? )?mod ([a-z_0-9]+)").unwrap();
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| source.module() == "domain") {
        let statements = source.statements();
        let own: BTreeSet<&str> =
            module.captures_iter(&statements).filter_map(|hit| Some(hit.get(1)?.as_str())).collect();
        for name in import.captures_iter(&statements).filter_map(|hit| Some(hit.get(1)?.as_str())) {
            if !CRATES_OF_DOMAIN.contains(&name) && !own.contains(name) {
                found.push(format!("{}: {name}", source.path));
            }
        }
    }
    none(found, "the domain uses formats, and nothing that does something");
}

#[test]
fn arrows_point_inward() {
    let import = Regex::new(r"\bcrate::([a-z_]+)").unwrap();
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| source.module() != "bin" && source.module() != "lib") {
        let Some((_, allowed)) = ARROWS.iter().find(|(module, _)| *module == source.module()) else {
            found.push(format!("{}: give {} its arrows here", source.path, source.module()));
            continue;
        };
        let statements = source.statements();
        for name in import.captures_iter(&statements).filter_map(|hit| Some(hit.get(1)?.as_str())) {
            if !allowed.contains(&name) {
                found.push(format!("{}: {name}", source.path));
            }
        }
        if statements.contains("crate::{") {
            found.push(format!("{}: name each module on a line of its own", source.path));
        }
    }
    none(found, "arrows point inward");
}

/// `queues` of `domain/queues/view.rs`; what lies directly in the domain is a room of its own.
fn room(path: &str) -> Option<&str> {
    path.strip_prefix("domain/")?.split('/').next().map(|name| name.trim_end_matches(".rs"))
}

/// Which rooms of the domain import which.
fn rooms() -> BTreeMap<String, BTreeSet<String>> {
    let below = Regex::new(r"\bcrate::domain::([a-z_]+)").unwrap();
    let beside = Regex::new(r"(?m)^(?:pub )?use super::([a-z_]+)").unwrap();
    let mut rooms: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in &sources() {
        let Some(room) = room(&source.path).filter(|room| *room != "mod") else { continue };
        let statements = source.statements();
        let mut names: BTreeSet<&str> =
            below.captures_iter(&statements).filter_map(|hit| Some(hit.get(1)?.as_str())).collect();
        // `domain/sweep.rs` and `domain/queues/mod.rs` name their neighbours by `super`.
        if source.path == format!("domain/{room}.rs") || source.path == format!("domain/{room}/mod.rs") {
            names.extend(beside.captures_iter(&statements).filter_map(|hit| Some(hit.get(1)?.as_str())));
        }
        names.remove(room);
        rooms.entry(room.to_owned()).or_default().extend(names.into_iter().map(str::to_owned));
    }
    rooms
}

#[test]
fn the_rooms_of_the_domain_import_each_other_in_one_direction() {
    let mut rooms = rooms();
    // Who imports nobody that is left is at the bottom, and is taken away; what cannot be taken away is a circle.
    loop {
        let names: BTreeSet<String> = rooms.keys().cloned().collect();
        let before = rooms.len();
        rooms.retain(|_, imports| imports.iter().any(|name| names.contains(name)));
        if rooms.len() == before {
            break;
        }
    }
    none(
        rooms.into_iter().map(|(room, imports)| format!("{room}: {imports:?}")).collect(),
        "a circle of rooms",
    );
}

#[test]
fn no_detector_knows_another() {
    let kinds = ["backlog", "blind", "failing", "lost", "refused", "stalled", "stuck"];
    let mut found = Vec::new();
    for kind in kinds {
        let path = format!("domain/detectors/{kind}.rs");
        let source = sources().into_iter().find(|source| source.path == path).unwrap();
        let statements = source.statements();
        let others = kinds.iter().filter(|other| **other != kind);
        let named = |other: &str| {
            [format!("super::{other}"), format!("detectors::{other}")]
                .iter()
                .any(|it| statements.contains(it))
        };
        found.extend(others.filter(|other| named(other)).map(|other| format!("{path}: {other}")));
    }
    none(found, "a detector sees its own incident, and no other detector");
}

#[test]
fn every_file_says_what_it_is() {
    let without = sources().into_iter().filter(|source| !source.text.starts_with("//! "));
    none(without.map(|source| source.path).collect(), "a file opens with what it is");
}

#[test]
fn no_file_is_long() {
    let long = sources().into_iter().filter(|source| source.code().lines().count() > LINES_MAX);
    none(long.map(|source| source.path).collect(), "a file this long wants a second noun");
}

#[test]
fn no_module_is_a_drawer() {
    let drawers = ["util", "utils", "common", "helpers", "helper", "misc", "core"];
    let found = sources()
        .into_iter()
        .filter(|source| source.path.split('/').any(|part| drawers.contains(&part.trim_end_matches(".rs"))));
    none(found.map(|source| source.path).collect(), "name the idea");
}

#[test]
fn nothing_is_allowed_and_nothing_unwrapped() {
    // `self.expect(b'"', …)?` of the reader is its own method, and returns an error.
    let unwrapped = Regex::new(r#"\.unwrap\(\)|\.expect\("|#!?\[allow\("#).unwrap();
    let mut found = Vec::new();
    for source in &sources() {
        let code = source.code();
        for (line, number) in code.lines().zip(1_usize..).filter(|(line, _)| unwrapped.is_match(line)) {
            let before = code.lines().take(number).collect::<Vec<_>>();
            let is_expected = before.iter().rev().take(20).any(|line| line.contains("clippy::expect_used"));
            if !(is_expected && line.contains(".expect(")) {
                found.push(format!("{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    none(found, "a lint is expected with a reason, and an error is handled");
}

#[test]
fn no_file_names_a_place_on_one_machine() {
    let places = [concat!("/wo", "rk/"), concat!("../sha", "red")];
    let mut found = Vec::new();
    let mut paths = Vec::new();
    files(root(), &mut paths);
    for path in paths {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        found.extend(
            places
                .iter()
                .filter(|place| text.contains(**place))
                .map(|place| format!("{}: {place}", path.display())),
        );
    }
    none(found, "a file is read elsewhere");
}
