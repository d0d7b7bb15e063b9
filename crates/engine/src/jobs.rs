//! CPU work of an engine, run outside of it.
//!
//! A job holds everything it needs; running it twice gives the same outcome. Drivers run jobs on threads of
//! their own, never as tasks of the pool that the parts of a job use: a thread that waits for parts could take up another
//! job, which wants a lock it holds. Simulations run them in place.

use std::sync::Arc;

use quil_execution::frame::{FrameContext, FrameError, build, execute};
use quil_execution::global::{self, GlobalError, execute_global};
use quil_execution::token::{Checked, Moment, Refusal, contextual, verify_cached};
use quil_hotstuff::{Finality, Scheme, Term, verify_epoch_proof, verify_finality_proof};
use quil_reel::{ReelEpoch, Step};
use quil_types::{
    BeaconWitness, Body, Chain, EpochProof, FinalityProof, FrameId, Header, Proposal, Root,
    SealedFrame, ShardAddr, StateRoots,
};

use crate::network::Network;
use crate::snapshot::{Effects, Roots, Snapshot};
use crate::state::StateError;
use crate::window::Ancestors;

/// Something to compute.
#[derive(Debug)]
pub enum Job {
    /// A signature check of the consensus core.
    Consensus(quil_hotstuff::Job),
    /// Execute a proposal on its parent's state.
    Judge(Box<Judge>),
    /// Make a body for a frame that this node leads.
    Build(Box<Build>),
    /// Compute the roots of a state.
    Commit(Arc<Snapshot>),
    /// Check bundles for the mempool.
    Admit(Box<Admit>),
    /// Evaluate a reel step; takes a good part of a second and can be cancelled.
    Solve(Step),
    /// Check a reel witness.
    CheckBeacon(Step, BeaconWitness),
    /// Check the certificate of a shard update.
    CheckUpdate(Box<FinalityProof>),
    /// Check and execute final frames of a catch-up.
    Replay(Box<Replay>),
}

/// See [`Job::Judge`].
#[derive(Debug)]
pub struct Judge {
    /// Identity of the frame.
    pub id: FrameId,
    /// The frame.
    pub proposal: Arc<Proposal>,
    /// State after its parent.
    pub parent: Arc<Snapshot>,
    /// The step whose witness must be checked; `None` when it was, or when the frame has none.
    pub step: Option<Step>,
    /// Final and speculative ancestors, for the anchors of shard updates.
    pub ancestors: Ancestors,
}

/// See [`Job::Build`].
#[derive(Debug)]
pub struct Build {
    /// Ticket of the request; an outcome with an old one is dropped.
    pub ticket: u64,
    /// State after the parent.
    pub parent: Arc<Snapshot>,
    /// Version, anchor number, multiplier of the new frame.
    pub moment: Moment,
    /// What may go in.
    pub candidates: Candidates,
    /// As in [`Judge`].
    pub ancestors: Ancestors,
}

/// What a leader has to choose from.
#[derive(Debug)]
pub enum Candidates {
    /// Nothing: closing descendants, and frames too far ahead of finality.
    None,
    /// Bundles in execution order.
    Bundles(Vec<Arc<Checked>>),
    /// Verified shard updates.
    Updates(Vec<FinalityProof>),
}

/// See [`Job::Admit`].
#[derive(Debug)]
pub struct Admit {
    /// State to check against.
    pub view: Arc<Snapshot>,
    /// Version, anchor number, multiplier.
    pub moment: Moment,
    /// The bundles.
    pub bundles: Vec<Arc<Checked>>,
}

/// See [`Job::Replay`].
#[derive(Debug)]
pub struct Replay {
    /// State before the first frame.
    pub base: Arc<Snapshot>,
    /// Consecutive frames.
    pub frames: Vec<SealedFrame>,
    /// Why the last frame is final, unchecked.
    pub finality: WireFinality,
    /// The committee's term that certified it.
    pub term: Term,
    /// Ancestors of the first frame.
    pub ancestors: Ancestors,
    /// The epoch's reel; `None` on shards.
    pub reel: Option<ReelEpoch>,
}

