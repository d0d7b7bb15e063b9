//! Frames above the last final one, by identity and by rank.

use std::collections::BTreeMap;
use std::sync::Arc;

use quil_types::{FrameId, Header, Millis, Proposal, Rank};

use crate::limits::FOREST_FRAMES_MAX;
use crate::reject::Reject;

/// The last final frame. Rank 0 when it is the root of the epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Root {
    pub(crate) id: FrameId,
    pub(crate) rank: Rank,
    pub(crate) header: Arc<Header>,
}

/// What the driver thinks of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Opinion {
    /// Not connected to the final frame yet, so not asked.
    Unknown,
    Asked,
    Parked(Millis),
    Vote,
    Abstain,
    Invalid(Reject),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Vertex {
    pub(crate) id: FrameId,
    pub(crate) proposal: Arc<Proposal>,
    pub(crate) own: bool,
    /// A path of present frames leads to the root.
    pub(crate) connected: bool,
    /// The candidate record is on disk.
    pub(crate) durable: bool,
    pub(crate) opinion: Opinion,
    /// When the frame came from its leader; `None` for frames fetched later.
    pub(crate) arrived: Option<Millis>,
    pub(crate) certified: bool,
    /// Milliseconds from proposal to certificate, when that came in time.
    pub(crate) delay: Option<u64>,
}

impl Vertex {
    pub(crate) fn header(&self) -> &Header {
        &self.proposal.header
    }

    pub(crate) fn rank(&self) -> Rank {
        self.proposal.header.rank
    }
}

/// Why a frame was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Known,
    /// At or below the final rank.
    Stale,
    /// Builds on something else than the final frame.
    Conflict,
    Full,
}

/// Why there is no path from the root to a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gap {
    Missing(FrameId),
    Conflict,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Forest {
    root: Root,
    vertices: BTreeMap<FrameId, Vertex>,
    ranks: BTreeMap<Rank, Vec<FrameId>>,
    children: BTreeMap<FrameId, Vec<FrameId>>,
}

impl Forest {
    pub(crate) const fn new(root: Root) -> Self {
        Self {
            root,
            vertices: BTreeMap::new(),
            ranks: BTreeMap::new(),
            children: BTreeMap::new(),
        }
    }

    pub(crate) const fn root(&self) -> &Root {
        &self.root
    }

