//! Known answers for identities, addresses and records.

use quil_execution::state::RecordKey;
use quil_execution::token::ids::{bundle_hash, coin_id, mint_mark, nullifier, rho, tx_message};
use quil_execution::token::records::{
    account_key, coin_key, count_key, index_key, mint_key, nonce_key, nullifier_key, supply_key,
};
use quil_execution::token::{CoinRecord, FeeAccount, Supply, TokenRecord};
use quil_types::bundle::{CoinKind, Home, Input, Mint, Output, TransferBody};
use quil_types::{Canonical, CoinId, Digest, Domain, FrameNumber, GenesisHash, TxId};
use serde_json::Value;

const GENESIS: GenesisHash = GenesisHash([1; 32]);
const DOMAIN: Domain = Domain([2; 32]);
const HOME: Home = Home([9, 10]);
const RHO: Digest = Digest([5; 32]);

fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/token.json")).unwrap()
}

fn output() -> Output {
    Output {
        key: [0x10; 56],
        commitment: [0x11; 56],
        ephemeral: [0x12; 56],
        view_tag: 0x13,
        enc_amount: [0x14; 8],
        kind: CoinKind::Plain,
    }
}

fn minting() -> Mint {
    Mint {
        authority: [0x44; 56],
        nonce: 7,
        amount: 1000,
    }
}

fn body(
    inputs: Vec<Input>,
    mint: Option<Mint>,
    (fee, burn, until): (u64, u64, u64),
) -> TransferBody {
    TransferBody {
        version: 1,
        genesis: GENESIS,
        domain: DOMAIN,
        home: HOME,
        inputs: inputs.try_into().unwrap(),
        outputs: vec![output()].try_into().unwrap(),
        fee,
        burn,
        mint,
        valid_until: FrameNumber::new(until),
    }
}

fn transfer() -> TransferBody {
    let inputs = [(0x20, 0x33), (0x21, 0x34)].map(|(c, i)| Input {
        coin: CoinId([c; 32]),
        image: [i; 56],
    });
    body(inputs.to_vec(), None, (11, 12, 99))
}

fn coin() -> CoinId {
    coin_id(GENESIS, DOMAIN, RHO, 3, &output())
}

#[test]
fn identities_are_the_known_ones() {
    let v = vectors();
    let is = |got: [u8; 32], path: &str| {
        assert_eq!(v.pointer(path).unwrap(), &hex::encode(got), "{path}")
    };
    is(nullifier(GENESIS, DOMAIN, &[0x33; 56]).0, "/nullifier");
    is(mint_mark(&minting()).0, "/mint_mark");
    is(coin().0, "/coin_id");
    is(transfer().id().0, "/transfer/tx_id");
    is(rho(&transfer()).0, "/transfer/rho");
    is(
        tx_message(transfer().id(), &[0x77; 70]).0,
        "/transfer/message",
    );
    let mint = body(vec![], Some(minting()), (1, 0, 5));
    is(mint.id().0, "/mint/tx_id");
    is(rho(&mint).0, "/mint/rho");
    is(bundle_hash(b"hello").0, "/bundle_hash");
}

#[test]
fn addresses_are_the_known_ones() {
    let v = vectors();
    let authority = [0x44; 56];
    let spent = nullifier(GENESIS, DOMAIN, &[0x33; 56]);
    let keys = [
        ("coin", coin_key(DOMAIN, HOME, coin())),
        ("nullifier", nullifier_key(DOMAIN, HOME, spent)),
        ("mint", mint_key(DOMAIN, HOME, mint_mark(&minting()))),
        ("index", index_key(DOMAIN, HOME, 6)),
        ("count", count_key(DOMAIN, HOME)),
        ("supply", supply_key(DOMAIN)),
        ("nonce", nonce_key(DOMAIN, &authority)),
        ("account", account_key(DOMAIN, &authority)),
    ];
    for (name, key) in keys {
        assert_eq!(v["addresses"][name], hex::encode(key.to_bytes()), "{name}");
        assert_eq!(RecordKey::from_bytes(&key.to_bytes()), key);
        assert_eq!(key.atom().key().0, key.to_bytes());
    }
}

#[test]
fn records_have_one_encoding_each() {
    let v = vectors();
    let supply = Supply {
        minted: 1000,
        burned: 23,
    };
    let account = FeeAccount {
        balance: 500,
        nonce: 3,
    };
    let coin_record = CoinRecord {
        rho: RHO,
        index: 3,
        output: output(),
    };
    let records = [
        ("coin", TokenRecord::Coin(coin_record)),
        ("spent", TokenRecord::Spent(TxId(transfer().id().0))),
        ("index", TokenRecord::Index(coin())),
        ("count", TokenRecord::Count(6)),
        ("supply", TokenRecord::Supply(supply)),
        ("nonce", TokenRecord::Nonce(7)),
        ("account", TokenRecord::Account(account)),
    ];
    for (name, record) in records {
        let bytes = record.encode();
        assert_eq!(v["records"][name], hex::encode(&bytes), "{name}");
        assert_eq!(TokenRecord::decode(&bytes, 4096), Ok(record));
        for cut in 0..bytes.len() {
            assert!(
                TokenRecord::decode(&bytes[..cut], 4096).is_err(),
                "{name} cut at {cut}"
            );
        }
        let mut long = bytes.clone();
        long.push(0);
        assert!(
            TokenRecord::decode(&long, 4096).is_err(),
            "{name} with a byte behind"
        );
    }
    assert!(
        TokenRecord::decode(&[7, 0, 0, 0, 0, 0, 0, 0, 0], 4096).is_err(),
        "unknown kind"
    );
}

#[test]
fn every_field_of_an_output_is_in_the_coin_id() {
    let bends: [&dyn Fn(&mut Output); 5] = [
        &|o| o.key[0] ^= 1,
        &|o| o.commitment[0] ^= 1,
        &|o| o.ephemeral[0] ^= 1,
        &|o| o.view_tag ^= 1,
        &|o| o.enc_amount[7] ^= 1,
    ];
    for f in bends {
        let mut o = output();
        f(&mut o);
        assert_ne!(coin_id(GENESIS, DOMAIN, RHO, 3, &o), coin());
    }
    assert_ne!(
        coin_id(GenesisHash([9; 32]), DOMAIN, RHO, 3, &output()),
        coin()
    );
    assert_ne!(coin_id(GENESIS, Domain([9; 32]), RHO, 3, &output()), coin());
    assert_ne!(
        coin_id(GENESIS, DOMAIN, Digest([9; 32]), 3, &output()),
        coin()
    );
    assert_ne!(coin_id(GENESIS, DOMAIN, RHO, 4, &output()), coin());
}
