//! The committed vectors are what the host computes; the module for JavaScript is held against the same file.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helper functions of tests"
)]

use std::collections::BTreeMap;

use quil_bls48581::SecretKey;
use quil_bulletproofs::RangeSuite;
use quil_decaf::SecretScalar;
use quil_execution::fee::MULTIPLIER_ONE;
use quil_execution::rules::Rules;
use quil_execution::token::{CoinRecord, Moment, ids, stateless};
use quil_execution::wallet::{Mint, TransferBuilder};
use quil_keys::Wallet;
use quil_kzg::{Ceremony, Kzg, SrsFile, TableBits};
use quil_trie::{Changes, Key, LeafWrite, SetId, Trie};
use quil_types::bundle::{FeePart, Home};
use quil_types::genesis::{
    Difficulty, Lifecycle, Limits, NetworkBinding, Pacing, TokenGenesis, native_domain,
};
use quil_types::limits::BUNDLE_BYTES_MAX;
use quil_types::{
    Bounded, Bundle, Bytes, Canonical, FrameNumber, Genesis, ShardAddr, Sorted, Text, Timestamp,
};
use quil_wasm::{
    AccountRequest, BlsSecretRequest, BlsSignRequest, BlsVerifyRequest, Call, CallError, FoundCoin,
    GenesisRequest, PaymentRequest, PhraseRequest, ProofRequest, Said, ScanRequest, SignRequest,
    Transfer, TransferRequest, VerifyRequest,
};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::{Value, json};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors.json");

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn bytes<const N: usize>(bytes: &[u8]) -> Bytes<N> {
    Bytes::from_slice(bytes).unwrap()
}

fn call<T: Canonical>(call: Call, request: &T) -> Result<Vec<u8>, CallError> {
    quil_wasm::run(call.number(), &request.encode())
}

fn text<T: Canonical>(c: Call, request: &T) -> String {
    String::from_utf8(call(c, request).unwrap()).unwrap()
}

fn authority() -> SecretScalar {
    SecretScalar::random(&mut rng(900))
}

fn genesis() -> Genesis {
    let binding = NetworkBinding {
        name: Text::new("vectors").unwrap(),
        seed: [1; 32],
    };
    let mut ceremony = Ceremony::init(binding.clone());
    let signer = SecretKey::from_seed(&[3; 32], b"vectors").unwrap();
    ceremony.contribute(&signer, &mut rng(1)).unwrap();
    Genesis {
        version: 1,
        binding,
        devnet: true,
        time: Timestamp::new(1),
        pacing: Pacing {
            min_spacing_ms: 1000,
            target_ms: 1000,
            difficulty: Difficulty::Fixed(100),
            discriminant_bits: 256,
        },
        epoch_frames: 100,
        limits: Limits {
            body_bytes: 4 * 1024 * 1024,
            body_cost_us: 4_000_000,
            anchor_age: 8,
        },
        lifecycle: Lifecycle {
            shard_stall: 2,
            weak_subjectivity: 10,
            validity: 100,
        },
        srs: bytes(&SrsFile::of(&ceremony).encode()),
        committee: Bounded::new(),
        shards: Bounded::new(),
        token: TokenGenesis {
            domain: native_domain(),
            authority: authority().public().compress().0,
            fee_per_byte: 2,
        },
        upgrades: Sorted::try_from(vec![]).unwrap(),
    }
}

const RANDOM: [u8; 64] = [7; 64];

fn network() -> GenesisRequest {
    GenesisRequest {
        genesis: bytes(&genesis().encode()),
    }
}

fn phrase() -> String {
    text(Call::WalletPhrase, &PhraseRequest { random: RANDOM })
}

fn payer() -> AccountRequest {
    AccountRequest {
        phrase: bytes(phrase().as_bytes()),
        index: 0,
    }
}

fn keys() -> Value {
    let account = payer();
    let address = text(Call::AccountAddress, &account);
    let message = b"a message";
    let request = SignRequest {
        random: RANDOM,
        account,
        message: bytes(message),
    };
    let signature = call(Call::AccountSign, &request).unwrap();
    json!({
        "random": hex::encode(RANDOM), "phrase": phrase(), "index": 0, "address": address,
        "message": hex::encode(message), "signature": hex::encode(signature),
    })
}

