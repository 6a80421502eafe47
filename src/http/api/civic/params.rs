//! Parameters, read strictly: what can't be used is refused with what can.

use crate::{
    civic::{
        model::{CitySlug, MeetingStatus},
        store::read::Cursor,
    },
    http::Problem,
};
use axum::extract::{
    Path, Query,
    rejection::{PathRejection, QueryRejection},
};
use std::str::FromStr;

/// Longest search, in bytes. More words than that find nothing.
const WORDS_MAX_BYTES: usize = 500;

/// The query, or what is wrong with it; `hint` says what can be asked.
pub(super) fn query<T>(params: Result<Query<T>, QueryRejection>, hint: &'static str) -> Result<T, Problem> {
    let Query(params) = params.map_err(|e| Problem::bad_request(cut(&e.body_text()), hint))?;
    Ok(params)
}

/// A row's id in the path.
pub(super) fn id(id: Result<Path<i64>, PathRejection>) -> Result<i64, Problem> {
    let Path(id) = id.map_err(|_| Problem::bad_request("an id is a whole number", "see the list of this path"))?;
    Ok(id)
}

/// A name in the path.
pub(super) fn name(name: Result<Path<String>, PathRejection>, hint: &'static str) -> Result<String, Problem> {
    let Path(name) = name.map_err(|_| Problem::bad_request("the path is not UTF-8", hint))?;
    Ok(name)
}

/// A text that PostgreSQL can hold.
fn text(name: &str, value: Option<String>, hint: &'static str) -> Result<Option<String>, Problem> {
    match value {
        Some(text) if text.contains('\0') => Err(Problem::bad_request(format!("{name} can't contain U+0000"), hint)),
        Some(text) if text.len() > WORDS_MAX_BYTES => {
            let message = format!("{name} has {} bytes, it may have {WORDS_MAX_BYTES}", text.len());
            Err(Problem::bad_request(message, hint))
        }
        value => Ok(value),
    }
}

/// Words to look for.
pub(super) fn words(value: Option<String>, hint: &'static str) -> Result<Option<String>, Problem> {
    match text("q", value, hint)? {
        Some(words) if !words.contains(char::is_alphanumeric) => {
            Err(Problem::bad_request("q has no word to look for", hint))
        }
        words => Ok(words),
    }
}

/// A city.
pub(super) fn city(value: Option<String>, hint: &'static str) -> Result<Option<CitySlug>, Problem> {
    Ok(text("city", value, hint)?.map(CitySlug))
}

/// A day, an instant, a status: anything that is read from its text.
pub(super) fn parsed<T: FromStr>(
    (name, example): (&str, &str),
    value: Option<String>,
    hint: &'static str,
) -> Result<Option<T>, Problem> {
    let wrong = |value: &str| Problem::bad_request(format!("{name} is {:?}, not such as {example}", cut(value)), hint);
    value.map(|value| value.parse().map_err(|_| wrong(&value))).transpose()
}

/// A meeting's status.
pub(super) fn status(value: Option<String>, hint: &'static str) -> Result<Option<MeetingStatus>, Problem> {
    let known = MeetingStatus::ALL.iter().map(|status| status.as_str()).collect::<Vec<_>>().join(", ");
    let wrong = |value: &str| Problem::bad_request(format!("status is {:?}, it is one of {known}", cut(value)), hint);
    value.map(|value| value.parse().map_err(|_| wrong(&value))).transpose()
}

/// Where the page before ended.
pub(super) fn cursor<K: FromStr>(value: Option<String>, hint: &'static str) -> Result<Option<Cursor<K>>, Problem> {
    let cursor = value.map(|value| value.parse::<Cursor<K>>()).transpose();
    cursor.map_err(|e| Problem::bad_request(e.to_string(), hint))
}

/// 404, of something that has a list.
pub(super) fn missing(what: &str, hint: &'static str) -> Problem {
    Problem::not_found(format!("there is no {what}"), hint)
}

/// No such city: a filter by one that nobody follows is a mistake, not an empty list.
pub(super) fn no_city() -> Problem {
    Problem::bad_request("there is no such city", "see /api/cities")
}

fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}
