//! A city's name as a label of counters.

use super::model::CitySlug;
use std::{
    collections::HashSet,
    sync::{LazyLock, Mutex, PoisonError},
};

/// Cities that have a label of their own in one process: each costs a series for each counter by city. Those that come later are
/// counted together.
const MOST: usize = 1_000;
const OTHER: &str = "other";

static KNOWN: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);

/// The label of a city: its short name, or `other` beyond the first thousand that this process meets.
pub(in crate::civic) fn city_label(city: &CitySlug) -> String {
    label(&mut KNOWN.lock().unwrap_or_else(PoisonError::into_inner), city.as_str(), MOST).to_owned()
}

fn label<'a>(known: &mut HashSet<String>, city: &'a str, most: usize) -> &'a str {
    if known.contains(city) {
        return city;
    }
    if known.len() >= most {
        return OTHER;
    }
    known.insert(city.to_owned());
    city
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_so_many_cities_all_are_others_and_those_that_were_first_stay() {
        let mut known = HashSet::new();
        let mut of = |city: &'static str| label(&mut known, city, 2);
        assert_eq!(["a", "b", "c", "a", "d", "b"].map(&mut of), ["a", "b", "other", "a", "other", "b"]);
    }
}
