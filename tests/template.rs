//! The template against the code: what it sets is read, what is read it sets, what it watches is published, what the
//! adapters call is allowed, and nothing else is.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a template of another shape must fail the test")]
#![expect(clippy::indexing_slicing, reason = "JSON values answer null to a key they lack")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use queuewatch::adapters::permissions::{INGEST_ACTIONS, SWEEP_ACTIONS};
use queuewatch::config::{Config, FUNCTION_VARIABLES, Overrides, parse_duration_ms};
use queuewatch::delivery::{Delivery, parse};
use queuewatch::domain::command::Command;
use queuewatch::domain::job::{QueueName, Timestamp};
use queuewatch::domain::metric::{Dimensions, Metric, NAMESPACE};
use queuewatch::message::INCIDENT_FIELDS;
use regex::Regex;
use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

/// Reads a template as CloudFormation does: `!Ref X` is `{"Ref": "X"}`, and so on.
fn template() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("template.yaml");
    let text = fs::read_to_string(path).unwrap();
    plain(&Yaml::load_from_str(&text).unwrap()[0])
}

fn plain(node: &Yaml<'_>) -> Value {
    match node {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(is)) => json!(is),
        Yaml::Value(Scalar::Integer(number)) => json!(number),
        Yaml::Value(Scalar::FloatingPoint(number)) => json!(number.into_inner()),
        Yaml::Value(Scalar::String(text)) => json!(text),
        Yaml::Sequence(nodes) => nodes.iter().map(plain).collect(),
        Yaml::Mapping(pairs) => {
            let keys = pairs.iter().map(|(key, value)| (key.as_str().unwrap().to_owned(), plain(value)));
            Value::Object(keys.collect())
        }
        Yaml::Tagged(tag, node) => {
            let name = match tag.suffix.as_str() {
                name @ ("Ref" | "Condition") => name.to_owned(),
                name => format!("Fn::{name}"),
            };
            json!({ name: plain(node) })
        }
        Yaml::Representation(..) | Yaml::Alias(_) | Yaml::BadValue => panic!("{node:?}"),
    }
}

fn resources(template: &Value) -> &Map<String, Value> {
    template["Resources"].as_object().unwrap()
}

fn of_type<'a>(template: &'a Value, kind: &str) -> Vec<(&'a str, &'a Value)> {
    let found: Vec<_> = resources(template)
        .iter()
        .filter(|(_, resource)| resource["Type"] == kind)
        .map(|(id, resource)| (id.as_str(), &resource["Properties"]))
        .collect();
    assert!(!found.is_empty(), "the template makes no {kind}");
    found
}

