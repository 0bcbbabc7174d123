//! Japanese, as an engineer on call would write it.

mod cause;
mod finding;
mod lead;
mod step;
mod title;

use super::{Aside, Labels};
use crate::domain::incident::Kind;

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
    close: "クローズ",
    silence: "4 時間通知を止める",
    silence_all: "すべての通知を 4 時間止める",
    incident: "インシデント",
    and: "、",
    colon: ": ",
};

pub(in crate::message::words) fn aside(aside: &Aside<'_>) -> String {
    match aside {
        Aside::LastOnes { enqueued, started, is_none_anywhere } => {
            let never = if *is_none_anywhere {
                "全キューで一度も確認なし"
            } else {
                "一度も確認なし"
            };
            let (enqueued, started) = (enqueued.unwrap_or("一度も確認なし"), started.unwrap_or(never));
            format!("最後の投入 {enqueued}、最後の開始 {started}")
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
        Aside::Joined(incident) => format!("同じ原因でまとめて通知: {incident}"),
        Aside::Unseen(count) => format!("ほか {count} 件はワーカーログの欠落中に開始されていた"),
        Aside::AfterEnd => {
            "再生した最後のログより後に検知したもの。その後のログでは状況が違う可能性がある".to_owned()
        }
        Aside::KnownAt(at) => format!("{at} 時点で分かっていること"),
        Aside::Next(at) => format!("継続していれば {at} に再通知"),
    }
}
