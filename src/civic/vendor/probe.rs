//! Which vendor runs a city's site: by its address, or by where its pages lead. There is no directory of cities.

use super::html::{Page, number_after, selector};
use crate::civic::model::{Source, Vendor, WebUrl};
use serde::Serialize;
use std::collections::BTreeMap;
use url::Url;

/// Links of a page that are looked at.
const MAX_LINKS: usize = 5_000;

/// A vendor, and how its site is named in a city's source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Recognised {
    /// What `docket cities add` is told.
    pub source: Source,
    /// The address that told it.
    pub evidence: String,
}

/// Recognises a site by the address that answered, else by the links of its page, the most frequent first.
#[must_use]
pub fn recognise(answered: &Url, page: &[u8]) -> Vec<Recognised> {
    let mut found: BTreeMap<(Vendor, String), (usize, Recognised)> = BTreeMap::new();
    let mut note = |url: &Url, weight: usize| {
        let Some(source) = source_of(url) else { return };
        let key = (source.vendor, source.client.clone());
        let one = Recognised { source, evidence: format!("{}{}", url.origin().ascii_serialization(), url.path()) };
        let (times, known) = found.entry(key).or_insert_with(|| (0, one.clone()));
        *times += weight;
        // One link of a city's site names its view, others don't.
        for (name, value) in one.source.params {
            known.source.params.entry(name).or_insert(value);
        }
    };
    note(answered, MAX_LINKS);
    let base = WebUrl::parse(answered.as_str()).ok();
    if let Ok(page) = Page::read(page, base.as_ref()) {
        let links = selector("a[href], iframe[src], form[action]");
        for element in page.all(&links).take(MAX_LINKS) {
            let link = ["href", "src", "action"].iter().find_map(|name| element.attr(name));
            if let Some(url) = link.and_then(|link| answered.join(link).ok()) {
                note(&url, 1);
            }
        }
    }
    let mut found: Vec<(usize, Recognised)> = found.into_values().collect();
    found.sort_by_key(|(times, _)| std::cmp::Reverse(*times));
    found.into_iter().map(|(_, one)| one).collect()
}

/// The source that an address belongs to.
fn source_of(url: &Url) -> Option<Source> {
    let host = url.host_str()?;
    let under = |domain: &str| host.strip_suffix(domain)?.strip_suffix('.').map(ToOwned::to_owned);
    let mut params = BTreeMap::new();
    let (vendor, client) = if let Some(name) = under("legistar.com") {
        // The API has the client in its path.
        let client =
            if name == "webapi" { url.path().strip_prefix("/v1/")?.split('/').next()?.to_owned() } else { name };
        (Vendor::Legistar, client)
    } else if let Some(name) = under("primegov.com") {
        (Vendor::PrimeGov, name)
    } else if let Some(name) = under("granicus.com") {
        params.extend(number_after(url.as_str(), "view_id=").map(|view| ("view_id".to_owned(), view.to_owned())));
        (Vendor::Granicus, name)
    } else if let Some(name) = under("civicclerk.com") {
        (Vendor::CivicClerk, name.split('.').next()?.to_owned())
    } else if url.path().to_ascii_lowercase().starts_with("/agendacenter") {
        match under("civicplus.com") {
            Some(name) => (Vendor::CivicPlus, name),
            None => {
                params.insert("base_url".to_owned(), format!("{}/", url.origin().ascii_serialization()));
                (Vendor::CivicPlus, host.to_owned())
            }
        }
    } else {
        return None;
    };
    let is_name = !client.is_empty() && client != "www" && (vendor == Vendor::CivicPlus || !client.contains('.'));
    is_name.then_some(Source { vendor, client, params })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(url: &str, page: &str) -> Option<(Vendor, String, BTreeMap<String, String>)> {
        let one = recognise(&Url::parse(url).unwrap(), page.as_bytes()).into_iter().next()?;
        Some((one.source.vendor, one.source.client, one.source.params))
    }

    #[test]
    fn an_address_tells_its_vendor() {
        let params = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
        for (url, vendor, client, with) in [
            ("https://seattle.legistar.com/Calendar.aspx", Vendor::Legistar, "seattle", BTreeMap::new()),
            ("https://webapi.legistar.com/v1/seattle/events", Vendor::Legistar, "seattle", BTreeMap::new()),
            ("https://longmont.primegov.com/public/portal", Vendor::PrimeGov, "longmont", BTreeMap::new()),
            (
                "https://lomita.granicus.com/ViewPublisher.php?view_id=3",
                Vendor::Granicus,
                "lomita",
                params("view_id", "3"),
            ),
            ("https://portagemi.portal.civicclerk.com/", Vendor::CivicClerk, "portagemi", BTreeMap::new()),
            ("https://ks-liberal.civicplus.com/AgendaCenter", Vendor::CivicPlus, "ks-liberal", BTreeMap::new()),
            (
                "https://www.columbus.example/AgendaCenter/",
                Vendor::CivicPlus,
                "www.columbus.example",
                params("base_url", "https://www.columbus.example/"),
            ),
        ] {
            assert_eq!(first(url, ""), Some((vendor, client.to_owned(), with)), "{url}");
        }
    }

    #[test]
    fn a_citys_own_page_tells_it_by_its_links() {
        let page = "<a href='https://www.granicus.com/'>by</a><a href='//lomita.granicus.com/AgendaViewer.php?clip_id=1'>A</a>\
                    <iframe src='https://lomita.granicus.com/ViewPublisher.php?view_id=3'></iframe>\
                    <a href='https://other.legistar.com/'>neighbours</a><a href='javascript:x'>x</a>";
        let (vendor, client, params) = first("https://city.example/meetings", page).unwrap();
        assert_eq!((vendor, client.as_str(), params["view_id"].as_str()), (Vendor::Granicus, "lomita", "3"));
    }

    #[test]
    fn nothing_is_guessed() {
        for (url, page) in [
            ("https://city.example/", ""),
            ("https://city.example/", "<a href='https://notlegistar.com/'>x</a>"),
            ("https://city.example/", "{\"legistar.com\": 1}"),
            ("https://www.granicus.com/", "<p>"),
            ("https://a.b.primegov.com/", "<p>"),
        ] {
            assert_eq!(recognise(&Url::parse(url).unwrap(), page.as_bytes()), [], "{url} {page}");
        }
    }
}
