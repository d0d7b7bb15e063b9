//! Planted defects are found.

use std::panic::catch_unwind;

use quil_fuzz::{Campaign, Kind, Target, Verdict, find};

fn corpus() -> Vec<Vec<u8>> {
    vec![b"\x04\0\0\0abcd".to_vec(), b"\x02\0\0\0ab".to_vec()]
}

/// u32 length || bytes.
fn parse(input: &[u8]) -> Option<&[u8]> {
    let (length, rest) = input.split_first_chunk()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    (rest.len() == length).then_some(rest)
}

fn target(kind: Kind, run: fn(&[u8]) -> Verdict) -> Target {
    Target {
        name: "test.planted",
        kind,
        corpus,
        run,
        iterations: 0,
        memory: 1 << 16,
    }
}

/// The failure of a campaign of some thousand inputs, if it fails.
fn failure(target: Target) -> Option<String> {
    let run = move || {
        let mut campaign = Campaign::new(target, 1);
        (0..5000).for_each(|_| campaign.step());
    };
    let payload = catch_unwind(run).err()?;
    payload.downcast::<String>().ok().map(|text| *text)
}

#[test]
fn sound_decoder_passes() {
    let sound = |input: &[u8]| Verdict::when(parse(input).is_some());
    assert_eq!(failure(target(Kind::Decoder, sound)), None);
}

#[test]
fn panic_is_found_and_its_input_shown() {
    let found = failure(target(Kind::Decoder, |input| {
        let length = usize::from(input.first().copied().unwrap_or(0));
        assert!(4 + length <= input.len() + 200, "reads past the end");
        Verdict::when(parse(input).is_some())
    }));
    let text = found.expect("a panic");
    assert!(text.contains("test.planted, seed 1, input"), "{text}");
    assert!(text.contains("reads past the end"), "{text}");
    let hex = text.rsplit(": ").next().expect("hex");
    assert!(hex::decode(hex).is_ok(), "{hex}");
}

#[test]
fn allocation_from_a_claimed_length_is_found() {
    let found = failure(target(Kind::Decoder, |input| {
        if let Some(length) = input.first_chunk() {
            let claimed = u32::from_le_bytes(*length).min(1 << 30);
            let room = Vec::<u8>::with_capacity(claimed as usize);
            std::hint::black_box(&room);
        }
        Verdict::when(parse(input).is_some())
    }));
    assert!(found.expect("too much memory").contains("bytes held"));
}

#[test]
fn forgery_is_found() {
    let found = failure(target(Kind::Verifier, |input| {
        // Ignores the last byte.
        Verdict::when(parse(input).is_some())
    }));
    assert!(found.expect("a forgery").contains("forgery accepted"));
}

#[test]
fn refused_corpus_is_found() {
    let refuses = target(Kind::Decoder, |_| Verdict::Refused);
    assert!(catch_unwind(|| Campaign::new(refuses, 1)).is_err());
}

#[test]
fn same_seed_same_report() {
    let target = find("wire.receipt").expect("a target");
    let run = |seed| {
        let mut campaign = Campaign::new(*target, seed);
        (0..300).for_each(|_| campaign.step());
        campaign.report()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1).refused, run(2).refused);
}
