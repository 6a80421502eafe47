//! Documents: what they are, and their text.
