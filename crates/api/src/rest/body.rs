//! Bodies of requests: type, size and time are bounded before anything is parsed.

use std::time::Duration;

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Body as _;
use serde::Deserialize;

use super::reply::Refusal;
use crate::ApiError;

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bytes,
    Json,
}

impl Kind {
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let value = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
        let name = value.and_then(|v| v.split(';').next()).unwrap_or_default();
        match name.trim().to_ascii_lowercase().as_str() {
            "application/octet-stream" => Ok(Self::Bytes),
            "application/json" => Ok(Self::Json),
            _ => Err(Refusal::MediaType),
        }
    }

    pub(super) fn json_only(headers: &HeaderMap) -> Result<(), Refusal> {
        match Self::of(headers)? {
            Self::Json => Ok(()),
            Self::Bytes => Err(Refusal::MediaType),
        }
    }
}

/// The whole body. A claimed length is only ever used to refuse it early.
pub(super) async fn read(
    request: Request,
    max: usize,
    patience: Duration,
) -> Result<Bytes, Refusal> {
    let body = request.into_body();
    if body.size_hint().lower() > max as u64 {
        return Err(Refusal::TooLarge(max));
    }
    let whole = Limited::new(body, max).collect();
    match tokio::time::timeout(patience, whole).await {
        Err(_) => Err(Refusal::Slow),
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(e)) if e.is::<LengthLimitError>() => Err(Refusal::TooLarge(max)),
        Ok(Err(_)) => Err(ApiError::Invalid("the body broke off".to_owned()).into()),
    }
}

/// A JSON document.
pub(super) fn parse<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, ApiError> {
    serde_json::from_slice(text).map_err(|e| ApiError::Invalid(e.to_string()))
}
