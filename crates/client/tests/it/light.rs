//! One answer of a node against the genesis document: what holds is shown, everything else is refused.

use std::sync::LazyLock;

use quil_client::light::{LightClient, LightClientError as E, VerifiedRecord};
use quil_client::verify_answer;
use quil_engine::NetworkError;
use quil_engine::light::{LightError, LightProof};
use quil_execution::token::records::supply_key;
use quil_execution::wallet::ScanKeys;
use quil_hotstuff::VerifyError;
use quil_hypergraph::{Entry, Mode};
use quil_trie::{End, Path, Step};
use quil_types::genesis::native_domain;
use quil_types::{
    Bounded, Bytes, Canonical, Chain, Digest, EpochProof, FinalityProof, FrameId, FrameNumber,
    Genesis, GenesisHash, Header, ShardAddr,
};
use rayon::prelude::*;

use crate::fake::account;
use crate::lightnet::{AMOUNT, E as FRAMES, LightNet, NET, answer, stranger};

static CLIENT: LazyLock<LightClient> = LazyLock::new(|| LightClient::new(&NET.document()).unwrap());

/// Bytes of a good answer and its proof.
static GOOD: LazyLock<LightProof> = LazyLock::new(|| NET.proof(&NET.coin));
static NOTHING: LazyLock<LightProof> = LazyLock::new(|| NET.proof(&NET.nowhere(1)));

fn verify(proof: &LightProof) -> Result<VerifiedRecord, E> {
    CLIENT.verify_answer(answer(proof, 9, 7).as_bytes())
}

fn refused(proof: &LightProof) -> LightError {
    match verify(proof) {
        Err(E::Proof(e)) => e,
        other => panic!("{other:?}"),
    }
}

fn bend(f: impl FnOnce(&mut LightProof)) -> LightProof {
    let mut proof = GOOD.clone();
    f(&mut proof);
    proof
}

fn finality(header: Header) -> LightProof {
    bend(|p| p.finality = NET.finality(header))
}

#[test]
fn good_answer_shows_the_coin_and_its_amount_to_the_view_key() {
    let shown = verify_answer(&NET.document(), answer(&GOOD, 9, 7).as_bytes()).unwrap();
    let record = shown.record();
    assert_eq!(
        (record.key, record.shard),
        (NET.coin, ShardAddr([0x42; 32]))
    );
    assert_eq!(record.global_number, FrameNumber::new(9));
    assert_eq!(record.row.height, FrameNumber::new(7));
    assert_eq!(record.timestamp, NET.tip().timestamp);
    let coin = shown.open(&ScanKeys::of(&NET.owner)).unwrap();
    assert_eq!(coin.amount(), AMOUNT);
    assert!(
        shown.open(&ScanKeys::of(&account(3))).is_none(),
        "not of this account"
    );
    assert_eq!(shown.coin().unwrap().0.0, [0, 0]);
}

#[test]
fn good_answer_shows_that_there_is_nothing() {
    for salt in 1..8 {
        let key = NET.nowhere(salt);
        let shown = verify(&NET.proof(&key)).unwrap();
        assert_eq!((shown.record().key, &shown.record().entry), (key, &None));
        assert!(shown.coin().is_none() && shown.token_record().is_none());
    }
}

#[test]
fn record_that_is_no_coin_opens_nothing() {
    let shown = verify(&NET.proof(&supply_key(native_domain()))).unwrap();
    assert!(shown.token_record().is_some() && shown.coin().is_none());
}

