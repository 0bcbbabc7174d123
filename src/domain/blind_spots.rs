//! What logs like these cannot show. Said, not hidden.

use crate::domain::ledger::Ledger;

/// The blind spots of what was read: a sentence each, without its full stop.
#[must_use]
pub fn find(ledger: &Ledger) -> Vec<String> {
    let payloads = ledger.tally.payloads;
    if payloads.data == 0 && payloads.rejected > 0 {
        return vec!["no payload could be opened: nothing is known of this app".to_owned()];
    }
    let traits = &ledger.traits;
    let mut spots = Vec::new();
    let mut say = |text: &str| spots.push(text.to_owned());
    if traits.first_enqueue_at.is_none() {
        say("no enqueue line has ever matched in this app: a stalled queue cannot be seen. \
             Laravel logs nothing when a job is enqueued; the app must (see README, \"Enqueue lines\")");
    }
    if traits.first_worker_line_at.is_none() {
        say("no job was ever seen to start or end in this app: whether jobs are processed, unseen, \
             cannot be told from these logs");
    }
    if traits.worker_has_neither {
        say("worker lines carry no id: jobs are matched by counting lines of their class, oldest first. \
             The number of waiting jobs is right, which of them waits is a guess; \
             SHELL_VERBOSITY=1 or queue:work --json in the worker's environment mends it");
    }
    if traits.has_end_only {
        say("worker lines print no start (Laravel 9.21 to 9.40): a job that hangs looks like one that waits");
    }
    if traits.has_row_ids {
        say("worker lines carry numeric ids and no uuid: on a database queue every retry has a new id \
             and looks like a job of its own; queue:work --json mends it");
    }
    if traits.first_enqueue_at.is_some() && !traits.is_delay_logged {
        say("delay is not logged: a job that is meant to wait looks like one that is stuck, \
             unless no job of this app is delayed");
    }
    spots
}