/// Why a frame is final, as received.
#[derive(Debug)]
pub enum WireFinality {
    /// By a certified child (C3).
    Child(Box<FinalityProof>),
    /// It closed its epoch (C1).
    Closed(Box<EpochProof>),
}

/// What a catch-up brought.
#[derive(Debug)]
pub struct Replayed {
    /// Frames with the states after them, oldest first.
    pub frames: Vec<(SealedFrame, Arc<Snapshot>)>,
    /// Why the last one is final.
    pub finality: Finality,
}

/// What a job found.
#[derive(Debug)]
pub enum JobOutcome {
    /// Of a consensus check.
    Consensus(Box<quil_hotstuff::JobOutcome>),
    /// Of a judgement.
    Judged {
        /// The frame.
        id: FrameId,
        /// Its state, or why it is invalid.
        result: Result<Arc<Snapshot>, JudgeError>,
    },
    /// Of a build.
    Built {
        /// The request's ticket.
        ticket: u64,
        /// The body with its effects.
        result: Result<Box<BuiltBody>, StateError>,
    },
    /// Of a commit: whether the roots are known now.
    Committed(Result<(), StateError>),
    /// Of an admission: one verdict per bundle.
    Admitted(Vec<(Arc<Checked>, Result<(), Refusal>)>),
    /// Of an evaluation; `None` when it was cancelled.
    Solved(Option<BeaconWitness>),
    /// Of a witness check.
    BeaconChecked {
        /// The witness.
        witness: BeaconWitness,
        /// Whether it holds.
        valid: bool,
    },
    /// Of an update's certificate.
    UpdateChecked {
        /// The update.
        update: Box<FinalityProof>,
        /// Whether its certificate holds.
        valid: bool,
    },
    /// Of a catch-up: the states after the frames, or the first bad frame.
    Replayed(Result<Box<Replayed>, JudgeError>),
}

/// A body that a leader made.
#[derive(Debug)]
pub struct BuiltBody {
    /// The body.
    pub body: Body,
    /// What it does.
    pub effects: Effects,
    /// Roots after the parent.
    pub roots: Roots,
}

/// Why a frame is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JudgeError {
    /// The reel witness does not hold (R1, R7).
    #[error("reel witness does not hold")]
    Beacon,
    /// The header's roots are not the parent's results (C3).
    #[error("roots are not the parent's results")]
    Roots,
    /// The receipts root is not the parent's.
    #[error("receipts root is not the parent's")]
    Receipts,
    /// The multiplier does not follow from the parent (F2).
    #[error("multiplier does not follow from the parent")]
    Multiplier,
    /// The version is not the epoch's (D3).
    #[error("version is not the epoch's")]
    Version,
    /// Anchor or beacon out of place (R1, R5).
    #[error("anchor or beacon out of place")]
    Place,
    /// A bundle does not apply, or the body is over its limits (C4, F1).
    #[error("body: {0}")]
    Body(String),
    /// The certificate of a catch-up does not hold.
    #[error("certificate does not hold")]
    Certificate,
    /// Frames of a catch-up are not linked.
    #[error("frames are not linked")]
    Link,
    /// The local state cannot answer: says nothing about the frame.
    #[error("local state: {0}")]
    Local(StateError),
}

impl JudgeError {
    /// A fixed word for logs and metrics.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Beacon => "beacon",
            Self::Roots => "roots",
            Self::Receipts => "receipts",
            Self::Multiplier => "multiplier",
            Self::Version => "version",
            Self::Place => "place",
            Self::Body(_) => "body",
            Self::Certificate => "certificate",
            Self::Link => "link",
            Self::Local(_) => "local",
        }
    }
}

