//! Japanese, as an engineer on call would write it.

mod finding;

use super::{Labels, Sentence};
use crate::domain::diagnosis::cause::{Cause, SubCause};
use crate::domain::diagnosis::finding::{Trend, Unknown};
use crate::domain::incident::{Blindness, Key, Kind, NotificationState};
use crate::domain::runbook::{Note, Variable};
use crate::domain::seat::Seat;
use crate::message::duration;

pub(in crate::message::words) use finding::finding;

pub(in crate::message::words) const LABELS: Labels = Labels {
    app: "アプリ: ",
    source: "ログ: ",
    queue: "キュー: ",
    since: "発生: ",
    until: "解消: ",
    moves: "処理再開: ",
    jobs: "ジョブ: ",
    certain: "原因: ",
    likely: "推定原因: ",
    suspected: "当時の推定原因: ",
    or: "または: ",
    evidence: "根拠",
    as_of: "時点",
    changed: "直前 1 時間の変化",
    first: "まず実行",
    then: "次に",
    variables: "変数",
    to_do: "対応",
    cannot_tell: "ログだけでは分からないこと",
    logs: "ログ",
    ids: "対象ジョブ",
    close: "問題なければ、このインシデントを閉じる",
    silence: "このキューの通知を 4 時間止める",
    silence_all: "すべての通知を 4 時間止める",
    also: "同時に発生: ",
    incident: "incident ",
    rule: "rule     ",
    next: "次回通知 ",
};

pub(in crate::message::words) const fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::MonitorBlind => "queuewatch 側でログを受け取れていない",
        Cause::LogPathDown => "ロググループにログがまったく届いていない",
        Cause::EnqueueErrors => "アプリがキューにジョブを投入できていない",
        Cause::FailingFast => "ジョブが開始直後に失敗している",
        Cause::CrashLoop => "ワーカーが異常終了と再起動を繰り返している",
        Cause::JobTimeout => "ジョブがハング、またはタイムアウトしている",
        Cause::Paused => "キューが一時停止されている",
        Cause::QueueNotConsumed => "ワーカーが別のキューだけを処理している",
        Cause::CannotFetch => "ワーカーは動いているがジョブを取得できない",
        Cause::SlowBacklog => "投入に処理が追いついていない",
        Cause::PutBack => "ジョブが何度もキューに戻され、終わらない",
        Cause::BehindLongJob => "ワーカーが長時間ジョブで埋まっている",
        Cause::LogsNotForwarded => "ワーカーの出力が CloudWatch に届いていない",
        Cause::NeverObserved => "ワーカーの処理ログが一度も届いていない",
        Cause::WorkerSilent => "ワーカーのログが途絶えている",
    }
}

pub(in crate::message::words) const fn sub_cause(cause: SubCause) -> &'static str {
    match cause {
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
        SubCause::DiesAtStart => "ワーカーがジョブを取る前に終了している",
        SubCause::WrongQueue => "このキューを対象にしているワーカーがない",
        SubCause::WrongConnection => "投入先の接続とワーカーの接続が違う",
        SubCause::Starved => "優先度の高い別のキューでワーカーが埋まっている",
        SubCause::Maintenance => "アプリがメンテナンスモード",
        SubCause::Refused => "接続拒否: ストアの停止、またはポート違い",
        SubCause::TimedOut => "応答なし: セキュリティグループ、経路、またはストアの過負荷",
        SubCause::ConnectionLost => "ストアに切断された: 再起動またはフェイルオーバー",
        SubCause::Unauthorized => "ストアの認証に失敗: シークレットを確認",
        SubCause::NoCredentials => "ストアの認証情報を取得できない: タスクロールを確認",
        SubCause::BadPayload => {
            "ストアは動作中で、これらのジョブだけを拒否: サイズ超過、またはエンコードできない"
        }
        SubCause::HostUnknown => "ストアのホスト名を解決できない",
        SubCause::ClusterMoved => "キーが別ノードにある: クラスター対応クライアントが必要",
        SubCause::ReadOnly => "ストアが書き込み不可: フェイルオーバー後のレプリカ",
        SubCause::StoreFull => "ストアの容量不足",
        SubCause::Loading => "ストアが起動中でデータを読み込んでいる",
        SubCause::TooManyClients => "ストアの接続数が上限",
        SubCause::NoTable => "jobs テーブルがない: マイグレーション未実行",
        SubCause::Locked => "jobs テーブルの行がロックされている",
        SubCause::LinesDropped => {
            "一部のログが途中で失われている（ログドライバーの non-blocking モードはバッファーからあふれた行を捨てる）"
        }
        SubCause::StoreForgot => "途中でストアが停止し、保持していたジョブが失われた可能性がある",
    }
}

