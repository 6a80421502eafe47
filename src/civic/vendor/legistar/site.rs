//! A city at Legistar: the API, and the calendar page where the API is closed or has no such client.

use super::{
    calendar::parse_calendar,
    client::{DEFAULT_BASE_URL, LegistarClient},
};
use crate::civic::{
    model::{Parsed, ParsedItem, ParsedMeeting, Source, Vendor, WarningCode, WebUrl},
    vendor::{
        VendorError, Window, host_group,
        http::{Ask, FetchError, HttpClient, Reach},
        rows::warn,
        site::{Asked, BASE_URL, Site, read_apart},
    },
};
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
    proven: bool,
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
    // Only a client without a calendar is asked once: with one, a 500 may mean that the API never had this client.
    let api = api.with_attachment_base(attachments).proven(proven && calendar.is_none());
    Ok(Legistar { api, http, calendar, proven })
}

impl Legistar {
    async fn list(&self, window: Window) -> Result<Parsed<ParsedMeeting>, VendorError> {
        let closed = match self.api.events(window).await {
            Err(error) if is_closed(&error) => error,
            other => return other,
        };
        match (self.calendar(window).await, closed) {
            (Some(Ok(parsed)), _) => Ok(parsed),
            // Nobody was asked: what the API said must not decide alone.
            (Some(Err(error)), _) if error.is_not_now() => Err(error),
            // It is down, or not what it was: the next attempt may get it, while the API stays closed.
            (Some(Err(error)), _) if error.reach() == Reach::Down || matches!(error, VendorError::Parse { .. }) => {
                Err(error)
            }
            // A city that was listed before has not lost its name: all of Legistar is down.
            (_, VendorError::UnknownClient(client)) if self.proven => {
                let url = format!("the API of Legistar's client {client:?}");
                Err(FetchError::Status { url, status: 500, retry_after: None }.into())
            }
            (_, closed) => Err(closed),
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
            // Each city chooses whether it begins with this month, this year or all of them.
            warn(
                &mut parsed.warnings,
                WarningCode::PartialList,
                "a calendar may show another period than was asked for",
                None,
            );
            window.only(parsed)
        }))
    }
}

/// 400 is how a client answers whose API was never set up: "'Agenda Draft Status' is not setup in settings".
fn is_closed(error: &VendorError) -> bool {
    matches!(
        error,
        VendorError::UnknownClient(_) | VendorError::Fetch(FetchError::Status { status: 400 | 401 | 403, .. })
    )
}

impl Site for Legistar {
    fn group(&self) -> String {
        host_group(self.api.base())
    }

    fn meetings(&self, window: Window) -> Asked<'_, ParsedMeeting> {
        Box::pin(self.list(window))
    }

    fn agenda<'a>(&'a self, meeting: &'a ParsedMeeting) -> Option<Asked<'a, ParsedItem>> {
        let is_of_calendar = meeting.vendor_id.as_str().starts_with(OF_CALENDAR);
        (!is_of_calendar).then(|| Box::pin(self.api.event_items(&meeting.vendor_id)) as Asked<'a, ParsedItem>)
    }
}
