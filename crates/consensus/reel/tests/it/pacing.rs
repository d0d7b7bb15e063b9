use std::collections::BTreeMap;

use quil_reel::{
    AnchorError, ClockVerdict, FinalGlobal, check_anchor, check_anchor_age, clock_verdict,
    future_tolerance_ms,
};
use quil_types::genesis::{Difficulty, Pacing};
use quil_types::{Anchor, Beacon, Chain, FrameId, FrameNumber, Header, ShardAddr, Timestamp};

use crate::follower::header;

fn pacing() -> Pacing {
    Pacing {
        min_spacing_ms: 1_600,
        target_ms: 2_000,
        difficulty: Difficulty::Fixed(1),
        discriminant_bits: 256,
    }
}

fn at(ms: u64) -> Timestamp {
    Timestamp::new(ms)
}

#[test]
fn vote_between_the_spacing_and_the_tolerance() {
    let verdict = |t, now| clock_verdict(&pacing(), at(10_000), at(t), at(now));
    assert_eq!(
        verdict(11_599, 20_000),
        ClockVerdict::TooEarly {
            earliest: at(11_600)
        }
    );
    assert_eq!(verdict(11_600, 20_000), ClockVerdict::Vote);
    assert_eq!(verdict(20_500, 20_000), ClockVerdict::Vote);
    assert_eq!(verdict(20_501, 20_000), ClockVerdict::ParkUntil(at(20_001)));
    assert_eq!(
        clock_verdict(&pacing(), at(u64::MAX), at(u64::MAX), at(0)),
        ClockVerdict::ParkUntil(at(u64::MAX - 500))
    );
}

#[test]
fn tolerance_is_a_quarter_of_a_short_interval() {
    assert_eq!(future_tolerance_ms(&pacing()), 500);
    assert_eq!(
        future_tolerance_ms(&Pacing {
            target_ms: 400,
            ..pacing()
        }),
        100
    );
}

struct Window(BTreeMap<FrameNumber, Header>);

impl FinalGlobal for Window {
    fn header(&self, number: FrameNumber) -> Option<Header> {
        self.0.get(&number).cloned()
    }
    fn head(&self) -> FrameNumber {
        self.0
            .last_key_value()
            .map_or(FrameNumber::ZERO, |(n, _)| *n)
    }
}

fn window() -> Window {
    let frames = (0..10).map(|n| {
        let mut h = header(n, 1, FrameId::ZERO);
        h.beacon = Beacon([u8::try_from(n).unwrap(); 32]);
        (h.number, h)
    });
    Window(frames.collect())
}

fn shard_frame(w: &Window, number: u64) -> Header {
    let global = &w.0[&FrameNumber::new(number)];
    Header {
        chain: Chain::Shard(ShardAddr([1; 32])),
        anchor: Some(Anchor {
            number: global.number,
            id: global.id(),
        }),
        beacon: global.beacon,
        ..header(5, 5, FrameId::ZERO)
    }
}

#[test]
fn anchor_is_final_monotone_and_gives_the_beacon() {
    let w = window();
    let parent = shard_frame(&w, 3);
    for n in 3..10 {
        assert!(check_anchor(&shard_frame(&w, n), &parent, &w).is_ok());
    }
    assert!(matches!(
        check_anchor(&shard_frame(&w, 2), &parent, &w),
        Err(AnchorError::NotMonotone { .. })
    ));
    let missing = Header {
        anchor: None,
        ..shard_frame(&w, 4)
    };
    assert_eq!(
        check_anchor(&missing, &parent, &w),
        Err(AnchorError::Presence)
    );
    let mut foreign = shard_frame(&w, 4);
    foreign.anchor = Some(Anchor {
        number: FrameNumber::new(4),
        id: FrameId([1; 32]),
    });
    assert_eq!(
        check_anchor(&foreign, &parent, &w),
        Err(AnchorError::NotFinal(FrameNumber::new(4)))
    );
    foreign.anchor = Some(Anchor {
        number: FrameNumber::new(3),
        id: FrameId([1; 32]),
    });
    assert!(matches!(
        check_anchor(&foreign, &parent, &w),
        Err(AnchorError::NotMonotone { .. })
    ));
    let ahead = Header {
        anchor: Some(Anchor {
            number: FrameNumber::new(99),
            id: FrameId::ZERO,
        }),
        ..shard_frame(&w, 4)
    };
    assert_eq!(
        check_anchor(&ahead, &parent, &w),
        Err(AnchorError::NotFinal(FrameNumber::new(99)))
    );
    let beacon = Header {
        beacon: Beacon([77; 32]),
        ..shard_frame(&w, 4)
    };
    assert_eq!(check_anchor(&beacon, &parent, &w), Err(AnchorError::Beacon));
}

#[test]
fn old_anchor_gets_no_vote() {
    let anchor = Anchor {
        number: FrameNumber::new(10),
        id: FrameId::ZERO,
    };
    assert!(check_anchor_age(&anchor, FrameNumber::new(18), 8).is_ok());
    assert!(matches!(
        check_anchor_age(&anchor, FrameNumber::new(19), 8),
        Err(AnchorError::TooOld { .. })
    ));
}
