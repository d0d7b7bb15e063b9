//! Wallets on a network that executes for real.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use quil_client::node::TxState;
use quil_client::wallet::CACHE_FOLDER;
use quil_client::{Failure, SessionOptions, Standing, WaitFor, WalletSession};
use quil_keys::{Account, Amount};

use crate::fake::{FakeNode, account, faucet};

type Session = WalletSession<FakeNode>;

async fn open(node: &FakeNode, account: Account) -> Session {
    open_with(node, account, SessionOptions::default()).await
}

async fn open_with(node: &FakeNode, account: Account, options: SessionOptions) -> Session {
    let genesis = node.genesis_document();
    WalletSession::open(node.clone(), account, &genesis, options)
        .await
        .unwrap()
}

fn units(n: u64) -> Amount {
    Amount::from_units(n)
}

fn within(standing: Standing) -> WaitFor {
    WaitFor::new(standing, Duration::from_secs(30))
}

/// Mints to an account, one coin per amount.
async fn fund(node: &FakeNode, to: &Account, amounts: &[u64]) {
    let mut faucet = open(node, faucet()).await;
    let last = amounts.len() - 1;
    for (i, amount) in amounts.iter().enumerate() {
        let standing = if i == last {
            Standing::Final
        } else {
            Standing::Accepted
        };
        let sent = faucet.mint(to.address(), units(*amount), within(standing));
        sent.await.unwrap();
    }
    node.run(3_000);
}

async fn total(session: &mut Session) -> u64 {
    session.balance().await.unwrap().total.units()
}

fn refused(result: Result<impl core::fmt::Debug, Failure>) -> (u8, &'static str) {
    let failure = result.unwrap_err();
    (failure.exit_code(), failure.code)
}

#[tokio::test]
async fn mint_then_send_moves_exactly_the_amount_and_gives_change() {
    let node = FakeNode::new(1);
    let (alice, bob) = (account(2), account(3));
    fund(&node, &alice, &[1_000_000]).await;
    let (mut a, mut b) = (open(&node, alice).await, open(&node, bob).await);
    assert_eq!(total(&mut a).await, 1_000_000, "the fee is minted on top");

    let seen = Arc::new(Mutex::new(Vec::new()));
    let steps = Arc::clone(&seen);
    let options = SessionOptions {
        progress: Some(Arc::new(move |s| steps.lock().unwrap().push(s.state))),
        cache: None,
    };
    let mut a2 = open_with(&node, account(2), options).await;
    let to = *b.address();
    let sent = a2
        .send(&to, units(250_000), within(Standing::Settled))
        .await
        .unwrap();

    assert_eq!(sent.view.state, TxState::Settled);
    assert_eq!(sent.change.units() + sent.fee.units() + 250_000, 1_000_000);
    assert_eq!(total(&mut b).await, 250_000);
    assert_eq!(total(&mut a).await, sent.change.units());
    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen, sent.steps.iter().map(|s| s.state).collect::<Vec<_>>());
    assert!(seen.is_sorted() && seen[0] == TxState::Accepted);
    assert_eq!(seen.last(), Some(&TxState::Settled));
}

#[tokio::test]
async fn authority_can_mint_for_itself() {
    let node = FakeNode::new(2);
    let mut f = open(&node, faucet()).await;
    let own = *f.address();
    f.mint(&own, units(500), within(Standing::Final))
        .await
        .unwrap();
    assert_eq!(total(&mut f).await, 500);
}

#[tokio::test]
async fn only_the_authority_mints() {
    let node = FakeNode::new(3);
    let mut alice = open(&node, account(2)).await;
    let own = *alice.address();
    let minted = alice.mint(&own, units(5), WaitFor::default()).await;
    assert_eq!(refused(minted), (4, "mint.unauthorised"));
    assert_eq!(node.submissions(), 0);
}

