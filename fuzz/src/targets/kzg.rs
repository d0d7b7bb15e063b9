//! Commitments, openings, SRS files and ceremony transcripts.

use std::sync::LazyLock;

use quil_bls48581::{Fr, G1_BYTES, G1Affine, SecretKey};
use quil_kzg::{
    Ceremony, Commitment, DOMAIN_SIZE, Kzg, MultiProof, OPENINGS_MAX, Opening, Slot, Srs, SrsFile,
    Transcript, Witness,
};
use quil_types::{Bounded, Canonical, Text, genesis::NetworkBinding, limits::SRS_BYTES_MAX};

use super::{Fields, LARGE, SMALL, canonical, decoder, one_encoding, rng, verifier};
use crate::{Target, Verdict};

pub(super) const TARGETS: &[Target] = &[
    decoder("kzg.commitment", 300, SMALL, commitments, commitment),
    verifier("kzg.single", 60, singles, single),
    verifier("kzg.multi", 60, multis, multi),
    decoder("kzg.srs_file", 500, SMALL, files, file),
    decoder("kzg.srs_powers", 12, LARGE, powers, srs),
    decoder("kzg.transcript", 600, SMALL, transcripts, transcript),
    verifier("kzg.ceremony", 6, files, ceremony),
];

fn slots(seed: u8) -> [Slot; DOMAIN_SIZE] {
    core::array::from_fn(|i| [seed.wrapping_add(i as u8); 64])
}

fn commit(slots: &[Slot; DOMAIN_SIZE]) -> Commitment {
    Commitment::from(&Kzg::insecure_shared().commit_slots(slots))
}

fn commitments() -> Vec<Vec<u8>> {
    let fixed = [G1Affine::generator(), G1Affine::identity()];
    let tenth = G1Affine::generator().mul(&Fr::from(10u64)).to_affine();
    fixed
        .iter()
        .chain([&tenth])
        .map(|p| p.to_bytes().to_vec())
        .collect()
}

fn commitment(bytes: &[u8]) -> Verdict {
    let Ok(array) = <[u8; G1_BYTES]>::try_from(bytes) else {
        return Verdict::Refused;
    };
    let point = Commitment::from_bytes(array).point().ok_or(());
    one_encoding(bytes, point, |p| {
        Commitment::from_point(p).as_bytes().to_vec()
    })
}

/// commitment || index || value || proof.
fn singles() -> Vec<Vec<u8>> {
    let kzg = Kzg::insecure_shared();
    [(1, 0), (2, 63), (3, 17)]
        .into_iter()
        .map(|(seed, index)| {
            let slots = slots(seed);
            let mut out = commit(&slots).as_bytes().to_vec();
            out.push(index);
            out.extend(slots[usize::from(index)]);
            let proof = kzg.open_single(&slots, index).expect("an index");
            out.extend(proof.as_bytes());
            out
        })
        .collect()
}

fn single(bytes: &[u8]) -> Verdict {
    let mut f = Fields(bytes);
    let fields = (|| Some((f.array()?, f.array::<1>()?[0], f.array()?, f.array()?)))();
    let Some((commitment, index, value, proof)) = fields.filter(|_| f.0.is_empty()) else {
        return Verdict::Refused;
    };
    let (commitment, proof) = (
        Commitment::from_bytes(*commitment),
        Commitment::from_bytes(*proof),
    );
    let kzg = Kzg::insecure_shared();
    let result = kzg
        .verifier()
        .verify_single(&commitment, index, value, &proof);
    Verdict::of(&result)
}

type Statement = (Bounded<Opening, OPENINGS_MAX>, MultiProof);

fn multis() -> Vec<Vec<u8>> {
    let vectors: Vec<_> = (1..4).map(slots).collect();
    [&[(0usize, 5u8)][..], &[(0, 1), (1, 1), (2, 60), (0, 2)]]
        .iter()
        .map(|chosen| {
            let witnesses: Vec<_> = chosen
                .iter()
                .map(|(v, index)| Witness {
                    commitment: commit(&vectors[*v]),
                    slots: &vectors[*v],
                    index: *index,
                })
                .collect();
            let (openings, proof) = Kzg::insecure_shared()
                .open_multi(&witnesses)
                .expect("indices in range");
            let statement: Statement = (Bounded::try_from(openings).expect("few"), proof);
            statement.encode()
        })
        .collect()
}

fn multi(bytes: &[u8]) -> Verdict {
    let Ok((openings, proof)) = canonical::<Statement>(bytes, 32 << 10) else {
        return Verdict::Refused;
    };
    let kzg = Kzg::insecure_shared();
    Verdict::of(&kzg.verifier().verify_multi(&openings, &proof))
}

fn binding() -> NetworkBinding {
    NetworkBinding {
        name: Text::new("fuzz").expect("short"),
        seed: [5; 32],
    }
}

static FILE: LazyLock<SrsFile> = LazyLock::new(|| {
    let mut ceremony = Ceremony::init(binding());
    for seed in 1..3 {
        let signer = SecretKey::generate(&mut rng(seed));
        ceremony
            .contribute(&signer, &mut rng(seed + 10))
            .expect("not full");
    }
    SrsFile::of(&ceremony)
});

fn files() -> Vec<Vec<u8>> {
    vec![FILE.encode()]
}

fn file(bytes: &[u8]) -> Verdict {
    one_encoding(bytes, SrsFile::decode(bytes), SrsFile::encode)
}

fn powers() -> Vec<Vec<u8>> {
    vec![Srs::insecure_from_seed(1).to_bytes()]
}

fn srs(bytes: &[u8]) -> Verdict {
    one_encoding(bytes, Srs::from_bytes(bytes), Srs::to_bytes)
}

fn transcripts() -> Vec<Vec<u8>> {
    vec![FILE.transcript().encode()]
}

fn transcript(bytes: &[u8]) -> Verdict {
    Verdict::of(&canonical::<Transcript>(bytes, SRS_BYTES_MAX))
}

fn ceremony(bytes: &[u8]) -> Verdict {
    match SrsFile::decode(bytes) {
        Ok(file) => Verdict::of(&file.verify(&binding())),
        Err(_) => Verdict::Refused,
    }
}
