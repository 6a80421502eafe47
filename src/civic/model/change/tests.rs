use super::*;
use crate::civic::model::{MeetingStatus, ParsedAttachment, WebUrl};
use jiff::civil::{date, time};
use proptest::prelude::*;

fn meeting() -> ParsedMeeting {
    ParsedMeeting::new("7".into(), "City Council".into(), date(2026, 3, 8))
}

fn url(name: &str) -> WebUrl {
    WebUrl::parse(&format!("https://city.example/{name}.pdf")).unwrap()
}

fn item(id: &str, number: &str, title: &str, papers: &[&str]) -> ParsedItem {
    let attachment = |name: &&str| ParsedAttachment { vendor_id: None, name: (*name).to_owned(), url: url(name) };
    ParsedItem {
        vendor_id: id.into(),
        sequence: None,
        number: Some(number.to_owned()),
        title: title.to_owned(),
        matter: None,
        attachments: papers.iter().map(attachment).collect(),
        note: None,
        action: None,
        consent: false,
    }
}

fn kinds(before: &[ParsedItem], after: &[ParsedItem]) -> Vec<ChangeKind> {
    let meeting = meeting();
    agenda_changes((&meeting, before), (&meeting, after)).into_iter().map(|change| change.kind).collect()
}

#[test]
fn each_difference_of_two_agendas_has_its_kind() {
    use ChangeKind::{
        DocumentAdded, DocumentRemoved, ItemAdded, ItemRemoved, ItemRenumbered, ItemRetitled, OtherChanged,
    };
    let one = item("1", "1.", "Lease", &["a"]);
    let noted = ParsedItem { note: Some("as amended".into()), ..one.clone() };
    for (after, want) in [
        (vec![one.clone()], vec![]),
        (vec![one.clone(), item("2", "2.", "Budget", &["b"])], vec![ItemAdded]),
        (vec![], vec![ItemRemoved]),
        (vec![item("1", "1.", "Lease, amended", &["a"])], vec![ItemRetitled]),
        (vec![item("1", "4.", "Lease", &["a"])], vec![ItemRenumbered]),
        (vec![item("1", "1.", "Lease", &["a", "b"])], vec![DocumentAdded]),
        (vec![item("1", "1.", "Lease", &["b"])], vec![DocumentAdded, DocumentRemoved]),
        (vec![item("9", "1.", "Lease", &["a"])], vec![OtherChanged]),
        (vec![item("9", "2.", "Lease", &["a"])], vec![ItemRenumbered]),
        (vec![item("9", "1.", "Rezoning", &["a"])], vec![ItemAdded, ItemRemoved]),
        (vec![noted], vec![OtherChanged]),
    ] {
        assert_eq!(kinds(std::slice::from_ref(&one), &after), want, "{after:?}");
    }
    let with_agenda = ParsedMeeting { agenda_url: Some(url("agenda")), ..meeting() };
    let changes = agenda_changes((&meeting(), &[]), (&with_agenda, &[]));
    assert_eq!((changes.len(), changes[0].kind, changes[0].after.as_deref()), (1, DocumentAdded, Some("Agenda")));
}

#[test]
fn each_difference_of_two_listings_has_its_kind() {
    use ChangeKind::{DateChanged, PlaceChanged, StatusChanged, TimeChanged, TitleChanged};
    let before = meeting();
    let evidence = Some(Evidence { source: super::super::EvidenceSource::Title, text: "CANCELLED".into(), to: None });
    let cancelled = ParsedMeeting { status: MeetingStatus::Cancelled, status_evidence: evidence, ..meeting() };
    for (after, want) in [
        (meeting(), vec![]),
        (ParsedMeeting { local_date: date(2026, 3, 9), ..meeting() }, vec![DateChanged]),
        (ParsedMeeting { local_time: Some(time(18, 0, 0, 0)), ..meeting() }, vec![TimeChanged]),
        (ParsedMeeting { location: Some("Hall".into()), ..meeting() }, vec![PlaceChanged]),
        (ParsedMeeting { title: "Council".into(), ..meeting() }, vec![TitleChanged]),
        (cancelled.clone(), vec![StatusChanged]),
    ] {
        let changes = listing_changes(&before, &after);
        assert_eq!(changes.iter().map(|change| change.kind).collect::<Vec<_>>(), want, "{after:?}");
    }
    let change = listing_changes(&before, &cancelled).remove(0);
    let told = [change.before, change.after, change.evidence].map(Option::unwrap);
    assert_eq!(told, ["scheduled", "cancelled", "CANCELLED"]);
}

proptest! {
    #[test]
    fn back_is_the_opposite_and_the_same_is_nothing(
        old in proptest::collection::btree_map("[a-e]", "[x-z]", 0..5), new in proptest::collection::btree_map("[a-e]", "[x-z]", 0..5),
    ) {
        let agenda = |items: &BTreeMap<String, String>| {
            items.iter().map(|(id, title)| item(id, "1.", title, &[])).collect::<Vec<_>>()
        };
        let (old, new) = (agenda(&old), agenda(&new));
        let count = |changes: &[ChangeKind], kind| changes.iter().filter(|k| **k == kind).count();
        let (there, back) = (kinds(&old, &new), kinds(&new, &old));
        prop_assert_eq!(kinds(&old, &old), vec![]);
        prop_assert_eq!(count(&there, ChangeKind::ItemAdded), count(&back, ChangeKind::ItemRemoved));
        prop_assert_eq!(count(&there, ChangeKind::ItemRetitled), count(&back, ChangeKind::ItemRetitled));
        let balance = |changes: &[ChangeKind]| (count(changes, ChangeKind::ItemAdded), count(changes, ChangeKind::ItemRemoved));
        let (added, removed) = balance(&there);
        prop_assert_eq!(old.len() + added, new.len() + removed);
        prop_assert_eq!(there.is_empty(), old == new);
    }
}
