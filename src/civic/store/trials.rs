//! What the domain's tables must refuse, for `docket migrate verify`.

use crate::db::{Expected, Trial};

/// The version that has all of it.
const SINCE: i32 = 2;

/// One row of each table, each found by what is special about it.
const ROWS: &str = "\
insert into cities (slug, name, zone, vendor, client) values ('docket-verify', 'n', 'UTC', 'v', 'docket.verify');
insert into meetings (city_id, vendor_id, body, title, local_date, zone, status, listing, list_fingerprint)
  select id, 'docket.verify', 'b', 't', '2000-01-01', 'UTC', 'scheduled', '{}', repeat('a', 64) from cities where slug = 'docket-verify';
insert into meeting_revisions (meeting_id, number, fingerprint, content)
  select id, 1, repeat('a', 64), '{}' from meetings where vendor_id = 'docket.verify';
insert into agenda_items (meeting_id, vendor_id, title, fingerprint)
  select id, 'docket.verify', 't', repeat('a', 64) from meetings where vendor_id = 'docket.verify';
insert into documents (sha256, bytes, kind, content) values (repeat('0', 64), 0, 'docket.verify', '');
insert into document_refs (meeting_id, url, name)
  select id, 'docket.verify', 'n' from meetings where vendor_id = 'docket.verify';
insert into extractions (sha256, extractor, pages, chars, body) values (repeat('0', 64), 'docket.verify', 0, 0, '');
insert into matters (city_id, key) select id, 'docket.verify' from cities where slug = 'docket-verify'";

/// In words, and what is tried after [`ROWS`].
const TRIALS: &[(&str, &str)] = &[
    ("a meeting's unknown status", "update meetings set status = 'moved' where vendor_id = 'docket.verify'"),
    ("a meeting without a status", "update meetings set status = null where vendor_id = 'docket.verify'"),
    ("a meeting without a city", "update meetings set city_id = null where vendor_id = 'docket.verify'"),
    ("a meeting of no city", "update meetings set city_id = -1 where vendor_id = 'docket.verify'"),
    ("a meeting without a day", "update meetings set local_date = null where vendor_id = 'docket.verify'"),
    ("a meeting with another's revision", "update meetings set revision_id = -1 where vendor_id = 'docket.verify'"),
    ("a listing without a fingerprint", "update meetings set list_fingerprint = '' where vendor_id = 'docket.verify'"),
    ("a city's slug that is no word", "update cities set slug = 'Docket Verify' where slug = 'docket-verify'"),
    ("a city without a name", "update cities set name = '' where slug = 'docket-verify'"),
    ("a city without a zone", "update cities set zone = null where slug = 'docket-verify'"),
    (
        "one source under two names",
        "insert into cities (slug, name, zone, vendor, client) values ('docket-verify-2', 'n', 'UTC', 'v', 'docket.verify')",
    ),
    (
        "a revision that is changed",
        "update meeting_revisions set seen_at = now() where meeting_id = (select id from meetings where vendor_id = 'docket.verify')",
    ),
    (
        "a revision before the first",
        "insert into meeting_revisions (meeting_id, number, fingerprint, content) select id, 0, repeat('a', 64), '{}' from meetings where vendor_id = 'docket.verify'",
    ),
    ("an item without a title", "update agenda_items set title = '' where vendor_id = 'docket.verify'"),
    (
        "an item twice",
        "insert into agenda_items (meeting_id, vendor_id, title, fingerprint) select meeting_id, vendor_id, 't', fingerprint from agenda_items where vendor_id = 'docket.verify'",
    ),
    (
        "a document under a name that is no digest",
        "insert into documents (sha256, bytes, kind, content) values ('x', 0, 'k', '')",
    ),
    ("a document of another length", "update documents set bytes = 1 where kind = 'docket.verify'"),
    ("a reference's unknown status", "update document_refs set status = 'lost' where url = 'docket.verify'"),
    ("fetched, and nothing there", "update document_refs set status = 'fetched' where url = 'docket.verify'"),
    ("a reference to no document", "update document_refs set sha256 = repeat('1', 64) where url = 'docket.verify'"),
    (
        "a text of no document",
        "insert into extractions (sha256, extractor, pages, chars, body) values (repeat('1', 64), 'x', 0, 0, '')",
    ),
    ("a text of fewer pages than none", "update extractions set pages = -1 where extractor = 'docket.verify'"),
    (
        "a summary of something else",
        "insert into summaries (subject_kind, subject_id, input_hash, prompt_version, model, body, tokens_in, tokens_out, cost_micro_usd) values ('city', 1, repeat('a', 64), 'p', 'm', 'b', 0, 0, 0)",
    ),
    (
        "an empty summary",
        "insert into summaries (subject_kind, subject_id, input_hash, prompt_version, model, body, tokens_in, tokens_out, cost_micro_usd) values ('item', 1, repeat('a', 64), 'p', 'm', '', 0, 0, 0)",
    ),
    (
        "a request that earned money",
        "insert into llm_ledger (model, prompt_type, status, tokens_in, tokens_cached, tokens_out, cost_micro_usd, duration_ms) values ('m', 'p', 's', 0, 0, 0, -1, 0)",
    ),
    (
        "a matter twice",
        "insert into matters (city_id, key) select city_id, key from matters where key = 'docket.verify'",
    ),
];

/// The version that records answers, one of them, and what it must refuse.
const RECORD_SINCE: i32 = 11;
const RECORD: &str = "\
insert into responses (ask, vendor, purpose, host, url, url_sha256, status, bytes, duration_ms)
  values ('00000000-0000-0000-0000-000000000000', 'docket.verify', 'agenda', 'h', 'u', repeat('a', 64), 200, 0, 0)";

