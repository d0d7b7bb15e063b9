//! Many transfers at once: handed in by several calls at a time, watched by the frames that become final.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use quil_api::Client;
use quil_client::node::{FrameView, TxState};
use quil_client::{Document, Failure};
use quil_types::ShardAddr;
use tokio::task::JoinSet;

use super::figures::{mean_interval, millis, per_second, percentile, seconds};
use super::{IN_FLIGHT, Say, Site, Transfer, defect, stalled, submit};

/// Pause between two looks at the last final frames.
const LOOK: Duration = Duration::from_millis(100);
/// Frames of one look: more than become final between two.
const FRAMES: u16 = 16;

/// A final frame as it was seen.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// When it was seen to be final.
    at: Instant,
    /// Its timestamp, milliseconds.
    made: u64,
    items: u32,
}

/// Final frames of a chain since the measurement began, by number.
#[derive(Debug)]
struct Chain {
    shard: Option<ShardAddr>,
    frames: BTreeMap<u64, Seen>,
}

impl Chain {
    const fn new(shard: Option<ShardAddr>) -> Self {
        Self {
            shard,
            frames: BTreeMap::new(),
        }
    }

    async fn look(&mut self, client: &Client, limit: u16) -> Result<(), Failure> {
        match quil_client::NodeClient::frames(client, self.shard, limit).await {
            Ok(frames) => self.note(frames, Instant::now()),
            Err(e) if e.passes() => {}
            Err(e) => return Err(e.into()),
        }
        Ok(())
    }

    /// The first look sees frames that were final before.
    fn note(&mut self, frames: Vec<FrameView>, at: Instant) {
        for frame in frames {
            let seen = Seen {
                at,
                made: frame.header.timestamp.get(),
                items: frame.items,
            };
            self.frames.entry(frame.header.number.get()).or_insert(seen);
        }
    }

    fn last(&self) -> u64 {
        self.frames.last_key_value().map_or(0, |(n, _)| *n)
    }

    /// Items of frames above `number`.
    fn items_above(&self, number: u64) -> usize {
        let above = self.frames.range(number.saturating_add(1)..);
        let items = above.map(|(_, s)| usize::try_from(s.items).unwrap_or(usize::MAX));
        items.fold(0, usize::saturating_add)
    }

    fn interval_from(&self, number: u64) -> Option<u64> {
        let from = self.frames.range(number..);
        mean_interval(from.map(|(n, s)| (*n, s.made)))
    }
}

/// A transfer that is final.
#[derive(Clone, Copy, Debug)]
struct Done {
    sent: Instant,
    /// Its shard frame.
    frame: u64,
    at: Instant,
}

/// What was measured.
#[derive(Debug)]
pub(super) struct Throughput {
    rate: Option<u32>,
    begin: Instant,
    accepted: Duration,
    repeated: u64,
    done: Vec<Done>,
    shard: Chain,
    global: Chain,
    /// Last final frames (shard, global) when it began.
    before: (u64, u64),
}

/// How the calls went.
#[derive(Debug, Default)]
struct Submitted {
    sent: BTreeMap<usize, Instant>,
    accepted: Duration,
    repeated: u64,
}

/// Hands everything in and waits until the last one is final.
pub(super) async fn measure(
    site: &Site,
    transfers: Vec<Transfer>,
    rate: Option<u32>,
    say: Say<'_>,
) -> Result<Throughput, Failure> {
    let client = site.client(0)?;
    let (mut shard, mut global) = (Chain::new(Some(site.shard)), Chain::new(None));
    shard.look(client, 1).await?;
    global.look(client, 1).await?;
    let before = (shard.last(), global.last());
    say(&format!("{} transfers are handed in", transfers.len()));
    let transfers: Arc<[Transfer]> = transfers.into();
    let begin = Instant::now();
    let calls = hand_in(site, Arc::clone(&transfers), rate, begin);
    let watch = watch(site, (&mut shard, &mut global), transfers.len(), say);
    let (submitted, watched) = tokio::try_join!(calls, watch)?;
    let () = watched;
    let done = find(site, &transfers, &submitted, &mut shard).await?;
    global.look(client, FRAMES).await?;
    Ok(Throughput {
        rate,
        begin,
        accepted: submitted.accepted,
        repeated: submitted.repeated,
        done,
        shard,
        global,
        before,
    })
}

/// Several callers take one transfer after the other.
async fn hand_in(
    site: &Site,
    transfers: Arc<[Transfer]>,
    rate: Option<u32>,
    begin: Instant,
) -> Result<Submitted, Failure> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut callers = JoinSet::new();
    for caller in 0..IN_FLIGHT {
        let (client, limit) = (site.client(caller)?.clone(), site.stall());
        let (next, transfers) = (Arc::clone(&next), Arc::clone(&transfers));
        callers.spawn(async move {
            let mut all = Submitted::default();
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                let Some(transfer) = transfers.get(n) else {
                    return Ok(all);
                };
                tokio::time::sleep_until((begin + due(n, rate)).into()).await;
                all.sent.insert(n, Instant::now());
                let repeated = submit(&client, transfer, limit).await?;
                all.repeated = all.repeated.saturating_add(repeated);
                all.accepted = begin.elapsed();
            }
        });
    }
    let mut sum = Submitted::default();
    while let Some(all) = callers.join_next().await {
        let all: Submitted = all.unwrap_or_else(|e| Err(defect(e)))?;
        sum.sent.extend(all.sent);
        sum.accepted = sum.accepted.max(all.accepted);
        sum.repeated = sum.repeated.saturating_add(all.repeated);
    }
    Ok(sum)
}

