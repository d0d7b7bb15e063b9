//! Handing in a transaction and following it.

use core::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use quil_keys::Amount;
use quil_types::{Canonical as _, Code, TxId};

use super::build::Ready;
use super::{PAUSE_FIRST, Sent, WalletSession, longer};
use crate::node::{NodeClient, NodeError, TxState, TxView};
use crate::output::Failure;

/// Told about every state that a transaction reaches.
pub type Progress = Arc<dyn Fn(&Step) + Send + Sync>;

/// Unknown this often in a row: the node has lost the transaction, it is handed in again.
const UNKNOWN_MAX: u32 = 3;
/// Questions between two looks at the clock of the chain.
const EXPIRY_EVERY: u32 = 10;

/// How far a transaction must get before a command ends (S2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// A node took it.
    Accepted,
    /// It is in a certified frame.
    Included,
    /// Its frame is final: no honest node ever contradicts it.
    #[default]
    Final,
    /// A final global frame records it: provable to others.
    Settled,
}

impl Standing {
    /// All, in order.
    pub const ALL: [Self; 4] = [Self::Accepted, Self::Included, Self::Final, Self::Settled];

    /// The word on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.state().as_str()
    }

    const fn state(self) -> TxState {
        match self {
            Self::Accepted => TxState::Accepted,
            Self::Included => TxState::Included,
            Self::Final => TxState::Final,
            Self::Settled => TxState::Settled,
        }
    }
}

impl core::fmt::Display for Standing {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text names no standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("one of accepted, included, final, settled")]
pub struct StandingError;

impl FromStr for Standing {
    type Err = StandingError;

    fn from_str(text: &str) -> Result<Self, StandingError> {
        let mut all = Self::ALL.into_iter();
        all.find(|s| s.as_str() == text).ok_or(StandingError)
    }
}

/// What to wait for, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitFor {
    /// How far.
    pub standing: Standing,
    /// How long.
    pub timeout: Duration,
}

impl WaitFor {
    /// Waits this long.
    #[must_use]
    pub const fn new(standing: Standing, timeout: Duration) -> Self {
        Self { standing, timeout }
    }
}

impl Default for WaitFor {
    /// Final, one minute.
    fn default() -> Self {
        Self::new(Standing::Final, Duration::from_secs(60))
    }
}

/// A state that a transaction was seen in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which transaction.
    pub tx: TxId,
    /// Which state.
    pub state: TxState,
    /// Since the submission, or since the wait began.
    pub elapsed: Duration,
    /// The shard frame, when it is known.
    pub frame: Option<u64>,
}

/// A wait under way.
struct Watch {
    tx: TxId,
    started: Instant,
    wait: WaitFor,
    /// For transactions of this session: to hand in again, and to know when it is over.
    own: Option<Own>,
    steps: Vec<Step>,
    last: TxState,
    /// Answers in a row that do not know the transaction.
    unknown: u32,
}

struct Own {
    bytes: Vec<u8>,
    valid_until: u64,
}

impl Watch {
    fn new(tx: TxId, wait: WaitFor, own: Option<Own>) -> Self {
        Self {
            tx,
            started: Instant::now(),
            wait,
            own,
            steps: Vec::new(),
            last: TxState::Unknown,
            unknown: 0,
        }
    }

    fn over(&self) -> bool {
        self.started.elapsed() >= self.wait.timeout
    }

    fn timeout(&self) -> Failure {
        let message = format!(
            "{} is {} after {:.1} s, not {}",
            self.tx,
            self.last,
            self.started.elapsed().as_secs_f64(),
            self.wait.standing
        );
        Failure::new("wait.timeout", message, "it may still happen: quil tx show")
            .with("tx", self.tx.to_string())
            .with("state", self.last.as_str())
            .timeout()
    }
}

impl<C: NodeClient> WalletSession<C> {
    /// Waits until a transaction has got so far. States reached on the way are reported.
    ///
    /// # Errors
    /// [`Failure`]: exit code 5 when the time is over, 8 when the node is away at the end of it.
    pub async fn wait(&self, tx: TxId, wait: WaitFor) -> Result<TxView, Failure> {
        self.watch(&mut Watch::new(tx, wait, None)).await
    }

