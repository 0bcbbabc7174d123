//! What went wrong and since when, in Japanese: the first sentences.

use super::close_up;
use super::title::sight;
use crate::domain::incidents::{Blindness, Kind};
use crate::message::compose::Situation;
use crate::message::place::{Place, Store};
use crate::message::words::Voice;

pub(super) fn place(place: &Place<'_>) -> String {
    let one_of = candidates(place);
    match (&place.connection, &place.queue) {
        (Some(connection), Some(queue)) => format!("{connection}:{queue}"),
        (None, Some(queue)) => format!("キュー {queue}（接続名はログになし）"),
        (Some(connection), None) if one_of.is_empty() => format!("{connection} のキュー（名前はログになし）"),
        (Some(connection), None) => {
            format!("{connection} のキュー {one_of} のいずれか（どれかはログになし）")
        }
        (None, None) if one_of.is_empty() => "名前がログにないキュー".to_owned(),
        (None, None) => format!("キュー {one_of} のいずれか（どれかはログになし）"),
    }
}

fn candidates(place: &Place<'_>) -> String {
    let mut names: Vec<String> = place.candidates.iter().map(ToString::to_string).collect();
    if place.more > 0 {
        names.push(format!("ほか {} 件", place.more));
    }
    names.join("、")
}

pub(in crate::message::words) const fn store(store: Store) -> &'static str {
    match store {
        Store::Redis => "Redis",
        Store::Database => "データベース",
        Store::Sqs => "SQS",
        Store::Beanstalkd => "beanstalkd",
        Store::RabbitMq => "RabbitMQ",
        Store::Unknown => "キューのストア",
    }
}

pub(in crate::message::words) fn lead(it: &Situation<'_>, voice: &Voice) -> String {
    close_up(&said(it, voice))
}

fn said(it: &Situation<'_>, voice: &Voice) -> String {
    let about = if it.is_about { "およそ " } else { "" };
    let since = format!("{about}{}", voice.both(it.since));
    if it.is_over() {
        return ended(it, &since, voice);
    }
    let (place, limit, jobs) = (place(&it.place), voice.exact(it.limit_ms), it.jobs_now);
    match it.kind {
        Kind::Stalled => format!("{}{}", stalled(it, &place, &since, voice), counts(it, &limit, voice)),
        Kind::Lost if it.is_of_missing_lines => format!(
            "{place} のワーカーログの一部が {since} から欠けています。{} 件のジョブは結果が不明です。",
            it.given_up
        ),
        Kind::Lost => format!(
            "{place} で、後から投入されたジョブが開始されたのに {jobs} 件の開始が確認できません。最も古いものは {since} \
             から待っています。{}",
            given_up(it)
        ),
        Kind::Backlog => format!(
            "{place} の処理が遅れています。最も古いジョブは {since} から待っています。{}",
            counts(it, &limit, voice)
        ),
        Kind::Failing => failed(it, &place, &since, voice),
        Kind::StuckRunning if it.is_put_back => format!(
            "{place} の {jobs} 件が何度もキューに戻され、終わりません。最も古いものの最初の開始は {since} です。{}",
            given_up(it)
        ),
        Kind::StuckRunning if jobs == 0 => format!(
            "{place} で、開始した試行の終了が確認できないことが続いています。最初のものの開始は {since} です。現在開いているものは\
             ありません。{}",
            given_up(it)
        ),
        Kind::StuckRunning => format!(
            "{place} で開始した {jobs} 件の終了が確認できません。最も古いものの開始は {since} です。{}",
            given_up(it)
        ),
        Kind::EnqueueErrors => refused(it, &since, voice),
        Kind::Blind => blind(it, &since, voice),
    }
}

fn stalled(it: &Situation<'_>, place: &str, since: &str, voice: &Voice) -> String {
    if it.has_no_start() {
        return format!("{place} のジョブが {since} から 1 件も開始されていません。{}", again(it));
    }
    let tail = match (it.starts_since, it.last_start.filter(|at| *at > it.since)) {
        (Some(at), _) => format!("{} から再び開始されています。", voice.minute(at)),
        (None, Some(at)) if it.is_asked_now => format!("最後の開始は {} です。", voice.minute(at)),
        (None, _) => String::new(),
    };
    format!("{place} のジョブが {since} から待っています。{tail}{}", again(it))
}

/// 停滞と回復を繰り返す場合、30 分再発しなければ終わったと知らせる。
fn again(it: &Situation<'_>) -> String {
    match it.stalls_lately {
        0 => String::new(),
        1 => "直近 1 時間半に 1 回停滞しています。".to_owned(),
        times => {
            format!(
                "直近 1 時間半に {times} 回停滞し、回復を繰り返しています。30 分再発しなければ終了を知らせます。"
            )
        }
    }
}

/// `待機 2 件（5 分超過 1 件）、10 分前より 2 件増。`
fn counts(it: &Situation<'_>, limit: &str, voice: &Voice) -> String {
    let over = it.jobs_now;
    let mut parts = match it.waiting {
        Some(waiting) => vec![format!("待機 {waiting} 件（{limit}超過 {over} 件）")],
        None if over > 0 => vec![format!("{limit}超過 {over} 件")],
        None => Vec::new(),
    };
    parts.extend(it.growth().map(|gained| format!("10 分前より {gained} 件増")));
    if it.kind == Kind::Backlog {
        let done_in = it.done_in_ms.map(|ms| voice.about(ms));
        parts.extend(done_in.map(|done_in| format!("このペースで約 {done_in}後に解消")));
    }
    let counts = if parts.is_empty() { String::new() } else { format!("{}。", parts.join("、")) };
    format!("{counts}{}", given_up(it))
}

