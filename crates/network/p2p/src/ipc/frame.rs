//! Frames of the link.

use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use quil_types::{Bounded, Canonical as _, canonical};

use super::{IpcError, WorkerCert};
use crate::limits::{IPC_DATA_BYTES_MAX, IPC_FRAME_BYTES_MAX, IPC_TOPIC_BYTES_MAX};

/// Room taken before the bytes of a frame have arrived.
const FIRST_BYTES: usize = 16 << 10;

/// Bytes of a topic.
pub(super) type Topic = Bounded<u8, IPC_TOPIC_BYTES_MAX>;
/// Bytes of a payload.
pub(super) type Data = Bounded<u8, IPC_DATA_BYTES_MAX>;

canonical! {
    /// One frame (W4).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum IpcFrame {
        /// First frame of the worker.
        Hello(WorkerCert) = 1,
        /// A message for whoever listens to the topic.
        Publish {
            /// Private topic.
            topic: Topic,
            /// Payload.
            data: Data,
        } = 2,
        /// A question.
        Request {
            /// Chosen by the asker, unique among its open requests.
            id: u64,
            /// Payload.
            data: Data,
        } = 3,
        /// The answer; none if the request was dropped.
        Response {
            /// Id of the request.
            id: u64,
            /// Payload.
            data: Option<Data>,
        } = 4,
        /// I am here.
        Heartbeat = 5,
    }
}

/// Writes one frame and flushes. Not cancel safe.
pub(super) async fn write<T: AsyncWrite + Unpin + Send>(
    io: &mut T,
    frame: &IpcFrame,
) -> Result<(), IpcError> {
    let body = frame.encode();
    let len = u32::try_from(body.len()).map_err(|_| IpcError::TooLarge)?;
    io.write_all(&len.to_le_bytes()).await?;
    io.write_all(&body).await?;
    io.flush().await?;
    Ok(())
}

/// Reads one frame of at most `max` bytes. Not cancel safe.
pub(super) async fn read<T: AsyncRead + Unpin + Send>(
    io: &mut T,
    max: usize,
) -> Result<IpcFrame, IpcError> {
    let mut head = [0; 4];
    io.read_exact(&mut head).await?;
    let len = u32::from_le_bytes(head);
    let wanted = usize::try_from(len).unwrap_or(usize::MAX);
    if wanted == 0 || wanted > max.min(IPC_FRAME_BYTES_MAX) {
        return Err(IpcError::FrameSize(len.into()));
    }
    let mut body = Vec::with_capacity(wanted.min(FIRST_BYTES));
    io.take(len.into()).read_to_end(&mut body).await?;
    if body.len() < wanted {
        return Err(IpcError::Eof);
    }
    IpcFrame::decode(&body, max).map_err(|_| IpcError::Malformed)
}

#[cfg(test)]
mod tests {
    use futures::io::Cursor;

    use super::*;

    fn frames() -> Vec<IpcFrame> {
        let data = Data::from_slice(&[1; 100]).unwrap();
        vec![
            IpcFrame::Heartbeat,
            IpcFrame::Publish {
                topic: Topic::from_slice(b"global").unwrap(),
                data: data.clone(),
            },
            IpcFrame::Request {
                id: 1,
                data: data.clone(),
            },
            IpcFrame::Response {
                id: 1,
                data: Some(data),
            },
            IpcFrame::Response { id: 2, data: None },
        ]
    }

    #[tokio::test]
    async fn frames_come_back_then_the_end() {
        let mut io = Cursor::new(Vec::new());
        for f in frames() {
            write(&mut io, &f).await.unwrap();
        }
        io.set_position(0);
        for f in frames() {
            assert_eq!(read(&mut io, IPC_FRAME_BYTES_MAX).await, Ok(f));
        }
        assert_eq!(read(&mut io, IPC_FRAME_BYTES_MAX).await, Err(IpcError::Eof));
    }

    #[tokio::test]
    async fn largest_payload_fits_one_more_byte_does_not() {
        assert!(Data::try_from(vec![0; IPC_DATA_BYTES_MAX + 1]).is_err());
        let data = Data::try_from(vec![0; IPC_DATA_BYTES_MAX]).unwrap();
        let topic = Topic::from_slice(&[0; IPC_TOPIC_BYTES_MAX]).unwrap();
        let frame = IpcFrame::Publish { topic, data };
        let mut io = Cursor::new(Vec::new());
        write(&mut io, &frame).await.unwrap();
        io.set_position(0);
        assert!(read(&mut io, IPC_FRAME_BYTES_MAX).await.is_ok());
    }

    #[tokio::test]
    async fn impossible_lengths_garbage_and_cuts_are_errors() {
        let over = u32::try_from(IPC_FRAME_BYTES_MAX + 1).unwrap();
        for len in [0, over, u32::MAX] {
            let e = read(&mut Cursor::new(len.to_le_bytes().to_vec()), usize::MAX).await;
            assert_eq!(e, Err(IpcError::FrameSize(len.into())));
        }
        let raw = |body: &[u8]| {
            Cursor::new([&u32::try_from(body.len()).unwrap().to_le_bytes()[..], body].concat())
        };
        assert_eq!(read(&mut raw(&[9]), 64).await, Err(IpcError::Malformed));
        assert_eq!(read(&mut raw(&[5, 0]), 64).await, Err(IpcError::Malformed));
        assert_eq!(
            read(&mut raw(&[0; 65]), 64).await,
            Err(IpcError::FrameSize(65)),
            "the caller's cap"
        );
        assert_eq!(
            read(&mut Cursor::new(vec![9, 0, 0, 0, 5]), 64).await,
            Err(IpcError::Eof)
        );
    }
}
