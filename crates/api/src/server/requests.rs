//! What a connection has in flight, and what follows from it.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::limits::{PIECE_BYTES, ServerLimits};

/// What should happen to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Keep,
    /// Finish what is in flight, then end.
    Close,
    /// End now.
    Drop,
}

/// Requests of one connection.
#[derive(Debug)]
pub(super) struct Requests {
    opened: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    next: u64,
    /// Whether there was any request.
    seen: bool,
    /// Since when nothing is in flight.
    idle_since: Instant,
    /// Start of each request in flight, oldest first; none for streams, which may last.
    in_flight: BTreeMap<u64, Option<Instant>>,
}

impl Requests {
    pub(super) fn new(now: Instant) -> Arc<Self> {
        Arc::new(Self {
            opened: now,
            state: Mutex::new(State {
                next: 0,
                seen: false,
                idle_since: now,
                in_flight: BTreeMap::new(),
            }),
        })
    }

    /// Counts a request until the guard is dropped.
    pub(super) fn enter(self: &Arc<Self>, now: Instant, stream: bool) -> InFlight {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let id = state.next;
        state.next = id.wrapping_add(1);
        state.seen = true;
        state.in_flight.insert(id, (!stream).then_some(now));
        InFlight {
            requests: Arc::clone(self),
            id,
        }
    }

    fn leave(&self, now: Instant, id: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.in_flight.remove(&id);
        state.idle_since = now;
    }

    pub(super) fn verdict(&self, now: Instant, limits: &ServerLimits) -> Verdict {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let age = now.saturating_duration_since(self.opened);
        let oldest = state.in_flight.values().flatten().next();
        if !state.seen && age >= limits.first_request
            || oldest.is_some_and(|t| now.saturating_duration_since(*t) >= limits.answer)
        {
            return Verdict::Drop;
        }
        let idle = now.saturating_duration_since(state.idle_since);
        if state.in_flight.is_empty() && idle >= limits.idle || age >= limits.age {
            return Verdict::Close;
        }
        Verdict::Keep
    }
}

/// A request in flight.
#[derive(Debug)]
pub(super) struct InFlight {
    requests: Arc<Requests>,
    id: u64,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.requests.leave(Instant::now(), self.id);
    }
}

/// The body of an answer: handed out in small pieces, and in flight until the last of them is taken.
pub(super) struct Held {
    body: Body,
    /// Rest of a piece that was too large.
    rest: Bytes,
    _in_flight: InFlight,
    _permit: OwnedSemaphorePermit,
}

impl Held {
    pub(super) const fn new(body: Body, in_flight: InFlight, permit: OwnedSemaphorePermit) -> Self {
        Self {
            body,
            rest: Bytes::new(),
            _in_flight: in_flight,
            _permit: permit,
        }
    }

    fn piece(&mut self, mut data: Bytes) -> Frame<Bytes> {
        let piece = data.split_to(data.len().min(PIECE_BYTES));
        self.rest = data;
        Frame::data(piece)
    }
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if !self.rest.is_empty() {
            let rest = std::mem::take(&mut self.rest);
            return Poll::Ready(Some(Ok(self.piece(rest))));
        }
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        polled.map_ok(|frame| match frame.into_data() {
            Ok(data) => self.piece(data),
            Err(other) => other,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        // Asked for before the first piece; afterwards the rest counts too.
        let left = self.rest.len() as u64;
        let inner = self.body.size_hint();
        let mut hint = SizeHint::new();
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.saturating_add(left));
        }
        hint.set_lower(inner.lower().saturating_add(left));
        hint
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http_body_util::BodyExt as _;
    use tokio::sync::Semaphore;

    use super::*;

    const LIMITS: ServerLimits = ServerLimits {
        connections: 1,
        connections_per_peer: 1,
        requests: 1,
        streams: 1,
        first_request: Duration::from_secs(1),
        body: Duration::from_secs(1),
        work: Duration::from_secs(1),
        answer: Duration::from_secs(2),
        idle: Duration::from_secs(3),
        age: Duration::from_secs(10),
        grace: Duration::from_secs(1),
    };

    fn after(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    #[test]
    fn silence_after_connecting_is_dropped() {
        let t = Instant::now();
        let requests = Requests::new(t);
        assert_eq!(requests.verdict(after(t, 999), &LIMITS), Verdict::Keep);
        assert_eq!(requests.verdict(after(t, 1000), &LIMITS), Verdict::Drop);
    }

    #[test]
    fn answer_that_is_not_taken_is_dropped_but_a_stream_may_last() {
        let t = Instant::now();
        let requests = Requests::new(t);
        let _stream = requests.enter(t, true);
        assert_eq!(requests.verdict(after(t, 9999), &LIMITS), Verdict::Keep);
        let _old = requests.enter(after(t, 500), false);
        let _new = requests.enter(after(t, 1500), false);
        assert_eq!(requests.verdict(after(t, 2499), &LIMITS), Verdict::Keep);
        assert_eq!(requests.verdict(after(t, 2500), &LIMITS), Verdict::Drop);
    }

    #[test]
    fn idle_and_old_connections_are_closed() {
        let t = Instant::now();
        let requests = Requests::new(t);
        let first = requests.enter(t, false);
        requests.leave(after(t, 1500), first.id);
        assert_eq!(requests.verdict(after(t, 4499), &LIMITS), Verdict::Keep);
        assert_eq!(requests.verdict(after(t, 4500), &LIMITS), Verdict::Close);
        let _busy = requests.enter(after(t, 9500), false);
        assert_eq!(requests.verdict(after(t, 9999), &LIMITS), Verdict::Keep);
        assert_eq!(requests.verdict(after(t, 10_000), &LIMITS), Verdict::Close);
    }

    #[tokio::test]
    async fn large_body_comes_in_small_pieces_and_stays_in_flight_until_the_last() {
        let permits = Arc::new(Semaphore::new(1));
        let permit = Arc::clone(&permits).try_acquire_owned().unwrap();
        let requests = Requests::new(Instant::now());
        let in_flight = requests.enter(Instant::now(), false);
        let whole: Vec<u8> = (0..100_000_u32).map(|i| i.to_le_bytes()[0]).collect();
        let mut held = Held::new(Body::from(whole.clone()), in_flight, permit);
        assert_eq!(held.size_hint().exact(), Some(100_000));
        let mut got = Vec::new();
        while let Some(frame) = held.frame().await {
            let data = frame.unwrap().into_data().unwrap();
            assert!(data.len() <= PIECE_BYTES);
            got.extend_from_slice(&data);
            assert_eq!(held.size_hint().exact(), Some(100_000 - got.len() as u64));
            assert_eq!(held.is_end_stream(), got.len() == 100_000);
            assert_eq!(permits.available_permits(), 0);
        }
        assert_eq!(got, whole);
        drop(held);
        assert_eq!(permits.available_permits(), 1);
        assert!(requests.state.lock().unwrap().in_flight.is_empty());
    }
}
