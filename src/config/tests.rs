//! Every key, right and wrong, and what is said of it.

use super::*;
use crate::domain::job::{JobClass, QueueName, Stage, Timestamp};
use crate::domain::model::policy::{Language, Preset};

/// DESIGN's example: every key there is.
const EVERY_KEY: &str = r#"
app = "myteacher"
language = "ja"
timezone = "Asia/Tokyo"
runbook_url = "https://wiki.example/queuewatch"
[ecs]
cluster = "myteacher-production-cluster"
service = "myteacher-production-app-service"
[[source]]
log_group = "/ecs/myteacher-production"
log_stream = "ecs/app/*"
presets = ["laravel"]
queue = "default"
connection = "redis"
[stall]
grace = "6m"
job_timeout = "7m"
[deploy]
grace = "2m"
[failing]
ratio = 0.5
bad_attempts = 4
[[queue]]
name = "reports"
grace = "30m"
expect_workers = 1
[[class]]
name = 'App\Jobs\ExportReport'
grace = "1h"
job_timeout = "20m"
backoff = "10m"
[[window]]
queue = "*"
cron = "0 3 * * 0"
length = "30m"
[notify]
command = ["notify-send", "queuewatch"]
[[silence]]
queue = "reports"
until = 2026-12-01T00:00:00Z
reason = "migration"
[metrics]
class_dimension = true
[[rule]]
name = "avatar requested"
stage = "enqueued"
pattern = '"POST /avatars/(?:store|regenerate) HTTP/1\.[01]" 302'
class = 'App\Jobs\GenerateAvatarImagesJob'
queue = "https://sqs.eu-west-1.amazonaws.com/123/emails"
connection = "sqs"
example = '10.0.1.7 - - [06/Dec/2025:12:31:10 +0900] "POST /avatars/regenerate HTTP/1.1" 302 412'
[[rule]]
name = "queued as json"
stage = "enqueued"
json = { when = { "message" = "Job queued", level = 200, ok = true }, id = "context.id", class = "context.job", delay_s = "context.delay" }
"#;

#[track_caller]
fn check(text: &str, expected: &str) {
    let error = Config::parse(text).expect_err(text).to_string();
    assert_eq!(error, expected);
}

/// The error holds this text, where its wording is the TOML reader's.
#[track_caller]
fn check_holds(text: &str, expected: &str) {
    let error = Config::parse(text).expect_err(text).to_string();
    assert!(error.contains(expected), "{error:?}");
}

#[test]
fn an_empty_file_is_the_default() {
    assert_eq!(Config::parse("").unwrap(), Config::default());
    assert_eq!(Config::parse("# nothing\n[stall]\n[ecs]\n[metrics]\n").unwrap(), Config::default());
}

#[test]
fn the_default_reads_every_stream_as_laravels() {
    let config = Config::default();
    let policy = config.policy();
    assert_eq!(policy.presets("/any/group", "any/stream"), [Preset::Laravel]);
    assert_eq!(policy.source_defaults("/any/group", "any/stream"), (None, None));
    assert_eq!(
        (policy.app.as_str(), policy.grace_ms, policy.job_timeout_ms, policy.deploy_grace_ms),
        ("app", 300_000, None, 180_000)
    );
    assert_eq!((policy.failing.ratio, policy.failing.bad_attempts), (0.8, 10));
    assert_eq!((policy.language, policy.timezone.as_str()), (Language::En, "UTC"));
    assert!(config.rules().is_empty() && config.notify().is_none() && config.remarks().is_empty());
}

#[test]
fn every_key_is_read() {
    let config = Config::parse(EVERY_KEY).unwrap();
    let policy = config.policy();
    assert_eq!((policy.app.as_str(), policy.language), ("myteacher", Language::Ja));
    assert_eq!(policy.timezone, "Asia/Tokyo");
    assert_eq!(policy.runbook_url.as_deref(), Some("https://wiki.example/queuewatch"));
    assert_eq!(policy.ecs.cluster.as_deref(), Some("myteacher-production-cluster"));
    assert_eq!(policy.ecs.service.as_deref(), Some("myteacher-production-app-service"));
    assert_eq!(
        policy.source_defaults("/ecs/myteacher-production", "ecs/app/0f3c"),
        (Some("default".into()), Some("redis".into()))
    );
    assert_eq!((policy.grace_ms, policy.job_timeout_ms), (360_000, Some(420_000)));
    assert_eq!(policy.deploy_grace_ms, 120_000);
    assert_eq!((policy.failing.ratio, policy.failing.bad_attempts), (0.5, 4));
    let (reports, export) = (QueueName::from("reports"), JobClass::from(r"App\Jobs\ExportReport"));
    assert_eq!(policy.grace_ms(Some(&reports), None), 1_800_000);
    assert_eq!(policy.expect_workers(Some(&reports)), Some(1));
    assert_eq!(policy.grace_ms(Some(&reports), Some(&export)), 3_600_000);
    assert_eq!(policy.job_timeout_ms(Some(&export)), Some(1_200_000));
    assert_eq!(policy.backoff_ms(Some(&export)), Some(600_000));
    let window = &policy.windows[0];
    assert_eq!(
        (window.queue.as_str(), window.cron.as_str(), window.length_ms),
        ("*", "0 3 * * 0", 1_800_000)
    );
    let silence = &policy.silences[0];
    assert_eq!((silence.queue.as_str(), silence.reason.as_str()), ("reports", "migration"));
    assert_eq!(silence.until, Timestamp::from_ms(1_796_083_200_000));
    assert!(policy.class_dimension);
    let notify = config.notify().unwrap();
    assert_eq!(notify.command.as_deref(), Some(&["notify-send".to_owned(), "queuewatch".to_owned()][..]));
}

