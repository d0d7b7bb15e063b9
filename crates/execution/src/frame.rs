//! Frame execution (F1, C4): bundles in frame order on one overlay, proofs in batches.

mod actions;

use std::sync::Arc;

use quil_bulletproofs::RangeSuite;
use quil_types::limits::{ACTIONS_MAX, BUNDLES_PER_BODY_MAX};
use quil_types::{Body, Bounded, Bundle, Code, Receipt};

use crate::fee::Fullness;
use crate::rules::Rules;
use crate::state::{Overlay, StateFault, StateView, WriteSet};
use crate::token::{
    BundleHash, Checked, Moment, ProofCache, Ready, Refusal, apply, contextual, stateless,
    verify_cached,
};

/// Encoded bytes of a shard body beside its bundles: discriminant and count.
pub(crate) const BODY_OVERHEAD_BYTES: u64 = 5;

/// What a frame executes under.
#[derive(Clone, Copy, Debug)]
pub struct FrameContext<'a> {
    /// Constants of the network.
    pub rules: &'a Rules,
    /// Anchor, version and multiplier of the executing header.
    pub moment: Moment,
    /// Generators of the proofs.
    pub suite: &'a RangeSuite,
    /// Verdicts of proofs that were checked before.
    pub cache: &'a ProofCache,
}

/// What executing a shard body gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameResult {
    /// The changed records, in key order.
    pub writes: WriteSet,
    /// One receipt per bundle, in order.
    pub receipts: Vec<Receipt>,
    /// Encoded size of the body.
    pub bytes: u64,
    /// Cost of the body, microseconds (C4).
    pub cost_us: u64,
    /// How full the frame is, for the child's multiplier (F2).
    pub fullness: Fullness,
}

/// Why a body is invalid; every voter comes to the same result (C4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A global body on a shard chain.
    #[error("not a shard body")]
    WrongChain,
    /// Above `limits.body_bytes`.
    #[error("body has {bytes} bytes, {limit} are allowed")]
    TooLarge {
        /// Encoded size.
        bytes: u64,
        /// Allowed size.
        limit: u64,
    },
    /// Above `limits.body_cost_us`.
    #[error("body costs {cost_us} us, {limit} are allowed")]
    TooCostly {
        /// Cost.
        cost_us: u64,
        /// Allowed cost.
        limit: u64,
    },
    /// A bundle's fee part does not apply (F1).
    #[error("bundle {index}: {code}")]
    Refused {
        /// Position in the body.
        index: usize,
        /// The first broken rule.
        code: Code,
    },
    /// The local state cannot answer; says nothing about the frame.
    #[error(transparent)]
    Fault(#[from] StateFault),
}

/// Executes a shard body.
///
/// All fee parts are applied in order first and their proofs verified in one batch after that: nothing leaves
/// the function unless every proof holds. Where several bundles are bad, one that fails against the state is
/// named before one whose proofs fail.
///
/// # Errors
/// [`FrameError`], one variant per rule.
pub fn execute<S: StateView>(
    view: S,
    body: &Body,
    ctx: &FrameContext<'_>,
) -> Result<FrameResult, FrameError> {
    let Body::Shard(bundles) = body else {
        return Err(FrameError::WrongChain);
    };
    let checked = check_all(bundles, ctx)?;
    let load = Load::of(&checked);
    load.within(ctx.rules)?;
    let mut overlay = Overlay::new(view);
    let mut ready = Vec::with_capacity(checked.len());
    let mut receipts = Vec::with_capacity(checked.len());
    for (index, bundle) in checked.iter().enumerate() {
        let (r, receipt) = apply_bundle(&mut overlay, bundle, ctx).map_err(|e| at(index, e))?;
        ready.push(r);
        receipts.push(receipt);
    }
    for (index, verdict) in verify_cached(ctx.cache, ctx.suite, &ready)
        .into_iter()
        .enumerate()
    {
        verdict.map_err(|code| FrameError::Refused { index, code })?;
    }
    Ok(load.result(overlay, receipts, ctx.rules))
}

fn at(index: usize, refusal: Refusal) -> FrameError {
    match refusal {
        Refusal::Code(code) => FrameError::Refused { index, code },
        Refusal::Fault(fault) => FrameError::Fault(fault),
    }
}

fn check_all(
    bundles: &Bounded<Bundle, BUNDLES_PER_BODY_MAX>,
    ctx: &FrameContext<'_>,
) -> Result<Vec<Checked>, FrameError> {
    let each = bundles.iter().enumerate().map(|(index, b)| {
        stateless(Arc::new(b.clone()), ctx.rules, ctx.moment.version)
            .map_err(|code| FrameError::Refused { index, code })
    });
    each.collect()
}

/// The fee part, then the actions in their savepoints (F1).
fn apply_bundle<'a, S: StateView>(
    overlay: &mut Overlay<S>,
    checked: &'a Checked,
    ctx: &FrameContext<'_>,
) -> Result<(Ready<'a>, Receipt), Refusal> {
    let ready = overlay.atomically(|o| {
        let ready = contextual(o, checked, ctx.rules, &ctx.moment)?;
        apply(o, &ready, ctx.rules)?;
        Ok::<_, Refusal>(ready)
    })?;
    // The action type of this version has no value, so the closure never runs.
    let actions = actions::run(overlay, &checked.bundle().actions, |_, _| {
        Err(Refusal::Code(Code::TxMalformed))
    })?;
    let receipt = Receipt {
        tx: checked.tx(),
        fee: checked.fee(),
        actions_applied: actions.applied,
        failed: actions.failed,
    };
    Ok((ready, receipt))
}

