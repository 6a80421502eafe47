//! Reserving what a call may cost, and settling what it has cost. One row's lock makes one decision at a time.

use super::{
    llm_answers::{self, NewAnswer},
    llm_ledger::{self, Booking},
};
use crate::{
    civic::{
        llm::{
            MicroUsd, PromptType, ProviderKind,
            budget::{self, Account, Budgets, Decision, Period, Scope, Standing},
        },
        model::Fingerprint,
    },
    fleet::job::JobId,
};
use jiff::Timestamp;
use std::{collections::HashMap, time::Duration};
use tokio_postgres::{Client, Error, GenericClient};
use uuid::Uuid;

/// A question to a model: what an answer is kept by.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Hash of all that the model reads of the source.
    pub input: &'a Fingerprint,
    /// Version of the prompt.
    pub prompt_version: &'a str,
    /// The model.
    pub model: &'a str,
    /// 1, or 2 when the first answer was not proven.
    pub attempt: i16,
}

/// A call that is to be made.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// What is asked.
    pub question: Question<'a>,
    /// For which city.
    pub city: &'a str,
    /// By which job.
    pub job: JobId,
    /// The most that it may cost.
    pub worst: MicroUsd,
    /// Its worker is dead when it has not settled by then.
    pub lives: Duration,
    /// What may be asked in the same call; none: nothing.
    pub along: Option<Along<'a>>,
}

/// Questions that are asked along with another, so far as nobody has asked them or does so at this moment.
#[derive(Clone, Copy, Debug)]
pub struct Along<'a> {
    /// The hashes of their inputs, the nearest first.
    pub inputs: &'a [&'a str],
    /// Most of them that one call takes.
    pub most: usize,
    /// The models of whom an answer is enough, also one that is on its way.
    pub models: &'a [&'a str],
    /// The most that a call may cost with `most` of them. Beyond what a budget leaves, the question is asked alone.
    pub worst: MicroUsd,
}

/// What became of a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// The call may be made; it is settled under this id. With these inputs along.
    Granted(Uuid, Vec<String>),
    /// Another job has the answer by now.
    Answered,
    /// Another job asks the same at this moment.
    Taken,
    /// First the calls of dead workers are to be booked: [`llm_lost::collect`](super::llm_lost::collect).
    Unbooked,
    /// The model is asked nothing until then.
    Paused(Timestamp, String),
    /// A budget says no; the time is the database's.
    Refused(Decision, Timestamp),
}

/// Everybody who reserves or settles takes this row's lock first, so that nobody waits in a circle. One time for the whole
/// transaction, however long it waits here: at midnight the old day's spending must not be taken for the new day's.
pub(super) const LOCK: &str = "\
insert into llm_spend as s (scope, period, starts_on)
values ('total', 'month', date_trunc('month', now() at time zone 'utc')::date)
on conflict (scope, period, starts_on) do update set spent_micro_usd = s.spent_micro_usd returning now()";

const LOOK: &str = "\
select exists (select from llm_answers where input_hash = $1 and prompt_version = $2 and model = $3 and attempt >= $4),
       exists (select from llm_reservations where input_hash = $1 and prompt_version = $2 and model = $3 and expires_at > now()),
       (select until from llm_pauses where model = $3 and until > now()), (select reason from llm_pauses where model = $3),
       exists (select from llm_reservations where expires_at <= now())";

const STANDINGS: &str = "\
select a.scope, p.period, coalesce(s.spent_micro_usd, 0), r.reserved
from (values ('total'), ('city'), ('model')) a(scope) cross join (values ('day'), ('month')) p(period)
left join llm_spend s on s.period = p.period and s.starts_on = date_trunc(p.period, now() at time zone 'utc')::date
  and s.scope = case a.scope when 'total' then 'total' when 'city' then 'city:' || $1 else 'model:' || $2 end
cross join lateral (
  select coalesce(sum(v.micro_usd), 0)::bigint as reserved from llm_reservations v
  where v.expires_at > now() and (a.scope = 'total' or a.scope = 'city' and v.city = $1 or a.scope = 'model' and v.model = $2)) r";

/// Everybody waits at [`LOCK`], so that what is free here stays free.
const FREE: &str = "\
select q.input from unnest($1::text[]) with ordinality q(input, n)
where not exists (select from llm_answers a
                  where a.input_hash = q.input and a.prompt_version = $2 and a.model = any($3))
  and not exists (select from llm_reservations r
                  where r.input_hash = q.input and r.prompt_version = $2 and r.model = any($3))
order by q.n limit $4";

const RESERVE: &str = "\
insert into llm_reservations (input_hash, prompt_version, model, holder, city, micro_usd, job_id, expires_at)
select q.input, $2, $3, $4, $5, q.micro_usd, $6, now() + $7 * interval '1 s' from unnest($1::text[], $8::bigint[]) q(input, micro_usd)";

