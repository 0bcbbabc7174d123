//! What a flag or the environment says over the file.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::error::ConfigError;
use super::parameters::Parameters;
use super::text::{AppName, SpanMs, checked};

/// Settings from outside the file, as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The file to read.
    pub config: Option<PathBuf>,
    /// Replaces `app`.
    pub app: Option<String>,
    /// Replaces `[stall].grace`; what `[[queue]]` and `[[class]]` say stays.
    pub grace: Option<String>,
    /// What has no flag.
    pub parameters: Parameters,
}

/// Where settings came from: the names to use in an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Flag,
    Environment,
}

impl Overrides {
    /// Reads `QUEUEWATCH_CONFIG`, `QUEUEWATCH_APP`, `QUEUEWATCH_GRACE` and the [`Parameters`]. An empty variable is an unset one:
    /// a template parameter that nobody filled arrives as an empty text.
    ///
    /// # Errors
    /// A variable that is not UTF-8, unless it is the path.
    #[expect(clippy::disallowed_methods, reason = "the environment is read here and for a function")]
    pub fn from_environment() -> Result<Self, ConfigError> {
        Self::from_variables(|name| env::var_os(name))
    }

    pub(super) fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let text = |name: &'static str| match set(name).map(OsString::into_string) {
            None => Ok(None),
            Some(Ok(text)) => Ok(Some(text)),
            Some(Err(_)) => Err(ConfigError::Setting { name, detail: "it is not UTF-8".into() }),
        };
        Ok(Self {
            config: set("QUEUEWATCH_CONFIG").map(PathBuf::from),
            app: text("QUEUEWATCH_APP")?,
            grace: text("QUEUEWATCH_GRACE")?,
            parameters: Parameters::read(text)?,
        })
    }

    pub(super) fn config(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    pub(super) fn app(&self, origin: Origin) -> Result<Option<String>, ConfigError> {
        let name = match origin {
            Origin::Flag => "--app",
            Origin::Environment => "QUEUEWATCH_APP",
        };
        Ok(checked::<AppName>(name, self.app.as_deref())?.map(|app| app.0))
    }

    pub(super) fn grace_ms(&self, origin: Origin) -> Result<Option<i64>, ConfigError> {
        let name = match origin {
            Origin::Flag => "--grace",
            Origin::Environment => "QUEUEWATCH_GRACE",
        };
        Ok(checked::<SpanMs>(name, self.grace.as_deref())?.map(|grace| grace.0))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    #[track_caller]
    fn check(variables: &[(&str, &[u8])], expected: Result<Overrides, &str>) {
        let found = Overrides::from_variables(|name| {
            let (_, value) = variables.iter().find(|(variable, _)| *variable == name)?;
            Some(OsString::from_vec(value.to_vec()))
        });
        assert_eq!(found.map_err(|error| error.to_string()), expected.map_err(str::to_owned));
    }

    #[test]
    fn three_variables_are_read_and_an_empty_one_is_unset() {
        check(&[], Ok(Overrides::default()));
        let empty: &[(&str, &[u8])] =
            &[("QUEUEWATCH_CONFIG", b""), ("QUEUEWATCH_APP", b""), ("QUEUEWATCH_GRACE", b"")];
        check(empty, Ok(Overrides::default()));
        check(
            &[("QUEUEWATCH_CONFIG", b"/q.toml"), ("QUEUEWATCH_APP", b"shop"), ("QUEUEWATCH_GRACE", b"6m")],
            Ok(Overrides {
                config: Some("/q.toml".into()),
                app: Some("shop".into()),
                grace: Some("6m".into()),
                parameters: Parameters::default(),
            }),
        );
        check(&[("QUEUEWATCH_APP", b"a\xff")], Err("QUEUEWATCH_APP: it is not UTF-8"));
        check(&[("QUEUEWATCH_GRACE", b"\xff")], Err("QUEUEWATCH_GRACE: it is not UTF-8"));
    }
}
