//! `queuewatch doctor` against a stack that is well, and against what may be wrong with it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use regex::Regex;
use serde_json::{Value, json};

use crate::desk::{KEYS, Ran};
use crate::servers::{Servers, Tables};
use crate::story::{self, BEGIN_MS};
use crate::world::World;

const MINUTE_MS: i64 = 60_000;

/// A stack that has read a job's whole life, and swept.
fn healthy<'a>(servers: &'a Servers, name: &str) -> World<'a> {
    let mut world = World::new(servers, name, &format!("/ecs/{name}"), BEGIN_MS);
    world.describe();
    let (start, end) = (story::worked(0, "starting"), story::worked(0, "success"));
    let app = story::enqueued(0);
    for (stream, lines) in [
        ("ecs/app/one", vec![(BEGIN_MS, &*app)]),
        ("ecs/worker/one", vec![(BEGIN_MS + 50, &*start), (BEGIN_MS + 90, &*end)]),
    ] {
        for event in world.put(stream, &lines) {
            world.deliver(&event);
        }
    }
    world.sweep();
    world.set_clock(world.now_ms + 12_000);
    world
}

fn doctor(world: &World<'_>) -> Ran {
    world.command(&["doctor", "--stack", &world.name])
}

/// The lines that begin with this verdict.
fn found(ran: &Ran, verdict: &str) -> Vec<String> {
    let lines = ran.out.lines().filter(|line| line.split(' ').next() == Some(verdict));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn nothing_is_wrong_with_a_stack_that_is_well() {
    let servers = Servers::start(Tables::Moto);
    let world = healthy(&servers, "well");
    let ran = doctor(&world);
    assert_eq!((ran.status, &*ran.err), (0, ""), "{ran:#?}");
    assert_eq!(
        found(&ran, "ok"),
        [
            "ok stack CREATE_COMPLETE",
            "ok sweep 12s ago",
            "ok lines /ecs/well: the newest is 1m01s old",
            "ok mail 1 confirmed",
            "ok chat 1 confirmed",
            "ok failed events none",
        ],
        "{}",
        ran.out
    );
    assert_eq!(found(&ran, "WRONG"), [""; 0]);
    assert!(ran.out.starts_with("well in us-east-1, app well\n"), "{}", ran.out);
    assert!(ran.out.ends_with("\nNothing is wrong.\n"), "{}", ran.out);
}

#[test]
fn what_is_wrong_is_named_with_what_to_do() {
    let servers = Servers::start(Tables::Moto);
    let mut world = healthy(&servers, "ill");
    world.logs("DeleteSubscriptionFilter", &json!({ "logGroupName": "/ecs/ill", "filterName": "ill" }));
    let topic = world.arn("sns", "email").replace(':', "%3A");
    let listed = servers.form("sns", &format!("Action=ListSubscriptionsByTopic&TopicArn={topic}"));
    let subscription =
        Regex::new("<SubscriptionArn>([^<]*)<").unwrap().captures(&listed).unwrap()[1].to_owned();
    servers.form("sns", &format!("Action=Unsubscribe&SubscriptionArn={}", subscription.replace(':', "%3A")));
    let key = world.keep_failed("one", &json!({ "requestPayload": { "awslogs": { "data": "AAAA" } } }));
    world.set_clock(world.now_ms + 10 * MINUTE_MS);
    let ran = doctor(&world);
    assert_eq!(ran.status, 1, "{ran:#?}");
    assert_eq!(
        found(&ran, "WRONG"),
        [
            "WRONG sweep the last was 10m12s ago: nobody watches the queues",
            "WRONG filter /ecs/ill: no subscription filter sends its lines to queuewatch",
            "WRONG mail nobody is subscribed",
        ],
        "{}",
        ran.out
    );
    assert!(
        found(&ran, "note")
            .contains(&"note failed events 1 delivery was given up and waits in the bucket".to_owned())
    );
    assert!(ran.out.contains("queuewatch redrive --stack ill") && world.failed() == [key], "{}", ran.out);

    // The command that it prints does what it is for.
    let command = ran.out.lines().find(|line| line.contains("put-subscription-filter")).unwrap();
    let flag = |name: &str| {
        let found = Regex::new(&format!("--{name} '?([^ ']*)")).unwrap().captures(command).expect(name);
        found[1].to_owned()
    };
    let filter = json!({
        "logGroupName": flag("log-group-name"), "filterName": flag("filter-name"),
        "filterPattern": flag("filter-pattern"), "destinationArn": flag("destination-arn"),
    });
    world.logs("PutSubscriptionFilter", &filter);
    world.sweep();
    assert_eq!(found(&doctor(&world), "WRONG"), ["WRONG mail nobody is subscribed"]);
}

#[test]
fn open_incidents_are_shown_with_the_command_that_closes_them() {
    let servers = Servers::start(Tables::Moto);
    let mut world = healthy(&servers, "open");
    let more = story::enqueued(1);
    for event in world.put("ecs/app/one", &[(world.now_ms, &more)]) {
        world.deliver(&event);
    }
    world.set_clock(BEGIN_MS + 7 * MINUTE_MS);
    world.sweep();
    let ran = doctor(&world);
    let incident = "stalled-redis-default-20260105T0908Z since 2026-01-05T09:08:00.000Z, 1 job";
    assert!(found(&ran, "note").contains(&format!("note incident {incident}")), "{}", ran.out);
    assert_eq!(ran.status, 0, "queuewatch is well, the queue is not: {}", ran.out);
    let payload = Regex::new(r"--payload '([^']*)'").unwrap().captures(&ran.out).unwrap()[1].to_owned();
    let ended = world.invoke("sweep", &serde_json::from_str::<Value>(&payload).unwrap());
    assert_eq!(ended.outcome, "response", "{}", ended.payload);
    assert!(!doctor(&world).out.contains("note   incident"), "it is closed");
}

#[test]
fn an_app_without_enqueue_lines_does_not_look_well() {
    let servers = Servers::start(Tables::Moto);
    let mut world = World::new(&servers, "blind", "/ecs/blind", BEGIN_MS);
    world.describe();
    for event in world.put("ecs/worker/one", &[(BEGIN_MS, &story::worked(0, "starting"))]) {
        world.deliver(&event);
    }
    world.sweep();
    let ran = doctor(&world);
    assert_eq!(ran.status, 1, "{}", ran.out);
    let wrong = found(&ran, "WRONG");
    assert!(wrong.len() == 1 && wrong[0].contains("no enqueue line has ever matched"), "{wrong:?}");
}

#[test]
fn without_keys_in_the_environment_those_of_the_aws_cli_are_taken() {
    let servers = Servers::start(Tables::Moto);
    let world = healthy(&servers, "keys");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("e2e-aws-cli");
    std::fs::create_dir_all(&folder).unwrap();
    let cli = folder.join("aws");
    let script = "#!/bin/sh\ncase \"$*\" in\n'configure get region') echo us-east-1 ;;\n\
        'configure export-credentials --format process') echo '{\"Version\": 1, \"AccessKeyId\": \"operator\", \
        \"SecretAccessKey\": \"test\", \"SessionToken\": \"test\"}' ;;\n*) echo \"$*\" >&2; exit 9 ;;\nesac\n";
    std::fs::write(&cli, script).unwrap();
    std::fs::set_permissions(&cli, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", folder.display());
    let ran = world.command_with(&["doctor", "--stack", "keys"], &[("PATH", &path)]);
    assert_eq!((ran.status, &*ran.err), (0, ""), "{ran:#?}");

    let ran = world.command_with(&["doctor"], &[("PATH", "")]);
    assert_eq!((ran.status, &*ran.out), (2, ""), "{ran:#?}");
    assert!(ran.err.contains("no region: set AWS_REGION"), "{}", ran.err);
    let ran = world.command_with(&["doctor", "--region", "us-east-1"], &[("PATH", "")]);
    assert!(ran.status == 2 && ran.err.contains("no credentials: set AWS_ACCESS_KEY_ID"), "{}", ran.err);
    let ran = world.command_with(&["doctor", "--stack", "another"], &KEYS);
    assert!(ran.status == 2 && ran.err.contains("cannot look up the stack another"), "{}", ran.err);
}