/// Reserves what a call may cost, unless somebody else asks the same, the model is paused, or a budget says no.
///
/// # Errors
/// When the database fails.
pub async fn reserve(client: &mut Client, budgets: &Budgets, wish: &Wish<'_>) -> Result<Reserved, Error> {
    let tx = client.transaction().await?;
    let now: Timestamp = tx.query_one(LOCK, &[]).await?.get(0);
    let Question { input, prompt_version, model, attempt } = wish.question;
    let key: [&(dyn tokio_postgres::types::ToSql + Sync); 3] = [&input.as_str(), &prompt_version, &model];
    let row = tx.query_one(LOOK, &[key[0], key[1], key[2], &attempt]).await?;
    if row.get(0) {
        return Ok(Reserved::Answered);
    }
    if row.get(1) {
        return Ok(Reserved::Taken);
    }
    if row.get(4) {
        return Ok(Reserved::Unbooked);
    }
    if let Some(until) = row.get(2) {
        return Ok(Reserved::Paused(until, row.get::<_, Option<String>>(3).unwrap_or_default()));
    }
    let mut along = wish.along;
    if !budgets.list().is_empty() {
        let standings = standings(&tx, wish.city, model).await?;
        let standing = |scope: Scope, period: Period| standings.get(&(scope, period)).copied().unwrap_or_default();
        let decide = |worst| budget::decide(budgets, &Account { city: wish.city, model }, worst, standing);
        along = along.filter(|along| decide(along.worst) == Decision::Go);
        let decision = along.map_or_else(|| decide(wish.worst), |_| Decision::Go);
        if decision != Decision::Go {
            return Ok(Reserved::Refused(decision, now));
        }
    }
    let (mut taken, mut worst): (Vec<String>, _) = (Vec::new(), wish.worst);
    if let Some(along) = along {
        let most = i64::try_from(along.most).unwrap_or(i64::MAX);
        let rows = tx.query(FREE, &[&along.inputs, key[1], &along.models, &most]).await?;
        taken = rows.iter().map(|row| row.get(0)).collect();
        worst = if taken.is_empty() { wish.worst } else { along.worst };
    }
    let holder = Uuid::new_v4();
    let inputs: Vec<&str> = std::iter::once(input.as_str()).chain(taken.iter().map(String::as_str)).collect();
    // The price of the call stands in the row of the question that took the others along.
    let mut prices = vec![0; inputs.len()];
    prices[0] = i64::try_from(worst).unwrap_or(i64::MAX);
    let (job, lives) = (wish.job.0, wish.lives.as_secs_f64());
    tx.execute(RESERVE, &[&inputs, key[1], key[2], &holder, &wish.city, &job, &lives, &prices]).await?;
    tx.commit().await?;
    Ok(Reserved::Granted(holder, taken))
}

async fn standings<C: GenericClient + Sync>(
    tx: &C,
    city: &str,
    model: &str,
) -> Result<HashMap<(Scope, Period), Standing>, Error> {
    let rows = tx.query(STANDINGS, &[&city, &model]).await?;
    let micro = |value: i64| MicroUsd::try_from(value).unwrap_or_default();
    let standing = |row: &tokio_postgres::Row| {
        let scope = match row.get(0) {
            "city" => Scope::City,
            "model" => Scope::Model,
            _ => Scope::Total,
        };
        let period = if row.get::<_, &str>(1) == Period::Day.as_str() { Period::Day } else { Period::Month };
        ((scope, period), Standing { spent: micro(row.get(2)), reserved: micro(row.get(3)) })
    };
    Ok(rows.iter().map(standing).collect())
}

const RELEASE: &str = "\
delete from llm_reservations where input_hash = any($1) and prompt_version = $2 and model = $3 and holder = $4";

/// The month's total first: it is the row of [`LOCK`].
const SPEND: &str = "\
insert into llm_spend as s (scope, period, starts_on, spent_micro_usd)
select a.scope, a.period, date_trunc(a.period, now() at time zone 'utc')::date, $1
from unnest($2::text[], $3::text[]) with ordinality a(scope, period, n) order by a.n
on conflict (scope, period, starts_on) do update set spent_micro_usd = s.spent_micro_usd + excluded.spent_micro_usd";

const PAUSE: &str = "\
insert into llm_pauses as p (model, until, reason) values ($1, $2, $3)
on conflict (model) do update set until = greatest(p.until, excluded.until), reason = excluded.reason";

const BEGIN: &str = "\
update llm_reservations set asked_at = now(), provider = $5, prompt_type = $6, expires_at = now() + $7 * interval '1 s'
where input_hash = any($1) and prompt_version = $2 and model = $3 and holder = $4 and expires_at > now()";

/// A call that is about to be made.
#[derive(Clone, Copy, Debug)]
pub struct Beginning<'a> {
    /// What is asked.
    pub question: Question<'a>,
    /// The id of its reservation.
    pub holder: Uuid,
    /// The inputs that are taken along.
    pub along: &'a [Fingerprint],
    /// Who is asked.
    pub provider: ProviderKind,
    /// With which prompt.
    pub prompt: PromptType,
    /// Its worker is dead when it has not settled by then.
    pub lives: Duration,
}

