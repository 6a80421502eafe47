//! Which sites go down together.

use url::Url;

/// Domains under which a vendor runs the sites of all its cities.
const SHARED: &[&str] = &["legistar.com", "primegov.com", "granicus.com", "civicclerk.com"];
/// Where Legistar keeps its files, under the roof of Granicus.
const FILES_OF_LEGISTAR: &[&str] =
    &["legistar.granicus.com", "legistar1.granicus.com", "legistar2.granicus.com", "legistar3.granicus.com"];

/// The group of hosts that an address belongs to: a vendor's domain, or a host of its own, with its port where that is not the
/// usual one.
///
/// It is the key of the circuit breaker before it. A city of `CivicPlus` is a host of its own: many lead to the
/// city's domain.
#[must_use]
pub fn host_group(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let is_of = |domain: &&&str| host.strip_suffix(**domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    if FILES_OF_LEGISTAR.contains(&host) {
        return "legistar.com".to_owned();
    }
    match (SHARED.iter().find(is_of), url.port()) {
        (Some(domain), _) => (*domain).to_owned(),
        (None, Some(port)) => format!("{host}:{port}"),
        (None, None) => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cities_of_a_vendor_are_one_group_and_all_others_their_own() {
        for (url, group) in [
            ("https://webapi.legistar.com/v1/seattle/events", "legistar.com"),
            ("https://seattle.legistar.com/View.ashx?ID=1", "legistar.com"),
            ("https://legistar2.granicus.com/seattle/attachments/1.pdf", "legistar.com"),
            ("https://lomita.granicus.com/ViewPublisher.php?view_id=3", "granicus.com"),
            ("https://ks-liberal.civicplus.com/AgendaCenter", "ks-liberal.civicplus.com"),
            ("https://notlegistar.com/", "notlegistar.com"),
            ("https://legistar.com.evil.example/", "legistar.com.evil.example"),
            ("https://portagemi.api.civicclerk.com/v1/Events", "civicclerk.com"),
            ("https://www.cityofcolumbuswi.com/AgendaCenter", "www.cityofcolumbuswi.com"),
            ("http://127.0.0.1:8080/city", "127.0.0.1:8080"),
        ] {
            assert_eq!(host_group(&Url::parse(url).unwrap()), group, "{url}");
        }
    }
}
