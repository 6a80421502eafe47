//! An agenda item as a source shows it.

use super::{AttachmentId, Fingerprint, MatterId, SourceItemId, WebUrl};
use serde::{Deserialize, Serialize};

/// What a vendor's adapter returns of one agenda item. Texts are cleaned: one line, no markup, no invisible characters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParsedItem {
    /// The vendor's id.
    pub vendor_id: SourceItemId,
    /// Its place on the agenda, as the vendor counts: gaps and repetitions are normal. None when the source has none.
    pub sequence: Option<i32>,
    /// The printed number, such as `A.` or `12`.
    pub number: Option<String>,
    /// What it is about; never empty.
    pub title: String,
    /// The matter it belongs to; none for headings and procedure.
    pub matter: Option<ParsedMatter>,
    /// Its documents.
    pub attachments: Vec<ParsedAttachment>,
    /// The note printed on the agenda.
    pub note: Option<String>,
    /// What was decided, such as `adopted`.
    pub action: Option<String>,
    /// True when it is taken without debate.
    pub consent: bool,
}

impl ParsedItem {
    /// Hash of everything above.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self)
    }
}

/// A matter (a bill, a resolution, a contract) that an item treats. Its identity is the file number; the vendor's id
/// only where there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParsedMatter {
    /// The vendor's id.
    pub vendor_id: Option<MatterId>,
    /// The file number, such as `CB 120736`.
    pub file: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its kind in the vendor's words, such as `Ordinance (Ord)`.
    pub kind: Option<String>,
    /// Its state in the vendor's words, such as `Passed`.
    pub status: Option<String>,
}

/// A document attached to an item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ParsedAttachment {
    /// The vendor's id.
    pub vendor_id: Option<AttachmentId>,
    /// Its name; the file's name where the source has none.
    pub name: String,
    /// Its address. Never a signed one that expires.
    pub url: WebUrl,
}
