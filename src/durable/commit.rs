//! A sweep's second half: what it decided is written down before anything is done, and what was done right after.

use std::collections::BTreeSet;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::checkpoint::Saved;
use super::items;
use super::jobs::{self, Lookup};
use super::sharing::TableSharing;
use super::sweep::Sweep;
use super::{DurableError, WRITES_IN_FLIGHT};
use crate::domain::incidents::Incident;
use crate::domain::job::{HOUR_MS, Timestamp};
use crate::domain::ledger::checkpoint::Room;
use crate::domain::ledger::counting::JobIx;
use crate::domain::ledger::job_key::JobKey;
use crate::domain::outbox::{MessageId, OutgoingMessage};
use crate::ports::table::{Expected, ItemKey, Table};
use crate::ports::{Commit, Committed};

/// Messages kept for a topic that cannot be reached. The oldest are let go: whoever reads again needs the newest.
const OUTBOX_MAX: usize = 100;
/// How long a closed incident stays in the checkpoint: it may reopen within its grace.
const CLOSED_KEPT_MS: i64 = 26 * HOUR_MS;
/// Closed incidents kept in the checkpoint, the newest: all of them are in the history.
const CLOSED_MAX: usize = 200;
/// Jobs whose items are put right at a time: each item may take a kilobyte or two in memory.
const REPAIRS_AT_ONCE: usize = 1_000;
/// Jobs in whose items something is noted in one sweep.
const NOTES_MAX: usize = 1_000;

/// A checkpoint's bytes, deflated as a store does it: DynamoDB takes 400 KB an item
/// ([quotas](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html)), and names and marks
/// come on top.
const DEFLATED_MAX: usize = 390 * 1024;
/// How often half of what is remembered is let go so that the rest fits: by then next to nothing is left.
const HALVINGS_MAX: u32 = 8;

impl Sweep {
    /// Writes down what was decided, what is to be sent, and the lease. `None` where another sweep came first.
    pub(super) async fn commit<T: Table>(
        &mut self,
        table: &T,
        grace_max_ms: i64,
        sharing: TableSharing,
        commit: Commit,
    ) -> Result<Option<Committed>, DurableError<T::Error>> {
        for (ix, at) in &commit.passed_over {
            self.ledger.mark_passed_over(*ix, *at);
        }
        for ix in &commit.given_up {
            self.ledger.mark_unknown(*ix, commit.at);
        }
        for ix in &commit.unseen {
            self.ledger.mark_hidden(*ix);
        }
        self.write_incidents(commit.incidents);
        self.register.silences.extend(commit.silences);
        self.register.silences.retain(|silence| silence.until > self.now);
        self.register.greeted_at = self.register.greeted_at.or(commit.greeted_at);
        let saved = &mut self.checkpoint.saved;
        saved.silences.clone_from(&self.register.silences);
        saved.greeted_at = self.register.greeted_at;
        let applied = self.folded.iter().map(|key| (key.partition.clone(), key.sort.clone()));
        saved.applied.extend(applied);
        saved.outbox.extend(commit.messages);
        let excess = saved.outbox.len().saturating_sub(OUTBOX_MAX);
        saved.outbox.drain(..excess);
        saved.owner.clone_from(&self.owner);
        saved.swept_at = Some(self.now);
        saved.lease_until = sharing.lease_ms().map(|lease_ms| self.now.plus_ms(lease_ms));
        self.remember(grace_max_ms);
        self.repairs = self.find_repairs();
        if !self.checkpoint.write(table).await? {
            return Ok(None);
        }
        let counters = self.ledger.unpublished.clone().drain();
        Ok(Some(Committed { messages: self.checkpoint.saved.outbox.clone(), counters }))
    }

    /// Puts what is known into the checkpoint: as much of it as fits an item.
    fn remember(&mut self, grace_max_ms: i64) {
        let mut room = Room::default();
        let listed: BTreeSet<JobIx> = self.listed.values().flatten().copied().collect();
        for _ in 0..HALVINGS_MAX {
            self.ledger.settle_past(self.now, room);
            let is_listed = |ix: JobIx| listed.contains(&ix);
            self.checkpoint.saved.ledger = self.ledger.checkpoint(self.now, grace_max_ms, room, is_listed);
            if fits(&self.checkpoint.saved) {
                break;
            }
            room = room.halved();
        }
        // What is left is what is to be said and what was: a checkpoint that cannot be written would say nothing at all.
        while !fits(&self.checkpoint.saved) && self.checkpoint.saved.outbox.len() > 1 {
            let half = self.checkpoint.saved.outbox.len().wrapping_shr(1);
            self.checkpoint.saved.outbox.drain(..half);
        }
    }

