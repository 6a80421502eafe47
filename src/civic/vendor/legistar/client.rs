//! Asks the API.

use super::{
    events::{self, from_rows},
    items::parse_event_items_with,
};
use crate::civic::{
    model::{Parsed, ParsedItem, ParsedMeeting, SourceMeetingId, Vendor, WebUrl},
    vendor::{
        ParseError, VendorError, Window,
        http::{Ask, FetchError, HttpClient},
        rows,
        site::unreadable,
    },
};
use jiff::ToSpan;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

/// Where the API is.
pub const DEFAULT_BASE_URL: &str = "https://webapi.legistar.com/v1";
/// Rows that the API gives at most: a page of exactly so many is followed by another.
const PAGE: usize = 1_000;
/// Pages of one window. A client that ignores the filter gives its whole history, 25 pages at the most seen.
const MAX_PAGES: usize = 50;
/// Rows that two pages share. Rows move while we page, and one that moves up must not fall between two pages.
const OVERLAP: usize = 100;
/// Bytes of all pages together: 50 pages as large as one may be would fill the memory.
const MAX_BYTES: usize = 128 << 20;

/// One city's view of the API.
#[derive(Clone, Debug)]
pub struct LegistarClient {
    http: HttpClient,
    base: Url,
    client: String,
    token: Option<SecretString>,
    attachment_base: Option<WebUrl>,
    proven: bool,
}

impl LegistarClient {
    /// A view of `client` (such as `seattle`) at `base_url` ([`DEFAULT_BASE_URL`] outside of tests).
    ///
    /// # Errors
    /// When the base is no address, or the client's name could leave its place in the path.
    pub fn new(http: HttpClient, base_url: &str, client: &str) -> Result<Self, VendorError> {
        let bad = || FetchError::BadUrl { url: format!("the Legistar client {client:?}") };
        let base = Url::parse(base_url).ok().filter(|url| !url.cannot_be_a_base()).ok_or_else(bad)?;
        if !is_plain(client) {
            return Err(bad().into());
        }
        Ok(Self { http, base, client: client.to_owned(), token: None, attachment_base: None, proven: false })
    }

    pub(super) const fn base(&self) -> &Url {
        &self.base
    }

    /// Sends a token, which some clients want.
    #[must_use]
    pub fn with_token(mut self, token: Option<SecretString>) -> Self {
        self.token = token;
        self
    }

    /// Resolves links that are bare file names against this address.
    #[must_use]
    pub fn with_attachment_base(mut self, base: Option<WebUrl>) -> Self {
        self.attachment_base = base;
        self
    }

    /// Says that this client has answered before: a 500 is then an outage, never an unknown client.
    #[must_use]
    pub const fn proven(mut self, proven: bool) -> Self {
        self.proven = proven;
        self
    }

    /// The meetings of a window. Some clients ignore the filter, so what lies outside is dropped here again.
    ///
    /// # Errors
    /// When a page can't be had or read: half a list would look like withdrawn meetings.
    pub async fn events(&self, window: Window) -> Result<Parsed<ParsedMeeting>, VendorError> {
        let (mut all, mut warnings) = (Vec::new(), Vec::new());
        let (mut bytes, mut first) = (0, None);
        for page in 0..MAX_PAGES {
            let url = self.events_url(window, page * (PAGE - OVERLAP));
            let body = self.get(&url).await?;
            bytes += body.len();
            let mut rows: Vec<Value> = rows::read(&body, events::ID, &mut warnings).map_err(|e| unreadable(&url, e))?;
            let last = rows.len() != PAGE;
            if !last && first == rows.first().cloned() {
                return Err(endless(&url, "each page starts with the same row: the vendor ignores $skip"));
            }
            first = rows.first().cloned();
            let shared = all.len().saturating_sub(2 * OVERLAP)..;
            rows.retain(|row| !all[shared.clone()].contains(row));
            all.extend(rows);
            if last {
                let parsed = from_rows(&all, None, warnings).map_err(|e| unreadable(&url, e))?;
                return Ok(window.only(parsed));
            }
            if bytes > MAX_BYTES {
                return Err(endless(&url, "its pages are larger than 128 MiB together"));
            }
        }
        Err(endless(&self.events_url(window, 0), "it has more than 50 full pages"))
    }

    /// The agenda of one meeting, with its attachments: one request.
    ///
    /// # Errors
    /// When the list can't be had or read.
    pub async fn event_items(&self, meeting: &SourceMeetingId) -> Result<Parsed<ParsedItem>, VendorError> {
        if !is_plain(meeting.as_str()) {
            return Err(FetchError::BadUrl { url: format!("the Legistar event {:?}", meeting.as_str()) }.into());
        }
        let flags = [("AgendaNote", "1"), ("MinutesNote", "1"), ("Attachments", "1")];
        let url = self.url(&["events", meeting.as_str(), "eventitems"], &flags);
        let body = self.get(&url).await?;
        parse_event_items_with(&body, self.attachment_base.as_ref()).map_err(|e| unreadable(&url, e))
    }

    fn events_url(&self, window: Window, skip: usize) -> Url {
        let end = window.to.saturating_add(1.day());
        let filter = format!("EventDate ge datetime'{}' and EventDate lt datetime'{end}'", window.from);
        let (top, skip) = (PAGE.to_string(), skip.to_string());
        self.url(&["events"], &[("$filter", &filter), ("$orderby", "EventId"), ("$top", &top), ("$skip", &skip)])
    }

    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(&self.client).extend(path);
        }
        url.query_pairs_mut().extend_pairs(query);
        url
    }

    /// An unknown client answers 500, as an outage does: asking for one body tells them apart.
    async fn get(&self, url: &Url) -> Result<Vec<u8>, VendorError> {
        let result = self.fetch(url).await;
        if self.proven || !is_500(&result) {
            return Ok(result?);
        }
        let probe = self.fetch(&self.url(&["bodies"], &[("$top", "1")])).await;
        if let Err(error) = &probe
            && error.is_not_now()
        {
            return Err(error.clone().into());
        }
        if is_500(&probe) { Err(VendorError::UnknownClient(self.client.clone())) } else { Ok(result?) }
    }

    async fn fetch(&self, url: &Url) -> Result<Vec<u8>, FetchError> {
        let mut url = url.clone();
        if let Some(token) = &self.token {
            url.query_pairs_mut().append_pair("token", token.expose_secret());
        }
        Ok(self.http.get(url.as_str(), &Ask::json(Vendor::Legistar)).await?.body)
    }
}

fn is_500<T>(result: &Result<T, FetchError>) -> bool {
    matches!(result, Err(FetchError::Status { status: 500, .. }))
}

fn endless(url: &Url, why: &str) -> VendorError {
    unreadable(url, ParseError::Shape(format!("the list has no end, {why}")))
}

/// Letters, digits, `-` and `_` only.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}
