//! The links of a row: to documents of its meeting.

use super::rows::{address, warn};
use crate::civic::model::{DocumentRole, ParsedDocument, ParsedMeeting, Warning, WarningCode, WebUrl};

/// Documents of one meeting that are read; the most seen are seven.
pub(super) const MAX_DOCUMENTS: usize = 200;

/// Collects the documents of one meeting; what is no web address is a warning.
pub(super) struct Links<'a> {
    base: Option<&'a WebUrl>,
    id: &'a str,
    warnings: &'a mut Vec<Warning>,
    documents: Vec<ParsedDocument>,
}

impl<'a> Links<'a> {
    pub(super) const fn new(base: Option<&'a WebUrl>, id: &'a str, warnings: &'a mut Vec<Warning>) -> Self {
        Self { base, id, warnings, documents: Vec::new() }
    }

    /// Notes a document, the same link once. Of a picture and the words beside it, which lead to one file, those count that
    /// call off the meeting.
    pub(super) fn add(&mut self, role: DocumentRole, name: &str, href: &str) {
        // As browsers read it: a line may end within an address.
        let href: String = href.chars().filter(|c| !c.is_control()).collect();
        let href = href.trim();
        if let Some(known) = self.documents.iter_mut().find(|document| document.href == href) {
            let is_notice = |name: &str| DocumentRole::of_name(name) == DocumentRole::Notice && name.len() < 40;
            if is_notice(name) && !is_notice(&known.name) {
                (known.role, known.name) = (role, name.to_owned());
            }
            return;
        }
        if href.is_empty() || self.documents.len() >= MAX_DOCUMENTS {
            return;
        }
        let Some(url) = self.resolve(name, href) else { return };
        self.documents.push(ParsedDocument { role, name: name.to_owned(), href: href.to_owned(), url });
    }

    /// Tells that a document has no address.
    pub(super) fn nowhere(&mut self, name: &str) {
        warn(self.warnings, WarningCode::RefusedLink, &format!("the document {name:?} has no address"), Some(self.id));
    }

    /// A link that is no document, such as that to the meeting's page.
    pub(super) fn page(&mut self, name: &str, href: &str) -> Option<WebUrl> {
        self.resolve(name, href.trim()).flatten()
    }

    /// None: it is refused. None within: nobody knows what it is relative to.
    fn resolve(&mut self, name: &str, href: &str) -> Option<Option<WebUrl>> {
        let (code, why) = match address(href, self.base) {
            Ok(url) => return Some(Some(url)),
            Err(refused) => refused,
        };
        // The link itself may hold credentials or script: only its name is told.
        warn(self.warnings, code, &format!("the link {name:?} has no address: {why}"), Some(self.id));
        (code == WarningCode::RelativeLink).then_some(None)
    }

    pub(super) fn end(self) -> Vec<ParsedDocument> {
        self.documents
    }
}

/// Gives a meeting its documents. The agenda is the first of them, or the packet that holds it.
pub(super) fn publish(meeting: &mut ParsedMeeting, documents: Vec<ParsedDocument>) {
    let first = |role: DocumentRole, word: &str| {
        let is_meant =
            |document: &&ParsedDocument| document.role == role && document.name.to_lowercase().contains(word);
        documents.iter().filter(is_meant).find_map(|document| document.url.clone())
    };
    meeting.agenda_url = first(DocumentRole::Agenda, "").or_else(|| first(DocumentRole::Packet, ""));
    // A clerk's report may stand among the minutes: what is called so is.
    meeting.minutes_url = first(DocumentRole::Minutes, "minutes").or_else(|| first(DocumentRole::Minutes, ""));
    meeting.documents = documents;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_resolved_kept_relative_or_refused() {
        let base = WebUrl::parse("https://city.example/AgendaCenter").unwrap();
        let hrefs = ["/ViewFile/1", "//cdn.example/a.pdf", "javascript:alert(1)", "/ViewFile/1", " "];
        let run = |base: Option<&WebUrl>| {
            let mut warnings = Vec::new();
            let mut links = Links::new(base, "7", &mut warnings);
            hrefs.iter().for_each(|href| links.add(DocumentRole::Agenda, "Agenda", href));
            let urls: Vec<_> = links.end().into_iter().map(|document| document.url.map(String::from)).collect();
            (urls, warnings.iter().map(|warning| warning.code).collect::<Vec<_>>())
        };
        let at = |url: &str| Some(url.to_owned());
        let want = vec![at("https://city.example/ViewFile/1"), at("https://cdn.example/a.pdf")];
        assert_eq!(run(Some(&base)), (want, vec![WarningCode::RefusedLink]));
        let relative = WarningCode::RelativeLink;
        assert_eq!(run(None), (vec![None, None], vec![relative, relative, WarningCode::RefusedLink]));
    }
}
