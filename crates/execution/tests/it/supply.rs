//! Value is neither made nor lost: known openings over random histories (T9).

use proptest::prelude::*;
use quil_execution::token::records::{load_supply, supply_key};
use quil_execution::wallet::WalletError;
use quil_keys::Account;

use crate::world::{SUITE, World, account, rng};

#[derive(Clone, Debug)]
enum Step {
    Mint {
        to: usize,
        amount: u64,
    },
    Pay {
        from: usize,
        to: usize,
        amount: u64,
        burn: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0usize..3, 1u64..2_000_000).prop_map(|(to, amount)| Step::Mint { to, amount }),
        (
            0usize..3,
            0usize..3,
            0u64..800_000,
            prop_oneof![Just(0), 0u64..9_000]
        )
            .prop_map(|(from, to, amount, burn)| Step::Pay {
                from,
                to,
                amount,
                burn
            }),
    ]
}

/// What the history should leave, counted beside the network.
#[derive(Default)]
struct Books {
    balances: [u64; 3],
    minted: u128,
    burned: u128,
}

fn play(w: &mut World, people: &[Account], books: &mut Books, step: &Step, seed: u64) {
    match *step {
        Step::Mint { to, amount } => {
            let b = w.mint(&people[to], amount);
            let fee = crate::world::raw(&b).body.fee;
            w.run(vec![b]).unwrap();
            books.balances[to] += amount;
            books.minted += u128::from(amount + fee);
            books.burned += u128::from(fee);
        }
        Step::Pay {
            from,
            to,
            amount,
            burn,
        } => {
            let coins = w.unspent(&people[from]);
            let b = w.builder().pay(*people[to].address(), amount).burn(burn);
            match b.build(&SUITE, &people[from], &coins, &mut rng(seed)) {
                Ok(built) => {
                    w.run(vec![built.bundle]).unwrap();
                    books.balances[from] -= amount + burn + built.fee;
                    books.balances[to] += amount;
                    books.burned += u128::from(burn + built.fee);
                }
                Err(WalletError::Insufficient { .. }) => {}
                Err(other) => panic!("{other}"),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]
    #[test]
    fn minted_minus_burned_is_what_people_own(steps in prop::collection::vec(step(), 1..7)) {
        let people = [account(1), account(2), account(3)];
        let mut w = World::new();
        let mut books = Books::default();
        for (seed, s) in (0..).zip(&steps) {
            play(&mut w, &people, &mut books, s, seed);
        }
        for (who, expected) in people.iter().zip(books.balances) {
            prop_assert_eq!(w.balance(who), expected);
        }
        let supply = load_supply(&w.state, &supply_key(w.rules.domain)).unwrap().unwrap();
        prop_assert_eq!(supply.minted, books.minted);
        prop_assert_eq!(supply.burned, books.burned);
        let owned: u128 = books.balances.iter().map(|b| u128::from(*b)).sum();
        prop_assert_eq!(supply.minted - supply.burned, owned);
    }
}
