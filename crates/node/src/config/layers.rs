//! Merging of configuration layers with the origin of every key.

use std::collections::BTreeMap;
use std::fmt::Display;

use serde_json::{Map, Value};

use super::{Config, FILE_BYTES_MAX};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The built-in default.
    Default,
    /// The configuration file.
    File,
    /// An environment variable.
    Environment(String),
    /// A command-line flag.
    Flag,
}

impl Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File => f.write_str("file"),
            Self::Environment(name) => f.write_str(name),
            Self::Flag => f.write_str("flag"),
        }
    }
}

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file is larger than [`FILE_BYTES_MAX`].
    #[error("the file has {0} bytes, at most {FILE_BYTES_MAX} allowed")]
    TooLarge(usize),
    /// Not YAML of the strict kind.
    #[error("{0}")]
    Syntax(String),
    /// A key that does not exist.
    #[error("unknown key `{key}` ({origin}){}", nearest.as_ref().map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
    UnknownKey {
        /// Dotted path.
        key: String,
        /// Where it stands.
        origin: Origin,
        /// Closest known key.
        nearest: Option<String>,
    },
    /// A value of the wrong type.
    #[error("{0}")]
    Type(String),
    /// A value outside its range.
    #[error("`{key}` is {value}; allowed: {allowed}")]
    Value {
        /// Dotted path.
        key: &'static str,
        /// The value.
        value: String,
        /// What is allowed.
        allowed: &'static str,
    },
}

impl ConfigError {
    pub(super) fn value(key: &'static str, value: &dyn Display, allowed: &'static str) -> Self {
        Self::Value {
            key,
            value: value.to_string(),
            allowed,
        }
    }
}

/// The merged tree. Start with [`Layers::built_in`], add layers in order of precedence, then [`Layers::decode`].
#[derive(Clone, Debug)]
pub struct Layers {
    tree: Value,
    origins: BTreeMap<String, Origin>,
}

impl Layers {
    /// The defaults.
    ///
    /// # Errors
    /// Never in practice: the defaults serialise.
    pub fn built_in() -> Result<Self, ConfigError> {
        let tree = serde_json::to_value(Config::built_in())
            .map_err(|e| ConfigError::Type(e.to_string()))?;
        Ok(Self {
            tree,
            origins: BTreeMap::new(),
        })
    }

    /// Adds the text of `quil.yaml`.
    ///
    /// # Errors
    /// Size, syntax (with line and column) and unknown keys.
    pub fn with_file(mut self, text: &str) -> Result<Self, ConfigError> {
        if text.len() > FILE_BYTES_MAX {
            return Err(ConfigError::TooLarge(text.len()));
        }
        if text
            .lines()
            .all(|l| l.trim().is_empty() || l.trim_start().starts_with('#'))
        {
            return Ok(self);
        }
        let value: Value = serde_saphyr::from_str_with_options(text, strict_yaml())
            .map_err(|e| ConfigError::Syntax(e.to_string()))?;
        self.merge(&value, &Origin::File)?;
        Ok(self)
    }

    /// Adds `QUIL_SECTION__KEY` variables; other names are not looked at. A value is read as YAML.
    ///
    /// # Errors
    /// Syntax and unknown keys.
    pub fn with_environment(
        mut self,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        for (name, text) in variables {
            let Some(rest) = name.strip_prefix("QUIL_") else {
                continue;
            };
            // Single words are switches of the command line (QUIL_HOME, QUIL_RPC), sections have a double underscore.
            if !rest.contains("__") {
                continue;
            }
            let path = rest.to_lowercase().replace("__", ".");
            self.set(&path, &text, &Origin::Environment(name))?;
        }
        Ok(self)
    }

    /// Adds one flag.
    ///
    /// # Errors
    /// Syntax and unknown keys.
    pub fn with_flag(mut self, path: &str, text: &str) -> Result<Self, ConfigError> {
        self.set(path, text, &Origin::Flag)?;
        Ok(self)
    }

