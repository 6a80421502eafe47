//! A city at Legistar: the API, and the calendar page where the API is closed or has no such client.

use super::{
    calendar::parse_calendar,
    client::{DEFAULT_BASE_URL, LegistarClient},
};
use crate::civic::{
    model::{Parsed, ParsedItem, ParsedMeeting, Source, Vendor, WebUrl},
    vendor::{
        VendorError, Window, host_group,
        http::{Ask, FetchError, HttpClient},
        site::{BASE_URL, Site, read_apart},
    },
};
use futures_util::future::BoxFuture;
use url::Url;

/// Parameter of a source: what bare file names are relative to.
const ATTACHMENT_BASE: &str = "attachment_base";
/// Parameter of a source: another address of the calendar than the vendor's usual one.
const CALENDAR_URL: &str = "calendar_url";
/// How ids of the calendar begin: they are others than those of the API.
const OF_CALENDAR: &str = "insite-";

/// One city.
#[derive(Clone, Debug)]
pub struct Legistar {
    api: LegistarClient,
    http: HttpClient,
    calendar: Option<Url>,
}

pub(in crate::civic::vendor) fn site(http: HttpClient, source: &Source, proven: bool) -> Result<Legistar, VendorError> {
    let base = source.params.get(BASE_URL).map_or(DEFAULT_BASE_URL, String::as_str);
    let attachments = source.params.get(ATTACHMENT_BASE).and_then(|url| WebUrl::parse(url).ok());
    let api = LegistarClient::new(http.clone(), base, &source.client)?;
    let usual = format!("https://{}.legistar.com/Calendar.aspx", source.client);
    let calendar = match (source.params.get(CALENDAR_URL), source.params.contains_key(BASE_URL)) {
        (Some(given), _) => Url::parse(given).ok(),
        // Who names another API means that one alone.
        (None, true) => None,
        (None, false) => Url::parse(&usual).ok(),
    };
    Ok(Legistar { api: api.with_attachment_base(attachments).proven(proven), http, calendar })
}

impl Legistar {
    async fn list(&self, window: Window) -> Result<Parsed<ParsedMeeting>, VendorError> {
        let closed = match self.api.events(window).await {
            Err(error) if is_closed(&error) => error,
            other => return other,
        };
        // The page tells less, and only of the months that it shows: the API's answer is the better one to report.
        match self.calendar(window).await {
            Some(Ok(parsed)) => Ok(parsed),
            _ => Err(closed),
        }
    }

    async fn calendar(&self, window: Window) -> Option<Result<Parsed<ParsedMeeting>, VendorError>> {
        let url = self.calendar.as_ref()?;
        let response = match self.http.get(url.as_str(), &Ask::page(Vendor::Legistar)).await {
            Ok(response) => response,
            Err(error) => return Some(Err(error.into())),
        };
        let parsed = read_apart(response, url, parse_calendar).await;
        Some(parsed.map(|mut parsed| {
            parsed.values.retain(|meeting| window.contains(meeting.local_date));
            parsed
        }))
    }

    async fn items(&self, meeting: &ParsedMeeting) -> Result<Option<Parsed<ParsedItem>>, VendorError> {
        if meeting.vendor_id.as_str().starts_with(OF_CALENDAR) {
            return Ok(None);
        }
        self.api.event_items(&meeting.vendor_id).await.map(Some)
    }
}

fn is_closed(error: &VendorError) -> bool {
    matches!(error, VendorError::UnknownClient(_) | VendorError::Fetch(FetchError::Status { status: 401 | 403, .. }))
}

impl Site for Legistar {
    fn group(&self) -> String {
        host_group(self.api.base())
    }

    fn meetings(&self, window: Window) -> BoxFuture<'_, Result<Parsed<ParsedMeeting>, VendorError>> {
        Box::pin(self.list(window))
    }

    fn agenda<'a>(
        &'a self,
        meeting: &'a ParsedMeeting,
    ) -> BoxFuture<'a, Result<Option<Parsed<ParsedItem>>, VendorError>> {
        Box::pin(self.items(meeting))
    }
}
