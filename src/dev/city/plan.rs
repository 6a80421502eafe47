//! The whole city, worked out before the first request.

use super::{
    CitySpec, Fault, pdf,
    prose::{self, BODIES, Details, PROCEDURE, SUBJECTS, Subject},
    spec::lists_items,
};
use jiff::{ToSpan, civil::Date};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::collections::HashSet;

/// Meetings are spread over this many days.
const DAYS: usize = 14;
/// Each seventh meeting is the last of a round: it is cancelled.
const ROUND: usize = 7;

#[derive(Debug)]
pub(super) struct Plan {
    pub(super) meetings: Vec<Meeting>,
}

#[derive(Debug)]
pub(super) struct Meeting {
    pub(super) id: usize,
    pub(super) body: &'static str,
    pub(super) date: Date,
    pub(super) time: &'static str,
    pub(super) cancelled: bool,
    pub(super) rows: Vec<Row>,
    pub(super) agenda: Option<Document>,
}

/// A row of the agenda.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: usize,
    pub(super) kind: RowKind,
    /// None: a row of the minutes, not on the agenda.
    pub(super) sequence: Option<usize>,
    pub(super) number: Option<String>,
    pub(super) title: String,
    /// What a printed agenda says below the title.
    pub(super) text: String,
    pub(super) matter: Option<Matter>,
    pub(super) attachments: Vec<Document>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowKind {
    /// It is summarised.
    Business,
    /// Too short to be summarised.
    Procedure,
    /// A line or a page break, or a row of the minutes: no item at all.
    Chrome,
}

#[derive(Clone, Debug)]
pub(super) struct Matter {
    /// New at each appearance, as vendors do.
    pub(super) id: usize,
    pub(super) file: String,
    pub(super) kind: &'static str,
}

#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) id: usize,
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    pub(super) fault: Option<Fault>,
}

impl Plan {
    pub(super) fn new(spec: &CitySpec) -> Self {
        let mut builder = Builder { rng: StdRng::seed_from_u64(spec.seed), next: 1_000, first_reading: None };
        Self { meetings: (0..spec.meetings).map(|index| builder.meeting(spec, index)).collect() }
    }

    /// So many documents, no two of them alike.
    pub(super) fn papers(count: usize, seed: u64) -> Vec<Vec<u8>> {
        // Each round of meetings has some thirty of them.
        let meetings = ROUND * (1 + count / 24);
        let plan = Self::new(&CitySpec { meetings, seed, ..CitySpec::default() });
        let mut seen = HashSet::new();
        plan.documents()
            .map(|document| &document.bytes)
            .filter(|bytes| seen.insert(*bytes))
            .take(count)
            .cloned()
            .collect()
    }

    /// Meetings that take place.
    pub(super) fn held(&self) -> impl Iterator<Item = &Meeting> {
        self.meetings.iter().filter(|meeting| !meeting.cancelled)
    }

    /// Every document, each address once.
    pub(super) fn documents(&self) -> impl Iterator<Item = &Document> {
        let rows = self.meetings.iter().flat_map(|meeting| &meeting.rows);
        let agendas = self.meetings.iter().filter_map(|meeting| meeting.agenda.as_ref());
        agendas.chain(rows.flat_map(|row| &row.attachments))
    }
}

struct Builder {
    rng: StdRng,
    next: usize,
    /// The item that the next meeting takes up again.
    first_reading: Option<Row>,
}

impl Builder {
    fn id(&mut self) -> usize {
        self.next += 1;
        self.next
    }

    fn meeting(&mut self, spec: &CitySpec, index: usize) -> Meeting {
        let cancelled = index % ROUND == ROUND - 1;
        let id = self.id();
        let body = BODIES[index % BODIES.len()];
        let days = i64::try_from(1 + index % DAYS).expect("fourteen days are few");
        let date = spec.today.saturating_add(days.days());
        let rows = if cancelled { Vec::new() } else { self.rows(spec, index) };
        let agenda = (!cancelled).then(|| self.agenda(spec, body, date, &rows));
        Meeting {
            id,
            body,
            date,
            time: if index.is_multiple_of(2) { "6:30 PM" } else { "9:00 AM" },
            cancelled,
            rows,
            agenda,
        }
    }

