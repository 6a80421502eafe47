//! One document under two meetings.

use super::{Segmented, Suspect, shows_day};
use jiff::civil::Date;

/// Another meeting that has the same document for its agenda.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// Its title.
    pub title: String,
    /// Its day.
    pub day: Date,
}

/// Gives the items to the meeting that the document is of, where its date tells; where it doesn't, says that they are
/// listed twice.
///
/// # Errors
/// The suspicion, if the document is another meeting's.
pub fn shared(
    found: Result<Segmented, Suspect>,
    text: &str,
    own: Date,
    others: &[Other],
) -> Result<Segmented, Suspect> {
    let mut found = found?;
    let Some(first) = others.first() else { return Ok(found) };
    if !shows_day(text, own) {
        let owner = others.iter().find(|other| other.day != own && shows_day(text, other.day));
        if let Some(Other { title, day }) = owner {
            return Err(Suspect {
                why: format!("the document is of {day}, and of {title:?} there"),
                method: found.method,
            });
        }
    }
    let Other { title, day } = first;
    found.warnings.push(format!("the same document is the agenda of {title:?}, {day}"));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::civic::agenda::segment;
    use jiff::civil::date;

    const TEXT: &str = "City of Exampleville\nTuesday, May 5, 2026\nCITY COUNCIL AGENDA\n\n1. Call to Order\n\
        2. Lease of the library to the society\n3. Adjournment\n";

    fn read(text: &str, own: Date, others: &[(&str, Date)]) -> Result<Segmented, Suspect> {
        let others: Vec<Other> =
            others.iter().map(|(title, day)| Other { title: (*title).to_owned(), day: *day }).collect();
        shared(segment(text), text, own, &others)
    }

    #[test]
    fn one_packet_under_two_titles_belongs_to_the_day_that_it_names() {
        let (fifth, twelfth) = (date(2026, 5, 5), date(2026, 5, 12));
        let here = read(TEXT, fifth, &[("Planning", twelfth)]).unwrap();
        assert_eq!(here.items.len(), 3);
        assert!(here.warnings[0].contains("Planning"), "{:?}", here.warnings);
        let there = read(TEXT, twelfth, &[("Council", fifth)]).unwrap_err();
        assert!(there.why.contains("2026-05-05"), "{there}");
    }

    #[test]
    fn where_no_date_tells_both_have_it_and_both_say_so() {
        let day = date(2026, 5, 5);
        assert_eq!(read(TEXT, day, &[("Housing Authority", day)]).unwrap().warnings.len(), 1);
        let undated = TEXT.replace("Tuesday, May 5, 2026", "In the council chambers of the city");
        assert_eq!(read(&undated, day, &[("Planning", date(2026, 5, 12))]).unwrap().warnings.len(), 1);
        assert_eq!(read(TEXT, day, &[]).unwrap().warnings.len(), 0);
    }

    #[test]
    fn days_are_read_as_clerks_write_them() {
        let day = date(2026, 5, 6);
        for text in ["Wednesday, May 6, 2026", "MAY 6, 2026", "5/6/2026", "05/06/26", "2026-05-06", "6 May 2026"] {
            assert!(shows_day(text, day), "{text}");
        }
        for text in ["May 16, 2026", "15/6/2026", "May 6, 20267", "May 7, 2026", ""] {
            assert!(!shows_day(text, day), "{text}");
        }
    }
}
