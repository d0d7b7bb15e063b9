//! C5: leaders.

use quil_hotstuff::{Leaders, genesis_leader_seed, leader_seed, permutation};
use quil_types::{Beacon, Chain, Digest, GenesisHash, MemberIndex, Rank, ShardAddr};

#[test]
fn every_block_is_a_permutation_and_blocks_differ() {
    for n in [1u16, 2, 3, 7, 64] {
        let mut seen = Vec::new();
        for block in 0..8 {
            let order = permutation(Digest([4; 32]), block, n);
            let mut sorted = order.clone();
            sorted.sort();
            assert_eq!(sorted, (0..n).map(MemberIndex).collect::<Vec<_>>());
            seen.push(order);
        }
        seen.dedup();
        assert!(n < 7 || seen.len() == 8);
    }
}

#[test]
fn ranks_walk_through_the_blocks() {
    let mut leaders = Leaders::new(Digest([4; 32]), 5);
    assert_eq!(leaders.leader(Rank::ZERO), None, "nobody leads the root");
    for rank in (1..40u64).rev() {
        let order = permutation(Digest([4; 32]), (rank - 1) / 5, 5);
        let expected = order[usize::try_from((rank - 1) % 5).unwrap()];
        assert_eq!(leaders.leader(Rank::new(rank)), Some(expected));
    }
    assert_eq!(Leaders::new(Digest([4; 32]), 0).leader(Rank::new(1)), None);
}

#[test]
fn seeds_depend_on_network_chain_and_beacon() {
    let shard = Chain::Shard(ShardAddr([1; 32]));
    let seeds = [
        genesis_leader_seed(GenesisHash([0; 32]), Chain::Global),
        genesis_leader_seed(GenesisHash([1; 32]), Chain::Global),
        genesis_leader_seed(GenesisHash([1; 32]), shard),
        leader_seed(Beacon([0; 32]), shard),
        leader_seed(Beacon([2; 32]), Chain::Global),
    ];
    for (i, a) in seeds.iter().enumerate() {
        assert!(seeds[i + 1..].iter().all(|b| a != b));
    }
}

#[test]
fn known_answers() {
    let text = include_str!("../vectors/leaders.json");
    // One object per line between the header and the end: {"seed": .., "block": .., "n": .., "order": [..]}.
    let mut rows = 0;
    for line in text.lines().filter(|l| l.contains("\"order\"")) {
        let numbers = |key: &str| -> Vec<u64> {
            let (_, rest) = line.split_once(&format!("\"{key}\":")).unwrap();
            let (value, _) = rest.split_once([']', '}']).unwrap();
            let digits = value.replace(|c: char| !c.is_ascii_digit(), " ");
            digits
                .split_whitespace()
                .map(|d| d.parse().unwrap())
                .collect()
        };
        let (seed, block, n) = (numbers("seed")[0], numbers("block")[0], numbers("n")[0]);
        let order = permutation(
            Digest([u8::try_from(seed).unwrap(); 32]),
            block,
            u16::try_from(n).unwrap(),
        );
        let order: Vec<u64> = order.into_iter().map(|m| u64::from(m.0)).collect();
        assert_eq!(order, numbers("order"), "{line}");
        rows += 1;
    }
    assert_eq!(rows, 6);
}
