//! Database: reachable, version, schema, rights.

use super::super::{
    check::Check,
    facts::{Database, Identity, Rights, Schemas, Seen, Service},
    finding::Finding,
};

/// The oldest version whose features the schema uses.
const OLDEST: i32 = 13;
/// The newest that Docket was run with.
const NEWEST: i32 = 18;

pub(super) fn judge(database: &Service<Database>) -> Vec<Finding> {
    match database {
        // The configuration says that no URL is set, or none that can be used.
        Service::Unnamed => vec![Finding::fault(
            Check::Database,
            "DATABASE_URL names no database: nothing of it could be looked at",
            "set DATABASE_URL, or DATABASE_URL_FILE",
        )],
        Service::Failed(failure) => {
            let finding = Finding::fault(
                Check::Database,
                failure.to_string(),
                "check host, port, user, password and database of DATABASE_URL, and that PostgreSQL runs there",
            );
            vec![if failure.is_unavailable() { finding.away() } else { finding }]
        }
        Service::Answers(facts) => answers(facts),
    }
}

fn answers(facts: &Database) -> Vec<Finding> {
    let mut findings = match &facts.identity {
        Ok(identity) => {
            let seen = format!("PostgreSQL {} answers {:?}", identity.version, identity.user);
            vec![Finding::ok(Check::Database, seen), version(identity)]
        }
        Err(why) => vec![Finding::unknown(Check::Database, why)],
    };
    findings.extend(match &facts.schema {
        Ok(schemas) => vec![schema(schemas), search_path(schemas)],
        Err(why) => vec![Finding::unknown(Check::Schema, why)],
    });
    findings.extend(rights(facts));
    findings
}

fn version(identity: &Identity) -> Finding {
    let (major, version) = (identity.version_number / 10_000, &identity.version);
    let seen = format!("PostgreSQL {version}");
    if major < OLDEST {
        let fix = format!("upgrade to PostgreSQL {OLDEST} or later");
        return Finding::fault(Check::DatabaseVersion, seen, fix);
    }
    if major > NEWEST {
        let fix =
            format!("nothing has to be done; Docket knows {OLDEST} to {NEWEST}, so try an upgrade of Docket first");
        return Finding::note(Check::DatabaseVersion, seen, fix);
    }
    Finding::ok(Check::DatabaseVersion, seen)
}

fn schema(schemas: &Schemas) -> Finding {
    let newest = schemas.newest;
    match &schemas.applied {
        Ok(Some(version)) if *version == newest => Finding::ok(Check::Schema, format!("version {version}")),
        Ok(Some(version)) if *version > newest => Finding::fault(
            Check::Schema,
            format!("the database has version {version}, this binary knows {newest}"),
            "run a newer docket",
        ),
        Ok(Some(version)) => Finding::fault(
            Check::Schema,
            format!("the database has version {version}, this binary needs {newest}"),
            "run docket migrate up",
        ),
        Ok(None) => Finding::fault(Check::Schema, "there is no schema of Docket here", missing(schemas)),
        Err(why) => Finding::unknown(Check::Schema, why),
    }
}

/// Where else the tables may be.
fn missing(schemas: &Schemas) -> String {
    if schemas.homes.is_empty() {
        return "run docket migrate up".to_owned();
    }
    format!(
        "tables of Docket are in {}: name that schema in the search path (?options=-csearch_path%3D…), or run docket \
         migrate up for a new one",
        schemas.homes.join(", ")
    )
}

fn search_path(schemas: &Schemas) -> Finding {
    let (path, check) = (&schemas.search_path, Check::SearchPath);
    let Some(current) = &schemas.current else {
        let seen = format!("no schema of the search path {path:?} exists or may be used");
        return Finding::fault(check, seen, "create the schema, or name another one in the search path");
    };
    match &schemas.jobs_in {
        Some(home) if home != current => Finding::fault(
            check,
            format!("new tables go to {current}, jobs are found in {home} (search path {path:?})"),
            "name one schema first in the search path: migrations and roles must see the same one",
        ),
        _ => Finding::ok(check, format!("{current} (search path {path:?})")),
    }
}

fn rights(facts: &Database) -> Vec<Finding> {
    let check = Check::DatabaseRights;
    let user = facts.identity.as_ref().map_or("this account", |identity| identity.user.as_str());
    let mut findings = Vec::new();
    if let Ok(schemas) = &facts.schema
        && !schemas.closed.is_empty()
    {
        let closed = schemas.closed.join(", ");
        let seen = format!("{user} may not use schema {closed}");
        findings.push(Finding::fault(check, seen, format!("grant usage on schema {closed} to {user}")));
    }
    findings.extend(tables(&facts.rights, user));
    if facts.identity.as_ref().is_ok_and(|identity| identity.is_superuser) {
        let fix = "give each role an account with the rights of infra/postgres/roles.sql alone";
        findings.push(Finding::note(check, format!("{user} is a superuser"), fix));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(check, format!("{user} may do what these roles do")));
    }
    findings
}

