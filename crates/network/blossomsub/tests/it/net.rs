//! A network of routers in one thread: seeded delays, loss, disconnects; every delivery goes into a trace digest.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use quil_blossomsub::{
    DeliveryReport, Direction, Input, Mask, Message, MessageId, Outbox, Output, Params, Router,
    Rpc, Verdict,
};
use quil_types::PeerKey;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use sha3::{Digest as _, Sha3_256};

use crate::lab::peer;

enum Event {
    Frame {
        from: usize,
        to: usize,
        bytes: Bytes,
        link: u64,
    },
    Verdict {
        at: usize,
        id: MessageId,
    },
}

pub(crate) struct Net {
    pub(crate) routers: Vec<Router>,
    index: BTreeMap<PeerKey, usize>,
    /// Connected pairs (lower index first) and the number of the connection.
    links: BTreeMap<(usize, usize), u64>,
    last_arrival: BTreeMap<(usize, usize), u64>,
    pub(crate) now: u64,
    queue: BTreeMap<(u64, u64), Event>,
    counter: u64,
    rng: ChaCha20Rng,
    /// Share of payloads and gossip lost, per cent. Subscriptions, GRAFTs and PRUNEs arrive: streams do not lose frames,
    /// full queues lose just these.
    pub(crate) loss: u64,
    pub(crate) delivered: BTreeMap<MessageId, BTreeSet<usize>>,
    pub(crate) payload_frames: u64,
    trace: Sha3_256,
}

impl Net {
    pub(crate) fn new(n: usize, seed: u8, params: &Params) -> Self {
        let router = |k: usize| {
            let mut s = [seed; 32];
            s[0] = u8::try_from(k).unwrap();
            Router::new(params.clone(), s, 0).unwrap()
        };
        Self {
            routers: (0..n).map(router).collect(),
            index: (0..n).map(|k| (peer(k), k)).collect(),
            links: BTreeMap::new(),
            last_arrival: BTreeMap::new(),
            now: 0,
            queue: BTreeMap::new(),
            counter: 0,
            rng: ChaCha20Rng::from_seed([seed; 32]),
            loss: 0,
            delivered: BTreeMap::new(),
            payload_frames: 0,
            trace: Sha3_256::new(),
        }
    }

    pub(crate) fn draw(&mut self, n: u64) -> u64 {
        self.rng.next_u64() % n
    }

    /// A ring with `extra` random chords per router.
    pub(crate) fn wire(&mut self, extra: usize) {
        let n = self.routers.len();
        for a in 0..n {
            self.link(a, (a + 1) % n);
            for _ in 0..extra {
                let b = usize::try_from(self.draw(n as u64)).unwrap();
                self.link(a, b);
            }
        }
    }

    pub(crate) fn link(&mut self, a: usize, b: usize) {
        let key = (a.min(b), a.max(b));
        if a == b || self.links.contains_key(&key) {
            return;
        }
        self.counter += 1;
        self.links.insert(key, self.counter);
        self.give(
            a,
            Input::Connected {
                peer: peer(b),
                direction: Direction::Outbound,
                ip: None,
            },
        );
        self.give(
            b,
            Input::Connected {
                peer: peer(a),
                direction: Direction::Inbound,
                ip: None,
            },
        );
    }

    pub(crate) fn cut(&mut self, a: usize, b: usize) {
        if self.links.remove(&(a.min(b), a.max(b))).is_some() {
            self.give(a, Input::Disconnected { peer: peer(b) });
            self.give(b, Input::Disconnected { peer: peer(a) });
        }
    }

    pub(crate) fn isolate(&mut self, a: usize) {
        (0..self.routers.len()).for_each(|b| self.cut(a, b));
    }

    pub(crate) fn subscribe(&mut self, at: usize, mask: Mask) {
        self.give(at, Input::Subscribe(mask));
    }

    pub(crate) fn publish(
        &mut self,
        at: usize,
        mask: Mask,
        data: impl Into<Bytes>,
    ) -> DeliveryReport {
        let out = self.give(
            at,
            Input::Publish {
                message: Message::new(mask, data.into()),
                again: false,
            },
        );
        out.into_iter()
            .find_map(|o| {
                if let Output::Published(r) = o {
                    Some(r)
                } else {
                    None
                }
            })
            .unwrap()
            .unwrap()
    }

    fn give(&mut self, at: usize, input: Input) -> Vec<Output> {
        let mut out = Outbox::default();
        self.routers[at].handle(self.now, input, &mut out);
        let outputs: Vec<Output> = out.drain().collect();
        for output in &outputs {
            self.trace.update(format!("{} {at} {output:?}", self.now));
            match output {
                Output::Wake(to) => self.flush(at, self.index[to]),
                Output::Validate { id, .. } => {
                    assert!(
                        self.delivered.entry(*id).or_default().insert(at),
                        "delivered once"
                    );
                    let after = 1 + self.draw(20);
                    self.schedule(self.now + after, Event::Verdict { at, id: *id });
                }
                _ => {}
            }
        }
        outputs
    }

    fn flush(&mut self, from: usize, to: usize) {
        while let Some(frame) = self.routers[from].next_frame(&peer(to)) {
            let Some(link) = self.links.get(&(from.min(to), from.max(to))).copied() else {
                continue;
            };
            let Some(bytes) = self.lossy(frame.to_bytes()) else {
                continue;
            };
            // A stream keeps its order.
            let after = self.now + 5 + self.draw(60);
            let at = after.max(self.last_arrival.get(&(from, to)).copied().unwrap_or(0));
            self.last_arrival.insert((from, to), at);
            self.schedule(
                at,
                Event::Frame {
                    from,
                    to,
                    bytes,
                    link,
                },
            );
        }
    }

    fn lossy(&mut self, bytes: Bytes) -> Option<Bytes> {
        let mut rpc = Rpc::decode(&bytes).unwrap();
        self.payload_frames += rpc.messages.len() as u64;
        let loss = self.loss;
        rpc.messages.retain(|_| self.rng.next_u64() % 100 >= loss);
        if self.draw(100) < loss {
            rpc.ihave.clear();
        }
        if self.draw(100) < loss {
            rpc.iwant.clear();
        }
        (!rpc.is_empty()).then(|| rpc.encode().to_bytes())
    }

    fn schedule(&mut self, at: u64, event: Event) {
        self.counter += 1;
        self.queue.insert((at, self.counter), event);
    }

    /// Runs until `ms` later.
    pub(crate) fn run(&mut self, ms: u64) {
        let end = self.now + ms;
        loop {
            let tick = (0..self.routers.len())
                .map(|k| (self.routers[k].deadline_ms(), k))
                .min()
                .unwrap();
            let next = self.queue.first_key_value().map_or(u64::MAX, |(k, _)| k.0);
            if tick.0.min(next) > end {
                break;
            }
            self.now = self.now.max(tick.0.min(next));
            if tick.0 <= next {
                self.give(tick.1, Input::Tick);
                continue;
            }
            match self.queue.pop_first().unwrap().1 {
                Event::Verdict { at, id } => {
                    self.give(
                        at,
                        Input::Validated {
                            id,
                            verdict: Verdict::Accept,
                        },
                    );
                }
                Event::Frame {
                    from,
                    to,
                    bytes,
                    link,
                } => {
                    if self.links.get(&(from.min(to), from.max(to))) == Some(&link) {
                        self.give(
                            to,
                            Input::Frame {
                                peer: peer(from),
                                bytes,
                            },
                        );
                    }
                }
            }
        }
        self.now = end;
    }

    pub(crate) fn digest(&self) -> [u8; 32] {
        self.trace.clone().finalize().into()
    }
}
