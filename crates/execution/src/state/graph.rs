//! The hypergraph as state: reading its versions, and handing a frame's writes to its overlay (K2, K3).

use quil_hypergraph::{
    AtomId, Entry as GraphEntry, Family, Mode, ShardState, StateError, TokenKey,
};

use quil_types::Bytes;

use super::{Entry, RecordKey, StateFault, StateView, Write, WriteSet};

fn entry(found: Result<Option<GraphEntry>, StateError>) -> Result<Option<Entry>, StateFault> {
    let found = found.map_err(|_| StateFault::Unavailable)?;
    Ok(found.map(|e| Entry {
        version: e.version,
        content: e.content.into_vec(),
    }))
}

impl StateView for ShardState {
    fn read(&self, key: &RecordKey) -> Result<Option<Entry>, StateFault> {
        entry(self.visible(Family::Vertex, &key.atom()))
    }
}

impl StateView for quil_hypergraph::Overlay {
    fn read(&self, key: &RecordKey) -> Result<Option<Entry>, StateFault> {
        entry(self.visible(Family::Vertex, &key.atom()))
    }
}

impl Write {
    /// The leaf that the record has in the vertex-adds set once the frame is final.
    ///
    /// # Errors
    /// [`StateError::ContentSize`] above the bound of an entry.
    pub fn graph_entry(&self) -> Result<GraphEntry, StateError> {
        let content = &self.entry.content;
        Ok(GraphEntry {
            mode: self.mode,
            version: self.entry.version,
            external: 0,
            content: Bytes::from_slice(content).map_err(|e| StateError::ContentSize(e.len))?,
        })
    }
}

/// Writes a frame's changes into an overlay of the state that the frame was executed on: insert-only records for
/// ever, the others by compare-and-set.
///
/// # Errors
/// [`StateError`]: a local fault, or a write set of another state.
pub fn write_to(
    writes: &WriteSet,
    overlay: &mut quil_hypergraph::Overlay,
) -> Result<(), StateError> {
    for w in writes {
        let atom: AtomId = w.key.atom();
        if w.mode == Mode::InsertOnly {
            overlay.insert(TokenKey(atom), &w.entry.content)?;
        } else {
            let present = overlay.visible(Family::Vertex, &atom)?;
            let expected = present.as_ref().map(GraphEntry::reference);
            overlay.put(
                quil_hypergraph::RecordKey(atom),
                expected,
                &w.entry.content,
                0,
            )?;
        }
    }
    Ok(())
}
