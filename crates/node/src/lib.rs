#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod boot;
pub mod config;
pub mod drive;
pub mod home;
pub mod link;
pub mod persist;
pub mod process;
pub mod protocol;
pub mod supervisor;
pub mod switchboard;

#[cfg(test)]
mod fixture;
