//! The frame one router sends to another: bounded, canonical, checked before anything is kept.
//!
//! A frame is the `Canonical` encoding (rule D1) of seven lists: subscriptions, payloads, IHAVE, IWANT, GRAFT, PRUNE,
//! IDONTWANT. Sets are strictly ascending, so that an element cannot be repeated. Subscriptions, GRAFT and PRUNE name
//! slices; payloads and IHAVE name full masks. The transport adds the length of the frame.

use std::collections::{BTreeMap, BTreeSet};

use borsh::BorshDeserialize as _;
use bytes::Bytes;
use quil_types::{Bounded, DecodeError, Sorted, canonical};

use crate::{
    id::MessageId,
    limits::{
        FRAME_BYTES_MAX, MASK_BYTES_MAX, PAYLOAD_BYTES_MAX, RPC_IDS_MAX, RPC_IHAVE_MAX,
        RPC_MESH_MAX, RPC_MESSAGES_MAX, RPC_SUBS_MAX,
    },
    mask::Mask,
    router::{PublishError, check_size},
};

/// Payloads of at least so many bytes are shared with the frame instead of copied into it.
const SHARE_BYTES_MIN: usize = 1024;

type MaskBytes = Bounded<u8, MASK_BYTES_MAX>;
type Ids = Sorted<[u8; 32], RPC_IDS_MAX>;

canonical! {
    struct WireMessage {
        mask: MaskBytes,
        data: Bounded<u8, PAYLOAD_BYTES_MAX>,
    }
}

canonical! {
    struct WireRpc {
        subs: Bounded<(MaskBytes, bool), RPC_SUBS_MAX>,
        messages: Bounded<WireMessage, RPC_MESSAGES_MAX>,
        ihave: Bounded<(MaskBytes, Ids), RPC_IHAVE_MAX>,
        iwant: Ids,
        graft: Bounded<MaskBytes, RPC_MESH_MAX>,
        prune: Bounded<(MaskBytes, u64), RPC_MESH_MAX>,
        idontwant: Ids,
    }
}

/// A payload with its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// `H("gossip", mask, data)`; computed here, never received.
    pub id: MessageId,
    /// The full mask.
    pub mask: Mask,
    /// Not empty, at most [`crate::Class::payload_bytes_max`] bytes.
    pub data: Bytes,
}

impl Message {
    /// Checks the length against the class of the mask, then hashes.
    ///
    /// # Errors
    /// No payload, or one above the cap of its class.
    pub fn try_new(mask: Mask, data: Bytes) -> Result<Self, PublishError> {
        check_size(&mask, data.len())?;
        Ok(Self::new(mask, data))
    }

    /// Hashes the data. The caller has checked its length.
    #[must_use]
    pub fn new(mask: Mask, data: Bytes) -> Self {
        Self {
            id: MessageId::of(&mask, &data),
            mask,
            data,
        }
    }
}

/// A decoded frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rpc {
    /// Slices and whether the sender wants them.
    pub subs: BTreeMap<Mask, bool>,
    /// Payloads.
    pub messages: Vec<Message>,
    /// Ids on offer, by full mask.
    pub ihave: BTreeMap<Mask, BTreeSet<MessageId>>,
    /// Ids asked for.
    pub iwant: BTreeSet<MessageId>,
    /// Slices whose mesh the sender put the receiver in.
    pub graft: BTreeSet<Mask>,
    /// Slices whose mesh the sender removed the receiver from, with the back-off it asks for, seconds.
    pub prune: BTreeMap<Mask, u64>,
    /// Ids the sender has.
    pub idontwant: BTreeSet<MessageId>,
}

/// A frame that breaks the format. Always the sender's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// Not the canonical encoding, or a list above its cap.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Nothing in it.
    #[error("empty frame")]
    Empty,
    /// A mask without bytes.
    #[error("empty mask")]
    EmptyMask,
    /// A mask with several bits where a slice is due.
    #[error("not a slice")]
    NotSlice,
    /// Masks not strictly ascending.
    #[error("masks out of order")]
    Order,
    /// An IHAVE without ids.
    #[error("empty list of ids")]
    EmptyIds,
    /// A payload of no bytes or above the cap of its class.
    #[error("payload of {0} bytes")]
    Payload(usize),
}

impl Rpc {
    /// Decodes and checks a frame, and hashes its payloads.
    ///
    /// Order of checks: length, structure and list caps, masks, payload sizes, hashes. Memory stays within a small
    /// multiple of `bytes`. Cost: one SHA3-256 over each payload; call it away from the thread that drives the router.
    ///
    /// # Errors
    /// [`WireError`]: the whole frame is refused.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let wire = decode_once(bytes)?;
        let rpc = Self {
            subs: ascending(wire.subs, |(m, on)| Ok((slice(&m)?, on)))?,
            ihave: ascending(wire.ihave, |(m, ids)| {
                Ok((
                    mask(&m)?,
                    Some(set(&ids))
                        .filter(|s| !s.is_empty())
                        .ok_or(WireError::EmptyIds)?,
                ))
            })?,
            iwant: set(&wire.iwant),
            graft: ascending(wire.graft, |m| Ok((slice(&m)?, ())))?
                .into_keys()
                .collect(),
            prune: ascending(wire.prune, |(m, s)| Ok((slice(&m)?, s)))?,
            idontwant: set(&wire.idontwant),
            messages: messages(wire.messages)?,
        };
        if rpc.is_empty() {
            Err(WireError::Empty)
        } else {
            Ok(rpc)
        }
    }

    /// Nothing to send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.subs.is_empty()
            && self.messages.is_empty()
            && self.ihave.is_empty()
            && self.iwant.is_empty()
            && self.graft.is_empty()
            && self.prune.is_empty()
            && self.idontwant.is_empty()
    }

    /// Encodes a frame. Lists above their caps are the caller's error and make a frame the receiver refuses.
    #[must_use]
    pub fn encode(&self) -> Frame {
        let mut w = Writer::default();
        w.list(self.subs.len());
        self.subs
            .iter()
            .for_each(|(m, on)| w.mask(m).byte(u8::from(*on)));
        w.list(self.messages.len());
        self.messages
            .iter()
            .for_each(|m| w.mask(&m.mask).shared(&m.data));
        w.list(self.ihave.len());
        self.ihave.iter().for_each(|(m, ids)| w.mask(m).ids(ids));
        w.ids(&self.iwant);
        w.list(self.graft.len());
        self.graft.iter().for_each(|m| {
            w.mask(m);
        });
        w.list(self.prune.len());
        self.prune.iter().for_each(|(m, s)| w.mask(m).long(*s));
        w.ids(&self.idontwant);
        w.finish()
    }
}