pub(in crate::message::words) const fn unknown(unknown: Unknown) -> &'static str {
    match unknown {
        Unknown::WorkerRuns => "ワーカーが動いているか。待機中・停止・一時停止・対象違いはどれもログが出ない",
        Unknown::DeadOrUnheard => "ワーカーが止まっているのか、ログが別の場所に出ているのか",
        Unknown::FileContent => "そのファイルの中身。ジョブが成功しているか失敗しているか",
        Unknown::GoneOrUnseen => "ジョブが失われたのか、見えない所で処理されたのか",
        Unknown::StoreHolds => "ジョブがまだストアに残っているか",
        Unknown::WhyItDied => "ワーカーが終了する理由（メモリ、タイムアウト、デプロイ）",
        Unknown::WhoMetIt => "ストアのエラーがアプリ側かワーカー側か",
        Unknown::WorkersQueues => "ワーカーがどのキューを対象にしているか",
        Unknown::WorkersStore => "ワーカーが同じストア・DB 番号・プレフィックスを見ているか",
        Unknown::WhichQueue => "どのキューが止まっているか",
        Unknown::WhichJobs => "どのジョブが待っているか（ワーカーログに ID がない）",
        Unknown::Delays => "意図した遅延かどうか（遅延がログに出ていない）",
        Unknown::RanTwice => "ジョブが二重に実行されたか",
        Unknown::RunsOrHangs => "その試行が処理中かハングか",
        Unknown::WhySilent => "ログが途絶えた理由（アプリ、ログドライバー、サブスクリプション）",
        Unknown::FailOrRetry => "失敗した試行が再試行されるか（テキスト形式ではどちらも FAIL）",
    }
}

pub(in crate::message::words) fn note(note: Note) -> String {
    match note {
        Note::SpendsAttempt => "ジョブを 1 件取り、試行回数を 1 回消費する".to_owned(),
        Note::InDatabase => "アプリの DB クライアントで実行".to_owned(),
        Note::JobsStay => {
            "回避策。アプリとワーカーの環境変数で設定。jobs テーブルと database 用ワーカーが必要。Redis にあるジョブはそのまま残る"
                .to_owned()
        }
        Note::WorkersEnd => "修正後に。ワーカーは処理中のジョブを終えて終了する。再起動する仕組みが必要".to_owned(),
        Note::MendsEntrypoint => "エントリポイント (bash) のリダイレクトをこれに替える。オプションは今のまま。ログが届き、ファイルも残る".to_owned(),
        Note::AskWhoPaused => "先に確認。止めた人には理由がある".to_owned(),
        Note::Finds(variable) => found(variable),
    }
}

fn found(variable: Variable) -> String {
    let what = match variable {
        Variable::Cluster => "クラスター名を調べる（設定の [ecs] cluster で埋まる）",
        Variable::Service => "サービス名を調べる（設定の [ecs] service で埋まる）",
        Variable::Task => "タスクを調べる",
        Variable::LogGroup => "ロググループ名を調べる",
        Variable::Sweep => "sweep 関数名を調べる",
    };
    format!("{}: {what}", variable.name())
}

pub(in crate::message::words) fn trend(trend: Trend) -> String {
    match trend {
        Trend::Growing { per_hour } if per_hour >= 60 => {
            format!("1 分あたり {} 件増加中", per_hour.wrapping_div(60))
        }
        Trend::Growing { per_hour } => format!("1 時間あたり {per_hour} 件増加中"),
        Trend::Draining { done_in_ms } => format!("減少中、約 {} で解消見込み", duration(done_in_ms)),
    }
}

pub(in crate::message::words) fn closed(reason: &str) -> String {
    if reason.is_empty() {
        "手動でクローズ".to_owned()
    } else {
        format!("手動でクローズ: {reason}")
    }
}

pub(in crate::message::words) const fn of_missing_lines(is_over: bool) -> &'static str {
    if is_over {
        "新たに不明となるジョブはなくなった"
    } else {
        "ワーカーログに欠落があり、一部のジョブの結果が不明"
    }
}

pub(in crate::message::words) const fn headline(key: &Key, is_over: bool) -> &'static str {
    match (key.kind, is_over) {
        (Kind::Stalled, true) => "キューが再び動き出した",
        (Kind::Stalled, false) => "キュー停滞: 待機ジョブが 1 件も開始されない",
        (Kind::Lost, true) => "追い越されたジョブはなくなった",
        (Kind::Lost, false) => "追い越されたジョブ: 後のジョブが開始され、これらは未開始",
        (Kind::Backlog, true) => "滞留が解消した",
        (Kind::Backlog, false) => "滞留: 処理は進んでいるが遅れている",
        (Kind::Failing, true) => "ジョブが再び成功している",
        (Kind::Failing, false) => "ジョブが失敗し続けている",
        (Kind::StuckRunning, true) => "終わらない試行はなくなった",
        (Kind::StuckRunning, false) => "開始したジョブが終わらず、再試行もされない",
        (Kind::EnqueueErrors, true) => "ジョブを再び投入できている",
        (Kind::EnqueueErrors, false) => "ジョブを投入できない",
        (Kind::Blind, _) => match (key.reason, is_over) {
            (Some(Blindness::NoEnqueueLines), false) => "アプリが投入ログを出していない: 停滞を検知できない",
            (Some(Blindness::NoEnqueueLines), true) => "アプリの投入ログが届き始めた",
            (Some(Blindness::SourceSilent), false) => "ログが途絶えた",
            (Some(Blindness::SourceSilent), true) => "ログが再び届いている",
            (Some(Blindness::Rejected), false) => "ログのペイロードを開けない",
            (Some(Blindness::Rejected), true) => "ログのペイロードを再び開けている",
            (Some(Blindness::Late), false) => "ログの配信が遅れている",
            (Some(Blindness::Late), true) => "ログの配信遅延が解消した",
            (None, _) => "状況を把握できない",
        },
    }
}

