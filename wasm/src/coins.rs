//! Coins of an account, and transfers.

use quil_bulletproofs::RangeSuite;
use quil_execution::rules::Rules;
use quil_execution::token::{CoinRecord, Moment};
use quil_execution::wallet::{BuiltTransfer, OwnedCoin, ScanKeys, TransferBuilder};
use quil_keys::Account;
use quil_types::bundle::Home;
use quil_types::limits::{BUNDLE_BYTES_MAX, INPUTS_MAX, OUTPUTS_MAX};
use quil_types::{Bounded, Bytes, Canonical, CoinId, FrameNumber, Nullifier, TxId, canonical};
use zeroize::Zeroizing;

use crate::account::{ADDRESS_BYTES_MAX, AccountRequest, open, parse_address};
use crate::error::CallError;
use crate::network::GenesisRequest;
use crate::random::{RANDOM_BYTES, generator};

/// Most coin records in one request.
pub const RECORDS_MAX: usize = 1024;

canonical! {
    /// Which of these coins belong to an account.
    #[derive(Clone)]
    pub struct ScanRequest {
        /// The network.
        pub network: GenesisRequest,
        /// Whose coins.
        pub account: AccountRequest,
        /// Where the coins live.
        pub home: Home,
        /// The coins, as stored.
        pub records: Bounded<CoinRecord, RECORDS_MAX>,
    }
}

canonical! {
    /// A coin that belongs to the account.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct FoundCoin {
        /// Position in the request.
        pub position: u32,
        /// Its identity.
        pub id: CoinId,
        /// Its worth, units.
        pub amount: u64,
        /// What stands in the state once it is spent.
        pub nullifier: Nullifier,
    }
}

canonical! {
    /// An amount for an account.
    #[derive(Clone)]
    pub struct PaymentRequest {
        /// Text of the receiver's address.
        pub to: Bytes<ADDRESS_BYTES_MAX>,
        /// Units.
        pub amount: u64,
    }
}

canonical! {
    /// A transfer to build.
    #[derive(Clone)]
    pub struct TransferRequest {
        /// Fresh randomness: never the same for two transfers.
        pub random: [u8; RANDOM_BYTES],
        /// The network.
        pub network: GenesisRequest,
        /// Who pays.
        pub account: AccountRequest,
        /// Where the coins live.
        pub home: Home,
        /// Number of the latest final global frame.
        pub now: u64,
        /// Protocol version of its epoch.
        pub version: u16,
        /// Its fee multiplier, parts per million.
        pub multiplier: u64,
        /// Units above the least fee.
        pub tip: u64,
        /// Unspent coins of the account, as stored.
        pub coins: Bounded<CoinRecord, RECORDS_MAX>,
        /// Whom to pay; the change comes back by itself.
        pub payments: Bounded<PaymentRequest, OUTPUTS_MAX>,
    }
}

canonical! {
    /// A finished transfer.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Transfer {
        /// The identity to wait for.
        pub tx: TxId,
        /// Public fee, units.
        pub fee: u64,
        /// Units that come back.
        pub change: u64,
        /// Coins that it spends.
        pub spent: Bounded<CoinId, INPUTS_MAX>,
        /// Encoding of the bundle to submit.
        pub bundle: Bytes<BUNDLE_BYTES_MAX>,
    }
}

pub(crate) fn scan(request: ScanRequest) -> Result<Vec<u8>, CallError> {
    let rules = Rules::new(&request.network.read()?);
    let account = open(request.account)?;
    let keys = ScanKeys::of(&account);
    let found = (0u32..)
        .zip(&request.records)
        .filter_map(|(position, record)| {
            let coin = keys.open(rules.genesis, rules.domain, request.home, record)?;
            let (_, nullifier) = coin.spent_mark(&account, rules.genesis, rules.domain);
            Some(FoundCoin {
                position,
                id: coin.id(),
                amount: coin.amount(),
                nullifier,
            })
        });
    let found = Bounded::<_, RECORDS_MAX>::try_from(found.collect::<Vec<_>>());
    Ok(found.map_err(|_| CallError::Bounds)?.encode())
}

pub(crate) fn transfer(request: TransferRequest) -> Result<Vec<u8>, CallError> {
    let random = Zeroizing::new(request.random);
    let rules = Rules::new(&request.network.read()?);
    let account = open(request.account)?;
    let coins = own(&rules, &account, request.home, &request.coins)?;
    let moment = Moment {
        now: FrameNumber::new(request.now),
        version: request.version,
        multiplier: request.multiplier,
    };
    let mut builder = TransferBuilder::new(&rules, moment)
        .home(request.home)
        .tip(request.tip);
    if request.payments.is_empty() {
        return Err(CallError::NoPayments);
    }
    for payment in &request.payments {
        builder = builder.pay(parse_address(&payment.to)?, payment.amount);
    }
    let rng = &mut generator(&random);
    finish(&builder.build(RangeSuite::standard(), &account, &coins, rng)?)
}

fn own(
    rules: &Rules,
    account: &Account,
    home: Home,
    records: &[CoinRecord],
) -> Result<Vec<OwnedCoin>, CallError> {
    let keys = ScanKeys::of(account);
    let open = |record| keys.open(rules.genesis, rules.domain, home, record);
    let coins = records.iter().enumerate();
    coins
        .map(|(i, record)| open(record).ok_or(CallError::ForeignCoin(i)))
        .collect()
}

fn finish(built: &BuiltTransfer) -> Result<Vec<u8>, CallError> {
    let transfer = Transfer {
        tx: built.tx,
        fee: built.fee,
        change: built.change,
        spent: Bounded::try_from(built.spent.clone()).map_err(|_| CallError::Bounds)?,
        bundle: Bytes::try_from(built.bundle.encode()).map_err(|_| CallError::Bounds)?,
    };
    Ok(transfer.encode())
}
