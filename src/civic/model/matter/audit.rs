//! What is wrong with a city's matters, and the command that mends it.

use super::{MatterRule, file::coarse, specific_title};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A matter, as the database has it. Merged and retired ones are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownMatter {
    /// The row.
    pub id: i64,
    /// Its key.
    pub key: String,
    /// Other keys that lead to it, because an operator said so.
    pub aliases: BTreeSet<String>,
    /// Its file number, as it was written first.
    pub file: Option<String>,
    /// Its name.
    pub name: Option<String>,
}

/// An agenda item, as it is now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenItem {
    /// The row.
    pub item: i64,
    /// The matter that it appears as.
    pub matter: Option<i64>,
    /// The key that it has today; none: nothing identifies a matter.
    pub key: Option<String>,
    /// By which rule.
    pub rule: Option<MatterRule>,
    /// Whether its agenda still shows it.
    pub listed: bool,
    /// What its documents are told by: hashes of their bytes, and addresses.
    pub papers: BTreeSet<String>,
}

/// What kind of thing is wrong. A closed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// Several matters with the same title and a document in common.
    Duplicate,
    /// Several matters whose file numbers are probably one.
    Spelling,
    /// A matter that no agenda shows.
    Orphan,
    /// An item with a file number and without a matter.
    Untracked,
    /// One matter with several file numbers.
    Conflict,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its kind.
    pub kind: FindingKind,
    /// The matters, lowest first.
    pub matters: Vec<i64>,
    /// The items.
    pub items: Vec<i64>,
    /// What was seen.
    pub why: String,
    /// The command that mends it, if it is as it looks.
    pub mend: String,
}

/// Everything that is wrong, by kind and then by matter.
#[must_use]
pub fn audit(matters: &[KnownMatter], items: &[SeenItem]) -> Vec<Finding> {
    let mut by_matter: BTreeMap<i64, Vec<&SeenItem>> = BTreeMap::new();
    for item in items {
        if let Some(matter) = item.matter {
            by_matter.entry(matter).or_default().push(item);
        }
    }
    let spelled = spellings(matters);
    let told: BTreeSet<&[i64]> = spelled.iter().map(|finding| finding.matters.as_slice()).collect();
    let mut findings = duplicates(matters, &by_matter);
    findings.retain(|finding| !told.contains(finding.matters.as_slice()));
    let orphans = matters.iter().filter_map(|matter| orphan(matter, by_matter.get(&matter.id)));
    let conflicts = matters.iter().filter_map(|matter| conflict(matter, by_matter.get(&matter.id)?));
    let rest: Vec<Finding> = orphans.chain(items.iter().filter_map(untracked)).chain(conflicts).collect();
    findings.extend(spelled.iter().cloned().chain(rest));
    findings.sort_by(|a, b| (a.kind, &a.matters, &a.items).cmp(&(b.kind, &b.matters, &b.items)));
    findings
}

/// What an operator has taken apart is not put together again.
fn is_split(matter: &KnownMatter) -> bool {
    matter.key.starts_with("split:")
}

/// Matters that another one shares its title with: whose documents are worth comparing.
#[must_use]
pub fn same_titles(matters: &[KnownMatter]) -> BTreeSet<i64> {
    by_title(matters).into_values().flatten().collect()
}

/// Groups of several matters that have one title.
fn by_title(matters: &[KnownMatter]) -> BTreeMap<String, Vec<i64>> {
    let mut groups: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for matter in matters.iter().filter(|matter| !is_split(matter)) {
        if let Some(title) = matter.name.as_deref().and_then(specific_title) {
            groups.entry(title).or_default().push(matter.id);
        }
    }
    groups.retain(|_, group| group.len() > 1);
    groups
}

fn duplicates(matters: &[KnownMatter], by_matter: &BTreeMap<i64, Vec<&SeenItem>>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (title, group) in by_title(matters) {
        for ids in connected(&group, by_matter).into_iter().filter(|ids| ids.len() > 1) {
            let why = format!("the same title and a document in common: {}", cut(&title));
            findings.push(finding(FindingKind::Duplicate, ids, Vec::new(), why));
        }
    }
    findings
}

