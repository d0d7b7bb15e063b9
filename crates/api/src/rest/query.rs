//! Parameters: every one is known, given once, and read strictly. Digits and words need no escapes, so none are read.

use std::collections::BTreeMap;

use axum::http::Uri;
use quil_types::bundle::Home;

use crate::ApiError;
use crate::convert::from_wire;

/// Longest name shown in an error, characters.
const SHOWN_MAX: usize = 32;

/// Parameters of a request.
pub(super) struct Query<'a>(BTreeMap<&'static str, &'a str>);

impl<'a> Query<'a> {
    /// Parameters out of `allowed`, each at most once.
    pub(super) fn parse(uri: &'a Uri, allowed: &[&'static str]) -> Result<Self, ApiError> {
        let mut found = BTreeMap::new();
        let parts = uri.query().unwrap_or_default().split('&');
        for part in parts.filter(|p| !p.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let Some(known) = allowed.iter().find(|a| **a == name) else {
                let shown: String = name.chars().take(SHOWN_MAX).collect();
                return Err(ApiError::Invalid(format!("unknown parameter `{shown}`")));
            };
            if found.insert(*known, value).is_some() {
                return Err(ApiError::Invalid(format!("{known} is given twice")));
            }
        }
        Ok(Self(found))
    }

    /// Refuses any parameter.
    pub(super) fn none(uri: &Uri) -> Result<(), ApiError> {
        Query::parse(uri, &[]).map(drop)
    }

    pub(super) fn bytes<const N: usize>(
        &self,
        name: &'static str,
    ) -> Result<Option<[u8; N]>, ApiError> {
        self.0.get(name).map(|v| bytes(name, v)).transpose()
    }

    pub(super) fn required<const N: usize>(&self, name: &'static str) -> Result<[u8; N], ApiError> {
        self.bytes(name)?
            .ok_or_else(|| ApiError::Invalid(format!("{name} is missing")))
    }

    pub(super) fn number(&self, name: &'static str) -> Result<Option<u64>, ApiError> {
        self.0.get(name).map(|v| number(name, v)).transpose()
    }

    /// The parameter `limit`, from 1 to `max`.
    pub(super) fn limit(&self, default: u16, max: u16) -> Result<u16, ApiError> {
        match self.number("limit")? {
            None => Ok(default),
            Some(0) => Err(ApiError::Invalid("limit: at least 1".to_owned())),
            Some(n) => Ok(from_wire::limit(n, default, max)?),
        }
    }

    pub(super) fn home(&self) -> Result<Home, ApiError> {
        Ok(self.bytes("home")?.map(Home).unwrap_or_default())
    }
}

/// Exactly `N` bytes in lowercase hexadecimal: one spelling per value.
pub(super) fn bytes<const N: usize>(name: &'static str, text: &str) -> Result<[u8; N], ApiError> {
    array(text).ok_or_else(|| {
        let digits = N.saturating_mul(2);
        ApiError::Invalid(format!(
            "{name}: {digits} lowercase hexadecimal digits expected"
        ))
    })
}

/// `N` bytes; none unless `text` is exactly their digits.
pub(super) fn array<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut out = [0; N];
    let lower = !text.bytes().any(|b| b.is_ascii_uppercase());
    (lower && hex::decode_to_slice(text, &mut out).is_ok()).then_some(out)
}

/// A decimal number without sign or leading zeros.
pub(super) fn number(name: &'static str, text: &str) -> Result<u64, ApiError> {
    let plain = text == "0" || !text.starts_with(['0', '+']);
    text.parse()
        .ok()
        .filter(|_| plain)
        .ok_or_else(|| ApiError::Invalid(format!("{name}: a decimal number expected")))
}
