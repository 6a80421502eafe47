//! Made agendas of every kind, and what is none.

use super::*;
use crate::civic::agenda::parsed_items;
use proptest::prelude::*;
use std::{collections::BTreeMap, fmt::Write as _};

/// Number, title and section of each item.
fn items(text: &str) -> Vec<(String, String, String)> {
    let found = segment(text).unwrap_or_else(|suspect| panic!("{suspect}: {text}"));
    let told = |item: AgendaItem| (item.number.unwrap_or_default(), item.title, item.section.unwrap_or_default());
    found.items.into_iter().map(told).collect()
}

fn told(items: &[(String, String, String)]) -> Vec<(&str, &str, &str)> {
    items.iter().map(|(number, title, section)| (number.as_str(), title.as_str(), section.as_str())).collect()
}

fn why(text: &str) -> String {
    segment(text).expect_err(text).why
}

/// So many words that nothing is suspect by its brevity.
const PREAMBLE: &str = "City of Exampleville\n12 Main Street, Exampleville\n\nCITY COUNCIL AGENDA\n\n\
    Whoever wants to speak fills in a card and hands it to the clerk before the meeting begins, at any time.\n\
    The clerk calls speakers in the order of their cards. Each of them may speak for three minutes, no longer.\n\n";

#[test]
fn nested_numbers_are_sections_and_their_items() {
    let agenda = format!(
        "{PREAMBLE}1. Call to Order\n2. Consent Agenda\n   2.A Minutes of the meeting of May 5\n   2.B Lease of the library\n\
         3. Public Hearings\n   a. Rezoning of the mill\n   b. Fees of the pool\n4. Adjournment\n"
    );
    let found = items(&agenda);
    let want = [
        ("1", "Call to Order", ""),
        ("2.A", "Minutes of the meeting of May 5", "Consent Agenda"),
        ("2.B", "Lease of the library", "Consent Agenda"),
        ("a", "Rezoning of the mill", "Public Hearings"),
        ("b", "Fees of the pool", "Public Hearings"),
        ("4", "Adjournment", ""),
    ];
    assert_eq!(told(&found), want);
    let consent: Vec<bool> = segment(&agenda).unwrap().items.iter().map(|item| item.consent).collect();
    assert_eq!(consent, [false, true, true, false, false, false]);
}

#[test]
fn numbers_go_on_across_headings_or_begin_anew_under_them() {
    let on = format!(
        "{PREAMBLE}CALL TO ORDER\n\nCONSENT CALENDAR\n\n1. Minutes\n2. Warrants\n\nNEW BUSINESS\n\n3. Lease\n\nADJOURNMENT\n"
    );
    let want =
        [("1", "Minutes", "CONSENT CALENDAR"), ("2", "Warrants", "CONSENT CALENDAR"), ("3", "Lease", "NEW BUSINESS")];
    assert_eq!(told(&items(&on)), want);
    let anew = on.replace("3. Lease", "1. Lease");
    assert_eq!(told(&items(&anew))[2], ("1", "Lease", "NEW BUSINESS"));
}

#[test]
fn roman_numerals_letters_and_digits_are_told_apart_by_their_rows() {
    let agenda = format!(
        "{PREAMBLE}I. CALL TO ORDER\nII. CONSENT CALENDAR\n  A. Minutes\n    1. Of May 5\n    2. Of May 12\n  B. Warrants\n\
         III. NEW BUSINESS\n  A. Lease\n  B. Budget\n  C. Parks\n  D. Pool\n  E. Fees\n  F. Rink\n  G. Bus\n  H. Road\n  I. Mill\n\
         IV. ADJOURNMENT\n\nThis agenda was posted on the board before the town hall, and in the library.\n"
    );
    let numbers: Vec<String> = items(&agenda).into_iter().map(|item| item.0).collect();
    assert_eq!(numbers, ["I", "1", "2", "B", "A", "B", "C", "D", "E", "F", "G", "H", "I", "IV"]);
}

#[test]
fn steps_of_a_recommendation_and_the_roll_are_no_items() {
    let agenda = format!(
        "{PREAMBLE}1. ROLL CALL\n   A. Jane Doe, Mayor\n   B. John Roe, Member\n\
         2. LEASE OF THE LIBRARY\n   Recommendation: that the council\n   1. Approve the lease; and\n   2. Authorize the mayor; and\n\
         \x20  3. Direct staff to return.\n3. BUDGET\n4. ADJOURNMENT\n"
    );
    let found = segment(&agenda).unwrap().items;
    let numbers: Vec<&str> = found.iter().filter_map(|item| item.number.as_deref()).collect();
    assert_eq!(numbers, ["1", "2", "3", "4"]);
    assert!(found[1].body.contains("2. Authorize the mayor"), "{}", found[1].body);
}

