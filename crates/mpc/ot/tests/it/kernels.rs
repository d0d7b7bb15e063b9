//! Every form of every kernel against independent code and against each other.

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use proptest::prelude::*;
use quil_ot::block::Block;
use quil_ot::kernel::{AesKey, HashKeys, Isa};

fn aes_model(key: Block, block: Block) -> Block {
    let mut bytes = block.to_bytes().into();
    Aes128::new(&key.to_bytes().into()).encrypt_block(&mut bytes);
    Block::from_bytes(bytes.into())
}

fn hash_model(seed: Block, tweak: u64, x: Block) -> Block {
    aes_model(seed ^ Block::new(u128::from(tweak)), x.sigma()) ^ x.sigma()
}

/// Schoolbook product in GF(2^128), bit by bit.
fn product_model(a: Block, b: Block) -> Block {
    let (mut a, b, mut out) = (a.value(), b.value(), 0_u128);
    for i in 0..128 {
        if (b >> i) & 1 == 1 {
            out ^= a;
        }
        let carry = a >> 127;
        a = (a << 1) ^ (carry * 0x87);
    }
    Block::new(out)
}

fn block(hex: &str) -> Block {
    let mut bytes = [0_u8; 16];
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap();
    }
    Block::from_bytes(bytes)
}

fn blocks(max: usize) -> impl Strategy<Value = Vec<Block>> {
    proptest::collection::vec(any::<u128>().prop_map(Block::new), 0..max)
}

#[test]
fn fips197_known_answer() {
    let key = block("000102030405060708090a0b0c0d0e0f");
    for isa in Isa::of_machine() {
        let mut state = [block("00112233445566778899aabbccddeeff")];
        isa.encrypt(&AesKey::new(isa, key), &mut state);
        assert_eq!(
            state[0].to_bytes(),
            block("69c4e0d86a7b0430d8cdb78070b4c55a").to_bytes(),
            "{isa:?}"
        );
    }
}

#[test]
fn forms_of_this_machine_are_listed_slowest_first() {
    let forms = Isa::of_machine();
    println!("forms: {forms:?}");
    assert_eq!(forms[0], Isa::PORTABLE);
    assert_eq!(Isa::available().last(), Some(&Isa::best()));
}

#[test]
fn sigma_keeps_high_half_and_mixes_low() {
    let x = Block::new((0x1111 << 64) | 0x2222);
    assert_eq!(x.sigma().value(), (0x3333 << 64) | 0x1111);
    // An orthomorphism: x -> sigma(x) ^ x is a permutation too, with the inverse hi = low part, lo = hi ^ lo.
    let y = x.sigma() ^ x;
    assert_eq!(y.value(), (0x2222 << 64) | 0x3333);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn encryption_equals_the_independent_cipher(key: u128, data in blocks(70)) {
        for isa in Isa::of_machine() {
            let mut out = data.clone();
            isa.encrypt(&AesKey::new(isa, Block::new(key)), &mut out);
            for (x, y) in data.iter().zip(&out) {
                prop_assert!(aes_model(Block::new(key), *x) == *y, "{isa:?}");
            }
        }
    }

    #[test]
    fn hash_equals_the_formula(seed: u128, tweak: u64, data in blocks(70)) {
        for isa in Isa::of_machine() {
            let mut out = data.clone();
            isa.hash(Block::new(seed), tweak, &mut out);
            for (i, (x, y)) in data.iter().zip(&out).enumerate() {
                prop_assert!(hash_model(Block::new(seed), tweak.wrapping_add(i as u64), *x) == *y, "{isa:?} {i}");
            }
        }
    }

    #[test]
    fn double_hash_equals_two_hashes(seed: u128, tweak: u64, offset: u128, data in blocks(70)) {
        let offset = Block::new(offset);
        for isa in Isa::of_machine() {
            let (mut plain, mut shifted) = (data.clone(), vec![Block::ZERO; data.len()]);
            isa.hash_both(Block::new(seed), tweak, offset, &mut plain, &mut shifted);
            for (i, x) in data.iter().enumerate() {
                let tweak = tweak.wrapping_add(i as u64);
                prop_assert!(hash_model(Block::new(seed), tweak, *x) == plain[i], "{isa:?} {i}");
                prop_assert!(hash_model(Block::new(seed), tweak, *x ^ offset) == shifted[i], "{isa:?} {i}");
            }
        }
    }

    #[test]
    fn inner_product_equals_schoolbook(a in blocks(20), b in blocks(20)) {
        let model = a.iter().zip(&b).fold(Block::ZERO, |sum, (x, y)| sum ^ product_model(*x, *y));
        for isa in Isa::of_machine() {
            prop_assert!(isa.inner_product(&a, &b) == model, "{isa:?}");
        }
    }

    #[test]
    fn transposition_moves_every_bit(seed: u128) {
        let key = AesKey::new(Isa::PORTABLE, Block::new(seed));
        let mut data = [Block::ZERO; 128];
        Isa::PORTABLE.key_stream(&key, 0, &mut data);
        for isa in Isa::of_machine() {
            let mut out = data;
            isa.transpose(&mut out);
            for i in 0..128 {
                for j in 0..128 {
                    prop_assert_eq!((data[i].value() >> j) & 1, (out[j].value() >> i) & 1);
                }
            }
        }
    }
}

