//! Items in real agendas, as they were counted by eye.

use crate::fixtures::recordings;
use docket::civic::{
    agenda::{Method, attached, segment},
    document::{Limits, Reader, extract_file},
};
use std::fmt::Write as _;

/// A document, its items, and the titles of the first and the last one.
type Known = (&'static str, usize, &'static str, &'static str);

const AGENDAS: &[Known] = &[
    ("pdf/beverlyhills_agenda_1.pdf", 8, "CONSIDERATION OF MINUTES", "2023 Meeting Schedule"),
    (
        "pdf/burbank_agenda_1.pdf",
        10,
        "DeBell Golf Course Annual Report for Fiscal",
        "Departmental Operations Update Departmental",
    ),
    ("pdf/cuya_health.pdf", 28, "Call to Order.", "Motion to adjourn the meeting."),
    ("pdf/gardena_agenda_1.pdf", 9, "CALL MEETING TO ORDER", "ADJOURNMENT"),
    (
        "civicplus/nc-nashcounty.civicplus.com/get__AgendaCenter_ViewFile_Agenda_05052020_382_477a2f45.pdf",
        10,
        "Call Recessed Meeting to Order – Chairman",
        "Adjournment",
    ),
    ("pdf/hermosa_beach_agenda_1.pdf", 33, "23-0028 MINUTES: Approval of minutes of Closed", "ADJOURNMENT"),
    ("pdf/hidden_hills_agenda_1.pdf", 23, "CALL TO ORDER AND PLEDGE OF ALLEGIANCE", "ADJOURNMENT"),
    (
        "pdf/la_habra_heights_agenda_1.pdf",
        39,
        "CALL MEETING TO ORDER",
        "PUBLIC COMMENTS ON ITEMS NOT ON THE AGENDA (ONE",
    ),
    ("pdf/ladwp_2.pdf", 28, "Roll Call", "Adjournment"),
    ("pdf/ladwp_3.pdf", 27, "Roll Call", "Adjournment"),
    (
        "pdf/lapuente_agenda_1.pdf",
        4,
        "READ AND APPROVE THE MINUTES OF THE SPECIAL",
        "NEW BUSINESS TO BE CONSIDERED BY THE PLANNING",
    ),
    ("pdf/lomita_agenda_1.pdf", 18, "Call Meeting to Order", "ADJOURNMENT"),
    ("pdf/manhattanbeach_agenda_1.pdf", 12, "CALL MEETING TO ORDER", "ADJOURNMENT TO November 23, 2022"),
    ("pdf/palos_verdes_estates_agenda_1.pdf", 13, "November 15, 2022 Planning Commission Action", "Director?s Report"),
    ("pdf/rolling_hills_estates_agenda_2.pdf", 31, "CALL MEETING TO ORDER", "ADJOURNMENT IN MEMORY OF JOHN TABER"),
    (
        "pdf/rpv_agenda_1.pdf",
        17,
        "Presentation to Mayor Bradley and Councilmember",
        "Consideration and possible action to receive a",
    ),
    (
        "pdf/san_diego_city_planning_upcoming_follow_0.pdf",
        3,
        "3903 HAINES STREET – PROJECT NO. 669397",
        "UNIVERSITY COMMUNITY PLAN UPDATE - WORKSHOP",
    ),
    (
        "pdf/san_diego_city_planning_upcoming_follow_1.pdf",
        3,
        "CROWN CASTLE AT&T MONOGAHELA – PROJECT NO.",
        "BLUEPRINT SD - WORKSHOP",
    ),
    (
        "pdf/west_lake_village_agenda_1.pdf",
        11,
        "PUBLIC SAFETY COMMITTEE REPORT",
        "2023 CITY COUNCIL COMMITTEE ASSIGNMENTS",
    ),
];

/// Notices, minutes, a report, a broken file: none has items that could be believed.
const NONE: &[&str] = &[
    "pdf/cjk.pdf",
    "pdf/damaged.pdf",
    "pdf/la_canada_flintridge_agenda_1.pdf",
    "pdf/password_aes128.pdf",
    "pdf/rolling_hills_estates_agenda_1.pdf",
    "civicplus/nc-nashcounty.civicplus.com/get__AgendaCenter_ViewFile_Minutes_05052020_382_182f2026.pdf",
];

#[tokio::test]
async fn the_items_of_every_recorded_agenda_are_found_and_what_is_none_is_suspect() {
    let Some(folder) = recordings() else { return };
    let mut wrong = String::new();
    for (file, count, first, last) in AGENDAS {
        let text = extract_file(&folder.join(file), &Limits::default()).await.unwrap().text;
        let Ok(found) = segment(&text) else {
            writeln!(wrong, "{file}: suspect").unwrap();
            continue;
        };
        let titles: Vec<&str> = found.items.iter().map(|item| item.title.as_str()).collect();
        let ends = (titles[0].starts_with(first), titles[titles.len() - 1].starts_with(last));
        if (titles.len(), ends, found.method) != (*count, (true, true), Method::Numbering) {
            writeln!(wrong, "{file}: {} items, {titles:#?}", titles.len()).unwrap();
        }
    }
    for file in NONE {
        let text = extract_file(&folder.join(file), &Limits::default()).await.unwrap().text;
        if let Ok(found) = segment(&text) {
            writeln!(wrong, "{file}: {} items", found.items.len()).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Counted by eye in the agenda of Rancho Palos Verdes: what is linked at which item.
#[tokio::test]
async fn what_a_recorded_agenda_links_is_at_its_items() {
    let Some(folder) = recordings() else { return };
    let file = folder.join("pdf/rpv_agenda_1.pdf");
    let text = extract_file(&file, &Limits::default()).await.unwrap().text;
    let (items, lines) = (segment(&text).unwrap().items, Reader::default().printed(&file).await.unwrap());
    let links = attached(&items, &lines);
    let told: Vec<String> = items
        .iter()
        .zip(&links)
        .filter(|(_, links)| !links.is_empty())
        .map(|(item, links)| {
            let labels: Vec<&str> = links.iter().map(|link| link.label.as_str()).collect();
            format!("{} {}", item.number.as_deref().unwrap_or_default(), labels.join(", "))
        })
        .collect();
    assert_eq!(
        told,
        [
            "3a Agenda Report",
            "B Draft Minutes",
            "C Register of Demands- CC, Register of Demands- IA",
            "D Agenda Report",
            "E Agenda Report",
            "F Treasurer Report- CC, Treasurer Report- IA",
            "G Agenda Report",
            "H Agenda Report",
            "1 Agenda Report",
            "2 Agenda Report",
        ]
    );
}