    fn rows(&mut self, spec: &CitySpec, index: usize) -> Vec<Row> {
        let mut rows: Vec<Row> =
            PROCEDURE.iter().map(|title| self.row(RowKind::Procedure, (*title).to_owned())).collect();
        rows.extend(self.second_reading());
        for slot in 0..spec.business {
            let subject = &SUBJECTS[(index * spec.business + slot) % SUBJECTS.len()];
            let business = self.business(spec, subject, slot);
            rows.push(business);
        }
        if spec.faults {
            self.add_faults(index, &mut rows);
        }
        let first = rows.iter().rfind(|row| row.kind == RowKind::Business && row.attachments.len() == 1);
        self.first_reading = first.filter(|row| row.attachments[0].fault.is_none()).map(copy);
        let mut minutes = Vec::new();
        if !lists_items(spec.vendor) {
            for (place, row) in rows.iter_mut().enumerate() {
                row.number = Some(format!("{}.", place + 1));
            }
        } else if index.is_multiple_of(ROUND) {
            rows.insert(2, self.row(RowKind::Chrome, "____________________".to_owned()));
            rows.insert(3, self.row(RowKind::Chrome, "PAGE BREAK".to_owned()));
            minutes
                .push(self.row(RowKind::Chrome, "Minutes were approved as presented by unanimous consent".to_owned()));
        }
        for (place, row) in rows.iter_mut().enumerate() {
            row.sequence = Some(place + 1);
        }
        rows.append(&mut minutes);
        rows
    }

    fn row(&mut self, kind: RowKind, title: String) -> Row {
        let (number, text, attachments) = (None, String::new(), Vec::new());
        Row { id: self.id(), kind, sequence: None, number, title, text, matter: None, attachments }
    }

    /// An ordinance comes up twice: the same file number and the same report, under new ids.
    fn second_reading(&mut self) -> Option<Row> {
        let mut row = self.first_reading.take()?;
        row.id = self.id();
        for document in &mut row.attachments {
            document.id = self.id();
        }
        if let Some(matter) = &mut row.matter {
            matter.id = self.id();
        }
        Some(row)
    }

    fn business(&mut self, spec: &CitySpec, subject: &Subject, slot: usize) -> Row {
        let details = Details::new(&mut self.rng);
        let mut row = self.row(RowKind::Business, details.fill(subject.title));
        row.number = Some(format!("{}.", slot + 1));
        let matter = self.id();
        let file = format!("{} {}-{matter}", subject.kind()[..3].to_uppercase(), self.rng.random_range(20..30));
        row.matter = Some(Matter { id: matter, file, kind: subject.kind() });
        // The last one has no documents; the first has two.
        let names: &[&str] = match slot {
            _ if !lists_items(spec.vendor) => {
                row.text = prose::paragraph(subject, &details, &mut self.rng);
                &[]
            }
            0 => &["Staff Report", "Exhibit A"],
            _ if slot + 1 == spec.business => &[],
            _ => &["Staff Report"],
        };
        for name in names {
            let pages = prose::report(subject, &details, &format!("{name}, file {}", row.id), &mut self.rng);
            row.attachments.push(self.document(name, &pages));
        }
        row
    }

    fn document(&mut self, name: &str, pages: &[Vec<String>]) -> Document {
        Document { id: self.id(), name: name.to_owned(), bytes: pdf::write(pages), fault: None }
    }

    fn agenda(&mut self, spec: &CitySpec, body: &str, date: Date, rows: &[Row]) -> Document {
        let mut page = vec![format!("Agenda of the {body} of {}, {date}", spec.name())];
        for row in rows.iter().filter(|row| row.kind != RowKind::Chrome) {
            page.push(format!("{} {}", row.number.as_deref().unwrap_or("-"), row.title));
            page.extend(Some(&row.text).filter(|text| !text.is_empty()).cloned());
        }
        self.document("Agenda", &[page])
    }

    /// One fault a meeting, in the first four of each round.
    fn add_faults(&self, index: usize, rows: &mut [Row]) {
        let fault = match index % ROUND {
            0 => Fault::Missing,
            1 => Fault::FailsTwice,
            2 => Fault::Broken,
            3 => Fault::Slow,
            _ => return,
        };
        let mut documents =
            rows.iter_mut().filter(|row| row.number.as_deref() == Some("2.")).flat_map(|row| &mut row.attachments);
        if let Some(document) = documents.next() {
            document.fault = Some(fault);
        }
    }
}

fn copy(row: &Row) -> Row {
    Row {
        id: row.id,
        kind: row.kind,
        sequence: None,
        number: Some("0.".to_owned()),
        title: row.title.clone(),
        text: row.text.clone(),
        matter: row.matter.clone(),
        attachments: row.attachments.clone(),
    }
}
