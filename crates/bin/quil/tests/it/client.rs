//! Commands that ask a node, as people run them.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use quil_api::backend::{
    ChainView, CoinLookup, CoinPage, FrameView, NodeStatus, ProofView, Readiness, ShardList,
    ShardView, TxState, TxView,
};
use quil_api::{ApiError, Backend};
use quil_types::bundle::Home;
use quil_types::{
    Beacon, Chain, CoinId, Digest, Domain, Epoch, FrameId, FrameNumber, GenesisHash, Header,
    Nullifier, ProverId, Rank, ShardAddr, ShardRow, Timestamp, TxId,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

const SHARD: ShardAddr = ShardAddr([0xa1; 32]);
const KNOWN: TxId = TxId([0x77; 32]);

/// A node made of constants.
struct Node;

fn header(shard: Option<ShardAddr>, number: u64) -> Header {
    Header {
        version: 1,
        chain: shard.map_or(Chain::Global, Chain::Shard),
        epoch: Epoch::new(3),
        rank: Rank::new(42),
        parent_rank: Rank::new(41),
        number: FrameNumber::new(number),
        timestamp: Timestamp::new(1_790_000_000_123),
        parent: FrameId([0x11; 32]),
        proposer: ProverId([0x12; 32]),
        requests_root: Digest([0x13; 32]),
        receipts_root: Digest([0x14; 32]),
        multiplier: 1_000_000,
        committee_root: Digest([0x15; 32]),
        next_committee_root: Digest::ZERO,
        state_roots: [[0x21; 64]; 4],
        shards_root: [0x25; 64],
        beacon: Beacon([0x26; 32]),
        anchor: None,
    }
}

#[tonic::async_trait]
impl Backend for Node {
    async fn status(&self) -> Result<NodeStatus, ApiError> {
        Ok(NodeStatus {
            peer_id: "12D3KooW".to_owned(),
            version: "0.1.0".to_owned(),
            network: "fixture".to_owned(),
            genesis_hash: GenesisHash([9; 32]),
            devnet: true,
            ready: false,
            not_ready_because: vec!["no peers".to_owned()],
            global: ChainView {
                chain: Chain::Global,
                head: FrameNumber::new(12),
                final_number: FrameNumber::new(10),
                epoch: Epoch::new(3),
                rank: Rank::new(42),
                final_age_ms: 700,
            },
            workers: Vec::new(),
            peers: 0,
            uptime_ms: 5_000,
        })
    }
    async fn frame(
        &self,
        shard: Option<ShardAddr>,
        number: Option<FrameNumber>,
    ) -> Result<FrameView, ApiError> {
        let number = number.map_or(10, FrameNumber::get);
        if number > 10 {
            return Err(ApiError::NotFound(format!(
                "there is no final frame {number}"
            )));
        }
        let header = header(shard, number);
        Ok(FrameView { header, items: 2 })
    }
    async fn frames(
        &self,
        shard: Option<ShardAddr>,
        limit: u16,
    ) -> Result<Vec<FrameView>, ApiError> {
        let all = (0..=10).rev().take(usize::from(limit));
        let view = |n| FrameView {
            header: header(shard, n),
            items: 0,
        };
        Ok(all.map(view).collect())
    }
    async fn shards(&self) -> Result<ShardList, ApiError> {
        let row = ShardRow {
            epoch: Epoch::new(3),
            height: FrameNumber::new(8),
            id: FrameId([1; 32]),
            roots: [[2; 64]; 4],
            size: 1234,
        };
        Ok(ShardList {
            shards: vec![ShardView {
                addr: SHARD,
                row,
                members: 4,
            }],
            global_number: FrameNumber::new(10),
        })
    }
    async fn submit(&self, _: Vec<u8>) -> Result<TxId, ApiError> {
        Err(ApiError::Busy)
    }
    async fn transaction(&self, tx: TxId) -> Result<TxView, ApiError> {
        let known = tx == KNOWN;
        Ok(TxView {
            tx,
            state: if known {
                TxState::Final
            } else {
                TxState::Unknown
            },
            shard: known.then_some(SHARD),
            shard_frame: known.then_some(FrameNumber::new(7)),
            index: known.then_some(0),
            fee: known.then_some(12_000_000_000),
            settled_at: None,
        })
    }
    async fn scan(&self, _: Domain, _: Home, _: u64, _: u16) -> Result<CoinPage, ApiError> {
        Err(ApiError::Unavailable("the worker is down".to_owned()))
    }
    async fn coins(
        &self,
        _: Domain,
        _: Home,
        _: Vec<CoinId>,
        _: Vec<Nullifier>,
    ) -> Result<CoinLookup, ApiError> {
        Err(ApiError::Unavailable("the worker is down".to_owned()))
    }
    async fn proof(&self, _: ShardAddr, _: [u8; 64]) -> Result<ProofView, ApiError> {
        Err(ApiError::NotFound("no proof".to_owned()))
    }
    fn genesis(&self) -> (Arc<[u8]>, GenesisHash) {
        (Arc::new([1, 2, 3]), GenesisHash([9; 32]))
    }
    fn readiness(&self) -> Readiness {
        Readiness::default()
    }
}

/// A served node; it ends with the runtime.
struct Served {
    _runtime: Runtime,
    rpc: String,
}

fn serve() -> Served {
    let runtime = Runtime::new().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let rpc = listener.local_addr().unwrap().to_string();
    let backend: Arc<dyn Backend> = Arc::new(Node);
    runtime.spawn(quil_api::serve(listener, backend, std::future::pending()));
    Served {
        _runtime: runtime,
        rpc,
    }
}

fn command(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quil"));
    command
        .args(arguments)
        .stdin(Stdio::null())
        .env_clear()
        .env("QUIL_HOME", home)
        .env("QUIL_RPC", closed())
        .env("QUIL_PASSPHRASE", "correct horse");
    command
}

/// An address at which nothing listens.
fn closed() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

fn quil(home: &Path, arguments: &[&str]) -> Output {
    command(home, arguments).output().expect("runs")
}

/// Exit code and code word of a failing command, which prints nothing to stdout.
fn failure(home: &Path, arguments: &[&str]) -> (i32, String) {
    failed(command(home, &[arguments, &["-o", "json"]].concat()))
}

fn failed(mut command: Command) -> (i32, String) {
    let done = command.output().expect("runs");
    assert!(
        done.stdout.is_empty(),
        "{:?}",
        String::from_utf8(done.stdout)
    );
    let text = String::from_utf8(done.stderr).unwrap();
    let error: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
    assert_eq!(error["schema"], "quil.error/1");
    assert!(!error["hint"].as_str().unwrap().is_empty());
    let code = error["code"].as_str().unwrap().to_owned();
    (done.status.code().unwrap(), code)
}

fn document(home: &Path, arguments: &[&str]) -> Value {
    let done = quil(home, &[arguments, &["-o", "json"]].concat());
    let errors = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{arguments:?}: {errors}");
    serde_json::from_slice(&done.stdout).unwrap()
}

fn is(exit: i32, code: &str) -> (i32, String) {
    (exit, code.to_owned())
}

#[test]
fn mistakes_are_found_before_a_node_is_asked() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path();
    assert_eq!(failure(home, &["token", "balance"]), is(7, "key.unknown"));
    document(home, &["key", "new", "alice"]);
    let amount = |a| failure(home, &["token", "send", "alice", a]);
    assert_eq!(amount("0.0000000000001"), is(2, "amount.precision"));
    assert_eq!(amount("1e9"), is(2, "amount.malformed"));
    assert_eq!(amount("99999999999"), is(2, "amount.overflow"));
    let to = |a| failure(home, &["token", "send", a, "1"]);
    assert_eq!(to("nobody"), is(7, "key.unknown"));
    assert_eq!(to("qacc1qqqq"), is(2, "address.malformed"));
    assert_eq!(to("NOT AN ALIAS"), is(2, "key.alias"));
    assert_eq!(
        failure(home, &["token", "mint", "alice", "1"]),
        is(7, "key.unknown")
    );
    assert_eq!(
        failure(home, &["frame", "show", "ten"]),
        is(2, "number.malformed")
    );
    assert_eq!(
        failure(home, &["frame", "ls", "--shard", "a1"]),
        is(2, "id.malformed")
    );
    assert_eq!(failure(home, &["tx", "show", "12"]), is(2, "id.malformed"));
    let named = ["token", "balance", "--from", "bob"];
    assert_eq!(failure(home, &named), is(7, "key.unknown"));
    document(home, &["key", "new", "bob"]);
    assert_eq!(failure(home, &["token", "coins"]), is(2, "key.ambiguous"));
    let genesis = [
        "token",
        "coins",
        "--from",
        "bob",
        "--genesis",
        "/nowhere/genesis",
    ];
    assert_eq!(failure(home, &genesis), is(8, "node.unreachable"));
}

