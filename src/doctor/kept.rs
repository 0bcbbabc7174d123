//! What the table says: when the last sweep was, what is open, how fresh the lines are, what cannot be seen.

use super::{Check, Facts, StackFacts, Verdict};
use crate::domain::blind_spots;
use crate::domain::incidents::{Incident, Kind};
use crate::domain::job::MINUTE_MS;
use crate::domain::ledger::sources::SourceFacts;
use crate::durable::Kept;
use crate::message::duration;

/// A sweep comes each minute; two that are missing are no jitter.
const SWEEP_AGE_MAX_MS: i64 = 3 * MINUTE_MS;
/// Without a habit to go by, a silence this long is worth a word.
const SILENCE_MS: i64 = 30 * MINUTE_MS;

pub(super) fn checks(facts: &Facts, kept: &Kept) -> Vec<Check> {
    let mut checks = vec![sweep(facts, kept)];
    if kept.unsent_count > 0 {
        let finding = format!("{} messages are written and not sent", kept.unsent_count);
        let check = Check::new(Verdict::Wrong, "messages", finding);
        checks.push(check.with("a topic, its key or its policy refuses them: see the sweep's log"));
    }
    checks.extend(lines(facts, kept));
    checks.extend(sight(kept));
    let silences = kept.register.silences.iter().filter(|silence| silence.until > facts.now);
    checks.extend(silences.map(|silence| {
        let finding = format!("queue {} until {}: {}", silence.queue, silence.until, silence.reason);
        Check::new(Verdict::Note, "silence", finding)
    }));
    let mut open: Vec<&Incident> = kept.register.open().collect();
    open.sort_by_key(|incident| (incident.opened_at, incident.id.clone()));
    checks.extend(open.into_iter().map(|open| incident(&facts.stack, open)));
    checks
}

fn sweep(facts: &Facts, kept: &Kept) -> Check {
    let Some(at) = kept.swept_at else {
        return Check::new(Verdict::Wrong, "sweep", "none was ever finished: nobody watches the queues");
    };
    let age_ms = facts.now.since_ms(at);
    let ago = format!("{} ago", duration(age_ms));
    if age_ms > SWEEP_AGE_MAX_MS {
        let finding = format!("the last was {ago}: nobody watches the queues");
        let remedy = format!("see the log of {}, and its schedule", facts.stack.sweep_function);
        return Check::new(Verdict::Wrong, "sweep", finding).with(remedy);
    }
    Check::new(Verdict::Fine, "sweep", ago)
}

/// How fresh each log group is: those that are to be read, and those that came by a stream.
fn lines(facts: &Facts, kept: &Kept) -> Vec<Check> {
    let mut checks = Vec::new();
    for group in &facts.groups {
        let is_heard = kept.ledger.sources.iter().any(|(name, _)| **name == *group.log_group);
        if !is_heard {
            let finding = format!("{}: no line has come", group.log_group);
            checks.push(Check::new(Verdict::Wrong, "lines", finding));
        }
    }
    checks.extend(kept.ledger.sources.iter().map(|(name, source)| freshness(facts, name, source)));
    checks
}

fn freshness(facts: &Facts, log_group: &str, source: &SourceFacts) -> Check {
    let Some(newest) = source.newest_line else {
        return Check::new(Verdict::Wrong, "lines", format!("{log_group}: no line has come"));
    };
    let silence_ms = facts.now.since_ms(newest);
    let verdict = match source.silence_max_ms() {
        Some(usual_ms) if silence_ms > usual_ms => Verdict::Wrong,
        None if silence_ms > SILENCE_MS => Verdict::Note,
        Some(_) | None => Verdict::Fine,
    };
    Check::new(verdict, "lines", format!("{log_group}: the newest is {} old", duration(silence_ms)))
}

/// What these logs cannot show. Without an enqueue line nothing can be seen at all, which must not look fine.
fn sight(kept: &Kept) -> Vec<Check> {
    let is_blind = kept.ledger.traits.first_enqueue_at.is_none();
    let spots = blind_spots::find(&kept.ledger).into_iter().zip(0..);
    spots
        .map(|(spot, n)| {
            // The spot that comes first is that one.
            let verdict = if is_blind && n == 0 { Verdict::Wrong } else { Verdict::Note };
            Check::new(verdict, "blind spot", crate::message::blind_spot(spot))
        })
        .collect()
}

fn incident(stack: &StackFacts, incident: &Incident) -> Check {
    let verdict = if incident.key.kind == Kind::Blind { Verdict::Wrong } else { Verdict::Note };
    let jobs = match incident.jobs_now {
        0 => String::new(),
        1 => ", 1 job".to_owned(),
        more => format!(", {more} jobs"),
    };
    let finding = format!("{} since {}{jobs}", incident.id, incident.opened_at);
    let StackFacts { region, sweep_function, .. } = stack;
    let close = format!(
        "aws lambda invoke --region {region} --function-name {sweep_function} --cli-binary-format \
         raw-in-base64-out --payload '{{\"close\": \"{}\", \"reason\": \"WHY\"}}' /dev/stdout",
        incident.id
    );
    Check::new(verdict, "incident", finding).with(close)
}