#[tokio::test]
async fn too_little_money_is_exit_code_nine_with_need_and_have() {
    let node = FakeNode::new(4);
    let mut alice = open(&node, account(2)).await;
    let to = *open(&node, account(3)).await.address();
    let empty = alice
        .send(&to, units(1), WaitFor::default())
        .await
        .unwrap_err();
    assert_eq!((empty.exit_code(), empty.code), (9, "funds.insufficient"));
    let json: serde_json::Value =
        serde_json::from_str(&empty.render(quil_client::Output::Json)).unwrap();
    assert_eq!(json["have"]["amount"], "0");
    assert_eq!(json["have"]["unit"], "QUIL");
    assert!(
        json["need"]["amount"]
            .as_str()
            .unwrap()
            .parse::<Amount>()
            .unwrap()
            > units(1)
    );
    let nothing = alice.send(&to, Amount::ZERO, WaitFor::default()).await;
    assert_eq!(refused(nothing), (2, "amount.zero"));
    assert_eq!(node.submissions(), 0);
}

#[tokio::test]
async fn sends_under_way_never_take_the_same_coin() {
    let node = FakeNode::new(5);
    let (alice, bob) = (account(2), account(3));
    fund(&node, &alice, &[100_000, 100_000]).await;
    let (mut a, mut b) = (open(&node, alice).await, open(&node, bob).await);
    let to = *b.address();
    let first = a
        .send(&to, units(10), within(Standing::Accepted))
        .await
        .unwrap();
    let second = a
        .send(&to, units(20), within(Standing::Accepted))
        .await
        .unwrap();
    let balance = a.balance().await.unwrap();
    assert_eq!(
        (balance.available.units(), balance.total.units()),
        (0, 200_000)
    );
    let pending: Vec<_> = a
        .coins()
        .await
        .unwrap()
        .iter()
        .filter_map(|c| c.pending)
        .collect();
    assert!(pending.len() == 2 && pending.contains(&first.tx) && pending.contains(&second.tx));
    let third = a
        .send(&to, units(30), WaitFor::default())
        .await
        .unwrap_err();
    assert_eq!(third.exit_code(), 9);
    assert!(third.hint.contains("under way"), "{}", third.hint);

    a.wait(first.tx, within(Standing::Final)).await.unwrap();
    a.wait(second.tx, within(Standing::Final)).await.unwrap();
    assert_eq!(total(&mut b).await, 30);
    let balance = a.balance().await.unwrap();
    assert_eq!(balance.available, balance.total, "change is usable");
    a.send(&to, units(30), within(Standing::Final))
        .await
        .unwrap();
    assert_eq!(total(&mut b).await, 60);
}

#[tokio::test]
async fn large_amount_takes_many_coins_and_merge_leaves_one() {
    let node = FakeNode::new(6);
    let (alice, bob) = (account(2), account(3));
    fund(&node, &alice, &[50_000, 60_000, 70_000, 80_000, 90_000]).await;
    let (mut a, mut b) = (open(&node, alice).await, open(&node, bob).await);
    let to = *b.address();
    let sent = a
        .send(&to, units(200_000), within(Standing::Final))
        .await
        .unwrap();
    assert_eq!(sent.inputs, 3, "the largest ones");
    assert_eq!(total(&mut b).await, 200_000);
    let before = a.balance().await.unwrap();
    assert_eq!(before.total.units(), 350_000 - 200_000 - sent.fee.units());
    let merged = a.merge(within(Standing::Final)).await.unwrap().unwrap();
    let after = a.coins().await.unwrap();
    assert_eq!(after.iter().filter(|c| c.amount > Amount::ZERO).count(), 1);
    assert_eq!(
        total(&mut a).await,
        before.total.units() - merged.fee.units()
    );
    assert_eq!(a.merge(WaitFor::default()).await.unwrap(), None);
}

#[tokio::test]
async fn second_session_goes_on_where_the_first_one_stopped() {
    let node = FakeNode::new(7);
    let home = tempfile::tempdir().unwrap();
    let alice = account(2);
    fund(&node, &alice, &[100_000, 100_000]).await;
    let options = || SessionOptions::in_home(home.path());
    let mut first = open_with(&node, alice.clone(), options()).await;
    let to = *open(&node, account(3)).await.address();
    let sent = first
        .send(&to, units(10), within(Standing::Accepted))
        .await
        .unwrap();
    drop(first);
    node.scans();

    let mut second = open_with(&node, alice.clone(), options()).await;
    let balance = second.balance().await.unwrap();
    assert!(
        node.scans().iter().all(|from| *from > 0),
        "nothing is scanned twice"
    );
    assert_eq!(balance.total.units(), 200_000);
    assert_eq!(
        balance.available.units(),
        100_000,
        "the coin under way is remembered"
    );
    second.wait(sent.tx, within(Standing::Final)).await.unwrap();
    assert_eq!(total(&mut second).await, 200_000 - 10 - sent.fee.units());
    let mut fresh = open(&node, alice).await;
    assert_eq!(fresh.coins().await.unwrap(), second.coins().await.unwrap());
}

