//! Asks for the page of a view, which is the whole archive each time.

use super::archive::parse_archive;
use crate::civic::{
    model::{Parsed, ParsedMeeting, Source},
    vendor::{
        VendorError, Window,
        site::{Asked, Asker, Site, read_apart},
    },
};

/// Parameter of a source: which of the city's views is read.
const VIEW: &str = "view_id";

/// One city's view.
#[derive(Clone, Debug)]
pub struct Granicus {
    asker: Asker,
    view: String,
}

impl Granicus {
    pub(in crate::civic::vendor) fn new(asker: Asker, source: &Source) -> Result<Self, VendorError> {
        let view = source.params.get(VIEW).filter(|view| !view.is_empty() && view.bytes().all(|b| b.is_ascii_digit()));
        let view = view.ok_or(VendorError::Parameter { name: VIEW, example: "--param view_id=3" })?;
        Ok(Self { asker, view: view.clone() })
    }

    /// What is not of the window is dropped before anything of it is downloaded: archives reach back twenty years.
    async fn list(&self, window: Window) -> Result<Parsed<ParsedMeeting>, VendorError> {
        let url = self.asker.url("ViewPublisher.php", &[(VIEW, &self.view)]);
        Ok(window.only(read_apart(self.asker.page(&url).await?, &url, parse_archive).await?))
    }
}

impl Site for Granicus {
    fn group(&self) -> String {
        self.asker.group()
    }

    fn meetings(&self, window: Window) -> Asked<'_, ParsedMeeting> {
        Box::pin(self.list(window))
    }
}