/// Offsets of one byte in every part, and of every `step`-th byte.
fn offsets(len: usize, borders: &[usize], step: usize) -> Vec<usize> {
    let near = borders
        .iter()
        .flat_map(|b| [b.saturating_sub(1), *b, b + 1]);
    let mut all: Vec<usize> = near
        .chain((0..len).step_by(step))
        .filter(|i| *i < len)
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Where the parts of an encoded proof begin.
fn borders(proof: &LightProof) -> Vec<usize> {
    let mut at = 32 + 64 + 4;
    let mut all = vec![32, 96, 100];
    let mut add = |n: usize| {
        at += n;
        all.push(at);
    };
    for e in &proof.epochs {
        add(e.closing.encode().len());
        add(4);
        e.between.iter().for_each(|h| add(h.encode().len()));
        add(e.tip.encode().len());
        add(e.qc.encode().len() - 78);
        add(78);
    }
    add(proof.finality.header.encode().len());
    add(proof.finality.qc.encode().len() - 78);
    add(78);
    add(proof.record.row.encode().len());
    add(proof.record.entry.encode().len());
    for path in &proof.record.proof.paths {
        path.steps.iter().for_each(|s| add(s.encode().len()));
        add(path.end.encode().len());
    }
    add(74);
    all
}

fn every_flip_is_refused(proof: &LightProof) {
    let bytes = proof.encode();
    let flips = offsets(bytes.len(), &borders(proof), 97);
    assert!(flips.len() > 100);
    let passed: Vec<usize> = flips
        .into_par_iter()
        .filter(|at| {
            let mut bent = bytes.clone();
            bent[*at] ^= 1 << (at % 8);
            // The way to an absent key is also the way to its absent neighbours: then that is what is shown.
            let shown = CLIENT.verify(&bent);
            shown
                .is_ok_and(|v| v.record().key.to_bytes() == proof.key || v.record().entry.is_some())
        })
        .collect();
    assert_eq!(passed, [0usize; 0]);
}

#[test]
fn no_byte_of_a_membership_proof_can_change() {
    every_flip_is_refused(&GOOD);
}

#[test]
fn no_byte_of_an_absence_proof_can_change() {
    every_flip_is_refused(&NOTHING);
}

#[test]
fn no_byte_of_the_envelope_can_change() {
    let good = answer(&GOOD, 9, 7).into_bytes();
    assert!(CLIENT.verify_answer(&good).is_ok());
    let len = good.len();
    let envelope = (0..34).chain(len - 42..len);
    let passed: Vec<(usize, u8)> = envelope
        .flat_map(|at| (0..8).map(move |bit| (at, bit)))
        .collect::<Vec<_>>()
        .into_par_iter()
        .filter(|(at, bit)| {
            let mut bent = good.clone();
            bent[*at] ^= 1 << bit;
            CLIENT.verify_answer(&bent).is_ok()
        })
        .collect();
    assert_eq!(passed, []);
}

#[test]
fn envelope_is_read_strictly() {
    let verify = |text: &str| CLIENT.verify_answer(text.as_bytes());
    let good = answer(&GOOD, 9, 7);
    let proof = hex::encode(GOOD.encode());
    assert!(matches!(verify(""), Err(E::Json(_))));
    assert!(matches!(verify(&format!("{good} {{}}")), Err(E::Json(_))));
    let extra = good.replace("{\"schema\"", "{\"extra\":1,\"schema\"");
    assert!(matches!(verify(&extra), Err(E::Json(_))));
    let twice = good.replace("}", ",\"global_number\":9}");
    assert!(matches!(verify(&twice), Err(E::Json(_))));
    let text = good.replace(":9,", ":\"9\",");
    assert!(matches!(verify(&text), Err(E::Json(_))));
    let missing = good.replace(",\"shard_height\":7", "");
    assert!(matches!(verify(&missing), Err(E::Json(_))));
    assert_eq!(verify(&good.replace("proof/1", "proof/2")), Err(E::Schema));
    assert_eq!(
        verify(&good.replace(&proof, &proof.to_uppercase())),
        Err(E::Hex)
    );
    assert_eq!(verify(&good.replace(&proof, "0")), Err(E::Hex));
    assert!(matches!(
        verify(&good.replace(&proof, "00")),
        Err(E::Encoding(_))
    ));
    let longer = good.replace(&proof, &format!("{proof}00"));
    assert!(matches!(verify(&longer), Err(E::Encoding(_))));
    let told = verify(&answer(&GOOD, 10, 7));
    assert_eq!(
        told,
        Err(E::GlobalNumber {
            told: 10,
            proven: 9
        })
    );
    let told = verify(&answer(&GOOD, 9, 8));
    assert_eq!(told, Err(E::ShardHeight { told: 8, proven: 7 }));
    let huge = vec![b' '; quil_client::light::ANSWER_BYTES_MAX + 1];
    assert_eq!(CLIENT.verify_answer(&huge), Err(E::TooLarge(huge.len())));
}

#[test]
fn key_shard_row_and_entry_are_bound() {
    let record = |p: &LightProof| matches!(refused(p), LightError::Record(_));
    assert!(record(&bend(|p| p.key = NET.nowhere(1).to_bytes())));
    assert!(record(&bend(|p| p.shard = ShardAddr([1; 32]))));
    assert!(record(&bend(|p| p.record.row.size += 1)));
    assert!(record(&bend(|p| p.record.row.height = FrameNumber::new(8))));
    assert!(record(&bend(|p| p.record.row.roots[0] = [0; 64])));
    assert!(
        record(&bend(|p| p.record.entry = None)),
        "presence is no absence"
    );
    let entry = Entry {
        mode: Mode::InsertOnly,
        version: 0,
        external: 0,
        content: Bytes::try_from(vec![1, 2, 3]).unwrap(),
    };
    let mut invented = NOTHING.clone();
    invented.record.entry = Some(Bytes::try_from(entry.encode()).unwrap());
    assert!(record(&invented), "absence is no presence");
    let junk = bend(|p| p.record.entry = Some(Bytes::try_from(vec![9]).unwrap()));
    assert!(record(&junk));
}

/// Every way to give one path another shape.
fn shapes(path: &Path, other: &Path) -> Vec<Path> {
    let steps = path.steps.to_vec();
    let with = |steps: Vec<Step>| Path {
        steps: Bounded::try_from(steps).unwrap(),
        end: path.end.clone(),
    };
    let ended = |end: End| Path {
        steps: path.steps.clone(),
        end,
    };
    let mut all = vec![with(Vec::new())];
    for at in 0..steps.len() {
        let (mut less, mut twice, mut moved) = (steps.clone(), steps.clone(), steps.clone());
        less.remove(at);
        twice.insert(at, steps[at].clone());
        moved.swap(at, (at + 1) % steps.len());
        let mut prefix = steps.clone();
        prefix[at].prefix = Bytes::try_from([&*steps[at].prefix, &[0]].concat()).unwrap();
        let mut foreign = steps.clone();
        if let Some(step) = other.steps.first() {
            foreign[at].commitment = step.commitment;
        }
        all.extend([less, twice, moved, prefix, foreign].map(with));
    }
    if let Some(step) = other.steps.first() {
        all.push(with([&steps[..], std::slice::from_ref(step)].concat()));
    }
    all.extend([End::Leaf, End::Empty, other.end.clone()].map(ended));
    if let Some(step) = steps.last() {
        all.push(ended(End::OtherBranch {
            prefix: step.prefix.clone(),
            commitment: step.commitment,
        }));
    }
    if let End::OtherLeaf { key, value } = &path.end {
        let mut own = *value;
        own.size += 1;
        all.push(ended(End::OtherLeaf {
            key: *key,
            value: own,
        }));
    }
    all.retain(|p| p != path);
    all
}

fn malformed_shapes_are_refused(good: &LightProof, other: &LightProof) {
    let mut bent = Vec::new();
    let paths = good.record.proof.paths.to_vec();
    let mut put = |paths: Vec<Path>| {
        let mut proof = good.clone();
        proof.record.proof.paths = Bounded::try_from(paths).unwrap();
        bent.push(proof);
    };
    for at in 0..paths.len() {
        let foreign = &paths[(at + 1) % paths.len()];
        for shape in shapes(&paths[at], foreign) {
            let mut all = paths.clone();
            all[at] = shape;
            put(all);
        }
        let (mut missing, mut unused, mut swapped) = (paths.clone(), paths.clone(), paths.clone());
        missing.remove(at);
        unused.insert(at, paths[at].clone());
        swapped.swap(at, (at + 1) % paths.len());
        put(missing);
        put(unused);
        if swapped != paths {
            put(swapped);
        }
    }
    put(Vec::new());
    let opening = good.record.proof.opening.unwrap();
    let mut proof = good.clone();
    proof.record.proof.opening = None;
    bent.push(proof);
    let mut proof = good.clone();
    proof.record.proof.opening = other.record.proof.opening;
    bent.push(proof);
    let mut proof = good.clone();
    let exchanged = proof.record.proof.opening.as_mut().unwrap();
    (exchanged.quotient, exchanged.proof) = (opening.proof, opening.quotient);
    bent.push(proof);
    assert!(bent.len() > 30, "{}", bent.len());
    let passed = bent.par_iter().filter(|p| verify(p).is_ok()).count();
    assert_eq!(passed, 0);
}

#[test]
fn malformed_shapes_of_membership_are_refused() {
    malformed_shapes_are_refused(&GOOD, &NOTHING);
}

#[test]
fn malformed_shapes_of_absence_are_refused() {
    malformed_shapes_are_refused(&NOTHING, &GOOD);
    let with_leaf = (1..60).map(|i| NET.proof(&NET.nowhere(i)));
    let ends = with_leaf.map(|p| p.record.proof.paths.last().map(|path| path.end.clone()));
    assert!(
        ends.flatten().any(|e| matches!(e, End::Empty)),
        "both kinds occur"
    );
}

#[test]
fn proof_of_another_network_is_refused() {
    let other = LightNet::new("other");
    let committees = [&other, &*NET].map(|n| n.genesis.global_committee());
    assert_eq!(committees[0], committees[1], "the very same keys");
    let foreign = other.proof(&other.coin);
    assert!(matches!(refused(&foreign), LightError::Epoch(..)));
    // Even the first epoch's, whose committee is the same: votes bind the genesis hash.
    let mut early = foreign;
    early.epochs = Bounded::new();
    early.finality = other.finality(other.header(0, 2, 2, FrameId([9; 32])));
    assert!(matches!(
        refused(&early),
        LightError::Finality(VerifyError::Signature(_))
    ));
    let own = LightClient::new(&other.document()).unwrap();
    assert!(own.verify(&other.proof(&other.coin).encode()).is_ok());
    assert!(own.verify(&GOOD.encode()).is_err());
}

#[test]
fn self_signed_and_small_certificates_are_refused() {
    let header = NET.tip();
    let with = |qc| {
        bend(|p| {
            p.finality = FinalityProof {
                header: NET.tip(),
                qc,
            }
        })
    };
    let strangers: Vec<_> = (0..3).map(stranger).collect();
    let by: Vec<_> = (0u16..).zip(&strangers).collect();
    let own = with(NET.certify(&header, &by));
    assert!(matches!(
        refused(&own),
        LightError::Finality(VerifyError::Signature(_))
    ));
    let two: Vec<_> = (0u16..).zip(&NET.secrets).take(2).collect();
    let few = with(NET.certify(&header, &two));
    let below = VerifyError::BelowQuorum {
        weight: 2,
        quorum: 3,
    };
    assert_eq!(refused(&few), LightError::Finality(below));
    let mut claimed = NET.certify(&header, &two);
    claimed.signers = NET.quorum(&header).signers;
    assert!(matches!(
        refused(&with(claimed)),
        LightError::Finality(VerifyError::Signature(_))
    ));
    // One member that signs three times.
    let thrice = [
        (0, &NET.secrets[0]),
        (1, &NET.secrets[0]),
        (2, &NET.secrets[0]),
    ];
    let thrice = with(NET.certify(&header, &thrice));
    assert!(matches!(
        refused(&thrice),
        LightError::Finality(VerifyError::Signature(_))
    ));
    // A committee of the attacker's own, named in the header.
    let mut renamed = header;
    renamed.committee_root = Digest([1; 32]);
    let renamed = finality(renamed);
    assert_eq!(
        refused(&renamed),
        LightError::Finality(VerifyError::CommitteeRoot)
    );
}

#[test]
fn stale_certificate_does_not_carry_a_new_header() {
    let old = NET.finality(NET.header(2, 9, 1, FrameId([9; 32])));
    let stale = bend(|p| p.finality.qc = old.qc.clone());
    assert_eq!(
        refused(&stale),
        LightError::Finality(VerifyError::OtherFrame)
    );
    let mut patched = old.qc;
    patched.rank = NET.tip().rank;
    patched.id = NET.tip().id();
    let patched = bend(|p| p.finality.qc = patched);
    assert!(matches!(
        refused(&patched),
        LightError::Finality(VerifyError::Signature(_))
    ));
}

#[test]
fn certified_header_without_a_final_parent_proves_nothing() {
    let mut header = NET.header(2, 10, 5, FrameId([9; 32]));
    header.parent_rank = quil_types::Rank::new(3);
    let gap = finality(header);
    assert_eq!(
        refused(&gap),
        LightError::Finality(VerifyError::NotConsecutive)
    );
}

#[test]
fn header_must_be_global_of_its_version_and_not_genesis() {
    let mut shard = NET.tip();
    shard.chain = Chain::Shard(ShardAddr([0x42; 32]));
    assert_eq!(refused(&finality(shard)), LightError::NotGlobal);
    let mut version = NET.tip();
    version.version = 2;
    assert_eq!(refused(&finality(version)), LightError::Version(2));
    let zero = NET.header(2, 0, 2, FrameId([9; 32]));
    assert_eq!(refused(&finality(zero)), LightError::Number);
    let mut root = NET.tip();
    root.shards_root = [1; 64];
    assert!(matches!(refused(&finality(root)), LightError::Record(_)));
}

fn epochs(all: Vec<EpochProof>) -> LightProof {
    bend(|p| p.epochs = Bounded::try_from(all).unwrap())
}

#[test]
fn epochs_are_walked_without_gaps_from_the_first() {
    let (e0, e1, e2) = (NET.epoch(0), NET.epoch(1), NET.epoch(2));
    let wrong = |p: &LightProof| {
        matches!(
            refused(p),
            LightError::Epoch(_, VerifyError::WrongEpoch { .. })
        )
    };
    let late = |p: &LightProof| {
        matches!(
            refused(p),
            LightError::Finality(VerifyError::WrongEpoch { .. })
        )
    };
    assert!(late(&epochs(vec![])) && late(&epochs(vec![e0.clone()])));
    assert!(wrong(&epochs(vec![e1.clone()])) && wrong(&epochs(vec![e1.clone(), e0.clone()])));
    assert!(wrong(&epochs(vec![e0.clone(), e0.clone()])));
    assert!(
        late(&epochs(vec![e0, e1, e2])),
        "more than the header's epoch"
    );
}

#[test]
fn epoch_is_closed_by_its_own_committee_only() {
    let with = |e0: EpochProof| epochs(vec![e0, NET.epoch(1)]);
    let cause = |p: &LightProof| match refused(p) {
        LightError::Epoch(_, cause) => cause,
        other => panic!("{other}"),
    };
    let mut open = NET.epoch(0);
    open.closing.number = FrameNumber::new(FRAMES - 2);
    assert_eq!(cause(&with(open)), VerifyError::NotClosing);
    let mut unlinked = NET.epoch(0);
    unlinked.between = Bounded::new();
    assert_eq!(cause(&with(unlinked)), VerifyError::BrokenLink(0));
    let mut handed = NET.epoch(0);
    handed.closing.next_committee_root = Digest([1; 32]);
    let [middle] = &handed.between[..] else {
        panic!()
    };
    let mut middle = middle.clone();
    middle.parent = handed.closing.id();
    handed.tip.parent = middle.id();
    handed.between = Bounded::try_from(vec![middle]).unwrap();
    handed.qc = NET.quorum(&handed.tip);
    assert_eq!(cause(&with(handed)), VerifyError::NextCommittee);
    let mut forged = NET.epoch(0);
    let strangers: Vec<_> = (0..3).map(stranger).collect();
    let by: Vec<_> = (0u16..).zip(&strangers).collect();
    forged.qc = NET.certify(&forged.tip, &by);
    assert!(matches!(cause(&with(forged)), VerifyError::Signature(_)));
}

#[test]
fn header_behind_a_closing_frame_shows_the_closing_frames_state() {
    let closing = NET.header(2, 3 * FRAMES - 1, 3, FrameId([9; 32]));
    let first = NET.header(2, 3 * FRAMES, 4, closing.id());
    let second = NET.header(2, 3 * FRAMES + 1, 5, first.id());
    for header in [first, second] {
        let proof = finality(header);
        let shown = CLIENT.verify(&proof.encode()).unwrap();
        assert_eq!(shown.record().global_number.get(), 3 * FRAMES - 1);
    }
}

#[test]
fn genesis_document_is_checked() {
    let good = answer(&GOOD, 9, 7);
    let with = |f: &dyn Fn(&mut Genesis)| {
        let mut genesis = NET.genesis.clone();
        f(&mut genesis);
        verify_answer(&genesis.encode(), good.as_bytes())
    };
    assert!(with(&|_| {}).is_ok());
    let mut longer = NET.document();
    longer.push(0);
    assert!(matches!(
        verify_answer(&longer, good.as_bytes()),
        Err(E::Genesis(_))
    ));
    assert!(matches!(
        verify_answer(&[], good.as_bytes()),
        Err(E::Genesis(_))
    ));
    let possession = with(&|g| {
        let mut all = g.committee.to_vec();
        all[1].possession = all[0].possession;
        g.committee = Bounded::try_from(all).unwrap();
    });
    assert_eq!(possession, Err(E::Network(NetworkError::Possession(1))));
    let twice = with(&|g| {
        let mut all = g.committee.to_vec();
        all[1] = all[0].clone();
        g.committee = Bounded::try_from(all).unwrap();
    });
    assert_eq!(twice, Err(E::Network(NetworkError::RepeatedKey(1))));
    let ceremony = with(&|g| {
        let mut srs = g.srs.to_vec();
        *srs.last_mut().unwrap() ^= 1;
        g.srs = Bytes::try_from(srs).unwrap();
    });
    assert!(matches!(ceremony, Err(E::Network(NetworkError::Srs(_)))));
    let seed = with(&|g| g.binding.seed = [6; 32]);
    assert_eq!(seed, Err(E::Network(NetworkError::Possession(0))));
    // Well-formed, but another network: the votes are not for it.
    let time = with(&|g| g.epoch_frames = FRAMES + 1);
    assert!(matches!(time, Err(E::Proof(LightError::Epoch(..)))));
    assert_ne!(NET.genesis.hash(), GenesisHash::ZERO);
}
