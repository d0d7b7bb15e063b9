use quil_bls48581::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use quil_kzg::{POWERS_BYTES, Srs, SrsError};

use crate::support::order_three;

type Powers = ([G1Affine; 64], [G2Affine; 2]);

fn good() -> Powers {
    let srs = Srs::insecure_from_seed(7);
    (*srs.g1_powers(), *srs.g2_powers())
}

fn powers_of(tau: Fr) -> Powers {
    let mut s = Fr::ONE;
    let g1 = core::array::from_fn(|_| {
        let p = G1Projective::generator().mul_vartime(&s).to_affine();
        s *= tau;
        p
    });
    (
        g1,
        [
            G2Affine::generator(),
            G2Projective::generator().mul(&tau).to_affine(),
        ],
    )
}

fn build((g1, g2): Powers) -> Result<Srs, SrsError> {
    Srs::new(g1, g2)
}

#[test]
fn bytes_round_trip() {
    let srs = build(good()).unwrap();
    let bytes = srs.to_bytes();
    assert_eq!(bytes.len(), POWERS_BYTES);
    assert_eq!(Srs::from_bytes(&bytes), Ok(srs));
    assert_eq!(
        Srs::from_bytes(&bytes[1..]),
        Err(SrsError::Length(POWERS_BYTES - 1))
    );
}

#[test]
fn every_single_wrong_power_is_rejected() {
    let p = good();
    for i in [1, 2, 31, 62, 63] {
        let mut bad = p;
        bad.0[i] = G1Projective::from_affine(&bad.0[i]).double().to_affine();
        assert_eq!(build(bad).err(), Some(SrsError::Powers), "power {i}");
    }
    let mut bad = p;
    bad.0.swap(5, 6);
    assert_eq!(build(bad).err(), Some(SrsError::Powers));
    let mut bad = p;
    bad.1[1] = G2Projective::from_affine(&bad.1[1]).double().to_affine();
    assert_eq!(build(bad).err(), Some(SrsError::Powers));
}

#[test]
fn identity_powers_are_rejected() {
    for i in [0, 1, 63] {
        let mut bad = good();
        bad.0[i] = G1Affine::identity();
        assert_eq!(build(bad).err(), Some(SrsError::Identity(i)));
    }
    let mut bad = good();
    bad.1[1] = G2Affine::identity();
    assert_eq!(build(bad).err(), Some(SrsError::Identity(1)));
    let mut zero = good();
    zero.0[1..].fill(G1Affine::identity());
    zero.1[1] = G2Affine::identity();
    assert_eq!(build(zero).err(), Some(SrsError::Identity(1)), "tau = 0");
}

#[test]
fn other_generators_are_rejected() {
    let (g1, g2) = good();
    let doubled = core::array::from_fn(|i| G1Projective::from_affine(&g1[i]).double().to_affine());
    assert_eq!(build((doubled, g2)).err(), Some(SrsError::Generator));
    let doubled = core::array::from_fn(|i| G2Projective::from_affine(&g2[i]).double().to_affine());
    assert_eq!(build((g1, doubled)).err(), Some(SrsError::Generator));
}

#[test]
fn tau_on_the_domain_is_rejected() {
    let omega = Fr::root_of_unity(6).unwrap();
    for tau in [Fr::ONE, -Fr::ONE, omega, omega * omega * omega] {
        assert_eq!(build(powers_of(tau)).err(), Some(SrsError::TauOnDomain));
    }
    assert!(build(powers_of(omega + Fr::ONE)).is_ok());
}

#[test]
fn powers_outside_the_subgroup_are_rejected() {
    let mut bad = good();
    bad.0[9] = G1Projective::from_affine(&bad.0[9])
        .add_mixed(&order_three())
        .to_affine();
    assert_eq!(build(bad).err(), Some(SrsError::G1Point(9)));
}

#[test]
fn non_canonical_points_are_rejected_with_their_position() {
    let bytes = build(good()).unwrap().to_bytes();
    for (at, want) in [
        (0, SrsError::G1Point(0)),
        (74 * 63, SrsError::G1Point(63)),
        (74 * 64, SrsError::G2Point(0)),
        (74 * 64 + 585, SrsError::G2Point(1)),
    ] {
        let mut bad = bytes.clone();
        bad[at] = 0x55;
        assert_eq!(Srs::from_bytes(&bad), Err(want));
    }
}

#[test]
fn lagrange_points_interpolate() {
    let srs = build(good()).unwrap();
    let l = srs.lagrange();
    let omega = Fr::root_of_unity(6).unwrap();
    // sum L_i = 1, sum omega^i L_i = tau, sum omega^(2i) L_i = tau^2
    for k in 0..3u64 {
        let mut sum = G1Projective::identity();
        let step = (0..k).fold(Fr::ONE, |a, _| a * omega);
        let mut s = Fr::ONE;
        for p in &l {
            sum = sum.add(&p.mul_vartime(&s));
            s *= step;
        }
        assert_eq!(
            sum.to_affine(),
            srs.g1_powers()[usize::try_from(k).unwrap()]
        );
    }
}