fn given_up(it: &Situation<'_>) -> String {
    match it.given_up {
        0 => String::new(),
        count => format!("ほかに {count} 件を不明としました。"),
    }
}

fn failed(it: &Situation<'_>, place: &str, since: &str, voice: &Voice) -> String {
    let Some(worst) = &it.worst else {
        return format!("{place} のジョブが {since} から失敗しています: {}。", it.classes.join("、"));
    };
    let class = worst.class;
    let (others, whose) = match it.classes.len().saturating_sub(1) {
        0 => (String::new(), String::new()),
        others => (format!("ほか {others} クラス"), format!("{class} は")),
    };
    let of = if worst.bad == worst.of {
        format!("{whose}直近 {} 回がすべて失敗", worst.of)
    } else {
        format!("{whose}直近 {} 回のうち {} 回が失敗", worst.of, worst.bad)
    };
    let at = worst.at.map_or_else(String::new, |at| format!("、最新は {}", voice.minute(at)));
    format!("{place} の {class} {others}が {since} から失敗しています。{of}{at}。")
}

fn refused(it: &Situation<'_>, since: &str, voice: &Voice) -> String {
    let whither = match voice.store == Store::Unknown {
        true => String::new(),
        false => format!(" {} へ", store(voice.store)),
    };
    let newest = it.newest_error.map_or_else(String::new, |at| format!("、最新は {}", voice.minute(at)));
    let after = match (it.is_taken_again(), it.last_enqueue) {
        (true, Some(at)) => format!("その後 {} に投入できたジョブがあります。", voice.minute(at)),
        (_, Some(at)) => format!("最後に投入できたのは {} です。", voice.minute(at)),
        (_, None) => "投入できたジョブのログはありません。".to_owned(),
    };
    format!(
        "{since} から{whither}ジョブを投入できていません。直近 10 分で {} 件{newest}。{after}",
        it.jobs_now
    )
}

fn blind(it: &Situation<'_>, since: &str, voice: &Voice) -> String {
    let count = it.count.unwrap_or_default();
    match it.reason {
        Some(Blindness::NoEnqueueLines) => format!(
            "{since} からワーカーのログが {count} 行届きましたが、ジョブの投入を示すログが 1 行もありません。\
             キューが止まっても検知できません。"
        ),
        Some(Blindness::SourceSilent) => {
            let sources = match (it.sources.as_slice(), voice.is_on_aws) {
                ([], true) => "ロググループ".to_owned(),
                ([], false) => "ログファイル".to_owned(),
                (sources, _) => sources.join("、"),
            };
            format!("{sources} のログが {since} から届いていません。この間の状況は分かりません。")
        }
        Some(Blindness::Rejected) => {
            format!("{since} からログのペイロード {count} 件を開けません。中身は分かりません。")
        }
        Some(Blindness::Late) => {
            let late =
                it.late_minutes.map_or_else(String::new, |minutes| format!("（最新は {minutes} 分遅れ）"));
            format!("{since} からログが遅れて届いています{late}。停滞の通知もその分遅れます。")
        }
        Some(Blindness::Unrecognised) => format!(
            "{since} から、届いているログを認識できていません。中のジョブは見えないため、キューが止まっても検知できません。"
        ),
        None => format!("{since} から状況を把握できません。"),
    }
}

fn ended(it: &Situation<'_>, since: &str, voice: &Voice) -> String {
    let (place, longest, lasted) = (place(&it.place), voice.about(it.longest_ms), voice.about(it.open_ms));
    if let Some(reason) = it.closed_because {
        let why = if reason.is_empty() { String::new() } else { format!("理由: {reason}。") };
        let jobs = match it.given_up {
            0 => String::new(),
            count => format!("{count} 件は不明としました。"),
        };
        return format!("{place} のインシデントは {lasted}後に手動でクローズされました。{why}{jobs}");
    }
    let jobs = it.jobs_count;
    match it.kind {
        Kind::Stalled => {
            let how = match it.starts_since {
                Some(at) => format!("{place} のジョブが {} から再び開始されています。", voice.both(at)),
                None => format!("{place} の待機ジョブはなくなりました。"),
            };
            let rhythm = it.rhythm_ms.map(|ms| voice.exact(ms)).map(|period| {
                format!("ワーカーは {period}ごとに起動しています。今後は起動しなかったときに知らせます。")
            });
            format!(
                "{how}{since} から同時に最大 {jobs} 件が超過し、最長の待ち時間は {longest}でした。{}{}",
                given_up(it),
                rhythm.unwrap_or_default()
            )
        }
        Kind::Backlog => format!(
            "{place} の遅れは解消しました。{since} から同時に最大 {jobs} 件が超過し、最長の待ち時間は {longest}でした。"
        ),
        Kind::Lost if it.given_up > 0 => format!(
            "{place} の {} 件は開始を確認できないまま、不明として追跡を終えました。最も古いものは {since} からです。\
             その後を示すログはありません。",
            it.given_up
        ),
        Kind::Lost => format!("{place} で追い越された {jobs} 件は、{lasted}後までにすべて確認できました。"),
        Kind::Failing => {
            let who = match it.classes.as_slice() {
                [class] => format!("{class} は"),
                _ => "失敗していたクラスは、すべて".to_owned(),
            };
            format!(
                "{place} の {who}再び成功しています。失敗は {since} から {}続きました。",
                voice.about(it.age_ms)
            )
        }
        Kind::StuckRunning => {
            format!("{place} に終わらない試行はなくなりました（{lasted}）。{}", given_up(it))
        }
        Kind::EnqueueErrors => {
            let age = voice.about(it.age_ms);
            format!("ジョブを再び投入でき、5 分間エラーがありません。{since} から {age}続きました。")
        }
        Kind::Blind => format!("{}（{lasted}後）。", sight(it.reason, true, voice)),
    }
}
