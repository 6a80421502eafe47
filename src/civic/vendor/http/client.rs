//! One GET, from the address to the bytes.

use super::{
    Allowed, Answer, Ask, FetchError, Fetched, HttpSettings, Response, TlsException, Transport,
    address::{PublicOnly, System, is_global},
    observe, redacted,
};
use crate::telemetry::{OpenSpan, current_trace, names::TLS_EXCEPTIONS};
use jiff::{Timestamp, fmt::rfc2822};
use reqwest::{
    StatusCode,
    dns::Resolve,
    header::{
        ACCEPT, CONTENT_TYPE, ETAG, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LOCATION, RETRY_AFTER,
    },
    redirect::Policy,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, timeout};
use url::{Host, Url};

/// Of an error's body so much is read, for so long.
const ERROR_BODY: usize = 64 << 10;
const ERROR_BODY_TIME: Duration = Duration::from_secs(5);
/// Redirects that are followed. Vendors need two or three.
const MAX_REDIRECTS: usize = 5;

/// Two ways to connect.
#[derive(Clone, Debug)]
struct Clients {
    /// To public addresses only.
    public: reqwest::Client,
    /// Anywhere; used for the exceptions only.
    exempt: reqwest::Client,
}

/// The client. Cloning is cheap and shares the connections.
#[derive(Clone, Debug)]
pub struct HttpClient {
    verifying: Clients,
    /// For the exceptions of TLS only; none: there is no exception.
    trusting: Option<Clients>,
    allowed: Arc<[Allowed]>,
    tls_exceptions: Arc<[TlsException]>,
    total_timeout: Duration,
    transport: Option<Arc<dyn Transport>>,
}

impl HttpClient {
    /// Builds the client.
    ///
    /// # Errors
    /// When the user agent is no header or TLS can't start.
    pub fn new(settings: &HttpSettings) -> Result<Self, FetchError> {
        Self::with_resolver(settings, Arc::new(System))
    }

    /// The same, with names looked up by `resolver`. What it finds is judged like any other address.
    ///
    /// # Errors
    /// As [`HttpClient::new`].
    pub fn with_resolver(settings: &HttpSettings, resolver: Arc<dyn Resolve>) -> Result<Self, FetchError> {
        let build = |builder: reqwest::ClientBuilder| builder.build().map_err(|e| FetchError::Setup(e.to_string()));
        let common = |trusts: bool| {
            reqwest::Client::builder()
                .tls_danger_accept_invalid_certs(trusts)
                .user_agent(&settings.user_agent)
                .connect_timeout(settings.connect_timeout)
                .read_timeout(settings.read_timeout)
                .redirect(Policy::none())
                // A proxy would look the name up itself, past the check.
                .no_proxy()
        };
        let clients = |trusts| -> Result<Clients, FetchError> {
            let public = build(common(trusts).dns_resolver(PublicOnly(resolver.clone())))?;
            Ok(Clients { public, exempt: build(common(trusts))? })
        };
        Ok(Self {
            verifying: clients(false)?,
            trusting: if settings.tls_exceptions.is_empty() { None } else { Some(clients(true)?) },
            allowed: settings.allowed.clone().into(),
            tls_exceptions: settings.tls_exceptions.clone().into(),
            total_timeout: settings.total_timeout,
            transport: None,
        })
    }

    /// The same client, behind something that decides what becomes of each request.
    #[must_use]
    pub fn through(&self, transport: Arc<dyn Transport>) -> Self {
        Self { transport: Some(transport), ..self.clone() }
    }

    /// Longest time of a whole request.
    #[must_use]
    pub const fn total_timeout(&self) -> Duration {
        self.total_timeout
    }

    /// Asks for an address and reads the whole answer.
    ///
    /// # Errors
    /// When the address is refused, no complete answer comes in time, the body is too large, or the status is not one
    /// of success; or when the transport makes no request now.
    pub async fn get(&self, url: &str, ask: &Ask) -> Result<Response, FetchError> {
        match &self.transport {
            Some(transport) => transport.get(self, url, ask).await,
            None => self.fetch(url, ask).await.response(),
        }
    }

    /// The same, unless the bytes are those that `ask` knows: none.
    ///
    /// # Errors
    /// As [`HttpClient::get`].
    pub async fn get_if_changed(&self, url: &str, ask: &Ask) -> Result<Option<Response>, FetchError> {
        match self.get(url, ask).await {
            Err(FetchError::Status { status: 304, .. }) => Ok(None),
            result => result.map(Some),
        }
    }

    /// Asks the network, whatever the transport: for transports.
    pub async fn fetch(&self, url: &str, ask: &Ask) -> Fetched {
        let (started, span, unverified) = (Instant::now(), OpenSpan::begin(), AtomicBool::new(false));
        let answer = match Url::parse(url) {
            Ok(url) => timeout(self.total_timeout, span.run(self.follow(&url, ask, &unverified)))
                .await
                .unwrap_or_else(|_| Err(FetchError::Timeout { url: redacted(&url) })),
            // What can't be read can't be stripped of its secrets either.
            Err(_) => Err(FetchError::BadUrl { url: "an unreadable address".to_owned() }),
        };
        let took = started.elapsed();
        observe::ended(ask.vendor, &answer, took, span);
        Fetched { answer, took, tls_unverified: unverified.into_inner() }
    }

    /// Whether an address may be asked by an exception, although it isn't public.
    #[must_use]
    pub fn is_allowed(&self, url: &Url) -> bool {
        let (name, port) = (bare_host(url), url.port_or_known_default());
        self.allowed.iter().any(|allowed| allowed.host == name && Some(allowed.port) == port)
    }