/// When a transfer is to be handed in, after the begin.
fn due(n: usize, rate: Option<u32>) -> Duration {
    let n = u32::try_from(n).unwrap_or(u32::MAX);
    let each = rate.and_then(|r| Duration::from_secs(1).checked_div(r));
    each.unwrap_or_default().saturating_mul(n)
}

/// Looks at final frames until they hold so many items.
async fn watch(
    site: &Site,
    (shard, global): (&mut Chain, &mut Chain),
    count: usize,
    say: Say<'_>,
) -> Result<(), Failure> {
    let (client, limit) = (site.client(0)?, site.stall());
    let first = shard.last();
    let (mut known, mut moved) = (0, Instant::now());
    loop {
        let last = shard.last();
        shard.look(client, 1).await?;
        if shard.last() > last.saturating_add(1) {
            shard.look(client, FRAMES).await?;
        }
        if shard.last() > last {
            global.look(client, FRAMES).await?;
        }
        let items = shard.items_above(first);
        if items > known {
            say(&format!(
                "  {items} of {count} final at shard frame {}",
                shard.last()
            ));
            (known, moved) = (items, Instant::now());
        }
        if items >= count {
            return Ok(());
        }
        if moved.elapsed() >= limit {
            return Err(stalled(limit));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Asks for the frame of every transfer. Frames may hold those of others: then some are not final yet.
async fn find(
    site: &Site,
    transfers: &[Transfer],
    submitted: &Submitted,
    shard: &mut Chain,
) -> Result<Vec<Done>, Failure> {
    let (client, limit, begin) = (site.client(0)?, site.stall(), Instant::now());
    let mut done = Vec::new();
    for (n, transfer) in transfers.iter().enumerate() {
        let frame = loop {
            match quil_client::NodeClient::transaction(client, transfer.tx).await {
                Ok(view) if view.state >= TxState::Final => break view.shard_frame,
                Ok(_) => {}
                Err(e) if e.passes() => {}
                Err(e) => return Err(e.into()),
            }
            if begin.elapsed() >= limit {
                return Err(stalled(limit));
            }
            tokio::time::sleep(LOOK).await;
            shard.look(client, FRAMES).await?;
        };
        let frame = frame.map(quil_types::FrameNumber::get);
        let seen = frame.and_then(|f| Some((f, shard.frames.get(&f)?.at)));
        let (frame, at) = seen.ok_or_else(|| defect("a final transfer without its frame"))?;
        let sent = submitted.sent.get(&n).copied();
        let sent = sent.ok_or_else(|| defect("a transfer that was not handed in"))?;
        done.push(Done { sent, frame, at });
    }
    Ok(done)
}

impl Throughput {
    /// Adds the figures.
    pub(super) fn describe(&self, document: Document) -> Document {
        let last = self.done.iter().map(|d| d.at).max().unwrap_or(self.begin);
        let took = last.duration_since(self.begin);
        let frames: BTreeSet<u64> = self.done.iter().map(|d| d.frame).collect();
        let largest = frames.iter().filter_map(|n| self.shard.frames.get(n));
        let times: Vec<Duration> = self
            .done
            .iter()
            .map(|d| d.at.duration_since(d.sent))
            .collect();
        let at = |percent| percentile(&times, percent).map(millis);
        let (shard, global) = self.before;
        document
            .with("mode", "throughput")
            .with("transfers", self.done.len())
            .with("rate", self.rate)
            .with("accepted_seconds", seconds(self.accepted))
            .with("repeated_calls", self.repeated)
            .with("seconds", seconds(took))
            .with("final_per_second", per_second(self.done.len(), took))
            .with("frames_used", frames.len())
            .with("frame_items_max", largest.map(|s| s.items).max())
            .with("final_ms_median", at(50))
            .with("final_ms_p95", at(95))
            .with("shard_frames", self.shard.last().saturating_sub(shard))
            .with("shard_frame_ms_mean", self.shard.interval_from(shard))
            .with("global_frames", self.global.last().saturating_sub(global))
            .with("global_frame_ms_mean", self.global.interval_from(global))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_spreads_the_transfers_over_time() {
        assert_eq!(due(7, None), Duration::ZERO);
        assert_eq!(due(0, Some(10)), Duration::ZERO);
        assert_eq!(due(25, Some(10)), Duration::from_millis(2_500));
    }

    #[test]
    fn items_and_intervals_count_from_a_frame_on() {
        let at = Instant::now();
        let seen = |made, items| Seen { at, made, items };
        let frames = [(4, seen(0, 9)), (5, seen(2_000, 3)), (7, seen(6_600, 4))];
        let chain = Chain {
            shard: None,
            frames: frames.into(),
        };
        assert_eq!(
            (chain.last(), chain.items_above(4), chain.items_above(7)),
            (7, 7, 0)
        );
        assert_eq!(chain.interval_from(4), Some(2_200));
        assert_eq!(chain.interval_from(7), None);
    }
}
