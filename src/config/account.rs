//! Who calls AWS, and where AWS is. Lambda tells a function; an operator has it in the environment, or else the AWS
//! CLI knows it.
//!
//! **Invariant:** a secret is never printed.

use std::env;
use std::ffi::OsString;
use std::fmt;

use serde::Deserialize;

use super::error::ConfigError;

/// Something that is not printed.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub(super) String);

impl Secret {
    /// What it is.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// Who calls AWS, and where AWS is. Lambda sets it once for the life of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The region.
    pub region: String,
    /// The access key's id.
    pub access_key_id: String,
    /// The access key's secret.
    pub secret_access_key: Secret,
    /// The session's token; long-lived keys have none.
    pub session_token: Option<Secret>,
    /// Replaces every service's endpoint.
    pub endpoint: Option<String>,
    /// Replaces DynamoDB's endpoint, before [`Account::endpoint`].
    pub dynamodb_endpoint: Option<String>,
}

/// An operator's keys, as a program prints them that knows where they are kept.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html>
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Keys {
    access_key_id: String,
    secret_access_key: Secret,
    session_token: Option<Secret>,
}

impl Keys {
    /// Reads what such a program prints.
    ///
    /// # Errors
    /// It is something else; what it is is not told.
    pub fn from_process(printed: &[u8]) -> Result<Self, ConfigError> {
        serde_json::from_slice(printed)
            .map_err(|_| wrong("credentials", "what was printed is not the JSON of a credential process"))
    }
}

/// What an operator's environment says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// The region, where it is said.
    pub region: Option<String>,
    /// The keys, where they are.
    pub keys: Option<Keys>,
    endpoint: Option<String>,
    dynamodb_endpoint: Option<String>,
}

impl Operator {
    /// Reads the environment, by the names that every AWS tool knows.
    ///
    /// # Errors
    /// A variable that is wrong, or half a pair of keys.
    #[expect(
        clippy::disallowed_methods,
        reason = "the environment is read here, in the overrides, and for a function"
    )]
    pub fn from_environment() -> Result<Self, ConfigError> {
        Self::from_variables(|name| env::var_os(name))
    }

    fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let variables = Variables(&variable);
        let region = match variables.optional("AWS_REGION")? {
            Some(region) => Some(checked_region("AWS_REGION", region)?),
            None => match variables.optional("AWS_DEFAULT_REGION")? {
                Some(region) => Some(checked_region("AWS_DEFAULT_REGION", region)?),
                None => None,
            },
        };
        let keys = match variables.optional("AWS_ACCESS_KEY_ID")? {
            Some(access_key_id) => Some(Keys {
                access_key_id,
                secret_access_key: Secret(variables.required("AWS_SECRET_ACCESS_KEY")?),
                session_token: variables.optional("AWS_SESSION_TOKEN")?.map(Secret),
            }),
            None => None,
        };
        Ok(Self {
            region,
            keys,
            endpoint: variables.endpoint("AWS_ENDPOINT_URL")?,
            dynamodb_endpoint: variables.endpoint("AWS_ENDPOINT_URL_DYNAMODB")?,
        })
    }

    /// Puts in what the environment left out.
    ///
    /// # Errors
    /// A region that cannot be one.
    pub fn with(self, region: String, keys: Keys) -> Result<Account, ConfigError> {
        Ok(Account {
            region: checked_region("region", region)?,
            access_key_id: keys.access_key_id,
            secret_access_key: keys.secret_access_key,
            session_token: keys.session_token,
            endpoint: self.endpoint,
            dynamodb_endpoint: self.dynamodb_endpoint,
        })
    }
}

/// Variables, checked one by one. An empty one is an unset one: a template parameter that nobody filled arrives as an
/// empty text.
pub(super) struct Variables<F>(pub(super) F);

impl<F: Fn(&str) -> Option<OsString>> Variables<F> {
    pub(super) fn optional(&self, name: &'static str) -> Result<Option<String>, ConfigError> {
        let Some(value) = (self.0)(name).filter(|value| !value.is_empty()) else { return Ok(None) };
        value.into_string().map(Some).map_err(|_| wrong(name, "it is not UTF-8"))
    }

