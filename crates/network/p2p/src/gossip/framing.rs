//! Frames on a gossip stream: u32 little-endian length, then the encoded frame.

use std::io;

use bytes::Bytes;
use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use quil_blossomsub::{Frame, Rpc, WireError, limits::FRAME_BYTES_MAX};
use tokio::time::timeout;

use crate::limits::{FRAME_TIMEOUT, OFFLOAD_BYTES_MIN};

/// Room taken before the bytes of a frame have arrived: a length alone makes nobody allocate megabytes.
const FIRST_BYTES: usize = 16 << 10;

/// Writes one frame and flushes. Not cancel safe: a dropped call leaves part of a frame on the stream.
pub(crate) async fn write<T: AsyncWrite + Unpin + Send>(
    io: &mut T,
    frame: Frame,
) -> io::Result<()> {
    let len = u32::try_from(frame.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let write = async {
        io.write_all(&len.to_le_bytes()).await?;
        for chunk in frame.into_chunks() {
            io.write_all(&chunk).await?;
        }
        io.flush().await
    };
    timeout(FRAME_TIMEOUT, write).await?
}

/// Reads one frame; `None` at the end of the stream. Not cancel safe.
///
/// # Errors
/// `InvalidData` for a length of zero or above [`FRAME_BYTES_MAX`]: the stream cannot be used any more.
pub(crate) async fn read<T: AsyncRead + Unpin + Send>(io: &mut T) -> io::Result<Option<Bytes>> {
    let mut head = [0; 4];
    match io.read_exact(&mut head).await {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let len = usize::try_from(u32::from_le_bytes(head)).unwrap_or(usize::MAX);
    if len == 0 || len > FRAME_BYTES_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut body = Vec::with_capacity(len.min(FIRST_BYTES));
    let wanted = u64::try_from(len).unwrap_or(u64::MAX);
    timeout(FRAME_TIMEOUT, io.take(wanted).read_to_end(&mut body)).await??;
    if body.len() == len {
        Ok(Some(body.into()))
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// Decodes a frame, a large one away from the connection's task.
pub(crate) async fn decode(bytes: Bytes) -> Result<Rpc, WireError> {
    if bytes.len() < OFFLOAD_BYTES_MIN {
        return Rpc::decode(&bytes);
    }
    // A panic or a shutdown of the pool is not the peer's fault, but there is no frame either.
    tokio::task::spawn_blocking(move || Rpc::decode(&bytes))
        .await
        .unwrap_or(Err(WireError::Empty))
}

#[cfg(test)]
mod tests {
    use futures::io::Cursor;
    use quil_blossomsub::{Mask, Message};

    use super::*;

    fn rpc(len: usize) -> Rpc {
        let message = Message::new(Mask::GLOBAL_FRAMES, vec![7; len].into());
        Rpc {
            messages: vec![message],
            ..Rpc::default()
        }
    }

    #[tokio::test]
    async fn frames_come_back_in_order_then_the_end() {
        let mut buffer = Cursor::new(Vec::new());
        for len in [1, 2000, 100_000] {
            write(&mut buffer, rpc(len).encode()).await.unwrap();
        }
        buffer.set_position(0);
        for len in [1, 2000, 100_000] {
            let bytes = read(&mut buffer).await.unwrap().unwrap();
            assert_eq!(decode(bytes).await, Ok(rpc(len)));
        }
        assert_eq!(read(&mut buffer).await.unwrap(), None);
    }

    #[tokio::test]
    async fn impossible_lengths_and_cut_frames_are_errors() {
        let over = u32::try_from(FRAME_BYTES_MAX + 1).unwrap();
        for len in [0, over, u32::MAX] {
            let e = read(&mut Cursor::new(len.to_le_bytes().to_vec()))
                .await
                .unwrap_err();
            assert_eq!(e.kind(), io::ErrorKind::InvalidData, "{len}");
        }
        let cut = [&9u32.to_le_bytes()[..], &[1, 2, 3]].concat();
        assert_eq!(
            read(&mut Cursor::new(cut)).await.unwrap_err().kind(),
            io::ErrorKind::UnexpectedEof
        );
    }
}
