//! What is wrong with a deployed queuewatch, if anything: facts that were found out, each judged on its own. Pure.
//!
//! It judges whether queuewatch can be relied on, not whether the queues are well: an incident is shown, and is only
//! wrong where it says that queuewatch cannot see.

mod kept;
mod text;

use crate::domain::job::Timestamp;
use crate::durable::Kept;

pub use text::render;

/// What was found out. What could not be is told instead, in a sentence.
#[derive(Debug)]
pub struct Facts {
    /// When.
    pub now: Timestamp,
    /// Which stack.
    pub stack: StackFacts,
    /// What is kept of the app.
    pub kept: Result<Kept, String>,
    /// The log groups that are to be read.
    pub groups: Vec<GroupFacts>,
    /// The stream that is to be read.
    pub stream: Option<StreamFacts>,
    /// Who is to be told.
    pub topics: Vec<TopicFacts>,
    /// The events that failed.
    pub failed_events: Result<FailedEventsFacts, String>,
}

/// The stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StackFacts {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub region: String,
    /// What CloudFormation last did to it.
    pub status: String,
    /// The app it watches.
    pub app: String,
    /// The function that sweeps.
    pub sweep_function: String,
}

/// A log group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupFacts {
    /// Its name.
    pub log_group: String,
    /// Whether a filter sends its lines to ingest.
    pub is_subscribed: Result<bool, String>,
    /// The command that makes the filter.
    pub subscribe_command: String,
}

/// A stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamFacts {
    /// Its ARN.
    pub arn: String,
    /// The state of what reads it, and how the last reading went; `None` where nothing reads it.
    pub mapping: Result<Option<(String, String)>, String>,
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicFacts {
    /// `mail` or `chat`.
    pub name: &'static str,
    /// Its ARN.
    pub arn: String,
    /// How many subscribers have said yes, and how many have not answered.
    pub subscribers: Result<(usize, usize), String>,
}

/// The events that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedEventsFacts {
    /// How many there are, up to a thousand.
    pub count: usize,
    /// There are more.
    pub has_more: bool,
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Fine,
    /// Worth knowing.
    Note,
    /// Somebody must do something.
    Wrong,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// How it came out.
    pub verdict: Verdict,
    /// What was looked at.
    pub subject: String,
    /// What was found.
    pub finding: String,
    /// What to do, or to paste.
    pub remedy: Option<String>,
}

impl Check {
    fn new(verdict: Verdict, subject: impl Into<String>, finding: impl Into<String>) -> Self {
        Self { verdict, subject: subject.into(), finding: finding.into(), remedy: None }
    }

    fn with(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

/// Judges everything.
#[must_use]
pub fn examine(facts: &Facts) -> Vec<Check> {
    let mut checks = vec![stack(&facts.stack)];
    match &facts.kept {
        Ok(kept) => checks.extend(kept::checks(facts, kept)),
        Err(why) => checks.push(Check::new(Verdict::Wrong, "table", why)),
    }
    checks.extend(facts.groups.iter().filter_map(filter));
    checks.extend(facts.stream.as_ref().map(stream));
    checks.extend(facts.topics.iter().map(topic));
    checks.push(failed_events(facts));
    checks
}

/// Whether anything must be done.
#[must_use]
pub fn is_wrong(checks: &[Check]) -> bool {
    checks.iter().any(|check| check.verdict == Verdict::Wrong)
}

/// A rollback leaves what was there before, which works, and is not what somebody wanted.
fn stack(stack: &StackFacts) -> Check {
    let is_settled = stack.status.ends_with("_COMPLETE") && !stack.status.contains("ROLLBACK");
    let verdict = if is_settled { Verdict::Fine } else { Verdict::Note };
    Check::new(verdict, "stack", &stack.status)
}

fn filter(group: &GroupFacts) -> Option<Check> {
    match &group.is_subscribed {
        Ok(true) => None,
        Ok(false) => {
            let finding =
                format!("{}: no subscription filter sends its lines to queuewatch", group.log_group);
            Some(Check::new(Verdict::Wrong, "filter", finding).with(&group.subscribe_command))
        }
        Err(why) => Some(Check::new(Verdict::Wrong, "filter", format!("{}: {why}", group.log_group))),
    }
}

fn stream(stream: &StreamFacts) -> Check {
    let (verdict, finding) = match &stream.mapping {
        Ok(Some((state, result))) if state == "Enabled" => {
            let result = if result.is_empty() { "nothing read yet" } else { result };
            (Verdict::Fine, format!("{}: read, {result}", stream.arn))
        }
        Ok(Some((state, result))) => (Verdict::Wrong, format!("{}: {state}, {result}", stream.arn)),
        Ok(None) => (Verdict::Wrong, format!("{}: nothing reads it", stream.arn)),
        Err(why) => (Verdict::Wrong, why.clone()),
    };
    Check::new(verdict, "stream", finding)
}

fn topic(topic: &TopicFacts) -> Check {
    let (verdict, finding) = match topic.subscribers {
        Ok((0, 0)) => (Verdict::Wrong, "nobody is subscribed".to_owned()),
        Ok((0, pending)) => {
            (Verdict::Wrong, format!("{pending} asked, none has confirmed: look for the mail that SNS sent"))
        }
        Ok((confirmed, 0)) => (Verdict::Fine, format!("{confirmed} confirmed")),
        Ok((confirmed, pending)) => (Verdict::Fine, format!("{confirmed} confirmed, {pending} asked")),
        Err(ref why) => (Verdict::Wrong, why.clone()),
    };
    let check = Check::new(verdict, topic.name, finding);
    if verdict == Verdict::Wrong { check.with(&topic.arn) } else { check }
}

fn failed_events(facts: &Facts) -> Check {
    match &facts.failed_events {
        Ok(FailedEventsFacts { count: 0, .. }) => Check::new(Verdict::Fine, "failed events", "none"),
        Ok(FailedEventsFacts { count, has_more }) => {
            let finding = match (count, has_more) {
                (1, _) => "1 delivery was given up and waits in the bucket".to_owned(),
                (count, false) => format!("{count} deliveries were given up and wait in the bucket"),
                (count, true) => format!("more than {count} deliveries were given up and wait in the bucket"),
            };
            let StackFacts { name, region, .. } = &facts.stack;
            Check::new(Verdict::Note, "failed events", finding)
                .with(format!("AWS_REGION={region} queuewatch redrive --stack {name}"))
        }
        Err(why) => Check::new(Verdict::Wrong, "failed events", why),
    }
}

#[cfg(test)]
mod tests;