const OF_RECORD: &[(&str, &str)] = &[
    ("an answer that is changed", "update responses set bytes = 1 where vendor = 'docket.verify'"),
    (
        "an answer that is an error too",
        "insert into responses (ask, vendor, purpose, host, url, url_sha256, status, error, bytes, duration_ms) values ('00000000-0000-0000-0000-000000000000', 'v', 'agenda', 'h', 'u', repeat('a', 64), 200, 'timeout', 0, 0)",
    ),
    (
        "an answer to a question of no kind",
        "insert into responses (ask, vendor, purpose, host, url, url_sha256, status, bytes, duration_ms) values ('00000000-0000-0000-0000-000000000000', 'v', 'other', 'h', 'u', repeat('a', 64), 200, 0, 0)",
    ),
    ("a body under a name that is no digest", "insert into response_bodies (sha256, bytes, gzip) values ('x', 0, '')"),
    (
        "places at a host without their ends",
        "insert into paces (key, label, spacing_ms, free_at, turn_at, going) values ('docket.verify', 'v', 0, now(), now(), '{1}')",
    ),
];

/// The version that reads items in documents, a row of it, and what it must refuse.
const SEGMENTS_SINCE: i32 = 13;
const SEGMENT: &str = "\
insert into agenda_segments (meeting_id, revision_id, sha256, segmenter, method, items, suspect)
  values (-1, -1, repeat('0', 64), 'docket.verify', 'none', '[]', 'why')";
const SEGMENT_TRIALS: &[(&str, &str)] = &[
    (
        "a reading of an agenda that is changed",
        "update agenda_segments set at = now() where segmenter = 'docket.verify'",
    ),
    (
        "items of a reading that is suspect",
        "insert into agenda_segments (meeting_id, revision_id, sha256, segmenter, method, items, suspect) values (-1, -2, repeat('0', 64), 'docket.verify', 'none', '[1]', 'why')",
    ),
    (
        "an agenda read twice by one version",
        "insert into agenda_segments (meeting_id, revision_id, sha256, segmenter, method, items) select meeting_id, revision_id, sha256, segmenter, method, '[]' from agenda_segments where segmenter = 'docket.verify'",
    ),
];

/// The same, of the version that merges matters.
const MATTERS_SINCE: i32 = 15;
const MATTER_TRIALS: &[(&str, &str)] = &[
    (
        "an act on matters that is changed",
        "insert into matter_acts (city_id, act, matters, detail, actor) values (-1, 'merge', '{1}', '{}', 'docket.verify'); \
         update matter_acts set act = 'split' where actor = 'docket.verify'",
    ),
    (
        "an undo of nothing",
        "insert into matter_acts (city_id, act, matters, detail, actor) values (-1, 'undo', '{1}', '{}', 'docket.verify')",
    ),
    (
        "an act undone twice",
        "insert into matter_acts (city_id, act, matters, undoes, detail, actor) \
         select -1, 'undo', '{1}', -1, '{}', 'docket.verify' from generate_series(1, 2)",
    ),
    (
        "a key that leads to two matters",
        "insert into matter_aliases (city_id, key, matter_id, act_id) select -1, 'docket.verify', n, 1 from generate_series(1, 2) n",
    ),
    (
        "a change of nothing",
        "insert into meeting_changes (city_id, meeting_id, kinds, detail) values (-1, -1, '{}', '{}')",
    ),
    ("a matter by an unknown rule", "update matters set rule = 'guess' where key = 'docket.verify'"),
];

/// The same, of the version that knows budgets.
const MONEY_SINCE: i32 = 14;
const MONEY_TRIALS: &[(&str, &str)] = &[
    (
        "a summary held back for no reason",
        "insert into summaries (subject_kind, subject_id, input_hash, prompt_version, model, body, tokens_in, tokens_out, cost_micro_usd, state) values ('item', 1, repeat('a', 64), 'p', 'm', 'b', 0, 0, 0, 'held_back')",
    ),
    (
        "an answer without a text",
        "insert into llm_answers (input_hash, prompt_version, model, attempt, status, body) values (repeat('a', 64), 'p', 'm', 1, 'ok', '')",
    ),
    (
        "a third try of an answer",
        "insert into llm_answers (input_hash, prompt_version, model, attempt, status, body) values (repeat('a', 64), 'p', 'm', 3, 'ok', 'b')",
    ),
    ("money of nobody", "insert into llm_spend (scope, period, starts_on) values ('planet', 'day', '2000-01-01')"),
    (
        "spending that earned money",
        "insert into llm_spend (scope, period, starts_on, spent_micro_usd) values ('total', 'day', '2000-01-01', -1)",
    ),
    (
        "a reservation that earns money",
        "insert into llm_reservations (input_hash, prompt_version, model, holder, city, micro_usd, expires_at) values (repeat('a', 64), 'p', 'm', gen_random_uuid(), 'c', -1, now())",
    ),
];

/// All of it.
#[must_use]
pub fn trials() -> Vec<Trial> {
    let of = |since: i32, given: &'static str, trials: &'static [(&str, &str)]| {
        trials.iter().map(move |(what, sql)| Trial {
            what: (*what).to_owned(),
            since,
            given: given.to_owned(),
            sql: (*sql).to_owned(),
            expected: Expected::Refused,
        })
    };
    of(SINCE, ROWS, TRIALS)
        .chain(of(RECORD_SINCE, RECORD, OF_RECORD))
        .chain(of(SEGMENTS_SINCE, SEGMENT, SEGMENT_TRIALS))
        .chain(of(MONEY_SINCE, ROWS, MONEY_TRIALS))
        .chain(of(MATTERS_SINCE, ROWS, MATTER_TRIALS))
        .collect()
}
