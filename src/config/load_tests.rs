//! Which source of a setting wins, and how a wrong one is named.

use std::path::PathBuf;

use super::*;

fn overrides(config: Option<&str>, app: Option<&str>, grace: Option<&str>) -> Overrides {
    Overrides {
        config: config.map(PathBuf::from),
        app: app.map(str::to_owned),
        grace: grace.map(str::to_owned),
        ..Overrides::default()
    }
}

#[track_caller]
fn check_load(flags: &Overrides, environment: &Overrides, expected: Result<(&str, i64), &str>) {
    let loaded = Config::load(flags, environment).map_err(|error| error.to_string());
    let loaded = loaded.as_ref().map(|config| (config.policy().app.as_str(), config.policy().grace_ms));
    assert_eq!(loaded.map_err(String::as_str), expected);
}

#[test]
fn a_flag_beats_the_environment_which_beats_the_file_which_beats_the_default() {
    let none = Overrides::default();
    let file = std::env::temp_dir().join(format!("queuewatch-config-{}.toml", std::process::id()));
    fs::write(&file, "app = \"file\"\n[stall]\ngrace = \"10m\"\n").unwrap();
    let path = file.to_str();
    check_load(&none, &none, Ok(("app", 300_000)));
    check_load(&none, &overrides(path, None, None), Ok(("file", 600_000)));
    check_load(&overrides(path, None, None), &overrides(Some("/absent"), None, None), Ok(("file", 600_000)));
    check_load(&none, &overrides(path, Some("env"), Some("11m")), Ok(("env", 660_000)));
    let flags = overrides(path, Some("flag"), Some("12m"));
    check_load(&flags, &overrides(None, Some("env"), Some("11m")), Ok(("flag", 720_000)));
    check_load(&flags, &overrides(None, Some("not good"), Some("11")), Ok(("flag", 720_000)));
    fs::remove_file(&file).unwrap();
}

#[test]
fn a_wrong_setting_is_named_as_it_was_given() {
    let none = Overrides::default();
    let no_unit = "`5` has no unit: write `5s` for seconds, or `5m`, `1h`, `2h30m`, `1d`";
    check_load(&overrides(None, None, Some("5")), &none, Err(&format!("--grace: {no_unit}")));
    check_load(&none, &overrides(None, None, Some("5")), Err(&format!("QUEUEWATCH_GRACE: {no_unit}")));
    check_load(
        &none,
        &overrides(None, None, Some("0s")),
        Err("QUEUEWATCH_GRACE: `0s` must be longer than zero"),
    );
    let no_name = "`a b` is no app name: 1 to 100 letters, digits, `.`, `_`, `-`, `/`";
    check_load(&overrides(None, Some("a b"), None), &none, Err(&format!("--app: {no_name}")));
    check_load(&none, &overrides(None, Some("a b"), None), Err(&format!("QUEUEWATCH_APP: {no_name}")));
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let error = Config::read(Path::new("/absent/queuewatch.toml")).unwrap_err();
    assert_eq!(error.to_string(), "cannot read the configuration /absent/queuewatch.toml");
    assert!(std::error::Error::source(&error).is_some());
    let file = std::env::temp_dir().join(format!("queuewatch-config-bad-{}.toml", std::process::id()));
    fs::write(&file, "[stall]\ngrace = 5\n").unwrap();
    let error = Config::read(&file).unwrap_err().to_string();
    fs::remove_file(&file).unwrap();
    assert!(error.starts_with(&format!("{}: line 2, column 9: stall.grace: ", file.display())), "{error}");
}
