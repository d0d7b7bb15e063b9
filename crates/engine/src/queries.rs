//! Reads of what is durable: catch-up answers and what the API shows (W3).

use quil_types::limits::{
    FRAMES_PER_RESPONSE_MAX, FRAMES_RESPONSE_BYTES_MAX, HEADER_BYTES_MAX, PROPOSAL_BYTES_MAX,
    PROPOSALS_PER_REQUEST_MAX,
};
use quil_types::{
    Bounded, Canonical, Chain, Epoch, EpochProof, FinalityProof, FrameId, FrameNumber,
    FramesRequest, FramesResponse, Header, Proposal, Receipt, SealedFrame, TxId,
};

use crate::chain::TxPosition;
use crate::error::LocalFault;
use crate::keys;
use crate::tables::{Reader, Table};

fn fault(e: impl core::fmt::Display) -> LocalFault {
    LocalFault::Store(e.to_string())
}

fn get<T: Canonical, R: Reader>(
    reader: &R,
    table: Table,
    key: &[u8],
    cap: usize,
) -> Result<Option<T>, LocalFault> {
    let Some(bytes) = reader.get(table, key).map_err(fault)? else {
        return Ok(None);
    };
    T::decode(&bytes, cap)
        .map(Some)
        .map_err(|_| LocalFault::Corrupt {
            table: table.name(),
        })
}

/// The last final header.
///
/// # Errors
/// [`LocalFault`].
pub fn last_final<R: Reader>(reader: &R) -> Result<Option<Header>, LocalFault> {
    get(reader, Table::Meta, keys::LAST_FINAL, HEADER_BYTES_MAX)
}

/// A final frame.
///
/// # Errors
/// [`LocalFault`].
pub fn frame<R: Reader>(
    reader: &R,
    number: FrameNumber,
) -> Result<Option<SealedFrame>, LocalFault> {
    get(
        reader,
        Table::Frames,
        &keys::number(number),
        PROPOSAL_BYTES_MAX,
    )
}

/// The finality proof stored for exactly this frame.
///
/// # Errors
/// [`LocalFault`].
pub fn finality_proof<R: Reader>(
    reader: &R,
    number: FrameNumber,
) -> Result<Option<FinalityProof>, LocalFault> {
    get(
        reader,
        Table::FinalityProofs,
        &keys::number(number),
        PROPOSAL_BYTES_MAX,
    )
}

/// The proof that closed an epoch.
///
/// # Errors
/// [`LocalFault`].
pub fn epoch_proof<R: Reader>(reader: &R, epoch: Epoch) -> Result<Option<EpochProof>, LocalFault> {
    get(
        reader,
        Table::EpochProofs,
        &keys::epoch(epoch),
        PROPOSAL_BYTES_MAX,
    )
}

/// A final global header that a shard keeps.
///
/// # Errors
/// [`LocalFault`].
pub fn global_header<R: Reader>(
    reader: &R,
    number: FrameNumber,
) -> Result<Option<Header>, LocalFault> {
    get(
        reader,
        Table::GlobalHeaders,
        &keys::number(number),
        HEADER_BYTES_MAX,
    )
}

/// Where an executed bundle stands and what it gave.
///
/// # Errors
/// [`LocalFault`].
pub fn transaction<R: Reader>(
    reader: &R,
    tx: TxId,
) -> Result<Option<(TxPosition, Receipt)>, LocalFault> {
    let position: Option<TxPosition> = get(reader, Table::Transactions, &tx.0, 64)?;
    let Some(position) = position else {
        return Ok(None);
    };
    let mut key = keys::number(position.number);
    key.extend_from_slice(&position.index.to_be_bytes());
    let receipt: Option<Receipt> = get(reader, Table::Receipts, &key, 1024)?;
    receipt
        .map(|r| Some((position, r)))
        .ok_or(LocalFault::Corrupt {
            table: Table::Receipts.name(),
        })
}

