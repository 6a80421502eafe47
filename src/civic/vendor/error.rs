//! What goes wrong at a vendor, and what becomes of the job.

use super::http::{FetchError, Reach};
use crate::{
    civic::model::{SyncOutcome, UnknownVendor, Vendor},
    fleet::handler::{ErrorClass, HandlerError},
};

/// Bytes that are not what a vendor promised.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Nothing at all.
    #[error("the answer is empty")]
    Empty,
    /// A page, usually an error page that came with status 200.
    #[error("the answer is an HTML page where JSON was promised")]
    Html,
    /// No markup where a page was promised.
    #[error("the answer is no HTML page")]
    NotHtml,
    /// More than any real answer.
    #[error("the answer has {bytes} bytes: more than {max} are not read")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The most that is read.
        max: usize,
    },
    /// The record is gone for good: asking again gives the same.
    #[error("the vendor says that the record no longer exists")]
    Gone,
    /// XML, which some clients answer whatever was asked for.
    #[error("the answer is XML where JSON was promised: ask with `Accept: application/json`")]
    Xml,
    /// Bytes that are no JSON.
    #[error("the answer is not JSON: {0}")]
    NotJson(String),
    /// JSON of another shape.
    #[error("the answer has another shape than promised: {0}")]
    Shape(String),
    /// No row has the field that identifies it: another kind of answer, or the vendor changed its format.
    #[error("the answer lacks {0}: this is another kind of answer, or the vendor changed its format")]
    Schema(&'static str),
    /// A vendor that Docket can't read.
    #[error(transparent)]
    Vendor(#[from] UnknownVendor),
    /// A kind of answer that the vendor doesn't give.
    #[error("unknown kind {kind:?} of {vendor}: use one of {known}")]
    UnknownKind {
        /// The vendor.
        vendor: Vendor,
        /// What was asked for.
        kind: String,
        /// What could be asked for.
        known: String,
    },
}

/// Why a vendor gave no list.
#[derive(Debug, thiserror::Error)]
pub enum VendorError {
    /// No answer, or one with an error status.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// An answer that can't be read.
    #[error("{url}: {source}")]
    Parse {
        /// The address, without its query.
        url: String,
        /// What is wrong with the answer.
        source: ParseError,
    },
    /// The source lacks what only this vendor needs.
    #[error("the city's source needs the parameter {name}: add the city with {example}")]
    Parameter {
        /// The parameter.
        name: &'static str,
        /// How it is given.
        example: &'static str,
    },
    /// The vendor has no such client. Legistar says so with a plain 500.
    #[error("the vendor knows no client {0:?}: correct the city's source")]
    UnknownClient(String),
}

impl VendorError {
    /// What it says of the site. An answer that can't be read is one city's; an unknown client of Legistar looks like an
    /// outage.
    #[must_use]
    pub const fn reach(&self) -> Reach {
        match self {
            Self::Fetch(fetch) => fetch.reach(),
            Self::Parse { .. } => Reach::Answers,
            Self::Parameter { .. } | Self::UnknownClient(_) => Reach::Unknown,
        }
    }
}

impl VendorError {
    /// Whether nobody was asked: there is nothing to write down, and the job waits.
    #[must_use]
    pub const fn is_not_now(&self) -> bool {
        matches!(self, Self::Fetch(fetch) if fetch.is_not_now())
    }

    /// What a listing came to that ended so.
    #[must_use]
    pub const fn outcome(&self) -> SyncOutcome {
        match self {
            Self::Fetch(FetchError::Status { status: 401 | 403, .. }) => SyncOutcome::Blocked,
            Self::Fetch(_) => SyncOutcome::Failed,
            Self::Parse { .. } => SyncOutcome::Suspect,
            Self::Parameter { .. } | Self::UnknownClient(_) => SyncOutcome::Broken,
        }
    }
}

impl From<VendorError> for HandlerError {
    fn from(error: VendorError) -> Self {
        match error {
            VendorError::Fetch(fetch) => fetch.into(),
            // The page that was asked for is gone: it will not come back.
            VendorError::Parse { source: ParseError::Gone, .. } => {
                Self::non_retryable(ErrorClass::NotFound, error.to_string())
            }
            VendorError::Parameter { .. } => Self::non_retryable(ErrorClass::InvalidArgs, error.to_string()),
            // A soft error: such pages come and go with a vendor's outages, so another attempt may get the list.
            VendorError::Parse { .. } => Self::retryable(ErrorClass::Malformed, error.to_string()),
            VendorError::UnknownClient(_) => Self::non_retryable(ErrorClass::UnknownClient, error.to_string()),
        }
    }
}
