//! The catalogue against the code, and any environment at all against the readers.

use super::{
    lookup::env,
    unknown::{CONFIG, unknown},
    *,
};
use crate::telemetry::LogOutput;
use proptest::prelude::*;
use std::{collections::BTreeSet, fs, net::SocketAddr, path::Path};

/// Everything that reads settings, and what each says is wrong.
fn read_all(env: &Environment) -> Vec<String> {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let known = fleet(env).map_or_else(|_| vec!["default".to_owned()], |fleet| fleet.topology.lanes().to_vec());
    let found = [
        fleet(env).err(),
        http(env, None, any).err(),
        worker(env, &known).err(),
        max_pending(env).err(),
        civic(env).err(),
        record_days(env).err(),
        follow(env).err(),
        budgets(env).err(),
        ocr(env).err(),
        connections(env).err(),
        database_url(env).err(),
        management(env).err(),
        log(env, LogOutput::Stderr).err(),
        traces(env, "worker").err(),
    ];
    found.into_iter().flatten().map(|error| error.to_string()).collect()
}

#[test]
fn every_setting_of_the_catalogue_is_read() {
    let mut read = BTreeSet::new();
    for (provider, model) in [("openai", "DOCKET_OPENAI_MODEL"), ("gemini", "DOCKET_GEMINI_MODEL")] {
        let vars = env(&[("DATABASE_URL", "postgres://u@h/d"), ("DOCKET_SUMMARISER", provider), (model, "m")]);
        read_all(&vars);
        read.append(&mut vars.read.lock().unwrap());
    }
    let unread: Vec<_> = catalogue().map(|setting| setting.variable).filter(|name| !read.contains(*name)).collect();
    assert_eq!(unread, Vec::<&str>::new(), "nobody reads these: take them out of the catalogue, or read them");
    let unlisted: Vec<_> =
        read.iter().filter(|name| catalogue::by_variable(name).is_none() && *name != "NO_COLOR").collect();
    assert_eq!(unlisted, Vec::<&String>::new(), "list these in the SETTINGS of their section");
}

/// Names that begin like a variable, outside of tests.
fn names_in(dir: &Path, found: &mut BTreeSet<String>) {
    for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            names_in(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") && path.file_stem().is_some_and(|name| name != "tests") {
            let text = fs::read_to_string(&path).unwrap();
            let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            let words = product.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            found.extend(words.filter(|word| word.starts_with("DOCKET_") && !word.ends_with('_')).map(str::to_owned));
        }
    }
}

#[test]
fn every_variable_that_the_code_names_is_in_the_catalogue() {
    let mut named = BTreeSet::new();
    names_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut named);
    assert!(named.len() > 40 && named.contains(CONFIG), "{named:?}");
    // Of fault tests, and refused in every other build.
    named.retain(|name| !crate::fleet::crash::VARIABLES.contains(&name.as_str()));
    let foreign = unknown(named.iter().map(|name| (name.as_str(), "tcp://")));
    assert!(foreign.is_empty(), "list these in the SETTINGS of their section: {foreign:#?}");
}

#[test]
fn containers_are_given_variables_that_there_are() {
    let compose = include_str!("../../docker-compose.yml");
    let lines = compose.split("\nconfigs:").next().unwrap_or_default().lines().map(str::trim);
    let names: Vec<_> = lines.filter_map(|line| line.split_once(": ")).map(|(name, _)| name).collect();
    let ours: Vec<_> = names.into_iter().filter(|name| name.starts_with("DOCKET_")).collect();
    assert!(ours.len() >= 3, "{ours:?}");
    assert!(unknown(ours.iter().map(|name| (*name, ""))).is_empty(), "{ours:?}");
}

const SECRET: &str = "hunter2";

