//! The standard packages, written in the language and part of the binary.

/// Import paths and sources.
const PACKAGES: &[(&str, &str)] = &[];

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
