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
    assert_eq!(head.split_traces, [TracePart::Head(Timestamp::from_ms(1), LineKey(1))]);
    assert_eq!(head.observations.iter().map(|o| o.stage).collect::<Vec<_>>(), [Stage::RedisError]);
    let tail = classify(&[PUSH, r"#2 /v: Illuminate\\Queue\\Queue->enqueueUsing()", "#3 {main}", END, START]);
    assert_eq!(tail.split_traces, [TracePart::Tail(Timestamp::from_ms(1), TraceSide::Push)]);
    assert_eq!(tail.observations.len(), 1);
    let ended = classify(&[REFUSED, "[stacktrace]", NEUTRAL, NOW, MAIN, END]);
    assert_eq!(ended.split_traces, []);
    let told = classify(&[REFUSED, "[stacktrace]", NEUTRAL, PUSH]);
    assert_eq!(told.split_traces, []);
    let database = classify(&[SQL, "[stacktrace]"]);
    let [TracePart::Exception(at, line, text)] = &*database.split_traces else {
        panic!("{:?}", database.split_traces)
    };
    assert_eq!((at.as_ms(), *line), (1, LineKey(1)));
    assert!(text.contains("SQLSTATE"), "{text}");
    assert_eq!(database.observations, [], "it may be the app's own");
}

#[test]
fn any_error_counts_whose_trace_shows_a_queue_and_none_of_a_job_at_work() {
    let error = |class: &str| {
        format!(
            r#"[2026-11-23 16:49:31] production.ERROR: x {{"exception":"[object] ({class}(code: 0): x at /a.php:1)"#
        )
    };
    let mongo = error(r"MongoDB\\Driver\\Exception\\ConnectionTimeoutException");
    let credentials = error(r"Aws\\Exception\\CredentialsException");
    let missing = error("Error");
    let mongo_push = r"#1 /v/MongoQueue.php(1): MongoDB\\Laravel\\Queue\\MongoQueue->pushRaw()";
    let rabbit_pop = r"#1 /v/R.php(1): VladimirYuldashev\\LaravelQueueRabbitMQ\\Queue\\RabbitMQQueue->pop()";
    let fifo = r"#1 /v/S.php(1): ShiftOneLabs\\LaravelSqsFifoQueue\\SqsFifoQueue->pushRaw()";
    check(&[&mongo, "[stacktrace]", NEUTRAL, mongo_push, MAIN, END], &[Stage::EnqueueError]);
    check(&[&missing, "[stacktrace]", NEUTRAL, rabbit_pop, MAIN, END], &[Stage::WorkerError]);
    check(&[&credentials, "[stacktrace]", NEUTRAL, fifo, MAIN, END], &[Stage::EnqueueError]);
    let job = r"#1 /v/Job.php(1): Illuminate\\Queue\\CallQueuedHandler->call()";
    let sync = r"#2 /v/SyncQueue.php(1): Illuminate\\Queue\\SyncQueue->push()";
    let push = r"#3 /v/Dispatcher.php(1): Illuminate\\Bus\\Dispatcher->pushCommandToQueue()";
    check(&[&mongo, "[stacktrace]", NEUTRAL, job, sync, push, "#4 {main}", END], &[]);
    check(&[REFUSED, "[stacktrace]", NEUTRAL, job, sync, push, "#4 {main}", END], &[]);
    check(&[&mongo, "[stacktrace]", NEUTRAL, NOW, MAIN, END], &[]);
}

#[test]
fn a_trace_of_another_error_is_nobodys_half() {
    let other = r#"[2026-11-23 16:49:31] production.ERROR: x {"exception":"[object] (RuntimeException(code: 0): x at /a.php:1)"#;
    let seen = classify(&[other, "[stacktrace]", NEUTRAL, NOW, MAIN, END]);
    let quoted = Classified { last_lines: seen.last_lines.clone(), ..Classified::default() };
    assert_eq!(seen, quoted, "and no line of it is one that nobody knows");
    let fatal = ["PHP Fatal error:  Uncaught Exception: x in /a.php:1", "Stack trace:", NEUTRAL, PUSH, MAIN];
    assert_eq!((classify(&fatal).observations, classify(&fatal).split_traces), (Vec::new(), Vec::new()));
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
    assert_eq!(
        (classify(&previous).observations, classify(&previous).split_traces),
        (Vec::new(), Vec::new())
    );
}
