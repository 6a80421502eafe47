//! Where and how a process listens.

use super::{Rates, Token};
use secrecy::SecretString;
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

/// Where and how a process listens.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Address and port; port 0 takes a free one.
    pub addr: SocketAddr,
    /// An administrator's bearer token. Without any token, the address must be a loopback address, and everything is open
    /// to this machine.
    pub token: Option<SecretString>,
    /// Further tokens, each with its holder's name and role.
    pub tokens: Vec<Token>,
    /// Without any token: names besides those of the loopback addresses under which this process may be asked.
    pub hosts: Vec<String>,
    /// How much one token may ask for.
    pub rates: Rates,
    /// `/metrics` is open even where a token is set.
    pub metrics_open: bool,
    /// Directory of the files by which a Prometheus on this host finds its processes; none: no file is written.
    pub targets_dir: Option<PathBuf>,
    /// What the process is, for that file.
    pub role: &'static str,
    /// Bounds.
    pub limits: Limits,
}

impl Default for HttpSettings {
    /// A free port of the loopback address, no token.
    fn default() -> Self {
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (tokens, hosts) = (Vec::new(), Vec::new());
        let (rates, limits) = (Rates::default(), Limits::default());
        Self { addr, token: None, tokens, hosts, rates, metrics_open: false, targets_dir: None, role: "docket", limits }
    }
}

/// What a client can't exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once: scrapers, probes and a few operators need a dozen. One more takes the place of whoever has said
    /// nothing for longest; when all are at work it is refused, not queued: a client that waits can't tell us from a dead
    /// process. A process that may open few files takes at most a quarter of them.
    pub connections: usize,
    /// Bytes of a request's head. hyper answers 431 above it.
    pub header_bytes: usize,
    /// Headers of a request.
    pub headers: usize,
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Bytes of a bulk request's body.
    pub bulk_body_bytes: usize,
    /// A head must be complete in this time. It starts when a connection becomes idle, so it ends idle ones too.
    pub header: Duration,
    /// An answer must be ready in this time.
    pub request: Duration,
    /// A connection is closed after this time: a client that never reads its answer can't hold it longer.
    pub connection: Duration,
    /// At shutdown, requests may go on for so long.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            header_bytes: 64 * 1024,
            headers: 100,
            body_bytes: 1024 * 1024,
            bulk_body_bytes: 8 * 1024 * 1024,
            header: Duration::from_secs(10),
            request: Duration::from_secs(10),
            connection: Duration::from_mins(10),
            drain: Duration::from_secs(5),
        }
    }
}