#[tokio::test]
async fn damaged_foreign_or_old_cache_is_dropped_and_scanned_again() {
    let node = FakeNode::new(8);
    let home = tempfile::tempdir().unwrap();
    let alice = account(2);
    fund(&node, &alice, &[100_000]).await;
    let options = || SessionOptions::in_home(home.path());
    assert_eq!(
        total(&mut open_with(&node, alice.clone(), options()).await).await,
        100_000
    );
    let folder = home.path().join(CACHE_FOLDER);
    let file = std::fs::read_dir(&folder)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let good = std::fs::read(&file).unwrap();
    let plain = hex::encode(&alice.address().to_bytes()[..16]);
    assert!(!hex::encode(&good).contains(&plain), "nothing legible");

    let mut damaged: Vec<Vec<u8>> = [0, 9, 12, 40, good.len() - 1]
        .into_iter()
        .map(|at| {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            bytes
        })
        .collect();
    damaged.push(Vec::new());
    damaged.push(good[..good.len() / 2].to_vec());
    damaged.push([&good[..], &[0]].concat());
    for bytes in damaged {
        std::fs::write(&file, bytes).unwrap();
        node.scans();
        let mut session = open_with(&node, alice.clone(), options()).await;
        assert_eq!(total(&mut session).await, 100_000);
        assert_eq!(node.scans()[0], 0, "scanned from the start");
    }

    // The cache of one account under the name of another one's.
    let bob = account(3);
    total(&mut open_with(&node, bob.clone(), options()).await).await;
    let mut files = std::fs::read_dir(&folder)
        .unwrap()
        .map(|e| e.unwrap().path());
    let of_bob = files.find(|p| *p != file).unwrap();
    std::fs::write(&of_bob, &good).unwrap();
    assert_eq!(total(&mut open_with(&node, bob, options()).await).await, 0);
}

#[tokio::test]
async fn cache_that_cannot_be_written_stops_nothing() {
    let node = FakeNode::new(9);
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join(CACHE_FOLDER), b"a file, not a folder").unwrap();
    let alice = account(2);
    fund(&node, &alice, &[1_000]).await;
    let mut session = open_with(&node, alice, SessionOptions::in_home(home.path())).await;
    assert_eq!(total(&mut session).await, 1_000);
}

#[tokio::test]
async fn node_of_another_network_is_refused() {
    let node = FakeNode::new(10);
    node.trouble.elsewhere.store(true, Ordering::SeqCst);
    let genesis = node.genesis_document();
    let opened = WalletSession::open(
        node.clone(),
        account(2),
        &genesis,
        SessionOptions::default(),
    );
    assert_eq!(refused(opened.await), (78, "node.network"));
}

#[tokio::test]
async fn node_that_is_away_is_exit_code_eight() {
    let node = FakeNode::new(11);
    let mut alice = open(&node, account(2)).await;
    node.trouble.away.store(true, Ordering::SeqCst);
    assert_eq!(refused(alice.balance().await), (8, "node.unreachable"));
}

#[tokio::test]
async fn lost_submissions_and_lost_answers_lead_to_one_transaction() {
    let node = FakeNode::new(12);
    let (alice, bob) = (account(2), account(3));
    fund(&node, &alice, &[100_000]).await;
    let (mut a, mut b) = (open(&node, alice).await, open(&node, bob).await);
    let to = *b.address();
    let before = node.submissions();
    node.trouble.lost_submits.store(2, Ordering::SeqCst);
    node.trouble.lost_answers.store(1, Ordering::SeqCst);
    let sent = a
        .send(&to, units(10), within(Standing::Final))
        .await
        .unwrap();
    assert_eq!(node.submissions(), before + 1);
    assert_eq!(
        total(&mut b).await,
        10,
        "handed in again and replayed, executed once"
    );
    assert_eq!(total(&mut a).await, 100_000 - 10 - sent.fee.units());
}

