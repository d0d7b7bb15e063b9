//! Writes of one frame over a base state, with nested savepoints.

use std::collections::BTreeMap;

use quil_hypergraph::Mode;

use super::{Entry, RecordKey, StateFault, StateView};

/// One record of a [`WriteSet`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Where.
    pub key: RecordKey,
    /// The new entry; its version follows the base's.
    pub entry: Entry,
    /// The base's content that this replaces; `None` for a new record.
    pub replaces: Option<Vec<u8>>,
    /// What may happen to the record later: nothing, or another replacement (K2, K3).
    pub mode: Mode,
}

/// What a frame changes, in key order, each key once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteSet(Vec<Write>);

impl WriteSet {
    /// The writes in key order.
    pub fn iter(&self) -> core::slice::Iter<'_, Write> {
        self.0.iter()
    }

    /// Number of records written.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was written.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for &'a WriteSet {
    type Item = &'a Write;
    type IntoIter = core::slice::Iter<'a, Write>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for WriteSet {
    type Item = Write;
    type IntoIter = std::vec::IntoIter<Write>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[derive(Clone, Debug)]
struct Change {
    /// What the base holds; read once, at the first write.
    base: Option<Entry>,
    content: Vec<u8>,
    mode: Mode,
}

/// A base state with the writes of a frame in progress.
///
/// Every change is journalled; [`Overlay::atomically`] undoes the journal down to its start when its closure
/// fails, to any depth of nesting.
#[derive(Debug)]
pub struct Overlay<S> {
    base: S,
    changes: BTreeMap<RecordKey, Change>,
    journal: Vec<(RecordKey, Option<Change>)>,
}

impl<S: StateView> Overlay<S> {
    /// An overlay without writes.
    pub const fn new(base: S) -> Self {
        Self {
            base,
            changes: BTreeMap::new(),
            journal: Vec::new(),
        }
    }

    /// Content of a record, from the overlay first.
    ///
    /// # Errors
    /// [`StateFault::Unavailable`] when the base fails.
    pub fn content(&self, key: &RecordKey) -> Result<Option<Vec<u8>>, StateFault> {
        match self.changes.get(key) {
            Some(change) => Ok(Some(change.content.clone())),
            None => Ok(self.base.read(key)?.map(|e| e.content)),
        }
    }

    /// Writes a record for ever: coins, marks, index entries (K2).
    ///
    /// # Errors
    /// [`StateFault::Occupied`] when it does; [`StateFault::Unavailable`] when the base fails.
    pub fn insert(&mut self, key: RecordKey, content: Vec<u8>) -> Result<(), StateFault> {
        if self.content(&key)?.is_some() {
            return Err(StateFault::Occupied(key));
        }
        self.write(key, None, content, Mode::InsertOnly);
        Ok(())
    }

    /// Creates or replaces a versioned record: counters, supply, balances (K3).
    ///
    /// # Errors
    /// [`StateFault::Occupied`] for a record that this overlay wrote for ever; [`StateFault::Unavailable`] when the
    /// base fails. What the base wrote for ever is refused when the write set reaches the hypergraph.
    pub fn put(&mut self, key: RecordKey, content: Vec<u8>) -> Result<(), StateFault> {
        let base = match self.changes.get(&key) {
            Some(change) if change.mode == Mode::InsertOnly => {
                return Err(StateFault::Occupied(key));
            }
            Some(change) => change.base.clone(),
            None => self.base.read(&key)?,
        };
        self.write(key, base, content, Mode::Versioned);
        Ok(())
    }

    /// Runs `step`; when it fails, everything it wrote is undone and its error is handed on.
    ///
    /// # Errors
    /// Those of `step`.
    pub fn atomically<T, E>(
        &mut self,
        step: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let savepoint = self.journal.len();
        let done = step(self);
        if done.is_err() {
            self.undo_to(savepoint);
        }
        done
    }

    /// The writes, in key order, and nothing else. A record whose content came back to the base's is no write.
    #[must_use]
    pub fn into_writes(self) -> WriteSet {
        let writes = self.changes.into_iter().filter_map(|(key, change)| {
            let version = change
                .base
                .as_ref()
                .map_or(0, |b| b.version.saturating_add(1));
            let replaces = change.base.map(|b| b.content);
            (replaces.as_ref() != Some(&change.content)).then_some(Write {
                key,
                entry: Entry {
                    version,
                    content: change.content,
                },
                replaces,
                mode: change.mode,
            })
        });
        WriteSet(writes.collect())
    }

    fn write(&mut self, key: RecordKey, base: Option<Entry>, content: Vec<u8>, mode: Mode) {
        let change = Change {
            base,
            content,
            mode,
        };
        let before = self.changes.insert(key, change);
        self.journal.push((key, before));
    }

    fn undo_to(&mut self, savepoint: usize) {
        while self.journal.len() > savepoint {
            match self.journal.pop() {
                Some((key, Some(before))) => {
                    self.changes.insert(key, before);
                }
                Some((key, None)) => {
                    self.changes.remove(&key);
                }
                None => return,
            }
        }
    }
}

impl<S: StateView> StateView for Overlay<S> {
    /// The record with the writes so far; its version is the one it will have when the frame is final.
    fn read(&self, key: &RecordKey) -> Result<Option<Entry>, StateFault> {
        let Some(change) = self.changes.get(key) else {
            return self.base.read(key);
        };
        Ok(Some(Entry {
            version: change
                .base
                .as_ref()
                .map_or(0, |b| b.version.saturating_add(1)),
            content: change.content.clone(),
        }))
    }
}

#[cfg(test)]
mod tests;
