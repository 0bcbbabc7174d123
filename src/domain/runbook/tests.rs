//! Which commands a cause gets, and what is filled in.

use super::*;
use crate::domain::job::ConnectionName;
use crate::domain::ledger::stream::Streams;
use crate::domain::model::policy::SourcePolicy;

const TASK: &str = "34902fc94fc5b5a745195640d35c0ce4";

fn policy() -> Policy {
    let mut policy = Policy::default();
    policy.ecs.cluster = Some("prod".into());
    policy.ecs.service = Some("app".into());
    policy.aws.region = Some("eu-west-1".into());
    policy
}

fn queue_ref(connection: &str, queue: &str) -> QueueRef {
    let connection = Some(connection).filter(|name| !name.is_empty()).map(ConnectionName::from);
    let queue = Some(queue).filter(|name| !name.is_empty()).map(QueueName::from);
    QueueRef { connection, queue }
}

/// The commands for a cause at a place, in a task of ECS.
fn commands(cause: Cause, sub_cause: Option<SubCause>, queue_ref: &QueueRef, policy: &Policy) -> Vec<Step> {
    let mut streams = Streams::default();
    let key = streams.note("/ecs/app", &format!("ecs/app/{TASK}"));
    let stream = streams.get(key);
    let log_file = stream.map(|stream| ("storage/logs/queue.log", stream));
    let problem = Problem {
        cause,
        sub_cause,
        queue_ref,
        queues: &[],
        stream,
        log_file,
        log_group: Some("/ecs/app"),
        is_on_ecs: true,
    };
    steps(&problem, policy)
}

/// The part of each command that says what it does.
#[track_caller]
fn check(cause: Cause, sub_cause: Option<SubCause>, queue_ref: &QueueRef, expected: &[&str]) {
    let steps = commands(cause, sub_cause, queue_ref, &policy());
    let got: Vec<&str> = steps.iter().map(|step| step.command.as_str()).collect();
    assert_eq!(got.len(), expected.len(), "{got:#?}");
    for (got, expected) in got.iter().zip(expected) {
        assert!(got.contains(expected), "{expected}\n{got}");
    }
}

#[test]
fn hidden_output_is_looked_at_in_its_file_first() {
    let expected = [
        "\"tail -n 100 storage/logs/queue.log\"",
        "\"php artisan queue:failed\"",
        "\"php artisan queue:monitor redis:default\"",
        "> >(tee -a storage/logs/queue.log) 2>&1",
        "\"sh -c 'ps aux | grep queue:work'\"",
        "aws ecs describe-task-definition",
    ];
    check(Cause::LogsNotForwarded, None, &queue_ref("redis", "default"), &expected);
}

#[test]
fn security_groups_and_caches_are_asked_on_timeouts_only() {
    let at = queue_ref("redis", "default");
    let slow = [
        "queue:monitor",
        "aws ec2 describe-network-interfaces",
        "aws elasticache describe-cache-clusters",
        "printenv QUEUE_CONNECTION REDIS_HOST",
        "QUEUE_CONNECTION=database",
    ];
    check(Cause::EnqueueErrors, Some(SubCause::TimedOut), &at, &slow);
    let refused = [
        "queue:monitor",
        "printenv QUEUE_CONNECTION REDIS_HOST",
        "ecs describe-services",
        "QUEUE_CONNECTION=database",
    ];
    check(Cause::EnqueueErrors, Some(SubCause::Refused), &at, &refused);
}

#[test]
fn a_database_is_asked_in_sql_and_needs_no_other_connection() {
    let expected = [
        "queue:monitor database:default",
        "printenv QUEUE_CONNECTION DB_CONNECTION",
        "ecs describe-services",
        "SELECT id, queue, attempts, reserved_at, available_at, created_at FROM jobs WHERE queue = 'default' ORDER BY id",
    ];
    check(Cause::EnqueueErrors, Some(SubCause::NoTable), &queue_ref("database", "default"), &expected);
    let odd = commands(
        Cause::EnqueueErrors,
        None,
        &queue_ref("database", r"a\' OR 1=1; DROP TABLE jobs; --"),
        &policy(),
    );
    let sql = odd.iter().find(|step| step.note == Some(Note::InDatabase)).unwrap();
    assert!(sql.command.contains("FROM jobs ORDER BY id LIMIT 20;"), "{}", sql.command);
}

#[test]
fn a_pause_is_ended_by_the_one_who_made_it() {
    check(
        Cause::Paused,
        None,
        &queue_ref("redis", "mail"),
        &["queue:resume redis:mail", "queue:monitor", "ps aux"],
    );
    let down = Some(SubCause::Maintenance);
    check(
        Cause::Paused,
        down,
        &queue_ref("redis", "mail"),
        &["\"php artisan up\"", "queue:monitor", "ps aux"],
    );
}

#[test]
fn workers_load_new_code_only_where_it_is_stale() {
    let at = queue_ref("redis", "default");
    let has = |sub_cause| {
        let steps = commands(Cause::FailingFast, sub_cause, &at, &policy());
        steps.iter().any(|step| step.command.contains("queue:restart") && step.note == Some(Note::WorkersEnd))
    };
    assert!(has(Some(SubCause::StalePayload)));
    assert!(!has(Some(SubCause::MissingConfig)) && !has(None));
}

#[test]
fn one_job_by_hand_says_what_it_costs_and_names_what_is_known() {
    let once = |queue_ref: &QueueRef| {
        let steps = commands(Cause::NeverObserved, None, queue_ref, &policy());
        let step = steps.into_iter().find(|step| step.note == Some(Note::SpendsAttempt)).unwrap();
        step.command.split_once("--command ").unwrap().1.to_owned()
    };
    assert_eq!(once(&queue_ref("redis", "mail")), "\"php artisan queue:work redis --queue=mail --once -v\"");
    assert_eq!(once(&queue_ref("", "mail")), "\"php artisan queue:work --queue=mail --once -v\"");
    assert_eq!(once(&queue_ref("", "")), "\"php artisan queue:work --once -v\"");
}

