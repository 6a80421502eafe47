//! Matters across meetings: which rule tells them, and what operators do to them.

use super::support::{count, database, demo};
use docket::{
    civic::{
        model::{
            City, CitySlug, FindingKind, Fingerprint, ParsedItem, ParsedMatter, ParsedMeeting, SourceMeetingId,
            identify,
        },
        store::{
            CityId, ItemId, MatterRowId, cities, items,
            matters::{self, ActError},
            meetings,
            summaries::{self, NewSummary, Subject},
        },
    },
    db,
};
use jiff::civil::date;
use serde_json::json;
use tokio_postgres::Client;

const LEASE: &str = "A resolution approving the lease of the old ferry terminal building";

struct World {
    client: Client,
    city: City,
    id: CityId,
}

impl World {
    async fn new() -> Self {
        let (_, client) = database().await;
        let city = demo().await.city();
        let id = cities::add(&client, &city).await.unwrap();
        Self { client, city, id }
    }

    /// A meeting on that day of March with these items: (vendor's id, title, file number, matter's id).
    async fn meet(&self, day: i8, rows: &[(&str, &str, Option<&str>, Option<&str>)]) -> Vec<ItemId> {
        let meeting = ParsedMeeting::new(SourceMeetingId(format!("m{day}")), "Council".into(), date(2026, 3, day));
        let listed = meetings::upsert(&self.client, self.id, &self.city.zone, &meeting).await.unwrap();
        let parsed: Vec<ParsedItem> = rows.iter().map(|row| item(*row)).collect();
        let ids = items::replace(&self.client, listed.id, &parsed).await.unwrap();
        for (item, row) in ids.iter().zip(&parsed) {
            self.track(*item, row, false).await;
        }
        ids
    }

    async fn track(&self, item: ItemId, row: &ParsedItem, names_matters: bool) -> Option<MatterRowId> {
        let identity = identify(row.matter.as_ref(), &row.title, names_matters)?;
        let told = (&identity, row.matter.as_ref());
        let papers = Fingerprint::of_bytes(b"papers");
        Some(matters::track(&self.client, self.id, (item, &row.title), told, &papers).await.unwrap())
    }

    async fn matter_of(&self, item: ItemId) -> MatterRowId {
        let sql = "select matter_id from matter_appearances where item_id = $1";
        MatterRowId(self.client.query_one(sql, &[&item.0]).await.unwrap().get(0))
    }

    async fn findings(&self) -> Vec<FindingKind> {
        let all = matters::audit(&self.client, Some(&self.city.slug)).await.unwrap();
        all.iter().flat_map(|city| &city.findings).map(|finding| finding.kind).collect()
    }

    /// All that acts may change.
    async fn state(&self) -> String {
        let sql = "select jsonb_build_array( \
            (select jsonb_agg(m order by id) from matters m), \
            (select jsonb_agg(a order by matter_id, item_id) from matter_appearances a), \
            (select jsonb_agg(l order by key) from matter_aliases l))::text";
        self.client.query_one(sql, &[]).await.unwrap().get(0)
    }
}

fn item((id, title, file, matter): (&str, &str, Option<&str>, Option<&str>)) -> ParsedItem {
    let of = |file: Option<&str>, matter: Option<&str>| ParsedMatter {
        vendor_id: matter.map(Into::into),
        file: file.map(str::to_owned),
        name: None,
        kind: None,
        status: None,
    };
    serde_json::from_value(json!({
        "vendor_id": id, "sequence": 1, "number": null, "title": title, "attachments": [], "note": null, "action": null,
        "consent": false, "matter": (file.is_some() || matter.is_some()).then(|| of(file, matter)),
    }))
    .unwrap()
}