/// Size and cost of a body.
#[derive(Clone, Copy, Debug)]
struct Load {
    bytes: u64,
    cost_us: u64,
}

impl Load {
    const EMPTY: Self = Self {
        bytes: BODY_OVERHEAD_BYTES,
        cost_us: 0,
    };

    fn of(bundles: &[Checked]) -> Self {
        bundles.iter().fold(Self::EMPTY, Self::with)
    }

    fn with(self, b: &Checked) -> Self {
        let bytes = u64::try_from(b.bytes()).unwrap_or(u64::MAX);
        Self {
            bytes: self.bytes.saturating_add(bytes),
            cost_us: self.cost_us.saturating_add(b.cost_us()),
        }
    }

    fn within(self, rules: &Rules) -> Result<(), FrameError> {
        let (bytes, limit) = (self.bytes, u64::from(rules.limits.body_bytes));
        if bytes > limit {
            return Err(FrameError::TooLarge { bytes, limit });
        }
        let (cost_us, limit) = (self.cost_us, rules.limits.body_cost_us);
        if cost_us > limit {
            return Err(FrameError::TooCostly { cost_us, limit });
        }
        Ok(())
    }

    fn result<S: StateView>(
        self,
        overlay: Overlay<S>,
        receipts: Vec<Receipt>,
        rules: &Rules,
    ) -> FrameResult {
        FrameResult {
            writes: overlay.into_writes(),
            receipts,
            bytes: self.bytes,
            cost_us: self.cost_us,
            fullness: Fullness::of(self.bytes, self.cost_us, &rules.limits),
        }
    }
}

/// A body that a leader made, with the result that every voter will find.
#[derive(Clone, Debug)]
pub struct Built {
    /// The body.
    pub body: Body,
    /// Its execution.
    pub result: FrameResult,
    /// Candidates that cannot be in any frame on this state, for the mempool to drop.
    pub refused: Vec<(BundleHash, Code)>,
}

/// Builds a body from candidates in the given order: those that do not apply are left out and named, those beyond
/// the limits are left for a later frame.
///
/// # Errors
/// [`FrameError::Fault`] when the state cannot answer.
pub fn build<S: StateView>(
    view: &S,
    candidates: &[Arc<Checked>],
    ctx: &FrameContext<'_>,
) -> Result<Built, FrameError> {
    let mut refused = Vec::new();
    let mut left: Vec<&Arc<Checked>> = candidates.iter().collect();
    // Each round that does not return removes a candidate.
    loop {
        let round = fill(view, &left, ctx)?;
        refused.extend(round.refused);
        let verdicts = verify_cached(ctx.cache, ctx.suite, &round.ready);
        let bad = round.ready.iter().zip(&verdicts);
        let bad: Vec<_> = bad
            .filter_map(|(r, v)| v.err().map(|code| (r.checked().hash(), code)))
            .collect();
        if bad.is_empty() {
            let bundles: Vec<_> = round
                .ready
                .iter()
                .map(|r| Bundle::clone(r.checked().bundle()))
                .collect();
            let body = Body::Shard(Bounded::try_from(bundles).unwrap_or_default());
            let result = round.load.result(round.overlay, round.receipts, ctx.rules);
            return Ok(Built {
                body,
                result,
                refused,
            });
        }
        left.retain(|c| bad.iter().all(|(hash, _)| *hash != c.hash()));
        refused.extend(bad);
        left.retain(|c| refused.iter().all(|(hash, _)| *hash != c.hash()));
    }
}

struct Round<'a, S> {
    overlay: Overlay<S>,
    ready: Vec<Ready<'a>>,
    receipts: Vec<Receipt>,
    refused: Vec<(BundleHash, Code)>,
    load: Load,
}

fn fill<'a, S: StateView>(
    view: &'a S,
    candidates: &[&'a Arc<Checked>],
    ctx: &FrameContext<'_>,
) -> Result<Round<'a, &'a S>, FrameError> {
    let mut round = Round {
        overlay: Overlay::new(view),
        ready: Vec::new(),
        receipts: Vec::new(),
        refused: Vec::new(),
        load: Load::EMPTY,
    };
    for c in candidates {
        let load = round.load.with(c);
        if load.within(ctx.rules).is_err() || round.ready.len() >= BUNDLES_PER_BODY_MAX {
            continue;
        }
        match apply_bundle(&mut round.overlay, c, ctx) {
            Ok((ready, receipt)) => {
                round.load = load;
                round.ready.push(ready);
                round.receipts.push(receipt);
            }
            Err(Refusal::Code(code)) => round.refused.push((c.hash(), code)),
            Err(Refusal::Fault(fault)) => return Err(fault.into()),
        }
    }
    Ok(round)
}

const _: () = assert!(ACTIONS_MAX <= u16::MAX as usize);