#[test]
fn rules_keep_what_was_written() {
    let config = Config::parse(EVERY_KEY).unwrap();
    let [avatar, json] = config.rules() else { panic!("{:?}", config.rules()) };
    assert_eq!((avatar.name.as_str(), avatar.stage), ("avatar requested", Stage::Enqueued));
    let pattern = r#""POST /avatars/(?:store|regenerate) HTTP/1\.[01]" 302"#;
    assert_eq!(avatar.matcher, RuleMatcher::Pattern(pattern.into()));
    assert_eq!(avatar.class, Some(r"App\Jobs\GenerateAvatarImagesJob".into()));
    assert_eq!(
        (avatar.queue.clone(), avatar.connection.clone()),
        (Some("emails".into()), Some("sqs".into()))
    );
    assert!(avatar.example.as_deref().unwrap().starts_with("10.0.1.7 - - ["));
    let RuleMatcher::Json(rule) = &json.matcher else { panic!("{json:?}") };
    assert_eq!(rule.when["message"], "Job queued");
    assert_eq!((&rule.when["level"], &rule.when["ok"]), (&200.into(), &true.into()));
    let captures: Vec<(&str, &str)> =
        rule.captures.iter().map(|(c, path)| (c.as_str(), path.as_str())).collect();
    assert_eq!(captures, [("id", "context.id"), ("class", "context.job"), ("delay_s", "context.delay")]);
}

#[test]
fn a_rules_compiler_reports_by_name_key_and_place() {
    let config = Config::parse(EVERY_KEY).unwrap();
    let error = |rule: usize, key: &str| config.rules()[rule].error(key, "unclosed group").to_string();
    assert_eq!(error(0, "pattern"), "line 47, column 11: rule \"avatar requested\": pattern: unclosed group");
    assert_eq!(error(1, "json"), "line 55, column 8: rule \"queued as json\": json: unclosed group");
    // A key that is not written is reported at the rule's own head.
    assert_eq!(error(1, "class"), "line 52, column 1: rule \"queued as json\": class: unclosed group");
}

#[test]
fn an_unknown_key_is_an_error_in_every_table() {
    check_holds("grace = \"5m\"\n", "line 1, column 1: unknown field `grace`");
    check_holds("app = \"a\"\n[stall]\ngrase = \"5m\"\n", "line 3, column 1: stall: unknown field `grase`");
    check_holds("[ecs]\nx = 1", "line 2, column 1: ecs: unknown field `x`");
    check_holds("[deploy]\nx = 1", "line 2, column 1: deploy: unknown field `x`");
    check_holds("[failing]\nx = 1", "line 2, column 1: failing: unknown field `x`");
    check_holds("[metrics]\nx = 1", "line 2, column 1: metrics: unknown field `x`");
    check_holds("[notify]\nx = 1", "line 2, column 1: notify: unknown field `x`");
    check_holds("[[source]]\nx = 1", "line 2, column 1: source 1: unknown field `x`");
    check_holds("[[queue]]\nname = \"a\"\nx = 1", "line 3, column 1: queue \"a\": unknown field `x`");
    check_holds("[[class]]\nname = \"a\"\nx = 1", "line 3, column 1: class \"a\": unknown field `x`");
    check_holds("[[window]]\nx = 1", "line 2, column 1: window 1: unknown field `x`");
    check_holds("[[silence]]\nx = 1", "line 2, column 1: silence 1: unknown field `x`");
    check_holds("[[rule]]\nname = \"a\"\nmode = 1", "line 3, column 1: rule \"a\": unknown field `mode`");
    check_holds(
        "[[rule]]\nname = \"a\"\nstage = \"enqueued\"\njson = { when = { a = 1 }, jid = \"x\" }",
        "line 4, column 28: rule \"a\": json: unknown field `jid`",
    );
}

