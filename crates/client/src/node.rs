//! What the wallet and the commands ask a node.

use core::future::Future;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::Path;
use std::time::Duration;

use quil_api::{Client, ClientError};
use quil_types::bundle::Home;
use quil_types::limits::GENESIS_BYTES_MAX;
use quil_types::{
    Canonical as _, Code, CoinId, Domain, FrameNumber, Genesis, Nullifier, ShardAddr, TxId,
};

use crate::files;
use crate::output::Failure;

pub use quil_api::backend::{
    ChainView, CoinLookup, CoinPage, CoinView, FrameView, NodeStatus, ProofView, ShardList,
    ShardView, TxState, TxView, WorkerView,
};

/// Why a node did not answer what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// Nobody answers at the address.
    #[error("the node cannot be reached: {0}")]
    Unreachable(String),
    /// It is not caught up, or a part of it is down.
    #[error("the node is not ready: {0}")]
    NotReady(String),
    /// It has too much to do; the same call may succeed later.
    #[error("the node has too much to do")]
    Busy,
    /// No such object.
    #[error("{0}")]
    NotFound(String),
    /// A rule of the network forbids the bundle (T8).
    #[error("the network refuses the transaction: {0}")]
    Rejected(Code),
    /// The question was wrong.
    #[error("{0}")]
    Invalid(String),
    /// The answer is not what this program understands: another version, or a hostile node.
    #[error("the answer of the node is wrong: {0}")]
    Answer(String),
}

impl NodeError {
    /// Whether the same call may succeed a moment later.
    #[must_use]
    pub const fn passes(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::NotReady(_) | Self::Busy)
    }
}

impl From<NodeError> for Failure {
    fn from(error: NodeError) -> Self {
        let message = error.to_string();
        match error {
            NodeError::Unreachable(_) => {
                let hint = "is the node running? see --rpc and QUIL_RPC";
                Self::new("node.unreachable", message, hint).unreachable()
            }
            NodeError::NotReady(_) => Self::new(
                "node.not_ready",
                message,
                "quil status shows what is missing",
            )
            .not_ready(),
            NodeError::Busy => Self::new("node.busy", message, "try again in a second").not_ready(),
            NodeError::NotFound(_) => {
                Self::new("not_found", message, "check the number or identity").not_found()
            }
            NodeError::Rejected(code) => {
                Self::new(code.as_str(), message, rejection_hint(code)).rejected()
            }
            NodeError::Invalid(_) => Self::new("request.invalid", message, "see --help").usage(),
            NodeError::Answer(_) => Self::new(
                "node.answer",
                message,
                "is this a node of the same version and network?",
            ),
        }
    }
}

/// What the owner of a wallet can do about a refusal.
#[must_use]
pub const fn rejection_hint(code: Code) -> &'static str {
    match code {
        Code::TxNetwork => "the genesis document is not that of the node's network",
        Code::TxExpired => "send it again",
        Code::FeeLow => "the network is busy: send it again with the present fee",
        Code::TxReplayed => "it was executed already: quil tx show",
        Code::InputUnknown => "the coin is not known to the node: wait until it is in sync",
        Code::InputSpent => "another transfer of this wallet is under way: wait for it",
        Code::MintUnauthorised => "only the authority of the token may mint: see --from",
        _ => "report this: the wallet built a wrong transaction",
    }
}