#[tokio::test]
async fn a_matter_comes_up_by_file_number_by_id_and_by_title() {
    let world = World::new().await;
    let rows = [
        ("a", "Ordinance", Some("CB 120736"), Some("1")),
        ("b", "Contract", None, Some("7")),
        ("c", LEASE, None, None),
        ("d", "Approval of the minutes", None, None),
    ];
    let first = world.meet(3, &rows).await;
    let rows = [
        ("a", "Ordinance", Some("cb-120736"), Some("2")),
        ("b", "Contract", None, Some("7")),
        ("c", "Approving the lease of the old ferry terminal building (second reading)", None, None),
    ];
    let second = world.meet(10, &rows).await;
    for n in 0..3 {
        assert_eq!(world.matter_of(first[n]).await, world.matter_of(second[n]).await, "{n}");
    }
    assert_eq!((count(&world.client, "matters").await, count(&world.client, "matter_appearances").await), (3, 6));
    let rules = "select string_agg(distinct rule, ',' order by rule) from matter_appearances";
    assert_eq!(world.client.query_one(rules, &[]).await.unwrap().get::<_, &str>(0), "file,title,vendor_id");
    let whole = matters::show(&world.client, world.matter_of(first[2]).await).await.unwrap().unwrap();
    assert_eq!(
        (whole.matter.first_seen_on, whole.matter.last_seen_on),
        (Some(date(2026, 3, 3)), Some(date(2026, 3, 10)))
    );
    assert_eq!(whole.appearances[0].date, date(2026, 3, 10), "newest first");
    assert_eq!(world.findings().await, []);
}

#[tokio::test]
async fn the_same_title_in_two_cities_is_two_matters_and_they_are_never_merged() {
    let world = World::new().await;
    let here = world.meet(3, &[("c", LEASE, None, None)]).await;
    let twin = City {
        slug: CitySlug::from("twin"),
        source: docket::civic::model::Source { client: "twin".into(), ..world.city.source.clone() },
        ..world.city.clone()
    };
    let id = cities::add(&world.client, &twin).await.unwrap();
    let mut world = World { id, city: twin, ..world };
    let there = world.meet(3, &[("c", LEASE, None, None)]).await;
    let (here, there) = (world.matter_of(here[0]).await, world.matter_of(there[0]).await);
    assert_ne!(here, there);
    let refused = matters::merge(&mut world.client, here, &[there], "test").await.unwrap_err();
    assert!(matches!(refused, ActError::OtherCity(..)), "{refused}");
    assert!(refused.to_string().contains("never crosses cities"));
}

#[tokio::test]
async fn an_item_whose_file_number_is_corrected_leaves_the_other_matter_which_can_be_retired() {
    let mut world = World::new().await;
    let first = world.meet(3, &[("a", "Ordinance", Some("CB 120763"), None)]).await;
    let wrong = world.matter_of(first[0]).await;
    world.meet(3, &[("a", "Ordinance", Some("CB 120736"), None)]).await;
    assert_ne!(world.matter_of(first[0]).await, wrong);
    assert_eq!(count(&world.client, "matter_appearances").await, 1, "an item is one appearance");
    assert_eq!(world.findings().await, [FindingKind::Orphan]);
    let before = world.state().await;
    let right = world.matter_of(first[0]).await;
    let listed = matters::retire(&mut world.client, &[right], "test").await.unwrap_err();
    assert!(matches!(listed, ActError::Listed(_)), "{listed}");
    let done = matters::retire(&mut world.client, &[wrong], "test").await.unwrap();
    assert_eq!(world.findings().await, []);
    assert_eq!(matters::count(&world.client, &world.city.slug).await.unwrap(), (1, 1));
    matters::undo(&mut world.client, done.act, "test").await.unwrap();
    assert_eq!(world.state().await, before);
    matters::retire(&mut world.client, &[wrong], "test").await.unwrap();
    world.meet(10, &[("a", "Ordinance", Some("CB 120763"), None)]).await;
    assert_eq!(matters::count(&world.client, &world.city.slug).await.unwrap().0, 2, "it has appeared again");
}

