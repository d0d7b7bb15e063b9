//! One HTTP/1.1 `GET`.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::{ClientError, Timeouts, root_cause};
use crate::error::one_line;
use crate::limits::REST_ANSWER_BYTES_MAX;

/// Head of an answer, bytes; also how much is read at once.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Header lines of an answer.
const HEADERS_MAX: usize = 64;
/// Body of an answer that is an error, bytes.
const ERROR_BYTES_MAX: usize = 16 * 1024;

/// Ends the connection's task with the call, also when the call is dropped.
struct Driver(JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[derive(Deserialize)]
struct ErrorDocument {
    code: String,
    message: String,
}

pub(super) async fn get(
    addr: SocketAddr,
    path: &str,
    timeouts: Timeouts,
) -> Result<Vec<u8>, ClientError> {
    let request = request(addr, path)?;
    let stream = tokio::time::timeout(timeouts.connect, TcpStream::connect(addr))
        .await
        .map_err(|_| ClientError::Timeout)?
        .map_err(|e| ClientError::Unreachable(e.to_string()))?;
    tokio::time::timeout(timeouts.call, exchange(stream, request))
        .await
        .map_err(|_| ClientError::Timeout)?
}

fn request(addr: SocketAddr, path: &str) -> Result<Request<Empty<Bytes>>, ClientError> {
    let invalid = || ClientError::Api {
        code: "invalid".to_owned(),
        message: "not a path".to_owned(),
    };
    if !path.starts_with('/') {
        return Err(invalid());
    }
    Request::get(path)
        .header(header::HOST, addr.to_string())
        .header(header::CONNECTION, "close")
        .body(Empty::new())
        .map_err(|_| invalid())
}

async fn exchange(
    stream: TcpStream,
    request: Request<Empty<Bytes>>,
) -> Result<Vec<u8>, ClientError> {
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|e| broken(&e))?;
    let _driver = Driver(tokio::spawn(async move {
        // What ends the connection early also ends the request or the body, with the same error.
        let _ = connection.await;
    }));
    let answer = sender.send_request(request).await.map_err(|e| broken(&e))?;
    if answer.status() == StatusCode::OK {
        return body(answer, REST_ANSWER_BYTES_MAX).await;
    }
    let status = answer.status();
    let document = body(answer, ERROR_BYTES_MAX).await.unwrap_or_default();
    Err(refusal(status, &document))
}

async fn body(answer: Response<Incoming>, max: usize) -> Result<Vec<u8>, ClientError> {
    let limited = Limited::new(answer.into_body(), max).collect().await;
    limited.map(|b| b.to_bytes().into()).map_err(|e| {
        if e.is::<LengthLimitError>() {
            return ClientError::Malformed(format!("more than {max} bytes"));
        }
        ClientError::Malformed(root_cause(&*e))
    })
}

fn refusal(status: StatusCode, document: &[u8]) -> ClientError {
    match serde_json::from_slice::<ErrorDocument>(document) {
        Ok(e) => ClientError::Api {
            code: one_line(&e.code),
            message: one_line(&e.message),
        },
        Err(_) => ClientError::Api {
            code: format!("http.{}", status.as_u16()),
            message: one_line(&status.to_string()),
        },
    }
}

fn broken(error: &hyper::Error) -> ClientError {
    if error.is_parse() {
        return ClientError::Malformed(root_cause(error));
    }
    ClientError::Unreachable(root_cause(error))
}
