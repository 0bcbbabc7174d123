//! What a function is told by its environment: raw variables → a checked [`FunctionConfig`].
//!
//! Settings that a file may hold too come through [`Overrides`]; here is what only the stack knows. Every error
//! names its variable.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub use super::account::{Account, Secret};
use super::account::{Variables, missing, wrong};
use super::error::ConfigError;
use super::text::{FromText, Webhook};
use super::{Config, Overrides};

/// The file that a package may carry beside its binary.
const PACKAGED: &str = "queuewatch.toml";

/// What a function does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Takes in what log groups deliver.
    Ingest,
    /// Looks at what is known, once a minute.
    Sweep,
}

/// Where metrics of queues and classes go; those that alarms stand on are CloudWatch's own in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsFormat {
    /// CloudWatch's own, by the metric.
    CloudWatch,
    /// CloudWatch's OpenTelemetry endpoint, by the gigabyte.
    Otlp,
}

/// A checked configuration of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionConfig {
    /// What a file or its overrides say.
    pub config: Config,
    /// What the function does.
    pub role: Role,
    /// The table's name.
    pub table: String,
    /// The topic of mails; a sweep always has one.
    pub email_topic_arn: Option<String>,
    /// The topic of chats.
    pub chat_topic_arn: Option<String>,
    /// The event bus for programs, a name or an ARN.
    pub event_bus: Option<String>,
    /// Where metrics of queues and classes go.
    pub metrics_format: MetricsFormat,
    /// The address that is called after each sweep that worked; whoever knows it can call it, so it is a secret.
    pub heartbeat_url: Option<Secret>,
    /// Who it is, and where AWS is.
    pub account: Account,
    /// The number of the account that it is in; lines of other accounts are set apart from its own.
    pub account_id: Option<String>,
    /// The log groups that the stack's functions write to: nothing from there may be taken in.
    pub own_log_groups: Vec<String>,
    /// The container: the name of the log stream that Lambda gives each; `local` outside of Lambda.
    pub container: String,
}

impl FunctionConfig {
    /// Reads the environment, and the file that it names or that lies beside the binary.
    ///
    /// # Errors
    /// The first variable that is missing or wrong, or as [`Config::load`].
    #[expect(clippy::disallowed_methods, reason = "the environment is read here and in the overrides")]
    pub fn from_environment() -> Result<Self, ConfigError> {
        Self::from_variables(|name| env::var_os(name))
    }

    fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let variables = Variables(&variable);
        let mut overrides = Overrides::from_variables(&variable)?;
        if overrides.config.is_none() {
            overrides.config = variables.packaged_file();
        }
        let config = Config::load(&Overrides::default(), &overrides)?;
        let role = match variables.required("QUEUEWATCH_ROLE")?.as_str() {
            "ingest" => Role::Ingest,
            "sweep" => Role::Sweep,
            other => return Err(wrong("QUEUEWATCH_ROLE", format!("`{other}` is neither ingest nor sweep"))),
        };
        let account = variables.account()?;
        let email_topic_arn = variables.topic("QUEUEWATCH_EMAIL_TOPIC_ARN", &account.region)?;
        if role == Role::Sweep && email_topic_arn.is_none() {
            return Err(missing("QUEUEWATCH_EMAIL_TOPIC_ARN"));
        }
        let sweep_function = variables.optional("AWS_LAMBDA_FUNCTION_NAME")?.filter(|_| role == Role::Sweep);
        let chat_topic_arn = variables.topic("QUEUEWATCH_CHAT_TOPIC_ARN", &account.region)?;
        let event_bus = variables.event_bus(&account.region)?;
        // Whose account it is, nothing in the environment says but the topic.
        let number = email_topic_arn.as_deref().and_then(|arn| arn.split(':').nth(4)).map(str::to_owned);
        let config = config.with_stack(chat_topic_arn.is_some(), sweep_function);
        Ok(Self {
            config: config.with_event_bus(event_bus.is_some(), number),
            role,
            table: variables.table()?,
            email_topic_arn,
            chat_topic_arn,
            event_bus,
            metrics_format: variables.metrics_format()?,
            heartbeat_url: variables.heartbeat_url()?.filter(|_| role == Role::Sweep),
            account,
            account_id: variables.optional("QUEUEWATCH_ACCOUNT_ID")?,
            own_log_groups: variables.own_log_groups()?,
            container: variables.optional("AWS_LAMBDA_LOG_STREAM_NAME")?.unwrap_or_else(|| "local".into()),
        })
    }
}