    pub(super) fn required(&self, name: &'static str) -> Result<String, ConfigError> {
        self.optional(name)?.ok_or_else(|| missing(name))
    }

    pub(super) fn account(&self) -> Result<Account, ConfigError> {
        Ok(Account {
            region: checked_region("AWS_REGION", self.required("AWS_REGION")?)?,
            access_key_id: self.required("AWS_ACCESS_KEY_ID")?,
            secret_access_key: Secret(self.required("AWS_SECRET_ACCESS_KEY")?),
            session_token: self.optional("AWS_SESSION_TOKEN")?.map(Secret),
            endpoint: self.endpoint("AWS_ENDPOINT_URL")?,
            dynamodb_endpoint: self.endpoint("AWS_ENDPOINT_URL_DYNAMODB")?,
        })
    }

    fn endpoint(&self, name: &'static str) -> Result<Option<String>, ConfigError> {
        let url = self.optional(name)?;
        match url.as_deref() {
            Some(url) if !(url.starts_with("http://") || url.starts_with("https://")) => {
                Err(wrong(name, format!("`{url}` begins with neither http:// nor https://")))
            }
            Some(_) | None => Ok(url),
        }
    }
}

fn checked_region(name: &'static str, region: String) -> Result<String, ConfigError> {
    if region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
        Ok(region)
    } else {
        Err(wrong(name, format!("`{region}` is no region's name")))
    }
}

pub(super) fn wrong(name: &'static str, detail: impl Into<String>) -> ConfigError {
    ConfigError::Setting { name, detail: detail.into() }
}

pub(super) fn missing(name: &'static str) -> ConfigError {
    wrong(name, "it is not set")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn operator(variables: &[(&str, &str)]) -> Result<Operator, String> {
        let found = Operator::from_variables(|name| {
            variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).into())
        });
        found.map_err(|error| error.to_string())
    }

    #[test]
    fn an_operator_may_say_all_or_nothing() {
        let found = operator(&[]).unwrap();
        assert_eq!((found.region, found.keys), (None, None));
        let all = [
            ("AWS_REGION", "eu-west-1"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "AKID"),
            ("AWS_SECRET_ACCESS_KEY", "hush"),
            ("AWS_SESSION_TOKEN", "psst"),
        ];
        let found = operator(&all).unwrap();
        assert_eq!(found.region.as_deref(), Some("eu-west-1"));
        let (region, keys) = (found.region.clone().unwrap(), found.keys.clone().unwrap());
        let account = found.with(region, keys).unwrap();
        assert_eq!((account.access_key_id.as_str(), account.secret_access_key.reveal()), ("AKID", "hush"));
        assert!(!format!("{account:?}").contains("hush"));
        assert_eq!(operator(&all[1..]).unwrap().region.as_deref(), Some("us-east-1"));
    }

    #[test]
    fn half_a_pair_of_keys_is_named() {
        let found = operator(&[("AWS_ACCESS_KEY_ID", "AKID")]);
        assert_eq!(found.unwrap_err(), "AWS_SECRET_ACCESS_KEY: it is not set");
        let found = operator(&[("AWS_DEFAULT_REGION", "EU (Ireland)")]);
        assert_eq!(found.unwrap_err(), "AWS_DEFAULT_REGION: `EU (Ireland)` is no region's name");
    }

    #[test]
    fn keys_are_read_as_a_credential_process_prints_them() {
        let printed =
            br#"{"Version": 1, "AccessKeyId": "AKID", "SecretAccessKey": "hush", "SessionToken": "psst",
            "Expiration": "2026-01-05T09:00:00Z"}"#;
        let keys = Keys::from_process(printed).unwrap();
        assert_eq!((keys.access_key_id.as_str(), keys.secret_access_key.reveal()), ("AKID", "hush"));
        assert_eq!(keys.session_token.as_ref().map(Secret::reveal), Some("psst"));
        let error = Keys::from_process(br#"{"SecretAccessKey": "hush"}"#).unwrap_err().to_string();
        assert!(error.starts_with("credentials: ") && !error.contains("hush"), "{error}");
    }
}
