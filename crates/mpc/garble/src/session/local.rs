//! Both parties in one process, over two byte buffers.

use super::{Drive, Millis, Outcome, SessionError};

/// Runs both sides to their end without threads. Time stands still, so no deadline passes.
///
/// # Errors
/// What stopped the garbler, or else what stopped the evaluator.
pub fn run_pair(
    garbler: &mut impl Drive,
    evaluator: &mut impl Drive,
) -> Result<[Outcome; 2], SessionError> {
    let now = Millis(0);
    let (mut to_evaluator, mut to_garbler) = (Vec::new(), Vec::new());
    garbler.start(now, &mut to_evaluator);
    evaluator.start(now, &mut to_garbler);
    loop {
        if to_evaluator.is_empty()
            && to_garbler.is_empty()
            && !garbler.produce(now, &mut to_evaluator)
            && !evaluator.produce(now, &mut to_garbler)
        {
            break;
        }
        let bytes = core::mem::take(&mut to_garbler);
        garbler.receive(now, &bytes, &mut to_evaluator)?;
        let bytes = core::mem::take(&mut to_evaluator);
        let received = evaluator.receive(now, &bytes, &mut to_garbler);
        to_evaluator = bytes;
        to_evaluator.clear();
        received?;
    }
    match (garbler.outcome(), evaluator.outcome()) {
        (Some(first), Some(second)) => Ok([first.clone(), second.clone()]),
        _ => Err(SessionError::Order),
    }
}
