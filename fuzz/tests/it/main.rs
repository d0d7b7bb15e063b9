//! Every target, for a fixed number of bent inputs; and that the driver sees what it should see.

mod driver;

use quil_fuzz::{ALL, Campaign, Kind};

const SEED: u64 = 20;

fn run(prefix: &str) {
    let chosen: Vec<_> = ALL.iter().filter(|t| t.name.starts_with(prefix)).collect();
    assert!(!chosen.is_empty(), "{prefix}");
    for target in chosen {
        let mut campaign = Campaign::new(*target, SEED);
        (0..target.iterations).for_each(|_| campaign.step());
        let seen = campaign.report();
        assert_eq!(seen.tried, u64::from(target.iterations));
        let name = target.name;
        // Bending that changes nothing would test nothing.
        if target.kind == Kind::Verifier {
            assert!(seen.refused > seen.tried / 2, "{name}: {seen:?}");
        }
    }
}

macro_rules! groups {
    ($($test:ident: $prefix:literal;)*) => {
        $(#[test]
        fn $test() {
            run($prefix);
        })*

        const PREFIXES: &[&str] = &[$($prefix),*];
    };
}

groups! {
    bls48581_holds: "bls.";
    kzg_holds: "kzg.";
    classgroup_holds: "classgroup.";
    vdf_holds: "vdf.";
    decaf_holds: "decaf.";
    bulletproofs_holds: "bulletproofs.";
    trie_holds: "trie.";
    verenc_holds: "verenc.";
    wire_holds: "wire.";
    qcl_holds: "qcl.";
    garble_holds: "garble.";
}

#[test]
fn every_target_has_a_name_of_its_own_and_a_group() {
    for (i, target) in ALL.iter().enumerate() {
        let groups = PREFIXES.iter().filter(|p| target.name.starts_with(**p));
        assert_eq!(groups.count(), 1, "{}", target.name);
        assert!(ALL[i + 1..].iter().all(|t| t.name != target.name));
        assert!(target.iterations > 0);
    }
}
