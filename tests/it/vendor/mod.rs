//! Vendors' answers: the HTTP client against servers that misbehave, Legistar's client, and recorded answers.

mod arbitrary;
mod fetching;
mod layouts;
mod legistar;
mod parsing;
mod recorded_pages;
mod refusing;
pub(crate) mod site;
mod sites;
mod unusual;
mod unusual_json;