#[test]
fn usage_errors_of_the_parser_are_exit_code_two() {
    let dir = tempfile::tempdir().unwrap();
    for arguments in [
        &["token", "send", "alice"][..],
        &["token", "send", "a", "1", "--wait", "soon"],
        &["token", "send", "a", "1", "--timeout", "fast"],
        &["token", "send", "a", "1", "--timeout", "25h"],
        &["frame", "ls", "--limit", "0"],
        &["frame", "ls", "--limit", "65"],
        &["config", "show", "--set", "nothing"],
        &["status", "-o", "yaml"],
        &["frobnicate"],
    ] {
        let done = quil(dir.path(), arguments);
        assert_eq!(done.status.code(), Some(2), "{arguments:?}");
        assert!(done.stdout.is_empty() && !done.stderr.is_empty());
    }
}

#[test]
fn passphrase_comes_from_the_environment_or_a_private_file_and_is_never_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path();
    document(home, &["key", "new", "alice"]);
    let without = |arguments: &[&str]| {
        let mut command = command(home, &[arguments, &["-o", "json"]].concat());
        command.env_remove("QUIL_PASSPHRASE");
        command
    };
    assert_eq!(failed(without(&["key", "ls"])), is(2, "passphrase"));
    let file = home.join("passphrase");
    std::fs::write(&file, "correct horse\n").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |m| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(m));
        mode(0o644).unwrap();
        assert_eq!(failed(without(&["key", "ls"])), is(6, "passphrase.exposed"));
        mode(0o600).unwrap();
    }
    assert!(without(&["key", "ls"]).output().unwrap().status.success());
    std::fs::write(&file, "wrong horse\n").unwrap();
    assert_eq!(failed(without(&["key", "ls"])), is(6, "key.passphrase"));
}

