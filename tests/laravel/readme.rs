//! The documents' way from a stock app to the first alarm, typed as it is printed, in an app that has nothing of ours yet;
//! and the mended entrypoint, and the container's log driver.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use regex::Regex;

use crate::app::{command, folder, fresh, manifest, run};
use crate::process::{Line, Process, text};
use crate::redis::Redis;

/// What stands between fences, and the language it is in.
pub(crate) struct Block {
    pub(crate) language: String,
    pub(crate) text: String,
}

/// The blocks of a page's section.
pub(crate) fn blocks(page: &str, heading: &str) -> Vec<Block> {
    let page = fs::read_to_string(manifest().join(page)).unwrap();
    let heading = Regex::new(&format!("(?m)^##? {}$", regex::escape(heading))).unwrap();
    let section = heading.splitn(&page, 2).nth(1).expect("the section");
    let section = section.split("\n## ").next().unwrap();
    let fenced = Regex::new(r"(?ms)^```(\w+)\n(.*?)^```$").unwrap();
    let block =
        |found: regex::Captures<'_>| Block { language: found[1].to_owned(), text: found[2].to_owned() };
    fenced.captures_iter(section).map(block).collect()
}

/// Whether a printed line is what the page shows, where `…` may be anything.
fn is_shown(shown: &str, printed: &str) -> bool {
    let pattern: Vec<String> = shown.split('…').map(regex::escape).collect();
    Regex::new(&format!("^{}$", pattern.join(".*"))).unwrap().is_match(printed)
}

/// A user at two terminals.
struct User {
    app: PathBuf,
    bin: PathBuf,
    redis: Redis,
    connection: &'static str,
    /// What ended, and what it printed.
    printed: Vec<Line>,
    /// What goes on.
    terminals: Vec<Process>,
}

impl User {
    fn new(name: &str, connection: &'static str) -> Self {
        let folder = folder(name);
        let app = fresh(&folder);
        let redis = Redis::start(&folder);
        let bin = folder.join("bin");
        fs::create_dir(&bin).unwrap();
        cargo(&bin);
        let user = Self { app, bin, redis, connection, printed: Vec::new(), terminals: Vec::new() };
        run(&mut user.shell("php artisan app:schema"));
        user
    }

    fn shell(&self, typed: &str) -> std::process::Command {
        let mut shell = command("bash", &self.app);
        #[expect(clippy::disallowed_methods, reason = "a user's shell finds what the tests' finds, and more")]
        let path = std::env::var("PATH").unwrap();
        shell.env("PATH", format!("{}:{path}", self.bin.display()));
        shell.env("REDIS_PORT", self.redis.port.to_string()).env("QUEUE_CONNECTION", self.connection);
        shell.args(["-euc", typed]);
        shell
    }

    /// Types a block of commands; what goes on for ever goes on in its own terminal.
    fn types(&mut self, typed: &str) {
        let mut shell = self.shell(typed);
        if ["queuewatch watch", "queue:work"].iter().any(|endless| typed.contains(endless)) {
            self.terminals.push(Process::start(&mut shell));
        } else {
            self.printed.extend(run(&mut shell));
        }
    }

    /// Waits to see what the page shows, in one terminal or another.
    #[track_caller]
    fn sees(&self, shown: &str) {
        for line in shown.lines() {
            let is_seen = (0..600).any(|round| {
                if round > 0 {
                    std::thread::sleep(std::time::Duration::from_millis(100));
                }
                self.screens().iter().any(|(_, printed)| is_shown(line, printed))
            });
            assert!(is_seen, "not seen: {line}\n{}", text(&self.screens()));
        }
    }

    fn screens(&self) -> Vec<Line> {
        let going_on = self.terminals.iter().flat_map(Process::lines);
        self.printed.iter().cloned().chain(going_on).collect()
    }

    /// Follows a page's section to its end.
    #[track_caller]
    fn follows(&mut self, blocks: &[Block]) {
        let mut steps = BTreeMap::<&str, usize>::new();
        for block in blocks {
            match block.language.as_str() {
                "sh" => self.types(&block.text),
                "text" => self.sees(&block.text),
                _ => continue,
            }
            *steps.entry(&block.language).or_default() += 1;
        }
        assert_eq!(steps, BTreeMap::from([("sh", 4), ("text", 4)]), "the page has other steps now");
    }
}

/// `cargo install` of this repository, done already: the command that these tests were built with.
fn cargo(bin: &Path) {
    let script = format!(
        "#!/bin/sh\n[ \"$*\" = 'install --locked --path ../queuewatch' ] && [ -e ../queuewatch/Cargo.toml ] || exit 1\n\
         ln -sf '{}' '{}'\n",
        env!("CARGO_BIN_EXE_queuewatch"),
        bin.join("queuewatch").display()
    );
    fs::write(bin.join("cargo"), script).unwrap();
    fs::set_permissions(bin.join("cargo"), fs::Permissions::from_mode(0o755)).unwrap();
}

/// The section that leads from a stock app to an alarm.
pub(crate) const HEADING: &str = "From a stock Laravel app to the first alarm";

#[test]
fn each_step_of_the_readme_does_what_it_says() {
    User::new("readme", "redis").follows(&blocks("docs/getting-started.md", HEADING));
}

/// The blocks of a language, in order.
fn of<'a>(blocks: &'a [Block], language: &'a str) -> Vec<&'a str> {
    blocks.iter().filter(|block| block.language == language).map(|block| block.text.as_str()).collect()
}

#[test]
fn the_packages_page_and_the_japanese_one_have_the_same_steps() {
    let main = blocks("docs/getting-started.md", HEADING);
    let japanese = blocks("integrations/laravel/README.ja.md", "10分で最初のアラームまで");
    for language in ["sh", "text"] {
        assert_eq!(of(&japanese, language), of(&main, language));
    }
    assert_eq!(crate::app::steps(), main[0].text, "how to install it");
    let production = blocks("integrations/laravel/README.ja.md", "本番で直すところ");
    let pattern = |blocks: &[Block]| of(blocks, "json")[1].to_owned();
    assert_eq!(pattern(&production), pattern(&main));
    let options = |blocks: &[Block]| -> serde_json::Value {
        let json = format!("{{{}}}", of(blocks, "json")[0]);
        let mut options =
            serde_json::from_str::<serde_json::Value>(&json).unwrap()["logConfiguration"]["options"].take();
        options.as_object_mut().unwrap().remove("awslogs-group").expect("a group");
        options
    };
    assert_eq!(options(&production), options(&main));
    let redirection = |blocks: &[Block]| {
        let lines = of(blocks, "diff").concat();
        lines.lines().map(|line| line.get(line.find(" >").unwrap()..).unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(redirection(&production), redirection(&main));
}

#[test]
fn the_rules_of_both_pages_are_checked() {
    let folder = folder("rules");
    for (page, heading) in [
        ("docs/getting-started.md", "Enqueue lines"),
        ("integrations/laravel/README.ja.md", "アプリをすぐに変えられないとき"),
    ] {
        let blocks = blocks(page, heading);
        fs::write(folder.join("queuewatch.toml"), of(&blocks, "toml")[0]).unwrap();
        let said = run(crate::verdict::queuewatch(&folder).args(["check", "queuewatch.toml"]));
        assert!(text(&said).contains("queuewatch.toml: fine"), "{}", text(&said));
    }
}