fn bls() -> Value {
    let secret = BlsSecretRequest {
        seed: bytes(&RANDOM),
        info: bytes(b"vectors"),
    };
    let public = call(Call::BlsPublicKey, &secret).unwrap();
    let request = BlsSignRequest {
        secret,
        message: bytes(b"a message"),
    };
    json!({
        "seed": hex::encode(RANDOM), "info": hex::encode(b"vectors"), "message": hex::encode(b"a message"),
        "public": hex::encode(public), "signature": hex::encode(call(Call::BlsSign, &request).unwrap()),
    })
}

fn key(n: u8) -> Key {
    Key::join(&[n; 32], &[n.wrapping_mul(31); 32])
}

const SET: SetId = SetId {
    addr: ShardAddr([5; 32]),
    phase: 2,
};

/// Root, proof of the value at key 3, proof that key 99 has none.
fn proofs() -> ([u8; 64], Vec<u8>, Vec<u8>) {
    let srs = SrsFile::decode(&genesis().srs).unwrap();
    let kzg = Kzg::new(
        &srs.verify(&genesis().binding).unwrap(),
        TableBits::new(3).unwrap(),
    );
    let write = |n: u8| (key(n), Some(LeafWrite::of([n; 9].as_slice().into())));
    let changes: Changes = (0..20).map(write).collect::<BTreeMap<_, _>>();
    let trie = Trie::empty(SET).update(&kzg, 1, &changes).unwrap().trie;
    let prove = |n| trie.prove(&kzg, &key(n)).unwrap().1.to_bytes();
    (trie.root(), prove(3), prove(99))
}

fn state() -> Value {
    let (root, present, absent) = proofs();
    json!({
        "root": hex::encode(root), "addr": hex::encode(SET.addr.0), "phase": SET.phase,
        "key": hex::encode(key(3).0), "value": hex::encode([3; 9]), "proof": hex::encode(present),
        "absent_key": hex::encode(key(99).0), "absent_proof": hex::encode(absent),
    })
}

/// Coins that mints leave to the payer, and one of somebody else.
fn records() -> Vec<CoinRecord> {
    let rules = Rules::new(&genesis());
    let owner = Wallet::from_phrase(&phrase()).unwrap().account(0).unwrap();
    let other = Wallet::generate(&mut rng(5)).unwrap().account(0).unwrap();
    let key = authority();
    let mint = |(nonce, to)| {
        let mint = Mint {
            authority: &key,
            nonce,
            amount: 1_000_000 * nonce,
        };
        let builder = TransferBuilder::new(&rules, moment()).mint(mint);
        let built = builder
            .build(RangeSuite::standard(), to, &[], &mut rng(nonce))
            .unwrap();
        let FeePart::Transfer(transfer) = built.bundle.fee else {
            unreachable!("a mint is a transfer")
        };
        CoinRecord {
            rho: ids::rho(&transfer.body),
            index: 0,
            output: transfer.body.outputs[0].clone(),
        }
    };
    [(1, &owner), (2, &other), (3, &owner)].map(mint).to_vec()
}

fn moment() -> Moment {
    Moment {
        now: FrameNumber::new(10),
        version: 1,
        multiplier: MULTIPLIER_ONE,
    }
}

fn receiver() -> AccountRequest {
    AccountRequest {
        phrase: payer().phrase,
        index: 1,
    }
}

fn scan(records: &[CoinRecord]) -> Vec<FoundCoin> {
    let request = ScanRequest {
        network: network(),
        account: payer(),
        home: Home([0; 2]),
        records: Bounded::try_from(records.to_vec()).unwrap(),
    };
    let found = call(Call::CoinsScan, &request).unwrap();
    Bounded::<FoundCoin, 1024>::decode(&found, usize::MAX)
        .unwrap()
        .into_vec()
}

