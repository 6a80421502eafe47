//! Free ports on loopback.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, Result};
use rand::Rng;

/// Below the kernel's ephemeral range (from 32768): a port inside it may be some client's when a node restarts.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// So many random ports are tried for each one wanted.
const TRIES: usize = 200;

/// `N` different ports on 127.0.0.1 that nobody listens on. All are held until all are found, then released, so that
/// they differ.
pub(super) fn free<const N: usize>() -> Result<[u16; N]> {
    let mut held = Vec::with_capacity(N);
    for _ in 0..N {
        held.push(hold().context("found no free port between 20000 and 32000 on 127.0.0.1")?);
    }
    Ok(std::array::from_fn(|at| held[at].0))
}

fn hold() -> Option<(u16, TcpListener)> {
    let mut random = rand::rng();
    (0..TRIES).find_map(|_| {
        let port = random.random_range(RANGE);
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok().map(|listener| (port, listener))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_differ_and_are_free() {
        let ports: [u16; 20] = free().unwrap();
        let mut unique = ports.to_vec();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), 20);
        for port in ports {
            assert!(RANGE.contains(&port));
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        }
    }
}