/// Texts that a setting may meet: good ones, nearly good ones, and anything.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        (any::<i64>(), prop_oneof![Just("ms"), Just("s"), Just("m"), Just("h"), Just("KiB"), Just("")])
            .prop_map(|(number, unit)| format!("{number}{unit}")),
        (0_u64..100_000, prop_oneof![Just("ms"), Just("s"), Just("h"), Just("MiB"), Just("")])
            .prop_map(|(number, unit)| format!("{number}{unit}")),
        prop_oneof![
            Just("short"),
            Just("openai"),
            Just("gemini"),
            Just("true"),
            Just("0.0.0.0:1"),
            Just("a,b"),
            Just("4.2"),
            Just("/")
        ]
        .prop_map(str::to_owned),
        "\\PC{0,40}",
        any::<String>(),
    ]
}

/// Secrets in their own variables, in whatever shape.
fn secrets() -> impl Strategy<Value = String> {
    let around = || prop_oneof![Just(String::new()), "[a-z]{0,6}(://|:|@|/|=|\\?| ){0,2}[a-z]{0,6}", any::<String>()];
    prop_oneof![
        (around(), around()).prop_map(|(before, after)| format!("{before}{SECRET}{after}")),
        around().prop_map(|rest| format!("postgres://u:{SECRET}@h{rest}")),
        around().prop_map(|rest| format!("http://u:{SECRET}@h{rest}")),
    ]
}

fn environments() -> impl Strategy<Value = Vec<(String, String)>> {
    let all: Vec<&'static Setting> = catalogue().collect();
    let one =
        (prop::sample::select(all), texts(), secrets(), any::<bool>()).prop_map(|(setting, text, secret, file)| {
            match setting.is_secret() {
                true if file => (setting.file_variable(), text),
                true => (setting.variable.to_owned(), secret),
                false => (setting.variable.to_owned(), text),
            }
        });
    let stray = ("DOCKET_[A-Z_]{0,20}", secrets());
    prop::collection::vec(prop_oneof![9 => one, 1 => stray], 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_environment_gets_an_answer_that_holds_no_secret(vars in environments(), set in texts(), key in secrets()) {
        let env: Environment = vars.into_iter().collect();
        let mut said = read_all(&env);
        said.push(serde_json::to_string(&show(&env)).unwrap());
        let set = vec![format!("fleet.lease={set}"), format!("http.token={key}"), set];
        let line = CommandLine { config: Some("none".into()), set, ..CommandLine::default() };
        said.extend(load(env.clone(), &line).err().map(|problems| problems.to_string()));
        said.extend(verify(&env, Role::Worker).err().map(|problems| problems.to_string()));
        prop_assert!(!said.iter().any(|text| text.contains(SECRET)), "{:?}", said);
    }

    #[test]
    fn any_file_gets_an_answer(text in "(\\[[a-z.]{1,9}\\]\n|[a-z.]{1,9} = [\"0-9a-z\\[\\]{}.-]{0,9}\n|.){0,20}") {
        let parsed = file::parse(Path::new("f"), &text);
        let lines = text.lines().count() + 1;
        prop_assert!(parsed.entries.iter().all(|entry| (1..=lines).contains(&entry.line)));
        let line = |name: &str| name.split(':').nth(1).and_then(|line| line.parse::<usize>().ok());
        prop_assert!(parsed.problems.iter().all(|p| line(&p.name).is_some_and(|line| line <= lines)), "{:?}", parsed);
    }
}

#[test]
fn the_sample_is_a_good_file_as_it_is_and_with_every_line_in_use() {
    let sample = include_str!("../../infra/docket.toml");
    let used: String = sample
        .lines()
        .map(|line| line.strip_prefix("#").filter(|l| l.contains(" = ")).unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n");
    for text in [sample, &used] {
        let parsed = file::parse(Path::new("infra/docket.toml"), text);
        assert!(parsed.problems.is_empty(), "{:#?}", parsed.problems);
    }
    assert!(file::parse(Path::new("f"), &used).entries.len() > 20);
}
