//! Key records: signed by all, whole, for one network, and replaced only by their owner.

use quil_keys::{
    Account, KEYS_MAX, KeyRecord, PeerKeypair, ProverKey, REVOKED_MAX, RecordError, RecordKey,
    RecordSigner, SignedKeyRecord, VerifiedKeyRecord, WorkerKey, sign_record,
};
use quil_types::{Bounded, Bytes, Canonical, FrameNumber, GenesisHash, Sorted};

use crate::fixtures::{peer, prover, rng, wallet, worker};

const GENESIS: GenesisHash = GenesisHash([3; 32]);
const NOW: FrameNumber = FrameNumber::new(100);

struct Owner {
    peer: PeerKeypair,
    account: Account,
    worker: WorkerKey,
    prover: ProverKey,
}

fn owner(seed: u64) -> Owner {
    Owner {
        peer: peer(seed),
        account: wallet(seed).account(0).unwrap(),
        worker: worker(seed + 50),
        prover: prover(seed),
    }
}

impl Owner {
    fn signers(&self) -> [RecordSigner<'_>; 4] {
        [
            RecordSigner::Worker(&self.worker),
            RecordSigner::Account(&self.account),
            RecordSigner::Prover(&self.prover),
            RecordSigner::Peer(&self.peer),
        ]
    }
}

fn sorted(mut keys: Vec<RecordKey>) -> Vec<RecordKey> {
    keys.sort_unstable();
    keys
}