/// A node, as far as clients need it. Implemented by the network client of the API, and by nodes in memory.
///
/// Answers are not trusted further than the types say: the wallet recomputes coin identities and opens coins itself.
pub trait NodeClient: Send + Sync {
    /// The genesis document.
    fn genesis(&self) -> impl Future<Output = Result<Vec<u8>, NodeError>> + Send;
    /// Identity, synchronisation, workers.
    fn status(&self) -> impl Future<Output = Result<NodeStatus, NodeError>> + Send;
    /// A final frame of a shard or of the global chain; the latest one without a number.
    fn frame(
        &self,
        shard: Option<ShardAddr>,
        number: Option<FrameNumber>,
    ) -> impl Future<Output = Result<FrameView, NodeError>> + Send;
    /// The last final frames, newest first.
    fn frames(
        &self,
        shard: Option<ShardAddr>,
        limit: u16,
    ) -> impl Future<Output = Result<Vec<FrameView>, NodeError>> + Send;
    /// The shard table of the last final global frame.
    fn shards(&self) -> impl Future<Output = Result<ShardList, NodeError>> + Send;
    /// Hands in an encoded bundle. The same bundle again is no error while it is pending.
    fn submit(&self, bundle: Vec<u8>) -> impl Future<Output = Result<TxId, NodeError>> + Send;
    /// Where a transaction stands; one never seen is [`TxState::Unknown`].
    fn transaction(&self, tx: TxId) -> impl Future<Output = Result<TxView, NodeError>> + Send;
    /// Coins of a home in order of creation, in the last final state.
    fn scan(
        &self,
        domain: Domain,
        home: Home,
        from: u64,
        limit: u16,
    ) -> impl Future<Output = Result<CoinPage, NodeError>> + Send;
    /// Coins by identity, and whether nullifiers are recorded, in the last final state.
    fn coins(
        &self,
        domain: Domain,
        home: Home,
        coins: Vec<CoinId>,
        nullifiers: Vec<Nullifier>,
    ) -> impl Future<Output = Result<CoinLookup, NodeError>> + Send;
    /// Proof of a record in the last settled state (S4).
    fn proof(
        &self,
        shard: ShardAddr,
        key: [u8; 64],
    ) -> impl Future<Output = Result<ProofView, NodeError>> + Send;
    /// Lets time pass between two questions.
    fn pause(&self, time: Duration) -> impl Future<Output = ()> + Send {
        tokio::time::sleep(time)
    }
}

impl From<ClientError> for NodeError {
    fn from(error: ClientError) -> Self {
        if let Some(code) = error.rejection() {
            return Self::Rejected(code);
        }
        match error {
            ClientError::Unreachable(why) => Self::Unreachable(why),
            ClientError::Timeout => Self::Unreachable("no answer in time".to_owned()),
            ClientError::Api { code, message } => match code.as_str() {
                "not_ready" | "unavailable" => Self::NotReady(message),
                "busy" => Self::Busy,
                "not_found" => Self::NotFound(message),
                "invalid" => Self::Invalid(message),
                _ => Self::Answer(format!("{message} ({code})")),
            },
            other => Self::Answer(other.to_string()),
        }
    }
}

/// Connects to the API of a node.
///
/// # Errors
/// [`NodeError::Unreachable`].
pub async fn connect(addr: SocketAddr) -> Result<Client, NodeError> {
    let connected = Client::connect(addr).await;
    connected.map_err(|e| NodeError::Unreachable(format!("{addr}: {e}")))
}

/// The address of a node as people write it: `HOST:PORT`.
///
/// # Errors
/// [`Failure`] of usage when it is none, [`NodeError::Unreachable`] when the name leads nowhere.
pub fn parse_rpc(text: &str) -> Result<SocketAddr, Failure> {
    let port = text.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
    if !matches!(port, Some(Ok(_))) {
        let message = format!("`{text}` is no address of a node");
        let hint = "write HOST:PORT, such as 127.0.0.1:8337";
        return Err(Failure::new("rpc.malformed", message, hint).usage());
    }
    let found = text.to_socket_addrs().map(|mut all| all.next());
    match found {
        Ok(Some(addr)) => Ok(addr),
        Ok(None) => Err(NodeError::Unreachable(format!("{text}: no address")).into()),
        Err(e) => Err(NodeError::Unreachable(format!("{text}: {e}")).into()),
    }
}

/// The genesis document of a file, or else the one that the node has.
///
/// A node that gives a document of its own making gains nothing by it: what a wallet signs binds the hash of the
/// document, and holds in that network only.
///
/// # Errors
/// [`Failure`]: the file cannot be read, the node does not answer, the bytes are no genesis document.
pub async fn load_genesis(
    client: &impl NodeClient,
    file: Option<&Path>,
) -> Result<(Genesis, Vec<u8>), Failure> {
    let bytes = match file {
        Some(path) => files::read(path, u64::try_from(GENESIS_BYTES_MAX).unwrap_or(u64::MAX))?,
        None => client.genesis().await?,
    };
    let decoded = Genesis::decode(&bytes, GENESIS_BYTES_MAX);
    let genesis = decoded.map_err(|e| {
        let hint = "get the genesis document of the network";
        Failure::new("genesis.invalid", e.to_string(), hint).configuration()
    })?;
    Ok((genesis, bytes))
}

