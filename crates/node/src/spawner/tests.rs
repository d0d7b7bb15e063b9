use quil_types::ShardAddr;
use tokio::time::timeout;

use super::*;

fn spawner(script: &str, stop: watch::Receiver<bool>, grace_ms: u64) -> Spawner {
    Spawner {
        seat: Seat::new(1, ShardAddr([1; 32])),
        launch: Launch {
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into(), "sh".into()],
        },
        tickets: Box::new(|| Some("ticket".into())),
        stop,
        grace_ms,
    }
}

async fn reaches(seat: &Seat, what: impl Fn(Standing) -> bool) -> Standing {
    let poll = async {
        loop {
            let standing = seat.standing();
            if what(standing) {
                return standing;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(20), poll).await.unwrap()
}

fn alive(pid: u32) -> bool {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::test_kill_process(pid).is_ok()
}

#[tokio::test]
async fn worker_gets_core_and_ticket_and_is_started_again_after_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let script = format!("echo \"$1 $2 ${TICKET_VARIABLE}\" >>{}", out.display());
    let (stop, watch) = watch::channel(false);
    let spawner = spawner(&script, watch, 1000);
    let seat = spawner.seat.clone();
    let run = tokio::spawn(spawner.run());
    let standing = reaches(&seat, |s| s.restarts >= 1).await;
    assert_eq!(standing.reason, "ended by itself");
    stop.send_replace(true);
    timeout(Duration::from_secs(20), run)
        .await
        .unwrap()
        .unwrap();
    let text = std::fs::read_to_string(out).unwrap();
    assert!(
        text.starts_with("--core 1 ticket\n--core 1 ticket\n"),
        "{text}"
    );
    assert_eq!(seat.standing().state, "stopped");
}

#[tokio::test]
async fn worker_that_does_not_stop_is_killed_after_the_grace_and_reaped() {
    let (stop, watch) = watch::channel(false);
    let spawner = spawner("trap '' TERM; while :; do sleep 1; done", watch, 200);
    let seat = spawner.seat.clone();
    let run = tokio::spawn(spawner.run());
    let pid = reaches(&seat, |s| s.pid.is_some()).await.pid.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(alive(pid));
    stop.send_replace(true);
    timeout(Duration::from_secs(20), run)
        .await
        .unwrap()
        .unwrap();
    assert!(!alive(pid), "reaped");
    assert_eq!(seat.standing().reason, "did not stop in time");
}

#[tokio::test]
async fn dropped_driver_kills_its_worker() {
    let (_stop, watch) = watch::channel(false);
    let spawner = spawner("exec sleep 60", watch, 200);
    let seat = spawner.seat.clone();
    let run = tokio::spawn(spawner.run());
    let pid = reaches(&seat, |s| s.pid.is_some()).await.pid.unwrap();
    run.abort();
    let gone = async {
        while alive(pid) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(20), gone).await.unwrap();
}

#[tokio::test]
async fn program_that_cannot_be_started_is_reported() {
    let (stop, watch) = watch::channel(false);
    let mut spawner = spawner("", watch, 200);
    spawner.launch.program = "/nonexistent/quil".into();
    let seat = spawner.seat.clone();
    let run = tokio::spawn(spawner.run());
    let standing = reaches(&seat, |s| s.state == "backoff").await;
    assert_eq!(
        (standing.reason, standing.pid),
        ("could not be started", None)
    );
    stop.send_replace(true);
    timeout(Duration::from_secs(20), run)
        .await
        .unwrap()
        .unwrap();
}