#[test]
fn advice_to_speakers_and_what_stands_before_the_meeting_are_no_items() {
    let agenda = format!(
        "{PREAMBLE}HOW TO TAKE PART\n\n1. Come in person\n2. Call (555) 010-0000\n\nCALL TO ORDER\n\nPUBLIC COMMENT\n\n\
         1. ZOOM - https://zoom.example/j/1\n2. PHONE - Meeting ID 123 4567\n\nNEW BUSINESS\n\n1. Lease of the library\n\
         2. Budget of the parks\n\nADJOURNMENT\n\n1. This agenda can be viewed at www.city.example\n"
    );
    let want = [("1", "Lease of the library", "NEW BUSINESS"), ("2", "Budget of the parks", "NEW BUSINESS")];
    assert_eq!(told(&items(&agenda)), want);
}

#[test]
fn an_item_that_a_table_of_contents_lists_comes_once() {
    let agenda = "CITY COUNCIL AGENDA\nTuesday, May 5, 2026, in the council chambers\n\n1. Call to Order ........ 3\n2. Lease of the library ...... 4\n3. Adjournment ...... 9\n\n\
        1. Call to Order\n2. Lease of the library\n   The tenant pays each month for ten years.\n3. Adjournment\n\n\
        STAFF REPORT\n1. Background\n2. Discussion\n";
    let found = segment(agenda).unwrap().items;
    let titles: Vec<&str> = found.iter().map(|item| item.title.as_str()).collect();
    assert_eq!(titles.len(), 3, "{titles:?}");
    assert!(format!("{} {}", found[1].title, found[1].body).contains("each month"));
    let only_listed = &agenda[..agenda.find("1. Call to Order\n").unwrap()];
    let titles: Vec<String> = items(only_listed).into_iter().map(|item| item.1).collect();
    assert_eq!(titles, ["Call to Order", "Lease of the library", "Adjournment"]);
}

#[test]
fn an_agenda_without_numbers_has_its_headings() {
    let agenda = "TOWN BOARD AGENDA\n\nCALL TO ORDER\n\nPUBLIC HEARING\nOn the law on short-term rentals, held over from April.\n\n\
        OLD BUSINESS\nAward of the bid for the salt shed.\n\nADJOURNMENT\n";
    let found = segment(agenda).unwrap();
    assert_eq!(found.method, Method::Headings);
    let told: Vec<_> = found.items.iter().map(|item| (item.title.as_str(), item.body.as_str())).collect();
    let want = [
        ("CALL TO ORDER", ""),
        ("PUBLIC HEARING", "On the law on short-term rentals, held over from April."),
        ("OLD BUSINESS", "Award of the bid for the salt shed."),
    ];
    assert_eq!(told, want);
}

/// Sections of a code, each with numbered conditions.
fn code(sections: usize, heading: impl Fn(usize) -> String) -> String {
    (0..sections).fold("CITY COUNCIL AGENDA PACKET\n\n".to_owned(), |mut text, section| {
        writeln!(
            text,
            "{}17.{:02}.{:03} Permitted uses. The uses of this section are permitted where",
            heading(section),
            section % 90,
            section
        )
        .unwrap();
        for step in 1..5 {
            writeln!(
                text,
                "     {step}. The applicant complies with section {step}.{section} of the code and pays $10.00;"
            )
            .unwrap();
        }
        text
    })
}

#[test]
fn the_728_items_that_were_numbers_of_statutes_are_none() {
    let packet = code(182, |_| String::new());
    assert!(packet.matches("The applicant complies").count() == 728);
    assert_eq!(why(&packet), "nothing says that this is an agenda");
    let headed = code(182, |section| format!("\nPERMITTED USES {section}\n\n"));
    assert!(why(&headed).contains("begin anew 181 times"), "{}", why(&headed));
    let behind_an_agenda = format!("{PREAMBLE}1. Call to Order\n2. Adoption of the code\n3. Adjournment\n\n{packet}");
    assert_eq!(items(&behind_an_agenda).len(), 3);
}