impl NodeClient for Client {
    async fn genesis(&self) -> Result<Vec<u8>, NodeError> {
        Ok(Self::genesis(self).await?.0)
    }

    async fn status(&self) -> Result<NodeStatus, NodeError> {
        Ok(Self::status(self).await?)
    }

    async fn frame(
        &self,
        shard: Option<ShardAddr>,
        number: Option<FrameNumber>,
    ) -> Result<FrameView, NodeError> {
        Ok(Self::frame(self, shard, number).await?)
    }

    async fn frames(
        &self,
        shard: Option<ShardAddr>,
        limit: u16,
    ) -> Result<Vec<FrameView>, NodeError> {
        Ok(Self::frames(self, shard, limit).await?)
    }

    async fn shards(&self) -> Result<ShardList, NodeError> {
        Ok(Self::shards(self).await?)
    }

    async fn submit(&self, bundle: Vec<u8>) -> Result<TxId, NodeError> {
        Ok(Self::submit(self, bundle).await?)
    }

    async fn transaction(&self, tx: TxId) -> Result<TxView, NodeError> {
        Ok(Self::transaction(self, tx).await?)
    }

    async fn scan(
        &self,
        domain: Domain,
        home: Home,
        from: u64,
        limit: u16,
    ) -> Result<CoinPage, NodeError> {
        Ok(Self::scan(self, domain, home, from, limit).await?)
    }

    async fn coins(
        &self,
        domain: Domain,
        home: Home,
        coins: Vec<CoinId>,
        nullifiers: Vec<Nullifier>,
    ) -> Result<CoinLookup, NodeError> {
        Ok(Self::coins(self, domain, home, &coins, &nullifiers).await?)
    }

    async fn proof(&self, shard: ShardAddr, key: [u8; 64]) -> Result<ProofView, NodeError> {
        Ok(Self::proof(self, shard, key).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_api_become_typed_errors() {
        let api = |code: &str| {
            NodeError::from(ClientError::Api {
                code: code.to_owned(),
                message: "m".to_owned(),
            })
        };
        let text = || "m".to_owned();
        assert_eq!(api("not_ready"), NodeError::NotReady(text()));
        assert_eq!(api("unavailable"), NodeError::NotReady(text()));
        assert_eq!(api("busy"), NodeError::Busy);
        assert_eq!(api("not_found"), NodeError::NotFound(text()));
        assert_eq!(api("invalid"), NodeError::Invalid(text()));
        assert_eq!(
            api("internal"),
            NodeError::Answer("m (internal)".to_owned())
        );
        for code in Code::ALL {
            assert_eq!(api(code.as_str()), NodeError::Rejected(code));
        }
    }

    #[test]
    fn addresses_of_nodes_have_a_host_and_a_port() {
        assert_eq!(parse_rpc("127.0.0.1:8337").unwrap().port(), 8337);
        assert!(parse_rpc("[::1]:1").unwrap().is_ipv6());
        for bad in [
            "",
            "8337",
            "localhost",
            "127.0.0.1:",
            "127.0.0.1:99999",
            "http://x/",
        ] {
            assert_eq!(parse_rpc(bad).unwrap_err().exit_code(), 2, "{bad}");
        }
        assert_eq!(
            parse_rpc("no.such.host.invalid:1").unwrap_err().exit_code(),
            8
        );
    }

    #[test]
    fn exit_codes_of_node_errors() {
        let text = String::new;
        let table = [
            (NodeError::Unreachable(text()), 8, "node.unreachable"),
            (NodeError::NotReady(text()), 3, "node.not_ready"),
            (NodeError::Busy, 3, "node.busy"),
            (NodeError::NotFound(text()), 7, "not_found"),
            (NodeError::Rejected(Code::FeeLow), 4, "fee.low"),
            (NodeError::Invalid(text()), 2, "request.invalid"),
            (NodeError::Answer(text()), 1, "node.answer"),
        ];
        for (error, exit, code) in table {
            let failure = Failure::from(error);
            assert_eq!((failure.exit_code(), failure.code), (exit, code));
            assert!(!failure.hint.is_empty());
        }
    }
}