#[test]
fn a_file_that_is_no_toml_is_placed() {
    check("[stall\n", "line 1, column 7: unclosed table, expected `]`");
    check("app = \"a\"\napp = \"b\"\n", "line 2, column 1: the key `app` appears twice");
}

#[test]
fn a_duration_is_told_how_to_be_written() {
    check_holds(
        "[stall]\ngrace = 300\n",
        "line 2, column 9: stall.grace: invalid type: integer `300`, expected a duration in quotes with its unit: \"90s\"",
    );
    check(
        "[stall]\ngrace = \"300\"\n",
        "line 2, column 9: stall.grace: `300` has no unit: write `300s` for seconds, or `5m`, `1h`, `2h30m`, `1d`",
    );
    check(
        "[stall]\njob_timeout = \"0s\"\n",
        "line 2, column 15: stall.job_timeout: `0s` must be longer than zero",
    );
    check(
        "[[class]]\nname = \"A\"\n[[class]]\nname = \"B\"\nbackoff = \"soon\"\n",
        "line 5, column 11: class \"B\": backoff: `soon` is no duration: write `90s`, `5m`, `1h`, `2h30m` or `1d`",
    );
    let config =
        Config::parse("[[class]]\nname = \"A\"\nbackoff = \"0s\"\n[deploy]\ngrace = \"0s\"\n").unwrap();
    assert_eq!(config.policy().backoff_ms(Some(&"A".into())), Some(0));
}

#[test]
fn a_value_that_is_not_known_is_an_error() {
    check("language = \"fr\"", "line 1, column 12: language: unknown variant `fr`, expected `en` or `ja`");
    check(
        "timezone = \"Asia/Tokio\"",
        "line 1, column 12: timezone: `Asia/Tokio` is no time zone: write an IANA name, such as `UTC` or `Asia/Tokyo`",
    );
    check(
        "[[source]]\n[[source]]\npresets = [\"laravel\", \"rails\"]",
        "line 3, column 23: source 2: presets: unknown variant `rails`, expected `laravel`",
    );
    check_holds(
        "[[rule]]\nname = \"a\"\nstage = \"done\"",
        "line 3, column 9: rule \"a\": stage: unknown variant `done`",
    );
    check_holds("app = \"\"", "line 1, column 7: app: `` is no app name");
    check_holds("app = \"my app\"", "`my app` is no app name");
    check_holds("app = \"a#b\"", "`a#b` is no app name");
    check_holds("app = 3", "line 1, column 7: app: invalid type: integer `3`, expected the app's name");
    check_holds(
        "[failing]\nratio = 0.0",
        "line 2, column 9: failing.ratio: `0` must be above 0 and at most 1",
    );
    check_holds("[failing]\nratio = 1.1", "failing.ratio: `1.1` must be");
    check_holds("[failing]\nratio = nan", "failing.ratio: `NaN` must be");
    check_holds("[failing]\nbad_attempts = 0", "failing.bad_attempts: it must be at least 1");
    check_holds("[failing]\nbad_attempts = -1", "line 2, column 16: failing.bad_attempts:");
    check_holds(
        "[[queue]]\nname = \"a\"\nexpect_workers = -1",
        "line 3, column 18: queue \"a\": expect_workers:",
    );
    check_holds("[metrics]\nclass_dimension = \"yes\"", "line 2, column 19: metrics.class_dimension:");
    check(
        "[[source]]\nlog_group = \"\"",
        "line 2, column 13: source 1: log_group: it is empty: write `*` for any",
    );
    check_holds(
        "[[window]]\ncron = \"0 3 * *\"\nlength = \"1h\"",
        "line 2, column 8: window 1: cron: `0 3 * *` has 4 fields",
    );
    check_holds("[[window]]\ncron = \"0 3 * * 0\"", "line 1, column 1: window 1: missing field `length`");
}

#[test]
fn a_silence_ends_at_a_moment_with_its_offset() {
    let until = |until: &str| format!("[[silence]]\nqueue = \"a\"\nuntil = {until}");
    let at = |text: &str| Config::parse(&until(text)).unwrap().policy().silences[0].until.to_string();
    assert_eq!(at("2026-12-01T09:00:00+09:00"), "2026-12-01T00:00:00.000Z");
    assert_eq!(at("2026-12-01 00:00:00Z"), "2026-12-01T00:00:00.000Z");
    check_holds(
        &until("2026-12-01T00:00:00"),
        "line 3, column 9: silence 1: until: `2026-12-01T00:00:00` must be",
    );
    check_holds(&until("2026-12-01"), "silence 1: until: `2026-12-01` must be");
    check_holds(
        &until("\"2026-12-01T00:00:00Z\""),
        "line 3, column 9: silence 1: until: invalid type: string",
    );
}

