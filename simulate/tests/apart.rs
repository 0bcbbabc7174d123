//! The world must not know the code that is judged by it.

use std::fs;
use std::path::{Path, PathBuf};

#[expect(clippy::unwrap_used, reason = "what cannot be read must fail the test")]
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn the_world_imports_neither_queuewatch_nor_the_alarms_nor_the_judge() {
    let mut found = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/world"), &mut found);
    assert!(found.len() > 15, "the world is elsewhere");
    for path in found {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        for (line, number) in code.zip(1..) {
            for word in ["queuewatch", "cloudwatch_alarms", "judge"] {
                assert!(!line.contains(word), "{}, code line {number}: {line}", path.display());
            }
        }
    }
}