    /// Incidents go into the checkpoint without words, and into the history in full once they are closed.
    fn write_incidents(&mut self, incidents: Vec<Incident>) {
        let saved = &mut self.checkpoint.saved;
        for incident in incidents {
            if !incident.is_open() {
                saved.closed.retain(|closed| closed.id != incident.id);
                saved.closed.push(incident.clone());
            }
            self.register.write(incident);
        }
        let mut closed: Vec<Timestamp> =
            self.register.newest.values().filter_map(|incident| incident.resolved_at).collect();
        closed.sort_unstable_by(|a, b| b.cmp(a));
        let from = closed.get(CLOSED_MAX).copied();
        let is_kept = |incident: &&Incident| {
            let is_fresh = |at| self.now.since_ms(at) < CLOSED_KEPT_MS && from.is_none_or(|from| at > from);
            incident.resolved_at.is_none_or(is_fresh)
        };
        saved.incidents = self.register.newest.values().filter(is_kept).cloned().map(without_words).collect();
    }

    /// The jobs that the index shows open and that are not, all of them: the checkpoint remembers only so many, and the
    /// rest would wait again. Then those of which something is to be remembered; there the next sweep may go on.
    fn find_repairs(&self) -> Vec<JobKey> {
        let (mut repairs, mut notes) = (Vec::new(), Vec::new());
        for key in self.listed.keys() {
            let entry = self.ledger.entry_of(key);
            if !entry.is_open() {
                repairs.push(key.clone());
            } else if entry.has_passed_over() && notes.len() < NOTES_MAX {
                notes.push(key.clone());
            }
        }
        repairs.extend(notes);
        repairs
    }

    /// Takes out of the outbox what was sent. `false` where another sweep came first.
    pub(super) async fn sent<T: Table>(
        &mut self,
        table: &T,
        messages: &[MessageId],
    ) -> Result<bool, DurableError<T::Error>> {
        self.checkpoint.saved.outbox.retain(|message: &OutgoingMessage| !messages.contains(&message.id()));
        self.checkpoint.write(table).await
    }

    /// Marks deliveries as folded, puts jobs right, writes the history, and lets the next sweep in.
    pub(super) async fn finish<T: Table>(
        mut self,
        table: &T,
        app: &str,
        sharing: TableSharing,
        is_published: bool,
    ) -> Result<(), DurableError<T::Error>> {
        let applied = std::mem::take(&mut self.checkpoint.saved.applied);
        let marks = applied.into_iter().map(|(partition, sort)| ItemKey { partition, sort });
        stream::iter(marks)
            .map(|key| async move { table.unmark(&key).await })
            .buffer_unordered(WRITES_IN_FLIGHT)
            .try_collect::<()>()
            .await?;
        self.repair(table, app, sharing).await?;
        for incident in std::mem::take(&mut self.checkpoint.saved.closed) {
            let key = items::history_key(app, incident.opened_at, &incident.id);
            let expires_at = incident.resolved_at.map(items::history_expires_at);
            let body = items::written(&key, &incident)?;
            table.put(&items::item(key, None, None, expires_at, body), Expected::Anything).await?;
        }
        if is_published {
            self.checkpoint.saved.ledger.drop_published();
        }
        self.checkpoint.saved.lease_until = None;
        // Where somebody else has gone on, the lease had run out, and all of this is theirs to do again.
        self.checkpoint.write(table).await?;
        Ok(())
    }

    async fn repair<T: Table>(
        &mut self,
        table: &T,
        app: &str,
        sharing: TableSharing,
    ) -> Result<(), DurableError<T::Error>> {
        let repairs = std::mem::take(&mut self.repairs);
        for repairs in repairs.chunks(REPAIRS_AT_ONCE) {
            let keys: Vec<ItemKey> = repairs.iter().map(|key| items::job_key(app, key)).collect();
            let found = table.get(&keys).await?;
            // An item that is gone is nobody's any more.
            let held = repairs.iter().zip(found).filter_map(|(repair, item)| Some((repair, item?)));
            let (ledger, now) = (&self.ledger, self.now);
            stream::iter(held)
                .map(|(job, item)| async move {
                    let (entry, lookup) = (ledger.entry_of(job), Lookup::Read(Some(item)));
                    jobs::join(table, app, job, &entry, lookup, now, sharing).await.map(|_| ())
                })
                .buffer_unordered(WRITES_IN_FLIGHT)
                .try_collect::<()>()
                .await?;
        }
        Ok(())
    }
}

/// Whether a checkpoint fits an item. What cannot be written is found out by whoever writes it.
fn fits(saved: &Saved) -> bool {
    let Ok(body) = serde_json::to_vec(saved) else { return true };
    if body.len() <= DEFLATED_MAX {
        return true;
    }
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder
        .write_all(&body)
        .and_then(|()| encoder.finish())
        .is_ok_and(|deflated| deflated.len() <= DEFLATED_MAX)
}

/// What has been said is kept as far as it tells what to say next.
fn without_words(mut incident: Incident) -> Incident {
    for notification in &mut incident.notifications {
        notification.body.clear();
    }
    incident
}