    fn set(&mut self, path: &str, text: &str, origin: &Origin) -> Result<(), ConfigError> {
        let mut value: Value = serde_saphyr::from_str_with_options(text, strict_yaml())
            .unwrap_or_else(|_| Value::String(text.to_owned()));
        for key in path.rsplit('.') {
            value = Value::Object(Map::from_iter([(key.to_owned(), value)]));
        }
        self.merge(&value, origin)
    }

    fn merge(&mut self, value: &Value, origin: &Origin) -> Result<(), ConfigError> {
        let mut origins = Vec::new();
        merge_into(&mut self.tree, value, "", origin, &mut origins)?;
        self.origins
            .extend(origins.into_iter().map(|k| (k, origin.clone())));
        Ok(())
    }

    /// Where the value of a key came from.
    #[must_use]
    pub fn origin(&self, path: &str) -> Origin {
        self.origins.get(path).cloned().unwrap_or(Origin::Default)
    }

    /// Every leaf with its value and origin, by path.
    #[must_use]
    pub fn effective(&self) -> Vec<(String, Value, Origin)> {
        let mut out = Vec::new();
        leaves(&self.tree, "", &mut |path, value| {
            out.push((path.to_owned(), value.clone(), self.origin(path)))
        });
        out
    }

    /// The typed configuration.
    ///
    /// # Errors
    /// A value of the wrong type or outside its range, with its key.
    pub fn decode(&self) -> Result<Config, ConfigError> {
        let config: Config = serde_json::from_value(self.tree.clone())
            .map_err(|e| ConfigError::Type(e.to_string()))?;
        config.check()
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

fn merge_into(
    known: &mut Value,
    given: &Value,
    path: &str,
    origin: &Origin,
    set: &mut Vec<String>,
) -> Result<(), ConfigError> {
    let (Value::Object(known), Value::Object(given)) = (&mut *known, given) else {
        *known = given.clone();
        set.push(path.to_owned());
        return Ok(());
    };
    for (key, value) in given {
        let full = join(path, key);
        let names: Vec<String> = known.keys().cloned().collect();
        let Some(slot) = known.get_mut(key) else {
            let nearest = nearest(key, &names).map(|n| join(path, n));
            return Err(ConfigError::UnknownKey {
                key: full,
                origin: origin.clone(),
                nearest,
            });
        };
        if slot.is_object() && !value.is_object() {
            return Err(ConfigError::Type(format!(
                "`{full}` is a section with keys of its own"
            )));
        }
        merge_into(slot, value, &full, origin, set)?;
    }
    Ok(())
}

fn leaves(value: &Value, path: &str, visit: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(map) => map
            .iter()
            .for_each(|(k, v)| leaves(v, &join(path, k), visit)),
        leaf => visit(path, leaf),
    }
}

/// The closest name by edit distance, when it is close enough to be a typing error.
fn nearest<'a>(key: &str, names: &'a [String]) -> Option<&'a str> {
    let best = names.iter().map(|n| (distance(key, n), n)).min()?;
    (best.0 <= key.len().div_ceil(2)).then_some(best.1.as_str())
}

/// Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut left = i.saturating_add(1);
        let mut diagonal = i;
        for (cell, cb) in row.iter_mut().skip(1).zip(b.chars()) {
            let above = *cell;
            let substituted = diagonal.saturating_add(usize::from(ca != cb));
            let next = substituted
                .min(above.saturating_add(1))
                .min(left.saturating_add(1));
            diagonal = above;
            left = next;
            *cell = next;
        }
        if let Some(first) = row.first_mut() {
            *first = i.saturating_add(1);
        }
    }
    row.last().copied().unwrap_or(0)
}

fn strict_yaml() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_reader_input_bytes: Some(FILE_BYTES_MAX),
            max_events: 20_000,
            max_nodes: 10_000,
            max_depth: 16,
            max_total_scalar_bytes: FILE_BYTES_MAX,
            max_aliases: 0,
            max_anchors: 0,
            max_documents: 1,
        },
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::Error,
        merge_keys: serde_saphyr::MergeKeyPolicy::Error,
        strict_booleans: true,
        reject_unsupported_tags: true,
        no_schema: false,
    }
}
