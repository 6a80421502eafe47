//! Forty addresses that lead inside, and a listener that must never hear of any of them.

use docket::civic::{
    model::Vendor,
    vendor::http::{Allowed, Ask, FetchError, HttpClient, HttpSettings},
};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

static ASK: Ask = Ask::document(Vendor::Legistar);

/// Counts connections, and answers each with a redirect to `to`, or with its secret.
struct Listener {
    addr: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Listener {
    async fn start(to: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (addr, connections) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let count = connections.clone();
        let answer = match to {
            Some(to) => {
                format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            }
            None => "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsecret".to_owned(),
        };
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let answer = answer.clone();
                tokio::spawn(async move {
                    let _ = stream.read(&mut [0; 4096]).await;
                    let _ = stream.write_all(answer.as_bytes()).await;
                });
            }
        });
        Self { addr, connections }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Answers as the name says, as public services of this kind do: `10.0.0.1.dns.example` is 10.0.0.1. An address that has
/// no port of its own gets the canary's, so that a check that fails is a connection that is counted.
struct Names {
    canary: SocketAddr,
    asked: AtomicUsize,
}

impl Names {
    fn of(&self, name: &str) -> Vec<IpAddr> {
        let text = name.strip_suffix(".dns.example").unwrap_or(name);
        let address = |text: &str| -> IpAddr { text.replace('x', ":").parse().expect("the test names an address") };
        match text {
            "canary" | "localhost" | "localhost." => vec![self.canary.ip()],
            // Two addresses, of which one is inside.
            "both" => vec![IpAddr::from(Ipv6Addr::new(0x2d00, 0, 0, 0, 0, 0, 0, 1)), self.canary.ip()],
            text => vec![address(text)],
        }
    }
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let port = self.canary.port();
        let found: Vec<SocketAddr> = self.of(name.as_str()).into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
        Box::pin(async move { Ok(Box::new(found.into_iter()) as Addrs) })
    }
}

/// Public at first, inside from the second time on: what is checked and what is connected to must be one answer.
struct Rebinding {
    canary: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl Resolve for Rebinding {
    fn resolve(&self, _: Name) -> Resolving {
        let first = self.asked.fetch_add(1, Ordering::SeqCst) == 0;
        // In the range that is given out for public use, but given to nobody: no one is disturbed.
        let public = Ipv6Addr::new(0x2d00, 0, 0, 0, 0, 0, 0, 1);
        let found = if first { SocketAddr::new(public.into(), 80) } else { self.canary };
        Box::pin(async move { Ok(Box::new(std::iter::once(found)) as Addrs) })
    }
}

fn literals(canary: SocketAddr) -> Vec<String> {
    let port = canary.port();
    let hosts = [
        "127.0.0.1",
        "127.1",
        "127.255.255.254",
        "0x7f.1",
        "0x7f000001",
        "017700000001",
        "2130706433",
        "0",
        "0.0.0.0",
        "localhost",
        "LocalHost.",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "169.254.169.254",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "①②⑦.0.0.1",
        "127。0。0。1",
    ];
    // With the canary's port, so that a missed check is a connection; and with none, as a link would be written.
    hosts
        .iter()
        .enumerate()
        .map(|(i, host)| if i % 2 == 0 { format!("http://{host}:{port}/") } else { format!("http://{host}/") })
        .collect()
}

const NAMES: [&str; 11] = [
    "canary",
    "both",
    "10.0.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "192.168.1.1",
    "100.100.100.200",
    "0.0.0.0",
    "xx1",
    "xxffffx127.0.0.1",
    "fd00xec2xx254",
];

#[tokio::test]
async fn none_of_forty_addresses_is_connected_to() {
    let canary = Listener::start(None).await;
    let names = Arc::new(Names { canary: canary.addr, asked: AtomicUsize::new(0) });
    let mut urls = literals(canary.addr);
    urls.extend(NAMES.map(|name| format!("http://{name}.dns.example/")));
    urls.push(format!("https://{}/", canary.addr));
    urls.push("https://canary.dns.example/".to_owned());
    urls.push(format!("http://canary.dns.example:{}/", canary.addr.port()));
    assert_eq!(urls.len(), 40);
    let client = HttpClient::with_resolver(&HttpSettings::default(), names.clone()).unwrap();
    for url in &urls {
        let error = client.get(url, &ASK).await.unwrap_err();
        assert!(matches!(error, FetchError::RefusedAddress { .. }), "{url}: {error}");
        assert!(!error.is_retryable(), "{url}: asking again can't help");
    }
    assert!(names.asked.load(Ordering::SeqCst) >= NAMES.len(), "names were looked up by the stub");
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn the_canary_hears_whoever_gets_past_the_check() {
    // The same stub without the check: otherwise the test above would prove nothing.
    let canary = Listener::start(None).await;
    let names = Names { canary: canary.addr, asked: AtomicUsize::new(0) };
    let open = reqwest::Client::builder().no_proxy().dns_resolver(names).build().unwrap();
    let answer = open.get("http://canary.dns.example/").send().await.unwrap();
    assert_eq!((answer.text().await.unwrap().as_str(), canary.connections()), ("secret", 1));
}

#[tokio::test]
async fn a_redirect_to_any_of_them_is_refused_at_its_hop() {
    let canary = Listener::start(None).await;
    let names = Arc::new(Names { canary: canary.addr, asked: AtomicUsize::new(0) });
    for target in [
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://canary.dns.example/".to_owned(),
        "http://both.dns.example/".to_owned(),
        "//[::ffff:127.0.0.1]/".to_owned(),
        format!("http://{}/", canary.addr),
    ] {
        let site = Listener::start(Some(target.clone())).await;
        let allowed = vec![Allowed { host: site.addr.ip().to_string(), port: site.addr.port() }];
        let settings = HttpSettings { allowed, ..HttpSettings::default() };
        let client = HttpClient::with_resolver(&settings, names.clone()).unwrap();
        let error = client.get(&format!("http://{}/", site.addr), &ASK).await.unwrap_err();
        assert!(matches!(error, FetchError::RefusedAddress { .. }), "{target}: {error}");
        assert_eq!(site.connections(), 1, "{target}");
    }
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn a_name_that_turns_inside_gains_nothing() {
    let canary = Listener::start(None).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let settings = HttpSettings { connect_timeout: std::time::Duration::from_millis(200), ..HttpSettings::default() };
    let resolver = Rebinding { canary: canary.addr, asked: asked.clone() };
    let client = HttpClient::with_resolver(&settings, Arc::new(resolver)).unwrap();
    let ask = || client.get("http://turning.example/", &ASK);
    // The first answer is public, and is what is connected to (nobody listens there): the name is asked no second time.
    let error = ask().await.unwrap_err();
    assert!(matches!(error, FetchError::Connect { .. } | FetchError::Timeout { .. }), "{error}");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    // Each further request judges what it is told then.
    for _ in 0..3 {
        let error = ask().await.unwrap_err();
        assert!(matches!(error, FetchError::RefusedAddress { .. }), "{error}");
    }
    assert_eq!(canary.connections(), 0);
}
