//! The domain's tables, one file a noun.
