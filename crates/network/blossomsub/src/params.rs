//! Every tunable of the router in one place: mesh degrees, timings, budgets and score weights.

/// Parameters of a router. All times are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Params {
    /// Wanted mesh degree (D).
    pub degree: usize,
    /// Below this degree peers are grafted (D low).
    pub degree_low: usize,
    /// Above this degree peers are pruned (D high).
    pub degree_high: usize,
    /// Members kept by score when pruning; the others are drawn (D score).
    pub degree_score: usize,
    /// Members that this node dialled, at least (D out): a defence against being surrounded by inbound peers.
    pub degree_out: usize,
    /// Peers that get an IHAVE per heartbeat, at least (D lazy).
    pub degree_lazy: usize,
    /// The same as a share of the eligible peers, per cent.
    pub gossip_percent: usize,
    /// Mesh members from one IPv4 /24 or IPv6 /48 before others are preferred. Not used on a devnet.
    pub members_per_prefix: usize,

    /// Time between heartbeats.
    pub heartbeat_ms: u64,
    /// Time from construction to the first heartbeat.
    pub heartbeat_initial_ms: u64,
    /// Heartbeats for which a message can be fetched by IWANT.
    pub history_length: usize,
    /// Heartbeats for which a message is offered by IHAVE.
    pub history_gossip: usize,
    /// Life of an accepted or rejected id in the seen cache.
    pub seen_ms: u64,
    /// Life of an ignored id: a verdict that depends on time may change.
    pub seen_ignored_ms: u64,
    /// A message without a verdict for so long counts as ignored.
    pub validation_ms: u64,
    /// Life of an unused fan-out set.
    pub fanout_ms: u64,
    /// Back-off after a PRUNE.
    pub prune_backoff_ms: u64,
    /// Back-off after a PRUNE because of unsubscribing.
    pub unsubscribe_backoff_ms: u64,
    /// Least and greatest back-off a remote PRUNE can ask for.
    pub backoff_clamp_ms: (u64, u64),
    /// A GRAFT this early after the PRUNE counts twice.
    pub graft_flood_ms: u64,
    /// Time to answer an IWANT before the promise is broken.
    pub iwant_followup_ms: u64,
    /// Life of an IDONTWANT.
    pub dontwant_ms: u64,
    /// Payloads of at least so many bytes are announced by IDONTWANT on receipt.
    pub dontwant_bytes: usize,
    /// Own payloads up to so many bytes go to every holder, not only the mesh.
    pub flood_bytes: usize,
    /// Receivers of one flood, at most.
    pub flood_peers: usize,
    /// Heartbeats between opportunistic grafts, and peers taken each time.
    pub opportunistic: (u64, usize),

    /// Work one peer may cause between two heartbeats.
    pub budget: Budget,
    /// Scoring.
    pub score: ScoreParams,
    /// Genesis of a devnet: shared addresses are not scored (rule W2).
    pub devnet: bool,
}

/// What one peer may ask for between two heartbeats. What is beyond is dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Frames; further ones are dropped and cost score.
    pub frames: u32,
    /// Frames with IHAVE; further ones cost score.
    pub ihave_frames: u32,
    /// Ids this router asks the peer for.
    pub asked_ids: u32,
    /// Ids the peer may ask for; further ones cost score.
    pub iwant_ids: u32,
    /// Asked ids this router never offered or no longer has; further ones cost score.
    pub iwant_unknown: u32,
    /// Payload bytes served for IWANT.
    pub iwant_bytes: usize,
    /// Times one message is served to one peer.
    pub retransmissions: u8,
    /// Peers asked for one id at a time.
    pub iwant_parallel: u8,
    /// Ids in IDONTWANT.
    pub dontwant_ids: u32,
    /// Payloads for masks this node has no subscription for; further ones cost score.
    pub unwanted: u32,
}

/// Weights and thresholds. A point is 1000 units; counters are in thousandths of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScoreParams {
    /// Units per second in a mesh.
    pub mesh_second: i64,
    /// Seconds in a mesh that count.
    pub mesh_seconds_max: u64,
    /// Units per message delivered first.
    pub first_delivery: i64,
    /// First deliveries that count, per class.
    pub first_delivery_max: u64,
    /// Ceiling of the positive part: good deeds must not pay for an attack.
    pub positive_max: i64,
    /// Points per squared invalid message, per class.
    pub invalid_weight: i64,
    /// Points per squared misbehaviour above [`Self::behaviour_free`].
    pub behaviour_weight: i64,
    /// Misbehaviours without a penalty: what an honest peer may cause by racing.
    pub behaviour_free: u64,
    /// Points per squared operator above [`Self::colocation_free`] on one address.
    pub colocation_weight: i64,
    /// Operators on one IPv4 address or IPv6 /64 without a penalty.
    pub colocation_free: usize,
    /// Time between two decays.
    pub decay_ms: u64,
    /// Factors per decay in 1/65536: first deliveries and misbehaviour, invalid messages, penalties of the application.
    pub decay: Decay,
    /// Below: no IHAVE to the peer, none from it, no IWANT answered. Units.
    pub gossip_threshold: i64,
    /// Below: own messages are not sent to the peer. Units.
    pub publish_threshold: i64,
    /// Below: everything from the peer is dropped unread and the driver is told. Units.
    pub graylist_threshold: i64,
    /// A mesh whose median is below takes better peers. Units.
    pub opportunistic_threshold: i64,
    /// Time a bad score outlives its connection.
    pub retain_ms: u64,
}

