use super::*;

const P: PeerKey = PeerKey([1; 32]);
const C: Class = Class::ShardConsensus;

fn scores(devnet: bool) -> Scores {
    let mut s = Scores::new(ScoreParams::default(), devnet, 0);
    s.connect(P, None);
    s
}

/// One invalid message -100, three -900 (below gossip), four below publish, six below graylist.
#[test]
fn invalid_messages_cross_the_thresholds_in_order() {
    let (mut s, p) = (scores(false), ScoreParams::default());
    let mut at = Vec::new();
    for _ in 0..6 {
        s.invalid(P, C);
        at.push(s.score(&P, 0));
    }
    assert_eq!(
        at,
        [
            -100_000, -400_000, -900_000, -1_600_000, -2_500_000, -3_600_000
        ]
    );
    assert!(
        at[2] < p.gossip_threshold && at[3] < p.publish_threshold && at[5] < p.graylist_threshold
    );
}

#[test]
fn invalid_counts_per_class() {
    let mut s = scores(false);
    s.invalid(P, C);
    s.invalid(P, Class::GlobalFrames);
    assert_eq!(s.score(&P, 0), -200_000);
}

#[test]
fn good_deeds_are_capped_below_one_invalid_message() {
    let mut s = scores(false);
    s.joined(P, 0);
    for class in [C, Class::GlobalFrames, Class::ShardFrames] {
        (0..1000).for_each(|_| s.first_delivery(P, class));
    }
    assert_eq!(s.score(&P, 1_000_000), ScoreParams::default().positive_max);
    s.invalid(P, C);
    assert!(s.score(&P, 1_000_000) <= 0);
}

#[test]
fn time_in_mesh_counts_only_inside_and_to_its_cap() {
    let mut s = scores(false);
    assert_eq!(s.score(&P, 50_000), 0);
    s.joined(P, 0);
    s.joined(P, 40_000);
    s.left(P);
    assert_eq!(s.score(&P, 50_000), 500);
    assert_eq!(s.score(&P, u64::MAX), 1_000);
    s.left(P);
    assert_eq!(s.score(&P, 50_000), 0);
}

#[test]
fn misbehaviour_is_free_for_racing_then_squared() {
    let mut s = scores(false);
    s.misbehaved(P, 6);
    assert_eq!(s.score(&P, 0), 0);
    s.misbehaved(P, 2);
    assert_eq!(s.score(&P, 0), -40_000);
    s.misbehaved(P, u64::MAX);
    assert!(
        s.score(&P, 0) < ScoreParams::default().graylist_threshold,
        "saturates without wrapping"
    );
}

#[test]
fn colocation_counts_operators_not_peers() {
    let ip = Some(IpAddr::from([10, 0, 0, 1]));
    let peer = |n: u8| PeerKey([n; 32]);
    for (devnet, own, want) in [
        (false, false, -1_600_000),
        (false, true, 0),
        (true, false, 0),
    ] {
        let mut s = Scores::new(ScoreParams::default(), devnet, 0);
        for n in 0..10 {
            s.connect(peer(n), ip);
            if own {
                s.operator(peer(n), [9; 32]);
            }
        }
        assert_eq!(
            s.score(&peer(0), 0),
            want,
            "devnet {devnet}, one operator {own}"
        );
        for n in 4..10 {
            s.disconnect(peer(n), 0);
        }
        assert_eq!(s.score(&peer(0), 0), 0, "who left does not count");
        (0..4).for_each(|n| s.disconnect(peer(n), 0));
        assert!(s.addresses.is_empty());
    }
}

#[test]
fn addresses_are_grouped_by_ipv4_and_slash_64() {
    let a = |s: &str| scored_address(s.parse().unwrap());
    assert_eq!(a("::ffff:10.0.0.1"), a("10.0.0.1"));
    assert_eq!(a("2001:db8::1"), a("2001:db8::2"));
    assert_ne!(a("2001:db8::1"), a("2001:db8:0:1::1"));
}

#[test]
fn bad_score_survives_a_reconnect_good_does_not() {
    let mut s = scores(false);
    s.first_delivery(P, C);
    s.disconnect(P, 0);
    assert_eq!((s.score(&P, 0), s.retained()), (0, 0));
    s.connect(P, None);
    s.first_delivery(P, C);
    s.invalid(P, C);
    s.disconnect(P, 0);
    s.connect(P, None);
    assert_eq!(s.score(&P, 0), -100_000);
    s.disconnect(P, 0);
    s.decay(ScoreParams::default().retain_ms);
    assert_eq!(s.retained(), 0);
}

#[test]
fn decay_forgives_and_survives_a_jump_of_the_clock() {
    let mut s = scores(false);
    s.invalid(P, C);
    s.penalise(P, 50);
    let mut last = s.score(&P, 0);
    for t in 1..=360 {
        s.decay(t * 10_000);
        let now = s.score(&P, t * 10_000);
        assert!(now >= last);
        last = now;
    }
    assert_eq!(last, 0, "an hour later nothing is left of one mistake");
    s.decay(u64::MAX);
    s.decay(u64::MAX);
}

#[test]
fn retained_records_are_bounded() {
    let mut s = Scores::new(ScoreParams::default(), true, 0);
    for n in 0..=u64::try_from(RETAINED_SCORES_MAX).unwrap() {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&n.to_be_bytes());
        s.connect(PeerKey(key), None);
        s.penalise(PeerKey(key), 1);
        s.disconnect(PeerKey(key), n);
    }
    assert_eq!(s.retained(), RETAINED_SCORES_MAX);
}
