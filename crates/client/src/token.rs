//! `quil token`: balance, coins, mint, send, merge.

use quil_keys::{Address, Amount};
use serde_json::{Map, Value, json};

use crate::chain::tx_fields;
use crate::light::LightClient;
use crate::node::{NodeClient, NodeError};
use crate::output::{Document, Failure, UNIT, amount_value};
use crate::wallet::{Coin, Sent, Step, WaitFor, WalletSession};

/// Reads an amount: a decimal number of QUIL, with or without the unit.
///
/// # Errors
/// [`Failure`] of usage: `amount.malformed`, `amount.precision`, `amount.overflow`.
pub fn parse_amount(text: &str) -> Result<Amount, Failure> {
    let number = text.strip_suffix(UNIT).map_or(text, str::trim_end);
    number.parse().map_err(|e: quil_keys::AmountError| {
        let hint = "an amount is a decimal number of QUIL, such as 12.5";
        Failure::new(e.code(), e.to_string(), hint).usage()
    })
}

/// `quil token balance`.
///
/// # Errors
/// As [`WalletSession::balance`].
pub async fn balance<C: NodeClient>(wallet: &mut WalletSession<C>) -> Result<Document, Failure> {
    let balance = wallet.balance().await?;
    Ok(Document::new("quil.balance/1")
        .with("address", wallet.address().to_string())
        .with_amount("balance", balance.total)
        .with_amount("available", balance.available)
        .with("coins", balance.coins)
        .with("frame", balance.frame))
}

fn coin_row(coin: &Coin, proven: Option<u64>) -> Map<String, Value> {
    let mut row = Map::from_iter([
        ("coin".to_owned(), Value::from(coin.id.to_string())),
        ("amount".to_owned(), amount_value(coin.amount)),
        ("index".to_owned(), Value::from(coin.index)),
        (
            "pending".to_owned(),
            json!(coin.pending.map(|tx| tx.to_string())),
        ),
    ]);
    row.insert("proven_at".to_owned(), json!(proven));
    row
}

const COIN_COLUMNS: &[&str] = &["amount", "coin", "index", "pending", "proven_at"];

/// `quil token coins`. With a light client every coin is proven to be in the settled state, and not spent there.
///
/// # Errors
/// As [`WalletSession::coins`]; `proof.invalid` when the node's proof does not hold.
pub async fn coins<C: NodeClient>(
    wallet: &mut WalletSession<C>,
    prove: Option<&LightClient>,
) -> Result<Document, Failure> {
    let coins = wallet.coins().await?;
    let mut rows = Vec::new();
    for coin in &coins {
        let proven = match prove {
            Some(light) => Some(wallet.prove_unspent(light, coin.id).await?),
            None => None,
        };
        rows.push(coin_row(coin, proven));
    }
    let doc = Document::new("quil.wallet.coins/1").with("address", wallet.address().to_string());
    Ok(doc.with_table("coins", rows, COIN_COLUMNS))
}

fn sent_document(sent: &Sent, to: &Address) -> Document {
    let steps = sent.steps.iter().map(|s| {
        json!({
            "state": s.state.as_str(),
            "ms": u64::try_from(s.elapsed.as_millis()).unwrap_or(u64::MAX),
            "frame": s.frame,
        })
    });
    tx_fields(Document::new("quil.sent/1"), &sent.view)
        .with("to", to.to_string())
        .with_amount("amount", sent.amount)
        .with_amount("fee", sent.fee)
        .with_amount("change", sent.change)
        .with("inputs", sent.inputs)
        .with("bytes", sent.bytes)
        .with_detail("steps", steps.collect::<Vec<_>>())
}

/// `quil token send`.
///
/// # Errors
/// As [`WalletSession::send`].
pub async fn send<C: NodeClient>(
    wallet: &mut WalletSession<C>,
    to: &Address,
    amount: Amount,
    wait: WaitFor,
) -> Result<Document, Failure> {
    let sent = wallet.send(to, amount, wait).await?;
    Ok(sent_document(&sent, to))
}

/// `quil token mint`.
///
/// # Errors
/// As [`WalletSession::mint`].
pub async fn mint<C: NodeClient>(
    wallet: &mut WalletSession<C>,
    to: &Address,
    amount: Amount,
    wait: WaitFor,
) -> Result<Document, Failure> {
    let sent = wallet.mint(to, amount, wait).await?;
    Ok(sent_document(&sent, to))
}

/// `quil token merge`.
///
/// # Errors
/// As [`WalletSession::merge`]; exit code 7 when there are no two coins.
pub async fn merge<C: NodeClient>(
    wallet: &mut WalletSession<C>,
    wait: WaitFor,
) -> Result<Document, Failure> {
    let sent = wallet.merge(wait).await?.ok_or_else(|| {
        let message = "there are no two coins to merge";
        Failure::new("funds.whole", message, "quil token coins").not_found()
    })?;
    Ok(sent_document(&sent, wallet.address()))
}

/// One line of progress: the state, the time since the submission, the frame.
#[must_use]
pub fn progress_line(step: &Step) -> String {
    let frame = step.frame.map(|n| format!(" (frame {n})"));
    let seconds = step.elapsed.as_secs_f64();
    format!("{} {seconds:.2} s{}", step.state, frame.unwrap_or_default())
}

impl<C: NodeClient> WalletSession<C> {
    /// Asks the node to prove that a coin of this account is in the settled state and not spent there, checks both proofs
    /// and gives the global frame number after which it holds.
    ///
    /// # Errors
    /// [`Failure`]: the node cannot prove it yet, or the proof does not hold.
    pub async fn prove_unspent(
        &self,
        light: &LightClient,
        coin: quil_types::CoinId,
    ) -> Result<u64, Failure> {
        let (coin_at, spent_at) = self.keys_of(coin).ok_or_else(|| {
            Failure::new("coin.unknown", "no such coin here", "quil token coins").not_found()
        })?;
        let shown = self.client().proof(self.shard(), coin_at).await?;
        let shown = light.verify(&shown.proof)?;
        let settled = shown.record().key.to_bytes() == coin_at
            && shown.record().shard == self.shard()
            && shown.open(self.scan_keys()).is_some_and(|c| c.id() == coin);
        let mark = self.client().proof(self.shard(), spent_at).await?;
        let mark = light.verify(&mark.proof)?;
        let unspent = mark.record().key.to_bytes() == spent_at
            && mark.record().shard == self.shard()
            && mark.record().entry.is_none();
        if !settled || !unspent {
            let what = format!("its proofs do not show that coin {coin} is there and unspent");
            return Err(NodeError::Answer(what).into());
        }
        let numbers = (shown.record().global_number, mark.record().global_number);
        Ok(numbers.0.get().min(numbers.1.get()))
    }
}
