//! What a parser had to leave out or repair.

use serde::{Deserialize, Serialize};

/// A parsed list and what was wrong with its source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parsed<T> {
    /// What was read, in an order that doesn't depend on the order of the rows.
    pub values: Vec<T>,
    /// What was left out or repaired.
    pub warnings: Vec<Warning>,
}

impl<T> Default for Parsed<T> {
    fn default() -> Self {
        Self { values: Vec::new(), warnings: Vec::new() }
    }
}

/// One thing that was wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Warning {
    /// What kind of thing.
    pub code: WarningCode,
    /// What happened, for people.
    pub message: String,
    /// The vendor's id of the row, where it has one.
    pub vendor_id: Option<String>,
}

/// The kinds of warnings. A closed set: they are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WarningCode {
    /// A row that is no object, or whose field has another type than promised; left out.
    Malformed,
    /// A row without an id; left out.
    MissingId,
    /// A meeting that its vendor has not numbered yet; kept, under its name and time.
    Unnumbered,
    /// A meeting without a date that can be believed; left out.
    MissingDate,
    /// A date that is only a placeholder, such as 1900-01-01; left out.
    ImplausibleDate,
    /// A time that can't be read; the text is kept.
    UnreadableTime,
    /// A time with more words around it; the time is kept.
    TimeWithExtraText,
    /// An item without a title; left out.
    BlankTitle,
    /// A row that only structures the page (lines, page breaks); left out.
    PageChrome,
    /// A row of the minutes that is not on the agenda; left out.
    NotOnAgenda,
    /// An item without a sequence in a list that has none.
    MissingSequence,
    /// A sequence that another item of the list has too; both are kept.
    RepeatedSequence,
    /// A row shows another day than its links; the shown one is kept.
    OtherDay,
    /// A second row with an id that was seen. Of an answer's rows the newer one is kept, those of a page are one meeting.
    DuplicateId,
    /// A link that is no web address; left out.
    RefusedLink,
    /// A bare file name or path without a known base; left out.
    RelativeLink,
    /// Text longer than is kept; cut.
    TextCut,
    /// A single object where a list was promised; read as a list of one.
    SingleObject,
    /// More rows than can be true; the rest is left out.
    TooManyRows,
    /// A page that shows a part of its list, or may do so.
    PartialList,
}

impl WarningCode {
    /// Whether a whole row was left out, or may be elsewhere, so that what is missing from the list may have stood there.
    #[must_use]
    pub const fn loses_a_row(self) -> bool {
        matches!(
            self,
            Self::Malformed
                | Self::MissingId
                | Self::MissingDate
                | Self::ImplausibleDate
                | Self::TooManyRows
                | Self::PartialList
        )
    }
}