#[test]
fn node_is_found_by_variable_or_flag_and_the_flag_wins() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve();
    assert_eq!(failure(dir.path(), &["status"]), is(8, "node.unreachable"));
    assert_eq!(
        failure(dir.path(), &["status", "--rpc", "here"]),
        is(2, "rpc.malformed")
    );
    let told = document(dir.path(), &["status", "--rpc", &served.rpc]);
    assert_eq!(told["schema"], "quil.status/1");
    let mut by_variable = command(dir.path(), &["status"]);
    let by_variable = by_variable.env("QUIL_RPC", &served.rpc).output();
    assert!(by_variable.unwrap().status.success());
}

#[test]
fn documents_of_a_node() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve();
    let with = |arguments: &[&str]| [arguments, &["--rpc", &served.rpc]].concat().join(" ");
    let ask = |arguments: &[&str]| {
        let all = with(arguments);
        document(dir.path(), &all.split(' ').collect::<Vec<_>>())
    };
    let status = ask(&["status"]);
    assert_eq!(
        (&status["ready"], &status["global"]["final"]),
        (&json!(false), &json!(10))
    );
    let frame = ask(&["frame", "show", "9"]);
    assert_eq!(frame["id"], header(None, 9).id().to_string());
    let shard = SHARD.to_string();
    let frame = ask(&["frame", "show", "--shard", &shard]);
    assert_eq!(
        (&frame["number"], &frame["shard"]),
        (&json!(10), &json!(shard))
    );
    let frames = ask(&["frame", "ls", "--limit", "3"]);
    assert_eq!(frames["frames"].as_array().unwrap().len(), 3);
    let shards = ask(&["shard", "ls"]);
    assert_eq!(shards["shards"][0]["height"], 8);
    let known = KNOWN.to_string();
    assert_eq!(
        ask(&["tx", "show", &known]),
        json!({
            "schema": "quil.transaction/1", "tx": known, "state": "final", "shard": shard,
            "shard_frame": 7, "index": 0, "fee": {"amount": "1.5", "unit": "QUIL"},
            "settled_at": null,
        })
    );
    let fails = |arguments: &[&str]| {
        let all = with(arguments);
        failure(dir.path(), &all.split(' ').collect::<Vec<_>>())
    };
    assert_eq!(fails(&["status", "--ready"]), is(3, "node.not_ready"));
    assert_eq!(fails(&["frame", "show", "11"]), is(7, "not_found"));
    assert_eq!(
        fails(&["tx", "show", &"00".repeat(32)]),
        is(7, "tx.unknown")
    );
    document(dir.path(), &["key", "new", "alice"]);
    assert_eq!(
        fails(&["token", "balance"]),
        is(1, "node.answer"),
        "its genesis is none"
    );
}

