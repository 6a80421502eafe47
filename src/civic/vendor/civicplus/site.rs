//! Asks the search, which takes days.

use super::agenda_center::parse_agenda_center;
use crate::civic::{
    model::{Parsed, ParsedMeeting},
    vendor::{
        VendorError, Window,
        site::{Asked, Asker, Site, read_apart},
    },
};

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
        Ok(window.only(read_apart(self.0.page(&url).await?, &url, parse_agenda_center).await?))
    }
}

impl Site for CivicPlus {
    fn group(&self) -> String {
        self.0.group()
    }

    fn meetings(&self, window: Window) -> Asked<'_, ParsedMeeting> {
        Box::pin(self.list(window))
    }
}