#[tokio::test]
async fn merge_then_undo_restores_exactly_the_state_before() {
    let mut world = World::new().await;
    let rows = [
        ("a", "Ordinance", Some("A 1"), None),
        ("b", "Ordinance", Some("A 2"), None),
        ("c", "Ordinance", Some("A 3"), None),
    ];
    let ids = world.meet(3, &rows).await;
    world.meet(10, &rows).await;
    let m = [world.matter_of(ids[0]).await, world.matter_of(ids[1]).await, world.matter_of(ids[2]).await];
    // An item that is an appearance of two, as older versions left some.
    let both = "insert into matter_appearances (matter_id, item_id, attachments_hash) values ($1, $2, 'x')";
    world.client.execute(both, &[&m[1].0, &ids[0].0]).await.unwrap();
    world.client.execute(both, &[&m[2].0, &ids[1].0]).await.unwrap();
    let before = world.state().await;
    let one = matters::merge(&mut world.client, m[0], &[m[1]], "test").await.unwrap();
    let between = world.state().await;
    assert_ne!(between, before);
    let two = matters::merge(&mut world.client, m[2], &[m[0]], "test").await.unwrap();
    assert_eq!(matters::show(&world.client, m[1]).await.unwrap().unwrap().matter.id, m[2].0, "by way of both");
    let early = matters::undo(&mut world.client, one.act, "test").await.unwrap_err();
    assert!(matches!(early, ActError::RestedOn(_, later) if later == two.act), "{early}");
    matters::undo(&mut world.client, two.act, "test").await.unwrap();
    assert_eq!(world.state().await, between);
    matters::undo(&mut world.client, one.act, "test").await.unwrap();
    assert_eq!(world.state().await, before);
    assert!(matches!(matters::undo(&mut world.client, one.act, "test").await, Err(ActError::Undone(_))));
    let all = matters::merge(&mut world.client, m[0], &m[1..], "test").await.unwrap();
    assert_eq!(count(&world.client, "matter_appearances").await, 6, "an item is kept once");
    matters::undo(&mut world.client, all.act, "test").await.unwrap();
    assert_eq!(world.state().await, before);
    assert_eq!(count(&world.client, "matter_acts").await, 6, "what was done stays written");
    assert!(world.client.execute("update matter_acts set actor = 'x'", &[]).await.is_err());
}

#[tokio::test]
async fn what_appears_after_a_merge_follows_it_and_is_kept_by_the_undo() {
    let mut world = World::new().await;
    let ids = world.meet(3, &[("a", "Ordinance", Some("A 1"), None), ("b", "Ordinance", Some("A 2"), None)]).await;
    let (into, from) = (world.matter_of(ids[0]).await, world.matter_of(ids[1]).await);
    let done = matters::merge(&mut world.client, into, &[from], "test").await.unwrap();
    let later = world.meet(10, &[("a", "Ordinance", Some("A 1"), None), ("b", "Ordinance", Some("a-2"), None)]).await;
    assert_eq!([world.matter_of(later[0]).await, world.matter_of(later[1]).await], [into, into]);
    assert_eq!(world.findings().await, [], "what an operator has put together is no conflict");
    assert_eq!(matters::count(&world.client, &world.city.slug).await.unwrap(), (1, 4));
    matters::undo(&mut world.client, done.act, "test").await.unwrap();
    assert_eq!([world.matter_of(later[0]).await, world.matter_of(later[1]).await], [into, from]);
    assert_eq!(world.matter_of(ids[1]).await, from);
    assert_eq!(matters::count(&world.client, &world.city.slug).await.unwrap(), (2, 4));
}

#[tokio::test]
async fn split_then_undo_restores_the_state_and_the_items_stay_where_they_were_put() {
    let mut world = World::new().await;
    let rows = [("a", "Ordinance", Some("A 1"), None), ("b", "Another thing", Some("A 1"), None)];
    let ids = world.meet(3, &rows).await;
    let matter = world.matter_of(ids[0]).await;
    let before = world.state().await;
    let done = matters::split(&mut world.client, matter, &[ids[1]], "test").await.unwrap();
    assert_eq!(world.matter_of(ids[1]).await, done.matter);
    assert_eq!(world.findings().await, []);
    // Tracked again, as a new revision does it.
    world.meet(3, &rows).await;
    assert_eq!([world.matter_of(ids[0]).await, world.matter_of(ids[1]).await], [matter, done.matter]);
    assert_eq!(
        matters::show(&world.client, done.matter).await.unwrap().unwrap().matter.name.as_deref(),
        Some("Another thing")
    );
    let tracked = matters::retrack(&world.client, ids[1]).await.unwrap();
    assert_eq!(tracked, done.matter);
    matters::undo(&mut world.client, done.act, "test").await.unwrap();
    let strip =
        |state: String| state.replace(&serde_json::to_string(Fingerprint::of_bytes(b"papers").as_str()).unwrap(), "");
    let empty = Fingerprint::of(&std::collections::BTreeSet::<String>::new());
    let after = world.state().await.replace(&format!("\"{empty}\""), "");
    assert_eq!(strip(after), strip(before), "but for the documents of the item that was tracked again");
}

