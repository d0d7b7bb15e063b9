//! Proofs of possession and worker certificates: every binding, bent one at a time.

use quil_bls48581::PublicKey;
use quil_keys::{
    CertificateError, PeerError, prover_entry, shard_member, verify_peer, verify_prover,
    verify_worker,
};
use quil_types::genesis::{ProverEntry, ShardMember};
use quil_types::{PeerKey, ProverId, ShardAddr, hash, tags};

use crate::fixtures::{binding, peer, prover, worker};

const SHARD: ShardAddr = ShardAddr([5; 32]);

fn entry() -> ProverEntry {
    prover_entry(&prover(1), &binding("devnet", 1), peer(1).public())
}

fn member() -> ShardMember {
    shard_member(
        &prover(1),
        &worker(2),
        &binding("devnet", 1),
        SHARD,
        peer(2).public(),
    )
}

#[test]
fn possession_verifies_for_its_network_key_and_operator() {
    let verified = verify_prover(&binding("devnet", 1), &entry()).unwrap();
    assert_eq!(verified.id(), prover(1).id());
    assert_eq!(verified.peer(), peer(1).public());
    assert_eq!(verified.key(), prover(1).key().public());
}

#[test]
fn possession_bound_to_network_name_seed_key_and_peer() {
    let good = entry();
    for other in [binding("devnet2", 1), binding("devnet", 2)] {
        assert_eq!(
            verify_prover(&other, &good),
            Err(CertificateError::Possession)
        );
    }
    let other_peer = ProverEntry {
        peer: peer(9).public(),
        ..good
    };
    assert_eq!(
        verify_prover(&binding("devnet", 1), &other_peer),
        Err(CertificateError::Possession)
    );
    let other_key = ProverEntry {
        key: prover(9).key().public_bytes(),
        ..good
    };
    assert_eq!(
        verify_prover(&binding("devnet", 1), &other_key),
        Err(CertificateError::Possession)
    );
}

#[test]
fn possession_of_the_negated_key_is_not_implied() {
    let good = entry();
    let negated = PublicKey::from_bytes(&good.key).unwrap().neg();
    let bent = ProverEntry {
        key: negated.to_bytes(),
        ..good
    };
    assert_eq!(
        verify_prover(&binding("devnet", 1), &bent),
        Err(CertificateError::Possession)
    );
}

#[test]
fn possession_is_no_ordinary_signature() {
    // A signature of the same statement under the signing suite must not pass as a proof.
    let good = entry();
    let statement = quil_types::genesis::PossessionStatement {
        binding: binding("devnet", 1),
        key: good.key,
        peer: good.peer,
    };
    let signed = prover(1).key().sign(tags::POSSESSION, &statement);
    let bent = ProverEntry {
        possession: signed,
        ..good
    };
    assert_eq!(
        verify_prover(&binding("devnet", 1), &bent),
        Err(CertificateError::Possession)
    );
}

#[test]
fn undecodable_parts_are_named() {
    let good = entry();
    let bad_proof = ProverEntry {
        possession: [0xff; 74],
        ..good
    };
    assert!(matches!(
        verify_prover(&binding("devnet", 1), &bad_proof),
        Err(CertificateError::PossessionEncoding(_))
    ));
    let identity = ProverEntry {
        key: [0; 585],
        ..good
    };
    assert!(matches!(
        verify_prover(&binding("devnet", 1), &identity),
        Err(CertificateError::Key(_))
    ));
    let prover = verify_prover(&binding("devnet", 1), &entry()).unwrap();
    let bad_certificate = ShardMember {
        certificate: [0; 74],
        ..member()
    };
    assert!(matches!(
        verify_worker(&binding("devnet", 1), SHARD, &prover, &bad_certificate),
        Err(CertificateError::CertificateEncoding(_))
    ));
}

#[test]
fn worker_certificate_verifies() {
    let prover = verify_prover(&binding("devnet", 1), &entry()).unwrap();
    let verified = verify_worker(&binding("devnet", 1), SHARD, &prover, &member()).unwrap();
    assert_eq!((verified.prover(), verified.shard()), (prover.id(), SHARD));
    assert_eq!(verified.key(), worker(2).key().public());
    assert_eq!(verified.peer(), peer(2).public());
}

#[test]
fn worker_certificate_bound_to_shard_prover_and_worker() {
    let network = binding("devnet", 1);
    let verified = verify_prover(&network, &entry()).unwrap();
    let good = member();
    let other_shard = verify_worker(&network, ShardAddr([6; 32]), &verified, &good);
    assert_eq!(other_shard, Err(CertificateError::Certificate));

    // Another worker's valid entry under this certificate.
    let stolen = ShardMember {
        certificate: good.certificate,
        ..shard_member(&prover(1), &worker(8), &network, SHARD, peer(2).public())
    };
    assert_eq!(
        verify_worker(&network, SHARD, &verified, &stolen),
        Err(CertificateError::Certificate)
    );

    // A certificate by another prover under this prover's name.
    let foreign = ShardMember {
        prover: verified.id(),
        ..shard_member(&prover(7), &worker(2), &network, SHARD, peer(2).public())
    };
    assert_eq!(
        verify_worker(&network, SHARD, &verified, &foreign),
        Err(CertificateError::Certificate)
    );

    let renamed = ShardMember {
        prover: ProverId([1; 32]),
        ..good.clone()
    };
    assert!(matches!(
        verify_worker(&network, SHARD, &verified, &renamed),
        Err(CertificateError::WrongProver { .. })
    ));

    let other_network = verify_worker(&binding("devnet", 2), SHARD, &verified, &good);
    assert_eq!(other_network, Err(CertificateError::Possession));
}