#[test]
fn what_no_agenda_could_be_is_suspect() {
    assert!(why("").contains("no text"));
    assert!(why("The meeting of May 5 has been cancelled.").contains("no items"));
    let many: String = (1..=250).fold("AGENDA\n1. Call to Order\n".to_owned(), |mut text, n| {
        writeln!(text, "{}. A matter of some length that the council will treat", n + 1).unwrap();
        text
    });
    assert!(why(&many).contains("more than the 200"));
    let short: String = (1..=40).map(|n| format!("{n}. Roll call\n")).collect();
    assert!(why(&short).contains("characters"));
    let minutes =
        "The mayor called the meeting to order. On motion of Mr. Roe, duly seconded, the lease was approved.\n";
    assert!(why(&minutes.repeat(30)).contains("no items"));
    let ordinance =
        "AN ORDINANCE\n\n1. The code is amended to read as follows.\n2. This law takes effect in thirty days.\n";
    assert_eq!(why(ordinance), "nothing says that this is an agenda");
}

/// An agenda of these titles, each with a text, with pages that end after some lines.
fn agenda_of(titles: &[String], page: usize) -> String {
    let mut lines = vec!["CITY COUNCIL AGENDA".to_owned(), String::new()];
    lines.extend(["1. CALL TO ORDER", ""].map(str::to_owned));
    for (number, title) in titles.iter().enumerate() {
        lines.extend([format!("{}. {title}", number + 2), String::new()]);
        lines.extend([format!("   The department asks the council to look at the {title} with care."), String::new()]);
    }
    lines.extend([format!("{}. ADJOURNMENT", titles.len() + 2)]);
    lines.chunks(page).map(|chunk| chunk.join("\n") + "\n\u{c}").collect()
}

fn ids(text: &str) -> BTreeMap<String, String> {
    let parsed = parsed_items(&segment(text).unwrap().items);
    parsed.into_iter().map(|item| (item.title.clone(), item.vendor_id.0)).collect()
}

fn titles() -> impl Strategy<Value = Vec<String>> {
    let title = "(Lease|Budget|Sale|Repair|Study) of the (library|mill|park|pool|road|bridge) [a-z]{3,9} [a-z]{3,9}";
    proptest::collection::btree_set(title, 2..12).prop_map(|titles| titles.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_item_keeps_its_id_when_another_is_inserted_or_a_page_ends_elsewhere(
        titles in titles(), at in 0_usize..12, page in 12_usize..60, other in 12_usize..60,
    ) {
        let before = ids(&agenda_of(&titles, page));
        prop_assert_eq!(before.len(), titles.len() + 2);
        let mut more = titles.clone();
        more.insert(at.min(titles.len()), "Something that nobody expected".to_owned());
        let after = ids(&agenda_of(&more, other));
        for (title, id) in &before {
            prop_assert_eq!(after.get(title), Some(id), "{}", title);
        }
        prop_assert_eq!(after.len(), before.len() + 1);
    }

    #[test]
    fn no_two_items_share_an_id(titles in proptest::collection::vec("(Lease|Budget) of the park", 2..9)) {
        let parsed = parsed_items(&segment(&agenda_of(&titles, 40)).unwrap().items);
        let ids: std::collections::BTreeSet<_> = parsed.iter().map(|item| &item.vendor_id).collect();
        prop_assert_eq!(ids.len(), parsed.len());
    }

    #[test]
    fn nothing_is_read_twice_out_of_bounds_or_without_a_title(text in arbitrary()) {
        if let Ok(found) = segment(&text) {
            prop_assert!((1..=MAX_ITEMS).contains(&found.items.len()));
            for item in &found.items {
                prop_assert!(!item.title.is_empty() && !item.title.contains('\n') && item.title.chars().count() < 260);
                prop_assert!(item.body.chars().count() < 4_100 && item.first_page <= item.last_page);
            }
        }
    }
}

/// Lines of the kinds that agendas are made of, in any order.
fn arbitrary() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        "[ ]{0,12}([0-9]{1,3}|[A-Z]|[ivxIVX]{1,4})[.):] {1,4}[A-Za-z0-9 §é–-]{0,60}",
        "[ ]{0,9}[0-9]{1,2}\\.[A-D0-9]\\.? [A-Z][a-z ]{0,40}",
        "CALL TO ORDER|ADJOURNMENT|CONSENT CALENDAR|NEW BUSINESS|AGENDA|\u{c}|ITEM 3: LEASE - More of it",
        "\\PC{0,80}",
        "[A-Z ]{3,40}[:–-]? ?[a-z ]{0,30}",
        Just(String::new()),
    ];
    proptest::collection::vec(line, 0..60).prop_map(|lines| lines.join("\n"))
}