/// Decay factors, each `0.01^(decay_ms / t)` in 1/65536 for a time `t` to fall to one per cent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decay {
    /// t = 10 min.
    pub first_delivery: u64,
    /// t = 10 min.
    pub behaviour: u64,
    /// t = 60 min.
    pub invalid: u64,
    /// t = 30 min.
    pub penalty: u64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            degree: 8,
            degree_low: 6,
            degree_high: 12,
            degree_score: 4,
            degree_out: 2,
            degree_lazy: 6,
            gossip_percent: 25,
            members_per_prefix: 2,
            heartbeat_ms: 700,
            heartbeat_initial_ms: 100,
            history_length: 9,
            history_gossip: 6,
            seen_ms: 300_000,
            seen_ignored_ms: 5_000,
            validation_ms: 60_000,
            fanout_ms: 60_000,
            prune_backoff_ms: 60_000,
            unsubscribe_backoff_ms: 10_000,
            backoff_clamp_ms: (1_000, 3_600_000),
            graft_flood_ms: 10_000,
            iwant_followup_ms: 3_000,
            dontwant_ms: 42_000,
            dontwant_bytes: 1024,
            flood_bytes: 16 << 10,
            flood_peers: 64,
            opportunistic: (60, 2),
            budget: Budget::default(),
            score: ScoreParams::default(),
            devnet: false,
        }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            frames: 1024,
            ihave_frames: 10,
            asked_ids: 1024,
            iwant_ids: 2048,
            iwant_unknown: 256,
            iwant_bytes: 32 << 20,
            retransmissions: 3,
            iwant_parallel: 2,
            dontwant_ids: 1024,
            unwanted: 256,
        }
    }
}

impl Default for ScoreParams {
    fn default() -> Self {
        Self {
            mesh_second: 10,
            mesh_seconds_max: 100,
            first_delivery: 1_000,
            first_delivery_max: 50,
            positive_max: 100_000,
            invalid_weight: 100,
            behaviour_weight: 10,
            behaviour_free: 6,
            colocation_weight: 100,
            colocation_free: 6,
            decay_ms: 10_000,
            decay: Decay {
                first_delivery: 60_694,
                behaviour: 60_694,
                invalid: 64_703,
                penalty: 63_881,
            },
            gossip_threshold: -500_000,
            publish_threshold: -1_000_000,
            graylist_threshold: -2_500_000,
            opportunistic_threshold: 1_000,
            retain_ms: 3_600_000,
        }
    }
}

/// Parameters that contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParamsError {
    /// The degrees are not ordered.
    #[error("degrees must satisfy 2 out <= low <= degree <= high, out < low and score <= degree")]
    Degrees,
    /// The windows are not ordered.
    #[error("history must satisfy 1 <= gossip <= length")]
    History,
    /// A duration is zero or the clamp is empty.
    #[error("heartbeat and decay must be above zero, the back-off clamp not empty")]
    Times,
    /// The thresholds are not ordered.
    #[error("thresholds must satisfy graylist <= publish <= gossip < 0")]
    Thresholds,
    /// A decay factor is 65536 or more.
    #[error("decay factors must be below 65536")]
    Decay,
}

impl Params {
    /// Checks the relations between the parameters.
    ///
    /// # Errors
    /// The first relation that does not hold.
    pub const fn check(&self) -> Result<(), ParamsError> {
        let s = &self.score;
        if self.degree_low > self.degree
            || self.degree > self.degree_high
            || self.degree_score > self.degree
            || self.degree_out.saturating_mul(2) > self.degree
            || self.degree_out >= self.degree_low
        {
            return Err(ParamsError::Degrees);
        }
        if self.history_gossip == 0 || self.history_gossip > self.history_length {
            return Err(ParamsError::History);
        }
        if self.heartbeat_ms == 0
            || s.decay_ms == 0
            || self.backoff_clamp_ms.0 > self.backoff_clamp_ms.1
        {
            return Err(ParamsError::Times);
        }
        if s.graylist_threshold > s.publish_threshold
            || s.publish_threshold > s.gossip_threshold
            || s.gossip_threshold >= 0
        {
            return Err(ParamsError::Thresholds);
        }
        let d = s.decay;
        if d.first_delivery >= 65_536
            || d.behaviour >= 65_536
            || d.invalid >= 65_536
            || d.penalty >= 65_536
        {
            return Err(ParamsError::Decay);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_consistent() {
        assert_eq!(Params::default().check(), Ok(()));
    }

    #[test]
    fn each_contradiction_is_named() {
        let with = |f: fn(&mut Params)| {
            let mut p = Params::default();
            f(&mut p);
            p.check().unwrap_err()
        };
        assert_eq!(with(|p| p.degree_low = 9), ParamsError::Degrees);
        assert_eq!(with(|p| p.degree_out = 5), ParamsError::Degrees);
        assert_eq!(with(|p| p.history_gossip = 10), ParamsError::History);
        assert_eq!(with(|p| p.heartbeat_ms = 0), ParamsError::Times);
        assert_eq!(with(|p| p.backoff_clamp_ms = (2, 1)), ParamsError::Times);
        assert_eq!(
            with(|p| p.score.gossip_threshold = 0),
            ParamsError::Thresholds
        );
        assert_eq!(with(|p| p.score.decay.invalid = 65_536), ParamsError::Decay);
    }

    /// The factors are what their documentation says, to one part in ten thousand.
    #[test]
    fn decay_factors_match_their_formula() {
        let s = ScoreParams::default();
        let ticks = |minutes: u64| minutes * 60_000 / s.decay_ms;
        for (factor, minutes) in [
            (s.decay.first_delivery, 10),
            (s.decay.behaviour, 10),
            (s.decay.invalid, 60),
            (s.decay.penalty, 30),
        ] {
            let mut left = 1.0f64;
            for _ in 0..ticks(minutes) {
                left *= factor as f64 / 65_536.0;
            }
            assert!((left - 0.01).abs() < 0.001, "{factor}: {left}");
        }
    }
}
