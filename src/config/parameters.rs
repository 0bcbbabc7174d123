//! Settings of the file that a template's parameters may replace, and no flag: variables only.

use super::error::ConfigError;
use super::text::{FromText, Name, SpanMs, ZoneName, checked};
use crate::domain::model::policy::{Language, Policy};

/// The variables, as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// Replaces `[stall].job_timeout`; what `[[class]]` says stays.
    pub job_timeout: Option<String>,
    /// Replaces `language`.
    pub language: Option<String>,
    /// Replaces `timezone`.
    pub timezone: Option<String>,
    /// Replaces `[ecs].cluster`.
    pub ecs_cluster: Option<String>,
    /// Replaces `[ecs].service`.
    pub ecs_service: Option<String>,
    /// Replaces `[metrics].class_dimension`.
    pub class_dimension: Option<String>,
    /// The region that commands name, as AWS's own tools read it.
    pub region: Option<String>,
}

impl Parameters {
    /// Reads the variables.
    pub(super) fn read(
        text: impl Fn(&'static str) -> Result<Option<String>, ConfigError>,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            job_timeout: text("QUEUEWATCH_JOB_TIMEOUT")?,
            language: text("QUEUEWATCH_LANGUAGE")?,
            timezone: text("QUEUEWATCH_TIMEZONE")?,
            ecs_cluster: text("QUEUEWATCH_ECS_CLUSTER")?,
            ecs_service: text("QUEUEWATCH_ECS_SERVICE")?,
            class_dimension: text("QUEUEWATCH_CLASS_DIMENSION")?,
            region: text("AWS_REGION")?,
        })
    }

    /// Puts what is set over a policy.
    pub(super) fn apply(&self, policy: &mut Policy) -> Result<(), ConfigError> {
        if let Some(SpanMs(ms)) = checked("QUEUEWATCH_JOB_TIMEOUT", self.job_timeout.as_deref())? {
            policy.job_timeout_ms = Some(ms);
        }
        if let Some(WrittenLanguage(language)) = checked("QUEUEWATCH_LANGUAGE", self.language.as_deref())? {
            policy.language = language;
        }
        if let Some(ZoneName(zone)) = checked("QUEUEWATCH_TIMEZONE", self.timezone.as_deref())? {
            policy.timezone = zone;
        }
        if let Some(Name(cluster)) = checked("QUEUEWATCH_ECS_CLUSTER", self.ecs_cluster.as_deref())? {
            policy.ecs.cluster = Some(cluster);
        }
        if let Some(Name(service)) = checked("QUEUEWATCH_ECS_SERVICE", self.ecs_service.as_deref())? {
            policy.ecs.service = Some(service);
        }
        if let Some(Flag(flag)) = checked("QUEUEWATCH_CLASS_DIMENSION", self.class_dimension.as_deref())? {
            policy.class_dimension = flag;
        }
        if let Some(Region(region)) = checked("AWS_REGION", self.region.as_deref())? {
            policy.aws.region = Some(region);
        }
        Ok(())
    }
}

struct WrittenLanguage(Language);

impl FromText for WrittenLanguage {
    const EXPECTED: &str = "`en` or `ja`";

    fn from_text(text: &str) -> Result<Self, String> {
        match text {
            "en" => Ok(Self(Language::En)),
            "ja" => Ok(Self(Language::Ja)),
            _ => Err(format!("`{text}` is neither en nor ja")),
        }
    }
}

/// A region's name, which stands in commands.
pub(super) struct Region(pub(super) String);

impl FromText for Region {
    const EXPECTED: &str = "a region's name";

    fn from_text(text: &str) -> Result<Self, String> {
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if text.bytes().all(is_name) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("`{text}` is no region's name"))
        }
    }
}

struct Flag(bool);

impl FromText for Flag {
    const EXPECTED: &str = "`true` or `false`";

    fn from_text(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| format!("`{text}` is neither true nor false"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(variables: &[(&str, &str)]) -> Result<Policy, ConfigError> {
        let parameters = Parameters::read(|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            Ok(found.map(|(_, value)| (*value).to_owned()))
        })?;
        let mut policy = Policy { job_timeout_ms: Some(1), ..Policy::default() };
        parameters.apply(&mut policy)?;
        Ok(policy)
    }

    #[test]
    fn what_is_not_set_replaces_nothing() {
        assert_eq!(policy(&[]).unwrap(), Policy { job_timeout_ms: Some(1), ..Policy::default() });
    }

    #[test]
    fn what_is_set_replaces_one_setting_each() {
        let found = policy(&[
            ("QUEUEWATCH_JOB_TIMEOUT", "20m"),
            ("QUEUEWATCH_LANGUAGE", "ja"),
            ("QUEUEWATCH_TIMEZONE", "Asia/Tokyo"),
            ("QUEUEWATCH_ECS_CLUSTER", "c"),
            ("QUEUEWATCH_ECS_SERVICE", "s"),
            ("QUEUEWATCH_CLASS_DIMENSION", "true"),
            ("AWS_REGION", "ap-northeast-1"),
        ])
        .unwrap();
        let mut expected = Policy { job_timeout_ms: Some(1_200_000), ..Policy::default() };
        expected.language = Language::Ja;
        expected.timezone = "Asia/Tokyo".into();
        (expected.ecs.cluster, expected.ecs.service) = (Some("c".into()), Some("s".into()));
        expected.class_dimension = true;
        expected.aws.region = Some("ap-northeast-1".into());
        assert_eq!(found, expected);
    }

    #[track_caller]
    fn check_refused(name: &str, value: &str, expected: &str) {
        assert_eq!(policy(&[(name, value)]).unwrap_err().to_string(), format!("{name}: {expected}"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        check_refused("QUEUEWATCH_JOB_TIMEOUT", "0s", "`0s` must be longer than zero");
        check_refused("QUEUEWATCH_LANGUAGE", "fr", "`fr` is neither en nor ja");
        let zone = "`Mars` is no time zone: write an IANA name, such as `UTC` or `Asia/Tokyo`";
        check_refused("QUEUEWATCH_TIMEZONE", "Mars", zone);
        check_refused("QUEUEWATCH_ECS_CLUSTER", " ", "the name is empty");
        check_refused("QUEUEWATCH_ECS_SERVICE", " ", "the name is empty");
        check_refused("QUEUEWATCH_CLASS_DIMENSION", "yes", "`yes` is neither true nor false");
        check_refused("AWS_REGION", "eu west", "`eu west` is no region's name");
    }
}
