use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use quil_hypergraph::{
    AtomId, ContentSource, DataAddr, EdgeKey, Hyperedge, MarkKey, Overlay, RecordKey, ShardState,
    Snapshot, StateBatch, TokenKey,
};
use quil_kzg::Kzg;
use quil_trie::{Key, MemoryNodes, NodeSource, SetId};
use quil_types::{Domain, ShardAddr};

pub(crate) const SHARD: ShardAddr = ShardAddr([5; 32]);
pub(crate) const DOMAIN: Domain = Domain([5; 32]);

pub(crate) fn kzg() -> Arc<Kzg> {
    Kzg::insecure_shared()
}

/// An atom whose data address begins with the two bytes of `n`.
pub(crate) fn atom(n: u16) -> AtomId {
    let mut data = [0; 32];
    data[..2].copy_from_slice(&n.to_be_bytes());
    data[31] = 1;
    AtomId {
        domain: DOMAIN,
        data: DataAddr(data),
    }
}

pub(crate) fn token(n: u16) -> TokenKey {
    TokenKey(atom(n))
}

pub(crate) fn record(n: u16) -> RecordKey {
    RecordKey(atom(n))
}

pub(crate) fn edge_key(n: u16) -> EdgeKey {
    EdgeKey(atom(n))
}

pub(crate) fn mark(n: u16) -> MarkKey {
    MarkKey(atom(n))
}

pub(crate) fn edge(atoms: &[u16]) -> Hyperedge {
    let mut atoms: Vec<AtomId> = atoms.iter().map(|n| atom(*n)).collect();
    atoms.sort_unstable();
    Hyperedge {
        atoms: atoms.try_into().unwrap(),
        data: quil_types::Bytes::new(),
    }
}

pub(crate) fn empty() -> Snapshot {
    Snapshot::new(ShardState::empty(SHARD))
}

/// The committed state after `change` on top of `state`.
pub(crate) fn step(
    state: &ShardState,
    version: u64,
    change: impl FnOnce(&mut Overlay),
) -> ShardState {
    let mut overlay = Snapshot::new(state.clone()).overlay();
    change(&mut overlay);
    state
        .apply(&kzg(), version, &overlay.into_writes())
        .unwrap()
        .state
}

/// Values by set, key and content hash.
#[derive(Default)]
pub(crate) struct MemoryContents(pub(crate) Mutex<Contents>);

type Contents = BTreeMap<(SetId, Key), ([u8; 32], Arc<[u8]>)>;

impl ContentSource for MemoryContents {
    fn content(
        &self,
        set: &SetId,
        key: &Key,
        content: &[u8; 32],
    ) -> Result<Option<Arc<[u8]>>, String> {
        let rows = self.0.lock().map_err(|e| e.to_string())?;
        Ok(rows
            .get(&(*set, *key))
            .filter(|(hash, _)| hash == content)
            .map(|(_, v)| Arc::clone(v)))
    }
}

/// A store of the last version.
#[derive(Default)]
pub(crate) struct Store {
    pub(crate) nodes: Arc<MemoryNodes>,
    pub(crate) contents: Arc<MemoryContents>,
}

impl Store {
    pub(crate) fn apply(&self, batch: &StateBatch) {
        for nodes in &batch.nodes {
            self.nodes.apply(nodes, true);
        }
        let mut rows = self.contents.0.lock().unwrap();
        for write in &batch.contents {
            match &write.value {
                Some(v) => rows.insert((write.set, write.key), v.clone()),
                None => rows.remove(&(write.set, write.key)),
            };
        }
    }

    pub(crate) fn open(&self, batch: &StateBatch) -> ShardState {
        let nodes: Arc<dyn NodeSource> = Arc::<MemoryNodes>::clone(&self.nodes);
        ShardState::open(
            SHARD,
            batch.record.clone(),
            &nodes,
            Arc::<MemoryContents>::clone(&self.contents),
        )
        .unwrap()
    }
}