/// The codec's own decode compares a re-encoding in debug builds; with payloads of megabytes that doubles the work of
/// every frame, and the tests of this module make the comparison instead.
fn decode_once(bytes: &[u8]) -> Result<WireRpc, WireError> {
    if bytes.len() > FRAME_BYTES_MAX {
        return Err(DecodeError::TooLarge {
            len: bytes.len(),
            cap: FRAME_BYTES_MAX,
        }
        .into());
    }
    let mut rest = bytes;
    let wire =
        WireRpc::deserialize(&mut rest).map_err(|e| DecodeError::Malformed(e.to_string()))?;
    if rest.is_empty() {
        Ok(wire)
    } else {
        Err(DecodeError::Trailing(rest.len()).into())
    }
}

fn mask(bytes: &[u8]) -> Result<Mask, WireError> {
    Mask::new(bytes).map_err(|_| WireError::EmptyMask)
}

fn slice(bytes: &[u8]) -> Result<Mask, WireError> {
    mask(bytes).and_then(|m| {
        if m.is_slice() {
            Ok(m)
        } else {
            Err(WireError::NotSlice)
        }
    })
}

fn set(ids: &Ids) -> BTreeSet<MessageId> {
    ids.iter().copied().map(MessageId).collect()
}

/// A map from a list whose keys must be strictly ascending.
fn ascending<T, V, const N: usize>(
    list: Bounded<T, N>,
    entry: impl Fn(T) -> Result<(Mask, V), WireError>,
) -> Result<BTreeMap<Mask, V>, WireError> {
    let mut out = BTreeMap::new();
    for item in list {
        let (mask, value) = entry(item)?;
        if out.last_key_value().is_some_and(|(last, _)| *last >= mask) {
            return Err(WireError::Order);
        }
        out.insert(mask, value);
    }
    Ok(out)
}

fn messages(list: Bounded<WireMessage, RPC_MESSAGES_MAX>) -> Result<Vec<Message>, WireError> {
    let parse = |m: WireMessage| {
        let (mask, data) = (mask(&m.mask)?, Bytes::from(m.data.into_vec()));
        if data.is_empty() || data.len() > mask.class().payload_bytes_max() {
            return Err(WireError::Payload(data.len()));
        }
        Ok((mask, data))
    };
    // Every size is checked before the first hash.
    let checked = list.into_iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    Ok(checked
        .into_iter()
        .map(|(mask, data)| Message::new(mask, data))
        .collect())
}

/// An encoded frame as chunks to be written in order; large payloads are shared, not copied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    chunks: Vec<Bytes>,
}

impl Frame {
    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chunks.iter().map(Bytes::len).sum()
    }

    /// No bytes; never true of an encoded frame.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chunks.iter().all(Bytes::is_empty)
    }

    /// The chunks.
    #[must_use]
    pub fn into_chunks(self) -> Vec<Bytes> {
        self.chunks
    }

    /// One buffer. Copies.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        self.chunks.concat().into()
    }
}

#[derive(Default)]
struct Writer {
    chunks: Vec<Bytes>,
    tail: Vec<u8>,
}

impl Writer {
    fn list(&mut self, len: usize) {
        self.tail
            .extend_from_slice(&u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes());
    }

    fn mask(&mut self, mask: &Mask) -> &mut Self {
        self.list(mask.as_bytes().len());
        self.tail.extend_from_slice(mask.as_bytes());
        self
    }

    fn byte(&mut self, byte: u8) {
        self.tail.push(byte);
    }

    fn long(&mut self, value: u64) {
        self.tail.extend_from_slice(&value.to_le_bytes());
    }

    fn ids(&mut self, ids: &BTreeSet<MessageId>) {
        self.list(ids.len());
        ids.iter().for_each(|id| self.tail.extend_from_slice(&id.0));
    }

    fn shared(&mut self, data: &Bytes) {
        self.list(data.len());
        if data.len() < SHARE_BYTES_MIN {
            self.tail.extend_from_slice(data);
        } else {
            self.cut();
            self.chunks.push(data.clone());
        }
    }

    fn cut(&mut self) {
        if !self.tail.is_empty() {
            self.chunks.push(core::mem::take(&mut self.tail).into());
        }
    }

    fn finish(mut self) -> Frame {
        self.cut();
        Frame {
            chunks: self.chunks,
        }
    }
}

#[cfg(test)]
mod tests;
