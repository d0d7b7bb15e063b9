use super::*;

fn at(ms: u64) -> Millis {
    Millis::new(ms)
}

fn running(now: u64) -> Supervisor {
    let mut s = Supervisor::new(1);
    assert_eq!(
        s.handle(at(now), SupervisorInput::Tick),
        Some(SupervisorOutput::Spawn)
    );
    assert_eq!(s.handle(at(now), SupervisorInput::Spawned), None);
    assert_eq!(s.handle(at(now), SupervisorInput::Heard), None);
    assert_eq!(
        s.state(),
        WorkerState::Running {
            since: at(now),
            heard: at(now)
        }
    );
    s
}

fn crash_and_restart(s: &mut Supervisor, now: Millis) -> Option<u64> {
    assert_eq!(s.handle(now, SupervisorInput::Exited { code: None }), None);
    let WorkerState::Backoff { until } = s.state() else {
        return None;
    };
    assert_eq!(
        s.handle(until, SupervisorInput::Tick),
        Some(SupervisorOutput::Spawn)
    );
    assert_eq!(s.handle(until, SupervisorInput::Spawned), None);
    assert_eq!(s.handle(until, SupervisorInput::Heard), None);
    Some(until.since(now))
}

#[test]
fn delays_double_within_their_spread_and_then_quarantine() {
    let mut s = running(0);
    let mut expected = BACKOFF_FIRST_MS;
    for i in 1..FAILURES_MAX {
        let delay = crash_and_restart(&mut s, at(10_000 * i as u64)).expect("back-off");
        assert!(
            (expected * 8 / 10..=expected * 12 / 10).contains(&delay),
            "{delay} for {expected}"
        );
        expected *= 2;
    }
    assert_eq!(crash_and_restart(&mut s, at(60_000)), None);
    assert_eq!(
        s.state(),
        WorkerState::Quarantined {
            until: at(60_000 + QUARANTINE_MS)
        }
    );
    assert_eq!(s.handle(at(60_001), SupervisorInput::Tick), None);
    assert_eq!(
        s.handle(at(60_000 + QUARANTINE_MS), SupervisorInput::Tick),
        Some(SupervisorOutput::Spawn)
    );
    assert_eq!(s.restarts(), 5);
}

#[test]
fn health_resets_the_delay() {
    let mut s = running(0);
    crash_and_restart(&mut s, at(1_000)).unwrap();
    crash_and_restart(&mut s, at(10_000)).unwrap();
    let delay = crash_and_restart(&mut s, at(20_000 + HEALTHY_MS)).unwrap();
    assert!(delay <= BACKOFF_FIRST_MS * 12 / 10);
}

#[test]
fn silent_worker_is_killed_and_reaped_before_its_successor() {
    let mut s = running(0);
    assert_eq!(s.handle(at(SILENCE_MS - 1), SupervisorInput::Tick), None);
    assert_eq!(
        s.handle(at(SILENCE_MS), SupervisorInput::Tick),
        Some(SupervisorOutput::Kill)
    );
    for t in 0..100_000 {
        assert_eq!(
            s.handle(at(SILENCE_MS + t), SupervisorInput::Tick),
            None,
            "no start before the reaping"
        );
    }
    assert_eq!(
        s.handle(at(SILENCE_MS), SupervisorInput::Exited { code: None }),
        None
    );
    assert_eq!(s.last_reason(), "silent");
    assert!(matches!(s.state(), WorkerState::Backoff { .. }));
}

#[test]
fn missing_hello_is_a_failure() {
    let mut s = Supervisor::new(1);
    assert_eq!(
        s.handle(at(5), SupervisorInput::Tick),
        Some(SupervisorOutput::Spawn)
    );
    assert_eq!(s.handle(at(5), SupervisorInput::Spawned), None);
    assert_eq!(s.next_tick(), Some(at(5 + HELLO_MS)));
    assert_eq!(
        s.handle(at(5 + HELLO_MS), SupervisorInput::Tick),
        Some(SupervisorOutput::Kill)
    );
}

#[test]
fn stop_terminates_then_kills_and_never_restarts() {
    let mut s = running(0);
    assert_eq!(
        s.handle(at(10), SupervisorInput::Stop { grace_ms: 100 }),
        Some(SupervisorOutput::Terminate)
    );
    assert_eq!(s.handle(at(109), SupervisorInput::Tick), None);
    assert_eq!(
        s.handle(at(110), SupervisorInput::Tick),
        Some(SupervisorOutput::Kill)
    );
    assert_eq!(
        s.handle(at(111), SupervisorInput::Exited { code: None }),
        None
    );
    assert_eq!(s.state(), WorkerState::Stopped);
    assert_eq!(s.handle(at(1 << 40), SupervisorInput::Tick), None);

    let mut s = running(0);
    crash_and_restart(&mut s, at(1)).unwrap();
    assert_eq!(
        s.handle(at(9_000), SupervisorInput::Stop { grace_ms: 100 }),
        Some(SupervisorOutput::Terminate)
    );
    assert_eq!(
        s.handle(at(9_050), SupervisorInput::Exited { code: Some(0) }),
        None
    );
    assert_eq!(s.state(), WorkerState::Stopped);
}

#[test]
fn exit_codes_are_told_apart() {
    for (code, reason) in [
        (
            Some(EXIT_SAFETY_LOCKED),
            "safety file locked by another process",
        ),
        (Some(EXIT_CONFIG), "configuration error"),
        (Some(74), "its storage failed"),
        (Some(1), "failed"),
        (None, "killed by a signal"),
    ] {
        let mut s = running(0);
        assert_eq!(s.handle(at(1), SupervisorInput::Exited { code }), None);
        assert_eq!(s.last_reason(), reason);
    }
}
