//! What a wallet finds, chooses and refuses (T7).

use quil_execution::token::CoinRecord;
use quil_execution::wallet::{Mint, ScanKeys, TransferBuilder, WalletError, select};
use quil_keys::Account;
use quil_types::bundle::Home;
use quil_types::limits::INPUTS_MAX;
use quil_types::{Canonical, Digest};

use crate::world::{SUITE, World, account, authority, raw, rng};

fn open(w: &World, who: &Account, r: &CoinRecord) -> Option<u64> {
    let coin = ScanKeys::of(who).open(w.rules.genesis, w.rules.domain, Home::default(), r);
    coin.map(|c| c.amount())
}

#[test]
fn receiver_and_payer_find_their_coins_and_nobody_else_does() {
    let (alice, bob) = (account(1), account(2));
    let mut w = World::with_coins(&alice, &[1_000_000]);
    let b = w.pay(&alice, &bob, 400_000, 1);
    let fee = raw(&b).body.fee;
    w.run(vec![b]).unwrap();
    assert_eq!(
        (w.balance(&alice), w.balance(&bob)),
        (600_000 - fee, 400_000)
    );
    assert_eq!(w.balance(&account(3)), 0);
}

#[test]
fn scanning_finds_all_coins_of_many() {
    let alice = account(1);
    let mut w = World::with_coins(&alice, &[1_000_000, 2_000_000, 3_000_000]);
    for i in 0..3 {
        w.run(vec![w.pay(&alice, &account(2 + i), 100_000, i)])
            .unwrap();
    }
    let all = w.coins_at(Home::default());
    assert_eq!(all.len(), 9);
    let mine = ScanKeys::of(&alice).scan(w.rules.genesis, w.rules.domain, Home::default(), &all);
    assert_eq!(
        mine.len(),
        6,
        "three mints and three times change, spent ones included"
    );
    assert_eq!(w.unspent(&alice).len(), 3);
}

#[test]
fn view_tag_collision_is_not_taken_for_a_coin() {
    let (alice, bob) = (account(1), account(2));
    let mut w = World::with_coins(&alice, &[1_000_000]);
    w.run(vec![w.pay(&alice, &alice, 1, 1)]).unwrap();
    let theirs = w.coins_at(Home::default());
    // Whatever the tag byte says, key and commitment decide.
    for tag in 0..=255 {
        let mut r = theirs[1].clone();
        r.output.view_tag = tag;
        assert_eq!(open(&w, &bob, &r), None);
        let own = open(&w, &alice, &r).is_some();
        assert_eq!(own, tag == theirs[1].output.view_tag);
    }
}

#[test]
fn receiver_refuses_a_coin_whose_commitment_is_not_its_amount() {
    let (alice, bob) = (account(1), account(2));
    let mut w = World::with_coins(&alice, &[1_000_000]);
    w.run(vec![w.pay(&alice, &bob, 400_000, 1)]).unwrap();
    let coins = w.coins_at(Home::default());
    let bobs = coins.iter().find(|c| open(&w, &bob, c).is_some()).unwrap();
    let mut more = bobs.clone();
    more.output.enc_amount[6] ^= 1;
    assert_eq!(open(&w, &bob, &more), None, "another announced amount");
    let mut other = bobs.clone();
    other.output.commitment = coins[0].output.commitment;
    assert_eq!(open(&w, &bob, &other), None, "another commitment");
    let mut key = bobs.clone();
    key.output.key = coins[0].output.key;
    assert_eq!(open(&w, &bob, &key), None, "another key");
    let mut moved = bobs.clone();
    moved.index ^= 1;
    assert_eq!(open(&w, &bob, &moved), None, "another position");
    let mut foreign = bobs.clone();
    foreign.rho = Digest([1; 32]);
    assert_eq!(open(&w, &bob, &foreign), None, "another transaction");
}

#[test]
fn scan_keys_alone_find_amounts() {
    let alice = account(1);
    let w = World::with_coins(&alice, &[123]);
    let view_only = ScanKeys::of(&alice);
    let found = view_only.scan(
        w.rules.genesis,
        w.rules.domain,
        Home::default(),
        &w.coins_at(Home::default()),
    );
    assert_eq!(found[0].amount(), 123);
    assert!(
        !format!("{found:?} {view_only:?} {alice:?}").contains("123"),
        "nothing secret is printed"
    );
}

#[test]
fn spent_mark_is_the_nullifier_that_the_transfer_leaves() {
    let alice = account(1);
    let mut w = World::with_coins(&alice, &[1_000_000]);
    let coin = w.unspent(&alice).remove(0);
    let b = w.pay(&alice, &account(2), 1, 1);
    let (image, _) = coin.spent_mark(&alice, w.rules.genesis, w.rules.domain);
    assert_eq!(raw(&b).body.inputs[0].image, image.0);
    assert!(
        !coin
            .is_spent(&alice, &w.state, w.rules.genesis, w.rules.domain)
            .unwrap()
    );
    w.run(vec![b]).unwrap();
    assert!(
        coin.is_spent(&alice, &w.state, w.rules.genesis, w.rules.domain)
            .unwrap()
    );
}

