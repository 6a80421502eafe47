//! Asks the portal: what is coming, and the years that are archived.

use super::meetings::{self, from_rows};
use crate::civic::{
    model::{Parsed, ParsedMeeting},
    vendor::{
        VendorError, Window, rows,
        site::{Asked, Asker, Site, unreadable},
    },
};
use url::Url;

/// Years that one listing asks for, the newest: a request each.
const MAX_YEARS: i16 = 30;

/// One city's portal.
#[derive(Clone, Debug)]
pub struct PrimeGov(pub(in crate::civic::vendor) Asker);

impl Site for PrimeGov {
    fn group(&self) -> String {
        self.0.group()
    }

    fn meetings(&self, window: Window) -> Asked<'_, ParsedMeeting> {
        Box::pin(self.list(window))
    }
}

impl PrimeGov {
    async fn list(&self, window: Window) -> Result<Parsed<ParsedMeeting>, VendorError> {
        let path = |list: &str| format!("api/v2/PublicPortal/{list}");
        let mut urls: Vec<Url> = vec![self.0.url(&path("ListUpcomingMeetings"), &[])];
        let first = window.from.year().max(window.to.year().saturating_sub(MAX_YEARS - 1));
        urls.extend(
            (first..=window.to.year())
                .map(|year| self.0.url(&path("ListArchivedMeetings"), &[("year", &year.to_string())])),
        );
        let (mut all, mut warnings) = (Vec::new(), Vec::new());
        for url in &urls {
            let body = self.0.json(url).await?.body;
            let read = rows::read(&body, meetings::ID, &mut warnings).map_err(|error| unreadable(url, error))?;
            all.extend(read);
        }
        let parsed = from_rows(&all, self.0.links().as_ref(), warnings).map_err(|error| unreadable(&urls[0], error))?;
        Ok(window.only(parsed))
    }
}
