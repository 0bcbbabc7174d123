//! Why, in Japanese, and what the logs leave open.

use super::close_up;
use super::lead::store;
use crate::domain::incidents::cause::{Cause, SubCause};
use crate::domain::incidents::fact::Unknown;
use crate::message::words::{About, Causes, Voice};

pub(in crate::message::words) fn cause(cause: Cause, about: &About<'_>, voice: &Voice) -> String {
    close_up(&cause_as_it_is(cause, about, voice))
}

fn cause_as_it_is(cause: Cause, about: &About<'_>, voice: &Voice) -> String {
    let store = store(voice.store);
    let text = match cause {
        Cause::MonitorBlind => "queuewatch 自身がログを受け取れていない、または遅れている",
        Cause::LogPathDown if voice.is_on_aws => "ロググループにログがまったく届いていない",
        Cause::LogPathDown => "監視対象のファイルに何も書き込まれていない",
        Cause::EnqueueErrors if about.is_past => {
            return format!("アプリが {store} にジョブを投入できなかった");
        }
        Cause::EnqueueErrors => return format!("アプリが {store} にジョブを投入できない"),
        Cause::FailingFast if about.is_slow => "ジョブが例外で終わっている",
        Cause::FailingFast if about.is_first => "ジョブが開始直後に失敗している",
        Cause::FailingFast => "ジョブが開始直後に全部失敗している",
        Cause::CrashLoop => "ワーカーが異常終了と再起動を繰り返している",
        Cause::JobTimeout => "ジョブがハング、または制限時間を超えている",
        Cause::Paused if about.is_maintenance => "アプリがメンテナンスモード",
        Cause::Paused => "キューが一時停止されている",
        Cause::QueueNotConsumed => "ワーカーがこのキューではなく別のキューを処理している",
        Cause::CannotFetch if about.has_forgotten => {
            return format!("途中で {store} が停止し、保持していたジョブが失われた可能性がある");
        }
        Cause::CannotFetch if about.is_of_lost => {
            return format!("{store} が保持していたジョブが失われた可能性がある");
        }
        Cause::CannotFetch => return format!("ワーカーは動いているが {store} からジョブを取得できない"),
        Cause::SlowBacklog => "投入に処理が追いついていない",
        Cause::PutBack => {
            "保持者のいない WithoutOverlapping のロックやレート制限などで、ジョブが毎回キューに戻されている"
        }
        Cause::BehindLongJob => "ワーカーが長時間ジョブで埋まっている",
        Cause::LogsNotForwarded if about.is_dropping => "ワーカーログの一部が途中で失われている",
        Cause::LogsNotForwarded => {
            let missed = if voice.is_on_aws {
                "CloudWatch に届いていない"
            } else {
                "監視対象に入っていない"
            };
            return match about.file {
                Some(file) => format!("ワーカーの出力がファイルに書かれ、{missed}（{file}）"),
                None if voice.is_on_aws => format!("ワーカーのログが {missed}"),
                None => format!("ワーカーのログが{missed}"),
            };
        }
        Cause::NeverObserved if about.is_unheard_told => "ワーカーが一度も起動していない",
        Cause::NeverObserved => "ワーカーが一度も起動していない、またはログが届いていない",
        Cause::WorkerSilent => "ワーカーが動いていない",
    };
    text.to_owned()
}

pub(in crate::message::words) fn sub_cause(cause: SubCause, voice: &Voice) -> String {
    close_up(&sub_cause_as_it_is(cause, voice))
}

