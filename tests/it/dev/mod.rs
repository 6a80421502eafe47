//! Private services: they start, end, and leave nothing behind.

mod fleet;
mod lifecycle;
mod proxy;
mod remains;
