//! Which links of an agenda belong to which of its items.

use super::AgendaItem;
use crate::civic::document::{Link, PrintedLine};

/// Letters and digits of a title by which its line is known again.
const PREFIX: usize = 16;
/// Items that may be passed over at once: one whose line looks otherwise than its title.
const AHEAD: usize = 8;
/// Links of one item that are kept.
const MAX_LINKS: usize = 25;

/// The links that stand in or below each item's line, before the next item's: one list an item.
///
/// Where an item's line is not found, nobody can tell where the links of the one before it end: that one has none.
#[must_use]
pub fn attached(items: &[AgendaItem], lines: &[PrintedLine]) -> Vec<Vec<Link>> {
    let keys: Vec<Key> = items.iter().map(Key::of).collect();
    let mut found = vec![Vec::new(); items.len()];
    let mut current: Option<usize> = None;
    for line in lines {
        let from = current.map_or(0, |at| at + 1);
        let words = letters(&line.text);
        let near = keys.iter().enumerate().skip(from).take(AHEAD);
        if let Some(next) = near.into_iter().find(|(at, key)| items[*at].first_page == line.page && key.begins(&words))
        {
            if let Some(before) = current.filter(|before| before + 1 < next.0) {
                found[before].clear();
            }
            current = Some(next.0);
        }
        let Some(at) = current.filter(|at| line.page <= items[*at].last_page) else { continue };
        line.links.iter().for_each(|link| keep(&mut found[at], link));
    }
    // What follows the last item that was found may belong to one that was not.
    if let Some(last) = current.filter(|last| last + 1 < items.len()) {
        found[last].clear();
    }
    found
}

/// A link whose words are printed in pieces is as many links to the same address: its longest name counts.
fn keep(links: &mut Vec<Link>, link: &Link) {
    match links.iter().position(|known| known.href == link.href) {
        Some(at) if links[at].label.len() < link.label.len() => links[at].label.clone_from(&link.label),
        Some(_) => {}
        None if links.len() < MAX_LINKS => links.push(link.clone()),
        None => {}
    }
}

/// How an item's line begins: with its number and title, or with its title alone.
struct Key {
    numbered: String,
    title: String,
}

impl Key {
    fn of(item: &AgendaItem) -> Self {
        let title = letters(&item.title);
        let numbered = letters(item.number.as_deref().unwrap_or_default()) + &title;
        Self { numbered: cut(&numbered), title: cut(&title) }
    }

    /// A line may hold only the first words of a long title.
    fn begins(&self, words: &str) -> bool {
        [&self.numbered, &self.title].into_iter().any(|key| !key.is_empty() && words.starts_with(key.as_str()))
    }
}

fn cut(letters: &str) -> String {
    letters.chars().take(PREFIX).collect()
}

/// What remains of a text whatever its type and spaces.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::civic::agenda::{Segmented, segment};

    fn line(page: u32, text: &str, hrefs: &[&str]) -> PrintedLine {
        let links = hrefs.iter().map(|href| Link { href: (*href).to_owned(), ..Link::default() }).collect();
        PrintedLine { page, text: text.to_owned(), links }
    }

    fn items() -> Vec<AgendaItem> {
        let text = "CITY COUNCIL AGENDA\n\n1. CALL TO ORDER\n\n2. Lease of the old library to the historical society\n\n\
                    3. Rezoning of twelve acres at the old mill for houses and a park\n\n4. ADJOURNMENT\n\u{c}";
        let Segmented { items, .. } = segment(text).unwrap();
        assert_eq!(items.len(), 4);
        items
    }

    fn hrefs(lines: &[PrintedLine]) -> Vec<Vec<String>> {
        let all = attached(&items(), lines);
        all.into_iter().map(|links| links.into_iter().map(|link| link.href).collect()).collect()
    }

    #[test]
    fn links_belong_to_the_item_above_them() {
        let found = hrefs(&[
            line(1, "How to take part", &["zoom"]),
            line(1, "1. CALL TO ORDER", &[]),
            line(1, "2. Lease of the old library", &["a"]),
            line(1, "to the historical society", &[]),
            line(1, "Staff Report", &["b"]),
            line(1, "3.", &[]),
            line(1, "Rezoning of twelve acres at the old mill", &[]),
            line(1, "Report", &["c"]),
            line(1, "4. ADJOURNMENT", &[]),
        ]);
        assert_eq!(found, [vec![], vec!["a".to_owned(), "b".to_owned()], vec!["c".to_owned()], vec![]]);
    }

    #[test]
    fn a_link_in_pieces_is_one_with_its_longest_name() {
        let mut links = Vec::new();
        for label in ["e", "Staff Report", "."] {
            keep(&mut links, &Link { href: "a".to_owned(), label: label.to_owned(), embedded: false });
        }
        assert_eq!(links.iter().map(|link| link.label.as_str()).collect::<Vec<_>>(), ["Staff Report"]);
    }

    #[test]
    fn where_an_item_is_not_found_the_links_before_the_next_are_nobodys() {
        let found = hrefs(&[
            line(1, "1. CALL TO ORDER", &["x"]),
            line(1, "Library lease", &[]),
            line(1, "Staff Report", &["b"]),
            line(1, "3. Rezoning of twelve acres", &["c"]),
        ]);
        assert!(found.iter().all(Vec::is_empty), "{found:?}: also what follows the last one that was found");
    }
}
