//! Compiles the API description without an installed protobuf compiler.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use prost::Message as _;

const ROOT: &str = "../../proto";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={ROOT}");
    let descriptor = protox::compile(["quil/v1/node.proto"], [ROOT])?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR")?);
    fs::write(out.join("descriptor.bin"), descriptor.encode_to_vec())?;
    let mut config = tonic_prost_build::Config::new();
    config.bytes(["."]).btree_map(["."]);
    tonic_prost_build::configure().compile_fds_with_config(descriptor, config)?;
    Ok(())
}