fn sub_cause_as_it_is(cause: SubCause, voice: &Voice) -> String {
    let store = store(voice.store);
    let text = match cause {
        SubCause::StalePayload => "ペイロードが存在しないコードを参照している（デプロイ後によくある）",
        SubCause::MissingConfig => "ワーカーの環境に必要な設定がない",
        SubCause::MaxAttempts => {
            "ログなしで試行回数を使い切っている（ワーカーの消失、または retry_after がジョブより短い）"
        }
        SubCause::RetriedTooSoon => "retry_after がジョブより短く、実行中のジョブが再び渡されている",
        SubCause::ReleasedTooOften => {
            "ジョブ自身がキューに戻し続けて試行回数を使い切った（WithoutOverlapping のロック、またはレート制限）"
        }
        SubCause::OutOfMemory => "プロセスがメモリ不足で終了している",
        SubCause::DiesAtStart => "ジョブを取る前に終了している",
        SubCause::WrongQueue => "このキューを対象にしているワーカーがない",
        SubCause::WrongConnection => "投入先の接続とワーカーの接続が違う",
        SubCause::Starved => "優先度の高い別のキューでワーカーが埋まっている",
        SubCause::Maintenance => "`php artisan down` が実行された",
        SubCause::Refused => return format!("接続拒否。{store} の停止、またはポート違い"),
        SubCause::TimedOut => {
            return format!("応答なし。セキュリティグループ、経路、または {store} の過負荷");
        }
        SubCause::ConnectionLost => return format!("{store} に切断された（再起動またはフェイルオーバー）"),
        SubCause::Unauthorized => return format!("{store} の認証に失敗。シークレットを確認"),
        SubCause::NoCredentials => {
            return format!("{store} の認証情報を取得できない（タスクロールを確認）");
        }
        SubCause::BadPayload => {
            return format!(
                "{store} は動作中で、これらのジョブだけを拒否（サイズ超過、またはエンコードできない）"
            );
        }
        SubCause::HostUnknown => return format!("{store} のホスト名を解決できない"),
        SubCause::ClusterMoved => "キーが別ノードにある（クラスター対応クライアントが必要）",
        SubCause::ReadOnly => return format!("{store} が書き込み不可（フェイルオーバー後のレプリカ）"),
        SubCause::StoreFull => return format!("{store} の容量不足"),
        SubCause::Loading => return format!("{store} が起動中でデータを読み込んでいる"),
        SubCause::TooManyClients => return format!("{store} の接続数が上限"),
        SubCause::NoTable => "jobs テーブルがない（マイグレーション未実行）",
        SubCause::Locked => "jobs テーブルの行がロックされている",
        SubCause::LinesDropped if voice.is_on_aws => {
            "ログドライバーの non-blocking モードはバッファーからあふれた行を捨てる"
        }
        SubCause::LinesDropped => "開始ログのない終了ログがある",
        SubCause::StoreForgot => return format!("待機中に {store} が停止していた"),
    };
    text.to_owned()
}

pub(in crate::message::words) fn causes(it: &Causes<'_>) -> Vec<String> {
    let label = match (it.is_certain, it.is_over) {
        (true, false) => "原因",
        (true, true) => "当時の原因",
        (false, false) => "最も疑わしい原因",
        (false, true) => "当時最も疑わしかった原因",
    };
    let mut lines = vec![format!("{label}: {}", it.first)];
    if it.is_over || it.others.is_empty() {
        return lines;
    }
    lines.push(format!("ほかの可能性: {}", it.others.join("／")));
    lines.push(match it.step {
        Some(step) => format!("ログだけでは区別できません。手順 {step} で分かります。"),
        None => "ログだけでは区別できません。".to_owned(),
    });
    lines
}

pub(in crate::message::words) fn unknown(unknown: Unknown, step: Option<usize>, voice: &Voice) -> String {
    let store = store(voice.store);
    let text = match unknown {
        Unknown::WorkerRuns => {
            "ワーカーが動いているか（待機中・停止・一時停止・対象違いはどれもログが出ない）".to_owned()
        }
        Unknown::DeadOrUnheard => "ワーカーが止まっているのか、ログが別の場所に出ているのか".to_owned(),
        Unknown::FileContent => "そのファイルの中身。ジョブが成功しているか失敗しているか".to_owned(),
        Unknown::GoneOrUnseen => "ジョブが失われたのか、見えない所で処理されたのか".to_owned(),
        Unknown::StoreHolds => format!("ジョブがまだ {store} に残っているか"),
        Unknown::WhyItDied => "ワーカーが終了する理由（メモリ、タイムアウト、デプロイ）".to_owned(),
        Unknown::WhoMetIt => format!("{store} のエラーがアプリ側かワーカー側か"),
        Unknown::WorkersQueues => "ワーカーがどのキューを対象にしているか".to_owned(),
        Unknown::WorkersStore => {
            format!("ワーカーが同じ {store}（ホスト・DB 番号・プレフィックス）を見ているか")
        }
        Unknown::WhichQueue => "どのキューが止まっているか".to_owned(),
        Unknown::WhichJobs => "どのジョブが待っているか（ワーカーログに ID がない）".to_owned(),
        Unknown::Delays => "意図した遅延かどうか（遅延がログに出ていない）".to_owned(),
        Unknown::RanTwice => "ジョブが二重に実行されたか".to_owned(),
        Unknown::RunsOrHangs => "その試行が処理中かハングか".to_owned(),
        Unknown::WhySilent if voice.is_on_aws => {
            "ログが途絶えた理由（アプリ、ログドライバー、サブスクリプション）".to_owned()
        }
        Unknown::WhySilent => "ファイルへの書き込みが途絶えた理由".to_owned(),
        Unknown::FailOrRetry => {
            "失敗した試行が再試行されるか（ワーカーはどちらも FAIL と出力する）".to_owned()
        }
    };
    let text = close_up(&text);
    match step {
        // 括弧を重ねない。
        Some(step) => match text.strip_suffix('）') {
            Some(open) => format!("{open}。手順 {step} で分かる）"),
            None => format!("{text}（手順 {step} で分かる）"),
        },
        None => text,
    }
}
