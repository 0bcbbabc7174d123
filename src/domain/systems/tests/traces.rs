//! Store errors, and the traces that tell whose they are.

use super::*;

#[test]
fn a_trace_decides_whose_a_store_error_is() {
    check(&[REFUSED, "[stacktrace]", NEUTRAL, PUSH, MAIN, END], &[Stage::EnqueueError]);
    check(&[REFUSED, "[stacktrace]", NEUTRAL, POP, MAIN, END], &[Stage::WorkerError]);
    check(&[REFUSED, "[stacktrace]", NEUTRAL, NOW, MAIN, END], &[Stage::RedisError]);
    check(
        &[
            REFUSED,
            "[stacktrace]",
            NEUTRAL,
            NOW,
            r"#2 /v: Illuminate\\Queue\\RedisQueue->push()",
            "#3 {main}",
        ],
        &[Stage::EnqueueError],
    );
    check(&[SQL, "[stacktrace]", NEUTRAL, PUSH, MAIN, END], &[Stage::EnqueueError]);
    check(&[SQL, "[stacktrace]", NEUTRAL, NOW, MAIN, END], &[]);
    check(&[&format!("{REFUSED}\"}} ")], &[Stage::RedisError]);
    check(&[&REFUSED.replace("ERROR", "WARNING"), "[stacktrace]", NEUTRAL, PUSH], &[]);
}

#[test]
fn the_first_telling_frame_wins_and_lifecycle_lines_between_frames_count() {
    let second = r"#2 /v/RedisQueue.php(1): Illuminate\\Queue\\RedisQueue->pop()";
    check(
        &[REFUSED, "[stacktrace]", NEUTRAL, START, PUSH, second, "#3 {main}", END],
        &[Stage::EnqueueError, Stage::Processing],
    );
}

#[test]
fn two_traces_that_alternate_are_told_apart() {
    let later = r"#2 /v/RedisQueue.php(1): Illuminate\\Queue\\RedisQueue->pop()";
    let seen = stages(&[
        REFUSED,
        "[stacktrace]",
        NEUTRAL,
        REFUSED,
        PUSH,
        "[stacktrace]",
        NEUTRAL,
        NOW,
        MAIN,
        later,
        END,
    ]);
    assert_eq!(seen, [Stage::EnqueueError, Stage::WorkerError]);
}

#[test]
fn a_record_cut_by_the_payload_leaves_its_halves() {
    let head = classify(&[REFUSED, "[stacktrace]", NEUTRAL]);
    assert_eq!(head.halves, [TraceHalf::Head(Timestamp::from_ms(1), LineKey(1))]);
    assert_eq!(head.observations.iter().map(|o| o.stage).collect::<Vec<_>>(), [Stage::RedisError]);
    let tail = classify(&[PUSH, r"#2 /v: Illuminate\\Queue\\Queue->enqueueUsing()", "#3 {main}", END, START]);
    assert_eq!(tail.halves, [TraceHalf::Tail(Timestamp::from_ms(1), TraceSide::Push)]);
    assert_eq!(tail.observations.len(), 1);
    let ended = classify(&[REFUSED, "[stacktrace]", NEUTRAL, NOW, MAIN, END]);
    assert_eq!(ended.halves, []);
    let told = classify(&[REFUSED, "[stacktrace]", NEUTRAL, PUSH]);
    assert_eq!(told.halves, []);
    let database = classify(&[SQL, "[stacktrace]"]);
    assert_eq!(database.halves, [TraceHalf::Head(Timestamp::from_ms(1), LineKey(1))]);
    assert_eq!(database.observations.len(), 1);
}

#[test]
fn a_trace_of_another_error_is_nobodys_half() {
    let other = r#"[2026-11-23 16:49:31] production.ERROR: x {"exception":"[object] (RuntimeException(code: 0): x at /a.php:1)"#;
    let seen = classify(&[other, "[stacktrace]", NEUTRAL, PUSH, MAIN, END]);
    assert_eq!(seen, Classified::default(), "and no line of it is one that nobody knows");
    let fatal = ["PHP Fatal error:  Uncaught Exception: x in /a.php:1", "Stack trace:", NEUTRAL, PUSH, MAIN];
    assert_eq!(classify(&fatal), Classified::default());
    let previous = [
        SQL,
        "[stacktrace]",
        NEUTRAL,
        MAIN.replace('2', "1").leak(),
        "",
        "[previous exception] [object] (PDOException(code: 1): x at /a.php:1)",
        "[stacktrace]",
        NEUTRAL,
        PUSH,
    ];
    assert_eq!(classify(&previous), Classified::default());
}
