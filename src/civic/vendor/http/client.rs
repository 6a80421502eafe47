//! One GET, from the address to the bytes.

use super::{
    Allowed, Ask, FetchError, HttpSettings, Validators,
    address::{PublicOnly, System, is_global},
    observe, redacted,
};
use crate::telemetry::{OpenSpan, current_trace};
use jiff::{Timestamp, fmt::rfc2822};
use reqwest::{
    StatusCode,
    dns::Resolve,
    header::{
        ACCEPT, CONTENT_TYPE, ETAG, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LOCATION, RETRY_AFTER,
    },
    redirect::Policy,
};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout};
use url::{Host, Url};

/// Redirects that are followed. Vendors need two or three.
const MAX_REDIRECTS: usize = 5;

/// A complete answer with a status of success.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status, 200 to 299.
    pub status: u16,
    /// The type without its parameters, in lower case; what the site says, not what the bytes are.
    pub content_type: Option<String>,
    /// The entity tag.
    pub etag: Option<String>,
    /// When the site says it changed.
    pub last_modified: Option<String>,
    /// The address that answered, after redirects. It may be signed and expire: store the one that was asked.
    pub final_url: Url,
    /// The bytes, decompressed.
    pub body: Vec<u8>,
}

/// The client. Cloning is cheap and shares the connections.
#[derive(Clone, Debug)]
pub struct HttpClient {
    /// Connects to public addresses only.
    public: reqwest::Client,
    /// Connects anywhere; used for the exceptions only.
    exempt: reqwest::Client,
    allowed: Arc<[Allowed]>,
    total_timeout: Duration,
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
        let common = || {
            reqwest::Client::builder()
                .user_agent(&settings.user_agent)
                .connect_timeout(settings.connect_timeout)
                .read_timeout(settings.read_timeout)
                .redirect(Policy::none())
                // A proxy would look the name up itself, past the check.
                .no_proxy()
        };
        Ok(Self {
            public: build(common().dns_resolver(PublicOnly(resolver)))?,
            exempt: build(common())?,
            allowed: settings.allowed.clone().into(),
            total_timeout: settings.total_timeout,
        })
    }

    /// Asks for an address and reads the whole answer.
    ///
    /// # Errors
    /// When the address is refused, no complete answer comes in time, the body is too large, or the status is not one
    /// of success.
    pub async fn get(&self, url: &str, ask: &Ask) -> Result<Response, FetchError> {
        self.answer(url, ask, &Validators::default()).await
    }

    /// The same, unless the bytes are those that are known: none.
    ///
    /// # Errors
    /// As [`HttpClient::get`].
    pub async fn get_if_changed(
        &self,
        url: &str,
        ask: &Ask,
        known: &Validators,
    ) -> Result<Option<Response>, FetchError> {
        match self.answer(url, ask, known).await {
            Err(FetchError::Status { status: 304, .. }) => Ok(None),
            result => result.map(Some),
        }
    }

    async fn answer(&self, url: &str, ask: &Ask, known: &Validators) -> Result<Response, FetchError> {
        let (started, span) = (Instant::now(), OpenSpan::begin());
        let result = match Url::parse(url) {
            Ok(url) => timeout(self.total_timeout, span.run(self.follow(&url, ask, known)))
                .await
                .unwrap_or_else(|_| Err(FetchError::Timeout { url: redacted(&url) })),
            // What can't be read can't be stripped of its secrets either.
            Err(_) => Err(FetchError::BadUrl { url: "an unreadable address".to_owned() }),
        };
        observe::ended(ask.vendor, &result, started.elapsed(), span);
        result
    }

    async fn follow(&self, first: &Url, ask: &Ask, known: &Validators) -> Result<Response, FetchError> {
        let mut url = first.clone();
        for _ in 0..=MAX_REDIRECTS {
            let response = self.send(&url, ask, known).await?;
            let Some(next) = redirect(&response, &url)? else { return receive(response, url, ask).await };
            url = next;
        }
        Err(FetchError::TooManyRedirects { url: redacted(first), limit: MAX_REDIRECTS })
    }

    async fn send(&self, url: &Url, ask: &Ask, known: &Validators) -> Result<reqwest::Response, FetchError> {
        let client = self.client_for(url)?;
        let mut request = client.get(url.clone()).header(ACCEPT, ask.accept);
        for (name, value) in [(IF_NONE_MATCH, &known.etag), (IF_MODIFIED_SINCE, &known.last_modified)] {
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
    fn client_for(&self, url: &Url) -> Result<&reqwest::Client, FetchError> {
        let shown = || redacted(url);
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(FetchError::BadUrl { url: shown() });
        };
        if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
            return Err(FetchError::BadUrl { url: shown() });
        }
        let name = host.to_string();
        let name = name.trim_start_matches('[').trim_end_matches(']');
        if self.allowed.iter().any(|allowed| allowed.host == name && allowed.port == port) {
            return Ok(&self.exempt);
        }
        let refused = match host {
            Host::Ipv4(address) => !is_global(address.into()),
            Host::Ipv6(address) => !is_global(address.into()),
            Host::Domain(_) => false,
        };
        if refused || !matches!(port, 80 | 443) {
            return Err(FetchError::RefusedAddress { url: shown() });
        }
        Ok(&self.public)
    }
}

/// Where the answer sends us, if it does.
fn redirect(response: &reqwest::Response, url: &Url) -> Result<Option<Url>, FetchError> {
    let status = response.status().as_u16();
    if !matches!(status, 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let target = header(response, &LOCATION).and_then(|location| url.join(&location).ok());
    target.map(Some).ok_or_else(|| FetchError::Status { url: redacted(url), status, retry_after: None })
}

async fn receive(mut response: reqwest::Response, url: Url, ask: &Ask) -> Result<Response, FetchError> {
    let status = response.status();
    if !status.is_success() {
        let retry_after = retry_after(&response, status);
        return Err(FetchError::Status { url: redacted(&url), status: status.as_u16(), retry_after });
    }
    let too_large = || FetchError::TooLarge { url: redacted(&url), limit: ask.max_body };
    let promised = response.content_length().unwrap_or(0);
    if usize::try_from(promised).map_or(true, |promised| promised > ask.max_body) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| FetchError::from_reqwest(&e, &url))? {
        if body.len() + chunk.len() > ask.max_body {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Response {
        status: status.as_u16(),
        content_type: header(&response, &CONTENT_TYPE)
            .and_then(|full| full.split(';').next().map(|kind| kind.trim().to_ascii_lowercase())),
        etag: header(&response, &ETAG),
        last_modified: header(&response, &LAST_MODIFIED),
        final_url: url,
        body,
    })
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