/// Candidates that are kept, by position.
///
/// # Errors
/// [`LocalFault`].
pub fn candidates<R: Reader>(reader: &R, max: usize) -> Result<Vec<Proposal>, LocalFault> {
    let rows = reader.range(Table::Candidates, &[], max).map_err(fault)?;
    let decode = |(_, v): (Vec<u8>, Vec<u8>)| Proposal::decode(&v, PROPOSAL_BYTES_MAX);
    rows.into_iter()
        .map(decode)
        .collect::<Result<_, _>>()
        .map_err(|_| LocalFault::Corrupt {
            table: "candidates",
        })
}

/// Answers a catch-up request from the store (W3).
///
/// Frames of one answer are of one epoch and end at a frame that has a proof of its own; an answer that ends with the
/// closing frame carries the epoch's proof.
///
/// # Errors
/// [`LocalFault`] when the store fails.
pub fn serve<R: Reader>(
    reader: &R,
    own: Chain,
    request: &FramesRequest,
) -> Result<FramesResponse, LocalFault> {
    match request {
        FramesRequest::Head { chain } if *chain == own => serve_head(reader),
        FramesRequest::Frames { chain, from, max } if *chain == own => {
            serve_frames(reader, *from, *max)
        }
        FramesRequest::Proposals { chain, ids } if *chain == own => serve_proposals(reader, ids),
        _ => Ok(FramesResponse::Unknown),
    }
}

fn serve_head<R: Reader>(reader: &R) -> Result<FramesResponse, LocalFault> {
    let Some(header) = last_final(reader)? else {
        return Ok(FramesResponse::Unknown);
    };
    let proof = finality_proof(reader, header.number)?.map(Box::new);
    Ok(FramesResponse::Head {
        number: header.number,
        id: header.id(),
        proof,
    })
}

fn serve_frames<R: Reader>(
    reader: &R,
    from: FrameNumber,
    max: u16,
) -> Result<FramesResponse, LocalFault> {
    let mut frames: Vec<SealedFrame> = Vec::new();
    let mut bytes = 0usize;
    let mut at = from;
    while frames.len() < usize::from(max).min(FRAMES_PER_RESPONSE_MAX) {
        let Some(frame) = frame(reader, at)? else {
            break;
        };
        if frames
            .first()
            .is_some_and(|f| f.header.epoch != frame.header.epoch)
        {
            break;
        }
        bytes = bytes.saturating_add(frame.encode().len());
        // Room for the proofs; a single frame always goes.
        if !frames.is_empty() && bytes > FRAMES_RESPONSE_BYTES_MAX / 2 {
            break;
        }
        at = frame.header.number.next();
        frames.push(frame);
    }
    with_proof(reader, frames)
}

/// Cuts back to the last frame that has a proof of its own.
fn with_proof<R: Reader>(
    reader: &R,
    mut frames: Vec<SealedFrame>,
) -> Result<FramesResponse, LocalFault> {
    while let Some(last) = frames.last() {
        let header = &last.header;
        if let Some(closed) =
            epoch_proof(reader, header.epoch)?.filter(|p| p.closing.number == header.number)
        {
            let epochs = Bounded::try_from(vec![closed]).unwrap_or_default();
            return Ok(FramesResponse::Frames {
                frames: bound(frames),
                proof: None,
                epochs,
            });
        }
        if let Some(proof) = finality_proof(reader, header.number)? {
            let proof = Some(Box::new(proof));
            return Ok(FramesResponse::Frames {
                frames: bound(frames),
                proof,
                epochs: Bounded::new(),
            });
        }
        frames.pop();
    }
    Ok(FramesResponse::Frames {
        frames: Bounded::new(),
        proof: None,
        epochs: Bounded::new(),
    })
}

fn bound<T, const N: usize>(items: Vec<T>) -> Bounded<T, N> {
    // The loop above stops at the same limit.
    Bounded::try_from(items).unwrap_or_default()
}

fn serve_proposals<R: Reader>(
    reader: &R,
    ids: &Bounded<FrameId, PROPOSALS_PER_REQUEST_MAX>,
) -> Result<FramesResponse, LocalFault> {
    let known = candidates(reader, quil_hotstuff::limits::FOREST_FRAMES_MAX)?;
    let wanted = |p: &Proposal| ids.contains(&p.header.id()) && !p.vote.signature.is_empty();
    let found: Vec<_> = known.into_iter().filter(wanted).collect();
    Ok(FramesResponse::Proposals(bound(found)))
}
