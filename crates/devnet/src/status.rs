//! What the commands print: a document for programs, tables for people.

use std::path::Path;
use std::time::Instant;

use quil_client::Output;
use serde_json::{Map, Value, json};

use crate::error::DevnetError;
use crate::folder::{self, CLIENT};
use crate::keys::FAUCET;
use crate::launch::{LOG, Program};
use crate::network::{Devnet, Stopped, ready_limit};
use crate::plan::Choice;
use crate::process::ProcessId;
use crate::ready::{Ask, Standing};
use crate::record::{NodeRecord, Record, SCHEMA};

/// Fields of rows that people see, in this order.
const COLUMNS: [&str; 11] = [
    "name",
    "state",
    "result",
    "pid",
    "workers",
    "global_frame",
    "shard_frame",
    "peers",
    "rpc",
    "alias",
    "address",
];

/// A network seen from outside: its record, its processes, and what its nodes answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    document: Map<String, Value>,
}

/// Looks at the network of a folder.
///
/// # Errors
/// [`DevnetError::Missing`], [`DevnetError::Record`], [`DevnetError::Io`].
pub async fn status(dir: &Path, ask: &impl Ask) -> Result<Report, DevnetError> {
    let dir = folder::absolute(dir)?;
    let record = Record::load(&dir)?.ok_or_else(|| DevnetError::Missing(dir.clone()))?;
    let mut standings = Vec::new();
    for node in &record.nodes {
        // Somebody else may listen there now.
        let answer = if node.is_alive() {
            ask.standing(node.api()).await
        } else {
            None
        };
        standings.push(answer.filter(|s| s.genesis == record.genesis));
    }
    Ok(Report::new(&dir, &record, &standings))
}

/// Makes or continues the network of a folder, starts it and waits until it is ready. Cancel safe: dropped, it stops what
/// it started.
///
/// # Errors
/// [`DevnetError`]; nothing is left running then.
pub async fn up(
    dir: &Path,
    choice: &Choice,
    program: Program,
    ask: &impl Ask,
) -> Result<(Devnet, Report), DevnetError> {
    let begin = Instant::now();
    let mut net = Devnet::open(dir, choice, program)?;
    net.start()?;
    let limit = ready_limit(net.record());
    let standings = net.wait_ready(ask, (1, 1), limit).await?;
    let answers: Vec<_> = standings.into_iter().map(Some).collect();
    let report = Report::new(net.dir(), net.record(), &answers);
    let ms = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok((net, report.with("ready_ms", ms)))
}

/// The accounts of the network of a folder.
///
/// # Errors
/// As [`status`].
pub fn accounts(dir: &Path) -> Result<Report, DevnetError> {
    let dir = folder::absolute(dir)?;
    let record = Record::load(&dir)?.ok_or_else(|| DevnetError::Missing(dir.clone()))?;
    let mut document = Map::new();
    document.insert("schema".to_owned(), json!("quil.devnet.accounts/1"));
    add_accounts(&mut document, &dir, &record);
    Ok(Report { document })
}

/// What stopping did.
#[must_use]
pub fn stopped(fates: &[(String, Stopped)]) -> Report {
    let rows = fates
        .iter()
        .map(|(name, fate)| json!({"name": name, "result": fate.as_str()}));
    let mut document = Map::new();
    document.insert("schema".to_owned(), json!("quil.devnet.down/1"));
    document.insert("nodes".to_owned(), rows.collect());
    Report { document }
}

fn add_accounts(document: &mut Map<String, Value>, dir: &Path, record: &Record) {
    let client = dir.join(CLIENT);
    let accounts = record
        .accounts
        .iter()
        .map(|a| json!({"alias": a.alias, "address": a.address, "mint": a.alias == FAUCET}));
    let api = record.nodes.first().map(|n| n.api().to_string());
    document.insert("client_home".to_owned(), path(&client));
    let passphrase = path(&client.join("passphrase"));
    document.insert("passphrase_file".to_owned(), passphrase);
    document.insert("rpc".to_owned(), json!(api));
    document.insert("accounts".to_owned(), accounts.collect());
}

fn path(path: &Path) -> Value {
    Value::from(path.display().to_string())
}

fn pids(processes: &[ProcessId]) -> Vec<u32> {
    processes.iter().map(|p| p.pid).collect()
}

fn node_value(dir: &Path, node: &NodeRecord, standing: Option<&Standing>) -> Value {
    let home = dir.join(&node.name);
    let alive = node.is_alive();
    let state = match standing {
        Some(s) if s.ready => "ready",
        Some(_) => "not ready",
        None if alive => "no answer",
        None => "stopped",
    };
    json!({
        "name": node.name,
        "state": state,
        "pid": node.process.as_ref().filter(|_| alive).map(|p| p.pid),
        "workers": pids(&node.live_workers()),
        "global_frame": standing.map(|s| s.global),
        "shard_frame": standing.and_then(Standing::shard),
        "peers": standing.map(|s| s.peers),
        "rpc": node.api().to_string(),
        "ports": {
            "rpc": node.rpc,
            "p2p": node.p2p.first(),
            "workers": node.p2p.get(1..).unwrap_or_default(),
        },
        "home": path(&home),
        "log": path(&home.join(LOG)),
    })
}

