//! Errors of the API: stable words, and how they look in gRPC and HTTP.

use axum::http::StatusCode;
use quil_types::Code;
use tonic::Status;
use tonic::metadata::MetadataValue;

use crate::convert::from_wire::WireError;

/// Metadata key that carries [`ApiError::code`] in gRPC.
pub const CODE_KEY: &str = "quil-code";
/// What a client is told about a defect of the node; the detail is in the node's log.
pub(crate) const INTERNAL_TEXT: &str = "the node failed; its log says why";

/// Why a call was not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// The question is wrong; the text names the part.
    #[error("{0}")]
    Invalid(String),
    /// No such object.
    #[error("{0}")]
    NotFound(String),
    /// The node is not caught up.
    #[error("{0}")]
    NotReady(String),
    /// The bundle breaks a rule (T8).
    #[error("the bundle was refused: {0}")]
    Rejected(Code),
    /// Full; the same call may succeed later.
    #[error("too much to do, try again")]
    Busy,
    /// A part of the node that is needed does not answer.
    #[error("{0}")]
    Unavailable(String),
    /// A defect or a failed disk. The text is logged, not sent.
    #[error("{0}")]
    Internal(String),
}

impl ApiError {
    /// The stable word; refusals give the word of the rule.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid",
            Self::NotFound(_) => "not_found",
            Self::NotReady(_) => "not_ready",
            Self::Rejected(code) => code.as_str(),
            Self::Busy => "busy",
            Self::Unavailable(_) => "unavailable",
            Self::Internal(_) => "internal",
        }
    }

    /// The HTTP status.
    #[must_use]
    pub const fn http_status(&self) -> StatusCode {
        match self {
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::NotReady(_) | Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Rejected(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Busy => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The gRPC status code.
    #[must_use]
    pub const fn grpc_code(&self) -> tonic::Code {
        match self {
            Self::Invalid(_) => tonic::Code::InvalidArgument,
            Self::NotFound(_) => tonic::Code::NotFound,
            Self::NotReady(_) | Self::Unavailable(_) => tonic::Code::Unavailable,
            Self::Rejected(_) => tonic::Code::FailedPrecondition,
            Self::Busy => tonic::Code::ResourceExhausted,
            Self::Internal(_) => tonic::Code::Internal,
        }
    }

    /// What the caller can do about it; empty when there is nothing general to say.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Invalid(_) | Self::NotFound(_) | Self::Internal(_) => "",
            Self::NotReady(_) => "GET /readyz says what is missing",
            Self::Rejected(code) => rejection_hint(*code),
            Self::Busy => "try again in a second",
            Self::Unavailable(_) => "GET /v1/status shows the workers",
        }
    }

    /// The text for the caller: at most [`TEXT_BYTES_MAX`](crate::limits::TEXT_BYTES_MAX) bytes, one line.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::Internal(_) => INTERNAL_TEXT.to_owned(),
            other => one_line(&other.to_string()),
        }
    }
}

const fn rejection_hint(code: Code) -> &'static str {
    match code {
        Code::TxNetwork => "the bundle was made for another network or version",
        Code::TxExpired => "build the transaction again",
        Code::FeeLow => "raise the fee",
        Code::TxReplayed => "it was executed already: GET /v1/tx/{id}",
        Code::InputUnknown | Code::InputSpent => "scan the wallet again",
        Code::TxMalformed
        | Code::InputDuplicate
        | Code::OutputKeyReused
        | Code::MintUnauthorised
        | Code::SumUnbalanced
        | Code::MintAmountMismatch
        | Code::InputSignature
        | Code::OutputRange => "the program that built the bundle is wrong",
    }
}

/// `text` without control characters and no longer than a message may be: it ends up in headers and on terminals.
pub(crate) fn one_line(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if out.len() + c.len_utf8() > crate::limits::TEXT_BYTES_MAX {
            break;
        }
        out.push(if c.is_control() { ' ' } else { c });
    }
    out
}

impl From<WireError> for ApiError {
    fn from(error: WireError) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl ApiError {
    /// Writes what callers are not told into the log; called once, where the error becomes an answer.
    pub(crate) fn logged(self) -> Self {
        if let Self::Internal(detail) = &self {
            tracing::error!(detail, "a call to the API failed");
        }
        self
    }
}

impl From<ApiError> for Status {
    fn from(error: ApiError) -> Self {
        let mut status = Self::new(error.grpc_code(), error.message());
        status
            .metadata_mut()
            .insert(CODE_KEY, MetadataValue::from_static(error.code()));
        status
    }
}
