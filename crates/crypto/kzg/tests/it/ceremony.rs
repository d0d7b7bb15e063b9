use quil_bls48581::SecretKey;
use quil_kzg::{
    Ceremony, CeremonyError, FileError, POWERS_BYTES, Srs, SrsError, SrsFile, Transcript,
};
use quil_types::genesis::{NetworkBinding, NetworkName};
use quil_types::{Bounded, Canonical};

use crate::support::{random_point, rng};

fn binding(seed: u8) -> NetworkBinding {
    NetworkBinding {
        name: NetworkName::new("devnet").unwrap(),
        seed: [seed; 32],
    }
}

fn signer(seed: u64) -> SecretKey {
    SecretKey::generate(&mut rng(1000 + seed))
}

fn ceremony(contributors: u64) -> Ceremony {
    let mut c = Ceremony::init(binding(1));
    for k in 0..contributors {
        c.contribute(&signer(k), &mut rng(k)).unwrap();
    }
    c
}

fn with(c: &Ceremony, change: impl FnOnce(&mut Vec<quil_kzg::Contribution>)) -> Transcript {
    let mut list = c.transcript().contributions.clone().into_vec();
    change(&mut list);
    Transcript {
        binding: c.transcript().binding.clone(),
        contributions: Bounded::try_from(list).unwrap(),
    }
}

#[test]
fn honest_ceremony_verifies_and_its_file_round_trips() {
    let c = ceremony(3);
    let file = SrsFile::of(&c);
    let bytes = file.encode();
    assert!(bytes.starts_with(b"QSRS1"));
    let back = SrsFile::decode(&bytes).unwrap();
    assert_eq!(back, file);
    let srs = back.verify(&binding(1)).unwrap();
    assert_eq!(srs, c.srs().unwrap());
    assert_eq!(back.into_ceremony(&binding(1)).unwrap(), c);
}

#[test]
fn ceremony_continues_from_its_file() {
    let mut c = SrsFile::of(&ceremony(1))
        .into_ceremony(&binding(1))
        .unwrap();
    c.contribute(&signer(9), &mut rng(9)).unwrap();
    assert_eq!(
        SrsFile::of(&c).verify(&binding(1)).unwrap(),
        c.srs().unwrap()
    );
    let start = SrsFile::of(&Ceremony::init(binding(1)));
    assert_eq!(
        start.clone().into_ceremony(&binding(1)).unwrap(),
        Ceremony::init(binding(1))
    );
    assert!(start.into_ceremony(&binding(2)).is_err());
}

#[test]
fn each_contribution_changes_tau() {
    let (one, two) = (ceremony(1), ceremony(2));
    assert_ne!(one.srs().unwrap(), two.srs().unwrap());
    assert_eq!(
        one.transcript().contributions[0],
        two.transcript().contributions[0]
    );
}

#[test]
fn ceremony_without_contributions_is_refused() {
    let c = Ceremony::init(binding(1));
    assert_eq!(c.srs(), Err(CeremonyError::Empty));
    assert_eq!(
        SrsFile::of(&c).verify(&binding(1)),
        Err(FileError::Srs(SrsError::TauOnDomain))
    );
    let srs = Srs::insecure_from_seed(3);
    assert_eq!(
        c.transcript().verify(&binding(1), &srs),
        Err(CeremonyError::Empty)
    );
}

#[test]
fn other_network_is_refused() {
    let c = ceremony(1);
    let srs = c.srs().unwrap();
    assert_eq!(
        c.transcript().verify(&binding(2), &srs),
        Err(CeremonyError::Binding)
    );
    // Rewriting the binding in the transcript breaks the proofs.
    let mut moved = c.transcript().clone();
    moved.binding = binding(2);
    assert_eq!(
        moved.verify(&binding(2), &srs),
        Err(CeremonyError::Knowledge(0))
    );
}

#[test]
fn forged_or_swapped_proof_of_knowledge_is_refused() {
    let c = ceremony(2);
    let srs = c.srs().unwrap();
    let forged = with(&c, |l| l[1].knowledge = *random_point(4).as_bytes());
    assert_eq!(
        forged.verify(&binding(1), &srs),
        Err(CeremonyError::Knowledge(1))
    );
    let missing = with(&c, |l| l[0].knowledge = [0; 74]);
    assert_eq!(
        missing.verify(&binding(1), &srs),
        Err(CeremonyError::Point(0))
    );
    let swapped = with(&c, |l| {
        let k = l[0].knowledge;
        l[0].knowledge = l[1].knowledge;
        l[1].knowledge = k;
    });
    assert_eq!(
        swapped.verify(&binding(1), &srs),
        Err(CeremonyError::Knowledge(0))
    );
}

