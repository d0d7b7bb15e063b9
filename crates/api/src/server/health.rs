//! The standard health service. It serves exactly while the node is ready.

use std::pin::Pin;
use std::sync::Arc;

use futures::{Stream, stream};
use tokio::sync::watch;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::Health;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use crate::Backend;
use crate::limits::WATCH_INTERVAL;

/// Services that have a health: the server as a whole, and this one.
const SERVICES: [&str; 2] = ["", "quil.v1.Node"];

pub(super) struct HealthService {
    backend: Arc<dyn Backend>,
    stopped: watch::Receiver<bool>,
}

impl HealthService {
    pub(super) fn new(backend: Arc<dyn Backend>, stopped: watch::Receiver<bool>) -> Self {
        Self { backend, stopped }
    }
}

fn serving(backend: &dyn Backend, stopped: &watch::Receiver<bool>) -> ServingStatus {
    if !*stopped.borrow() && backend.readiness().ready {
        return ServingStatus::Serving;
    }
    ServingStatus::NotServing
}

fn known(service: &str) -> bool {
    SERVICES.contains(&service)
}

const fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse {
        status: status as i32,
    }
}

/// What a watch remembers between two answers.
struct Watch {
    backend: Arc<dyn Backend>,
    stopped: watch::Receiver<bool>,
    known: bool,
    told: Option<ServingStatus>,
}

impl Watch {
    fn status(&self) -> ServingStatus {
        if !self.known {
            return ServingStatus::ServiceUnknown;
        }
        serving(self.backend.as_ref(), &self.stopped)
    }

    /// The next status that differs from the one told last. The stop is told, too, and then ends the stream.
    async fn next(mut self) -> Option<(Result<HealthCheckResponse, Status>, Self)> {
        loop {
            let status = self.status();
            if self.told != Some(status) {
                self.told = Some(status);
                return Some((Ok(response(status)), self));
            }
            if *self.stopped.borrow() {
                return None;
            }
            let stop = self.stopped.wait_for(|s| *s);
            // Either way there is something to look at.
            let _ = tokio::time::timeout(WATCH_INTERVAL, stop).await;
        }
    }
}

#[tonic::async_trait]
impl Health for HealthService {
    type WatchStream =
        Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send + 'static>>;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        if !known(&request.get_ref().service) {
            return Err(Status::not_found("no such service"));
        }
        let status = serving(self.backend.as_ref(), &self.stopped);
        Ok(Response::new(response(status)))
    }

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let watch = Watch {
            backend: Arc::clone(&self.backend),
            stopped: self.stopped.clone(),
            known: known(&request.get_ref().service),
            told: None,
        };
        Ok(Response::new(Box::pin(stream::unfold(watch, Watch::next))))
    }
}
