//! Catch-up requests (W3): one opaque, bounded request and response per stream, and the rate one peer may ask at.

use std::{collections::BTreeMap, io};

use bytes::Bytes;
use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use libp2p::{StreamProtocol, request_response::Codec};
use quil_types::PeerKey;

use crate::limits::{REQUEST_BURST, REQUEST_BYTES_MAX, REQUESTS_PER_SECOND, RESPONSE_BYTES_MAX};

/// Buckets kept; full ones are forgotten first.
const BUCKETS_MAX: usize = 1024;

/// Reads and writes the bytes of a request or response; the end of the stream is the end of the message.
#[derive(Clone, Debug, Default)]
pub(crate) struct Opaque;

async fn read<T: AsyncRead + Unpin + Send>(io: &mut T, max: usize) -> io::Result<Bytes> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    io.take(limit).read_to_end(&mut bytes).await?;
    if bytes.is_empty() || bytes.len() > max {
        Err(io::ErrorKind::InvalidData.into())
    } else {
        Ok(bytes.into())
    }
}

impl Codec for Opaque {
    type Protocol = StreamProtocol;
    type Request = Bytes;
    type Response = Bytes;

    async fn read_request<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<Bytes> {
        read(io, REQUEST_BYTES_MAX).await
    }

    async fn read_response<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<Bytes> {
        read(io, RESPONSE_BYTES_MAX).await
    }

    async fn write_request<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        request: Bytes,
    ) -> io::Result<()> {
        io.write_all(&request).await
    }

    async fn write_response<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        response: Bytes,
    ) -> io::Result<()> {
        io.write_all(&response).await
    }
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// Thousandths of a request.
    level: u64,
    at_ms: u64,
}

/// Token buckets, one per peer. A peer that reconnects finds its bucket as it left it.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    buckets: BTreeMap<PeerKey, Bucket>,
}

const FULL: u64 = REQUEST_BURST * 1000;

impl Bucket {
    const fn refilled(self, now_ms: u64) -> Self {
        let gained = now_ms
            .saturating_sub(self.at_ms)
            .saturating_mul(REQUESTS_PER_SECOND);
        let level = self.level.saturating_add(gained);
        Self {
            level: if level > FULL { FULL } else { level },
            at_ms: now_ms,
        }
    }
}

impl Rates {
    /// Takes one request from the peer's bucket; `false` if it is empty.
    pub(crate) fn take(&mut self, peer: PeerKey, now_ms: u64) -> bool {
        if self.buckets.len() >= BUCKETS_MAX && !self.buckets.contains_key(&peer) {
            self.buckets.retain(|_, b| b.refilled(now_ms).level < FULL);
            if self.buckets.len() >= BUCKETS_MAX {
                return false;
            }
        }
        let bucket = self.buckets.entry(peer).or_insert(Bucket {
            level: FULL,
            at_ms: now_ms,
        });
        *bucket = bucket.refilled(now_ms);
        let enough = bucket.level >= 1000;
        bucket.level = bucket.level.saturating_sub(if enough { 1000 } else { 0 });
        enough
    }
}

#[cfg(test)]
mod tests {
    use futures::io::Cursor;

    use super::*;

    #[test]
    fn burst_then_rate() {
        let (mut r, p) = (Rates::default(), PeerKey([1; 32]));
        let granted = (0..200).filter(|_| r.take(p, 0)).count();
        assert_eq!(granted, usize::try_from(REQUEST_BURST).unwrap());
        let granted = (0..200).filter(|_| r.take(p, 1000)).count();
        assert_eq!(granted, usize::try_from(REQUESTS_PER_SECOND).unwrap());
        assert!(r.take(PeerKey([2; 32]), 1000), "per peer");
        assert!(!r.take(p, 0), "a clock that runs back gives nothing");
        let granted = (0..200).filter(|_| r.take(p, u64::MAX)).count();
        assert_eq!(
            granted,
            usize::try_from(REQUEST_BURST).unwrap(),
            "never above the burst"
        );
    }

    #[test]
    fn buckets_are_bounded() {
        let mut r = Rates::default();
        let key = |n: usize| {
            let mut k = [0; 32];
            k[..8].copy_from_slice(&n.to_be_bytes());
            PeerKey(k)
        };
        assert!((0..BUCKETS_MAX).all(|n| r.take(key(n), 0)));
        assert!(!r.take(key(BUCKETS_MAX), 0), "all buckets are in use");
        assert!(r.take(key(BUCKETS_MAX), 1000), "full ones are forgotten");
        assert!(r.buckets.len() <= BUCKETS_MAX);
    }

    #[tokio::test]
    async fn sizes_are_checked_while_reading() {
        let p = StreamProtocol::new("/x");
        let mut c = Opaque;
        let bytes = |n: usize| Cursor::new(vec![1; n]);
        assert_eq!(
            c.read_request(&p, &mut bytes(REQUEST_BYTES_MAX))
                .await
                .unwrap()
                .len(),
            REQUEST_BYTES_MAX
        );
        assert!(
            c.read_request(&p, &mut bytes(REQUEST_BYTES_MAX + 1))
                .await
                .is_err()
        );
        assert!(
            c.read_response(&p, &mut bytes(REQUEST_BYTES_MAX + 1))
                .await
                .is_ok()
        );
        assert!(
            c.read_response(&p, &mut bytes(RESPONSE_BYTES_MAX + 1))
                .await
                .is_err()
        );
        assert!(
            c.read_response(&p, &mut bytes(0)).await.is_err(),
            "a refused request has no answer"
        );
    }
}
