//! Facts, in Japanese.

use super::close_up;
use super::lead::store;
use super::sub_cause;
use crate::domain::incidents::fact::{Fact, Finding, Who};
use crate::domain::job::JobClass;
use crate::domain::systems::Near;
use crate::message::place::pair;
use crate::message::words::Voice;

pub(in crate::message::words) fn finding(fact: &Fact, voice: &Voice) -> String {
    close_up(&finding_as_it_is(fact, voice))
}

#[expect(clippy::too_many_lines, reason = "a line or two for each fact, and none left out")]
fn finding_as_it_is(fact: &Fact, voice: &Voice) -> String {
    let store = store(voice.store);
    let never = |text: &str, never: &str| match fact.at {
        Some(_) => text.to_owned(),
        None => format!("{text}: {never}"),
    };
    match &fact.what {
        Finding::JobsWait { waiting, overdue } => format!("待機中 {waiting} 件、うち超過 {overdue} 件"),
        Finding::LastEnqueue => never("このキューへの最後の投入", "なし"),
        Finding::LastEnqueueAnywhere => never("全キューで最後の投入", "なし"),
        Finding::LastStart => never("このキューでの最後の開始", "一度も確認なし"),
        Finding::NoJobLineEver => "どのキューでもジョブの開始・終了ログは一度も届いていない".to_owned(),
        Finding::LastJobLine => never("全キューで最後のジョブの開始・終了ログ", "なし"),
        Finding::LastBoot => "最後のワーカー起動ログ".to_owned(),
        Finding::LastLine => never("最後に届いたログ（種類を問わず）", "なし"),
        Finding::Counted => "ワーカーログに ID がないため、件数で古い順に突き合わせている".to_owned(),
        Finding::DoubtfulStarts(count) => {
            format!("開始 {count} 件はリトライの可能性があり、待機件数はその分少なく見えているかもしれない")
        }
        Finding::LogFile { file, streams } => {
            format!("ワーカーの出力先は {file}（{} のログによる）、最新", streams.join(", "))
        }
        Finding::StoreErrors { who, count, text } => {
            let who = match who {
                Who::App => "アプリ（投入側）",
                Who::Worker => "ワーカー（取得側）",
                Who::Unknown => "アプリまたはワーカー",
            };
            format!("{who}での {store} のエラー {count} 件{}、最新", quoted(text.as_deref()))
        }
        Finding::WorkerErrors { count, text } => {
            format!("ジョブ外でのワーカーのエラー {count} 件{}、最新", quoted(text.as_deref()))
        }
        Finding::Paused => "キューの一時停止ログがあり、再開ログがない".to_owned(),
        Finding::Maintenance => "アプリがメンテナンスモードに入った".to_owned(),
        Finding::StartsElsewhere { place } => format!("{place} ではジョブが開始されている、最新"),
        Finding::StartsOnOneOf { place } => {
            format!("同じクラスのジョブが {place} のいずれかで開始されている、最新")
        }
        Finding::WorkerServes { connection, queues } => {
            let queues: Vec<String> = queues.iter().map(|queue| pair(connection.as_ref(), queue)).collect();
            format!("ハートビートによるとワーカーの対象は {} で、このキューは含まれない", queues.join("、"))
        }
        Finding::WorkersAlive(count) => {
            format!("このキューを対象とするワーカー {count} 台が稼働を報告、最新")
        }
        Finding::WorkersExpected { alive, expected } => {
            format!("想定ワーカー {expected} 台のうち、直近 5 分にハートビートがあったのは {alive} 台")
        }
        Finding::LastHeartbeat => "このキューのワーカーの最後のハートビート".to_owned(),
        Finding::WorkersSilent { count, of } => {
            format!("ワーカーのログストリーム {of} 本のうち {count} 本が止まった、最後の行")
        }
        Finding::WorkerStopped(text) => format!("ワーカーの終了「{text}」"),
        Finding::PutBack { class, count } => format!(
            "{} が {count} 回キューに戻された、最初の開始",
            class.as_ref().map_or("ジョブ", JobClass::as_str)
        ),
        Finding::LastWords(text) => format!("ワーカーのログの最後の行「{text}」"),
        Finding::BadExits(count) => format!("10 分間に {count} 回ワーカーが異常終了、最新"),
        Finding::Killed(count) => format!("10 分間に {count} 回ワーカーが強制終了、最新"),
        Finding::Boots { count, stream } => format!("10 分間に {count} 回ワーカーが起動（{stream}）、最新"),
        Finding::LostJobs(count) => format!("処理中に 2 回以上ワーカーを失ったジョブ {count} 件、最新の試行"),
        Finding::OpenStarts(count) => format!("開始したまま終わらない試行 {count} 件、その後の成功なし"),
        Finding::RetriedEvery { every_ms, timeout_ms } => {
            let twice = match timeout_ms.filter(|timeout_ms| every_ms < timeout_ms) {
                Some(timeout_ms) => format!(
                    "。タイムアウト {} より短く、二重実行のおそれ（retry_after が短すぎる）",
                    voice.exact(timeout_ms)
                ),
                None => String::new(),
            };
            format!("同じジョブが {} 後に再開始{twice}", voice.about(*every_ms))
        }
        Finding::StillRunning { class } => {
            format!("{} の試行が終わっていない、開始", class.as_ref().map_or("ジョブ", JobClass::as_str))
        }
        Finding::BadEnds { class, bad, of } => format!("{class} の直近 {of} 回のうち {bad} 回が失敗、最新"),
        Finding::FailsMore { class, percent, before } => {
            format!("{class} の試行の失敗が {percent} %、それまでは {before} %")
        }
        Finding::BadRuntime(ms) if *ms < 1000 => format!("失敗までの最長時間 {ms} ms"),
        Finding::BadRuntime(ms) => format!("失敗までの最長時間 {}", voice.about(*ms)),
        Finding::Exception(text) => format!("「{text}」"),
        Finding::Because(cause) => sub_cause(*cause, voice),
        Finding::Pace { started, enqueued, minutes } => {
            format!("直近 {minutes} 分間で開始 {started} 件、投入 {enqueued} 件")
        }
        Finding::Deployed => "デプロイ".to_owned(),
        Finding::Booted { stream } => format!("{stream} でワーカー起動"),
        Finding::DeliveryLate { minutes } => format!("ログの配信が {minutes} 分遅れて届いた"),
        Finding::DeliveriesBehind => "ログの量が処理能力を超え、把握している状況が 1 分以上古い".to_owned(),
        Finding::PayloadsRejected(count) => format!("開けなかったペイロード {count} 件、最新"),
        Finding::SourceSilent { group } if group.is_empty() => "（名前のないソース）の最後のログ".to_owned(),
        Finding::SourceSilent { group } => format!("{group} の最後のログ"),
        Finding::ConsumedUnseen(count) => format!("ほか {count} 件はワーカーログの欠落中に開始されている"),
        Finding::LinesMissing(missing) => {
            format!(
                "ワーカーログに欠落あり: 直近に終了した {} 回のうち {} 回は開始ログがない",
                missing.of, missing.unread
            )
        }
        Finding::LastRecognised => "最後に認識できたログ".to_owned(),
        Finding::NearlyRead { near, count } => nearly(*near, *count),
        Finding::UnreadShape { shape, count } => {
            format!("認識できないログ {count} 行の形（単語は a、数字は 9）: {shape}")
        }
        Finding::OnlyWorkerLines(count) => {
            format!("ワーカーのログ {count} 行に対し投入ログが 1 行もない、最初")
        }
    }
}

fn nearly(near: Near, count: u64) -> String {
    match near {
        Near::BehindPrefix => format!("未知の接頭辞の後ろにあるワーカーのログ {count} 行、最新"),
        Near::InField => format!("未知の JSON フィールドの中にあるワーカーまたは投入のログ {count} 行、最新"),
        Near::EnqueueWords => format!("未知の形式の「Job queued」{count} 行、最新"),
        Near::ServersUnknownError => format!(
            "アプリのログの代わりに出た「unknown error.」{count} 行（Octane と FrankenPHP でログレベル未設定のときに起きる）、最新"
        ),
    }
}

fn quoted(text: Option<&str>) -> String {
    text.map_or_else(String::new, |text| format!("「{text}」"))
}
