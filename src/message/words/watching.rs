//! Words for the greeting, and for what logs cannot show.

use crate::domain::blind_spots::BlindSpot;
use crate::domain::metric::QUEUES_MAX;
use crate::domain::model::policy::Language;
use crate::domain::watching::{Carried, Watching};
use crate::message::duration::exact;

/// The names of the greeting's parts.
pub(in crate::message) struct Labels {
    pub(in crate::message) queues: &'static str,
    pub(in crate::message) no_queues: &'static str,
    pub(in crate::message) blind_spots: &'static str,
    pub(in crate::message) next: &'static str,
}

/// The labels of a language.
pub(in crate::message) const fn labels(language: Language) -> Labels {
    match language {
        Language::En => Labels {
            queues: "Queues seen",
            no_queues: "none yet",
            blind_spots: "Blind spots",
            next: "What happens next",
        },
        Language::Ja => Labels {
            queues: "確認したキュー",
            no_queues: "まだなし",
            blind_spots: "このログでは見えないこと",
            next: "今後の動作",
        },
    }
}

/// Whose logs are read, since when, how many lines, and how jobs are told apart.
pub(in crate::message) fn opening(
    language: Language,
    app: &str,
    since: &str,
    lines: &str,
    carried: &str,
) -> String {
    match language {
        Language::En => format!("queuewatch reads the logs of {app} since {since}: {lines}. {carried}."),
        Language::Ja => {
            format!("queuewatch が {app} のログを {since} から読み取っています（{lines}）。{carried}。")
        }
    }
}

/// How many lines were read, and the share of those that told something: rounded down, so that what is not all never
/// reads as all.
pub(in crate::message) fn lines(language: Language, watching: &Watching) -> String {
    let read = watching.lines_read;
    let tenths = watching.lines_classified.saturating_mul(1000).checked_div(read);
    let share = tenths.map(|tenths| format!("{}.{}%", tenths.wrapping_div(10), tenths.wrapping_rem(10)));
    let is_some = watching.lines_classified > 0;
    match (language, share) {
        (Language::En, None) => format!("{read} lines, none recognised"),
        (Language::En, Some(_)) if tenths == Some(0) && is_some => {
            format!("{read} lines, under 0.1% of them recognised")
        }
        (Language::En, Some(share)) => format!("{read} lines, {share} of them recognised"),
        (Language::Ja, None) => format!("{read} 行、認識なし"),
        (Language::Ja, Some(_)) if tenths == Some(0) && is_some => {
            format!("{read} 行、うち認識 0.1% 未満")
        }
        (Language::Ja, Some(share)) => format!("{read} 行、うち認識 {share}"),
    }
}

/// Queues that are not listed.
pub(in crate::message) fn more(language: Language, more: usize) -> String {
    match language {
        Language::En => format!("and {more} more"),
        Language::Ja => format!("ほか {more} 件"),
    }
}

/// How jobs are told apart.
pub(in crate::message) const fn carried(language: Language, carried: Carried) -> &'static str {
    match (language, carried) {
        (Language::En, Carried::Unseen) => "No worker line was seen yet",
        (Language::En, Carried::Neither) => "Jobs are counted, as worker lines carry no ids",
        (Language::En, Carried::Id) => "Jobs are told apart by id",
        (Language::En, Carried::Uuid) => "Jobs are told apart by uuid",
        (Language::Ja, Carried::Unseen) => "ワーカーのログはまだ届いていない",
        (Language::Ja, Carried::Neither) => "ジョブは件数で突き合わせ（ワーカーログに ID がない）",
        (Language::Ja, Carried::Id) => "ジョブは ID で突き合わせ",
        (Language::Ja, Carried::Uuid) => "ジョブは UUID で突き合わせ",
    }
}

/// What happens next.
pub(in crate::message) fn steps(language: Language, watching: &Watching, is_on_aws: bool) -> Vec<String> {
    let grace = exact(language, watching.grace_ms);
    let is_deaf = watching.lines_classified == 0;
    let steps = match language {
        Language::En => [
            "No line was recognised: try one of yours with `queuewatch explain`.".to_owned(),
            format!("A queue whose jobs wait longer than {grace} with none started sends an ALARM here."),
            once(language, is_on_aws).to_owned(),
        ],
        Language::Ja => [
            "認識できた行がありません。お手元の行を `queuewatch explain` で確かめてください。".to_owned(),
            format!(
                "ジョブが {grace} を超えて待機し 1 件も開始されないキューがあれば、ここに ALARM を送ります。"
            ),
            once(language, is_on_aws).to_owned(),
        ],
    };
    steps.into_iter().skip(usize::from(!is_deaf)).collect()
}

/// That the greeting comes once, and who tells if queuewatch itself stops.
const fn once(language: Language, is_on_aws: bool) -> &'static str {
    match (language, is_on_aws) {
        (Language::En, true) => {
            "This message comes once. If queuewatch itself stops, a CloudWatch alarm tells you."
        }
        (Language::En, false) => "This message comes once. If queuewatch itself stops, nobody tells you.",
        (Language::Ja, true) => {
            "このメッセージは一度だけです。queuewatch 自体が止まった場合は CloudWatch アラームで通知されます。"
        }
        (Language::Ja, false) => {
            "このメッセージは一度だけです。queuewatch 自体が止まっても通知はありません。"
        }
    }
}

/// What logs cannot show, without its full stop.
pub(in crate::message) fn blind_spot(language: Language, spot: BlindSpot) -> String {
    match language {
        Language::En => blind_spot_en(spot),
        Language::Ja => blind_spot_ja(spot),
    }
}