#[test]
fn worker_certificate_bound_to_network() {
    // Possession for the asked network, certificate from another one.
    let network = binding("devnet", 1);
    let verified = verify_prover(&network, &entry()).unwrap();
    for other in [binding("devnet", 2), binding("testnet", 1)] {
        let certificate = prover(1).certify(&other, SHARD, &worker(2).key().public_bytes());
        let bent = ShardMember {
            certificate,
            ..member()
        };
        assert_eq!(
            verify_worker(&network, SHARD, &verified, &bent),
            Err(CertificateError::Certificate)
        );
    }
}

#[test]
fn prover_key_is_no_worker_key() {
    let network = binding("devnet", 1);
    let verified = verify_prover(&network, &entry()).unwrap();
    let same = ShardMember {
        worker: entry(),
        certificate: prover(1).certify(&network, SHARD, &prover(1).key().public_bytes()),
        ..member()
    };
    assert_eq!(
        verify_worker(&network, SHARD, &verified, &same),
        Err(CertificateError::ProverKeyAsWorker)
    );
}

#[test]
fn bls_signature_covers_exactly_the_tagged_bytes() {
    let key = prover(1);
    let bytes = key.key().sign(tags::VOTE, &7_u64);
    let signature = quil_bls48581::Signature::from_bytes(&bytes).unwrap();
    let check = |message: &[u8]| key.key().public().verify(message, &signature).is_ok();
    assert!(check(&hash::tagged(tags::VOTE, &7_u64)));
    assert!(!check(&hash::tagged(tags::TIMEOUT, &7_u64)));
    assert!(!check(&hash::tagged(tags::VOTE, &8_u64)));
    assert_eq!(
        key.key().sign_bytes(&hash::tagged(tags::VOTE, &7_u64)),
        bytes
    );
}

#[test]
fn peer_signature_is_strict_and_bound_to_tag_value_and_key() {
    let pair = peer(1);
    let signature = pair.sign(tags::ENVELOPE, &7_u64);
    let check = |key: &PeerKey, tag, value: u64, signature: &[u8; 64]| {
        verify_peer(key, tag, &value, signature)
    };
    assert_eq!(check(&pair.public(), tags::ENVELOPE, 7, &signature), Ok(()));
    assert_eq!(
        check(&pair.public(), tags::IPC_CERT, 7, &signature),
        Err(PeerError::Signature)
    );
    assert_eq!(
        check(&pair.public(), tags::ENVELOPE, 8, &signature),
        Err(PeerError::Signature)
    );
    assert_eq!(
        check(&peer(2).public(), tags::ENVELOPE, 7, &signature),
        Err(PeerError::Signature)
    );
    for at in 0..64 {
        let mut bent = signature;
        bent[at] ^= 1;
        assert_eq!(
            check(&pair.public(), tags::ENVELOPE, 7, &bent),
            Err(PeerError::Signature)
        );
    }
    // s + L is another encoding of s (RFC 8032: must be refused).
    const L: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut second = signature;
    let mut carry = 0_u16;
    for (byte, l) in second[32..].iter_mut().zip(L) {
        let sum = u16::from(*byte) + u16::from(l) + carry;
        *byte = u8::try_from(sum & 0xff).unwrap();
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    assert_eq!(
        check(&pair.public(), tags::ENVELOPE, 7, &second),
        Err(PeerError::Signature)
    );
    // The point (0, 1) of order one, for which every message verifies without strictness.
    let mut weak = [0; 32];
    weak[0] = 1;
    let mut trivial = [0; 64];
    trivial[0] = 1;
    assert_eq!(
        check(&PeerKey(weak), tags::ENVELOPE, 7, &trivial),
        Err(PeerError::Key)
    );
    assert_eq!(
        check(&PeerKey([0xff; 32]), tags::ENVELOPE, 7, &trivial),
        Err(PeerError::Key)
    );
    // y = p + 3 is a second encoding of the point with y = 3.
    let mut alias = [0xff; 32];
    (alias[0], alias[31]) = (0xf0, 0x7f);
    assert_eq!(
        check(&PeerKey(alias), tags::ENVELOPE, 7, &trivial),
        Err(PeerError::Key)
    );
    assert_eq!(*peer(1).expose_seed(), *pair.expose_seed());
}
