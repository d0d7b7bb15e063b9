//! Single transfers, one after the other.

use std::time::{Duration, Instant};

use quil_client::node::TxState;
use quil_client::{Document, Failure, NodeClient as _};

use super::figures::{intervals, millis, percentile};
use super::{Say, Site, Transfer, stalled, submit};

/// Pause between two looks at a transaction.
const LOOK: Duration = Duration::from_millis(20);
/// Parts of the frame interval that the submissions are spread over.
const PHASES: u32 = 16;
/// Odd, so that all phases come in turn, far from each other.
const STRIDE: u32 = 7;

/// Times since the submission.
#[derive(Clone, Copy, Debug)]
struct Sample {
    last: Duration,
    settled: Duration,
}

/// What was measured.
#[derive(Debug)]
pub(super) struct Latency(Vec<Sample>);

/// Hands one in, waits until it is settled, then the next one.
pub(super) async fn measure(
    site: &Site,
    transfers: Vec<Transfer>,
    say: Say<'_>,
) -> Result<Latency, Failure> {
    let interval = Duration::from_millis(site.record.frame_ms);
    let mut samples = Vec::new();
    for (n, transfer) in (0..).zip(&transfers) {
        // A transfer settles with a frame: without a wait all would be handed in at the same moment of an interval.
        tokio::time::sleep(phase(n, interval)).await;
        let sample = follow(site, transfer).await?;
        let (last, settled) = (millis(sample.last), millis(sample.settled));
        say(&format!(
            "  {}: final after {last} ms, settled after {settled} ms",
            n + 1
        ));
        samples.push(sample);
    }
    Ok(Latency(samples))
}

fn phase(n: u32, interval: Duration) -> Duration {
    let part = n.wrapping_mul(STRIDE) % PHASES;
    interval.saturating_mul(part) / PHASES
}

async fn follow(site: &Site, transfer: &Transfer) -> Result<Sample, Failure> {
    let (client, limit) = (site.client(0)?, site.stall());
    let begin = Instant::now();
    let _repeated = submit(client, transfer, limit).await?;
    let mut last = None;
    loop {
        match quil_client::NodeClient::transaction(client, transfer.tx).await {
            Ok(view) => {
                let now = begin.elapsed();
                if view.state >= TxState::Final {
                    last.get_or_insert(now);
                }
                if let (TxState::Settled, Some(last)) = (view.state, last) {
                    let settled = now;
                    return Ok(Sample { last, settled });
                }
            }
            Err(e) if e.passes() => {}
            Err(e) => return Err(e.into()),
        }
        if begin.elapsed() >= limit {
            return Err(stalled(limit));
        }
        client.pause(LOOK).await;
    }
}

impl Latency {
    /// Adds the figures.
    pub(super) fn describe(&self, document: Document, frame_ms: u64) -> Document {
        let finals: Vec<_> = self.0.iter().map(|s| s.last).collect();
        let settled: Vec<_> = self.0.iter().map(|s| s.settled).collect();
        let ms = |times: &[Duration], percent| percentile(times, percent).map(millis);
        let frames = |times: &[Duration], percent| {
            percentile(times, percent).map(|t| intervals(t, frame_ms))
        };
        document
            .with("mode", "latency")
            .with("transfers", self.0.len())
            .with("final_ms_median", ms(&finals, 50))
            .with("final_ms_max", ms(&finals, 100))
            .with("final_frames_median", frames(&finals, 50))
            .with("settled_ms_median", ms(&settled, 50))
            .with("settled_ms_max", ms(&settled, 100))
            .with("settled_frames_median", frames(&settled, 50))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn submissions_meet_every_part_of_the_interval() {
        let interval = Duration::from_secs(2);
        let phases: BTreeSet<_> = (0..PHASES).map(|n| phase(n, interval)).collect();
        assert_eq!(phases.len(), 16);
        assert!(phases.iter().all(|p| *p < interval));
    }

    #[test]
    fn report_names_medians_in_frame_intervals() {
        let sample = |ms: u64| Sample {
            last: Duration::from_millis(ms),
            settled: Duration::from_millis(2 * ms),
        };
        let latency = Latency([3_000, 3_500, 9_000].map(sample).to_vec());
        let text = latency
            .describe(Document::new("x"), 2_000)
            .render(quil_client::Output::Json);
        for part in [
            "\"final_frames_median\":1.75",
            "\"settled_frames_median\":3.5",
            "\"final_ms_max\":9000",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
}