impl Job {
    /// A fixed word for metrics.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Consensus(_) => "consensus",
            Self::Judge(_) => "judge",
            Self::Build(_) => "build",
            Self::Commit(_) => "commit",
            Self::Admit(_) => "admit",
            Self::Solve(_) => "solve",
            Self::CheckBeacon(..) => "check_beacon",
            Self::CheckUpdate(_) => "check_update",
            Self::Replay(_) => "replay",
        }
    }

    /// Runs the job. `cancelled` is asked now and then by the long one.
    #[must_use]
    pub fn run<S: Scheme>(
        self,
        network: &Network,
        scheme: &S,
        cancelled: &dyn Fn() -> bool,
    ) -> JobOutcome {
        match self {
            Self::Consensus(job) => JobOutcome::Consensus(Box::new(job.run(scheme))),
            Self::Judge(judge) => {
                let result = run_judge(&judge, network, scheme);
                JobOutcome::Judged {
                    id: judge.id,
                    result,
                }
            }
            Self::Build(build) => {
                let ticket = build.ticket;
                JobOutcome::Built {
                    ticket,
                    result: run_build(*build, network, scheme).map(Box::new),
                }
            }
            Self::Commit(snapshot) => JobOutcome::Committed(snapshot.commit(network).map(drop)),
            Self::Admit(admit) => JobOutcome::Admitted(run_admit(*admit, network)),
            Self::Solve(step) => JobOutcome::Solved(network.reel().solve(&step, cancelled)),
            Self::CheckBeacon(step, witness) => {
                let valid = network.reel().check(&step, &witness);
                JobOutcome::BeaconChecked { witness, valid }
            }
            Self::CheckUpdate(update) => {
                let valid = network.update_holds(scheme, &update);
                JobOutcome::UpdateChecked { update, valid }
            }
            Self::Replay(replay) => {
                JobOutcome::Replayed(run_replay(*replay, network, scheme).map(Box::new))
            }
        }
    }
}

fn run_judge<S: Scheme>(
    judge: &Judge,
    network: &Network,
    scheme: &S,
) -> Result<Arc<Snapshot>, JudgeError> {
    if let Some(step) = &judge.step {
        let witness = judge.proposal.beacon.as_ref().ok_or(JudgeError::Beacon)?;
        if !network.reel().check(step, witness) {
            return Err(JudgeError::Beacon);
        }
    }
    let frame = Frame {
        header: &judge.proposal.header,
        body: &judge.proposal.body,
    };
    judge_frame(&frame, &judge.parent, &judge.ancestors, network, scheme)
}

struct Frame<'a> {
    header: &'a Header,
    body: &'a Body,
}

/// Everything that makes a frame valid on its parent's state; clocks and anchors' age are not among it.
fn judge_frame<S: Scheme>(
    frame: &Frame<'_>,
    parent: &Arc<Snapshot>,
    ancestors: &Ancestors,
    network: &Network,
    scheme: &S,
) -> Result<Arc<Snapshot>, JudgeError> {
    let header = frame.header;
    check_repeats(header, parent, network)?;
    let effects = run_body(frame, parent, ancestors, network, scheme)?;
    let roots = parent.commit(network).map_err(JudgeError::Local)?;
    if header.state_roots != roots.state || header.shards_root != roots.shards {
        return Err(JudgeError::Roots);
    }
    Ok(Arc::new(Snapshot::child(parent, header.clone(), effects)))
}

/// What the header repeats of its parent's execution, except for the roots.
fn check_repeats(header: &Header, parent: &Snapshot, network: &Network) -> Result<(), JudgeError> {
    if header.version != network.genesis().version_at(header.epoch) {
        return Err(JudgeError::Version);
    }
    if header.receipts_root != parent.receipts_root() {
        return Err(JudgeError::Receipts);
    }
    let multiplier =
        quil_execution::fee::next_multiplier(parent.header().multiplier, parent.effects().fullness);
    if header.multiplier != multiplier {
        return Err(JudgeError::Multiplier);
    }
    Ok(())
}

/// Version, anchor and multiplier that a body executes under.
#[must_use]
pub fn moment_of(header: &Header) -> Moment {
    let now = header.anchor.map_or(header.number, |a| a.number);
    Moment {
        now,
        version: header.version,
        multiplier: header.multiplier,
    }
}