#[tokio::test]
async fn nonsense_is_refused_with_what_to_do_and_changes_nothing() {
    let mut world = World::new().await;
    let ids = world.meet(3, &[("a", "Ordinance", Some("A 1"), None), ("b", "Ordinance", Some("A 2"), None)]).await;
    let (one, two) = (world.matter_of(ids[0]).await, world.matter_of(ids[1]).await);
    let nobody = MatterRowId(i64::MAX);
    let before = world.state().await;
    let client = &mut world.client;
    let refusals = [
        matters::merge(client, one, &[one], "t").await.unwrap_err(),
        matters::merge(client, one, &[two, two], "t").await.unwrap_err(),
        matters::merge(client, one, &[nobody], "t").await.unwrap_err(),
        matters::merge(client, nobody, &[one], "t").await.unwrap_err(),
        matters::merge(client, one, &[], "t").await.unwrap_err(),
        matters::merge(client, one, &vec![two; 101], "t").await.unwrap_err(),
        matters::split(client, one, &[ids[0]], "t").await.unwrap_err(),
        matters::split(client, one, &[ids[1]], "t").await.unwrap_err(),
        matters::split(client, nobody, &[ids[1]], "t").await.unwrap_err(),
        matters::split(client, one, &[], "t").await.unwrap_err(),
        matters::retire(client, &[nobody], "t").await.unwrap_err(),
        matters::undo(client, 0, "t").await.unwrap_err(),
    ];
    for refusal in &refusals {
        assert!(!matches!(refusal, ActError::Database(_)), "{refusal}");
        let text = refusal.to_string();
        assert!(["docket", "give", "use", "leave", "undo"].iter().any(|word| text.contains(word)), "{text}");
    }
    matters::merge(client, one, &[two], "t").await.unwrap();
    let gone = matters::merge(client, two, &[one], "t").await.unwrap_err();
    assert!(matches!(gone, ActError::Merged(_, into) if into == one), "{gone}");
    matters::undo(client, 1, "t").await.unwrap();
    assert_eq!(world.state().await, before);
}

#[tokio::test]
async fn the_audit_finds_lost_items_and_twins_and_its_commands_mend_them() {
    let mut world = World::new().await;
    let rows = [("a", LEASE, None, Some("1")), ("b", "Ordinance", Some("A 2"), None)];
    let first = world.meet(3, &rows).await;
    let second = world.meet(10, &[("a", LEASE, None, Some("2"))]).await;
    let paper = "insert into document_refs (meeting_id, item_id, url, name) select meeting_id, id, 'https://city.example/' || $2, 'r' \
                 from agenda_items where id = $1";
    for item in [first[0], second[0]] {
        world.client.execute(paper, &[&item.0, &"report"]).await.unwrap();
    }
    world.client.execute("delete from matter_appearances where item_id = $1", &[&first[1].0]).await.unwrap();
    assert_eq!(world.findings().await, [FindingKind::Duplicate, FindingKind::Orphan, FindingKind::Untracked]);
    matters::retrack(&world.client, first[1]).await.unwrap();
    assert_eq!(world.findings().await, [FindingKind::Duplicate]);
    let (into, from) = (world.matter_of(first[0]).await, world.matter_of(second[0]).await);
    matters::merge(&mut world.client, into, &[from], "test").await.unwrap();
    assert_eq!(world.findings().await, []);
}