#[test]
fn forged_signature_and_foreign_signer_are_refused() {
    let c = ceremony(2);
    let srs = c.srs().unwrap();
    let forged = with(&c, |l| l[1].signature = *random_point(5).as_bytes());
    assert_eq!(
        forged.verify(&binding(1), &srs),
        Err(CeremonyError::Signature(1))
    );
    // The key is part of what the proof of knowledge binds.
    let claimed = with(&c, |l| l[1].key = signer(7).public_key().to_bytes());
    assert_eq!(
        claimed.verify(&binding(1), &srs),
        Err(CeremonyError::Knowledge(1))
    );
}

#[test]
fn replaced_reordered_or_dropped_steps_are_refused() {
    let c = ceremony(3);
    let srs = c.srs().unwrap();
    let other = {
        let mut o = Ceremony::init(binding(1));
        o.contribute(&signer(0), &mut rng(50)).unwrap();
        o
    };
    let replaced = with(&c, |l| l[0] = other.transcript().contributions[0].clone());
    assert_eq!(
        replaced.verify(&binding(1), &srs),
        Err(CeremonyError::Knowledge(1))
    );
    let reordered = with(&c, |l| l.swap(0, 1));
    assert_eq!(
        reordered.verify(&binding(1), &srs),
        Err(CeremonyError::Knowledge(0))
    );
    let dropped = with(&c, |l| {
        l.remove(1);
    });
    assert_eq!(
        dropped.verify(&binding(1), &srs),
        Err(CeremonyError::Knowledge(1))
    );
    let truncated = with(&c, |l| {
        l.pop();
    });
    assert_eq!(
        truncated.verify(&binding(1), &srs),
        Err(CeremonyError::Powers)
    );
}

/// A last contributor who throws everything away and publishes powers of a tau it knows must link its step to
/// the point before, and cannot.
#[test]
fn step_that_ignores_the_powers_before_is_refused() {
    let honest = ceremony(1);
    let fresh = {
        let mut f = Ceremony::init(binding(1));
        f.contribute(&signer(5), &mut rng(60)).unwrap();
        f
    };
    let srs = fresh.srs().unwrap();
    let grafted = with(&honest, |l| {
        l.push(fresh.transcript().contributions[0].clone())
    });
    assert_eq!(
        grafted.verify(&binding(1), &srs),
        Err(CeremonyError::Knowledge(1))
    );
    assert_eq!(
        fresh
            .transcript()
            .verify(&binding(1), &honest.srs().unwrap()),
        Err(CeremonyError::Powers)
    );
}

#[test]
fn step_point_must_grow_by_the_increment() {
    let c = ceremony(1);
    // A point that is not s * previous: the signature covers it, so it fails first.
    let bent = with(&c, |l| l[0].tau_g1 = random_point(8));
    let powers = {
        let mut b = SrsFile::of(&c).encode();
        b.truncate(5 + POWERS_BYTES);
        b.extend_from_slice(&bent.encode());
        SrsFile::decode(&b).unwrap()
    };
    assert_eq!(
        powers.verify(&binding(1)),
        Err(FileError::Ceremony(CeremonyError::Powers))
    );
}

#[test]
fn file_decoder_is_strict() {
    let bytes = SrsFile::of(&ceremony(1)).encode();
    assert_eq!(SrsFile::decode(&bytes[1..]), Err(FileError::Magic));
    assert_eq!(
        SrsFile::decode(&bytes[..5 + POWERS_BYTES - 1]),
        Err(FileError::Truncated)
    );
    assert_eq!(
        SrsFile::decode(&vec![0; (1 << 20) + 1]),
        Err(FileError::TooLarge((1 << 20) + 1))
    );
    let mut long = bytes.clone();
    long.push(0);
    assert!(matches!(
        SrsFile::decode(&long),
        Err(FileError::Transcript(_))
    ));
    assert!(matches!(
        SrsFile::decode(&bytes[..bytes.len() - 1]),
        Err(FileError::Transcript(_))
    ));
    for at in (0..bytes.len()).step_by(211) {
        let mut bent = bytes.clone();
        bent[at] ^= 1;
        let verdict = SrsFile::decode(&bent).and_then(|f| f.verify(&binding(1)));
        assert!(verdict.is_err(), "byte {at}");
    }
}
