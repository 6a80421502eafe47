//! What the made-up council talks about.

use rand::{Rng, rngs::StdRng, seq::IndexedRandom};

/// Bodies that meet.
pub(super) const BODIES: &[&str] =
    &["City Council", "Planning Commission", "Parks and Trails Board", "Transportation Committee", "Finance Committee"];

/// A subject: its title, and sentences for a report about it. `{sum}`, `{years}` and `{street}` are filled in.
pub(super) struct Subject {
    pub(super) title: &'static str,
    kind: &'static str,
    sentences: &'static [&'static str],
}

impl Subject {
    /// The kind of matter, in a vendor's words.
    pub(super) const fn kind(&self) -> &'static str {
        self.kind
    }
}

/// Subjects; titles are longer than the 50 characters that are worth a summary.
pub(super) const SUBJECTS: &[Subject] = &[
    Subject {
        title: "AN ORDINANCE authorizing a lease of the old mill on {street} to the Alder Falls Makers Guild",
        kind: "Ordinance",
        sentences: &[
            "The guild would lease the old mill on {street} for {years} years at {sum} dollars a year.",
            "The mill has stood empty since the flood, and the roof was repaired with insurance money.",
            "The guild must open its workshop to residents on at least two evenings a week.",
            "Rent from the lease goes to the historic buildings fund, which holds less than a year of upkeep.",
            "Either side may end the lease with six months of notice after the third year.",
        ],
    },
    Subject {
        title: "A RESOLUTION awarding the contract for the {street} water main replacement to the lowest bidder",
        kind: "Resolution",
        sentences: &[
            "The water main under {street} broke four times in two winters and serves 310 homes.",
            "Five bids were opened; the lowest responsible bid is {sum} dollars, nine percent under the estimate.",
            "Work would start after the spring runoff and last about fourteen weeks.",
            "One lane of {street} stays open, and no home is without water for more than eight hours.",
            "The water fund pays the contract and no general fund money is used.",
        ],
    },
    Subject {
        title: "A public hearing on the rezoning of three parcels on {street} from light industry to mixed use",
        kind: "Hearing",
        sentences: &[
            "The owner asks to rezone three parcels on {street}, together 2.4 acres, from light industry to mixed use.",
            "The zoning would allow up to 84 homes above shops, with a height limit of four stories.",
            "One in eight homes must stay affordable for {years} years under the inclusionary rule.",
            "The traffic study expects 410 more trips a day and recommends a signal paid by the owner.",
            "Eleven letters support the rezoning and six oppose it, mostly for parking.",
        ],
    },
    Subject {
        title: "A RESOLUTION accepting a state grant for safe crossings near the schools on {street}",
        kind: "Resolution",
        sentences: &[
            "The state grants {sum} dollars for crossings near two schools on {street}.",
            "The grant pays for six raised crossings, new lighting and a school zone with flashing signs.",
            "The match of the city is ten percent and comes from the street fund.",
            "Construction must be complete within {years} years or the grant is returned.",
            "Crash records list eleven injuries of people on foot near these schools in five years.",
        ],
    },
    Subject {
        title: "AN ORDINANCE adopting a dark sky lighting code for new and replaced outdoor lights in the city",
        kind: "Ordinance",
        sentences: &[
            "The lighting code asks that new outdoor lights are shielded and no brighter than needed.",
            "Existing lights may stay until they are replaced, or for {years} years at a business.",
            "The city would replace its own 1,240 street lights with shielded ones, at {sum} dollars.",
            "The observatory on the ridge and the night migration survey support the lighting code.",
            "Sports fields may use their lights until ten in the evening on game days.",
        ],
    },
    Subject {
        title: "A MOTION approving the purchase of two electric buses and chargers for the {street} route",
        kind: "Motion",
        sentences: &[
            "The purchase of two electric buses and three chargers costs {sum} dollars.",
            "A federal program pays four fifths of the purchase, the transit fund the rest.",
            "The {street} route carries 900 riders a day and is the route with the oldest buses.",
            "The buses are expected to save a third of the energy cost over {years} years.",
            "Drivers and mechanics are trained by the maker before the buses enter service.",
        ],
    },
    Subject {
        title: "A RESOLUTION adopting the restoration plan for the creek and its banks along {street}",
        kind: "Resolution",
        sentences: &[
            "The plan restores 0.8 miles of creek along {street} over {years} years.",
            "Banks are planted with willow and alder, and two culverts that stop trout are replaced.",
            "The first phase of the plan costs {sum} dollars, of which half is from the watershed district.",
            "The path along the creek is moved back by twenty feet and stays open during the work.",
            "Neighbors asked for a fence at the playground, which the plan now holds.",
        ],
    },
    Subject {
        title: "AN ORDINANCE amending the budget of the current year for snow removal and street repair",
        kind: "Ordinance",
        sentences: &[
            "The amendment moves {sum} dollars from the reserve to snow removal and street repair.",
            "Three storms in five weeks used the whole budget for snow removal by the middle of the winter.",
            "The reserve stays above the level that the financial policy of the council asks for.",
            "Street repair concentrates on {street} and on roads that buses use.",
            "The finance director will report on the reserve again in {years} months.",
        ],
    },
];

/// Business that every meeting has: short, and without documents.
pub(super) const PROCEDURE: &[&str] = &["Call to Order", "Approval of the Minutes"];

const STREETS: &[&str] = &["Larkspur Street", "Foundry Road", "North Ferry Avenue", "Quarry Lane", "Sawmill Road"];

const GENERAL: &[&str] = &[
    "Staff recommends approval.",
    "The committee heard the matter last month and voted four to one in favor.",
    "Residents may speak for three minutes each before the vote.",
    "The city attorney has reviewed the form of the documents.",
    "Notice was published and mailed to owners within five hundred feet.",
    "The alternatives are to approve, to approve with changes, to continue the matter, or to deny it.",
];

/// The details of one matter, the same in its title and in all its documents.
#[derive(Clone, Debug)]
pub(super) struct Details {
    street: &'static str,
    sum: String,
    years: u32,
}

impl Details {
    pub(super) fn new(rng: &mut StdRng) -> Self {
        let street = STREETS.choose(rng).expect("the list is not empty");
        let thousands = rng.random_range(12..980);
        Self { street, sum: format!("{thousands},{}00", rng.random_range(0..10)), years: rng.random_range(2..12) }
    }

    pub(super) fn fill(&self, text: &str) -> String {
        text.replace("{street}", self.street).replace("{sum}", &self.sum).replace("{years}", &self.years.to_string())
    }
}

/// What an agenda prints about an item: two of the subject's sentences.
pub(super) fn paragraph(subject: &Subject, details: &Details, rng: &mut StdRng) -> String {
    let sentences: Vec<String> =
        subject.sentences.choose_multiple(rng, 2).map(|sentence| details.fill(sentence)).collect();
    sentences.join(" ")
}

/// A report of two to four pages: the subject's own sentences, each page with some that every report has.
pub(super) fn report(subject: &Subject, details: &Details, heading: &str, rng: &mut StdRng) -> Vec<Vec<String>> {
    let pages = rng.random_range(2..=4);
    (1..=pages)
        .map(|page| {
            let mut paragraphs = vec![format!("{heading}, page {page} of {pages}"), details.fill(subject.title)];
            for _ in 0..3 {
                let mut sentences: Vec<String> =
                    subject.sentences.choose_multiple(rng, 3).map(|sentence| details.fill(sentence)).collect();
                sentences.push((*GENERAL.choose(rng).expect("the list is not empty")).to_owned());
                paragraphs.push(sentences.join(" "));
            }
            paragraphs
        })
        .collect()
}