impl Report {
    /// Of a network and what its nodes answered, in their order.
    #[must_use]
    pub fn new(dir: &Path, record: &Record, standings: &[Option<Standing>]) -> Self {
        let nodes = record.nodes.iter().zip(standings);
        let rows: Vec<_> = nodes
            .map(|(node, s)| node_value(dir, node, s.as_ref()))
            .collect();
        let ready = rows
            .iter()
            .filter(|r| r.get("state") == Some(&json!("ready")));
        let state = match ready.count() {
            n if n == rows.len() => "running",
            _ if record.is_alive() => "degraded",
            _ => "stopped",
        };
        let mut document = Map::new();
        let mut add = |name: &str, value: Value| document.insert(name.to_owned(), value);
        add("schema", json!(SCHEMA));
        add("state", json!(state));
        add("dir", path(dir));
        add("genesis", json!(record.genesis));
        add("frame_ms", json!(record.frame_ms));
        add("squarings", json!(record.squarings));
        add("nodes", Value::Array(rows));
        add_accounts(&mut document, dir, record);
        Self { document }
    }

    /// Adds a field.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.document.insert(name.to_owned(), value.into());
        self
    }

    /// A field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.document.get(name)
    }

    /// The text for stdout, without the last line break.
    #[must_use]
    pub fn render(&self, output: Output) -> String {
        match output {
            Output::Json => Value::Object(self.document.clone()).to_string(),
            Output::Human => self.human(),
        }
    }

    /// Fields first, then each list as a table.
    fn human(&self) -> String {
        let shown = self.document.iter().filter(|(name, _)| *name != "schema");
        let (lists, fields): (Vec<_>, Vec<_>) = shown.partition(|(_, v)| v.is_array());
        let width = fields.iter().map(|(k, _)| k.len()).max().unwrap_or(0);
        let mut lines: Vec<_> = fields
            .iter()
            .map(|(k, v)| format!("{k:<width$}  {}", plain(v)))
            .collect();
        for (_, list) in lists {
            if !lines.is_empty() {
                lines.push(String::new());
            }
            lines.extend(table(list.as_array().map_or(&[], Vec::as_slice)));
        }
        lines.join("\n")
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        Value::Object(_) | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn table(rows: &[Value]) -> Vec<String> {
    let first = rows.first();
    let has = |name: &&&str| first.is_some_and(|row| row.get(**name).is_some());
    let names: Vec<&str> = COLUMNS.iter().filter(has).copied().collect();
    let cell = |row: &Value, name: &str| row.get(name).map(plain).unwrap_or_default();
    let head: Vec<String> = names.iter().map(|n| n.to_uppercase()).collect();
    let body = rows
        .iter()
        .map(|row| names.iter().map(|n| cell(row, n)).collect());
    let lines: Vec<Vec<String>> = core::iter::once(head).chain(body).collect();
    let widths: Vec<usize> = (0..names.len())
        .map(|c| lines.iter().filter_map(|l| l.get(c)).map(String::len).max())
        .map(Option::unwrap_or_default)
        .collect();
    let line = |cells: &Vec<String>| {
        let padded = cells.iter().zip(&widths).map(|(c, w)| format!("{c:<w$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::AccountRecord;

    fn record() -> Record {
        Record {
            schema: SCHEMA.to_owned(),
            genesis: "abcd".to_owned(),
            frame_ms: 2_000,
            squarings: 7,
            workers: 1,
            nodes: vec![NodeRecord {
                name: "n0".to_owned(),
                rpc: 20_000,
                p2p: vec![20_001, 20_002],
                process: ProcessId::of(std::process::id()),
                workers: Vec::new(),
            }],
            accounts: vec![AccountRecord {
                alias: FAUCET.to_owned(),
                address: "qacc1x".to_owned(),
            }],
        }
    }

    fn report(standing: Option<Standing>, record: &Record) -> Report {
        Report::new(Path::new("/net"), record, &[standing])
    }

    #[test]
    fn document_names_processes_ports_homes_and_accounts() {
        let ready = Standing {
            ready: true,
            global: 4,
            ..Standing::default()
        };
        let report = report(Some(ready), &record()).with("seconds", 1.5);
        let json: Value = serde_json::from_str(&report.render(Output::Json)).unwrap();
        assert_eq!(json["schema"], "quil.devnet/1");
        assert_eq!(json["state"], "running");
        let node = &json["nodes"][0];
        assert_eq!(node["pid"], std::process::id());
        assert_eq!(
            (&node["global_frame"], &node["state"]),
            (&json!(4), &json!("ready"))
        );
        assert_eq!(
            node["ports"],
            json!({"rpc": 20000, "p2p": 20001, "workers": [20002]})
        );
        assert_eq!(
            (&node["home"], &node["log"]),
            (&json!("/net/n0"), &json!("/net/n0/node.log"))
        );
        assert_eq!(json["accounts"][0]["alias"], "faucet");
        assert_eq!(json["client_home"], "/net/client");
        assert_eq!(json["seconds"], 1.5);
        let text = report.render(Output::Human);
        assert!(text.contains("NAME") && text.contains("ALIAS"), "{text}");
        assert!(!text.contains('{') && !text.contains("schema"), "{text}");
    }

    #[test]
    fn state_follows_processes_and_answers() {
        let state = |standing, record: &Record| {
            let report = report(standing, record);
            let node = report.get("nodes").unwrap()[0]["state"].clone();
            (report.get("state").unwrap().clone(), node)
        };
        let unready = Some(Standing::default());
        assert_eq!(
            state(unready, &record()),
            (json!("degraded"), json!("not ready"))
        );
        assert_eq!(
            state(None, &record()),
            (json!("degraded"), json!("no answer"))
        );
        let mut stopped = record();
        stopped.nodes[0].process = None;
        assert_eq!(state(None, &stopped), (json!("stopped"), json!("stopped")));
    }

    #[test]
    fn stopping_tells_what_it_did() {
        let fates = [
            ("n0".to_owned(), Stopped::InOrder),
            ("n1".to_owned(), Stopped::NotRunning),
        ];
        let text = stopped(&fates).render(Output::Human);
        assert_eq!(text, "NAME  RESULT\nn0    stopped\nn1    was not running");
    }
}
