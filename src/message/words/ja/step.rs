//! What to do, in Japanese: the line above each command.

use crate::domain::incidents::Blindness;
use crate::domain::runbook::{Note, Purpose, Variable};
use crate::message::words::Voice;

pub(in crate::message::words) const fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::ReadWorkerFile => "ワーカーの出力を見る",
        Purpose::KeepWorkerLines => "ワーカーの出力をログにも流す",
        Purpose::ListFailed => "失敗したジョブを一覧する",
        Purpose::CountWaiting => "キューの待機件数を数える",
        Purpose::SeeProcesses => "ワーカーが動いているか、そのオプションを見る",
        Purpose::RunOneJob => "ジョブを 1 件だけ手で実行する",
        Purpose::ListTasks => "動いているタスクを一覧する",
        Purpose::SeeStoppedTasks => "タスクが停止した理由を見る",
        Purpose::SeeService => "タスクの必要数と実行数を見る",
        Purpose::SeeTaskDefinition => "タスクの起動コマンドとログの出力先を見る",
        Purpose::SeeSecurityGroups => "タスクのセキュリティグループを見る",
        Purpose::SeeCaches => "キャッシュの状態とセキュリティグループを見る",
        Purpose::ReadWorkerLines => "ワーカーの最後のログを読む",
        Purpose::SeeLogStreams => "ロググループに最後にログが届いた時刻を見る",
        Purpose::SeeFilters => "サブスクリプションフィルターが残っているか見る",
        Purpose::SeeStoreSettings => "アプリの接続先の設定を見る",
        Purpose::SeeRetryAfter => "何秒後に再試行されるかを見る",
        Purpose::SeePrefix => "キーのプレフィックスを見る",
        Purpose::ListJobsTable => "jobs テーブルを見る",
        Purpose::ListFailedTable => "failed_jobs テーブルを見る",
        Purpose::SwitchConnection => "一時的に別の接続に切り替える",
        Purpose::Resume => "一時停止を解除する",
        Purpose::EndMaintenance => "メンテナンスモードを解除する",
        Purpose::RestartWorkers => "ワーカーに新しいコードを読み込ませる",
    }
}

pub(in crate::message::words) const fn run() -> &'static str {
    "実行する"
}

pub(in crate::message::words) fn in_same_container(verb: &str) -> String {
    format!("{verb}（同じコンテナで）")
}

pub(in crate::message::words) fn with_note(verb: &str, note: &str) -> String {
    format!("{verb}（{note}）")
}

pub(in crate::message::words) fn note(note: Note) -> String {
    let text = match note {
        Note::SpendsAttempt => "ジョブを 1 件取り、試行回数を 1 回消費する",
        Note::InDatabase => "アプリの DB クライアントで実行",
        Note::JobsStay => {
            "回避策。アプリとワーカーの環境変数で設定。jobs テーブルと database 用ワーカーが必要。Redis にあるジョブはそのまま残る"
        }
        Note::WorkersEnd => "修正後に。ワーカーは処理中のジョブを終えて終了する。再起動する仕組みが必要",
        Note::MendsEntrypoint => {
            "エントリポイント (bash) のリダイレクトをこれに替える。オプションは今のまま。ファイルも残る"
        }
        Note::AskWhoPaused => "先に確認。止めた人には理由がある",
        Note::Finds(variable_) => return variable(variable_),
    };
    text.to_owned()
}

pub(in crate::message::words) fn variable(variable: Variable) -> String {
    let what = match variable {
        Variable::Cluster => "クラスター名（設定の [ecs] cluster で埋まる）",
        Variable::Service => "サービス名（設定の [ecs] service で埋まる）",
        Variable::Task => "タスク",
        Variable::LogGroup => "ロググループ名",
    };
    format!("{} = {what}", variable.name())
}

/// A verb, and a command where there is one.
type Advice = (&'static str, Option<&'static str>);

pub(in crate::message::words) const fn advice(reason: Blindness, voice: &Voice) -> &'static [Advice] {
    match reason {
        Blindness::NoEnqueueLines => &[
            (
                "ジョブ投入時にアプリがログを出すようにする（Laravel 自体は出さない）。パッケージの JobQueued リスナーを追加するか、\
                 投入時にアプリが書く行を [[rule]] で指定する",
                None,
            ),
            ("手元の行が認識されない理由を見る", Some("queuewatch explain 'LINE'")),
            ("設定とルールを確認する", Some("queuewatch check queuewatch.toml")),
        ],
        Blindness::SourceSilent if voice.is_on_aws => {
            &[("フィルターと最後の配信を確認する", Some("queuewatch doctor"))]
        }
        Blindness::SourceSilent => &[
            ("アプリとワーカーが動いているか見る", Some("ps aux")),
            ("監視対象のファイルに今も書き込んでいるか、新しいファイルに移っていないか確認する", None),
        ],
        Blindness::Unrecognised => &[
            ("手元の行のどこがなぜ認識されないかを見る", Some("queuewatch explain 'LINE'")),
            (
                "デプロイ、ログドライバー、エージェント、フォーマッターなど、ログの出し方の変更を確認する",
                None,
            ),
            ("その行を [[rule]] で指定するか、変更を戻す", Some("queuewatch check queuewatch.toml")),
        ],
        Blindness::Rejected if voice.is_on_aws => &[
            ("残っている件数とほかの異常を見る", Some("queuewatch doctor")),
            ("この関数やストリームにほかに書き込んでいるものがないか確認する", None),
            ("修正後にもう一度配信する", Some("queuewatch redrive")),
        ],
        Blindness::Rejected => {
            &[("ほかに書き込んでいるものと、その中身を確認する", Some("queuewatch replay EVENT.json"))]
        }
        Blindness::Late if voice.is_on_aws => &[
            ("溜まったログの取り込み中なら待つ", None),
            ("配信が失敗していないか見る", Some("queuewatch doctor")),
        ],
        Blindness::Late => &[("古い行の取り込み中なら待つ", None)],
    }
}