#[test]
fn nothing_is_advised_that_can_do_harm() {
    let sub_causes =
        [None, Some(SubCause::StalePayload), Some(SubCause::TimedOut), Some(SubCause::Maintenance)];
    for cause in Cause::ALL {
        for sub_cause in sub_causes {
            for at in [queue_ref("redis", "default"), queue_ref("database", "x"), queue_ref("", "")] {
                for step in commands(cause, sub_cause, &at, &policy()) {
                    for bad in [
                        "flush",
                        "clear",
                        "forget",
                        "DELETE",
                        "UPDATE",
                        "DROP",
                        "stop-task",
                        "update-service",
                        "retry all",
                    ] {
                        assert!(!step.command.contains(bad), "{}", step.command);
                    }
                    assert!(!step.command.contains('`') && !step.command.contains('\n'), "{}", step.command);
                }
            }
        }
    }
}

#[test]
fn every_cause_has_commands_and_the_first_needs_no_variable() {
    for cause in Cause::ALL {
        let steps = commands(cause, None, &queue_ref("redis", "default"), &policy());
        assert!(!steps.is_empty(), "{cause:?}");
        assert!(
            !steps[0].command.contains('$') || steps[0].command.contains("$(aws"),
            "{}",
            steps[0].command
        );
        assert!(
            steps
                .iter()
                .all(|step| step.command.contains("--region eu-west-1") || !step.command.starts_with("aws "))
        );
    }
}

#[test]
fn what_is_not_configured_is_a_variable_with_the_command_that_finds_it() {
    let steps = commands(Cause::NeverObserved, None, &queue_ref("redis", "default"), &Policy::default());
    let finds: Vec<_> =
        steps.iter().filter_map(|step| step.note).filter(|note| matches!(note, Note::Finds(_))).collect();
    assert_eq!(finds, [Note::Finds(Variable::Cluster), Note::Finds(Variable::Service)]);
    let text: Vec<&str> = steps.iter().map(|step| step.command.as_str()).collect();
    assert!(
        text[0].starts_with("aws ecs execute-command --cluster \"$CLUSTER\" --task 34902"),
        "{}",
        text[0]
    );
    assert_eq!(
        text.last(),
        Some(&"aws ecs list-services --cluster \"$CLUSTER\" --query 'serviceArns[]' --output text")
    );
}

#[test]
fn away_from_ecs_a_command_is_the_programs_own() {
    let at = queue_ref("redis", "default");
    let problem = Problem {
        cause: Cause::WorkerSilent,
        sub_cause: None,
        queue_ref: &at,
        queues: &[],
        stream: None,
        log_file: None,
        log_group: None,
        is_on_ecs: false,
    };
    let steps = steps(&problem, &Policy::default());
    let text: Vec<&str> = steps.iter().map(|step| step.command.as_str()).collect();
    let expected = [
        "ps aux | grep queue:work",
        "php artisan queue:monitor redis:default",
        "php artisan queue:failed",
        "php artisan queue:work redis --queue=default --once -v",
    ];
    assert_eq!(text, expected);
}

#[test]
fn queues_that_it_may_be_are_all_asked_for() {
    let at = queue_ref("redis", "");
    let queues = ["a".into(), "b c".into()];
    let problem = Problem {
        cause: Cause::Paused,
        sub_cause: Some(SubCause::Maintenance),
        queue_ref: &at,
        queues: &queues,
        stream: None,
        log_file: None,
        log_group: None,
        is_on_ecs: false,
    };
    let steps = steps(&problem, &Policy::default());
    assert_eq!(steps[1].command, "php artisan queue:monitor 'redis:a,redis:b c'");
}

#[test]
fn an_app_that_rules_alone_describe_gets_none_of_laravels_commands() {
    let mut policy = policy();
    policy.sources = vec![SourcePolicy {
        app: None,
        owner: None,
        log_group: "*".into(),
        log_stream: "*".into(),
        presets: Vec::new(),
        queue: None,
        connection: None,
    }];
    for cause in Cause::ALL {
        for step in commands(cause, None, &queue_ref("redis", "default"), &policy) {
            for word in ["artisan", "queue:work", "QUEUE_CONNECTION", "failed_jobs"] {
                assert!(!step.command.contains(word), "{cause:?}: {}", step.command);
            }
        }
    }
    let silent = commands(Cause::WorkerSilent, None, &queue_ref("redis", "default"), &policy);
    assert!(silent[0].command.ends_with("--command \"sh -c 'ps aux'\""), "{}", silent[0].command);
}

#[test]
fn a_step_says_what_it_is_for_and_what_of_it_runs_inside() {
    let steps = commands(Cause::LogsNotForwarded, None, &queue_ref("redis", "default"), &policy());
    let purposes: Vec<_> = steps.iter().take(3).map(|step| step.purpose).collect();
    let expected = [Purpose::ReadWorkerFile, Purpose::ListFailed, Purpose::CountWaiting];
    assert_eq!(purposes, expected.map(Some));
    let inside = steps[1].inside.as_ref().unwrap();
    assert_eq!((&*inside.task, inside.container.as_deref()), (TASK, Some("app")));
    assert_eq!(inside.line, "php artisan queue:failed");
    let ps = steps.iter().find(|step| step.purpose == Some(Purpose::SeeProcesses)).unwrap();
    assert_eq!(ps.inside.as_ref().unwrap().line, "ps aux | grep queue:work");
}
