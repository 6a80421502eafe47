//! Private services: they start, end, and leave nothing behind.

mod lifecycle;
mod remains;
