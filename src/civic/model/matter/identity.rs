//! Which matter an item belongs to: file number, then the vendor's id, then the title.

use super::{file_key, specific_title};
use crate::civic::model::{Fingerprint, ParsedMatter};
use serde::{Deserialize, Serialize};

/// Longest key, in characters: longer ones are hashed.
const MAX_KEY_CHARS: usize = 200;

/// By which rule a matter is told. A closed set, stored by these names as the evidence of each appearance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatterRule {
    /// The file number, in any spelling and whatever the vendor's id: vendors make a new id at each appearance.
    File,
    /// The vendor's id, where there is no file number.
    VendorId,
    /// The title, where there is neither, if it is specific enough.
    Title,
}

impl MatterRule {
    /// Its name in the database and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::VendorId => "vendor_id",
            Self::Title => "title",
        }
    }
}

/// A matter's identity within its city. Keys of different rules never meet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// Unique within the city.
    pub key: String,
    /// The rule that made it.
    pub rule: MatterRule,
}

/// The identity of what an item is about; none: nothing identifies it.
///
/// `vendor_names_matters`: the vendor gives a matter to each item that has one, so that an item without is a heading or
/// procedure, whatever its title.
#[must_use]
pub fn identify(matter: Option<&ParsedMatter>, title: &str, vendor_names_matters: bool) -> Option<Identity> {
    if matter.is_none() && vendor_names_matters {
        return None;
    }
    let file = matter.and_then(|matter| matter.file.as_deref()).and_then(file_key);
    let id = matter.and_then(|matter| matter.vendor_id.as_ref()).map(|id| id.as_str().trim());
    let (rule, key) = match (file, id) {
        (Some(file), _) => (MatterRule::File, format!("file:{file}")),
        (None, Some(id)) if !id.is_empty() => (MatterRule::VendorId, format!("id:{id}")),
        _ => (MatterRule::Title, format!("title:{}", specific_title(title)?)),
    };
    let long = key.chars().count() > MAX_KEY_CHARS;
    let key = if long { format!("hash:{}", Fingerprint::of_bytes(key.as_bytes())) } else { key };
    Some(Identity { key, rule })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LEASE: &str = "A resolution approving the lease of the old ferry terminal building";

    fn matter(file: Option<&str>, id: Option<&str>) -> ParsedMatter {
        let (vendor_id, file) = (id.map(Into::into), file.map(str::to_owned));
        ParsedMatter { vendor_id, file, name: None, kind: None, status: None }
    }

    fn key(file: Option<&str>, id: Option<&str>) -> Option<String> {
        identify(Some(&matter(file, id)), "Report", true).map(|identity| identity.key)
    }

    #[test]
    fn incident_3_a_new_vendor_id_at_each_appearance_makes_no_new_matter() {
        let keys: std::collections::BTreeSet<_> =
            (0..60).map(|id| key(Some("25-0147"), Some(&id.to_string()))).collect();
        assert_eq!(keys.len(), 1, "{keys:?}");
        assert_eq!(key(Some(" - "), Some("9")), Some("id:9".to_owned()), "a dash is no file number");
        assert_eq!(key(Some(""), Some(" ")), None);
    }

    #[test]
    fn incident_4_an_id_without_a_file_number_is_not_ignored() {
        let identity = identify(Some(&matter(None, Some(" 9 "))), LEASE, true).unwrap();
        assert_eq!(identity, Identity { key: "id:9".into(), rule: MatterRule::VendorId });
        // As the adapters' types write it and the reader takes it: one name on both sides.
        let json = serde_json::to_value(matter(None, Some("9"))).unwrap();
        assert_eq!(json["vendor_id"], "9");
        assert_eq!(serde_json::from_value::<ParsedMatter>(json).unwrap(), matter(None, Some("9")));
    }

    #[test]
    fn the_title_speaks_only_where_nothing_else_does() {
        let by_title = identify(None, LEASE, false).unwrap();
        assert_eq!(by_title.rule, MatterRule::Title);
        assert_eq!(identify(None, LEASE, true), None, "a heading of a vendor who names matters");
        let bare = matter(None, None);
        assert_eq!(identify(Some(&bare), LEASE, true), Some(by_title));
        assert_eq!(identify(Some(&matter(Some("A 1"), None)), LEASE, false).unwrap().rule, MatterRule::File);
        assert_eq!(identify(None, "Approval of minutes", false), None);
    }

    proptest! {
        #[test]
        fn with_a_file_number_neither_id_nor_title_says_anything(
            file in "[A-Z]{1,3} [0-9]{1,300}", a in ".{0,9}", b in ".{0,9}", title in ".{0,60}",
        ) {
            let one = identify(Some(&matter(Some(&file), Some(&a))), &title, false);
            prop_assert_eq!(&one, &identify(Some(&matter(Some(&file), Some(&b))), LEASE, true));
            prop_assert!(one.unwrap().key.chars().count() <= MAX_KEY_CHARS);
        }

        #[test]
        fn keys_of_different_rules_never_meet(text in "[a-z0-9]{1,12}") {
            prop_assert_ne!(key(Some(&text), None), key(None, Some(&text)));
            let title = identify(None, &format!("{text} {LEASE}"), false).map(|identity| identity.key);
            prop_assert_ne!(title, key(None, Some(&text)));
        }

        #[test]
        fn two_file_numbers_are_never_one_matter_whatever_the_title(a in "[1-9][0-9]{0,5}", b in "[1-9][0-9]{0,5}") {
            prop_assume!(a != b);
            let of = |file: &str| identify(Some(&matter(Some(file), None)), LEASE, false);
            prop_assert_ne!(of(&a), of(&b));
            // Nor where the numbers stand in the titles only.
            let of = |file: &str| identify(None, &format!("Resolution No. {file} approving the lease of the ferry terminal"), false);
            prop_assert_ne!(of(&a), of(&b));
        }
    }
}
