//! Free ports on loopback.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};

use anyhow::{Context, Result};
use rand::Rng;

/// Below the kernel's ephemeral range (from 32768): a port inside it may be some client's when a node restarts.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// So many random ports are tried for each one wanted.
const TRIES: usize = 200;

/// Ports of 127.0.0.1 that nobody listens on, and that no other instance of ours takes while this value lives: a server
/// binds its port only seconds later, and lets go of it when it is restarted. The claim is the UDP port of the same
/// number, which no server of ours uses and which goes with the process.
pub(super) struct Claim<const N: usize> {
    /// The ports, all different.
    pub(super) ports: [u16; N],
    _claims: Vec<UdpSocket>,
}

impl<const N: usize> Claim<N> {
    /// Finds and claims `N` ports.
    pub(super) fn new() -> Result<Self> {
        let mut claims = Vec::with_capacity(N);
        let mut ports = [0; N];
        for port in &mut ports {
            let (number, claim) = claim().context("found no free port between 20000 and 32000 on 127.0.0.1")?;
            *port = number;
            claims.push(claim);
        }
        Ok(Self { ports, _claims: claims })
    }
}

fn claim() -> Option<(u16, UdpSocket)> {
    let mut random = rand::rng();
    (0..TRIES).find_map(|_| {
        let port = random.random_range(RANGE);
        let claim = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
        let _free = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
        Some((port, claim))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_differ_are_free_and_stay_claimed() {
        let claim = Claim::<20>::new().unwrap();
        let mut unique = claim.ports.to_vec();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), 20);
        for port in claim.ports {
            assert!(RANGE.contains(&port));
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
            UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).unwrap_err();
        }
    }
}
