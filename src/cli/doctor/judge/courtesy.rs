//! What cities see of us.

use super::super::{
    check::Check,
    facts::{Database, Settings},
    finding::Finding,
};
use crate::civic::vendor::http::TlsException;

pub(super) fn judge(settings: &Settings, database: Option<&Database>) -> Vec<Finding> {
    vec![contact(settings, database.map_or(0, |database| database.cities)), tls(&settings.tls_exceptions)]
}

fn contact(settings: &Settings, cities: i64) -> Finding {
    if settings.has_contact {
        return Finding::ok(Check::Contact, "the user agent says how to reach who runs this, or no city is asked");
    }
    if cities == 0 {
        return Finding::ok(Check::Contact, "none is set, and no city of a vendor is followed");
    }
    Finding::warning(
        Check::Contact,
        format!("{cities} cities are followed, and the user agent doesn't say how to reach who asks them"),
        "set DOCKET_CONTACT to a mail address or a page: who is asked too much can write before he blocks",
    )
}

fn tls(exceptions: &[TlsException]) -> Finding {
    if exceptions.is_empty() {
        return Finding::ok(Check::TlsExceptions, "every host's certificate is verified");
    }
    let told: Vec<String> =
        exceptions.iter().map(|exception| format!("{} ({})", exception.host, exception.reason)).collect();
    Finding::warning(
        Check::TlsExceptions,
        format!("certificates are not verified: {}", told.join("; ")),
        "take a host out of DOCKET_TLS_EXCEPTIONS as soon as its certificate is mended",
    )
}

#[cfg(test)]
mod tests {
    use super::{super::healthy, *};
    use crate::cli::doctor::finding::Level;

    #[test]
    fn a_contact_is_missed_where_cities_are_followed() {
        let (mut settings, mut database) = (healthy::settings(), healthy::database());
        let level = |settings: &Settings, database: &Database| judge(settings, Some(database))[0].level;
        assert_eq!(level(&settings, &database), Level::Ok);
        settings.has_contact = false;
        assert_eq!(level(&settings, &database), Level::Warning);
        database.cities = 0;
        assert_eq!(level(&settings, &database), Level::Ok);
    }

    #[test]
    fn an_exception_is_told_with_its_reason() {
        let mut settings = healthy::settings();
        settings.tls_exceptions = vec!["docs.city.example=expired".parse().expect("an exception")];
        let finding = &judge(&settings, None)[1];
        assert!(finding.level == Level::Warning && finding.seen.contains("docs.city.example (expired)"), "{finding:?}");
    }
}