fn transfer_request(coins: Vec<CoinRecord>) -> TransferRequest {
    TransferRequest {
        random: RANDOM,
        network: network(),
        account: payer(),
        home: Home([0; 2]),
        now: 10,
        version: 1,
        multiplier: MULTIPLIER_ONE,
        tip: 5,
        coins: Bounded::try_from(coins).unwrap(),
        payments: Bounded::try_from(vec![PaymentRequest {
            to: bytes(text(Call::AccountAddress, &receiver()).as_bytes()),
            amount: 3_200_000,
        }])
        .unwrap(),
    }
}

fn build(coins: Vec<CoinRecord>) -> Result<Transfer, CallError> {
    let built = call(Call::TransferBuild, &transfer_request(coins))?;
    Ok(Transfer::decode(&built, usize::MAX).unwrap())
}

fn coins() -> Value {
    let records = records();
    let found: Vec<Value> = scan(&records).iter().map(|c| {
        json!({ "position": c.position, "id": hex::encode(c.id.0), "amount": c.amount.to_string(),
            "nullifier": hex::encode(c.nullifier.0) })
    }).collect();
    let encoded: Vec<String> = records.iter().map(|r| hex::encode(r.encode())).collect();
    json!({ "home": "0000", "records": encoded, "found": found })
}

fn transfer() -> Value {
    let records = records();
    let built = build(vec![records[0].clone(), records[2].clone()]).unwrap();
    let spent: Vec<String> = built.spent.iter().map(|c| hex::encode(c.0)).collect();
    json!({
        "random": hex::encode(RANDOM), "now": "10", "version": 1, "multiplier": MULTIPLIER_ONE.to_string(), "tip": "5",
        "coins": [0, 2], "to": text(Call::AccountAddress, &receiver()), "amount": "3200000",
        "tx": hex::encode(built.tx.0), "fee": built.fee.to_string(), "change": built.change.to_string(),
        "spent": spent, "bundle": hex::encode(&*built.bundle),
    })
}

fn vectors() -> Value {
    json!({
        "description": "requests and results of the module, computed on the host by tests/vectors.rs",
        "source": "own computation, recorded as known answers",
        "genesis": hex::encode(genesis().encode()),
        "genesis_hash": hex::encode(call(Call::GenesisHash, &network()).unwrap()),
        "keys": keys(), "bls": bls(), "state": state(), "coins": coins(), "transfer": transfer(),
    })
}

#[test]
fn committed_vectors_are_what_the_host_computes() {
    let committed: Value = serde_json::from_slice(&std::fs::read(FILE).unwrap()).unwrap();
    for (name, value) in vectors().as_object().unwrap() {
        assert_eq!(&committed[name], value, "{name}");
    }
}

#[test]
#[ignore = "writes the file that the other test compares with"]
fn write_vectors() {
    let text = serde_json::to_string_pretty(&vectors()).unwrap();
    std::fs::write(FILE, text + "\n").unwrap();
}

#[test]
fn account_is_that_of_the_wallet_crate() {
    let account = Wallet::from_phrase(&phrase()).unwrap().account(1).unwrap();
    let address = text(Call::AccountAddress, &receiver());
    assert_eq!(address, account.address().to_string());
}

#[test]
fn signature_belongs_to_one_account_and_message() {
    let sign = SignRequest {
        random: RANDOM,
        account: payer(),
        message: bytes(b"yes"),
    };
    let signature: [u8; 112] = call(Call::AccountSign, &sign).unwrap().try_into().unwrap();
    let verify = |account: &AccountRequest, message: &[u8], signature: [u8; 112]| {
        let address = text(Call::AccountAddress, account);
        let request = VerifyRequest {
            address: bytes(address.as_bytes()),
            message: bytes(message),
            signature,
        };
        call(Call::AccountVerify, &request).map_err(|e| e.code())
    };
    assert_eq!(verify(&payer(), b"yes", signature), Ok(vec![]));
    assert_eq!(verify(&payer(), b"no", signature), Err(6));
    assert_eq!(verify(&receiver(), b"yes", signature), Err(6));
    let mut bent = signature;
    bent[60] ^= 1;
    assert_eq!(verify(&payer(), b"yes", bent), Err(6));
}

