//! Between the plain types and the messages of the wire, in both directions. Whatever comes from the wire is checked.

pub(crate) mod from_wire;
pub(crate) mod to_wire;
