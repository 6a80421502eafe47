//! Limits of the client, and of one request.

use crate::civic::model::Vendor;
use std::{str::FromStr, time::Duration};

/// Settings of the client. A higher time lets slow sites answer, and lets hostile ones hold a slot for as long.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Longest wait for a connection, the name's look-up included.
    pub connect_timeout: Duration,
    /// Longest wait for the next bytes.
    pub read_timeout: Duration,
    /// Longest time of a whole request: redirects, headers and body.
    pub total_timeout: Duration,
    /// Sent as `User-Agent`. It should say who asks and how to reach them.
    pub user_agent: String,
    /// Hosts and ports that may be asked whatever their address: for a demonstration on one machine.
    pub allowed: Vec<Allowed>,
    /// Hosts whose certificates are not verified. Each is a hole: what they send may be anybody's.
    pub tls_exceptions: Vec<TlsException>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            total_timeout: Duration::from_mins(2),
            user_agent: concat!("docket/", env!("CARGO_PKG_VERSION"), " (civic meeting index; no contact configured)")
                .to_owned(),
            allowed: Vec::new(),
            tls_exceptions: Vec::new(),
        }
    }
}

/// How fast one host is asked, by the whole fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaceSettings {
    /// Between the starts of two requests.
    pub spacing: Duration,
    /// Requests at once.
    pub concurrency: usize,
    /// Whether this is also for the hosts that may be asked whatever their address: a demonstration on one machine needs no
    /// politeness.
    pub paces_allowed: bool,
}

impl Default for PaceSettings {
    fn default() -> Self {
        Self { spacing: Duration::from_millis(500), concurrency: 2, paces_allowed: false }
    }
}

/// A host and port that may be asked although its address isn't public.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Allowed {
    /// A name or an address, without brackets, in lower case.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl FromStr for Allowed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let explain = || format!("{text:?} is no host:port: write it as 127.0.0.1:8080");
        let (host, port) = text.trim().rsplit_once(':').ok_or_else(explain)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let port = port.parse().map_err(|_| explain())?;
        if host.is_empty() { Err(explain()) } else { Ok(Self { host, port }) }
    }
}

/// A host whose certificate is not verified, and why that must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsException {
    /// A name or an address, without brackets, in lower case.
    pub host: String,
    /// Why, for those who come later.
    pub reason: String,
}

impl FromStr for TlsException {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let explain = || format!("{text:?} is no host=reason: write it as docs.city.example=expired; city was told");
        let (host, reason) = text.split_once('=').ok_or_else(explain)?;
        let host = host.trim().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        // One host by its name or address: a pattern would let more through than anybody meant.
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
        let is_host = !host.is_empty() && host.chars().all(plain);
        if !is_host || reason.trim().is_empty() {
            return Err(explain());
        }
        Ok(Self { host, reason: reason.trim().to_owned() })
    }
}

/// What one request asks for.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Label of the metrics.
    pub vendor: Vendor,
    /// The `Accept` header.
    pub accept: &'static str,
    /// Largest body in bytes, after decompression.
    pub max_body: usize,
    /// Sent as `X-Request-Id`: who runs the site can name the request, and we find its job.
    pub request_id: Option<RequestId>,
    /// What is known of the bytes already.
    pub known: Validators,
}

/// What is known of the bytes behind an address: the site need not send the same again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// Sent as `If-None-Match`.
    pub etag: Option<String>,
    /// Sent as `If-Modified-Since`.
    pub last_modified: Option<String>,
}

impl Validators {
    const NONE: Self = Self { etag: None, last_modified: None };
}

/// A job and its attempt. An attempt that was lost with its worker is made again under the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId {
    /// The job.
    pub job: i64,
    /// 1 for its first attempt.
    pub attempt: i16,
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.job, self.attempt)
    }
}

impl Ask {
    /// A list in JSON, up to 16 MiB: 1,000 events of Legistar are 2 MB.
    #[must_use]
    pub const fn json(vendor: Vendor) -> Self {
        Self { vendor, accept: "application/json", max_body: 16 << 20, request_id: None, known: Validators::NONE }
    }

    /// A page, up to 8 MiB: the largest archive that is known has 6 MB.
    #[must_use]
    pub const fn page(vendor: Vendor) -> Self {
        Self {
            vendor,
            accept: "text/html, application/xhtml+xml;q=0.9, */*;q=0.5",
            max_body: 8 << 20,
            request_id: None,
            known: Validators::NONE,
        }
    }

    /// A document, up to 50 MiB.
    #[must_use]
    pub const fn document(vendor: Vendor) -> Self {
        Self {
            vendor,
            accept: "application/pdf, */*;q=0.5",
            max_body: 50 << 20,
            request_id: None,
            known: Validators::NONE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_of_tls_has_one_host_and_a_reason() {
        let exception: TlsException = "Docs.City.example = expired in May".parse().unwrap();
        assert_eq!((exception.host.as_str(), exception.reason.as_str()), ("docs.city.example", "expired in May"));
        for text in ["", "docs.city.example", "=x", "docs.city.example=", "*.city.example=x", "a b=x", "*=x"] {
            assert!(text.parse::<TlsException>().is_err(), "{text}");
        }
    }

    #[test]
    fn exceptions_are_host_and_port() {
        assert_eq!("127.0.0.1:80".parse(), Ok(Allowed { host: "127.0.0.1".to_owned(), port: 80 }));
        assert_eq!("[::1]:8080".parse(), Ok(Allowed { host: "::1".to_owned(), port: 8080 }));
        for text in ["", "localhost", ":80", "localhost:", "localhost:http", "localhost:70000"] {
            assert!(text.parse::<Allowed>().is_err(), "{text}");
        }
    }
}