pub(in crate::message::words) const fn opening(state: NotificationState, is_page: bool) -> &'static str {
    match (state, is_page) {
        (NotificationState::Resolved, _) => "【解消】",
        (NotificationState::Reminder, _) => "【継続中】",
        (NotificationState::Updated, _) => "【更新】",
        (NotificationState::Firing, true) => "【障害】",
        (NotificationState::Firing, false) => "【警告】",
    }
}

pub(in crate::message::words) const fn advice(key: &Key, seat: &Seat) -> Option<&'static str> {
    match key.reason {
        Some(Blindness::NoEnqueueLines) => Some(
            "ジョブ投入時にアプリがログを出すようにする（Laravel 自体は出さない）。JobQueued のリスナーを追加するか、\
             投入時にアプリが書く行を [[rule]] で指定する。認識されない理由は `queuewatch explain` で分かる。",
        ),
        Some(Blindness::SourceSilent) if !seat.is_on_aws() => {
            Some("アプリが稼働しているか、監視対象のファイルに今も書き込んでいるかを確認する。")
        }
        Some(Blindness::SourceSilent) => Some(
            "アプリが稼働してログを出しているか、ロググループのサブスクリプションフィルターが残っているかを確認する。",
        ),
        Some(Blindness::Rejected) => Some(
            "この関数やストリームにほかに書き込んでいるものがないか確認する。開けなかったペイロードは失敗イベントの保存先に残り、\
             理由は `queuewatch replay` で分かる。",
        ),
        Some(Blindness::Late) => {
            Some("溜まったログの取り込み中なら対応不要。追いつくまで待機時間の判定は遅れる。")
        }
        None => None,
    }
}

pub(in crate::message::words) fn sentence(sentence: &Sentence<'_>) -> String {
    match sentence {
        Sentence::Overdue { jobs, oldest, limit } => {
            format!("{jobs} 件が超過、最長 {oldest}（猶予 {limit}）")
        }
        Sentence::Stuck { jobs, oldest } => format!("{jobs} 件の試行が終わらない、最長 {oldest}"),
        Sentence::InARow(jobs) => format!("{jobs} 件連続で失敗"),
        Sentence::Refused(jobs) => format!("直近 {jobs} 件の投入が失敗"),
        Sentence::WereOverdue { jobs, longest } => {
            format!("同時に最大 {jobs} 件が超過、最長待ち時間 {longest}")
        }
        Sentence::GivenUp { jobs, by_hand: true } => format!("{jobs} 件は不明のまま（手動でクローズ）"),
        Sentence::GivenUp { jobs, by_hand: false } => {
            format!("{jobs} 件は不明のまま（その後どうなったか分からない）")
        }
        Sentence::Unseen(jobs) => {
            format!("{jobs} 件はワーカーログの欠落中に開始されたとみられ、不明として扱う")
        }
        Sentence::Oldest(listed) => format!("古い順に {listed} 件:"),
        Sentence::More(more) => format!("ほか {more} 件"),
        Sentence::Enqueued { id, at } => {
            format!("{} 投入 {}", id.unwrap_or("（ID なし）"), at.unwrap_or("時刻不明"))
        }
        Sentence::Uncounted => "どのジョブが待っているかは不明（ワーカーログに ID がない）".to_owned(),
        Sentence::OneOf(queues) => format!("次のいずれか: {queues}"),
        Sentence::OpenFor(lasted) => format!("継続時間 {lasted}"),
        Sentence::About(at) => format!("およそ {at}"),
        Sentence::AfterEnd => {
            "再生した最後のログより後に検知したもの。その後のログでは状況が違う可能性がある。".to_owned()
        }
        Sentence::NoClass => "（クラス不明）".to_owned(),
        Sentence::Rule { kind, grace } => rule(*kind, grace),
    }
}

fn rule(kind: Kind, grace: &str) -> String {
    match kind {
        Kind::Stalled => format!("{grace} を超えて待機し、{grace} の間 1 件も開始されない"),
        Kind::Lost => format!("追い越されてから {grace} を超えた"),
        Kind::Backlog => format!("処理は進んでいるが {grace} を超えて待機"),
        Kind::Failing => "5 件連続、直近 10 分の大半、または 1 日分すべてが失敗".to_owned(),
        Kind::StuckRunning => "タイムアウト超過、またはワーカーを 2 回失った".to_owned(),
        Kind::EnqueueErrors => "5 分間に投入失敗 3 件".to_owned(),
        Kind::Blind => "ログの受信状況".to_owned(),
    }
}
