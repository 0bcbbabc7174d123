//! Japanese, as an engineer on call would write it.

mod cause;
mod finding;
mod lead;
mod step;
mod title;

use super::{Aside, Labels};
use crate::domain::incidents::Kind;

pub(in crate::message::words) use cause::{cause, causes, sub_cause, unknown};
pub(in crate::message::words) use finding::finding;
pub(in crate::message::words) use lead::lead;
pub(in crate::message::words) use step::{
    advice, in_same_container, note, purpose, run, variable, with_note,
};
pub(in crate::message::words) use title::title;

pub(in crate::message::words) const LABELS: Labels = Labels {
    log_lines: "ログ",
    dashboard: "ダッシュボード",
    meaning: "このアラームの説明",
    fill_in: "変数の調べ方",
    known: "分かっていること",
    not_known: "ログでは分からないこと",
    seen: "確認済みにする（再通知を止める）",
    close: "クローズ",
    silence: "4 時間通知を止める",
    silence_all: "すべての通知を 4 時間止める",
    incident: "インシデント",
    shortened: "長いため一部を省略しています。全文は queuewatch の出力にあります。",
    and: "、",
    colon: ": ",
};

pub(in crate::message::words) fn aside(aside: &Aside<'_>) -> String {
    match aside {
        Aside::Seen { by, at } => {
            let by = if by.is_empty() { String::new() } else { format!("{by} が ") };
            format!("{by}{at} に確認済み")
        }
        Aside::LastOnes { enqueued, started, is_none_anywhere } => {
            let never = if *is_none_anywhere {
                "全キューで一度も確認なし"
            } else {
                "一度も確認なし"
            };
            let enqueued =
                enqueued.map_or("投入は一度も確認なし".to_owned(), |at| format!("最後の投入 {at}"));
            let started = started.map_or(format!("開始は{never}"), |at| format!("最後の開始 {at}"));
            format!("{enqueued}、{started}")
        }
        Aside::NamesThatFile { streams, at } => {
            let of = if *streams > 1 { format!("（{streams} ストリーム）") } else { String::new() };
            match at {
                Some(at) => format!("{at} のログがこのファイル名を出力している{of}"),
                None => format!("ログがこのファイル名を出力している{of}"),
            }
        }
        Aside::Quoted(text) => format!("最新のエラー「{text}」"),
        Aside::Jobs { kind, classes, more, oldest } => {
            let mut named: Vec<String> =
                classes.iter().map(|(class, count)| format!("{class} {count} 件")).collect();
            if *more > 0 {
                named.push(format!("ほか {more} 件"));
            }
            let oldest = oldest.map_or_else(String::new, |id| format!("（最古 {id}）"));
            let which = match kind {
                Kind::Stalled | Kind::Backlog => "超過",
                Kind::Lost => "追い越されたジョブ",
                Kind::StuckRunning => "終了なし",
                Kind::Failing | Kind::EnqueueErrors | Kind::Blind => "対象ジョブ",
            };
            format!("{which}: {}{oldest}", named.join("、"))
        }
        Aside::Classes(classes) => format!("対象クラス: {}", classes.join("、")),
        Aside::JoinedMore(count) => format!("ほかに {count} 件のキュー（多すぎるため個別には通知しない）"),
        Aside::Joined(incident) => format!("同じ原因でまとめて通知: {incident}"),
        Aside::Unseen(count) => format!("ほか {count} 件はワーカーログの欠落中に開始されていた"),
        Aside::AfterEnd => {
            "再生した最後のログより後に検知したもの。その後のログでは状況が違う可能性がある".to_owned()
        }
        Aside::KnownAt(at) => format!("{at} 時点で分かっていること"),
        Aside::Next(at) => format!("継続していれば {at} に再通知"),
    }
}

/// Without the spaces that stand between two Japanese characters: names are set off by spaces, and a name may be
/// Japanese itself.
fn close_up(text: &str) -> String {
    let is_japanese = |c: &char| *c >= '\u{3000}';
    let mut closed = String::with_capacity(text.len());
    let mut last = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let is_between = last.as_ref().is_some_and(is_japanese) && chars.peek().is_some_and(is_japanese);
        if c != ' ' || !is_between {
            closed.push(c);
        }
        last = Some(c);
    }
    closed
}

#[cfg(test)]
mod tests {
    use super::close_up;

    #[test]
    fn a_space_stays_only_beside_what_is_not_japanese() {
        assert_eq!(close_up("アプリが キューのストア へ 3 件"), "アプリがキューのストアへ 3 件");
        assert_eq!(close_up("21:31 JST（12:31 UTC） から Redis に"), "21:31 JST（12:31 UTC）から Redis に");
    }
}
