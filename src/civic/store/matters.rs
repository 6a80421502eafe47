//! Matters: what comes up again and again until it is decided.

use super::{CityId, ItemId};
use crate::{
    civic::model::{CitySlug, Fingerprint, ParsedMatter},
    db::Statements,
};
use tokio_postgres::Error;

/// Longest identity, in characters: longer ones are hashed.
const MAX_KEY_CHARS: usize = 200;

/// A matter's identity within its city; none: nothing identifies it.
///
/// It is the file number, and only where there is none the vendor's id: vendors make a new id each time that a matter
/// appears. The two are never mixed.
#[must_use]
pub fn key(matter: &ParsedMatter) -> Option<String> {
    let file = matter.file.as_deref().map(normal).filter(|file| file.chars().any(char::is_alphanumeric));
    let key = match (file, &matter.vendor_id) {
        (Some(file), _) => format!("file:{file}"),
        (None, Some(id)) if !id.as_str().trim().is_empty() => format!("id:{}", id.as_str().trim()),
        _ => return None,
    };
    let long = key.chars().count() > MAX_KEY_CHARS;
    Some(if long { format!("hash:{}", Fingerprint::of_bytes(key.as_bytes())) } else { key })
}

/// `cb  120736` and `CB 120736` are one file.
fn normal(file: &str) -> String {
    file.split_whitespace().collect::<Vec<_>>().join(" ").to_uppercase()
}

const UPSERT: &str = "\
with written as (
  insert into matters as m (city_id, key, file, name, kind, status) values ($1, $2, $3, $4, $5, $6)
  on conflict (city_id, key) do update set
    file = coalesce(excluded.file, m.file), name = coalesce(excluded.name, m.name),
    kind = coalesce(excluded.kind, m.kind), status = coalesce(excluded.status, m.status)
  returning id)
insert into matter_appearances as a (matter_id, item_id, attachments_hash) select id, $7, $8 from written
on conflict (matter_id, item_id) do update set attachments_hash = excluded.attachments_hash";

/// Writes that a matter appears as this item. False: nothing identifies the matter, and nothing was written.
///
/// # Errors
/// When the database fails.
pub async fn track<C: Statements>(
    client: &C,
    city: CityId,
    item: ItemId,
    matter: &ParsedMatter,
    attachments: &Fingerprint,
) -> Result<bool, Error> {
    let Some(key) = key(matter) else { return Ok(false) };
    let ParsedMatter { file, name, kind, status, .. } = matter;
    client.execute(UPSERT, &[&city.0, &key, file, name, kind, status, &item.0, &attachments.as_str()]).await?;
    Ok(true)
}

/// How many matters a city has, and how often they appeared.
///
/// # Errors
/// When the database fails.
pub async fn count<C: Statements>(client: &C, city: &CitySlug) -> Result<(i64, i64), Error> {
    let sql = "select count(distinct m.id), count(a.item_id) from matters m join cities c on c.id = m.city_id \
               left join matter_appearances a on a.matter_id = m.id where c.slug = $1";
    let row = client.query_one(sql, &[&city.as_str()]).await?;
    Ok((row.get(0), row.get(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matter(file: Option<&str>, id: Option<&str>) -> ParsedMatter {
        ParsedMatter {
            vendor_id: id.map(Into::into),
            file: file.map(str::to_owned),
            name: None,
            kind: None,
            status: None,
        }
    }

    #[test]
    fn the_file_number_goes_first_and_spelling_does_not_matter() {
        assert_eq!(key(&matter(Some("CB 120736"), Some("9"))), key(&matter(Some(" cb  120736"), Some("10"))));
        assert_eq!(key(&matter(None, Some("9"))), Some("id:9".to_owned()));
        assert_eq!(key(&matter(Some(" - "), Some("9"))), Some("id:9".to_owned()), "a dash is no file number");
        assert_eq!(key(&matter(None, None)), None);
        assert_eq!(key(&matter(Some(""), Some(" "))), None);
    }

    proptest! {
        #[test]
        fn with_a_file_number_the_vendor_id_says_nothing(file in "[A-Z]{1,3} [0-9]{1,300}", a in ".{0,9}", b in ".{0,9}") {
            let one = key(&matter(Some(&file), Some(&a)));
            prop_assert_eq!(&one, &key(&matter(Some(&file), Some(&b))));
            prop_assert!(one.unwrap().chars().count() <= MAX_KEY_CHARS);
        }

        #[test]
        fn a_file_number_is_never_taken_for_an_id(text in "[0-9]{1,12}") {
            prop_assert_ne!(key(&matter(Some(&text), None)), key(&matter(None, Some(&text))));
        }
    }
}
