//! A copy of the test app with the package in it, installed as its README says; a Redis; and both their commands.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::process::{Line, Process, text};
use crate::redis::Redis;

/// The steps that install the package: the first block of commands in its README.
pub(crate) fn steps() -> String {
    let readme = fs::read_to_string(manifest().join("integrations/laravel/README.md")).unwrap();
    let (_, rest) = readme.split_once("## Install\n").expect("how to install it");
    let (_, rest) = rest.split_once("```sh\n").expect("a block of commands");
    rest.split_once("```").unwrap().0.to_owned()
}

/// A folder of one test's own, empty.
pub(crate) fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("laravel-{name}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

pub(crate) fn manifest() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs a command to its end, which must be a good one, and returns its lines.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> Vec<Line> {
    let (status, lines) = Process::start(command).end();
    assert!(status.success(), "{command:?}: {status}\n{}", text(&lines));
    lines
}

/// A command in a folder, apart from what the environment of the tests says.
pub(crate) fn command(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env_clear();
    for name in ["PATH", "LANG", "TMPDIR"] {
        #[expect(clippy::disallowed_methods, reason = "a test's child needs to find its programs")]
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    // Composer fetches nothing: what it installs lies beside it.
    command
        .env("HOME", folder)
        .env("COMPOSER_HOME", folder.join("composer"))
        .env("COMPOSER_ALLOW_SUPERUSER", "1");
    command.env("COMPOSER_DISABLE_NETWORK", "1").env("COMPOSER_NO_INTERACTION", "1");
    command
}

/// A fresh app in a folder, beside this repository under the name that the README gives it, without the package.
pub(crate) fn fresh(folder: &Path) -> PathBuf {
    tools();
    let app = folder.join("my-app");
    run(command("cp", folder).arg("-r").arg(manifest().join("integrations/laravel/tests/app")).arg(&app));
    std::os::unix::fs::symlink(manifest(), folder.join("queuewatch")).unwrap();
    fs::write(app.join("storage/app.sqlite"), "").unwrap();
    // As any app has been installed before: it brings no package of its own.
    run(command("composer", &app).arg("install"));
    app
}

/// Names what is missing: a test that cannot run has failed.
fn tools() {
    run(&mut command("tests/laravel/tools", manifest()));
}

/// The app with the package in it, made once.
fn installed() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let folder = folder("installed");
        let app = fresh(&folder);
        let found = run(command("bash", &app).args(["-euc", &steps()]));
        assert!(text(&found).contains("Discovered Package: "), "{}", text(&found));
        run(command("php", &app).args(["artisan", "app:schema"]));
        app
    })
}

/// One test's app.
pub(crate) struct App {
    pub(crate) folder: PathBuf,
    root: PathBuf,
    connection: &'static str,
    redis: Redis,
}

impl App {
    /// Copies the app, and starts its Redis; its jobs go over this connection.
    pub(crate) fn new(name: &str, connection: &'static str) -> Self {
        let folder = folder(name);
        let root = folder.join("my-app");
        run(command("cp", &folder).arg("-a").arg(installed()).arg(&root));
        let redis = Redis::start(&folder);
        Self { folder, root, connection, redis }
    }

    /// A command in the app's folder.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = command(program, &self.root);
        command.env("REDIS_PORT", self.redis.port.to_string()).env("QUEUE_CONNECTION", self.connection);
        command
    }

    /// `php artisan …`.
    pub(crate) fn artisan(&self, arguments: &[&str]) -> Command {
        let mut command = self.command("php");
        command.arg("artisan").args(arguments);
        command
    }

    /// Dispatches these jobs in this order, and returns what the app printed.
    #[track_caller]
    pub(crate) fn dispatch(&self, jobs: &[&str]) -> Vec<Line> {
        run(&mut self.artisan(&[&["app:dispatch"], jobs].concat()))
    }

    /// A worker. It would end by itself, should the test not come to it.
    pub(crate) fn work(&self, arguments: &[&str]) -> Process {
        let own = ["queue:work", "--sleep=0.1", "--tries=1", "--max-time=150"];
        Process::start(&mut self.artisan(&[&own[..], arguments].concat()))
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }
}
