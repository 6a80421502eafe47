//! The city in CivicPlus' words: an agenda centre whose row ids and tokens are new with each request.

use super::{
    plan::Meeting,
    site::{Site, SiteState, parameter},
};
use axum::{
    Router,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use jiff::civil::Date;
use std::{collections::BTreeMap, sync::Arc};

pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new().route("/AgendaCenter/Search/", get(search)).route("/AgendaCenter/ViewFile/Agenda/{name}", get(agenda))
}

async fn search(State(site): SiteState, RawQuery(query): RawQuery) -> Response {
    let day = |name: &str| Date::strptime("%m/%d/%Y", parameter(query.as_deref(), name)?).ok();
    let (from, to) = (day("startDate"), day("endDate"));
    let token: u64 = rand::random();
    let body = match site.changes().redesigned {
        true => redesigned(&site),
        false => boards(&site, |date| from.is_none_or(|from| date >= from) && to.is_none_or(|to| date <= to)),
    };
    let page = format!(
        "<!DOCTYPE html><html><head><title>Dogwood Bay</title></head><body>\
         <form action=\"/AgendaCenter/Search/\"><input type=\"hidden\" name=\"__RequestVerificationToken\" \
         value=\"{token:x}\"></form>{body}</body></html>"
    );
    Html(page).into_response()
}

/// A board under its heading, its meetings in rows.
fn boards(site: &Site, is_asked: impl Fn(Date) -> bool) -> String {
    let mut boards: BTreeMap<&str, String> = BTreeMap::new();
    for meeting in site.plan.meetings.iter().filter(|meeting| is_asked(meeting.date)) {
        boards.entry(meeting.body).or_default().push_str(&row(meeting, site));
    }
    let board = |(name, rows): (&&str, &String)| {
        format!("<h2>{name}</h2><table summary=\"List of Agendas\"><tbody>{rows}</tbody></table>")
    };
    format!("<div id=\"AgendaCenterContent\">{}</div>", boards.iter().map(board).collect::<String>())
}

fn row(meeting: &Meeting, site: &Site) -> String {
    let (id, dom): (String, u64) = (name(meeting), rand::random());
    let cancelled = if site.is_cancelled(meeting) { "CANCELLED - " } else { "" };
    format!(
        "<tr id=\"row{dom:x}\" class=\"catAgendaRow\"><td><h3><strong>{}</strong></h3>\
         <p><a href=\"/AgendaCenter/ViewFile/Agenda/{id}\">{cancelled}{}</a></p></td></tr>",
        meeting.date.strftime("%b %-d, %Y"),
        meeting.body,
    )
}

/// What stays of a row: its day and its number.
fn name(meeting: &Meeting) -> String {
    format!("_{}-{}", meeting.date.strftime("%m%d%Y"), meeting.id)
}

/// The same files in a page of cards.
fn redesigned(site: &Site) -> String {
    let card = |meeting: &Meeting| {
        format!(
            "<article class=\"card\"><a href=\"/AgendaCenter/ViewFile/Agenda/{}\">{}</a></article>",
            name(meeting),
            meeting.body
        )
    };
    format!("<main class=\"cards\">{}</main>", site.plan.meetings.iter().map(card).collect::<String>())
}

async fn agenda(State(site): SiteState, Path(file): Path<String>, headers: HeaderMap) -> Response {
    let meeting = site.plan.meetings.iter().find(|meeting| name(meeting) == file);
    match meeting.and_then(|meeting| meeting.agenda.as_ref()) {
        Some(agenda) => site.document(agenda.id, &headers).await,
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