fn run_body<S: Scheme>(
    frame: &Frame<'_>,
    parent: &Arc<Snapshot>,
    ancestors: &Ancestors,
    network: &Network,
    scheme: &S,
) -> Result<Effects, JudgeError> {
    if matches!(frame.header.chain, Chain::Global) {
        let certificates = UpdateCertificates { network, scheme };
        let rows = execute_global(
            parent.table(),
            frame.body,
            network.rules(),
            ancestors,
            &certificates,
        )
        .map_err(|e| match e {
            GlobalError::Fault(fault) => JudgeError::Local(StateError::Fault(fault)),
            other => JudgeError::Body(other.to_string()),
        })?;
        return Ok(Effects {
            rows,
            ..Effects::default()
        });
    }
    let ctx = network.frame_context(moment_of(frame.header));
    let done = execute(&**parent, frame.body, &ctx).map_err(|e| match e {
        FrameError::Fault(fault) => JudgeError::Local(StateError::Fault(fault)),
        other => JudgeError::Body(other.to_string()),
    })?;
    Ok(Effects {
        writes: done.writes,
        rows: Vec::new(),
        receipts: done.receipts,
        fullness: done.fullness,
    })
}

/// Checks certificates of shard updates with the committees of the network.
struct UpdateCertificates<'a, S> {
    network: &'a Network,
    scheme: &'a S,
}

impl<S: Scheme> global::Certificates for UpdateCertificates<'_, S> {
    fn verify(&self, updates: &[(ShardAddr, &FinalityProof)]) -> Vec<bool> {
        updates
            .iter()
            .map(|(_, update)| self.network.update_holds(self.scheme, update))
            .collect()
    }
}

fn run_build<S: Scheme>(
    job: Build,
    network: &Network,
    scheme: &S,
) -> Result<BuiltBody, StateError> {
    let chain = job.parent.header().chain;
    let roots = job.parent.commit(network)?;
    match job.candidates {
        Candidates::None => Ok(BuiltBody {
            body: Body::empty(chain),
            effects: Effects::default(),
            roots,
        }),
        Candidates::Updates(updates) => {
            let (body, rows) =
                choose_updates(updates, &job.parent, &job.ancestors, network, scheme);
            Ok(BuiltBody {
                body,
                effects: Effects {
                    rows,
                    ..Effects::default()
                },
                roots,
            })
        }
        Candidates::Bundles(bundles) => {
            let ctx: FrameContext<'_> = network.frame_context(job.moment);
            let built = build(&*job.parent, &bundles, &ctx).map_err(|e| match e {
                FrameError::Fault(fault) => StateError::Fault(fault),
                _ => StateError::NoBase,
            })?;
            let result = built.result;
            let effects = Effects {
                writes: result.writes,
                rows: Vec::new(),
                receipts: result.receipts,
                fullness: result.fullness,
            };
            Ok(BuiltBody {
                body: built.body,
                effects,
                roots,
            })
        }
    }
}

/// The updates that apply now, one per shard.
fn choose_updates<S: Scheme>(
    updates: Vec<FinalityProof>,
    parent: &Snapshot,
    ancestors: &Ancestors,
    network: &Network,
    scheme: &S,
) -> (Body, Vec<(ShardAddr, quil_types::ShardRow)>) {
    let mut chosen: Vec<FinalityProof> = Vec::new();
    for update in updates {
        let fits =
            global::check_update(parent.table(), &update, network.rules(), ancestors).is_ok();
        if fits && chosen.iter().all(|c| c.header.chain != update.header.chain) {
            chosen.push(update);
        }
    }
    let body = Body::Global(chosen.try_into().unwrap_or_default());
    let certificates = UpdateCertificates { network, scheme };
    match execute_global(
        parent.table(),
        &body,
        network.rules(),
        ancestors,
        &certificates,
    ) {
        Ok(rows) => (body, rows),
        // Cannot be after the checks above, but an empty frame is always right.
        Err(_) => (Body::empty(Chain::Global), Vec::new()),
    }
}

