#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod boot;
pub mod config;
pub mod desk;
pub mod drive;
pub mod home;
pub mod link;
pub mod master;
pub mod persist;
pub mod process;
pub mod protocol;
pub mod recent;
pub mod seats;
pub mod service;
pub mod spawner;
pub mod supervisor;
pub mod switchboard;
pub mod threads;
pub mod ticket;
pub mod worker;

#[cfg(test)]
mod fixture;
