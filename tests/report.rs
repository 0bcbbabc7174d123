//! `replay --report`: one page that is whole, small, safe, and says what the JSON says.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a command that does not run must fail the test, and test helpers are outside clippy's exemption"
)]

#[path = "support/wire.rs"]
#[expect(dead_code, reason = "the command opens and reports; only packing is done here")]
mod wire;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

/// 2026-01-05T00:00:00Z.
const BEGIN_MS: i64 = 1_767_571_200_000;
const SIZE_MAX: usize = 1_000_000;
/// What draws the page where a test can look at it.
const BROWSERS: &[&str] = &["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

struct Reported {
    page: String,
    json: Value,
    path: PathBuf,
}

/// Replays into a page named `name`, and into JSON.
#[track_caller]
fn report(name: &str, arguments: &[&str]) -> Reported {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{name}.html"));
    let _ = fs::remove_file(&path);
    let ran = Command::new(env!("CARGO_BIN_EXE_queuewatch"))
        .env_remove("QUEUEWATCH_CONFIG")
        .args(["replay", "--format", "json", "--report", path.to_str().unwrap()])
        .args(arguments)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let page = fs::read_to_string(&path).unwrap();
    Reported { page, json: serde_json::from_slice(&ran.stdout).unwrap(), path }
}

fn story(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("events").join(name).to_str().unwrap().to_owned()
}

/// Text as the page holds it.
fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

/// Every element opens and closes in order, attributes are quoted, and nothing is named twice in one tag.
#[track_caller]
fn well_formed(page: &str) {
    let mut open: Vec<String> = Vec::new();
    let mut rest = page.strip_prefix("<!DOCTYPE html>\n").unwrap();
    while let Some(at) = rest.find('<') {
        assert!(!rest[..at].contains('>') || open.last().is_some_and(|name| name == "style"), "a bare >");
        let tag_end = rest[at..].find('>').map(|end| at + end).unwrap();
        let tag = &rest[at + 1..tag_end];
        rest = &rest[tag_end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "closed out of order");
            continue;
        }
        let name = tag.split([' ', '/', '\n']).next().unwrap();
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "no name of an element: {tag}");
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        for (n, part) in tag.split('"').enumerate() {
            assert!(n % 2 == 1 || part.is_empty() || !part.contains('\''), "{tag}");
        }
        if !tag.ends_with('/') {
            open.push(name.to_owned());
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
}

/// Nothing is loaded and nothing runs: only a link that is followed by hand names an address.
#[track_caller]
fn self_contained(page: &str) {
    for tag in page.split('<').skip(1).map(|tag| tag.split('>').next().unwrap()) {
        let name = tag.split([' ', '/']).next().unwrap();
        let banned =
            ["script", "link", "img", "iframe", "object", "embed", "base", "form", "image", "use", "audio"];
        assert!(!banned.contains(&name), "{tag}");
        // What stands within quotes is a value, whatever it says.
        for attribute in tag.split('"').step_by(2).map(str::trim_start) {
            assert!(!attribute.starts_with("src=") && !attribute.starts_with("on"), "{tag}");
            assert!(!attribute.ends_with("href=") || name == "a", "{tag}");
        }
    }
    let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    assert!(!style.contains("url(") && !style.contains("@import"), "a style loads nothing");
    assert!(page.contains("default-src 'none'"), "and the browser is told so");
}

/// What the JSON says stands on the page.
#[track_caller]
fn says_what_the_json_says(Reported { page, json, .. }: &Reported) {
    for (name, count) in [
        ("enqueued", &json["counts"]["enqueued"]),
        ("started", &json["counts"]["processing"]),
        ("failed", &json["counts"]["failed"]),
        ("waiting at the end", &json["pending"]["jobs"]),
        ("of them overdue", &json["pending"]["overdue"]),
    ] {
        let digits = count.as_u64().unwrap();
        let shown = if digits >= 1000 {
            format!("{},{:03}", digits / 1000, digits % 1000)
        } else {
            digits.to_string()
        };
        assert!(page.contains(&format!("<dt>{name}</dt><dd>{shown}</dd>")), "{name} {shown}");
    }
    for incident in json["incidents"].as_array().unwrap() {
        assert!(page.contains(incident["id"].as_str().unwrap()), "{}", incident["id"]);
        for said in incident["notifications"].as_array().unwrap() {
            assert!(page.contains(&escaped(said["subject"].as_str().unwrap())), "{}", said["subject"]);
        }
    }
    for spot in json["blind_spots"].as_array().unwrap() {
        assert!(page.contains(&escaped(spot.as_str().unwrap())), "{spot}");
    }
    if let Some(versus) = json.get("versus") {
        for alarm in versus["alarms"].as_array().unwrap() {
            assert!(page.contains(&format!("<b>{}</b>", alarm["name"].as_str().unwrap())), "{alarm}");
        }
    }
}

/// The page after a browser has read it, where there is a browser.
fn drawn(path: &Path) -> Option<String> {
    let browser = BROWSERS.iter().find(|path| Path::new(path).exists())?;
    let profile = path.with_extension("profile");
    let ran = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(["--dump-dom", &format!("file://{}", path.display())])
        .output()
        .ok()?;
    let _ = fs::remove_dir_all(profile);
    ran.status.success().then(|| String::from_utf8_lossy(&ran.stdout).into_owned())
}

#[track_caller]
fn check(name: &str, arguments: &[&str]) -> Reported {
    let reported = report(name, arguments);
    well_formed(&reported.page);
    self_contained(&reported.page);
    says_what_the_json_says(&reported);
    assert!(reported.page.len() < SIZE_MAX, "{} bytes", reported.page.len());
    reported
}

#[test]
fn every_story_makes_a_page_that_says_what_its_json_says() {
    check("founding", &[&story("."), "--versus", "cloudwatch"]);
    for name in ["2025-11-25-never-started", "healthy-hour", "recovery", "retries-and-failures", "malformed"]
    {
        check(name, &[&story(name), "--versus", "cloudwatch"]);
    }
    // No line tells a time: there is nothing to draw, and that is no failure.
    check("control-message", &[&story("control-message")]);
}

#[test]
fn the_founding_incident_is_drawn_against_its_grace_with_mail_and_chat() {
    let Reported { page, .. } = check("drawn", &[&story("."), "--versus", "cloudwatch"]);
    for part in [
        "longest wait <b>1h08m</b>, grace 5m00s",
        "enqueued <b>7</b>",
        "<article class=\"mail\"",
        "<article class=\"chat\"",
        "<rect class=\"page\"",
        "Never rang: ",
        "7 jobs.",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert_eq!(page.matches("<div class=\"life ").count(), 7);
}

#[test]
fn a_browser_reads_the_page_as_it_was_written() {
    let Reported { page, path, .. } = report("browser", &[&story("."), "--versus", "cloudwatch"]);
    let Some(dom) = drawn(&path) else { return };
    for element in ["<svg", "<figure", "<details", "<article", "<path", "<rect"] {
        assert_eq!(dom.matches(element).count(), page.matches(element).count(), "{element}");
    }
}

/// A class whose name is markup, on a queue whose name is.
fn hostile(n: i64) -> String {
    let context = json!({"id": format!("{n:A>32}"), "job": "App\\<script>alert(1)</script>&\"'", "connection": "redis",
        "queue": "a<img src=x onerror=alert(1)>", "uuid": format!("00000000-0000-4000-8000-{n:012}")});
    format!("[2026-01-05 00:00:00] production.INFO: Job queued {context} ")
}

fn saved(name: &str, lines: &[(i64, String)]) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, wire::events("/ecs/app", "ecs/app/1", lines, 60_000).join("\n")).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_name_that_is_markup_stays_a_name() {
    let mut lines: Vec<(i64, String)> = (1..=3).map(|n| (BEGIN_MS + n * 1000, hostile(n))).collect();
    lines.push((BEGIN_MS + 1_800_000, "GET /health".to_owned()));
    let Reported { page, json, .. } = check("hostile", &[&saved("hostile.jsonl", &lines)]);
    assert_eq!(json["counts"]["enqueued"], 3);
    assert!(page.contains("a&lt;img src=x onerror=alert(1)&gt;"), "the queue is shown");
    assert!(page.contains("&lt;script&gt;"), "the class is shown");
}

#[test]
fn a_day_of_five_thousand_jobs_is_below_a_megabyte() {
    let mut lines: Vec<(i64, String)> = Vec::new();
    for n in 0..5_000_i64 {
        let (at, queue) = (BEGIN_MS + n * 17_000, format!("queue-{}", n % 15));
        let uuid = format!("00000000-0000-4000-8000-{n:012}");
        let context = json!({"id": format!("{n:A>32}"), "job": "App\\Jobs\\SendOrderConfirmation", "queue": queue,
            "connection": "redis", "uuid": uuid});
        lines.push((at, format!("[2026-01-05 00:00:00] production.INFO: Job queued {context} ")));
        // Every seventh waits for an hour, and the last thousand for ever.
        let wait = if n % 7 == 0 { 3_600_000 } else { 800 };
        if n < 4_000 {
            for (status, after) in [("starting", wait), ("success", wait + 1_500)] {
                let line = json!({"level": "info", "id": format!("{n:A>32}"), "uuid": uuid, "connection": "redis",
                    "queue": queue, "job": "App\\Jobs\\SendOrderConfirmation", "status": status, "result": "processed",
                    "attempts": 1, "duration": 1.5, "memory": 1, "timestamp": "2026-01-05T00:00:00.000000Z"});
                lines.push((at + after, line.to_string()));
            }
        }
    }
    lines.sort();
    let Reported { page, json, .. } = check("day", &[&saved("day.jsonl", &lines), "--versus", "cloudwatch"]);
    assert_eq!(json["counts"]["enqueued"], 5_000);
    assert!(page.contains("3 more queues with shorter waits"), "twelve queues are drawn");
}
