//! `quil devnet load` on a network of real processes.

use super::devnet::{Net, SMALL};

#[test]
fn load_reports_what_became_final() {
    let net = Net::new();
    let none = net.failure("load", &["--count", "20"]);
    assert_eq!(none, (7, "devnet.missing".to_owned()));
    net.document("up", &SMALL);
    let many = net.document("load", &["--count", "20", "--senders", "3"]);
    assert_eq!(many["schema"], "quil.load/1");
    assert_eq!(
        (&many["mode"], &many["transfers"]),
        (&"throughput".into(), &20.into())
    );
    let used = many["frames_used"].as_u64().unwrap();
    assert!((1..=20).contains(&used), "{many}");
    assert!(many["final_per_second"].as_f64().unwrap() > 0.0, "{many}");
    for name in ["final_ms_median", "shard_frame_ms_mean", "transfer_bytes"] {
        assert!(many[name].as_u64().is_some_and(|n| n > 0), "{name}: {many}");
    }

    let single = net.document("load", &["--latency", "2"]);
    assert_eq!(
        (&single["mode"], &single["transfers"]),
        (&"latency".into(), &2.into())
    );
    let at = |name: &str| single[name].as_u64().unwrap();
    assert!(at("final_ms_median") <= at("settled_ms_median"), "{single}");

    assert_eq!(
        net.failure("load", &["--count", "0"]),
        (2, "load.usage".to_owned())
    );
    net.document("down", &[]);
    assert_eq!(
        net.failure("load", &["--count", "1"]),
        (3, "load.stopped".to_owned())
    );
}
