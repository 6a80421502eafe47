//! Links of a page or a cover sheet that lead to documents.

use crate::civic::model::WebUrl;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use url::Url;

/// Links of one document that are kept; those that are embedded come first.
pub(super) const MAX_LINKS: usize = 100;
/// Documents behind one page that are followed.
pub const MAX_TARGETS: usize = 25;
/// Longest name that a link keeps, in characters.
const MAX_LABEL: usize = 200;

/// A link as it stands in a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Where it leads; may be relative.
    pub href: String,
    /// What a reader sees of it.
    pub label: String,
    /// It is shown as part of the page, or the page leads there by itself.
    pub embedded: bool,
}

impl Link {
    /// A link; its label is cut.
    pub(super) fn new(href: &str, label: &str, embedded: bool) -> Self {
        let label = label.split_whitespace().collect::<Vec<_>>().join(" ");
        Self { href: href.trim().to_owned(), label: label.chars().take(MAX_LABEL).collect(), embedded }
    }
}

/// Ends of files that can be read.
const FILES: &[&str] = &[".pdf", ".docx", ".doc", ".rtf"];
/// Parts of the addresses under which vendors keep documents.
const PLACES: &[&str] = &[
    "metaviewer.php",
    "/viewfile/",
    "view.ashx",
    "getmeetingfilestream",
    "/compileddocument",
    "historyattachment",
    "filestream.ashx",
    "fileopen.aspx",
    "displayagendapdf",
    "documentviewer.php",
    "/documentcenter/view/",
    "/downloadfile",
];
/// What pages embed that is no document.
const EMBEDDED: &[&str] = &[
    "youtube.",
    "youtu.be",
    "vimeo.com",
    "google.com/maps",
    "maps.google.",
    "recaptcha",
    "googletagmanager",
    "facebook.",
    "twitter.",
    "swagit.com",
    "about:",
];

/// True for an address, perhaps relative, that looks like a document's.
#[must_use]
pub fn is_document(href: &str) -> bool {
    let lower = href.to_ascii_lowercase();
    let path = &lower[..lower.find(['?', '#']).unwrap_or(lower.len())];
    FILES.iter().any(|end| path.ends_with(end)) || PLACES.iter().any(|place| lower.contains(place))
}

/// The documents that the links of a document at `own` lead to: absolute, each once, not the document itself, at most
/// [`MAX_TARGETS`]. `base` is what they are relative to.
#[must_use]
pub fn targets(links: &[Link], base: &WebUrl, own: &str) -> Vec<(String, WebUrl)> {
    let mut seen = BTreeSet::from([plain(own), plain(base.as_str())]);
    let mut found = Vec::new();
    for link in links.iter().filter(|link| link.embedded).chain(links.iter().filter(|link| !link.embedded)) {
        let Ok(url) = WebUrl::join(base, &link.href) else { continue };
        let Some(url) = unwrapped(&url) else { continue };
        let lower = url.as_str().to_ascii_lowercase();
        let is_other = EMBEDDED.iter().any(|other| lower.contains(other));
        if is_other || !(link.embedded || is_document(&lower)) || !seen.insert(plain(url.as_str())) {
            continue;
        }
        let name = if link.label.is_empty() { file_name(&url) } else { link.label.clone() };
        found.push((name, url));
        if found.len() == MAX_TARGETS {
            break;
        }
    }
    found
}

/// An address without its fragment, which is a place in the same document.
fn plain(url: &str) -> String {
    url.split('#').next().unwrap_or_default().trim_end_matches('/').to_owned()
}

/// What a viewer of documents shows: its address holds the document's. None: that is no address of the web.
fn unwrapped(url: &WebUrl) -> Option<WebUrl> {
    let mut parsed = Url::parse(url.as_str()).ok()?;
    parsed.set_fragment(None);
    let parameter = match parsed.host_str()? {
        "docs.google.com" | "drive.google.com" if parsed.path().contains("view") => "url",
        "view.officeapps.live.com" => "src",
        _ => return WebUrl::parse(parsed.as_str()).ok(),
    };
    let shown = parsed.query_pairs().find(|(name, _)| name == parameter).map(|(_, value)| value.into_owned());
    shown.map_or_else(|| WebUrl::parse(parsed.as_str()).ok(), |shown| WebUrl::parse(&shown).ok())
}

fn file_name(url: &WebUrl) -> String {
    let path = url.as_str().split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').find(|part| !part.is_empty()).unwrap_or_default();
    name.chars().take(MAX_LABEL).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(own: &str, links: &[(&str, bool)]) -> Vec<String> {
        let links: Vec<_> = links.iter().map(|(href, embedded)| Link::new(href, "", *embedded)).collect();
        targets(&links, &WebUrl::parse(own).unwrap(), own).into_iter().map(|(_, url)| url.to_string()).collect()
    }

    #[test]
    fn addresses_of_vendors_are_documents() {
        for href in [
            "/files/Report.PDF",
            "a.docx?x=1",
            "MetaViewer.php?view_id=3&meta_id=5",
            "/AgendaCenter/ViewFile/Agenda/_01092024-5",
            "https://c.legistar.com/View.ashx?M=F&ID=1",
            "Meetings/GetMeetingFileStream(fileId=9,plainText=false)",
            "/Public/CompiledDocument?meetingTemplateId=4",
            "/api/compilemeetingattachmenthistory/historyattachment/?historyId=1",
            "FileStream.ashx?DocumentId=7",
        ] {
            assert!(is_document(href), "{href}");
        }
        for href in ["/", "index.html", "mailto:clerk@city.example", "/about?file=pdf", "pdf", "javascript:view()"] {
            assert!(!is_document(href), "{href}");
        }
    }

    #[test]
    fn what_is_hostile_or_the_page_itself_is_left_out() {
        let own = "https://city.example/viewer/agenda.pdf?id=1";
        let found = at(
            own,
            &[
                ("javascript:alert('a.pdf')", true),
                ("file:///etc/passwd.pdf", true),
                ("https://user:pw@city.example/b.pdf", false),
                ("#page=2", true),
                ("?id=1", true),
                ("https://www.youtube.com/embed/x", true),
                ("/home", false),
                ("c.pdf#page=3", false),
                ("c.pdf", false),
            ],
        );
        assert_eq!(found, ["https://city.example/viewer/c.pdf"]);
    }

    #[test]
    fn a_viewer_shows_another_address() {
        let found = at(
            "https://city.example/a",
            &[
                ("https://docs.google.com/gview?url=https%3A%2F%2Fcity.example%2Fa.pdf&embedded=true", true),
                ("https://docs.google.com/viewer?url=file:///etc/passwd", true),
                ("https://view.officeapps.live.com/op/view.aspx?src=https%3A%2F%2Fcity.example%2Fb.docx", true),
                ("/pdfjs/web/frame?x=1", true),
            ],
        );
        let want =
            ["https://city.example/a.pdf", "https://city.example/b.docx", "https://city.example/pdfjs/web/frame?x=1"];
        assert_eq!(found, want);
    }

    #[test]
    fn no_page_leads_to_more_than_so_many() {
        let hrefs: Vec<String> = (0..10_000).map(|i| format!("{i}.pdf")).collect();
        let links: Vec<_> = hrefs.iter().map(|href| (href.as_str(), false)).collect();
        assert_eq!(at("https://city.example/", &links).len(), MAX_TARGETS);
    }

    proptest! {
        #[test]
        fn no_link_breaks_it(href in ".{0,80}", embedded: bool) {
            for url in at("https://city.example/x/", &[(&href, embedded)]) {
                prop_assert!(url.starts_with("http"), "{}", url);
            }
        }
    }
}
