//! Where to read on: a query for CloudWatch Logs Insights, as a command and as an address of the console.

use std::fmt::Write;

use super::{LogsQuery, aws};
use crate::domain::job::{SECOND_MS, Timestamp};
use crate::domain::model::policy::Policy;
use crate::domain::shell;

/// Lines a query shows: more than anybody reads, few enough for one page.
const LINES_MAX: u32 = 200;
impl LogsQuery {
    /// As a command; its answer comes with `aws logs get-query-results`.
    #[must_use]
    pub fn command(&self, policy: &Policy) -> String {
        let groups: Vec<_> = self.groups.iter().map(|group| shell::word(group)).collect();
        format!(
            "{} --log-group-names {} --start-time {} --end-time {} --query-string {}",
            aws(policy, "logs start-query"),
            groups.join(" "),
            seconds(self.from),
            seconds(self.until).saturating_add(1),
            shell::word(&self.query())
        )
    }

    /// As an address of the console; `None` without a region. The form is the console's own, which AWS does not
    /// document: JSURL, percent-encoded twice with `$` for `%`. It holds nothing at which a mail program would end
    /// an address.
    #[must_use]
    pub fn url(&self, policy: &Policy) -> Option<String> {
        let region = policy.aws.region.as_deref()?;
        let groups: String =
            self.groups.iter().map(|group| format!("$257E$2527{}", starred(group))).collect();
        Some(format!(
            "https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}\
             #logsV2:logs-insights$3FqueryDetail$3D$257E$2528end$257E$2527{}$257Estart$257E$2527{}\
             $257EtimeType$257E$2527ABSOLUTE$257Etz$257E$2527UTC$257EeditorString$257E$2527{}\
             $257Esource$257E$2528{groups}$2529$2529",
            starred(&self.until.to_string()),
            starred(&self.from.to_string()),
            starred(&self.query()),
        ))
    }

    /// As an address of the console that shows the lines of the first group, short enough for a mail: without the region
    /// in its host, which the console puts there itself. Its form is the console's own, too: percent-encoded twice with
    /// `$` for `%`.
    #[must_use]
    pub fn events_url(&self, policy: &Policy) -> Option<String> {
        let region = policy.aws.region.as_deref()?;
        let group = dollared(self.groups.first()?);
        // A word of one piece: more than one would all have to be in a line.
        let is_one = |word: &&String| word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let word = self.words.iter().rev().find(is_one);
        let filter = word.map_or_else(String::new, |word| format!("filterPattern$3D{word}$26"));
        Some(format!(
            "https://console.aws.amazon.com/cloudwatch/home?region={region}\
             #logsV2:log-groups/log-group/{group}/log-events$3F{filter}start$3D{}$26end$3D{}",
            self.from.as_ms(),
            self.until.as_ms(),
        ))
    }

    fn query(&self) -> String {
        let filter = match self.words.as_slice() {
            [] => String::new(),
            words => format!(" | filter @message like /{}/", words.join("|")),
        };
        format!("fields @timestamp, @logStream, @message{filter} | sort @timestamp asc | limit {LINES_MAX}")
    }
}

const fn seconds(at: Timestamp) -> i64 {
    at.as_ms().div_euclid(SECOND_MS)
}

/// The dashboard of the stack, where both are known.
#[must_use]
pub fn dashboard(policy: &Policy) -> Option<String> {
    let (region, stack) = (policy.aws.region.as_deref()?, policy.aws.stack()?);
    Some(format!(
        "https://console.aws.amazon.com/cloudwatch/home?region={region}#dashboards/dashboard/{stack}-{region}"
    ))
}

/// `/ecs/app` → `$252Fecs$252Fapp`.
fn dollared(text: &str) -> String {
    let mut dollared = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') {
            dollared.push(char::from(byte));
        } else {
            // Writing to a string cannot fail; the result is let go.
            let _ = write!(dollared, "$25{byte:02X}");
        }
    }
    dollared
}

/// `/ecs/app` → `*2fecs*2fapp`.
fn starred(text: &str) -> String {
    let mut starred = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') {
            starred.push(char::from(byte));
        } else {
            // Writing to a string cannot fail; the result is let go.
            let _ = write!(starred, "*{byte:02x}");
        }
    }
    starred
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(words: &[&str]) -> LogsQuery {
        let from = Timestamp::from_ms(1_765_024_270_123);
        LogsQuery::new(["/ecs/my app", ""].into_iter(), words.iter().copied(), from, from.plus_ms(60_000))
            .unwrap()
    }

    #[test]
    fn a_query_is_a_command_with_its_window_in_seconds() {
        let mut policy = Policy::default();
        policy.aws.region = Some("eu-west-1".into());
        assert_eq!(
            sample(&["Make_Thumb", "a|b/", "17-a"]).command(&policy),
            "aws logs start-query --region eu-west-1 --log-group-names '/ecs/my app' --start-time 1765024270 \
             --end-time 1765024331 --query-string 'fields @timestamp, @logStream, @message \
             | filter @message like /Make_Thumb|17-a/ | sort @timestamp asc | limit 200'"
        );
        assert!(!sample(&["$(x)"]).command(&policy).contains("filter"));
    }

    #[test]
    fn an_address_of_the_console_holds_nothing_that_ends_an_address() {
        let mut policy = Policy::default();
        assert_eq!(sample(&[]).url(&policy), None);
        policy.aws.region = Some("eu-west-1".into());
        assert_eq!(
            sample(&["X"]).url(&policy).unwrap(),
            "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:logs-insights\
             $3FqueryDetail$3D$257E$2528end$257E$25272025-12-06T12*3a32*3a10.123Z$257Estart$257E$25272025-12-06T12*3a31*3a10.123Z\
             $257EtimeType$257E$2527ABSOLUTE$257Etz$257E$2527UTC$257EeditorString$257E$2527fields*20*40timestamp*2c*20*40logStream\
             *2c*20*40message*20*7c*20filter*20*40message*20like*20*2fX*2f*20*7c*20sort*20*40timestamp*20asc*20*7c*20limit*20200\
             $257Esource$257E$2528$257E$2527*2fecs*2fmy*20app$2529$2529"
        );
    }

    #[test]
    fn an_address_for_a_mail_is_short() {
        let mut policy = Policy::default();
        assert_eq!((sample(&[]).events_url(&policy), dashboard(&policy)), (None, None));
        policy.aws.region = Some("eu-west-1".into());
        let home = "https://console.aws.amazon.com/cloudwatch/home?region=eu-west-1#";
        assert_eq!(
            sample(&["17-a", "Make_Thumb"]).events_url(&policy).unwrap(),
            format!(
                "{home}logsV2:log-groups/log-group/$252Fecs$252Fmy$2520app/log-events$3FfilterPattern$3DMake_Thumb\
                 $26start$3D1765024270123$26end$3D1765024330123"
            )
        );
        policy.aws.sweep_function = Some("watchdog-SweepFunction-1A2B".into());
        assert_eq!(dashboard(&policy).unwrap(), format!("{home}dashboards/dashboard/watchdog-eu-west-1"));
    }

    #[test]
    fn without_a_group_there_is_nothing_to_ask() {
        let at = Timestamp::from_ms(0);
        assert_eq!(LogsQuery::new([""].into_iter(), ["x"].into_iter(), at, at), None);
    }
}
