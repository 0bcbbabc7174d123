//! One small world of lines a row, and the cause that they must name.

mod failing;
mod others;
mod stalled;
pub(in crate::domain) mod world;

use super::*;
use crate::domain::incidents::Kind;
use world::World;

/// Asks why, of `redis:default` at `now_s`, and renders `cause[!certain][/sub_cause], runners-up`.
#[track_caller]
fn check(kind: Kind, lines: &str, now_s: i64, expected: &str) {
    check_world(&World::read(lines), kind, now_s, expected);
}

#[track_caller]
fn check_world(world: &World, kind: Kind, now_s: i64, expected: &str) {
    let found = world.ask(kind, now_s);
    let mut text = found.cause.as_str().to_owned();
    if found.is_certain {
        text.push('!');
    }
    if let Some(sub_cause) = found.sub_cause {
        text.push_str(&format!("/{sub_cause:?}"));
    }
    for cause in &found.runners_up {
        text.push_str(&format!(", {}", cause.as_str()));
    }
    assert_eq!(text, expected, "{:#?}", found.evidence);
    assert!(
        found.is_certain || !found.runners_up.is_empty() || !found.cannot_tell.is_empty(),
        "a cause from silence alone"
    );
    assert!(found.runners_up.len() <= 2 && found.evidence.len() <= 6);
}