#[test]
fn bls_signature_belongs_to_one_key_and_message() {
    let secret = |info: &[u8]| BlsSecretRequest {
        seed: bytes(&RANDOM),
        info: bytes(info),
    };
    let public = |info: &[u8]| call(Call::BlsPublicKey, &secret(info)).unwrap();
    let sign = BlsSignRequest {
        secret: secret(b"a"),
        message: bytes(b"yes"),
    };
    let signature = call(Call::BlsSign, &sign).unwrap();
    let verify = |public: Vec<u8>, message: &[u8]| {
        let request = BlsVerifyRequest {
            public: public.try_into().unwrap(),
            message: bytes(message),
            signature: signature.clone().try_into().unwrap(),
        };
        call(Call::BlsVerify, &request).map_err(|e| e.code())
    };
    assert_eq!(verify(public(b"a"), b"yes"), Ok(vec![]));
    assert_eq!(verify(public(b"a"), b"no"), Err(9));
    assert_eq!(verify(public(b"b"), b"yes"), Err(9));
    assert_eq!(verify(vec![9; 585], b"yes"), Err(8));
    let short = BlsSecretRequest {
        seed: bytes(&[1; 31]),
        info: Bytes::new(),
    };
    assert_eq!(call(Call::BlsPublicKey, &short).unwrap_err().code(), 7);
}

#[test]
fn proof_shows_exactly_its_claim() {
    let (root, present, absent) = proofs();
    let verify = |root, n, said, proof: &[u8]| {
        let request = ProofRequest {
            network: network(),
            root,
            set: SET,
            key: key(n),
            said,
            proof: bytes(proof),
        };
        call(Call::ProofVerify, &request).map_err(|e| e.code())
    };
    let value = |n: u8| Said::Value(bytes(&[n; 9]));
    assert_eq!(verify(root, 3, value(3), &present), Ok(vec![]));
    assert_eq!(verify(root, 99, Said::Absent, &absent), Ok(vec![]));
    assert_eq!(verify(root, 3, value(4), &present), Err(13));
    assert_eq!(verify(root, 3, Said::Absent, &present), Err(13));
    assert_eq!(verify([0; 64], 3, value(3), &present), Err(13));
    for at in [10, present.len() / 2, present.len() - 1] {
        let mut bent = present.clone();
        bent[at] ^= 1;
        assert!(verify(root, 3, value(3), &bent).is_err(), "byte {at}");
    }
}

#[test]
fn transfer_decodes_checks_and_pays_the_receiver() {
    let records = records();
    assert_eq!(
        scan(&records)
            .iter()
            .map(|c| c.position)
            .collect::<Vec<_>>(),
        [0, 2]
    );
    let built = build(vec![records[0].clone(), records[2].clone()]).unwrap();
    let bundle = Bundle::decode(&built.bundle, BUNDLE_BYTES_MAX).unwrap();
    assert_eq!(bundle.id(), built.tx);
    stateless(bundle.into(), &Rules::new(&genesis()), 1).unwrap();
    let owned: u64 = scan(&records).iter().map(|c| c.amount).sum();
    assert_eq!(owned, 3_200_000 + built.fee + built.change);
    assert_eq!(built.spent.len(), 2);
}

#[test]
fn transfer_of_foreign_coins_or_nothing_is_refused() {
    let records = records();
    assert_eq!(build(records.clone()).unwrap_err().code(), 15);
    assert_eq!(build(vec![records[0].clone()]).unwrap_err().code(), 14);
    let mut request = transfer_request(vec![records[0].clone()]);
    request.payments = Bounded::new();
    assert_eq!(call(Call::TransferBuild, &request).unwrap_err().code(), 16);
    request = transfer_request(vec![]);
    request.multiplier = u64::MAX;
    request.tip = u64::MAX;
    request.now = u64::MAX;
    assert_eq!(call(Call::TransferBuild, &request).unwrap_err().code(), 14);
}