impl<F: Fn(&str) -> Option<OsString>> Variables<F> {
    /// Without a file that is named, the package's own, where it has one.
    fn packaged_file(&self) -> Option<PathBuf> {
        let root = (self.0)("LAMBDA_TASK_ROOT").filter(|root| !root.is_empty())?;
        Some(Path::new(&root).join(PACKAGED)).filter(|file| file.exists())
    }

    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>
    fn table(&self) -> Result<String, ConfigError> {
        let name = self.required("QUEUEWATCH_TABLE")?;
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if (3..=255).contains(&name.len()) && name.bytes().all(is_name) {
            Ok(name)
        } else {
            Err(wrong("QUEUEWATCH_TABLE", format!("`{name}` is no table's name")))
        }
    }

    /// A standard topic of this region: a mail or a chat cannot subscribe to another kind, and the client of one region
    /// cannot publish to another.
    fn topic(&self, name: &'static str, region: &str) -> Result<Option<String>, ConfigError> {
        let Some(arn) = self.optional(name)? else { return Ok(None) };
        let parts: Vec<&str> = arn.split(':').collect();
        let ["arn", _, "sns", arn_region, _, topic] = parts.as_slice() else {
            return Err(wrong(name, format!("`{arn}` is no topic's ARN")));
        };
        if topic.is_empty() {
            return Err(wrong(name, format!("`{arn}` is no topic's ARN")));
        }
        if topic.ends_with(".fifo") {
            return Err(wrong(name, format!("`{arn}` is a FIFO topic: take a standard one")));
        }
        if *arn_region != region {
            return Err(wrong(name, format!("`{arn}` is not in this region, {region}")));
        }
        Ok(Some(arn))
    }

    /// A bus by its name, or by an ARN of this region: of the account's own, or of another that lets this one put events.
    fn event_bus(&self, region: &str) -> Result<Option<String>, ConfigError> {
        let variable = "QUEUEWATCH_EVENT_BUS";
        let Some(bus) = self.optional(variable)? else { return Ok(None) };
        let parts: Vec<&str> = bus.splitn(6, ':').collect();
        let name = match parts.as_slice() {
            [name] => name,
            ["arn", _, "events", of, _, name] if *of == region => {
                name.strip_prefix("event-bus/").unwrap_or_default()
            }
            ["arn", _, "events", _, _, _] => {
                return Err(wrong(variable, format!("`{bus}` is not in this region, {region}")));
            }
            _ => "",
        };
        let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'/');
        if (1..=256).contains(&name.len()) && name.bytes().all(is_legal) {
            Ok(Some(bus))
        } else {
            Err(wrong(variable, format!("`{bus}` is no event bus's name or ARN")))
        }
    }

    fn metrics_format(&self) -> Result<MetricsFormat, ConfigError> {
        let variable = "QUEUEWATCH_METRICS_FORMAT";
        match self.optional(variable)?.as_deref() {
            None | Some("cloudwatch") => Ok(MetricsFormat::CloudWatch),
            Some("otlp") => Ok(MetricsFormat::Otlp),
            Some(other) => Err(wrong(variable, format!("`{other}` is neither cloudwatch nor otlp"))),
        }
    }

    fn heartbeat_url(&self) -> Result<Option<Secret>, ConfigError> {
        let variable = "QUEUEWATCH_HEARTBEAT_URL";
        let Some(url) = self.optional(variable)? else { return Ok(None) };
        match Webhook::from_text(&url) {
            Ok(Webhook(url)) => Ok(Some(Secret(url))),
            Err(detail) => Err(wrong(variable, detail)),
        }
    }

    /// The group that this function writes to and its sibling's: the stack names them alike but for the role.
    fn own_log_groups(&self) -> Result<Vec<String>, ConfigError> {
        let configured = self.optional("AWS_LAMBDA_LOG_GROUP_NAME")?;
        let by_function =
            self.optional("AWS_LAMBDA_FUNCTION_NAME")?.map(|function| format!("/aws/lambda/{function}"));
        let mut groups: Vec<String> = configured.into_iter().chain(by_function).collect();
        let siblings: Vec<String> = groups.iter().filter_map(|group| sibling(group)).collect();
        groups.extend(siblings);
        groups.sort();
        groups.dedup();
        Ok(groups)
    }
}