/// Every value below `value`, itself included.
fn below<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    found.push(value);
    match value {
        Value::Array(values) => values.iter().for_each(|value| below(value, found)),
        Value::Object(pairs) => pairs.values().for_each(|value| below(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn all_below(value: &Value) -> Vec<&Value> {
    let mut found = Vec::new();
    below(value, &mut found);
    found
}

/// A text or a list of texts.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    }
}

fn environment(template: &Value, function: &str) -> BTreeMap<String, Value> {
    let shared = template["Globals"]["Function"]["Environment"]["Variables"].as_object().unwrap();
    let own = resources(template)[function]["Properties"]["Environment"]["Variables"].as_object().unwrap();
    shared.iter().chain(own).map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[test]
fn each_variable_the_function_reads_is_set_and_no_other() {
    let template = template();
    // A file in the package is found without it.
    let read: BTreeSet<&str> =
        FUNCTION_VARIABLES.iter().copied().filter(|name| *name != "QUEUEWATCH_CONFIG").collect();
    for (function, role) in [("IngestFunction", "ingest"), ("SweepFunction", "sweep")] {
        let set = environment(&template, function);
        assert_eq!(set.keys().map(String::as_str).collect::<BTreeSet<_>>(), read, "{function}");
        assert_eq!(set["QUEUEWATCH_ROLE"], role);
    }
}

#[test]
fn each_variable_in_the_sources_is_named() {
    let mut sources = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let variable = Regex::new(r#""(QUEUEWATCH_[A-Z_]+)""#).unwrap();
    let mut found = BTreeSet::new();
    while let Some(path) = sources.pop() {
        if path.is_dir() {
            sources.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.file_name().is_some_and(|name| name != "variables.rs") {
            let text = fs::read_to_string(path).unwrap();
            found.extend(variable.captures_iter(&text).map(|name| name[1].to_owned()));
        }
    }
    // What a test sets for itself is no setting of the function.
    found.retain(|name| !name.starts_with("QUEUEWATCH_TEST_"));
    assert!(found.contains("QUEUEWATCH_GRACE"), "the sources are elsewhere");
    for name in found {
        assert!(FUNCTION_VARIABLES.contains(&name.as_str()), "{name} is read and not named");
    }
}

#[test]
fn the_table_is_the_one_the_ledger_needs() {
    let template = template();
    let table = &resources(&template)["LedgerTable"]["Properties"];
    let keys = |hash: &str, range: &str| json!([{"AttributeName": hash, "KeyType": "HASH"}, {"AttributeName": range, "KeyType": "RANGE"}]);
    assert_eq!(table["KeySchema"], keys("pk", "sk"));
    assert_eq!(
        table["GlobalSecondaryIndexes"],
        json!([{
            "IndexName": "due",
            "KeySchema": keys("w", "k"),
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["d", "x"]},
        }])
    );
    let text = |name: &str| json!({"AttributeName": name, "AttributeType": "S"});
    assert_eq!(table["AttributeDefinitions"], json!([text("pk"), text("sk"), text("w"), text("k")]));
    assert_eq!(table["TimeToLiveSpecification"], json!({"AttributeName": "x", "Enabled": true}));
    assert_eq!(table["BillingMode"], "PAY_PER_REQUEST");
}

/// The names of the dimensions that a metric is published with, each set sorted.
fn dimension_sets(metric: Metric) -> Vec<Vec<&'static str>> {
    let queue = QueueName::parse("default").unwrap();
    let sets = match metric {
        Metric::SweepHeartbeat => vec![Dimensions::None],
        Metric::PayloadsRejected => vec![Dimensions::Reason("truncated".into())],
        Metric::StalledQueues
        | Metric::WorkersAlive
        | Metric::LinesRead
        | Metric::LinesClassified
        | Metric::DuplicateDeliveries
        | Metric::LateLines
        | Metric::DeliveryLag => vec![Dimensions::App],
        Metric::Enqueued
        | Metric::Processing
        | Metric::Processed
        | Metric::Failed
        | Metric::Released
        | Metric::EnqueueErrors
        | Metric::QueueWait
        | Metric::JobDuration
        | Metric::Pending
        | Metric::OldestPendingAge
        | Metric::Overdue
        | Metric::Running => vec![Dimensions::App, Dimensions::Queue(queue)],
    };
    sets.into_iter().map(|set| set.pairs("app").into_iter().map(|(name, _)| name).collect()).collect()
}

#[track_caller]
fn assert_published(place: &str, name: &str, dimensions: &[&str]) {
    let metric: Metric =
        serde_json::from_value(json!(name)).unwrap_or_else(|_| panic!("{place}: no metric {name}"));
    assert_eq!(metric.name(), name);
    let mut dimensions = dimensions.to_vec();
    dimensions.sort_unstable();
    assert!(
        dimension_sets(metric).contains(&dimensions),
        "{place}: {name} is never published with {dimensions:?}"
    );
}

/// The names of an alarm's dimensions, of which `App` must be the stack's own.
fn dimensions(metric: &Value) -> Vec<&str> {
    let list = metric["Dimensions"].as_array().map(Vec::as_slice).unwrap_or_default();
    for dimension in list.iter().filter(|dimension| dimension["Name"] == "App") {
        assert_eq!(dimension["Value"], json!({"Ref": "App"}));
    }
    list.iter().map(|dimension| dimension["Name"].as_str().unwrap()).collect()
}

#[test]
fn each_alarm_watches_a_metric_that_is_published() {
    let template = template();
    let query =
        Regex::new(r#"^SELECT SUM\((\w+)\) FROM SCHEMA\("(\w+)", ([\w, ]+)\) WHERE App = '\$\{App\}'$"#)
            .unwrap();
    let mut watched_count = 0;
    for (id, alarm) in of_type(&template, "AWS::CloudWatch::Alarm") {
        let inner = all_below(alarm).into_iter().filter(|value| value["Namespace"] == NAMESPACE);
        for metric in inner {
            assert_published(id, metric["MetricName"].as_str().unwrap(), &dimensions(metric));
            watched_count += 1;
        }
        for expression in
            all_below(alarm).into_iter().filter_map(|value| value["Expression"]["Fn::Sub"].as_str())
        {
            let (_, [name, namespace, names]) = query.captures(expression).unwrap().extract();
            assert_eq!(namespace, NAMESPACE);
            assert_published(id, name, &names.split(", ").collect::<Vec<_>>());
            watched_count += 1;
        }
    }
    assert!(watched_count >= 6, "{watched_count} metrics of {NAMESPACE} are watched");
}

/// The dashboard's text, and what parameters add to it.
fn dashboard_text(template: &Value) -> (&str, &Value) {
    let body = &resources(template)["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"];
    (body[0].as_str().unwrap(), &body[1])
}

/// The dashboard where everything is added.
fn dashboard(template: &Value) -> Value {
    let (body, added) = dashboard_text(template);
    let added: String = all_below(added).into_iter().filter_map(|value| value["Fn::Sub"].as_str()).collect();
    let body = body.replace("${AlarmsOfSources}", &added).replace("${GraceSeconds}", "5*60+0");
    serde_json::from_str(&body).unwrap()
}

#[test]
fn the_dashboard_lists_each_alarm_where_it_is_made() {
    let template = template();
    let body = dashboard(&template);
    let widgets = all_below(&body).into_iter().filter(|value| value["type"] == "alarm");
    let listed: Vec<&str> = widgets.flat_map(|widget| texts(&widget["properties"]["alarms"])).collect();
    let alarms = of_type(&template, "AWS::CloudWatch::Alarm");
    let made: Vec<String> = alarms.iter().map(|(id, _)| format!("${{{id}.Arn}}")).collect();
    assert_eq!(listed.len(), made.len(), "each is listed once");
    let listed: BTreeSet<&str> = listed.into_iter().collect();
    assert_eq!(listed, made.iter().map(String::as_str).collect::<BTreeSet<_>>());

    let (_, added) = dashboard_text(&template);
    for ((id, _), arn) in alarms.iter().zip(&made) {
        let is_adding = |value: &&Value| {
            value["Fn::If"][1]["Fn::Sub"].as_str().is_some_and(|text| text.contains(arn.as_str()))
        };
        let found: Vec<&Value> =
            all_below(added).into_iter().filter(is_adding).map(|value| &value["Fn::If"][0]).collect();
        let condition = &resources(&template)[*id]["Condition"];
        let expected: Vec<&Value> = Some(condition).filter(|it| !it.is_null()).into_iter().collect();
        assert_eq!(found, expected, "{id} is listed exactly where it is made");
    }
}

#[test]
fn the_dashboard_shows_metrics_that_are_published() {
    let template = template();
    let body = dashboard(&template);
    let search =
        Regex::new(r#"SEARCH\('\{(\w+),([\w,]+)\} MetricName="(\w+)" App="\$\{App\}"', '\w+', 60\)"#);
    let search = search.unwrap();
    // A counter; a share of the grace; the grace, as long as there is something beside it.
    let fill =
        Regex::new(r"^(?:100\*|0\*)?FILL\((\w+), 0\)(?:/\(5\*60\+0\)|\+5\*60\+0|\+1000\*\(5\*60\+0\))?$")
            .unwrap();
    let mut shown = BTreeSet::new();
    for metrics in all_below(&body).into_iter().filter_map(|value| value["metrics"].as_array()) {
        let ids: BTreeSet<&str> =
            metrics.iter().flat_map(all_below).filter_map(|value| value["id"].as_str()).collect();
        for row in metrics {
            let row = row.as_array().unwrap();
            let named: Vec<&str> = row.iter().filter_map(Value::as_str).collect();
            if let [namespace, name, pairs @ ..] = named.as_slice() {
                if *namespace == NAMESPACE {
                    let (names, values): (Vec<&str>, Vec<&str>) =
                        pairs.chunks(2).map(|pair| (pair[0], pair[1])).unzip();
                    assert!(values.iter().all(|value| *value == "${App}"), "{row:?}");
                    assert_published("Dashboard", name, &names);
                    shown.insert((*name).to_owned());
                }
                continue;
            }
            let expression = row[0]["expression"].as_str().unwrap();
            if let Some(found) = search.captures(expression) {
                let (_, [namespace, names, name]) = found.extract();
                assert_eq!(namespace, NAMESPACE);
                assert_published("Dashboard", name, &names.split(',').collect::<Vec<_>>());
                shown.insert(name.to_owned());
            } else {
                let filled = fill.captures(expression).unwrap_or_else(|| panic!("{expression}"));
                assert!(ids.contains(&filled[1]), "{expression} fills nothing that is there");
            }
        }
    }
    assert_eq!(shown.len(), 21, "every metric is shown: {shown:?}");
}

/// What CloudFormation makes of `!Join`, `!Split` and `!Ref Grace`.
fn joined(value: &Value, grace: &str) -> Vec<String> {
    if let Some(text) = value.as_str() {
        return vec![text.to_owned()];
    }
    if value["Ref"] == "Grace" {
        return vec![grace.to_owned()];
    }
    if let Some(parts) = value["Fn::Join"].as_array() {
        let items = parts[1].as_array().map_or(vec![&parts[1]], |items| items.iter().collect());
        let items: Vec<String> = items.into_iter().flat_map(|item| joined(item, grace)).collect();
        return vec![items.join(parts[0].as_str().unwrap())];
    }
    let parts = value["Fn::Split"].as_array().unwrap();
    let text = joined(&parts[1], grace).concat();
    text.split(parts[0].as_str().unwrap()).map(str::to_owned).collect()
}

/// A sum of products of whole numbers, which is all that a grace is.
fn sum(expression: &str) -> i64 {
    let product = |term: &str| term.split('*').map(|factor| factor.parse::<i64>().unwrap()).product::<i64>();
    expression.split('+').map(product).sum()
}

#[test]
fn the_grace_is_drawn_as_it_is_judged() {
    let template = template();
    let (_, added) = dashboard_text(&template);
    let choice = &added["GraceSeconds"]["Fn::If"];
    assert_eq!(choice[0], "HasGrace");
    for grace in ["90s", "5m", "2h30m", "1d", "1d2h3m4s", "1h1s"] {
        let seconds = sum(&joined(&choice[1], grace).concat());
        assert_eq!(seconds * 1000, parse_duration_ms(grace).unwrap(), "{grace}");
    }
    let config = Config::load(&Overrides::default(), &Overrides::default()).unwrap();
    assert_eq!(sum(choice[2].as_str().unwrap()) * 1000, config.policy().grace_ms(None, None));
}

/// Widgets by where they begin, top to bottom.
fn widgets(body: &Value) -> Vec<&Value> {
    let mut widgets: Vec<&Value> = body["widgets"].as_array().unwrap().iter().collect();
    widgets.sort_by_key(|widget| (widget["y"].as_u64(), widget["x"].as_u64()));
    widgets
}

#[test]
fn the_first_row_says_what_is_wrong_now_and_the_last_is_about_queuewatch() {
    let template = template();
    let body = dashboard(&template);
    let widgets = widgets(&body);
    let first: Vec<String> =
        widgets.iter().filter(|it| it["y"] == 0).map(|it| it["properties"].to_string()).collect();
    assert_eq!(first.len(), 5);
    for (widget, name) in first.iter().zip([
        "StalledQueuesAlarm",
        "StalledQueues",
        "OldestPendingAge",
        "Overdue",
        "WorkersAlive",
    ]) {
        assert!(widget.contains(name), "{name}: {widget}");
    }
    let place = |has: &str| widgets.iter().position(|it| it.to_string().contains(has)).unwrap();
    let order =
        ["\"log\"", "Enqueued", "queuewatch itself", "SweepErrorsAlarm", "\"SweepHeartbeat\"", "LinesRead"];
    let places: Vec<usize> = order.into_iter().map(place).collect();
    assert!(places.is_sorted(), "{places:?}");
    // Nothing lies on anything else, and nothing reaches beyond the grid's 24 columns.
    let mut cells = BTreeSet::new();
    for widget in &widgets {
        let of = |name: &str| widget[name].as_u64().unwrap();
        assert!(of("x") + of("width") <= 24);
        for (x, y) in (of("x")..of("x") + of("width"))
            .flat_map(|x| (of("y")..of("y") + of("height")).map(move |y| (x, y)))
        {
            assert!(cells.insert((x, y)), "{x}, {y} is taken: {widget}");
        }
    }
}

#[test]
fn open_incidents_are_listed_from_what_the_sweep_logs() {
    let template = template();
    let body = dashboard(&template);
    let widget = widgets(&body).into_iter().find(|widget| widget["type"] == "log").unwrap();
    let query = widget["properties"]["query"].as_str().unwrap();
    assert!(query.starts_with("SOURCE '${SweepLogGroup}' | filter ispresent(incident) |"), "{query}");
    assert!(query.contains("by incident | filter State != 'resolved'"), "{query}");
    let field = Regex::new(r"latest\((\w+)\)").unwrap();
    let asked: BTreeSet<&str> = field.captures_iter(query).map(|hit| hit.get(1).unwrap().as_str()).collect();
    assert!(asked.len() >= 7);
    for name in asked {
        assert!(INCIDENT_FIELDS.contains(&name), "{name} is never logged");
    }
}

#[test]
fn alarms_read_well_in_a_list_and_say_when_they_are_over() {
    let template = template();
    let mut names = BTreeSet::new();
    for (id, alarm) in of_type(&template, "AWS::CloudWatch::Alarm") {
        let name = alarm["AlarmName"]["Fn::Sub"].as_str().unwrap_or_else(|| panic!("{id} has no name"));
        let words = name.strip_prefix("${AWS::StackName} - ").unwrap_or_else(|| panic!("{id}: {name}"));
        assert!(words.len() <= 40 && words.contains(' '), "{id}: {words}");
        assert!(names.insert(name), "{id}: another is called so");
        assert_eq!(alarm["AlarmActions"], alarm["OKActions"], "{id}: what rang says that it is over");
    }
    // The page goes out in the sweep that counts it; the wall must not be greener than the phone.
    let stalled = &resources(&template)["StalledQueuesAlarm"]["Properties"];
    assert_eq!((&stalled["EvaluationPeriods"], &stalled["Period"]), (&json!(1), &json!(60)));
}

#[test]
fn each_role_may_do_what_its_function_does_and_nothing_else() {
    let template = template();
    // What Lambda itself does in the function's role, and what keys are for; the code has no hand in these.
    let lambdas_own = ["kinesis", "kms", "logs", "s3"];
    for (role, actions) in [("IngestRole", INGEST_ACTIONS), ("SweepRole", SWEEP_ACTIONS)] {
        let policies = &resources(&template)[role]["Properties"]["Policies"];
        let allowed: BTreeSet<&str> =
            all_below(policies).into_iter().flat_map(|value| texts(&value["Action"])).collect();
        let called: BTreeSet<&str> = allowed
            .iter()
            .copied()
            .filter(|action| !lambdas_own.contains(&action.split(':').next().unwrap_or_default()))
            .collect();
        assert_eq!(called, actions.iter().copied().collect::<BTreeSet<_>>(), "{role}");
        let logs = ["logs:CreateLogStream", "logs:PutLogEvents"];
        assert!(logs.iter().all(|action| allowed.contains(action)), "{role} cannot write its log");
        for action in allowed.iter().filter(|action| action.ends_with('*')) {
            assert!(["kms:GenerateDataKey*", "kms:ReEncrypt*"].contains(action), "{role}: {action}");
        }
    }
    let metrics = all_below(&template).into_iter().find(|value| value["Sid"] == "Metrics").unwrap();
    let by_namespace = json!({"StringEquals": {"cloudwatch:namespace": NAMESPACE}});
    assert_eq!(
        metrics["Condition"],
        json!({"Fn::If": ["UsesOtlp", {"Ref": "AWS::NoValue"}, by_namespace]}),
        "the OpenTelemetry endpoint knows no namespaces"
    );
}

#[test]
fn a_statement_names_its_resource_unless_there_is_none_to_name() {
    let template = template();
    for (role, properties) in of_type(&template, "AWS::IAM::Role") {
        for statement in
            all_below(&properties["Policies"]).into_iter().filter(|value| value["Effect"] == "Allow")
        {
            let is_everything = texts(&statement["Resource"]).contains(&"*");
            assert!(!is_everything || statement["Sid"] == "Metrics", "{role}: {statement}");
            assert!(!statement["Resource"].is_null(), "{role}: {statement}");
        }
    }
}

#[test]
fn the_schedule_sends_a_tick_and_the_outputs_send_commands() {
    let template = template();
    let (_, schedule) = of_type(&template, "AWS::Scheduler::Schedule")[0];
    assert_eq!(schedule["ScheduleExpression"], "rate(1 minute)");
    assert_eq!(schedule["FlexibleTimeWindow"]["Mode"], "OFF");
    assert_eq!(schedule["Target"]["RetryPolicy"]["MaximumRetryAttempts"], 0);
    let input = schedule["Target"]["Input"].as_str().unwrap();
    assert_eq!(parse(input.as_bytes()), Ok(Delivery::Tick));

    let payload = |output: &str| {
        let command = template["Outputs"][output]["Value"]["Fn::Sub"].as_str().unwrap();
        let found = Regex::new("--payload '([^']+)'").unwrap().captures(command).unwrap();
        found[1].to_owned()
    };
    let close = payload("CloseCommand");
    let closed = parse(close.as_bytes());
    assert!(matches!(closed, Ok(Delivery::Command(Command::Close { .. }))), "{closed:?}");
    let silence = payload("SilenceCommand");
    let silenced = parse(silence.as_bytes());
    assert!(matches!(silenced, Ok(Delivery::Command(Command::Silence(_)))), "{silenced:?}");
}

#[track_caller]
#[test]
fn the_buttons_of_a_channel_send_commands_and_stand_beneath_what_can_be_answered() {
    let template = template();
    let incident = "stalled-redis-default-20251206T1237Z".to_owned();
    let by = |reason: &str| reason.to_owned();
    let until = Timestamp::from_ms(1_765_039_020_000);
    let expected = [
        ("SeenButton", Command::Seen { id: incident.clone(), by: by("Slack") }),
        ("SilenceButton", Command::Hush { id: incident.clone(), until, reason: by("in Slack") }),
        ("CloseButton", Command::Close { id: incident.clone(), reason: by("in Slack") }),
    ];
    let buttons = of_type(&template, "AWS::Chatbot::CustomAction");
    assert_eq!(buttons.len(), expected.len());
    for (button, command) in expected {
        let (_, properties) = buttons.iter().find(|(id, _)| *id == button).unwrap();
        let text = properties["Definition"]["CommandText"]["Fn::Sub"].as_str().unwrap();
        let (before, payload) = text.split_once(" --payload ").unwrap();
        let (payload, after) = payload.split_once(" --region ").unwrap();
        assert_eq!(before, "lambda invoke --function-name ${SweepFunction}");
        assert_eq!(after, "${AWS::Region}");
        let payload = payload.replace("$incident", &incident).replace("$until", "2025-12-06T16:37Z");
        assert_eq!(parse(payload.as_bytes()), Ok(Delivery::Command(command)), "{button}: {payload}");
        let attachment = &properties["Attachments"][0];
        for (name, path) in attachment["Variables"].as_object().unwrap() {
            assert_eq!(*path, json!(format!("event.metadata.additionalContext.{name}")));
        }
        let criteria = json!([
            {"Operator": "EQUALS", "VariableName": "function", "Value": {"Ref": "SweepFunction"}},
            {"Operator": "HAS_VALUE", "VariableName": "until"},
        ]);
        assert_eq!(attachment["Criteria"], criteria, "{button}");
    }
    let guard = &resources(&template)["SlackGuardrail"]["Properties"]["PolicyDocument"]["Statement"];
    assert_eq!(guard[0]["Action"], "lambda:InvokeFunction");
    assert_eq!(guard[0]["Resource"], json!({"Fn::GetAtt": "SweepFunction.Arn"}));
    let channel = &resources(&template)["SlackChannel"]["Properties"];
    assert_eq!(channel["GuardrailPolicies"], json!([{"Ref": "SlackGuardrail"}]));
}

fn pattern(template: &Value, parameter: &str) -> String {
    template["Parameters"][parameter]["AllowedPattern"].as_str().unwrap().to_owned()
}

#[test]
fn a_duration_that_the_template_takes_the_function_takes() {
    let template = template();
    for parameter in ["Grace", "JobTimeout"] {
        // The crate has no look-ahead, and what is left refuses nothing more than an empty text.
        let pattern = Regex::new(&pattern(&template, parameter).replace(r"(?=\d)", "")).unwrap();
        for good in ["90s", "5m", "2h30m", "1d", "1d2h3m4s"] {
            assert!(pattern.is_match(good) && parse_duration_ms(good).is_ok(), "{good}");
        }
        for bad in ["5", "m", "5m2h", "5 m", "1w", "5m5m"] {
            assert!(!pattern.is_match(bad) && parse_duration_ms(bad).is_err(), "{bad}");
        }
    }
}

#[test]
fn an_app_that_the_template_takes_the_function_takes() {
    let template = template();
    let pattern = Regex::new(&pattern(&template, "App")).unwrap();
    for app in ["app", "my-app_2.x/eu", "", "it's", "a b", "日本"] {
        let flags = Overrides { app: Some(app.to_owned()), ..Overrides::default() };
        let is_taken = Config::load(&flags, &Overrides::default()).is_ok();
        assert_eq!(pattern.is_match(app), is_taken, "{app}");
    }
}

/// Without look-ahead: the rest of the pattern, and the prefix it refuses.
#[test]
fn no_function_can_be_subscribed_to_its_own_log_group() {
    let template = template();
    for parameter in ["LogGroupName", "SecondLogGroupName"] {
        assert!(pattern(&template, parameter).contains("(?!/queuewatch/)"), "{parameter}");
    }
    for (function, properties) in of_type(&template, "AWS::Serverless::Function") {
        let group = properties["LoggingConfig"]["LogGroup"]["Ref"].as_str().unwrap();
        let name = resources(&template)[group]["Properties"]["LogGroupName"]["Fn::Sub"].as_str().unwrap();
        // The functions refuse each other's group as well, and know its name by this.
        let role = properties["Environment"]["Variables"]["QUEUEWATCH_ROLE"].as_str().unwrap();
        assert_eq!(name, format!("/queuewatch/${{AWS::StackName}}-{role}"), "{function}");
        // Lines at each start and end would feed a loop that the function itself refuses.
        assert_eq!(properties["LoggingConfig"]["LogFormat"], "JSON", "{function}");
        assert_eq!(properties["LoggingConfig"]["SystemLogLevel"], "WARN", "{function}");
        assert_eq!(properties["LoggingConfig"]["ApplicationLogLevel"], "INFO", "{function}");
    }
}

#[test]
fn alarms_on_deliveries_name_the_filter_that_delivers() {
    let template = template();
    for (id, filter) in of_type(&template, "AWS::Logs::SubscriptionFilter") {
        let resource = &resources(&template)[id];
        let permission = &resources(&template)[resource["DependsOn"].as_str().unwrap()];
        assert_eq!(permission["Type"], "AWS::Lambda::Permission", "{id} comes after its permission");
        assert_eq!(permission["Condition"], resource["Condition"]);
        let group = filter["LogGroupName"]["Ref"].as_str().unwrap();
        let source = permission["Properties"]["SourceArn"]["Fn::Sub"].as_str().unwrap();
        assert!(source.ends_with(&format!(":log-group:${{{group}}}:*")), "{id}: {source}");
        let expected = json!([
            {"Name": "LogGroupName", "Value": filter["LogGroupName"]},
            {"Name": "DestinationType", "Value": "Lambda"},
            {"Name": "FilterName", "Value": filter["FilterName"]},
        ]);
        for metric in ["DeliveryErrors", "DeliveryThrottling"] {
            let is_watched = of_type(&template, "AWS::CloudWatch::Alarm").into_iter().any(|(_, alarm)| {
                alarm["Namespace"] == "AWS/Logs"
                    && alarm["MetricName"] == metric
                    && alarm["Dimensions"] == expected
            });
            assert!(is_watched, "nobody watches {metric} of {id}");
        }
    }
}

#[test]
fn what_is_wrong_with_queuewatch_is_said_and_incidents_are_said_once() {
    let template = template();
    let mut silent = BTreeSet::new();
    for (id, alarm) in of_type(&template, "AWS::CloudWatch::Alarm") {
        let topic =
            json!({"Fn::If": ["MakesEmailTopic", {"Ref": "EmailTopic"}, {"Ref": "ExistingTopicArn"}]});
        let actions = alarm["AlarmActions"].as_array().map(Vec::as_slice).unwrap_or_default();
        if !actions.contains(&topic) {
            silent.insert(id);
        }
    }
    assert_eq!(silent, BTreeSet::from(["FailureRateAlarm", "OverdueJobsAlarm", "StalledQueuesAlarm"]));
    assert_eq!(resources(&template)["StalledBackupAlarm"]["Condition"], "IsBackedUp");
    let heartbeat = &resources(&template)["SweepHeartbeatAlarm"]["Properties"];
    assert_eq!((&heartbeat["EvaluationPeriods"], &heartbeat["DatapointsToAlarm"]), (&json!(3), &json!(2)));
    assert_eq!(heartbeat["TreatMissingData"], "breaching");
}

#[test]
fn each_parameter_has_its_place_and_its_use() {
    let template = template();
    let parameters: BTreeSet<&str> =
        template["Parameters"].as_object().unwrap().keys().map(String::as_str).collect();
    let groups =
        template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"].as_array().unwrap();
    let placed: Vec<&str> = groups.iter().flat_map(|group| texts(&group["Parameters"])).collect();
    assert_eq!(placed.iter().copied().collect::<BTreeSet<_>>(), parameters);
    assert_eq!(placed.len(), parameters.len(), "a parameter stands in one group");
    let used: BTreeSet<&str> =
        all_below(&template).into_iter().filter_map(|value| value["Ref"].as_str()).collect();
    for parameter in parameters {
        assert!(used.contains(parameter), "{parameter} is asked for and not used");
        let description = template["Parameters"][parameter]["Description"].as_str();
        assert!(description.is_some_and(|text| text.ends_with('.')), "{parameter} is not explained");
    }
}

#[test]
fn a_failed_delivery_is_tried_again_and_kept_and_a_failed_minute_is_neither() {
    let template = template();
    let function = |id: &str| &resources(&template)[id]["Properties"];
    let bucket = json!({"Fn::GetAtt": "FailedEventsBucket.Arn"});
    assert_eq!(
        function("IngestFunction")["EventInvokeConfig"],
        json!({
            "MaximumRetryAttempts": 2,
            "MaximumEventAgeInSeconds": 21600,
            "DestinationConfig": {"OnFailure": {"Type": "S3Bucket", "Destination": bucket}},
        })
    );
    assert_eq!(
        function("SweepFunction")["EventInvokeConfig"],
        json!({"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60})
    );
    let (_, stream) = of_type(&template, "AWS::Lambda::EventSourceMapping")[0];
    assert_eq!(stream["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));
    assert_eq!(stream["DestinationConfig"]["OnFailure"]["Destination"], bucket);
    for bound in ["MaximumRetryAttempts", "MaximumRecordAgeInSeconds"] {
        assert!(stream[bound].as_u64().is_some_and(|bound| bound > 0), "{bound} is infinite by default");
    }
    let kept = &resources(&template)["FailedEventsBucket"];
    assert_eq!(
        (&kept["DeletionPolicy"], &kept["UpdateReplacePolicy"]),
        (&json!("RetainExceptOnCreate"), &json!("Retain"))
    );
}