fn tables(rights: &Seen<Rights>, user: &str) -> Option<Finding> {
    let missing = match rights {
        Ok(rights) if rights.missing.is_empty() => return None,
        Ok(rights) => &rights.missing,
        Err(why) => return Some(Finding::unknown(Check::DatabaseRights, why)),
    };
    let told: Vec<String> = missing.iter().map(|(table, right)| format!("{right} on {table}")).collect();
    let grants: Vec<String> = missing.iter().map(|(table, right)| grant(table, right, user)).collect();
    Some(Finding::fault(
        Check::DatabaseRights,
        format!("{user} lacks {}", told.join(", ")),
        format!(
            "run infra/postgres/roles.sql as the owner of the tables and give {user} its role, or grant alone: {}",
            grants.join("; ")
        ),
    ))
}

fn grant(table: &str, right: &str, user: &str) -> String {
    let kind = if table.ends_with("_seq") { "sequence " } else { "" };
    format!("grant {} on {kind}{table} to \"{user}\"", right.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::{super::healthy, *};
    use crate::cli::{doctor::finding::Level, exit::Failure};

    fn find(change: impl FnOnce(&mut Database), check: Check) -> Finding {
        let mut facts = healthy::database();
        change(&mut facts);
        let findings = judge(&Service::Answers(facts));
        findings.into_iter().filter(|f| f.check == check).max_by_key(|f| f.level).expect("looked at")
    }

    #[test]
    fn away_and_refusing_are_told_apart() {
        let of = |failure| judge(&Service::Failed(failure)).remove(0);
        let (away, refusing) = (of(Failure::unavailable("no answer")), of(Failure::usage("wrong password")));
        assert!(away.is_away && !refusing.is_away && away.level == Level::Fault && refusing.level == Level::Fault);
        assert_eq!(judge(&Service::Unnamed)[0].check, Check::Database);
    }

    #[test]
    fn versions() {
        for (number, level) in
            [(120_022, Level::Fault), (130_000, Level::Ok), (180_001, Level::Ok), (190_000, Level::Note)]
        {
            let change = |facts: &mut Database| facts.identity.as_mut().unwrap().version_number = number;
            assert_eq!(find(change, Check::DatabaseVersion).level, level, "{number}");
        }
    }

    #[test]
    fn a_schema_is_this_binarys_or_a_fault() {
        let newest = crate::db::newest();
        for (applied, fix) in
            [(Some(newest - 1), "migrate up"), (Some(newest + 1), "newer docket"), (None, "migrate up")]
        {
            let finding = find(|facts| facts.schema.as_mut().unwrap().applied = Ok(applied), Check::Schema);
            assert!(finding.level == Level::Fault && finding.fix.unwrap().contains(fix), "{applied:?}");
        }
        let elsewhere = find(
            |facts| {
                let schemas = facts.schema.as_mut().unwrap();
                (schemas.applied, schemas.homes) = (Ok(None), vec!["fleet_a".to_owned()]);
            },
            Check::Schema,
        );
        assert!(elsewhere.fix.unwrap().contains("fleet_a"));
        let refused = find(|facts| facts.schema.as_mut().unwrap().applied = Err("denied".into()), Check::Schema);
        assert!(refused.level == Level::Warning && refused.seen.contains("denied"));
    }

    #[test]
    fn the_search_path_names_one_schema() {
        let none = find(|facts| facts.schema.as_mut().unwrap().current = None, Check::SearchPath);
        assert_eq!(none.level, Level::Fault);
        let two = find(|facts| facts.schema.as_mut().unwrap().jobs_in = Some("old".into()), Check::SearchPath);
        assert!(two.level == Level::Fault && two.seen.contains("old"), "{two:?}");
    }

    #[test]
    fn missing_rights_come_with_their_grants() {
        let missing =
            vec![("jobs".to_owned(), "UPDATE".to_owned()), ("job_message_seq".to_owned(), "USAGE".to_owned())];
        let finding = find(|facts| facts.rights = Ok(Rights { missing }), Check::DatabaseRights);
        assert_eq!(finding.level, Level::Fault);
        let fix = finding.fix.unwrap();
        assert!(fix.contains("grant update on jobs to") && fix.contains("grant usage on sequence job_message_seq"));
        let closed = find(|facts| facts.schema.as_mut().unwrap().closed = vec!["a".into()], Check::DatabaseRights);
        assert!(closed.level == Level::Fault && closed.fix.unwrap().contains("usage on schema a"));
        let boss = find(|facts| facts.identity.as_mut().unwrap().is_superuser = true, Check::DatabaseRights);
        assert_eq!(boss.level, Level::Note);
    }
}