#[test]
fn reader_that_goes_away_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve();
    let mut command = command(dir.path(), &["frame", "ls", "--rpc", &served.rpc]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success() && done.stderr.is_empty(), "{done:?}");
}

#[test]
fn configuration_is_written_once_shown_with_origins_and_checked() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("new/home");
    assert_eq!(
        document(&home, &["config", "validate"])["file"],
        Value::Null
    );
    let made = document(&home, &["config", "init"]);
    let file = home.join("quil.yaml");
    assert_eq!(made["file"], file.display().to_string());
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(failure(&home, &["config", "init"]), is(1, "config.exists"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    assert_eq!(
        std::fs::read_dir(&home).unwrap().count(),
        1,
        "nothing else is left"
    );

    let mut show = command(
        &home,
        &["config", "show", "--set", "workers.count=3", "-o", "json"],
    );
    let done = show.env("QUIL_STORE__CACHE_MIB", "64").output().unwrap();
    let shown: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(shown["schema"], "quil.config/1");
    let setting = |key: &str| {
        let mut all = shown["settings"].as_array().unwrap().iter();
        let row = all.find(|r| r["key"] == key).unwrap();
        (
            row["value"].clone(),
            row["origin"].as_str().unwrap().to_owned(),
        )
    };
    assert_eq!(setting("workers.count"), (json!(3), "flag".to_owned()));
    assert_eq!(
        setting("store.cache_mib"),
        (json!(64), "QUIL_STORE__CACHE_MIB".to_owned())
    );
    assert_eq!(setting("log.filter"), (json!("info"), "file".to_owned()));
}

#[test]
fn wrong_configuration_is_exit_code_78_and_names_the_nearest_key() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("other.yaml");
    let path = file.to_str().unwrap();
    let check = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let done = quil(dir.path(), &["config", "validate", "--config", path]);
        let words = String::from_utf8(done.stderr).unwrap();
        (done.status.code().unwrap(), words)
    };
    assert_eq!(check("workers: {count: 2}").0, 0);
    let (code, words) = check("workers: {cuont: 2}");
    assert_eq!(code, 78);
    assert!(
        words.contains("`workers.cuont`") && words.contains("workers.count"),
        "{words}"
    );
    for text in [
        "workers: {count: 2}\nworkers: {count: 3}",
        "workers: {count: 65}",
        "workers: {count: many}",
        "rpc: {listen: nowhere}",
        "a: [",
        "version: 2",
    ] {
        let (code, words) = check(text);
        assert_eq!(code, 78, "{text}");
        assert!(
            words.contains("config.invalid") && words.contains("next:"),
            "{words}"
        );
    }
    let set = ["config", "validate", "--set", "rpc.listen=nowhere"];
    assert_eq!(failure(dir.path(), &set), is(78, "config.invalid"));
    let missing = ["config", "validate", "--config", "/nowhere/quil.yaml"];
    assert_eq!(failure(dir.path(), &missing), is(7, "file.io"));
}

