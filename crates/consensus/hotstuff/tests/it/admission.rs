//! C7: what is forwarded and what is not.

use std::sync::Arc;

use quil_hotstuff::limits::ADMISSION_SLOTS;
use quil_hotstuff::{Admission, AdmissionError, Admitted, Roster};
use quil_types::{Chain, ConsensusMessage, Envelope, Epoch, FrameId, Rank, ShardAddr};

use crate::bench::{Chained, Net, index, peer};

fn filter(net: &Net) -> Admission {
    let mut admission = Admission::new(net.chain);
    admission.learn(Epoch::ZERO, Arc::new(Roster::new(net.committee())));
    admission
}

fn envelope(member: usize, payload: ConsensusMessage) -> Envelope {
    let (chain, epoch, rank) = payload.position();
    let member = index(member);
    Envelope {
        chain,
        epoch,
        rank,
        member,
        attempt: 1,
        payload,
        signature: [0; 64],
    }
}

fn vote(net: &Net, member: usize, rank: u64, id: u8) -> Envelope {
    let vote = net.vote_for(member, Epoch::ZERO, Rank::new(rank), FrameId([id; 32]));
    envelope(member, ConsensusMessage::Vote(vote))
}

#[test]
fn first_message_of_a_slot_is_forwarded() {
    let net = Net::new(4);
    let mut admission = filter(&net);
    let e = vote(&net, 2, 1, 1);
    assert_eq!(
        admission.screen(&e),
        Ok(peer(2)),
        "the key that must have signed the envelope"
    );
    assert_eq!(admission.admit(&e), Ok(Admitted::Forward));
    assert_eq!(admission.admit(&e), Err(AdmissionError::Repeated));
    assert_eq!(
        admission.admit(&vote(&net, 2, 2, 1)),
        Ok(Admitted::Forward),
        "another rank"
    );
    assert_eq!(
        admission.admit(&vote(&net, 3, 1, 1)),
        Ok(Admitted::Forward),
        "another member"
    );
    let timeout = envelope(2, ConsensusMessage::Timeout(net.timeout(2, 0, 1, None)));
    assert_eq!(
        admission.admit(&timeout),
        Ok(Admitted::Forward),
        "another kind"
    );
}

#[test]
fn different_second_message_goes_to_the_core_once_and_nowhere_else() {
    let net = Net::new(4);
    let mut admission = filter(&net);
    admission.admit(&vote(&net, 2, 1, 1)).unwrap();
    assert_eq!(
        admission.admit(&vote(&net, 2, 1, 2)),
        Ok(Admitted::Conflict)
    );
    assert_eq!(
        admission.admit(&vote(&net, 2, 1, 3)),
        Err(AdmissionError::Repeated)
    );
}

#[test]
fn author_may_repeat_himself_with_a_higher_attempt() {
    let net = Net::new(4);
    let mut admission = filter(&net);
    let mut e = envelope(1, ConsensusMessage::Timeout(net.timeout(1, 0, 1, None)));
    assert_eq!(admission.admit(&e), Ok(Admitted::Forward));
    e.attempt = 2;
    assert_eq!(admission.admit(&e), Ok(Admitted::Forward));
    e.attempt = 1;
    assert_eq!(
        admission.admit(&e),
        Err(AdmissionError::Repeated),
        "a replay"
    );
}

#[test]
fn strangers_and_impostors_stay_outside() {
    let net = Net::new(4);
    let admission = filter(&net);
    let good = vote(&net, 2, 1, 1);
    let mut e = good.clone();
    e.member = index(4);
    assert_eq!(admission.screen(&e), Err(AdmissionError::NotMember));
    let mut e = good.clone();
    e.member = index(1);
    assert_eq!(admission.screen(&e), Err(AdmissionError::Author));
    let mut e = good.clone();
    e.rank = Rank::new(9);
    assert_eq!(admission.screen(&e), Err(AdmissionError::Position));
    let later = net.vote_for(2, Epoch::new(1), Rank::new(1), FrameId([1; 32]));
    let e = envelope(2, ConsensusMessage::Vote(later));
    assert_eq!(
        admission.screen(&e),
        Err(AdmissionError::UnknownEpoch(Epoch::new(1)))
    );
    let other = Admission::new(Chain::Shard(ShardAddr::ZERO));
    assert_eq!(other.screen(&good), Err(AdmissionError::WrongChain));
    let p = Chained::new(&net).propose(1);
    let relay = (p.vote.member.get() + 1) % 4;
    let e = envelope(relay, ConsensusMessage::Proposal(Box::new(p)));
    assert_eq!(admission.screen(&e), Err(AdmissionError::Author));
}

#[test]
fn memory_per_member_is_bounded_and_forgetting_is_no_second_chance() {
    let net = Net::new(4);
    let mut admission = filter(&net);
    let slots = ADMISSION_SLOTS as u64;
    for rank in 1..=3 * slots {
        assert_eq!(
            admission.admit(&vote(&net, 2, rank, 1)),
            Ok(Admitted::Forward)
        );
    }
    for rank in 1..=2 * slots {
        assert_eq!(
            admission.admit(&vote(&net, 2, rank, 2)),
            Err(AdmissionError::Forgotten)
        );
    }
    assert_eq!(
        admission.admit(&vote(&net, 2, 3 * slots, 2)),
        Ok(Admitted::Conflict)
    );
    assert_eq!(
        admission.admit(&vote(&net, 1, 1, 2)),
        Ok(Admitted::Forward),
        "others are not touched"
    );
}

#[test]
fn old_epochs_are_forgotten() {
    let net = Net::new(4);
    let mut admission = filter(&net);
    admission.learn(Epoch::new(3), Arc::new(Roster::new(net.committee())));
    admission.admit(&vote(&net, 2, 1, 1)).unwrap();
    admission.prune(Epoch::new(3));
    let error = admission.admit(&vote(&net, 2, 2, 1));
    assert_eq!(error, Err(AdmissionError::UnknownEpoch(Epoch::ZERO)));
}