#[test]
fn a_name_that_would_never_match_is_an_error() {
    check(
        "[[queue]]\nname = \"reports-*\"",
        "line 2, column 8: queue \"reports-*\": name: `reports-*` is no exact name: `*` is not a glob here",
    );
    check_holds("[[class]]\nname = \" \"", "line 2, column 8: class \" \": name: the name is empty");
    check(
        "[[queue]]\nname = \"a\"\n[[queue]]\nname = \"a\"",
        "line 4, column 8: queue \"a\": name: line 2 has a queue of this name already",
    );
    check_holds("[[class]]\nname = \"a\"\n[[class]]\nname = \"a\"", "line 2 has a class of this name");
    check_holds("[[queue]]\ngrace = \"5m\"", "line 1, column 1: queue 1: missing field `name`");
}

#[test]
fn a_rule_without_one_good_matcher_is_an_error() {
    let rule = |rest: &str| format!("[[rule]]\nname = \"a\"\nstage = \"enqueued\"\n{rest}");
    check(&rule(""), "line 1, column 1: rule \"a\": pattern: a rule needs a `pattern` or `json`");
    check(
        &rule("json = { when = { a = 1 } }\npattern = 'x'"),
        "line 4, column 8: rule \"a\": json: a rule has a `pattern` or `json`, not both",
    );
    check(
        &rule("pattern = ''"),
        "line 4, column 11: rule \"a\": pattern: it is empty, so every line would match",
    );
    check_holds(&rule("json = { when = {} }"), "line 4, column 8: rule \"a\": json: `when` is empty");
    check_holds(&rule("json = { id = \"x\" }"), "rule \"a\": json: missing field `when`");
    check_holds(&rule("json = { when = { a = [1] } }"), "rule \"a\": json: `when.\"a\"` must be");
    check_holds(
        &rule("json = { when = { a = 1 }, id = \"a..b\" }"),
        "rule \"a\": json: `id` is no dotted path",
    );
    check_holds("[[rule]]\nname = \"a\"\npattern = 'x'", "rule \"a\": missing field `stage`");
    check_holds(
        &format!("{0}\n{0}", rule("pattern = 'x'")),
        "line 6, column 8: rule \"a\": name: line 2 has a rule",
    );
    check_holds("[[rule]]\npattern = 'x'", "rule 1: missing field `name`");
}

#[test]
fn notify_needs_somewhere_to_go() {
    check_holds("[notify]", "line 1, column 1: notify: it names nobody: a `command`, `webhook`, `slack`,");
    check_holds(
        "[notify]\npagerduty = { routing_key = \"short\" }",
        "it is no integration key of PagerDuty's",
    );
    check_holds("[notify]\npagerduty = {}", "missing field `routing_key`");
    check_holds(
        "[notify]\nslack = \"hooks.slack.com/x\"",
        "line 2, column 9: notify.slack: it must begin with",
    );
    check_holds("[notify]\ncommand = []", "notify.command: it is empty");
    check_holds("[notify]\ncommand = [\"\"]", "notify.command: the program is empty");
    check_holds(
        "[notify]\nwebhook = \"chat.example\"",
        "line 2, column 11: notify.webhook: it must begin with",
    );
    for url in [
        "http://",
        "https://",
        "HTTPS://a.example",
        "http://:80/x",
        "http://a b/x",
        "http://a.example/ä ö",
        "ftp://a/",
    ] {
        check_holds(&format!("[notify]\nwebhook = \"{url}\""), "notify.webhook: it must begin with");
    }
    let config = Config::parse("[notify]\nwebhook = \"https://chat.example/x\"").unwrap();
    assert_eq!(config.notify().unwrap().webhook.as_deref(), Some("https://chat.example/x"));
}

#[test]
fn every_key_is_acted_on() {
    let remarks = Config::parse(EVERY_KEY).unwrap().remarks();
    assert!(remarks.is_empty(), "{remarks:?}");
}

#[test]
fn a_grace_shorter_than_aws_delivers_is_said() {
    let text = "[stall]\ngrace = \"239s\"\n[[queue]]\nname = \"q\"\ngrace = \"1m\"\n[[class]]\nname = \"C\"\ngrace = \"2m\"\n";
    let remarks = Config::parse(text).unwrap().remarks();
    let [stall, queue, class] = &remarks[..] else { panic!("{remarks:?}") };
    assert!(stall.starts_with("stall.grace is 239s:"));
    assert!(queue.starts_with("queue \"q\": grace is 60s:"));
    assert!(class.starts_with("class \"C\": grace is 120s:"));
}