#[test]
fn every_command_explains_itself() {
    let dir = tempfile::tempdir().unwrap();
    for arguments in [
        &[][..],
        &["status"],
        &["token"],
        &["token", "send"],
        &["token", "mint"],
        &["token", "coins"],
        &["token", "merge"],
        &["tx", "show"],
        &["frame", "show"],
        &["frame", "ls"],
        &["shard", "ls"],
        &["config", "init"],
        &["config", "show"],
        &["config", "validate"],
    ] {
        let done = quil(dir.path(), &[arguments, &["--help"]].concat());
        let text = String::from_utf8(done.stdout).unwrap();
        assert!(
            done.status.success() && text.contains("Usage: quil"),
            "{arguments:?}"
        );
        assert!(text.contains("--rpc <HOST:PORT>"), "{arguments:?}");
    }
    let text = quil(dir.path(), &["--help"]).stdout;
    let text = String::from_utf8(text).unwrap();
    let words: Vec<_> = text.split_whitespace().collect();
    let explained = words.join(" ").contains("9 insufficient funds");
    assert!(explained, "exit codes are explained");
}

/// A network of one node, stopped when the test ends.
struct Net(tempfile::TempDir);

impl Net {
    fn up() -> (Self, String) {
        let net = Self(tempfile::tempdir().unwrap());
        let up = ["devnet", "up", "--nodes", "1", "--frame-time", "500ms"];
        let started = document(net.0.path(), &up);
        let rpc = started["rpc"].as_str().unwrap().to_owned();
        (net, rpc)
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        quil(self.0.path(), &["devnet", "down"]);
    }
}

#[test]
fn wallet_commands_move_value_on_a_real_network() {
    let (net, rpc) = Net::up();
    let home = net.0.path().join("devnet/client");
    let ask = |arguments: &[&str]| {
        let mut command = command(&home, &[arguments, &["--rpc", &rpc]].concat());
        // The passphrase of a local network lies beside its key store.
        command.env_remove("QUIL_PASSPHRASE");
        command
    };
    let document = |arguments: &[&str]| {
        let done = ask(&[arguments, &["-o", "json"]].concat())
            .output()
            .unwrap();
        let errors = String::from_utf8(done.stderr).unwrap();
        assert!(done.status.success(), "{arguments:?}: {errors}");
        assert!(errors.is_empty(), "programs see the steps in the document");
        serde_json::from_slice::<Value>(&done.stdout).unwrap()
    };
    let minted = document(&["token", "mint", "alice", "100"]);
    assert_eq!(minted["state"], "final");
    let send = [
        "token", "send", "bob", "12.5", "--from", "alice", "--wait", "settled",
    ];
    let sent = ask(&send).output().unwrap();
    assert!(sent.status.success());
    let (result, progress) = (
        String::from_utf8(sent.stdout).unwrap(),
        String::from_utf8(sent.stderr).unwrap(),
    );
    assert!(
        result.contains("12.5 QUIL") && !result.contains("accepted"),
        "{result}"
    );
    assert!(
        progress.starts_with("accepted ") && progress.contains("\nsettled "),
        "{progress}"
    );

    let bob = document(&["token", "balance", "--from", "bob"]);
    assert_eq!(bob["balance"], json!({"amount": "12.5", "unit": "QUIL"}));
    let coins = document(&["token", "coins", "--from", "bob", "--prove"]);
    assert!(coins["coins"][0]["proven_at"].as_u64().unwrap() > 0);
    let cached = std::fs::read_dir(home.join("scan")).unwrap().count();
    assert_eq!(cached, 2, "alice and bob");
    let too_much = ask(&[
        "token", "send", "alice", "12.5", "--from", "bob", "-o", "json",
    ]);
    assert_eq!(
        failed(too_much),
        is(9, "funds.insufficient"),
        "nothing is left for the fee"
    );
    let stranger = ask(&["token", "mint", "bob", "1", "--from", "alice", "-o", "json"]);
    assert_eq!(failed(stranger), is(4, "mint.unauthorised"));
}