fn run_admit(job: Admit, network: &Network) -> Vec<(Arc<Checked>, Result<(), Refusal>)> {
    let ctx = network.frame_context(job.moment);
    let states: Vec<_> = job
        .bundles
        .iter()
        .map(|b| contextual(&*job.view, b, network.rules(), &job.moment))
        .collect();
    let ready: Vec<_> = states
        .iter()
        .filter_map(|s| s.as_ref().ok().cloned())
        .collect();
    let mut proofs = verify_cached(ctx.cache, ctx.suite, &ready).into_iter();
    let verdicts: Vec<_> = states
        .into_iter()
        .map(|s| s.and_then(|_| proofs.next().unwrap_or(Ok(())).map_err(Refusal::Code)))
        .collect();
    job.bundles.into_iter().zip(verdicts).collect()
}

fn run_replay<S: Scheme>(
    job: Replay,
    network: &Network,
    scheme: &S,
) -> Result<Replayed, JudgeError> {
    let finality = check_finality(job.finality, &job.term, scheme)?;
    let mut parent = job.base;
    let mut ancestors = job.ancestors;
    let mut frames = Vec::with_capacity(job.frames.len());
    let mut reel = job.reel;
    for sealed in job.frames {
        let linked =
            sealed.header.parent == parent.id() && sealed.header.number == parent.number().next();
        if !linked || sealed.header.requests_root != sealed.body.requests_root() {
            return Err(JudgeError::Link);
        }
        check_witness(&mut reel, &sealed, &parent, network)?;
        let frame = Frame {
            header: &sealed.header,
            body: &sealed.body,
        };
        let snapshot = judge_frame(&frame, &parent, &ancestors, network, scheme)?;
        ancestors.push(snapshot.number(), snapshot.id());
        parent = Arc::clone(&snapshot);
        frames.push((sealed, snapshot));
    }
    let roots = parent.commit(network).map_err(JudgeError::Local)?;
    let proven = proven_by(&finality);
    if proven.parent_id != parent.id() {
        return Err(JudgeError::Link);
    }
    if proven.state != roots.state || proven.shards != roots.shards {
        return Err(JudgeError::Roots);
    }
    Ok(Replayed { frames, finality })
}

/// The witness of a global frame; a shard's frames have none.
fn check_witness(
    reel: &mut Option<ReelEpoch>,
    sealed: &SealedFrame,
    parent: &Snapshot,
    network: &Network,
) -> Result<(), JudgeError> {
    let Some(epoch) = reel else { return Ok(()) };
    let step = epoch.step_after(parent.header());
    let holds = sealed
        .beacon
        .as_ref()
        .is_some_and(|w| Step::beacon(w) == sealed.header.beacon && network.reel().check(&step, w));
    if holds {
        Ok(())
    } else {
        Err(JudgeError::Beacon)
    }
}

fn check_finality<S: Scheme>(
    finality: WireFinality,
    term: &Term,
    scheme: &S,
) -> Result<Finality, JudgeError> {
    Ok(match finality {
        WireFinality::Child(p) => {
            let proof =
                verify_finality_proof(scheme, term, *p).map_err(|_| JudgeError::Certificate)?;
            Finality::Child(Box::new(proof))
        }
        WireFinality::Closed(p) => {
            let proof =
                verify_epoch_proof(scheme, term, *p).map_err(|_| JudgeError::Certificate)?;
            Finality::Closed(Box::new(proof))
        }
    })
}

struct Proven {
    parent_id: FrameId,
    state: StateRoots,
    shards: Root,
}

/// The frame that a proof makes final and the roots after it.
fn proven_by(finality: &Finality) -> Proven {
    let (parent_id, with_roots) = match finality {
        Finality::Child(p) => (p.header.parent, &p.header),
        // Descendants have empty bodies: every one of them carries the roots after the closing frame.
        Finality::Closed(p) => (p.closing.id(), &p.tip),
    };
    Proven {
        parent_id,
        state: with_roots.state_roots,
        shards: with_roots.shards_root,
    }
}
