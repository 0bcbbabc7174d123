//! What artisan's commands print about themselves: banners of workers, Horizon, pauses, maintenance and restarts.

use crate::domain::job::{Form, Stage};

use super::sighting::Sighting;

/// Reads `   INFO  sentence.  `, or the same sentence bare as Laravel 9.20 and earlier print it.
pub(super) fn read(line: &str) -> Option<Sighting<'_>> {
    let line = line.trim();
    let sentence = line.strip_prefix("INFO ").map_or(line, str::trim_start);
    let process = |stage| Sighting::new(stage, Form::Process);
    if sentence == "Broadcasting queue restart signal." {
        return Some(process(Stage::DeployMark).saying("queue:restart"));
    }
    if sentence == "Horizon started successfully." {
        return Some(process(Stage::WorkerStarted).saying("horizon"));
    }
    // Maintenance mode stops every worker, so that the pause names no queue.
    match sentence {
        "Application is now in maintenance mode." => return Some(process(Stage::Paused).saying("down")),
        "Application is now live." => return Some(process(Stage::Resumed).saying("up")),
        _ => {}
    }
    if let Some(rest) = sentence.strip_prefix("Processing jobs from the [") {
        let (queues, tail) = rest.split_once(']')?;
        return matches!(tail, " queues." | " queue.").then(|| process(Stage::WorkerStarted).saying(queues));
    }
    let (name, tail) = sentence.strip_prefix("Job processing on queue [")?.split_once(']')?;
    let stage = match tail {
        " has been paused." => Stage::Paused,
        " has been resumed." => Stage::Resumed,
        _ => return None,
    };
    let mut seen = process(stage);
    let (connection, queue) = name.split_once(':').unwrap_or(("", name));
    seen.queue = Some(queue.into());
    seen.connection = (!connection.is_empty()).then(|| connection.into());
    Some(seen)
}

/// What Horizon, or the lack of it, says at once and then ends: `A supervisor with this name is already running.`
pub(super) fn refused(line: &str) -> Option<Sighting<'_>> {
    const SENTENCES: [&str; 2] = [
        "A supervisor with this name is already running.",
        "A master supervisor is already running on this machine.",
    ];
    const COMMANDS: [&str; 5] = ["horizon", "queue:work", "queue:listen", "rabbitmq:consume", "horizon:work"];
    const NAMESPACES: [&str; 3] = ["queue", "horizon", "rabbitmq"];
    let line = line.trim();
    let sentence = ["ERROR ", "WARN "].iter().find_map(|level| line.strip_prefix(level)).unwrap_or(line);
    let sentence = sentence.trim_start();
    let named = |before: &str, behind: &str| Some(sentence.strip_prefix(before)?.split_once(behind)?.0);
    let is_it = SENTENCES.iter().any(|known| sentence.starts_with(known))
        || named("Command \"", "\" is not defined.").is_some_and(|name| COMMANDS.contains(&name))
        || named("There are no commands defined in the \"", "\" namespace.")
            .is_some_and(|name| NAMESPACES.contains(&name));
    is_it.then(|| Sighting::new(Stage::WorkerStopped, Form::Process).saying(sentence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<(Stage, Option<&str>, Option<&str>)>) {
        let seen = read(line);
        let got = seen.as_ref().map(|s| (s.stage, s.text.as_deref(), s.queue.as_deref()));
        assert_eq!(got, expected, "{line}");
    }

    #[test]
    fn each_banner_is_a_sentence() {
        let queues = "   INFO  Processing jobs from the [high,default] queues.  ";
        check(queues, Some((Stage::WorkerStarted, Some("high,default"), None)));
        let queue = "   INFO  Processing jobs from the [default] queue.  ";
        check(queue, Some((Stage::WorkerStarted, Some("default"), None)));
        check(
            "   INFO  Horizon started successfully.  ",
            Some((Stage::WorkerStarted, Some("horizon"), None)),
        );
        check("Horizon started successfully.", Some((Stage::WorkerStarted, Some("horizon"), None)));
        let restart = Some((Stage::DeployMark, Some("queue:restart"), None));
        check("   INFO  Broadcasting queue restart signal.  ", restart);
        check("Broadcasting queue restart signal.", restart);
        let paused = "   INFO  Job processing on queue [redis:default] has been paused.  ";
        check(paused, Some((Stage::Paused, None, Some("default"))));
        let resumed = "   INFO  Job processing on queue [redis:default] has been resumed.  ";
        check(resumed, Some((Stage::Resumed, None, Some("default"))));
        let down = "   INFO  Application is now in maintenance mode.  ";
        check(down, Some((Stage::Paused, Some("down"), None)));
        check("Application is now in maintenance mode.", Some((Stage::Paused, Some("down"), None)));
        check("   INFO  Application is now live.  ", Some((Stage::Resumed, Some("up"), None)));
        check("   INFO  Application is already down.  ", None);
        check("We are Broadcasting queue restart signal.", None);
        check("   INFO  Processing jobs from the [default] list.", None);
        check("   INFO  Job processing on queue [redis:default] has been lost.", None);
        check("   INFO  Nothing to do.", None);
    }

    #[test]
    fn a_paused_queue_names_its_connection() {
        let seen = read("INFO  Job processing on queue [redis:default] has been paused.").expect("a pause");
        assert_eq!(seen.connection.as_deref(), Some("redis"));
    }
}
