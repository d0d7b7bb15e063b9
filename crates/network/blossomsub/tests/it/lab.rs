//! One router and scripted peers.

use std::collections::BTreeSet;
use std::net::IpAddr;

use bytes::Bytes;
use quil_blossomsub::{
    DeliveryReport, Direction, Input, Mask, Message, MessageId, Outbox, Output, Params,
    PublishError, Router, Rpc, Verdict,
};
use quil_types::PeerKey;

pub(crate) const ZERO: Mask = Mask::GLOBAL_FRAMES;

pub(crate) fn peer(n: usize) -> PeerKey {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&(n as u64 + 1).to_be_bytes());
    PeerKey(key)
}

pub(crate) fn mask(bytes: &[u8]) -> Mask {
    Mask::new(bytes).unwrap()
}

pub(crate) fn text(mask: Mask, data: &str) -> Message {
    Message::new(mask, Bytes::copy_from_slice(data.as_bytes()))
}

pub(crate) fn id(n: usize) -> MessageId {
    let mut id = [0xab; 32];
    id[..8].copy_from_slice(&(n as u64).to_be_bytes());
    MessageId(id)
}

#[derive(Clone)]
pub(crate) struct Lab {
    pub(crate) router: Router,
    pub(crate) now: u64,
    pub(crate) outputs: Vec<Output>,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self::with(Params::default())
    }

    pub(crate) fn with(params: Params) -> Self {
        Self {
            router: Router::new(params, [7; 32], 1_000_000).unwrap(),
            now: 1_000_000,
            outputs: Vec::new(),
        }
    }

    /// Subscribed to `masks`, with `n` inbound peers that hold all their slices.
    pub(crate) fn meshed(n: usize, masks: &[Mask]) -> Self {
        let mut lab = Self::new();
        masks.iter().for_each(|m| lab.give(Input::Subscribe(*m)));
        (0..n).for_each(|p| lab.join(p, Direction::Inbound, masks));
        lab
    }

    pub(crate) fn give(&mut self, input: Input) {
        let mut out = Outbox::default();
        self.router.handle(self.now, input, &mut out);
        self.outputs.extend(out.drain());
    }

    pub(crate) fn connect(&mut self, n: usize, direction: Direction, ip: Option<IpAddr>) {
        self.give(Input::Connected {
            peer: peer(n),
            direction,
            ip,
        });
    }

    pub(crate) fn join(&mut self, n: usize, direction: Direction, masks: &[Mask]) {
        self.connect(n, direction, None);
        self.announce(n, masks, true);
    }

    pub(crate) fn announce(&mut self, n: usize, masks: &[Mask], on: bool) {
        let subs = masks
            .iter()
            .flat_map(Mask::slices)
            .map(|s| (s, on))
            .collect();
        self.send(
            n,
            Rpc {
                subs,
                ..Rpc::default()
            },
        );
    }

    /// A frame of peer `n`, through the encoder and the decoder.
    pub(crate) fn send(&mut self, n: usize, rpc: Rpc) {
        self.give(Input::Frame {
            peer: peer(n),
            bytes: rpc.encode().to_bytes(),
        });
    }

    pub(crate) fn payload(&mut self, n: usize, m: &Message) {
        self.send(
            n,
            Rpc {
                messages: vec![m.clone()],
                ..Rpc::default()
            },
        );
    }

    pub(crate) fn verdict(&mut self, id: MessageId, verdict: Verdict) {
        self.give(Input::Validated { id, verdict });
    }

    pub(crate) fn graft(&mut self, n: usize, slices: &[Mask]) {
        self.send(
            n,
            Rpc {
                graft: slices.iter().copied().collect(),
                ..Rpc::default()
            },
        );
    }

    pub(crate) fn prune(&mut self, n: usize, slice: Mask, seconds: u64) {
        self.send(
            n,
            Rpc {
                prune: [(slice, seconds)].into(),
                ..Rpc::default()
            },
        );
    }

    pub(crate) fn publish(
        &mut self,
        mask: Mask,
        data: impl Into<Bytes>,
    ) -> Result<DeliveryReport, PublishError> {
        self.give(Input::Publish {
            message: Message::new(mask, data.into()),
            again: false,
        });
        match self
            .outputs
            .iter()
            .rfind(|o| matches!(o, Output::Published(_)))
        {
            Some(Output::Published(report)) => *report,
            _ => panic!("every publish is answered"),
        }
    }

    /// Lets heartbeats happen until `ms` later.
    pub(crate) fn wait(&mut self, ms: u64) {
        let end = self.now + ms;
        while self.router.deadline_ms() <= end {
            self.now = self.router.deadline_ms();
            self.give(Input::Tick);
        }
        self.now = end;
    }

    pub(crate) fn beat(&mut self) {
        self.now = self.router.deadline_ms();
        self.give(Input::Tick);
    }

    /// All frames that wait for peer `n`, merged.
    pub(crate) fn take(&mut self, n: usize) -> Rpc {
        let mut all = Rpc::default();
        while let Some(frame) = self.router.next_frame(&peer(n)) {
            let rpc = Rpc::decode(&frame.to_bytes()).unwrap();
            all.subs.extend(rpc.subs);
            all.messages.extend(rpc.messages);
            for (mask, ids) in rpc.ihave {
                all.ihave.entry(mask).or_default().extend(ids);
            }
            all.iwant.extend(rpc.iwant);
            all.graft.extend(rpc.graft);
            all.prune.extend(rpc.prune);
            all.idontwant.extend(rpc.idontwant);
        }
        all
    }

    pub(crate) fn clear(&mut self) {
        let peers: Vec<PeerKey> = self.router.peers().collect();
        for p in peers {
            while self.router.next_frame(&p).is_some() {}
        }
        self.outputs.clear();
    }

    pub(crate) fn members(&self, mask: &Mask) -> BTreeSet<PeerKey> {
        self.router.members_of(mask)
    }

    pub(crate) fn score(&self, n: usize) -> i64 {
        self.router.score(&peer(n))
    }

    pub(crate) fn to_validate(&self) -> Vec<MessageId> {
        self.outputs
            .iter()
            .filter_map(|o| {
                if let Output::Validate { id, .. } = o {
                    Some(*id)
                } else {
                    None
                }
            })
            .collect()
    }

    pub(crate) fn graylisted(&self, n: usize) -> bool {
        self.outputs.contains(&Output::Graylisted(peer(n)))
    }
}
