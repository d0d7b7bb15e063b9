use bytes::Bytes;
use quil_p2p::{HostEvent, HostEvents, HostHandle, RequestError, RespondError, limits};

use crate::nodes::{Via, config, connected, eventually, key, spawn, until, within};

/// Two connected hosts; the second dialled.
async fn pair(via: Via) -> ((HostHandle, HostEvents), (HostHandle, HostEvents)) {
    let mut a = spawn(config(1, via, &[])).await;
    let mut b = spawn(config(2, via, &a.0.listen_addrs().await.unwrap())).await;
    connected(&mut a.1, key(2)).await;
    connected(&mut b.1, key(1)).await;
    (a, b)
}

fn answer(
    handle: HostHandle,
    mut events: HostEvents,
    with: impl Fn(Bytes) -> Bytes + Send + 'static,
) {
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            if let HostEvent::Request { data, reply, .. } = event {
                let _late = handle.respond(reply, with(data)).await;
            }
        }
    });
}

async fn round_trip(via: Via) {
    let ((a, a_events), (b, b_events)) = pair(via).await;
    answer(a.clone(), a_events, |d| [b"a: ", &d[..]].concat().into());
    answer(b.clone(), b_events, |d| [b"b: ", &d[..]].concat().into());
    assert_eq!(
        within("response", b.request(key(1), "hi".into()))
            .await
            .unwrap(),
        "a: hi"
    );
    assert_eq!(
        within("response", a.request(key(2), "ho".into()))
            .await
            .unwrap(),
        "b: ho"
    );
}

#[tokio::test]
async fn request_gets_its_response_over_tcp() {
    round_trip(Via::Tcp).await;
}

#[tokio::test]
async fn request_gets_its_response_over_quic() {
    round_trip(Via::Quic).await;
}

#[tokio::test]
async fn largest_sizes_pass_larger_are_refused() {
    let ((a, mut a_events), (b, _b_events)) = pair(Via::Tcp).await;
    let over = limits::REQUEST_BYTES_MAX + 1;
    assert_eq!(
        b.request(key(1), vec![0; over].into()).await,
        Err(RequestError::Size(over))
    );
    assert_eq!(
        b.request(key(1), Bytes::new()).await,
        Err(RequestError::Size(0))
    );
    let asked = tokio::spawn(async move {
        b.request(key(1), vec![7; limits::REQUEST_BYTES_MAX].into())
            .await
    });
    let (data, reply) = until("request", &mut a_events, |e| match e {
        HostEvent::Request { data, reply, peer } => {
            assert_eq!(peer, key(2));
            Some((data, reply))
        }
        _ => None,
    })
    .await;
    assert_eq!(data.len(), limits::REQUEST_BYTES_MAX);
    let response = Bytes::from(vec![8; limits::RESPONSE_BYTES_MAX]);
    a.respond(reply, response.clone()).await.unwrap();
    assert_eq!(within("response", asked).await.unwrap().unwrap(), response);
}

#[tokio::test]
async fn oversized_response_is_not_sent_and_the_request_refused() {
    let ((a, mut a_events), (b, _b_events)) = pair(Via::Tcp).await;
    let asked = tokio::spawn(async move { b.request(key(1), "x".into()).await });
    let reply = until("request", &mut a_events, |e| {
        if let HostEvent::Request { reply, .. } = e {
            Some(reply)
        } else {
            None
        }
    })
    .await;
    let over = limits::RESPONSE_BYTES_MAX + 1;
    assert_eq!(
        a.respond(reply, vec![0; over].into()).await,
        Err(RespondError::Size(over))
    );
    assert_eq!(
        within("refusal", asked).await.unwrap(),
        Err(RequestError::Refused)
    );
}

#[tokio::test]
async fn dropped_reply_refuses_at_once() {
    let ((_a, a_events), (b, _b_events)) = pair(Via::Tcp).await;
    tokio::spawn(async move {
        let mut events = a_events;
        while events.next().await.is_some() {}
    });
    assert_eq!(
        within("refusal", b.request(key(1), "x".into())).await,
        Err(RequestError::Refused)
    );
}

#[tokio::test]
async fn unknown_peer_and_lost_connection_are_told() {
    let ((a, mut a_events), (b, _b_events)) = pair(Via::Tcp).await;
    assert_eq!(
        b.request(key(9), "x".into()).await,
        Err(RequestError::NotConnected)
    );
    let asked = tokio::spawn({
        let b = b.clone();
        async move { b.request(key(1), "x".into()).await }
    });
    let _reply = until("request", &mut a_events, |e| {
        if let HostEvent::Request { reply, .. } = e {
            Some(reply)
        } else {
            None
        }
    })
    .await;
    a.shutdown().await;
    let error = within("failure", asked).await.unwrap().unwrap_err();
    assert!(
        matches!(error, RequestError::Disconnected | RequestError::Refused),
        "{error}"
    );
    within("end of events", async {
        while a_events.next().await.is_some() {}
    })
    .await;
    assert!(matches!(
        a.request(key(2), "x".into()).await,
        Err(RequestError::Ended(_))
    ));
}

#[tokio::test]
async fn requests_beyond_the_rate_are_refused_and_cost_score() {
    let ((a, a_events), (b, _b_events)) = pair(Via::Quic).await;
    answer(a.clone(), a_events, |d| d);
    let mut refused = 0;
    for _ in 0..limits::REQUEST_BURST * 4 {
        if within("answer", b.request(key(1), "x".into()))
            .await
            .is_err()
        {
            refused += 1;
        }
    }
    let stats = a.stats().await.unwrap();
    assert!(
        refused > 0 && stats.requests_refused == refused,
        "{refused} of {stats:?}"
    );
    let score = a.peers().await.unwrap()[0].score;
    assert!(score < 0, "{score}");
}

#[tokio::test]
async fn too_many_open_requests_to_one_peer_are_busy() {
    let ((_a, mut a_events), (b, _b_events)) = pair(Via::Tcp).await;
    let mut open = Vec::new();
    for _ in 0..limits::PEER_OUTBOUND_REQUESTS_MAX {
        let b = b.clone();
        open.push(tokio::spawn(
            async move { b.request(key(1), "x".into()).await },
        ));
    }
    let mut replies = Vec::new();
    while replies.len() < limits::PEER_OUTBOUND_REQUESTS_MAX {
        replies.push(
            until("request", &mut a_events, |e| {
                if let HostEvent::Request { reply, .. } = e {
                    Some(reply)
                } else {
                    None
                }
            })
            .await,
        );
    }
    assert_eq!(b.request(key(1), "x".into()).await, Err(RequestError::Busy));
    // An asker that stops waiting makes room.
    let first = open.remove(0);
    first.abort();
    assert!(first.await.is_err());
    let asked = tokio::spawn({
        let b = b.clone();
        async move { b.request(key(1), "y".into()).await }
    });
    until("request", &mut a_events, |e| {
        matches!(e, HostEvent::Request { data, .. } if data == "y").then_some(())
    })
    .await;
    asked.abort();
    eventually("b alive", || async { b.peers().await.is_ok() }).await;
}
