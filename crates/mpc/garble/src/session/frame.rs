//! Frames `type u8, length u32 big-endian, body` and the hash of both directions.

use quil_ot::context::Context;

use super::error::SessionError;

/// Bytes before the body.
pub const HEADER: usize = 5;
/// Longest body. The longest that occurs is a message of the transfer extension, some 130 KiB.
pub const MAX_BODY: usize = 1 << 18;

/// Frame types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Handshake.
    Hello = 1,
    /// Messages of the base transfers and seed trees.
    OtSetup = 2,
    /// Message of the transfer extension: the evaluator's choices, masked.
    OtExtension = 3,
    /// Public seed and labels of the garbler's inputs.
    GarblerLabels = 4,
    /// Tables of AND gates.
    Tables = 5,
    /// Decoding of the evaluator's outputs.
    OutDecode = 6,
    /// Labels of the garbler's outputs.
    OutLabels = 7,
    /// End, with the transcript hash.
    Done = 8,
    /// Nothing; keeps middleboxes from closing the connection. Extends no deadline.
    KeepAlive = 9,
    /// End, with an abort code.
    Abort = 10,
    /// Transfers from a stock: corrections of both sides. While a stock is made: messages of silent rounds, and the
    /// acknowledgement.
    OtStock = 11,
}

impl Kind {
    const ALL: [Self; 11] = [
        Self::Hello,
        Self::OtSetup,
        Self::OtExtension,
        Self::GarblerLabels,
        Self::Tables,
        Self::OutDecode,
        Self::OutLabels,
        Self::Done,
        Self::KeepAlive,
        Self::Abort,
        Self::OtStock,
    ];

    fn parse(byte: u8) -> Result<Self, SessionError> {
        Self::ALL
            .into_iter()
            .find(|kind| *kind as u8 == byte)
            .ok_or(SessionError::Frame)
    }

    /// Whether the frame counts for the transcript.
    const fn hashed(self) -> bool {
        !matches!(self, Self::Done | Self::KeepAlive | Self::Abort)
    }
}

/// Header of a frame, checked.
fn parse_header(header: &[u8; HEADER]) -> Result<(Kind, usize), SessionError> {
    let [kind, length @ ..] = *header;
    let kind = Kind::parse(kind)?;
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| SessionError::Frame)?;
    if length > MAX_BODY {
        Err(SessionError::Frame)
    } else {
        Ok((kind, length))
    }
}

/// Adds header and body hash of a frame to a transcript. A body by itself starts where the hash works on many chunks at
/// once; in one long stream it would not.
fn absorb(transcript: &mut blake3::Hasher, frame: &[u8]) {
    let (header, body) = frame.split_at(HEADER.min(frame.len()));
    transcript.update(header);
    transcript.update(blake3::hash(body).as_bytes());
}

/// Both directions of the stream: what was sent is hashed, what arrives is cut into frames and hashed.
#[derive(Debug, Default)]
pub(super) struct Link {
    sent: blake3::Hasher,
    received: blake3::Hasher,
    /// Bytes of a frame that is not complete.
    pending: Vec<u8>,
    /// Frames that arrived, keep-alives not counted.
    frames: u64,
}

impl Link {
    /// Appends a frame whose body `write` appends.
    pub(super) fn send(&mut self, out: &mut Vec<u8>, kind: Kind, write: impl FnOnce(&mut Vec<u8>)) {
        let start = out.len();
        out.extend_from_slice(&[kind as u8, 0, 0, 0, 0]);
        write(out);
        let frame = out.get_mut(start..).unwrap_or_default();
        let length = u32::try_from(frame.len().saturating_sub(HEADER)).unwrap_or(u32::MAX);
        if let Some(bytes) = frame.get_mut(1..HEADER) {
            bytes.copy_from_slice(&length.to_be_bytes());
        }
        if kind.hashed() {
            absorb(&mut self.sent, frame);
        }
    }

    /// Takes the next frame off `input`, or keeps what there is of it. The frame is handed to `handle` where it lies.
    pub(super) fn next<T>(
        &mut self,
        input: &mut &[u8],
        handle: impl FnOnce(&mut Self, Kind, &[u8]) -> Result<T, SessionError>,
    ) -> Result<Option<T>, SessionError> {
        if self.pending.is_empty() {
            let Some(header) = input.first_chunk() else {
                return Ok(self.keep(input));
            };
            let (kind, length) = parse_header(header)?;
            let Some((frame, rest)) = input.split_at_checked(length.saturating_add(HEADER)) else {
                return Ok(self.keep(input));
            };
            *input = rest;
            return self.deliver(kind, frame, handle).map(Some);
        }
        let missing = HEADER.saturating_sub(self.pending.len());
        self.fill(input, missing);
        let Some(header) = self.pending.first_chunk() else {
            return Ok(None);
        };
        let (kind, length) = parse_header(header)?;
        let missing = length
            .saturating_add(HEADER)
            .saturating_sub(self.pending.len());
        if self.fill(input, missing) < missing {
            return Ok(None);
        }
        let frame = core::mem::take(&mut self.pending);
        let result = self.deliver(kind, &frame, handle);
        self.pending = frame;
        self.pending.clear();
        result.map(Some)
    }

    fn deliver<T>(
        &mut self,
        kind: Kind,
        frame: &[u8],
        handle: impl FnOnce(&mut Self, Kind, &[u8]) -> Result<T, SessionError>,
    ) -> Result<T, SessionError> {
        if kind.hashed() {
            absorb(&mut self.received, frame);
            self.frames = self.frames.saturating_add(1);
        }
        handle(self, kind, frame.get(HEADER..).unwrap_or_default())
    }

    fn keep<T>(&mut self, input: &mut &[u8]) -> Option<T> {
        self.pending.extend_from_slice(input);
        *input = &[];
        None
    }

    /// Moves up to `count` bytes from the input; says how many.
    fn fill(&mut self, input: &mut &[u8], count: usize) -> usize {
        let (taken, rest) = input.split_at(count.min(input.len()));
        self.pending.extend_from_slice(taken);
        *input = rest;
        taken.len()
    }

    pub(super) const fn frames(&self) -> u64 {
        self.frames
    }

    /// Hash of everything so far; `garbler` tells which direction is which.
    pub(super) fn transcript(&self, context: &Context, garbler: bool) -> [u8; 32] {
        let (sent, received) = (self.sent.finalize(), self.received.finalize());
        let (first, second) = if garbler {
            (sent, received)
        } else {
            (received, sent)
        };
        context
            .hasher("transcript")
            .part(first.as_bytes())
            .part(second.as_bytes())
            .digest()
    }
}
