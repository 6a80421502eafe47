//! What models answered: paid for once. Never changed.

use super::llm_money::Question;
use crate::civic::{llm::Answer, model::Fingerprint};
use tokio_postgres::{Error, GenericClient};

/// What is kept of an answer.
#[derive(Clone, Copy, Debug)]
pub enum NewAnswer<'a> {
    /// A summary.
    Summary(&'a Answer),
    /// The model's filter refused the text, in these words.
    Blocked(&'a str),
}

/// An answer that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Whose.
    pub model: String,
    /// 1, or 2 when the first was not proven.
    pub attempt: i16,
    /// The answer; or why the model refused the text.
    pub answer: Result<Answer, String>,
}

const PUT: &str = "\
insert into llm_answers (input_hash, prompt_version, model, attempt, status, body, pages) values ($1, $2, $3, $4, $5, $6, $7)
on conflict do nothing";

/// Keeps an answer; the first one of its key stays.
///
/// # Errors
/// When the database fails.
pub(super) async fn put<C: GenericClient + Sync>(
    client: &C,
    question: &Question<'_>,
    answer: &NewAnswer<'_>,
) -> Result<(), Error> {
    let (status, body, pages) = match answer {
        NewAnswer::Summary(answer) => ("ok", answer.summary.as_str(), answer.pages.as_slice()),
        NewAnswer::Blocked(reason) => ("blocked", if reason.is_empty() { "blocked" } else { reason }, [].as_slice()),
    };
    let pages: Vec<i32> = pages.iter().filter_map(|page| i32::try_from(*page).ok()).collect();
    let Question { input, prompt_version, model, attempt } = question;
    client.execute(PUT, &[&input.as_str(), prompt_version, model, attempt, &status, &body, &pages]).await.map(drop)
}

const KNOWN: &str = "\
select model, attempt, status, body, pages from llm_answers
where input_hash = $1 and prompt_version = $2 and model = any($3) order by model, attempt";

/// The answers that this input has from these models.
///
/// # Errors
/// When the database fails.
pub async fn known<C: GenericClient + Sync>(
    client: &C,
    input: &Fingerprint,
    prompt_version: &str,
    models: &[&str],
) -> Result<Vec<Known>, Error> {
    let rows = client.query(KNOWN, &[&input.as_str(), &prompt_version, &models]).await?;
    let known = |row: &tokio_postgres::Row| {
        let body: String = row.get(3);
        let pages = row.get::<_, Vec<i32>>(4).into_iter().filter_map(|page| u32::try_from(page).ok()).collect();
        let answer = if row.get::<_, &str>(2) == "ok" { Ok(Answer { summary: body, pages }) } else { Err(body) };
        Known { model: row.get(0), attempt: row.get(1), answer }
    };
    Ok(rows.iter().map(known).collect())
}