/// Writes down that a call is made, so that it is booked even if nobody settles it. False: what was reserved has expired, and
/// the call must not be made.
///
/// # Errors
/// When the database fails.
pub async fn begin<C: GenericClient + Sync>(client: &C, call: &Beginning<'_>) -> Result<bool, Error> {
    let Question { input, prompt_version, model, .. } = call.question;
    let (inputs, lives) = (inputs(input, call.along), call.lives.as_secs_f64());
    let (provider, prompt) = (call.provider.as_str(), call.prompt.as_str());
    let begun =
        client.execute(BEGIN, &[&inputs, &prompt_version, &model, &call.holder, &provider, &prompt, &lives]).await?;
    Ok(usize::try_from(begun).is_ok_and(|begun| begun == inputs.len()))
}

/// How a call ended.
#[derive(Clone, Copy, Debug)]
pub struct Settlement<'a> {
    /// What was asked.
    pub question: Question<'a>,
    /// The id of its reservation.
    pub holder: Uuid,
    /// The call, for the ledger, with its city.
    pub booking: Booking<'a>,
    /// What is kept of the answer.
    pub answer: Option<NewAnswer<'a>>,
    /// The inputs that were taken along, and what is kept of the answers to them.
    pub along: &'a [(&'a Fingerprint, Option<NewAnswer<'a>>)],
    /// The model is asked nothing until then, for this reason.
    pub pause: Option<(Timestamp, &'a str)>,
}

/// Books a call, adds it to what its accounts have spent, keeps its answer and gives back what was reserved: all or nothing.
///
/// False: it was booked before, by an earlier try whose answer got lost, or as the call of a dead worker. Then the answer is
/// kept, and nothing more is booked.
///
/// # Errors
/// When the database fails.
pub async fn settle(client: &mut Client, settlement: &Settlement<'_>) -> Result<bool, Error> {
    let Settlement { question, holder, booking, along, .. } = settlement;
    let tx = client.transaction().await?;
    tx.execute(LOCK, &[]).await?;
    let cost = i64::try_from(booking.call.cost).unwrap_or(i64::MAX);
    spend(&tx, cost, booking.city.unwrap_or("unknown"), question.model).await?;
    let inputs = inputs(question.input, along.iter().map(|(input, _)| *input));
    let released = tx.execute(RELEASE, &[&inputs, &question.prompt_version, &question.model, holder]).await?;
    if released > 0 {
        llm_ledger::book(&tx, *booking).await?;
        keep(&tx, settlement).await?;
        return tx.commit().await.map(|()| true);
    }
    tx.rollback().await?;
    let tx = client.transaction().await?;
    tx.execute(LOCK, &[]).await?;
    keep(&tx, settlement).await?;
    tx.commit().await.map(|()| false)
}

/// Adds to what the accounts of a call have spent.
pub(super) async fn spend<C: GenericClient + Sync>(tx: &C, cost: i64, city: &str, model: &str) -> Result<(), Error> {
    if cost == 0 {
        return Ok(());
    }
    let account = Account { city, model };
    let [total, city, of_model] = &[Scope::Total, Scope::City, Scope::Model].map(|scope| account.of(scope));
    let (names, periods) = ([total, total, city, city, of_model, of_model], ["month", "day"].repeat(3));
    tx.execute(SPEND, &[&cost, &names.as_slice(), &periods]).await.map(drop)
}

/// Keeps what was answered, and that the model wants a pause.
async fn keep<C: GenericClient + Sync>(tx: &C, settlement: &Settlement<'_>) -> Result<(), Error> {
    let Settlement { question, answer, along, pause, .. } = settlement;
    if let Some(answer) = answer {
        llm_answers::put(tx, question, answer).await?;
    }
    for (input, answer) in *along {
        if let Some(answer) = answer {
            llm_answers::put(tx, &Question { input, ..*question }, answer).await?;
        }
    }
    if let Some((until, reason)) = pause {
        tx.execute(PAUSE, &[&question.model, until, reason]).await?;
    }
    Ok(())
}

/// Gives back what was reserved for a call that was not made, with these inputs along.
///
/// # Errors
/// When the database fails.
pub async fn release<C: GenericClient + Sync>(
    client: &C,
    question: &Question<'_>,
    along: &[Fingerprint],
    holder: Uuid,
) -> Result<(), Error> {
    let Question { input, prompt_version, model, .. } = question;
    client.execute(RELEASE, &[&inputs(input, along), prompt_version, model, &holder]).await.map(drop)
}

fn inputs<'a>(own: &'a Fingerprint, along: impl IntoIterator<Item = &'a Fingerprint>) -> Vec<&'a str> {
    std::iter::once(own).chain(along).map(Fingerprint::as_str).collect()
}