/// Sets of matters that share papers, directly or by way of others.
fn connected(group: &[i64], by_matter: &BTreeMap<i64, Vec<&SeenItem>>) -> Vec<Vec<i64>> {
    let mut sets: Vec<(BTreeSet<i64>, BTreeSet<&String>)> = Vec::new();
    for id in group {
        let papers: BTreeSet<&String> = by_matter.get(id).into_iter().flatten().flat_map(|item| &item.papers).collect();
        let (touching, mut apart): (Vec<_>, Vec<_>) =
            sets.into_iter().partition(|(_, known)| !known.is_disjoint(&papers));
        let mut whole = (BTreeSet::from([*id]), papers);
        for (ids, papers) in touching {
            whole.0.extend(ids);
            whole.1.extend(papers);
        }
        apart.push(whole);
        sets = apart;
    }
    sets.into_iter().map(|(ids, _)| ids.into_iter().collect()).collect()
}

fn spellings(matters: &[KnownMatter]) -> Vec<Finding> {
    let mut groups: BTreeMap<String, Vec<&KnownMatter>> = BTreeMap::new();
    for matter in matters.iter().filter(|matter| !is_split(matter)) {
        if let Some(file) = matter.file.as_deref().map(coarse).filter(|file| !file.is_empty()) {
            groups.entry(file).or_default().push(matter);
        }
    }
    let several = groups.into_values().filter(|group| group.len() > 1);
    let told = several.map(|group| {
        let files: Vec<String> =
            group.iter().filter_map(|m| m.file.as_deref()).map(|file| format!("{:?}", cut(file))).collect();
        let mut ids: Vec<i64> = group.iter().map(|matter| matter.id).collect();
        ids.sort_unstable();
        finding(FindingKind::Spelling, ids, Vec::new(), format!("probably one file number: {}", files.join(", ")))
    });
    told.collect()
}

fn orphan(matter: &KnownMatter, items: Option<&Vec<&SeenItem>>) -> Option<Finding> {
    let why = match items {
        None => "it has no appearance at all",
        Some(items) if items.iter().any(|item| item.listed) => return None,
        Some(_) => "every agenda has dropped it",
    };
    Some(finding(FindingKind::Orphan, vec![matter.id], Vec::new(), why.to_owned()))
}

fn untracked(item: &SeenItem) -> Option<Finding> {
    let lost = item.listed && item.matter.is_none() && item.rule == Some(MatterRule::File);
    let why = format!("its file number makes it a matter: {}", cut(item.key.as_deref()?));
    lost.then(|| finding(FindingKind::Untracked, Vec::new(), vec![item.item], why))
}

/// Two file numbers, neither of which leads here by an operator's word.
fn conflict(matter: &KnownMatter, items: &[&SeenItem]) -> Option<Finding> {
    let is_known = |key: &str| key == matter.key || matter.aliases.contains(key);
    let led = |item: &SeenItem| matter.aliases.contains(&format!("item:{}", item.item));
    let strange: Vec<&&SeenItem> = items
        .iter()
        .filter(|item| item.listed && item.rule == Some(MatterRule::File) && !is_split(matter) && !led(item))
        .filter(|item| item.key.as_deref().is_some_and(|key| !is_known(key)))
        .collect();
    if strange.is_empty() {
        return None;
    }
    let mut keys: BTreeSet<&str> = strange.iter().filter_map(|item| item.key.as_deref()).collect();
    keys.insert(&matter.key);
    let why = format!("several file numbers: {}", cut(&keys.into_iter().collect::<Vec<_>>().join(", ")));
    let items = strange.iter().map(|item| item.item).collect();
    Some(finding(FindingKind::Conflict, vec![matter.id], items, why))
}

fn finding(kind: FindingKind, mut matters: Vec<i64>, items: Vec<i64>, why: String) -> Finding {
    matters.sort_unstable();
    let words = |ids: &[i64]| ids.iter().map(i64::to_string).collect::<Vec<_>>().join(" ");
    let mend = match kind {
        FindingKind::Duplicate | FindingKind::Spelling => format!("docket matters merge {}", words(&matters)),
        FindingKind::Orphan => format!("docket matters retire {}", words(&matters)),
        FindingKind::Untracked | FindingKind::Conflict => format!("docket matters track {}", words(&items)),
    };
    Finding { kind, matters, items, why, mend }
}

fn cut(text: &str) -> String {
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests;
