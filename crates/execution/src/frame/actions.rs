//! Actions in savepoints: each takes effect whole or not at all, the first failure ends the bundle (F1).

use quil_types::Code;

use crate::state::{Overlay, StateFault, StateView};
use crate::token::Refusal;

/// What became of a bundle's actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Actions that took effect.
    pub(super) applied: u16,
    /// Why the next one did not.
    pub(super) failed: Option<Code>,
}

/// Applies actions in order, each inside its own savepoint.
///
/// # Errors
/// Only when the local state cannot answer: a failing action is an outcome, not an error.
pub(super) fn run<S: StateView, A>(
    overlay: &mut Overlay<S>,
    actions: &[A],
    mut apply: impl FnMut(&mut Overlay<S>, &A) -> Result<(), Refusal>,
) -> Result<Outcome, StateFault> {
    let mut applied = 0u16;
    for action in actions {
        match overlay.atomically(|o| apply(o, action)) {
            Ok(()) => applied = applied.saturating_add(1),
            Err(Refusal::Fault(fault)) => return Err(fault),
            Err(Refusal::Code(code)) => {
                return Ok(Outcome {
                    applied,
                    failed: Some(code),
                });
            }
        }
    }
    Ok(Outcome {
        applied,
        failed: None,
    })
}

#[cfg(test)]
mod tests {
    use quil_types::Domain;

    use super::*;
    use crate::state::{MemoryState, RecordKey};

    /// Writes two records, or one and then fails.
    struct TwoWrites {
        at: u8,
        fails: bool,
    }

    fn key(at: u8) -> RecordKey {
        RecordKey {
            domain: Domain::ZERO,
            data: [at; 32],
        }
    }

    fn two(o: &mut Overlay<MemoryState>, a: &TwoWrites) -> Result<(), Refusal> {
        o.insert(key(a.at), vec![a.at])?;
        if a.fails {
            return Err(Code::InputUnknown.into());
        }
        Ok(o.insert(key(a.at + 1), vec![a.at])?)
    }

    #[test]
    fn first_failing_action_leaves_nothing_and_ends_the_bundle() {
        let mut o = Overlay::new(MemoryState::new());
        o.insert(key(0), vec![0]).unwrap();
        let actions =
            [(10, false), (20, true), (30, false)].map(|(at, fails)| TwoWrites { at, fails });
        let outcome = run(&mut o, &actions, two).unwrap();
        let expected = Outcome {
            applied: 1,
            failed: Some(Code::InputUnknown),
        };
        assert_eq!(outcome, expected);
        let keys: Vec<_> = o.into_writes().iter().map(|w| w.key.data[0]).collect();
        assert_eq!(keys, [0, 10, 11], "the fee part and the first action stay");
    }

    #[test]
    fn a_fault_is_not_an_outcome() {
        let mut o = Overlay::new(MemoryState::new());
        let twice = [5, 5].map(|at| TwoWrites { at, fails: false });
        assert_eq!(run(&mut o, &twice, two), Err(StateFault::Occupied(key(5))));
    }

    #[test]
    fn no_actions_is_a_complete_outcome() {
        let mut o = Overlay::new(MemoryState::new());
        let none = run::<_, TwoWrites>(&mut o, &[], two).unwrap();
        assert_eq!((none.applied, none.failed), (0, None));
    }
}