#[tokio::test]
async fn transaction_that_the_node_forgot_is_handed_in_again() {
    let node = FakeNode::new(13);
    let (alice, bob) = (account(2), account(3));
    fund(&node, &alice, &[100_000]).await;
    let (mut a, mut b) = (open(&node, alice).await, open(&node, bob).await);
    let to = *b.address();
    node.trouble.forgotten.store(1, Ordering::SeqCst);
    a.send(&to, units(10), within(Standing::Final))
        .await
        .unwrap();
    assert_eq!(total(&mut b).await, 10);
}

#[tokio::test]
async fn coin_that_another_device_spends_is_refused_and_released() {
    let node = FakeNode::new(14);
    let alice = account(2);
    fund(&node, &alice, &[100_000]).await;
    let (mut here, mut there) = (open(&node, alice.clone()).await, open(&node, alice).await);
    let to = *open(&node, account(3)).await.address();
    there
        .send(&to, units(10), within(Standing::Accepted))
        .await
        .unwrap();
    let second = here
        .send(&to, units(20), WaitFor::default())
        .await
        .unwrap_err();
    assert_eq!((second.exit_code(), second.code), (4, "input.spent"));
    let balance = here.balance().await.unwrap();
    assert_eq!(balance.available, balance.total, "nothing stays reserved");
}

#[tokio::test]
async fn end_of_patience_is_exit_code_five_and_names_the_transaction() {
    let node = FakeNode::new(15);
    let alice = account(2);
    fund(&node, &alice, &[100_000]).await;
    let mut a = open(&node, alice).await;
    let to = *open(&node, account(3)).await.address();
    node.trouble.frozen.store(true, Ordering::SeqCst);
    let wait = WaitFor::new(Standing::Final, Duration::from_millis(200));
    let failure = a.send(&to, units(10), wait).await.unwrap_err();
    assert_eq!((failure.exit_code(), failure.code), (5, "wait.timeout"));
    let json: serde_json::Value =
        serde_json::from_str(&failure.render(quil_client::Output::Json)).unwrap();
    assert_eq!(json["tx"].as_str().unwrap().len(), 64);
    assert_eq!(json["state"], "accepted");
    let balance = a.balance().await.unwrap();
    assert_eq!(balance.available, Amount::ZERO, "it may still happen");
}

#[tokio::test]
async fn transaction_past_its_last_frame_is_rejected_and_its_coins_are_free() {
    let node = FakeNode::new(16);
    let alice = account(2);
    fund(&node, &alice, &[100_000]).await;
    let mut a = open(&node, alice).await;
    let to = *open(&node, account(3)).await.address();
    // Taken, forgotten, and the node stays frozen while the chain moves on.
    node.trouble.frozen.store(true, Ordering::SeqCst);
    node.trouble.forgotten.store(1_000, Ordering::SeqCst);
    let ahead = Arc::clone(&node.trouble);
    let turn = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(500)).await;
        ahead.ahead.store(100_000, Ordering::SeqCst);
    });
    let sent = a.send(&to, units(10), within(Standing::Final)).await;
    assert_eq!(refused(sent), (4, "tx.expired"));
    turn.await.unwrap();
    let balance = a.balance().await.unwrap();
    assert_eq!(balance.available.units(), 100_000);
}

#[tokio::test]
async fn altered_records_and_missing_marks_are_an_error_not_a_balance() {
    let node = FakeNode::new(17);
    let alice = account(2);
    fund(&node, &alice, &[100_000]).await;
    let mut a = open(&node, alice.clone()).await;
    node.trouble.hostile.store(true, Ordering::SeqCst);
    assert_eq!(refused(a.balance().await), (1, "node.answer"));
    node.trouble.hostile.store(false, Ordering::SeqCst);
    node.trouble.short.store(true, Ordering::SeqCst);
    assert_eq!(
        refused(open(&node, alice).await.balance().await),
        (1, "node.answer")
    );
}

#[tokio::test]
async fn view_of_another_account_finds_nothing() {
    let node = FakeNode::new(18);
    fund(&node, &account(2), &[100_000]).await;
    assert_eq!(total(&mut open(&node, account(4)).await).await, 0);
    assert_eq!(node.genesis_hash(), node.genesis_document().hash());
}