/// Half-gates from the model hash, one gate.
fn garble_model(seed: Block, tweak: u64, offset: Block, [a, b]: [Block; 2]) -> ([Block; 2], Block) {
    let hash = |x, j| hash_model(seed, tweak + j, x);
    let (pa, pb) = (a.select(), b.select());
    let row_g = hash(a, 0) ^ hash(a ^ offset, 0) ^ (offset & Block::mask(pb));
    let row_e = hash(b, 1) ^ hash(b ^ offset, 1) ^ a;
    let half_g = hash(a, 0) ^ (row_g & Block::mask(pa));
    let half_e = hash(b, 1) ^ ((row_e ^ a) & Block::mask(pb));
    ([row_g, row_e], half_g ^ half_e)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn and_gates_follow_the_model(seed: u128, tweak in 0..u64::MAX >> 1, offset: u128, labels in blocks(81)) {
        let (seed, offset) = (Block::new(seed), Block::new(offset).with_select(true));
        let keys = HashKeys { seed, tweak };
        let inputs = labels.as_chunks::<2>().0;
        let model: Vec<_> = inputs
            .iter()
            .enumerate()
            .map(|(i, pair)| garble_model(seed, tweak + 2 * i as u64, offset, *pair))
            .collect();
        for isa in Isa::of_machine() {
            let mut rows = vec![[[0; 16]; 2]; inputs.len()];
            let mut outs = vec![Block::ZERO; inputs.len()];
            isa.garble_ands(keys, offset, inputs, &mut rows, &mut outs);
            for ((row, out), (model_row, model_out)) in rows.iter().zip(&outs).zip(&model) {
                prop_assert!(row.map(Block::from_bytes) == *model_row && out == model_out);
            }
            for bits in 0..4_u8 {
                let (va, vb) = (bits & 1 == 1, bits & 2 == 2);
                let active: Vec<[Block; 2]> = inputs
                    .iter()
                    .map(|[a, b]| [*a ^ (offset & Block::mask(va)), *b ^ (offset & Block::mask(vb))])
                    .collect();
                let mut labels = vec![Block::ZERO; inputs.len()];
                isa.evaluate_ands(keys, &active, &rows, &mut labels);
                for (label, zero) in labels.iter().zip(&outs) {
                    prop_assert!(*label == *zero ^ (offset & Block::mask(va && vb)));
                }
            }
        }
    }
}

#[test]
fn portable_form_alone_is_listed_when_told() {
    let listed = Isa::available();
    assert!(listed == Isa::of_machine() || listed == [Isa::PORTABLE]);
    assert_eq!(quil_simd::Features::get().aes, listed.len() > 1);
}
