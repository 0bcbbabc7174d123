//! What went wrong, where and for how long, in one line of Japanese: the title of a chat.

use super::close_up;
use super::lead::{place, store};
use crate::domain::incidents::{Blindness, Kind, NotificationState, Severity};
use crate::message::compose::Situation;
use crate::message::words::Voice;

pub(in crate::message::words) fn title(it: &Situation<'_>, voice: &Voice) -> String {
    let opening = match (it.state, it.severity) {
        (NotificationState::Resolved, _) if it.kind == Kind::Lost && it.given_up > 0 => "【不明】",
        (NotificationState::Resolved, _) => "【解消】",
        (NotificationState::Reminder, _) => "【継続中】",
        (NotificationState::Updated, _) => "【更新】",
        (NotificationState::Seen, _) => "【確認済み】",
        (NotificationState::Firing, Severity::Page) => "【障害】",
        (NotificationState::Firing, Severity::Warn) => "【警告】",
    };
    close_up(&format!("{opening}{}: {}", it.app, headline(it, voice)))
}

fn headline(it: &Situation<'_>, voice: &Voice) -> String {
    let place = place(&it.place);
    match it.closed_because.filter(|_| it.is_over()) {
        Some("") => format!("{place} のインシデントを手動でクローズ"),
        Some(reason) => format!("{place} のインシデントを手動でクローズ（{reason}）"),
        None if it.is_over() => over(it, &place, voice),
        None => going_on(it, &place, voice),
    }
}

fn going_on(it: &Situation<'_>, place: &str, voice: &Voice) -> String {
    let (age, limit, jobs) = (voice.about(it.age_ms), voice.exact(it.limit_ms), it.jobs_now);
    match it.kind {
        Kind::Stalled => match (it.idle_ms(), it.waiting) {
            (Some(ms), Some(waiting)) => {
                format!("{place} で {}間開始なし、待機 {waiting} 件", voice.about(ms))
            }
            (Some(ms), None) => format!("{place} で {}間開始なし、{limit}超過 {jobs} 件", voice.about(ms)),
            (None, _) => format!("{place} で {limit}超過 {jobs} 件、最長 {age}"),
        },
        Kind::Lost if it.is_of_missing_lines => {
            format!("{place} のワーカーログに欠落、不明 {} 件", it.given_up)
        }
        Kind::Lost => format!("{place} で {jobs} 件が追い越されたまま、最長 {age}"),
        Kind::Backlog => format!("{place} が遅い、{limit}超過 {jobs} 件、最長 {age}"),
        Kind::Failing => match &it.worst {
            Some(worst) => {
                let others = match it.classes.len().saturating_sub(1) {
                    0 => String::new(),
                    others => format!("ほか {others} クラス"),
                };
                // 1 クラスの回数であり、複数クラスの合計と読まれないようにする。
                let of = match others.is_empty() {
                    true => format!("（{} 回中 {} 回）", worst.of, worst.bad),
                    false => String::new(),
                };
                format!("{place} の {} {others}が失敗{of}{}", worst.class, quoted(it.text))
            }
            None => format!("{place} で {} クラスが失敗", it.classes.len()),
        },
        Kind::StuckRunning if it.is_put_back => format!("{place} で {jobs} 件が何度もキューに戻されている"),
        Kind::StuckRunning if it.has_lost_workers => {
            format!("{place} で同じジョブがワーカーを繰り返し失っている")
        }
        Kind::StuckRunning if jobs == 0 => {
            format!("{place} で試行の終了が確認できないことが続く、最初は {age} 前")
        }
        Kind::StuckRunning => format!("{place} で {jobs} 件が終わらない、最長 {age}"),
        Kind::EnqueueErrors if it.is_taken_again() || jobs == 0 => {
            format!("{} への投入エラー{}", store(voice.store), quoted(it.text))
        }
        Kind::EnqueueErrors => {
            format!("{} へ {jobs} 件投入できず{}", store(voice.store), quoted(it.text))
        }
        Kind::Blind => sight(it.reason, false, voice).to_owned(),
    }
}

fn quoted(text: Option<&str>) -> String {
    text.map_or_else(String::new, |text| format!("「{text}」"))
}

fn over(it: &Situation<'_>, place: &str, voice: &Voice) -> String {
    let (jobs, longest) = (it.jobs_count, voice.about(it.longest_ms));
    let unknown = match it.given_up {
        0 => String::new(),
        unknown => format!("、不明 {unknown} 件"),
    };
    match it.kind {
        Kind::Stalled if it.starts_since.is_some() => {
            format!("{place} のジョブが再び開始（同時に最大 {jobs} 件が待機、最長 {longest}{unknown}）")
        }
        Kind::Stalled => format!("{place} の待機ジョブがなくなった（最長 {longest}{unknown}）"),
        Kind::Lost if it.given_up > 0 => format!("{place} の {} 件は最後まで開始を確認できず", it.given_up),
        Kind::Lost => format!("{place} の追い越されたジョブをすべて確認"),
        Kind::Backlog => format!("{place} の遅れが解消（最長 {longest}）"),
        Kind::Failing => match it.classes.as_slice() {
            [class] => format!("{place} の {class} が再び成功"),
            _ => format!("{place} のジョブが再び成功"),
        },
        Kind::StuckRunning => format!("{place} に終わらない試行はなくなった{unknown}"),
        Kind::EnqueueErrors => "ジョブを再び投入できている".to_owned(),
        Kind::Blind => sight(it.reason, true, voice).to_owned(),
    }
}

pub(super) const fn sight(reason: Option<Blindness>, is_over: bool, voice: &Voice) -> &'static str {
    match (reason, is_over) {
        (Some(Blindness::NoEnqueueLines), false) => "投入ログがなく、停滞を検知できない",
        (Some(Blindness::NoEnqueueLines), true) => "投入ログが届き始めた",
        (Some(Blindness::SourceSilent), false) if voice.is_on_aws => "ロググループのログが途絶えた",
        (Some(Blindness::SourceSilent), false) => "ログファイルへの書き込みが途絶えた",
        (Some(Blindness::SourceSilent), true) => "ログが再び届いている",
        (Some(Blindness::Rejected), false) => "ログのペイロードを開けない",
        (Some(Blindness::Rejected), true) => "ログのペイロードを再び開けている",
        (Some(Blindness::Late), false) => "ログが遅れて届いている",
        (Some(Blindness::Unrecognised), false) => "ログの形式を認識できない",
        (Some(Blindness::Unrecognised), true) => "ログを再び認識できている",
        (Some(Blindness::Late), true) => "ログの遅れが解消した",
        (None, _) => "状況を把握できない",
    }
}