fn blind_spot_en(spot: BlindSpot) -> String {
    let text = match spot {
        BlindSpot::NothingOpens => "no payload could be opened: nothing is known of this app",
        BlindSpot::NoEnqueueLines => {
            "no enqueue line has ever matched in this app: a stalled queue cannot be seen. \
             Laravel logs nothing when a job is enqueued; the app must (see README, \"Enqueue lines\")"
        }
        BlindSpot::NoJobLines => {
            "no job was ever seen to start or end in this app: whether jobs are processed, unseen, \
             cannot be told from these logs"
        }
        BlindSpot::JobsUnseen => {
            "workers say that they do jobs, and no line of a job's start or end comes: which jobs are done, and how \
             long they take, cannot be told, and a job that fails is not seen. \
             Send the output of queue:work to the log, or log JobProcessing and JobProcessed (see README)"
        }
        BlindSpot::ByHttp => {
            "jobs reach the workers over HTTP (aws-sqsd, as Elastic Beanstalk's worker tier has it), and no line of a \
             job's start or end comes: requests that were answered are taken for jobs that were done, whichever they \
             were. A [[rule]] on the access line, with stage = \"processed\" and the class, makes them seen"
        }
        BlindSpot::NoIds => {
            "worker lines carry no id: jobs are matched by counting lines of their class, oldest first. \
             The number of waiting jobs is right, which of them waits is a guess; \
             SHELL_VERBOSITY=1 or queue:work --json in the worker's environment mends it"
        }
        BlindSpot::EndOnly => {
            "worker lines print no start (Laravel 9.21 to 9.40): a job that hangs looks like one that waits"
        }
        BlindSpot::RowIds => {
            "worker lines carry numeric ids and no uuid: on a database queue every retry has a new id \
             and looks like a job of its own; queue:work --json mends it"
        }
        BlindSpot::NoDelay => {
            "delay is not logged: a job that is meant to wait looks like one that is stuck, \
             unless no job of this app is delayed"
        }
        BlindSpot::ClocksApart(ms) => {
            return format!(
                "the clocks of workers are up to {} s behind the app's: jobs seem to start before they are enqueued. \
                 Up to a minute is allowed for; a time service (chrony) on both hosts mends it",
                seconds_up(ms)
            );
        }
        BlindSpot::Measured(count) => {
            return format!(
                "metrics: {count} queues beyond the first {QUEUES_MAX} have no row of their own; they are `other`"
            );
        }
        BlindSpot::LinesMissing(missing) => {
            return format!(
                "worker lines are missing: {} of the last {} attempts that ended have no start line. Of some jobs \
                 neither start nor end is read: those are unknown, and an alarm about one or two jobs may be about these",
                missing.unread, missing.of
            );
        }
    };
    text.to_owned()
}

fn blind_spot_ja(spot: BlindSpot) -> String {
    let text = match spot {
        BlindSpot::NothingOpens => "ペイロードを 1 件も開けず、このアプリの状況は何も分からない",
        BlindSpot::NoEnqueueLines => {
            "投入ログが一度も届いておらず、キューの停滞を検知できない。Laravel は投入時にログを出さないため、\
             アプリ側で出す必要がある（README の \"Enqueue lines\" を参照）"
        }
        BlindSpot::NoJobLines => {
            "ジョブの開始・終了ログが一度も届いておらず、見えない所で処理されているかどうかは判断できない"
        }
        BlindSpot::JobsUnseen => {
            "ワーカーはジョブを処理したと記録しているが、ジョブの開始・終了ログが届いていない。どのジョブが終わったか、\
             失敗したかは分からない。queue:work の出力をログに送るか、JobProcessing と JobProcessed を記録すること（README を参照）"
        }
        BlindSpot::ByHttp => {
            "ジョブは HTTP（Elastic Beanstalk の aws-sqsd）でワーカーに渡され、開始・終了ログが届いていない。応答された\
             リクエストを処理済みのジョブとみなす。アクセスログへの [[rule]]（stage = \"processed\" とクラス）で見えるようになる"
        }
        BlindSpot::NoIds => {
            "ワーカーログに ID がなく、クラスごとに件数で古い順に突き合わせている。待機件数は正しいが、どのジョブが\
             待っているかは推測になる。ワーカーの環境に SHELL_VERBOSITY=1 を設定するか queue:work --json で解消する"
        }
        BlindSpot::EndOnly => {
            "ワーカーログに開始行がない（Laravel 9.21〜9.40）。ハングしたジョブと待機中のジョブを区別できない"
        }
        BlindSpot::RowIds => {
            "ワーカーログの ID が数値で UUID がない。database キューではリトライのたびに別のジョブに見える。\
             queue:work --json で解消する"
        }
        BlindSpot::NoDelay => {
            "遅延がログに出ていない。意図して遅らせたジョブと止まったジョブを区別できない（遅延を使っていなければ問題ない）"
        }
        BlindSpot::ClocksApart(ms) => {
            return format!(
                "ワーカーの時計がアプリより最大 {} 秒遅れており、ジョブが投入前に開始したように見える。1 分までのずれは\
                 考慮する。両方のホストで時刻同期（chrony）を有効にすると解消する",
                seconds_up(ms)
            );
        }
        BlindSpot::Measured(count) => {
            return format!(
                "メトリクス: 最初の {QUEUES_MAX} 個を超えた {count} 個のキューは、まとめて `other` として記録される"
            );
        }
        BlindSpot::LinesMissing(missing) => {
            return format!(
                "ワーカーログに欠落がある（直近に終了した {} 回のうち {} 回は開始ログなし）。開始も終了も届かないジョブは不明と\
                 なり、1〜2 件だけのアラームはその可能性がある",
                missing.of, missing.unread
            );
        }
    };
    text.to_owned()
}

/// Whole seconds, rounded up.
const fn seconds_up(ms: i64) -> i64 {
    ms.saturating_add(999).div_euclid(1_000)
}
