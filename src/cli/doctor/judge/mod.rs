//! Judging. Pure: facts in, findings out, one file for each thing that is looked at.

mod all;
mod broker;
mod courtesy;
mod database;
mod machine;
mod management;
mod planned;
mod server;
mod settings;

#[cfg(test)]
mod healthy;

pub(super) use all::judge;
