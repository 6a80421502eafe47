//! A city's vendor, whichever it is.

use crate::civic::{
    Services,
    model::{Parsed, ParsedItem, ParsedMeeting, SourceMeetingId, Vendor, WebUrl},
    store::cities::StoredCity,
    vendor::{
        VendorError,
        legistar::{DEFAULT_BASE_URL, LegistarClient, Window},
    },
};

/// Parameter of a source: another address of the vendor's API than the usual one.
const BASE_URL: &str = "base_url";
/// Parameter of a source: what bare file names are relative to.
const ATTACHMENT_BASE: &str = "attachment_base";

/// The meetings of a window.
pub(super) async fn meetings(
    services: &Services,
    city: &StoredCity,
    window: Window,
) -> Result<Parsed<ParsedMeeting>, VendorError> {
    match city.city.source.vendor {
        Vendor::Legistar => legistar(services, city)?.events(window).await,
    }
}

/// The agenda of a meeting.
pub(super) async fn agenda(
    services: &Services,
    city: &StoredCity,
    meeting: &SourceMeetingId,
) -> Result<Parsed<ParsedItem>, VendorError> {
    match city.city.source.vendor {
        Vendor::Legistar => legistar(services, city)?.event_items(meeting).await,
    }
}

fn legistar(services: &Services, city: &StoredCity) -> Result<LegistarClient, VendorError> {
    let source = &city.city.source;
    let base = source.params.get(BASE_URL).map_or(DEFAULT_BASE_URL, String::as_str);
    let attachments = source.params.get(ATTACHMENT_BASE).and_then(|url| WebUrl::parse(url).ok());
    let client = LegistarClient::new(services.http.clone(), base, &source.client)?;
    Ok(client.with_attachment_base(attachments).proven(city.synced_at.is_some()))
}