    fn is_excepted(&self, url: &Url) -> bool {
        url.scheme() == "https" && self.tls_exceptions.iter().any(|exception| exception.host == bare_host(url))
    }

    async fn follow(&self, first: &Url, ask: &Ask, unverified: &AtomicBool) -> Result<Answer, FetchError> {
        let mut url = first.clone();
        for _ in 0..=MAX_REDIRECTS {
            let response = self.send(&url, ask, unverified).await?;
            let Some(next) = redirect(&response, &url) else { return receive(response, url, ask).await };
            url = next;
        }
        Err(FetchError::TooManyRedirects { url: redacted(first), limit: MAX_REDIRECTS })
    }

    /// Each hop is judged anew: an exception is one host's, and not that of where it leads to.
    async fn send(&self, url: &Url, ask: &Ask, unverified: &AtomicBool) -> Result<reqwest::Response, FetchError> {
        let clients = match &self.trusting {
            Some(trusting) if self.is_excepted(url) => {
                unverified.store(true, Ordering::Relaxed);
                metrics::counter!(TLS_EXCEPTIONS, "vendor" => ask.vendor.as_str()).increment(1);
                trusting
            }
            _ => &self.verifying,
        };
        let client = self.client_for(url, clients)?;
        let mut request = client.get(url.clone()).header(ACCEPT, ask.accept);
        for (name, value) in [(IF_NONE_MATCH, &ask.known.etag), (IF_MODIFIED_SINCE, &ask.known.last_modified)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        if let Some(id) = ask.request_id {
            request = request.header("x-request-id", id.to_string());
        }
        if let Some(trace) = current_trace() {
            request = request.header("traceparent", trace.to_string());
        }
        request.send().await.map_err(|e| FetchError::from_reqwest(&e, url))
    }

    /// The resolver never sees a host that is an address: those are checked here.
    fn client_for<'a>(&self, url: &Url, clients: &'a Clients) -> Result<&'a reqwest::Client, FetchError> {
        let shown = || redacted(url);
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(FetchError::BadUrl { url: shown() });
        };
        if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
            return Err(FetchError::BadUrl { url: shown() });
        }
        if self.is_allowed(url) {
            return Ok(&clients.exempt);
        }
        let refused = match host {
            Host::Ipv4(address) => !is_global(address.into()),
            Host::Ipv6(address) => !is_global(address.into()),
            Host::Domain(_) => false,
        };
        if refused || !matches!(port, 80 | 443) {
            return Err(FetchError::RefusedAddress { url: shown() });
        }
        Ok(&clients.public)
    }
}

/// Without the brackets of an address.
fn bare_host(url: &Url) -> String {
    let name = url.host().map(|host| host.to_string()).unwrap_or_default();
    name.trim_start_matches('[').trim_end_matches(']').to_owned()
}

/// Where the answer sends us, if it does. A redirect to nowhere is an answer with that status.
fn redirect(response: &reqwest::Response, url: &Url) -> Option<Url> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    header(response, &LOCATION).and_then(|location| url.join(&location).ok())
}

async fn receive(mut response: reqwest::Response, url: Url, ask: &Ask) -> Result<Answer, FetchError> {
    let status = response.status();
    let (retry_after, etag) = (retry_after(&response, status), header(&response, &ETAG));
    let content_type = header(&response, &CONTENT_TYPE)
        .and_then(|full| full.split(';').next().map(|kind| kind.trim().to_ascii_lowercase()));
    let last_modified = header(&response, &LAST_MODIFIED);
    let body = if status.is_success() {
        whole_body(&mut response, &url, ask.max_body).await?
    } else {
        head_of_body(&mut response).await
    };
    Ok(Answer { status: status.as_u16(), content_type, etag, last_modified, retry_after, final_url: url, body })
}

async fn whole_body(response: &mut reqwest::Response, url: &Url, limit: usize) -> Result<Vec<u8>, FetchError> {
    let too_large = || FetchError::TooLarge { url: redacted(url), limit };
    let promised = response.content_length().unwrap_or(0);
    if usize::try_from(promised).map_or(true, |promised| promised > limit) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| FetchError::from_reqwest(&e, url))? {
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What an error page says is of use to people only: what has come in time is enough, and what breaks it off is no error.
async fn head_of_body(response: &mut reqwest::Response) -> Vec<u8> {
    let mut body = Vec::new();
    let read = async {
        while body.len() < ERROR_BODY
            && let Ok(Some(chunk)) = response.chunk().await
        {
            body.extend_from_slice(&chunk[..chunk.len().min(ERROR_BODY - body.len())]);
        }
    };
    let _ = timeout(ERROR_BODY_TIME, read).await;
    body
}

fn header(response: &reqwest::Response, name: &HeaderName) -> Option<String> {
    response.headers().get(name)?.to_str().ok().map(ToOwned::to_owned)
}

/// Seconds or a date; a date in the past is no delay.
fn retry_after(response: &reqwest::Response, status: StatusCode) -> Option<Duration> {
    if !matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        return None;
    }
    delay(&header(response, &RETRY_AFTER)?, Timestamp::now())
}

fn delay(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
    Some(Duration::try_from(at.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_seconds_or_a_date() {
        let now = "2024-01-09T08:00:00Z".parse().unwrap();
        assert_eq!(delay("120", now), Some(Duration::from_mins(2)));
        assert_eq!(delay("Tue, 09 Jan 2024 08:01:00 GMT", now), Some(Duration::from_mins(1)));
        assert_eq!(delay("Tue, 09 Jan 2024 07:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(delay("soon", now), None);
    }
}
