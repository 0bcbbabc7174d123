//! All incidents of an app.

use std::collections::BTreeMap;

use super::{Incident, Key};
use crate::domain::job::Timestamp;
use crate::domain::model::silence::Silence;

/// All incidents, open and closed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Register {
    /// By key: the newest incident of each.
    pub newest: BTreeMap<Key, Incident>,
    /// Those that a newer one of the same key followed, oldest first.
    pub past: Vec<Incident>,
    /// Silences that operators asked for; those of the configuration are the policy's.
    pub silences: Vec<Silence>,
    /// When the greeting was sent.
    pub greeted_at: Option<Timestamp>,
}

impl Register {
    /// The open incidents, by key.
    pub fn open(&self) -> impl Iterator<Item = &Incident> {
        self.newest.values().filter(|incident| incident.is_open())
    }

    /// The open incident of this id, or the only one whose id begins so: who answers at night may type less.
    #[must_use]
    pub fn open_by_name(&self, name: &str) -> Option<&Incident> {
        by_name(self.open(), name)
    }

    /// Every incident, by when it opened, then by id.
    #[must_use]
    pub fn all(&self) -> Vec<&Incident> {
        let mut all: Vec<&Incident> = self.past.iter().chain(self.newest.values()).collect();
        all.sort_by(|a, b| (a.opened_at, &a.id).cmp(&(b.opened_at, &b.id)));
        all
    }

    /// Writes an incident; one of the same key and another id moves to the past.
    pub fn write(&mut self, incident: Incident) {
        let old = self.newest.insert(incident.key.clone(), incident);
        if let Some(old) = old
            && self.newest.get(&old.key).is_some_and(|new| new.id != old.id)
        {
            self.past.push(old);
        }
    }
}

/// The incident of this id, or the only one whose id begins so.
pub fn by_name<'i>(incidents: impl Iterator<Item = &'i Incident>, name: &str) -> Option<&'i Incident> {
    let begins: Vec<&Incident> =
        incidents.filter(|incident| !name.is_empty() && incident.id.starts_with(name)).collect();
    let exact = begins.iter().find(|incident| incident.id == name).copied();
    exact.or_else(|| begins.first().copied().filter(|_| begins.len() == 1))
}