    /// Submits and waits; coins stay reserved until the transaction is final, refused or expired.
    pub(super) async fn hand_in(
        &mut self,
        ready: Ready,
        amount: Amount,
        wait: WaitFor,
    ) -> Result<Sent, Failure> {
        let (built, valid_until) = (ready.built, ready.valid_until);
        let bytes = built.bundle.encode();
        let size = bytes.len();
        // Reserved before it leaves: whatever happens then, no second transaction spends these coins by accident.
        self.reserve(built.tx, valid_until, &built.spent);
        let mut watch = Watch::new(built.tx, wait, Some(Own { bytes, valid_until }));
        let followed = match self.submit(&watch).await {
            Ok(()) => {
                self.reached(&mut watch, TxState::Accepted, None);
                self.watch(&mut watch).await
            }
            Err(e) => Err(e),
        };
        let view = followed.map_err(|f| {
            // Refused or not understood: it is nowhere. Whatever else went wrong, it may be under way.
            if matches!(f.exit_code(), 2 | 4) {
                self.release(built.tx);
            }
            f.with("tx", built.tx.to_string())
        })?;
        Ok(Sent {
            tx: built.tx,
            amount,
            fee: Amount::from_units(built.fee),
            change: Amount::from_units(built.change),
            inputs: built.spent.len(),
            bytes: size,
            view,
            steps: watch.steps,
        })
    }

    /// Hands the bundle in until the node takes it. One that was executed before counts as taken.
    async fn submit(&self, watch: &Watch) -> Result<(), Failure> {
        let Some(own) = &watch.own else {
            return Ok(());
        };
        let mut pause = PAUSE_FIRST;
        loop {
            match self.client.submit(own.bytes.clone()).await {
                Ok(tx) if tx == watch.tx => return Ok(()),
                Ok(tx) => {
                    let what = format!("it took {tx} for {}", watch.tx);
                    return Err(NodeError::Answer(what).into());
                }
                Err(NodeError::Rejected(Code::TxReplayed)) => return Ok(()),
                Err(e) if e.passes() && !watch.over() => {}
                Err(e) => return Err(e.into()),
            }
            self.client.pause(pause).await;
            pause = longer(pause);
        }
    }

    async fn watch(&self, watch: &mut Watch) -> Result<TxView, Failure> {
        let mut pause = PAUSE_FIRST;
        let mut asked = 0u32;
        loop {
            if let Some(view) = self.look(watch).await? {
                return Ok(view);
            }
            if watch.over() {
                return Err(watch.timeout());
            }
            asked = asked.saturating_add(1);
            if asked.is_multiple_of(EXPIRY_EVERY) {
                self.check_expiry(watch).await?;
            }
            if watch.unknown >= UNKNOWN_MAX {
                self.submit(watch).await?;
                watch.unknown = 0;
            }
            self.client.pause(pause).await;
            pause = longer(pause);
        }
    }

    /// Asks once; the answer, when it is what the wait is for.
    async fn look(&self, watch: &mut Watch) -> Result<Option<TxView>, Failure> {
        let view = match self.client.transaction(watch.tx).await {
            Ok(view) => view,
            Err(e) if e.passes() && !watch.over() => return Ok(None),
            Err(e) => return Err(e.into()),
        };
        let known = view.state > TxState::Unknown;
        watch.unknown = if known {
            0
        } else {
            watch.unknown.saturating_add(1)
        };
        self.reached(watch, view.state, view.shard_frame.map(|n| n.get()));
        Ok((view.state >= watch.wait.standing.state()).then_some(view))
    }

    /// A transaction that no frame may take any more never happens.
    async fn check_expiry(&self, watch: &Watch) -> Result<(), Failure> {
        let Some(own) = watch
            .own
            .as_ref()
            .filter(|_| watch.last < TxState::Included)
        else {
            return Ok(());
        };
        match self.client.frame(Some(self.shard), None).await {
            Ok(frame) => {
                let now = quil_engine::jobs::moment_of(&frame.header).now.get();
                if now > own.valid_until {
                    return Err(NodeError::Rejected(Code::TxExpired).into());
                }
                Ok(())
            }
            Err(e) if e.passes() => Ok(()),
            Err(e) => Err(e.into()),
        }
    }

    fn reached(&self, watch: &mut Watch, state: TxState, frame: Option<u64>) {
        if state <= watch.last {
            return;
        }
        watch.last = state;
        let step = Step {
            tx: watch.tx,
            state,
            elapsed: watch.started.elapsed(),
            frame,
        };
        watch.steps.push(step);
        self.report(&step);
    }
}
