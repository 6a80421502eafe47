//! What is wrong with the matters, city by city.

use super::super::{CityId, cities};
use crate::{
    civic::model::{CitySlug, Finding, KnownMatter, ParsedMatter, SeenItem, identify, same_titles},
    db::Statements,
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use tokio_postgres::{Error, types::Json};

/// A city's findings; those without any are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CityFindings {
    /// The city.
    pub city: CitySlug,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

const MATTERS: &str = "\
select m.id, m.key, m.file, m.name, (select array_agg(l.key) from matter_aliases l where l.matter_id = m.id)
from matters m where m.city_id = $1 and not m.retired
  and not exists (select from matter_aliases l where l.city_id = m.city_id and l.key = m.key)
order by m.id";

const ITEMS: &str = "\
select i.id, i.title, i.matter, i.listed, a.matter_id
from meetings m join agenda_items i on i.meeting_id = m.id left join matter_appearances a on a.item_id = i.id
where m.city_id = $1 order by i.id, a.matter_id";

const PAPERS: &str = "\
select i.id, d.url, d.sha256 from unnest($1::bigint[]) k (id) join agenda_items i on i.id = k.id
join document_refs d on d.meeting_id = i.meeting_id and coalesce(d.item_id, 0) = i.id and d.status <> 'withdrawn'";

/// Looks at the matters of a city, or of all. It holds one city's matters and items in memory at a time: some hundred bytes
/// an item.
///
/// # Errors
/// When a city can't be read, or the database fails.
pub async fn audit<C: Statements>(client: &C, city: Option<&CitySlug>) -> Result<Vec<CityFindings>, cities::CityError> {
    let cities = match city {
        Some(slug) => vec![cities::find(client, slug).await?],
        None => cities::list(client).await?,
    };
    let mut all = Vec::new();
    for city in cities {
        let matters = matters(client, city.id).await?;
        let mut items = items(client, city.id, city.city.source.vendor.names_matters()).await?;
        papers(client, &matters, &mut items).await?;
        let findings = crate::civic::model::audit(&matters, &items);
        if !findings.is_empty() {
            all.push(CityFindings { city: city.city.slug, findings });
        }
    }
    Ok(all)
}

async fn matters<C: Statements>(client: &C, city: CityId) -> Result<Vec<KnownMatter>, Error> {
    let rows = client.query(MATTERS, &[&city.0]).await?;
    let read = |row: &tokio_postgres::Row| KnownMatter {
        id: row.get(0),
        key: row.get(1),
        file: row.get(2),
        name: row.get(3),
        aliases: row.get::<_, Option<Vec<String>>>(4).into_iter().flatten().collect(),
    };
    Ok(rows.iter().map(read).collect())
}

async fn items<C: Statements>(client: &C, city: CityId, names_matters: bool) -> Result<Vec<SeenItem>, Error> {
    let rows = client.query(ITEMS, &[&city.0]).await?;
    let read = |row: &tokio_postgres::Row| {
        let matter = row.try_get::<_, Option<Json<ParsedMatter>>>(2)?.map(|matter| matter.0);
        let identity = identify(matter.as_ref(), row.get(1), names_matters);
        Ok(SeenItem {
            item: row.get(0),
            matter: row.get(4),
            rule: identity.as_ref().map(|identity| identity.rule),
            key: identity.map(|identity| identity.key),
            listed: row.get(3),
            papers: BTreeSet::new(),
        })
    };
    rows.iter().map(read).collect()
}

/// Only of those that the title makes suspects.
async fn papers<C: Statements>(client: &C, matters: &[KnownMatter], items: &mut [SeenItem]) -> Result<(), Error> {
    let suspects = same_titles(matters);
    let asked: Vec<i64> = items
        .iter()
        .filter(|item| item.matter.is_some_and(|id| suspects.contains(&id)))
        .map(|item| item.item)
        .collect();
    let mut papers: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
    for row in client.query(PAPERS, &[&asked]).await? {
        let known = papers.entry(row.get(0)).or_default();
        known.insert(row.get(1));
        known.extend(row.get::<_, Option<String>>(2));
    }
    for item in items {
        if let Some(papers) = papers.get(&item.item) {
            item.papers.clone_from(papers);
        }
    }
    Ok(())
}