#[tokio::test]
async fn a_matter_has_the_summary_of_its_newest_appearance_with_documents() {
    let world = World::new().await;
    let summarise = async |item: ItemId, body: &str| {
        let new = NewSummary {
            input_hash: Fingerprint::of_bytes(body.as_bytes()),
            model: "small".into(),
            prompt_version: "p",
            body: body.into(),
            tokens_in: 1,
            tokens_out: 1,
            cost_micro_usd: 0,
            reasons: Vec::new(),
            pages: Vec::new(),
        };
        let summary = summaries::put(&world.client, Subject::Item(item), &new).await.unwrap().unwrap();
        items::set_summary(&world.client, item, summary).await.unwrap();
    };
    let row = [("a", "Ordinance", Some("A 1"), None)];
    let (first, second, third) = (world.meet(3, &row).await, world.meet(10, &row).await, world.meet(17, &row).await);
    let matter = world.matter_of(first[0]).await;
    let told = async || matters::show(&world.client, matter).await.unwrap().unwrap().summary.map(|s| s.body);
    assert_eq!(told().await, None);
    summarise(first[0], "First.").await;
    assert_eq!(told().await.as_deref(), Some("First."), "better than nothing");
    let paper = "insert into document_refs (meeting_id, item_id, url, name) select meeting_id, id, 'https://city.example/r', 'r' from agenda_items where id = $1";
    for item in [first[0], second[0]] {
        world.client.execute(paper, &[&item.0]).await.unwrap();
    }
    summarise(third[0], "Third, by its title only.").await;
    assert_eq!(told().await.as_deref(), Some("First."));
    summarise(second[0], "Second.").await;
    assert_eq!(told().await.as_deref(), Some("Second."));
    world.meet(10, &[]).await;
    assert_eq!(told().await.as_deref(), Some("First."), "the agenda has dropped the second");
}

#[tokio::test]
async fn appearances_and_acts_at_once_lose_nothing() {
    let (config, client) = database().await;
    let city = demo().await.city();
    let id = cities::add(&client, &city).await.unwrap();
    let mut world = World { client, city, id };
    let ids = world.meet(3, &[("a", "Ordinance", Some("A 1"), None), ("b", "Ordinance", Some("A 2"), None)]).await;
    let (into, from) = (world.matter_of(ids[0]).await, world.matter_of(ids[1]).await);
    let tracked = item(("b", "Ordinance", Some("A 2"), None));
    let mut other = db::connect(&config).await.unwrap();
    let tx = other.transaction().await.unwrap();
    let identity = identify(tracked.matter.as_ref(), &tracked.title, true).unwrap();
    let papers = Fingerprint::of_bytes(b"other");
    matters::track(&tx, id, (ids[1], "Ordinance"), (&identity, tracked.matter.as_ref()), &papers).await.unwrap();
    let sources = [from];
    let merge = matters::merge(&mut world.client, into, &sources, "test");
    let commit = async {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        tx.commit().await.unwrap();
    };
    let (done, ()) = tokio::join!(merge, commit);
    assert_eq!(done.unwrap().moved_appearances, 1, "it waited for the appearance");
    assert_eq!(world.matter_of(ids[1]).await, into);
}

#[tokio::test]
async fn whatever_acts_are_done_undoing_them_all_restores_the_state_before() {
    let mut world = World::new().await;
    let files: Vec<(String, String)> = (1..=6).map(|n| (format!("v{n}"), format!("A {n}"))).collect();
    let rows: Vec<_> = files.iter().map(|(id, file)| (id.as_str(), "Ordinance", Some(file.as_str()), None)).collect();
    for day in [3, 10, 17] {
        world.meet(day, &rows).await;
    }
    let before = world.state().await;
    // Wishes by a generator with a fixed seed; those that make no sense are refused.
    let (mut seed, mut acts, mut refused) = (7_u64, Vec::new(), 0);
    let mut next = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((seed >> 33) % below + 1).unwrap()
    };
    for _ in 0..150 {
        let (one, two, item) = (MatterRowId(next(9)), MatterRowId(next(9)), ItemId(next(18)));
        let done = match next(9) {
            1..=3 => matters::merge(&mut world.client, one, &[two], "test").await,
            4..=8 => matters::split(&mut world.client, one, &[item], "test").await,
            _ => {
                if let Some(act) = acts.pop() {
                    matters::undo(&mut world.client, act, "test").await.unwrap();
                }
                continue;
            }
        };
        match done {
            Ok(done) => acts.push(done.act),
            Err(ActError::Database(error)) => panic!("{error}"),
            Err(_) => refused += 1,
        }
    }
    assert!(acts.len() > 3 && refused > 3, "{acts:?}, {refused} refused");
    assert_ne!(world.state().await, before);
    for act in acts.into_iter().rev() {
        matters::undo(&mut world.client, act, "test").await.unwrap();
    }
    assert_eq!(world.state().await, before);
}
