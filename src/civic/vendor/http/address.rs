//! Which addresses may be asked: public ones only.

use std::{
    error::Error,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// True for an address of the public internet. What is not known to be public is not.
#[must_use]
pub const fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_global_v4(v4),
        IpAddr::V6(v6) => is_global_v6(v6),
    }
}

/// The IANA registry of special-purpose IPv4 addresses, and multicast.
const fn is_global_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        [0 | 10 | 127 | 224..=255, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [192, 168, ..]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    )
}

/// Only `2000::/3` is given out; everything else (loopback, link-local, unique local, v4-mapped, NAT64, multicast)
/// falls out by that. Within it: IETF protocols with Teredo, documentation, 6to4, which carries an IPv4 address.
const fn is_global_v6(address: Ipv6Addr) -> bool {
    let s = address.segments();
    s[0] & 0xe000 == 0x2000
        && !(s[0] == 0x2001 && s[1] < 0x200)
        && !(s[0] == 0x2001 && s[1] == 0xdb8)
        && s[0] != 0x2002
        && !(s[0] == 0x3fff && s[1] < 0x1000)
}

/// A name whose addresses are not all public.
#[derive(Clone, Copy, Debug)]
pub(super) struct NotGlobal;

impl fmt::Display for NotGlobal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name has an address that is not public")
    }
}

impl Error for NotGlobal {}

/// The names of this machine and its network.
#[derive(Clone, Copy, Debug)]
pub(super) struct System;

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Hands on what another resolver finds, if all of it is public. The connection is made to what this returns, so a name
/// that answers differently the second time (rebinding) gains nothing.
#[derive(Clone)]
pub(super) struct PublicOnly(pub(super) Arc<dyn Resolve>);

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.0.resolve(name);
        Box::pin(async move { checked(found.await?.collect()).map_err(Into::into) })
    }
}

/// One address that isn't public refuses them all: no honest site has such a mixture.
fn checked(found: Vec<SocketAddr>) -> Result<Addrs, NotGlobal> {
    if found.iter().all(|address| is_global(address.ip())) { Ok(Box::new(found.into_iter())) } else { Err(NotGlobal) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_public_is_refused() {
        for text in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.1.2.3",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff::1",
        ] {
            assert!(!is_global(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn public_addresses_are_not_refused() {
        for text in
            ["1.1.1.1", "8.8.8.8", "100.63.0.1", "172.32.0.1", "192.0.1.1", "2606:4700::1111", "2001:4860::8888"]
        {
            assert!(is_global(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn one_private_address_refuses_the_name() {
        let all = |list: &[&str]| checked(list.iter().map(|text| text.parse().unwrap()).collect()).is_ok();
        assert!(all(&["8.8.8.8:0", "1.1.1.1:0"]));
        assert!(!all(&["8.8.8.8:0", "127.0.0.1:0"]));
    }

    #[tokio::test]
    async fn localhost_is_refused_when_it_is_looked_up() {
        let error = PublicOnly(Arc::new(System)).resolve("localhost".parse().unwrap()).await.err().unwrap();
        assert!(error.downcast_ref::<NotGlobal>().is_some(), "{error}");
    }
}
