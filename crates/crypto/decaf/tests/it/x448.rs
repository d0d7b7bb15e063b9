use quil_decaf::x448::{SmallOrderError, X448Secret, x448};
use serde_json::Value;

use crate::support::{bytes, items, rng};

fn arr(s: &str) -> [u8; 56] {
    hex::decode(s).expect("hex").try_into().expect("56 bytes")
}

#[test]
fn recorded_agreements_match() {
    let v: Value = serde_json::from_str(include_str!("../vectors/x448.json")).expect("json");
    for a in items(&v["agreements"]) {
        let (x, y) = (
            X448Secret::new(bytes(&a["secret_a"])),
            X448Secret::new(bytes(&a["secret_b"])),
        );
        assert_eq!(x.public(), bytes(&a["public_a"]));
        assert_eq!(y.public(), bytes(&a["public_b"]));
        assert_eq!(
            *x.agree(&y.public()).expect("shared").expose(),
            bytes(&a["shared"])
        );
        assert_eq!(
            *y.agree(&x.public()).expect("shared").expose(),
            bytes(&a["shared"])
        );
    }
}

#[test]
fn rfc_7748_section_5_2_single_products() {
    let cases = [
        (
            "3d262fddf9ec8e88495266fea19a34d28882acef045104d0d1aae121700a779c984c24f8cdd78fbff44943eba368f54b29259a4f1c600ad3",
            "06fce640fa3487bfda5f6cf2d5263f8aad88334cbd07437f020f08f9814dc031ddbdc38c19c6da2583fa5429db94ada18aa7a7fb4ef8a086",
            "ce3e4ff95a60dc6697da1db1d85e6afbdf79b50a2412d7546d5f239fe14fbaadeb445fc66a01b0779d98223961111e21766282f73dd96b6f",
        ),
        (
            "203d494428b8399352665ddca42f9de8fef600908e0d461cb021f8c538345dd77c3e4806e25f46d3315c44e0a5b4371282dd2c8d5be3095f",
            "0fbcc2f993cd56d3305b0b7d9e55d4c1a8fb5dbb52f8e9a1e9b6201b165d015894e56c4d3570bee52fe205e28a78b91cdfbde71ce8d157db",
            "884a02576239ff7a2f2f63b2db6a9ff37047ac13568e1e30fe63c4a7ad1b3ee3a5700df34321d62077e63633c575c1c954514e99da7c179d",
        ),
    ];
    for (k, u, out) in cases {
        assert_eq!(x448(&arr(k), &arr(u)), arr(out));
    }
}

#[test]
fn rfc_7748_iterations() {
    let mut k = [0; 56];
    k[0] = 5;
    let mut u = k;
    for i in 1..=1000 {
        let r = x448(&k, &u);
        u = k;
        k = r;
        if i == 1 {
            let want = "3f482c8a9f19b01e6c46ee9711d9dc14fd4bf67af30765c2ae2b846a4d23a8cd0db897086239492caf350b51f833868b9bc2b3bca9cf4113";
            assert_eq!(k, arr(want));
        }
    }
    let want = "aa3b4749d55b9daf1e5b00288826c467274ce3ebbdd5c17b975e09d4af6c67cf10d087202db88286e2b79fceea3ec353ef54faa26e219f38";
    assert_eq!(k, arr(want));
}

#[test]
fn small_order_values_refused() {
    let x = X448Secret::random(&mut rng(40));
    let mut one = [0; 56];
    one[0] = 1;
    // 0, 1, p - 1, and p and p + 1 as unreduced forms of 0 and 1
    let mut p = [0xff; 56];
    p[28] = 0xfe;
    let mut minus_one = p;
    minus_one[0] = 0xfe;
    let mut p_plus_one = [0; 56];
    p_plus_one[28..].fill(0xff);
    for u in [[0; 56], one, minus_one, p, p_plus_one] {
        assert_eq!(x.agree(&u).err(), Some(SmallOrderError));
    }
}

#[test]
fn secrets_print_nothing() {
    let x = X448Secret::random(&mut rng(41));
    let s = x
        .agree(&X448Secret::random(&mut rng(42)).public())
        .expect("shared");
    assert_eq!(format!("{x:?} {s:?}"), "X448Secret(..) X448Shared(..)");
}
