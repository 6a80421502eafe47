//! Where no token is set: programs of this machine may ask, pages of other sites in this machine's browser may not.
//!
//! Such a page can send a form or a simple POST, but not hide its `Origin`; and a name of its own that suddenly means
//! 127.0.0.1 (DNS rebinding) still stands in `Host`.

use super::Problem;
use hyper::{
    HeaderMap,
    header::{HOST, ORIGIN},
};
use std::{net::IpAddr, sync::Arc};

/// The names under which this process may be asked.
#[derive(Clone)]
pub(super) struct Origins(Arc<[String]>);

impl Origins {
    /// Those of the loopback addresses, and these.
    pub(super) fn new(hosts: &[String]) -> Self {
        Self(hosts.iter().map(|host| host.to_ascii_lowercase()).collect())
    }

    /// `reads`: the request changes nothing.
    pub(super) fn check(&self, reads: bool, headers: &HeaderMap) -> Result<(), Problem> {
        let mut hosts = headers.get_all(HOST).iter();
        let host = hosts.next().and_then(|host| host.to_str().ok()).filter(|host| self.knows(name(host)));
        let (Some(host), None) = (host, hosts.next()) else { return Err(Problem::wrong_host()) };
        if !reads && is_foreign(headers, host) {
            return Err(Problem::cross_site());
        }
        Ok(())
    }

    fn knows(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(&name);
        let is_loopback = bare.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback());
        name == "localhost" || is_loopback || self.0.contains(&name)
    }
}

/// Without the port.
fn name(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

/// Programs send neither header; a page's browser always sends `Origin` with a POST.
fn is_foreign(headers: &HeaderMap, host: &str) -> bool {
    let own = |origin: &str| origin.split_once("://").is_some_and(|(_, place)| place.eq_ignore_ascii_case(host));
    let origins = headers.get_all(ORIGIN).iter();
    let foreign = origins.map(|origin| origin.to_str().is_ok_and(own)).any(|own| !own);
    let site = headers.get("sec-fetch-site").map(|site| matches!(site.as_bytes(), b"same-origin" | b"none"));
    foreign || site == Some(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::{HeaderName, HeaderValue};

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn only_names_of_this_machine_and_configured_ones() {
        let origins = Origins::new(&["Docket.example".to_owned()]);
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "127.1.2.3", "[::1]:8080", "docket.example:80"] {
            assert!(origins.check(true, &headers(&[("host", host)])).is_ok(), "{host}");
        }
        for host in
            ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "", "[::2]:80", "a:b"]
        {
            assert!(origins.check(true, &headers(&[("host", host)])).is_err(), "{host}");
        }
        assert!(origins.check(true, &headers(&[])).is_err());
        let two: HeaderMap =
            [(HOST, HeaderValue::from_static("localhost")), (HOST, HeaderValue::from_static("evil.example"))]
                .into_iter()
                .fold(HeaderMap::new(), |mut map, (name, value)| {
                    map.append(name, value);
                    map
                });
        assert!(origins.check(true, &two).is_err());
    }

    #[test]
    fn pages_of_other_sites_may_not_write() {
        let origins = Origins::new(&[]);
        let check = |pairs: &[(&str, &str)]| {
            let all = [&[("host", "localhost:8080")], pairs].concat();
            (origins.check(false, &headers(&all)).is_ok(), origins.check(true, &headers(&all)).is_ok())
        };
        assert_eq!(check(&[]), (true, true));
        assert_eq!(check(&[("origin", "http://localhost:8080"), ("sec-fetch-site", "same-origin")]), (true, true));
        for foreign in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", "http://localhost:9999"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            assert_eq!(check(&[foreign]), (false, true), "{foreign:?}");
        }
    }
}