fn record(seq: u64, signers: &[RecordSigner<'_>], revoked: Vec<RecordKey>) -> KeyRecord {
    let keys = sorted(signers.iter().flat_map(RecordSigner::keys).collect());
    KeyRecord {
        genesis: GENESIS,
        seq,
        keys: Sorted::try_from(keys).unwrap(),
        revoked: Sorted::try_from(sorted(revoked)).unwrap(),
        expiry: FrameNumber::new(200),
    }
}

fn signed(seq: u64, signers: &[RecordSigner<'_>]) -> SignedKeyRecord {
    sign_record(record(seq, signers, Vec::new()), signers, &mut rng(seq)).unwrap()
}

fn verified(seq: u64, signers: &[RecordSigner<'_>]) -> VerifiedKeyRecord {
    signed(seq, signers).verify(&GENESIS, NOW).unwrap()
}

#[test]
fn record_of_all_kinds_verifies_and_travels() {
    let owner = owner(1);
    let signed = signed(7, &owner.signers());
    let bytes = signed.encode();
    let back = SignedKeyRecord::from_bytes(&bytes).unwrap();
    assert_eq!(back, signed);
    let verified = back.verify(&GENESIS, NOW).unwrap();
    assert_eq!(verified.record().keys.len(), 5);
    assert_eq!(verified.signed(), &signed);
    assert!(verified.contains(&RecordKey::Peer(owner.peer.public())));
    assert!(!verified.contains(&RecordKey::Peer(peer(9).public())));
    assert_eq!(
        verified.anchor(),
        Some(&RecordKey::Prover(owner.prover.key().public_bytes()))
    );
}

#[test]
fn every_key_must_sign() {
    let owner = owner(1);
    let good = signed(7, &owner.signers());
    for index in 0..good.signatures.len() {
        let mut signatures = good.signatures.clone().into_vec();
        signatures[index] = Bytes::from_slice(&vec![0; signatures[index].len()]).unwrap();
        let bent = SignedKeyRecord {
            signatures: Bounded::try_from(signatures).unwrap(),
            ..good.clone()
        };
        assert_eq!(
            bent.verify(&GENESIS, NOW),
            Err(RecordError::Signature { index })
        );

        let mut fewer = good.signatures.clone().into_vec();
        fewer.remove(index);
        let bent = SignedKeyRecord {
            signatures: Bounded::try_from(fewer).unwrap(),
            ..good.clone()
        };
        assert_eq!(
            bent.verify(&GENESIS, NOW),
            Err(RecordError::SignatureCount {
                expected: 5,
                found: 4
            })
        );
    }
    let missing = sign_record(
        record(7, &owner.signers(), Vec::new()),
        &owner.signers()[..3],
        &mut rng(1),
    );
    assert_eq!(missing, Err(RecordError::MissingSigner { index: 0 }));
}

#[test]
fn signatures_have_the_length_of_their_key() {
    let owner = owner(1);
    let good = signed(7, &owner.signers());
    for index in 0..good.signatures.len() {
        for change in [-1_isize, 1] {
            let mut signatures = good.signatures.clone().into_vec();
            let mut bytes = signatures[index].to_vec();
            let len = bytes.len().checked_add_signed(change).unwrap();
            bytes.resize(len, 0);
            let Ok(bytes) = Bytes::from_slice(&bytes) else {
                continue;
            };
            signatures[index] = bytes;
            let bent = SignedKeyRecord {
                signatures: Bounded::try_from(signatures).unwrap(),
                ..good.clone()
            };
            assert_eq!(
                bent.verify(&GENESIS, NOW),
                Err(RecordError::Signature { index })
            );
        }
    }
}

#[test]
fn signatures_cover_the_whole_record() {
    let owner = owner(1);
    let good = signed(7, &owner.signers());
    let base = good.record.clone();
    let stranger = RecordKey::Peer(peer(9).public());
    let other_genesis = GenesisHash([4; 32]);
    for (bent, genesis) in [
        (
            KeyRecord {
                seq: 8,
                ..base.clone()
            },
            GENESIS,
        ),
        (
            KeyRecord {
                expiry: FrameNumber::new(201),
                ..base.clone()
            },
            GENESIS,
        ),
        (
            KeyRecord {
                revoked: Sorted::try_from(vec![stranger]).unwrap(),
                ..base.clone()
            },
            GENESIS,
        ),
        (
            KeyRecord {
                genesis: other_genesis,
                ..base
            },
            other_genesis,
        ),
    ] {
        let bent = SignedKeyRecord {
            record: bent,
            signatures: good.signatures.clone(),
        };
        assert_eq!(
            bent.verify(&genesis, NOW),
            Err(RecordError::Signature { index: 0 })
        );
    }
}

#[test]
fn keys_cannot_be_slipped_in_or_taken_out() {
    let owner = owner(1);
    let good = signed(7, &owner.signers());
    let base = good.record.clone();
    let stranger = RecordKey::Peer(peer(9).public());
    let mut more = base.keys.to_vec();
    more.push(stranger);
    let mut signatures = good.signatures.clone().into_vec();
    signatures.push(Bytes::from_slice(&[0; 64]).unwrap());
    let keys = Sorted::try_from(sorted(more)).unwrap();
    let bent = SignedKeyRecord {
        record: KeyRecord {
            keys,
            ..base.clone()
        },
        signatures: Bounded::try_from(signatures).unwrap(),
    };
    assert!(matches!(
        bent.verify(&GENESIS, NOW),
        Err(RecordError::Signature { .. })
    ));
    let fewer = Sorted::try_from(base.keys[..4].to_vec()).unwrap();
    let bent = SignedKeyRecord {
        record: KeyRecord {
            keys: fewer,
            ..base
        },
        signatures: Bounded::try_from(good.signatures[..4].to_vec()).unwrap(),
    };
    assert_eq!(
        bent.verify(&GENESIS, NOW),
        Err(RecordError::Signature { index: 0 })
    );
}

#[test]
fn record_holds_for_its_network_until_its_expiry() {
    let owner = owner(1);
    let good = signed(7, &owner.signers()[3..]);
    assert_eq!(
        good.clone().verify(&GenesisHash([4; 32]), NOW),
        Err(RecordError::Network)
    );
    assert!(good.clone().verify(&GENESIS, FrameNumber::new(200)).is_ok());
    let expiry = FrameNumber::new(200);
    assert_eq!(
        good.verify(&GENESIS, FrameNumber::new(201)),
        Err(RecordError::Expired { expiry })
    );
}

#[test]
fn shape_rules_hold_when_signing_and_when_verifying() {
    let owner = owner(1);
    let account = [RecordSigner::Account(&owner.account)];
    let empty = KeyRecord {
        keys: Sorted::try_from(Vec::new()).unwrap(),
        ..record(1, &account, Vec::new())
    };
    assert_eq!(
        sign_record(empty.clone(), &account, &mut rng(1)),
        Err(RecordError::Empty)
    );
    let bare = SignedKeyRecord {
        record: empty,
        signatures: Bounded::new(),
    };
    assert_eq!(bare.verify(&GENESIS, NOW), Err(RecordError::Empty));

    let view = owner.account.address().view().compress().0;
    let revoked = record(1, &account, vec![RecordKey::View(view)]);
    assert_eq!(
        sign_record(revoked, &account, &mut rng(1)),
        Err(RecordError::RevokedKeyInForce { index: 0 })
    );
    for twice in [
        vec![RecordKey::View(view), RecordKey::Spend(view)],
        vec![RecordKey::Worker([7; 585]), RecordKey::Prover([7; 585])],
    ] {
        let keys = Sorted::try_from(twice).unwrap();
        let reused = KeyRecord {
            keys,
            ..record(1, &account, Vec::new())
        };
        let bare = SignedKeyRecord {
            record: reused,
            signatures: Bounded::new(),
        };
        assert_eq!(
            bare.verify(&GENESIS, NOW),
            Err(RecordError::KeyReused { index: 1 })
        );
    }
}

#[test]
fn invalid_public_keys_are_named() {
    let owner = owner(1);
    let donor = signed(1, &owner.signers());
    let by_kind = donor.signatures.clone().into_vec();
    for (key, signature) in [
        (
            RecordKey::Peer(quil_types::PeerKey([0xff; 32])),
            &by_kind[0],
        ),
        (RecordKey::View([0; 56]), &by_kind[1]),
        (RecordKey::Worker([0; 585]), &by_kind[2]),
        (RecordKey::Spend([0xff; 56]), &by_kind[3]),
        (RecordKey::Prover([0xff; 585]), &by_kind[4]),
    ] {
        let record = KeyRecord {
            keys: Sorted::try_from(vec![key]).unwrap(),
            ..donor.record.clone()
        };
        let signatures = Bounded::try_from(vec![signature.clone()]).unwrap();
        let bent = SignedKeyRecord { record, signatures };
        assert_eq!(
            bent.verify(&GENESIS, NOW),
            Err(RecordError::InvalidKey { index: 0 })
        );
    }
}

#[test]
fn higher_seq_of_the_same_owner_wins() {
    let owner = owner(1);
    let all = owner.signers();
    let (old, new) = (verified(7, &all), verified(8, &all));
    assert!(new.supersedes(&old));
    assert!(!old.supersedes(&new));
    assert!(!new.supersedes(&new), "equal seq replaces nothing");
}

#[test]
fn weaker_key_cannot_speak_for_the_owner() {
    let owner = owner(1);
    let [worker, account, prover, host] = owner.signers();
    let old = verified(7, &owner.signers());
    for thief in [
        &[host][..],
        &[worker, host],
        &[account],
        &[worker, account, host],
    ] {
        assert!(!verified(u64::MAX, thief).supersedes(&old));
    }
    // The prover key alone may drop and revoke all others.
    let gone = old.record().keys[..4].to_vec();
    let record = record(8, &[prover], gone);
    let rotated = sign_record(record, &[prover], &mut rng(1))
        .unwrap()
        .verify(&GENESIS, NOW)
        .unwrap();
    assert!(rotated.supersedes(&old));
    // A stranger never does.
    let other = self::owner(2);
    assert!(!verified(9, &other.signers()).supersedes(&old));
}

#[test]
fn owner_may_add_a_stronger_key() {
    let owner = owner(1);
    let [worker, account, prover, host] = owner.signers();
    let old = verified(1, &[account, host]);
    let new = verified(2, &[worker, account, prover, host]);
    assert!(new.supersedes(&old));
}

#[test]
fn records_of_two_networks_never_meet() {
    let owner = owner(1);
    let all = owner.signers();
    let old = verified(7, &all);
    let genesis = GenesisHash([4; 32]);
    let elsewhere = KeyRecord {
        genesis,
        ..record(8, &all, Vec::new())
    };
    let elsewhere = sign_record(elsewhere, &all, &mut rng(1))
        .unwrap()
        .verify(&genesis, NOW)
        .unwrap();
    assert!(!elsewhere.supersedes(&old));
}

#[test]
fn bytes_are_bounded_and_canonical() {
    let owner = owner(1);
    let bytes = signed(7, &owner.signers()).encode();
    for cut in [0, 1, 31, 40, bytes.len() / 2, bytes.len() - 1] {
        assert!(matches!(
            SignedKeyRecord::from_bytes(&bytes[..cut]),
            Err(RecordError::Encoding(_))
        ));
    }
    let mut long = bytes.clone();
    long.push(0);
    assert!(matches!(
        SignedKeyRecord::from_bytes(&long),
        Err(RecordError::Encoding(_))
    ));
    assert!(matches!(
        SignedKeyRecord::from_bytes(&vec![0; 1 << 17]),
        Err(RecordError::Encoding(_))
    ));
    // Whatever a flipped byte decodes to, it does not verify.
    for at in (0..bytes.len()).step_by(41) {
        let mut bent = bytes.clone();
        bent[at] ^= 1;
        let accepted = SignedKeyRecord::from_bytes(&bent).and_then(|r| r.verify(&GENESIS, NOW));
        assert!(accepted.is_err(), "byte {at}");
    }
}

#[test]
fn counts_are_bounded_by_their_types() {
    let keys = |n: usize| -> Vec<RecordKey> {
        (0..n)
            .map(|i| RecordKey::Peer(quil_types::PeerKey([u8::try_from(i).unwrap(); 32])))
            .collect()
    };
    assert!(Sorted::<RecordKey, KEYS_MAX>::try_from(keys(KEYS_MAX)).is_ok());
    assert!(Sorted::<RecordKey, KEYS_MAX>::try_from(keys(KEYS_MAX + 1)).is_err());
    assert!(Sorted::<RecordKey, REVOKED_MAX>::try_from(keys(REVOKED_MAX + 1)).is_err());
    let disorder =
        Sorted::<RecordKey, KEYS_MAX>::try_from(keys(2).into_iter().rev().collect::<Vec<_>>());
    assert!(disorder.is_err());
}