#[test]
fn smallest_sufficient_coin_is_chosen_else_the_largest_ones() {
    let alice = account(1);
    let w = World::with_coins(&alice, &[10, 50, 200, 300]);
    let coins = w.unspent(&alice);
    let amounts = |amount, fee: u64| {
        let s = select(&coins, amount, |n| fee * n as u64).unwrap();
        (
            s.coins.iter().map(|c| c.amount()).collect::<Vec<_>>(),
            s.fee,
        )
    };
    assert_eq!(amounts(40, 1), (vec![50], 1));
    assert_eq!(amounts(50, 1), (vec![200], 1));
    assert_eq!(amounts(400, 10), (vec![300, 200], 20));
    assert_eq!(amounts(500, 10), (vec![300, 200, 50], 30));
    let poor = select(&coins, 600, |_| 0).unwrap_err();
    assert_eq!(
        poor,
        WalletError::Insufficient {
            have: 560,
            need: 600
        }
    );
    assert_eq!(
        select(&coins, u64::MAX, |_| 1).unwrap_err(),
        WalletError::Overflow
    );
}

#[test]
fn impossible_wishes_have_their_errors() {
    let alice = account(1);
    let w = World::with_coins(&alice, &[1_000_000]);
    let coins = w.unspent(&alice);
    let to = *account(2).address();
    let build = |b: TransferBuilder<'_>| b.build(&SUITE, &alice, &coins, &mut rng(1)).unwrap_err();
    let sixteen = (0..16).fold(w.builder(), |b, _| b.pay(to, 1));
    assert_eq!(
        build(sixteen),
        WalletError::TooManyPayments { got: 16, max: 15 }
    );
    assert_eq!(
        build(w.builder().pay(to, u64::MAX).burn(1)),
        WalletError::Overflow
    );
    assert!(matches!(
        build(w.builder().pay(to, 1_000_000)),
        WalletError::Insufficient { .. }
    ));
    let key = authority();
    let nothing = w.builder().mint(Mint {
        authority: &key,
        nonce: 99,
        amount: 0,
    });
    assert_eq!(build(nothing), WalletError::Nothing);
}

#[test]
fn fifteen_payments_and_many_inputs_fit() {
    let alice = account(1);
    let mut w = World::with_coins(&alice, &[900_000; 8]);
    let coins = w.unspent(&alice);
    let b = (0..15).fold(w.builder(), |b, i| {
        b.pay(*account(2).address(), 400_000 + i)
    });
    let built = b.build(&SUITE, &alice, &coins, &mut rng(1)).unwrap();
    assert_eq!(
        (
            raw(&built.bundle).body.inputs.len(),
            raw(&built.bundle).body.outputs.len()
        ),
        (7, 16)
    );
    assert!(built.bundle.encode().len() <= quil_types::limits::BUNDLE_BYTES_MAX);
    w.run(vec![built.bundle]).unwrap();
    assert_eq!(w.balance(&account(2)), 15 * 400_000 + 105);
}

#[test]
fn more_inputs_than_a_transfer_takes_is_said_so() {
    let alice = account(1);
    let w = World::with_coins(&alice, &[5]);
    let one = w.unspent(&alice).remove(0);
    // Distinct ids for one coin, as if it were on a hundred networks: no need to execute a hundred mints.
    let many: Vec<_> = (0..100u8)
        .map(|i| {
            let mut genesis = w.rules.genesis;
            genesis.0[0] = i;
            let keys = ScanKeys::of(&alice);
            keys.open(genesis, w.rules.domain, Home::default(), one.record())
                .unwrap()
        })
        .collect();
    assert_eq!(
        select(&many, 5 * 70, |_| 0).unwrap_err(),
        WalletError::TooManyCoins { max: INPUTS_MAX }
    );
    assert_eq!(
        select(&many, 5 * 64, |_| 0).unwrap().coins.len(),
        INPUTS_MAX
    );
}

#[test]
fn coins_of_another_home_are_not_mixed() {
    let alice = account(1);
    let mut w = World::with_coins(&alice, &[1_000_000]);
    let key = authority();
    let home = Home([1, 2]);
    let mint = Mint {
        authority: &key,
        nonce: 50,
        amount: 2_000_000,
    };
    let b = w
        .builder()
        .home(home)
        .mint(mint)
        .build(&SUITE, &alice, &[], &mut rng(1))
        .unwrap();
    w.run(vec![b.bundle]).unwrap();
    let mut coins = w.unspent(&alice);
    coins.extend(w.unspent_at(&alice, home));
    assert_eq!(coins.len(), 2);
    let here = w.builder().pay(*account(2).address(), 1_500_000).build(
        &SUITE,
        &alice,
        &coins,
        &mut rng(2),
    );
    assert!(matches!(
        here.unwrap_err(),
        WalletError::Insufficient { .. }
    ));
    let there = w.builder().home(home).pay(*account(2).address(), 1_500_000);
    let there = there.build(&SUITE, &alice, &coins, &mut rng(2)).unwrap();
    w.run(vec![there.bundle]).unwrap();
    assert_eq!(w.unspent_at(&account(2), home)[0].amount(), 1_500_000);
}

#[test]
fn change_has_no_fixed_place() {
    let alice = account(1);
    let w = World::with_coins(&alice, &[1_000_000]);
    let mut places = std::collections::BTreeSet::new();
    for seed in 0..16 {
        let mut after = World {
            state: w.state.clone(),
            ..World::new()
        };
        after.now = w.now;
        after
            .run(vec![w.pay(&alice, &account(2), 400_000, seed)])
            .unwrap();
        let last = after.coins_at(Home::default()).pop().unwrap();
        places.insert(open(&w, &alice, &last).is_some());
    }
    assert_eq!(places.len(), 2);
}
