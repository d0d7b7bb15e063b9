//! Answers: JSON documents that name their schema.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;

use crate::ApiError;

/// Why a request got no document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The node says so.
    Api(ApiError),
    /// No such resource.
    Route,
    /// The resource has no such method.
    Method,
    /// The body is larger than this.
    TooLarge(usize),
    /// The body is of another type.
    MediaType,
    /// The body did not come in time.
    Slow,
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

#[derive(Serialize)]
struct Document<T> {
    schema: &'static str,
    #[serde(flatten)]
    body: T,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    code: &'a str,
    message: &'a str,
    hint: &'a str,
}

impl Refusal {
    fn parts(self) -> (StatusCode, &'static str, String, &'static str) {
        match self {
            Self::Api(error) => {
                let error = error.logged();
                let message = error.message();
                (error.http_status(), error.code(), message, error.hint())
            }
            Self::Route => (
                StatusCode::NOT_FOUND,
                "route.unknown",
                "no such resource".to_owned(),
                "resources are below /v1",
            ),
            Self::Method => (
                StatusCode::METHOD_NOT_ALLOWED,
                "route.method",
                "the resource has no such method".to_owned(),
                "",
            ),
            Self::TooLarge(max) => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "body.too_large",
                format!("the body has more than {max} bytes"),
                "",
            ),
            Self::MediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "body.type",
                "the body is of another type than this resource takes".to_owned(),
                "application/json, or application/octet-stream for a bundle",
            ),
            Self::Slow => (
                StatusCode::REQUEST_TIMEOUT,
                "body.slow",
                "the body did not come in time".to_owned(),
                "",
            ),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code, message, hint) = self.parts();
        let body = ErrorBody {
            code,
            message: &message,
            hint,
        };
        // A document of three texts always serialises; without one the status still says it.
        let text = text("quil.error/1", body).unwrap_or_default();
        with_status(status, text)
    }
}

/// A JSON document as bytes.
pub(super) fn text<T: Serialize>(schema: &'static str, body: T) -> Result<Bytes, ApiError> {
    let document = Document { schema, body };
    let text = serde_json::to_vec(&document).map_err(|e| ApiError::Internal(e.to_string()))?;
    Ok(text.into())
}

/// A JSON document as an answer.
pub(super) fn document<T: Serialize>(
    status: StatusCode,
    schema: &'static str,
    body: T,
) -> Result<Response, Refusal> {
    Ok(with_status(status, text(schema, body)?))
}

/// A document made before.
pub(super) fn ready_made(text: Bytes) -> Response {
    with_status(StatusCode::OK, text)
}

fn with_status(status: StatusCode, text: Bytes) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
