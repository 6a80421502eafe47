//! Asks the search, which takes days.

use super::agenda_center::parse_agenda_center;
use crate::civic::{
    model::{Parsed, ParsedItem, ParsedMeeting},
    vendor::{
        VendorError, Window,
        site::{Asker, Site, read_apart},
    },
};
use futures_util::future::BoxFuture;

/// One city's agenda centre.
#[derive(Clone, Debug)]
pub struct CivicPlus(pub(in crate::civic::vendor) Asker);

impl CivicPlus {
    async fn list(&self, window: Window) -> Result<Parsed<ParsedMeeting>, VendorError> {
        let [from, to] = [window.from, window.to].map(|date| date.strftime("%m/%d/%Y").to_string());
        let query = [
            ("term", ""),
            ("CIDs", "all"),
            ("startDate", &from),
            ("endDate", &to),
            ("dateRange", ""),
            ("dateSelector", ""),
        ];
        let url = self.0.url("AgendaCenter/Search/", &query);
        let mut parsed = read_apart(self.0.page(&url).await?, &url, parse_agenda_center).await?;
        parsed.values.retain(|meeting| window.contains(meeting.local_date));
        Ok(parsed)
    }
}

impl Site for CivicPlus {
    fn group(&self) -> String {
        self.0.group()
    }

    fn meetings(&self, window: Window) -> BoxFuture<'_, Result<Parsed<ParsedMeeting>, VendorError>> {
        Box::pin(self.list(window))
    }

    /// Its agendas are documents.
    fn agenda<'a>(&'a self, _: &'a ParsedMeeting) -> BoxFuture<'a, Result<Option<Parsed<ParsedItem>>, VendorError>> {
        Box::pin(async { Ok(None) })
    }
}
