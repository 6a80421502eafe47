use super::*;
use proptest::prelude::*;

const LEASE: &str = "approving the lease of the old ferry terminal building";

fn same(titles: &[&str]) {
    let first = specific_title(titles[0]);
    assert!(first.is_some(), "{}", titles[0]);
    for title in titles {
        assert_eq!(specific_title(title), first, "{title}");
    }
}

#[test]
fn a_title_is_the_same_whatever_the_clerk_adds_at_a_meeting() {
    same(&[
        "Approving the lease of the old ferry terminal building",
        "A RESOLUTION approving the Lease of the \"Old Ferry Terminal\" Building.",
        "An ordinance approving the lease of the old ferry terminal building (Second Reading)",
        "SECOND READING: An Ordinance approving the lease of the old ferry terminal building",
        "First and Final Reading of an Ordinance approving the lease of the old ferry terminal building",
        "Approving the lease of the old ferry terminal building - for second reading",
        "Approving the lease of the old ferry terminal building (continued from March 4, 2025)",
        "Approving the lease of the old ferry terminal building, continued from the regular meeting of 3/4/2025",
        "Approving the lease of the old ferry terminal building (carried over from the City Council meeting of March 4th)",
        "Approving the lease of the old ferry terminal building - Tuesday, March 4, 2025",
        "Approving the lease of the old ferry terminal building, for the meeting of 2025-03-04",
        "Item 12: Approving the lease of the old ferry terminal building (continued)",
        "Approving the lease of the old ferry terminal building - meeting no. 7",
    ]);
    same(&["Budget transfer of $1,000,000 to the harbor fund", "Budget transfer of $1000000 to the harbor fund"]);
}

#[test]
fn numbers_and_dates_of_the_matter_itself_stay() {
    for (one, other) in [
        (
            "Resolution 2024-15 approving the agreement with Acme Paving",
            "Resolution 2024-16 approving the agreement with Acme Paving",
        ),
        (
            "Agreement with Acme Paving for the period ending June 30, 2025",
            "Agreement with Acme Paving for the period ending June 30, 2026",
        ),
        ("Parcel map for 12 Larkspur Street in the harbor", "Parcel map for 14 Larkspur Street in the harbor"),
        ("Rezoning of the harbor district, phase 1", "Rezoning of the harbor district, phase 2"),
    ] {
        assert_ne!(specific_title(one), specific_title(other), "{one}");
        assert!(specific_title(one).is_some(), "{one}");
    }
}

#[test]
fn procedure_and_general_titles_make_no_matter() {
    for title in [
        "",
        "Approval of Minutes",
        "Approval of the minutes of the regular meeting of March 4, 2025",
        "Public Comment",
        "PUBLIC COMMENT ON ITEMS THAT ARE NOT ON THE AGENDA",
        "Closed Session: conference with legal counsel, existing litigation, Smith v. City",
        "Recess to closed session regarding labor negotiations with all units",
        "Call to Order",
        "Pledge of Allegiance to the flag led by the scouts of Alder Falls",
        "Budget amendment",
        "A resolution",
        "Second reading",
        "Consent Calendar items one through twelve without discussion",
        "Warrants and claims for the period of the month",
        "the of the of the of the of the of the of",
        "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17",
    ] {
        assert_eq!(specific_title(title), None, "{title}");
    }
}

proptest! {
    #[test]
    fn any_text_is_survived_and_a_normal_title_is_its_own(text in "(?s).{0,300}") {
        if let Some(title) = specific_title(&text) {
            prop_assert_eq!(specific_title(&title), Some(title));
        }
    }

    #[test]
    fn case_and_punctuation_say_nothing(mark in "[ .,;:!?()\"-]{1,4}", upper in any::<bool>()) {
        let text = LEASE.replace(' ', &format!(" {mark} "));
        let text = if upper { text.to_uppercase() } else { text };
        prop_assert_eq!(specific_title(&text), specific_title(LEASE));
    }

    #[test]
    fn another_word_is_another_title(word in "[b-z]{5,9}") {
        prop_assert_ne!(specific_title(&format!("{LEASE} {word}")), specific_title(LEASE));
    }
}