fn sibling(group: &str) -> Option<String> {
    let (ingest, sweep) = ("-ingest", "-sweep");
    let of = |mine: &str, other: &str| group.strip_suffix(mine).map(|stack| format!("{stack}{other}"));
    of(ingest, sweep).or_else(|| of(sweep, ingest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &[(&str, &str)] = &[
        ("QUEUEWATCH_ROLE", "sweep"),
        ("QUEUEWATCH_TABLE", "queuewatch-jobs"),
        ("QUEUEWATCH_EMAIL_TOPIC_ARN", "arn:aws:sns:eu-west-1:123456789012:mail"),
        ("QUEUEWATCH_CHAT_TOPIC_ARN", "arn:aws:sns:eu-west-1:123456789012:chat"),
        ("QUEUEWATCH_APP", "shop"),
        ("QUEUEWATCH_GRACE", "6m"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "AKID"),
        ("AWS_SECRET_ACCESS_KEY", "hush"),
        ("AWS_SESSION_TOKEN", "psst"),
        ("AWS_LAMBDA_FUNCTION_NAME", "qw-sweep"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/qw-sweep"),
    ];

    /// The full environment, with some variables set otherwise.
    fn with(changes: &[(&str, &str)]) -> Result<FunctionConfig, ConfigError> {
        FunctionConfig::from_variables(|name| {
            let mut all = changes.iter().chain(FULL);
            all.find(|(variable, _)| *variable == name).map(|(_, value)| (*value).into())
        })
    }

    #[track_caller]
    fn check_refused(name: &str, value: &str, expected: &str) {
        assert_eq!(with(&[(name, value)]).unwrap_err().to_string(), format!("{name}: {expected}"));
    }

    #[test]
    fn a_full_environment_makes_a_configuration() {
        let found = with(&[]).unwrap();
        assert_eq!((found.role, found.table.as_str()), (Role::Sweep, "queuewatch-jobs"));
        let policy = found.config.policy();
        assert_eq!((policy.app.as_str(), policy.grace_ms, policy.has_chat_topic), ("shop", 360_000, true));
        assert_eq!(policy.aws.region.as_deref(), Some("eu-west-1"));
        assert_eq!(found.metrics_format, MetricsFormat::CloudWatch);
        let otlp = with(&[("QUEUEWATCH_METRICS_FORMAT", "otlp")]).unwrap();
        assert_eq!(otlp.metrics_format, MetricsFormat::Otlp);
        assert_eq!(policy.aws.sweep_function.as_deref(), Some("qw-sweep"));
        let ingest =
            with(&[("QUEUEWATCH_ROLE", "ingest"), ("AWS_LAMBDA_FUNCTION_NAME", "qw-ingest")]).unwrap();
        assert_eq!(ingest.config.policy().aws.sweep_function, None);
        assert_eq!(found.account.session_token.as_ref().map(Secret::reveal), Some("psst"));
        assert_eq!(found.own_log_groups, ["/aws/lambda/qw-ingest", "/aws/lambda/qw-sweep"]);
    }

    #[test]
    fn what_is_optional_may_be_empty() {
        let found = with(&[
            ("QUEUEWATCH_ROLE", "ingest"),
            ("QUEUEWATCH_EMAIL_TOPIC_ARN", ""),
            ("QUEUEWATCH_CHAT_TOPIC_ARN", ""),
            ("AWS_SESSION_TOKEN", ""),
            ("AWS_ENDPOINT_URL", ""),
        ])
        .unwrap();
        assert_eq!((found.role, found.email_topic_arn, found.chat_topic_arn), (Role::Ingest, None, None));
        assert_eq!((found.account.session_token, found.account.endpoint), (None, None));
        assert!(!found.config.policy().has_chat_topic);
    }

    #[test]
    fn what_is_missing_is_named() {
        for name in [
            "QUEUEWATCH_ROLE",
            "QUEUEWATCH_TABLE",
            "QUEUEWATCH_EMAIL_TOPIC_ARN",
            "AWS_REGION",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
        ] {
            check_refused(name, "", "it is not set");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        check_refused("QUEUEWATCH_ROLE", "Sweep", "`Sweep` is neither ingest nor sweep");
        check_refused("QUEUEWATCH_METRICS_FORMAT", "OTLP", "`OTLP` is neither cloudwatch nor otlp");
        check_refused("QUEUEWATCH_TABLE", "a b c", "`a b c` is no table's name");
        for url in ["hc-ping.com/x", "https://", "https://a b/"] {
            let error = with(&[("QUEUEWATCH_HEARTBEAT_URL", url)]).unwrap_err().to_string();
            assert!(error.starts_with("QUEUEWATCH_HEARTBEAT_URL: it must begin with `https://`"), "{error}");
        }
        check_refused("QUEUEWATCH_TABLE", "ab", "`ab` is no table's name");
        check_refused("AWS_REGION", "eu west", "`eu west` is no region's name");
        check_refused(
            "AWS_ENDPOINT_URL",
            "localhost:1",
            "`localhost:1` begins with neither http:// nor https://",
        );
        check_refused("QUEUEWATCH_EMAIL_TOPIC_ARN", "mail", "`mail` is no topic's ARN");
        let arn = "arn:aws:sns:us-east-1:1:mail";
        check_refused(
            "QUEUEWATCH_EMAIL_TOPIC_ARN",
            arn,
            "`arn:aws:sns:us-east-1:1:mail` is not in this region, eu-west-1",
        );
        let arn = "arn:aws:sns:eu-west-1:1:chat.fifo";
        check_refused(
            "QUEUEWATCH_CHAT_TOPIC_ARN",
            arn,
            "`arn:aws:sns:eu-west-1:1:chat.fifo` is a FIFO topic: take a standard one",
        );
        check_refused(
            "QUEUEWATCH_GRACE",
            "5",
            "`5` has no unit: write `5s` for seconds, or `5m`, `1h`, `2h30m`, `1d`",
        );
    }

    #[test]
    fn a_secret_is_never_printed() {
        let found = with(&[("QUEUEWATCH_HEARTBEAT_URL", "https://hc-ping.com/shh")]).unwrap();
        assert_eq!(found.heartbeat_url.as_ref().map(Secret::reveal), Some("https://hc-ping.com/shh"));
        let printed = format!("{found:?}");
        assert!(
            !printed.contains("shh") && !printed.contains("hush") && !printed.contains("psst"),
            "{printed}"
        );
    }

    #[test]
    fn both_functions_groups_are_ones_own_whatever_they_are_called() {
        let groups = |group: &str, function: &str| {
            with(&[("AWS_LAMBDA_LOG_GROUP_NAME", group), ("AWS_LAMBDA_FUNCTION_NAME", function)])
                .unwrap()
                .own_log_groups
        };
        assert_eq!(groups("/logs/one", "fn"), ["/aws/lambda/fn", "/logs/one"]);
        assert_eq!(
            groups("/logs/qw-ingest", "qw-ingest"),
            ["/aws/lambda/qw-ingest", "/aws/lambda/qw-sweep", "/logs/qw-ingest", "/logs/qw-sweep"]
        );
        assert_eq!(groups("", ""), [""; 0]);
    }

    #[test]
    fn a_file_in_the_package_is_read_and_one_that_is_named_comes_first() {
        let package = std::env::temp_dir().join(format!("queuewatch-package-{}", std::process::id()));
        std::fs::create_dir_all(&package).unwrap();
        let root = package.to_str().unwrap();
        let app = |changes: &[(&str, &str)]| with(changes).unwrap().config.policy().app.clone();
        assert_eq!(app(&[("LAMBDA_TASK_ROOT", root), ("QUEUEWATCH_APP", "")]), "app");
        std::fs::write(package.join(PACKAGED), "app = \"packaged\"").unwrap();
        let named = package.join("named.toml");
        std::fs::write(&named, "app = \"named\"").unwrap();
        assert_eq!(app(&[("LAMBDA_TASK_ROOT", root), ("QUEUEWATCH_APP", "")]), "packaged");
        assert_eq!(app(&[("LAMBDA_TASK_ROOT", root)]), "shop");
        let named = named.to_str().unwrap();
        let changes = [("LAMBDA_TASK_ROOT", root), ("QUEUEWATCH_APP", ""), ("QUEUEWATCH_CONFIG", named)];
        assert_eq!(app(&changes), "named");
        std::fs::remove_dir_all(&package).unwrap();
    }
}
