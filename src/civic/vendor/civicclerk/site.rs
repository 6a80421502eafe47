//! Asks the API: events page by page, and the agendas that they name.

use super::{
    events::{agenda_of, from_rows, page},
    items::parse_items,
};
use crate::civic::{
    model::{Parsed, ParsedItem, ParsedMeeting},
    vendor::{
        ParseError, VendorError, Window,
        site::{Asked, Asker, Site, unreadable},
    },
};
use jiff::ToSpan;

/// Pages of one window.
const MAX_PAGES: usize = 50;
/// Bytes of all pages together.
const MAX_BYTES: usize = 128 << 20;

/// One city's API.
#[derive(Clone, Debug)]
pub struct CivicClerk(pub(in crate::civic::vendor) Asker);

impl CivicClerk {
    async fn list(&self, window: Window) -> Result<Parsed<ParsedMeeting>, VendorError> {
        let end = window.to.saturating_add(1.day());
        // It says Z and means the city's clocks, here as in its answers.
        let filter = format!("startDateTime ge {}T00:00:00Z and startDateTime lt {end}T00:00:00Z", window.from);
        let first = self.0.url("Events", &[("$filter", &filter), ("$orderby", "startDateTime")]);
        let (mut all, mut warnings, mut bytes, mut url) = (Vec::new(), Vec::new(), 0, first.clone());
        for _ in 0..MAX_PAGES {
            let body = self.0.json(&url).await?.body;
            bytes += body.len();
            let read = page(&body, &mut warnings).map_err(|error| unreadable(&url, error))?;
            all.extend(read.rows);
            let Some(next) = read.next else {
                let parsed =
                    from_rows(&all, self.0.links().as_ref(), warnings).map_err(|error| unreadable(&first, error))?;
                return Ok(window.only(parsed));
            };
            // A page must not lead to another site.
            let next = self.0.base().join(&next).ok().filter(|next| next.origin() == self.0.base().origin());
            url = next
                .ok_or_else(|| unreadable(&first, ParseError::Shape("its next page is at another site".to_owned())))?;
            if bytes > MAX_BYTES {
                break;
            }
        }
        Err(unreadable(&first, ParseError::Shape("the list has no end: 50 pages, or 128 MiB".to_owned())))
    }

    async fn items(&self, agenda: &str) -> Result<Parsed<ParsedItem>, VendorError> {
        let url = self.0.url(&format!("Meetings/{agenda}"), &[]);
        let body = self.0.json(&url).await?.body;
        parse_items(&body, self.0.links().as_ref()).map_err(|error| unreadable(&url, error))
    }
}

impl Site for CivicClerk {
    fn group(&self) -> String {
        self.0.group()
    }

    fn meetings(&self, window: Window) -> Asked<'_, ParsedMeeting> {
        Box::pin(self.list(window))
    }

    fn agenda<'a>(&'a self, meeting: &'a ParsedMeeting) -> Option<Asked<'a, ParsedItem>> {
        Some(Box::pin(self.items(agenda_of(meeting)?)))
    }
}
