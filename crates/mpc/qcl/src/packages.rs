//! The standard packages, written in the language and part of the binary.

/// Import paths and sources.
const PACKAGES: &[(&str, &str)] = &[
    ("bytes", include_str!("../packages/bytes.qcl")),
    ("crypto/aes", include_str!("../packages/crypto/aes.qcl")),
    (
        "crypto/curve25519",
        include_str!("../packages/crypto/curve25519.qcl"),
    ),
    (
        "crypto/ed25519",
        include_str!("../packages/crypto/ed25519.qcl"),
    ),
    ("crypto/hmac", include_str!("../packages/crypto/hmac.qcl")),
    (
        "crypto/internal/field",
        include_str!("../packages/crypto/internal/field.qcl"),
    ),
    ("crypto/sha1", include_str!("../packages/crypto/sha1.qcl")),
    (
        "crypto/sha256",
        include_str!("../packages/crypto/sha256.qcl"),
    ),
    (
        "crypto/sha512",
        include_str!("../packages/crypto/sha512.qcl"),
    ),
    (
        "encoding/binary",
        include_str!("../packages/encoding/binary.qcl"),
    ),
    ("encoding/hex", include_str!("../packages/encoding/hex.qcl")),
    ("math", include_str!("../packages/math.qcl")),
    ("math/bits", include_str!("../packages/math/bits.qcl")),
    ("sort", include_str!("../packages/sort.qcl")),
];

/// Files of a package.
pub(crate) fn find(path: &str) -> Option<Vec<(String, String)>> {
    let (_, text) = PACKAGES.iter().find(|(name, _)| *name == path)?;
    Some(vec![(format!("{path}.qcl"), (*text).to_owned())])
}

/// Import paths of the standard packages, sorted.
#[must_use]
pub fn standard_packages() -> Vec<&'static str> {
    let mut list: Vec<&str> = PACKAGES.iter().map(|(name, _)| *name).collect();
    list.sort_unstable();
    list
}
