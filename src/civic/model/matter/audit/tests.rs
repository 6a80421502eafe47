use super::*;
use FindingKind::{Conflict, Duplicate, Orphan, Spelling, Untracked};

const LEASE: &str = "A resolution approving the lease of the old ferry terminal building";

fn matter(id: i64, key: &str, file: Option<&str>, name: &str) -> KnownMatter {
    let (file, name) = (file.map(str::to_owned), Some(name.to_owned()));
    KnownMatter { id, key: key.into(), aliases: BTreeSet::new(), file, name }
}

fn item(id: i64, matter: Option<i64>, key: &str, papers: &[&str]) -> SeenItem {
    let papers = papers.iter().map(|&paper| paper.to_owned()).collect();
    let rule = if key.starts_with("file:") { MatterRule::File } else { MatterRule::VendorId };
    SeenItem { item: id, matter, key: Some(key.into()), rule: Some(rule), listed: true, papers }
}

fn kinds(matters: &[KnownMatter], items: &[SeenItem]) -> Vec<FindingKind> {
    audit(matters, items).iter().map(|finding| finding.kind).collect()
}

#[test]
fn incident_3_sixty_duplicates_and_fifty_two_orphans_are_found() {
    let mut matters: Vec<KnownMatter> = (1..=60).map(|id| matter(id, &format!("id:{id}"), None, LEASE)).collect();
    let items: Vec<SeenItem> =
        (1..=60).map(|id| item(id, Some(id), &format!("id:{id}"), &["a staff report"])).collect();
    matters.extend((101..=152).map(|id| matter(id, &format!("id:{id}"), None, "Report")));
    let findings = audit(&matters, &items);
    assert_eq!(findings.len(), 53);
    assert_eq!((findings[0].kind, findings[0].matters.len()), (Duplicate, 60));
    assert!(findings[0].mend.starts_with("docket matters merge 1 2 3 "), "{}", findings[0].mend);
    assert!(findings[1..].iter().all(|finding| finding.kind == Orphan));
    assert_eq!(findings[1].mend, "docket matters retire 101");
}

#[test]
fn a_title_alone_is_no_duplicate_and_nor_is_a_document() {
    let two = [matter(1, "id:1", None, LEASE), matter(2, "id:2", None, LEASE)];
    assert_eq!(kinds(&two, &[item(1, Some(1), "id:1", &["a"]), item(2, Some(2), "id:2", &["b"])]), []);
    assert_eq!(kinds(&two, &[item(1, Some(1), "id:1", &[]), item(2, Some(2), "id:2", &[])]), []);
    let other =
        [matter(1, "id:1", None, LEASE), matter(2, "id:2", None, "Rezoning of the northern harbor district area")];
    let shared = [item(1, Some(1), "id:1", &["a"]), item(2, Some(2), "id:2", &["a"])];
    assert_eq!(kinds(&other, &shared), []);
    assert_eq!(kinds(&two, &shared), [Duplicate]);
    let split = [two[0].clone(), matter(2, "split:x", None, LEASE)];
    assert_eq!(kinds(&split, &shared), [], "an operator took them apart");
}

#[test]
fn duplicates_are_joined_by_way_of_others() {
    let three: Vec<KnownMatter> = (1..=3).map(|id| matter(id, &format!("id:{id}"), None, LEASE)).collect();
    let items =
        [item(1, Some(1), "id:1", &["a"]), item(3, Some(3), "id:3", &["b"]), item(2, Some(2), "id:2", &["a", "b"])];
    let findings = audit(&three, &items);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].matters, [1, 2, 3]);
}

#[test]
fn a_file_in_two_spellings_is_found_once() {
    let two = [
        matter(1, "file:RES25-147", Some("RES 25-147"), LEASE),
        matter(2, "file:RES-NO25-0147", Some("Res. No. 25-0147"), LEASE),
    ];
    let items = [item(1, Some(1), "file:RES25-147", &["a"]), item(2, Some(2), "file:RES-NO25-0147", &["a"])];
    assert_eq!(kinds(&two, &items), [Spelling]);
}

#[test]
fn lost_items_conflicts_and_what_an_operator_has_said() {
    let one = matter(1, "file:A1", Some("A 1"), LEASE);
    let lost = [item(1, Some(1), "file:A1", &[]), item(2, None, "file:A2", &[]), item(3, None, "id:3", &[])];
    let findings = audit(std::slice::from_ref(&one), &lost);
    assert_eq!((findings.len(), findings[0].kind, &findings[0].items), (1, Untracked, &vec![2]));
    let both = [item(1, Some(1), "file:A1", &[]), item(2, Some(1), "file:A2", &[])];
    let findings = audit(std::slice::from_ref(&one), &both);
    assert_eq!((findings.len(), findings[0].kind), (1, Conflict));
    assert_eq!(findings[0].mend, "docket matters track 2");
    for alias in ["file:A2", "item:2"] {
        let merged = KnownMatter { aliases: BTreeSet::from([alias.to_owned()]), ..one.clone() };
        assert_eq!(kinds(&[merged], &both), [], "{alias}");
    }
    let dropped = [SeenItem { listed: false, ..item(1, Some(1), "file:A1", &[]) }];
    assert_eq!(kinds(&[one], &dropped), [Orphan]);
}