    pub(crate) fn get(&self, id: &FrameId) -> Option<&Vertex> {
        self.vertices.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: &FrameId) -> Option<&mut Vertex> {
        self.vertices.get_mut(id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Vertex> {
        self.vertices.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.vertices.len()
    }

    /// Frames of a rank, in order of arrival.
    pub(crate) fn at_rank(&self, rank: Rank) -> impl Iterator<Item = &Vertex> {
        let ids = self.ranks.get(&rank).map_or(&[][..], Vec::as_slice);
        ids.iter().filter_map(|id| self.vertices.get(id))
    }

    /// Header and rank of a frame that can be built on: the root or a connected frame.
    pub(crate) fn base(&self, id: &FrameId) -> Option<(Arc<Header>, Rank)> {
        if *id == self.root.id {
            return Some((Arc::clone(&self.root.header), self.root.rank));
        }
        let vertex = self.vertices.get(id).filter(|v| v.connected)?;
        Some((Arc::new(vertex.header().clone()), vertex.rank()))
    }

    /// Whether a frame may be taken. `certified` frames are taken even when there is no room for others.
    pub(crate) fn admit(&self, id: &FrameId, header: &Header) -> Result<(), Refused> {
        if self.vertices.contains_key(id) || *id == self.root.id {
            return Err(Refused::Known);
        }
        if header.rank <= self.root.rank {
            return Err(Refused::Stale);
        }
        if self.conflicts(header) {
            return Err(Refused::Conflict);
        }
        Ok(())
    }

    fn conflicts(&self, header: &Header) -> bool {
        header.parent_rank <= self.root.rank && header.parent != self.root.id
    }

    /// Takes a frame. `keep` tells which frames are certified and must stay when room is made.
    pub(crate) fn insert(
        &mut self,
        vertex: Vertex,
        keep: impl Fn(&Vertex) -> bool,
    ) -> Result<(), Refused> {
        self.admit(&vertex.id, vertex.header())?;
        if self.vertices.len() >= FOREST_FRAMES_MAX {
            let loose = self.lowest(&keep).ok_or(Refused::Full)?;
            self.remove(&loose);
        }
        let (id, parent, rank) = (vertex.id, vertex.header().parent, vertex.rank());
        self.ranks.entry(rank).or_default().push(id);
        self.children.entry(parent).or_default().push(id);
        self.vertices.insert(id, vertex);
        Ok(())
    }

    /// The uncertified frame of the lowest rank.
    fn lowest(&self, keep: &impl Fn(&Vertex) -> bool) -> Option<FrameId> {
        let mut order = self
            .ranks
            .values()
            .flatten()
            .filter_map(|id| self.vertices.get(id));
        order.find(|v| !keep(v)).map(|v| v.id)
    }

    /// Marks what a frame connects to the root, parents first.
    pub(crate) fn connect(&mut self, id: &FrameId) -> Vec<FrameId> {
        let linked = self.vertices.get(id).is_some_and(|v| {
            let parent = v.header().parent;
            parent == self.root.id || self.vertices.get(&parent).is_some_and(|p| p.connected)
        });
        let mut open = if linked { vec![*id] } else { Vec::new() };
        let mut connected = Vec::new();
        while let Some(id) = open.pop() {
            let Some(vertex) = self.vertices.get_mut(&id).filter(|v| !v.connected) else {
                continue;
            };
            vertex.connected = true;
            connected.push(id);
            open.extend(self.children.get(&id).into_iter().flatten().copied());
        }
        connected
    }

    /// The frames from above the root up to `id`, oldest first.
    pub(crate) fn path(&self, id: FrameId) -> Result<Vec<FrameId>, Gap> {
        let mut path = Vec::new();
        let mut at = id;
        while at != self.root.id {
            let vertex = self.vertices.get(&at).ok_or(Gap::Missing(at))?;
            if self.conflicts(vertex.header()) {
                return Err(Gap::Conflict);
            }
            path.push(at);
            at = vertex.header().parent;
        }
        path.reverse();
        Ok(path)
    }

    /// Length of the path from the root to a connected frame.
    pub(crate) fn depth(&self, id: FrameId) -> u64 {
        self.path(id)
            .map_or(0, |p| u64::try_from(p.len()).unwrap_or(u64::MAX))
    }

    /// Removes a frame and everything above it.
    pub(crate) fn remove(&mut self, id: &FrameId) {
        let mut open = vec![*id];
        while let Some(id) = open.pop() {
            let Some(vertex) = self.vertices.remove(&id) else {
                continue;
            };
            open.extend(self.children.remove(&id).into_iter().flatten());
            self.unlink(&vertex);
        }
    }

    fn unlink(&mut self, vertex: &Vertex) {
        let (id, rank, parent) = (vertex.id, vertex.rank(), vertex.header().parent);
        if let Some(ids) = self.ranks.get_mut(&rank) {
            ids.retain(|i| *i != id);
            if ids.is_empty() {
                self.ranks.remove(&rank);
            }
        }
        if let Some(ids) = self.children.get_mut(&parent) {
            ids.retain(|i| *i != id);
            if ids.is_empty() {
                self.children.remove(&parent);
            }
        }
    }

    /// Moves the root up: drops everything at or below its rank and every branch that leaves it out. Returns the
    /// frames that the new root connects.
    pub(crate) fn reroot(&mut self, root: Root) -> Vec<FrameId> {
        let below: Vec<FrameId> = self
            .ranks
            .range(..=root.rank)
            .flat_map(|(_, ids)| ids.iter().copied())
            .collect();
        self.root = root;
        for id in below {
            // Children stay: those of the root continue, the others are found to conflict below.
            if let Some(vertex) = self.vertices.remove(&id) {
                self.unlink(&vertex);
            }
        }
        let dead: Vec<FrameId> = self
            .vertices
            .values()
            .filter(|v| self.conflicts(v.header()))
            .map(|v| v.id)
            .collect();
        dead.iter().for_each(|id| self.remove(id));
        let tops: Vec<FrameId> = self
            .children
            .get(&self.root.id)
            .into_iter()
            .flatten()
            .copied()
            .collect();
        tops.iter().flat_map(|id| self.connect(id)).collect()
    }
}
