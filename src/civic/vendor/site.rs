//! A city's site at its vendor, whichever it is.

use super::{
    ParseError, VendorError, Window, civicclerk, civicplus, granicus, host_group,
    http::{Ask, FetchError, HttpClient, Response, redacted},
    legistar, primegov,
};
use crate::civic::model::{Parsed, ParsedItem, ParsedMeeting, Source, Vendor, WebUrl};
use futures_util::future::BoxFuture;
use url::Url;

/// Parameter of a source: another address of the site than the vendor's usual one.
pub(super) const BASE_URL: &str = "base_url";

/// A question to a site, under way.
pub type Asked<'a, T> = BoxFuture<'a, Result<Parsed<T>, VendorError>>;

/// What every vendor's site can be asked for.
pub trait Site: Send + Sync {
    /// Which sites go down together with this one: see [`host_group`].
    fn group(&self) -> String;

    /// The meetings of a window. What lies outside is left out, whatever the vendor sends.
    fn meetings(&self, window: Window) -> Asked<'_, ParsedMeeting>;

    /// The items of a meeting's agenda. None: the site tells of no items of this meeting, only of documents; what is known of
    /// items stays.
    fn agenda<'a>(&'a self, _meeting: &'a ParsedMeeting) -> Option<Asked<'a, ParsedItem>> {
        None
    }
}

/// Opens a city's site; asks nothing yet. `proven` says that it has given a list before: what fails then is an outage, and
/// never a wrong name.
///
/// # Errors
/// When the source lacks a parameter, or the address of the site can't be one.
pub fn open(http: &HttpClient, source: &Source, proven: bool) -> Result<Box<dyn Site>, VendorError> {
    let http = http.clone();
    Ok(match source.vendor {
        Vendor::Legistar => Box::new(legistar::site(http, source, proven)?),
        Vendor::PrimeGov => Box::new(primegov::PrimeGov(Asker::new(http, source, "https://{}.primegov.com/", proven)?)),
        Vendor::Granicus => {
            Box::new(granicus::Granicus::new(Asker::new(http, source, "https://{}.granicus.com/", proven)?, source)?)
        }
        Vendor::CivicPlus => {
            Box::new(civicplus::CivicPlus(Asker::new(http, source, "https://{}.civicplus.com/", proven)?))
        }
        Vendor::CivicClerk => {
            Box::new(civicclerk::CivicClerk(Asker::new(http, source, "https://{}.api.civicclerk.com/v1/", proven)?))
        }
    })
}

/// Asks one site.
#[derive(Clone, Debug)]
pub(super) struct Asker {
    http: HttpClient,
    vendor: Vendor,
    client: String,
    base: Url,
    proven: bool,
}

impl Asker {
    /// `usual` is the vendor's address, with `{}` for the client's name.
    fn new(http: HttpClient, source: &Source, usual: &str, proven: bool) -> Result<Self, VendorError> {
        let usual = usual.replace("{}", &source.client);
        let text = source.params.get(BASE_URL).map_or(usual.as_str(), String::as_str);
        let bad = || FetchError::BadUrl { url: format!("the site of {} {:?}", source.vendor, source.client) };
        let mut base = Url::parse(text).ok().filter(|url| url.has_host()).ok_or_else(bad)?;
        // A name is one label of a host: it must not lead to another site.
        if !source.params.contains_key(BASE_URL) && !is_label(&source.client) {
            return Err(bad().into());
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        Ok(Self { http, vendor: source.vendor, client: source.client.clone(), base, proven })
    }

    pub(super) fn group(&self) -> String {
        host_group(&self.base)
    }

    pub(super) const fn base(&self) -> &Url {
        &self.base
    }

    /// What links of this site are relative to.
    pub(super) fn links(&self) -> Option<WebUrl> {
        WebUrl::parse(self.base.as_str()).ok()
    }

    /// A path of the site and its query.
    pub(super) fn url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        // Paths are ours: joining one can't fail.
        let mut url = self.base.join(path).unwrap_or_else(|_| self.base.clone());
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// A list in JSON.
    pub(super) async fn json(&self, url: &Url) -> Result<Response, VendorError> {
        self.get(url, &Ask::json(self.vendor)).await
    }

    /// A page.
    pub(super) async fn page(&self, url: &Url) -> Result<Response, VendorError> {
        self.get(url, &Ask::page(self.vendor)).await
    }

    /// A name that the vendor never had answers 404 from the first day on.
    async fn get(&self, url: &Url, ask: &Ask) -> Result<Response, VendorError> {
        self.http.get(url.as_str(), ask).await.map_err(|error| match error {
            FetchError::Status { status: 404, .. } if !self.proven => VendorError::UnknownClient(self.client.clone()),
            other => other.into(),
        })
    }
}

/// What the links of an answer are relative to: the address that answered, which may be the city's own.
pub(super) fn base_of(response: &Response) -> Option<WebUrl> {
    let mut url = response.final_url.clone();
    url.set_query(None);
    url.set_fragment(None);
    WebUrl::parse(url.as_str()).ok()
}

pub(super) fn unreadable(url: &Url, source: ParseError) -> VendorError {
    VendorError::Parse { url: redacted(url), source }
}

/// A parser of pages: bytes, and what their links are relative to.
type Parser<T> = fn(&[u8], Option<&WebUrl>) -> Result<Parsed<T>, ParseError>;

/// Reads a page beside the other work of the process: a large one takes a tenth of a second.
pub(super) async fn read_apart<T: Send + 'static>(
    response: Response,
    url: &Url,
    parse: Parser<T>,
) -> Result<Parsed<T>, VendorError> {
    let work = tokio::task::spawn_blocking(move || parse(&response.body, base_of(&response).as_ref()));
    match work.await {
        Ok(parsed) => parsed.map_err(|error| unreadable(url, error)),
        Err(broken) => std::panic::resume_unwind(broken.into_panic()),
    }
}

fn is_label(name: &str) -> bool {
    (1..=63).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::civic::vendor::http::HttpSettings;

    fn asker(client: &str, params: &[(&str, &str)]) -> Result<Asker, VendorError> {
        let params = params.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let source = Source { vendor: Vendor::PrimeGov, client: client.to_owned(), params };
        let http = HttpClient::new(&HttpSettings::default()).unwrap();
        Asker::new(http, &source, "https://{}.primegov.com/", false)
    }

    #[test]
    fn a_name_never_leads_to_another_site() {
        assert_eq!(
            asker("longmont", &[]).unwrap().url("api/x", &[("year", "2026")]).as_str(),
            "https://longmont.primegov.com/api/x?year=2026"
        );
        for name in ["", "a.b", "evil.example/", "a@b", "a/b", "a:80", &"x".repeat(64)] {
            assert!(asker(name, &[]).is_err(), "{name}");
        }
        assert!(asker("x", &[(BASE_URL, "not an address")]).is_err());
        assert_eq!(
            asker("x", &[(BASE_URL, "http://127.0.0.1:9/city")]).unwrap().base().as_str(),
            "http://127.0.0.1:9/city/"
        );
    }
}
