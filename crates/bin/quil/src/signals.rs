//! Signals for commands that work on threads of their own.

use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

/// Calls `told` with 1, 2, .. for each SIGINT or SIGTERM while the runtime lives.
///
/// # Errors
/// No thread, or signals cannot be taken.
pub(crate) fn watch(mut told: impl FnMut(u32) + Send + 'static) -> std::io::Result<Runtime> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        )
    };
    runtime.spawn(async move {
        let mut count = 0_u32;
        loop {
            let got = tokio::select! {
                got = interrupt.recv() => got,
                got = terminate.recv() => got,
            };
            if got.is_none() {
                return;
            }
            count = count.saturating_add(1);
            told(count);
        }
    });
    Ok(runtime)
}
