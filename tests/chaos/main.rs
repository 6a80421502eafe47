//! A short run of the chaos with the binary of these tests. `DOCKET_CHAOS_MINUTES` and `DOCKET_CHAOS_SEED` make another one.

use docket::dev::chaos::{self, ChaosSpec, News, check::judge, evidence::Evidence};
use std::path::Path;

/// Any seed must hold; this one makes runs that can be compared.
const SEED: u64 = 20_261_128;

fn variable<T: std::str::FromStr>(name: &str, default: T) -> T {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}: {text:?} is no number")),
        Err(_) => default,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_and_nothing_is_done_twice() {
    let seed = variable("DOCKET_CHAOS_SEED", SEED);
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("chaos-{}", std::process::id()));
    let spec = ChaosSpec {
        seed,
        minutes: variable("DOCKET_CHAOS_MINUTES", 2.0),
        dir: dir.clone(),
        binary: env!("CARGO_BIN_EXE_docket").into(),
    };
    chaos::run(&spec, &|news| {
        if let News::Fault(class) = news {
            println!("fault: {class}");
        }
    })
    .await
    .unwrap();
    let verdict = judge(&Evidence::read(&spec.evidence()).unwrap());
    println!("{}", serde_json::to_string(&verdict).unwrap());
    let kept = format!("the evidence is in {}", spec.evidence().display());
    assert!(!verdict.is_broken(), "{:?}; {kept}", verdict.found);
    assert!(!verdict.void, "it proves nothing, it never came to {:?}; {kept}", verdict.found.missing);
    assert!(verdict.accepted > 100 && verdict.completed > 100, "there was a load; {kept}");
    std::fs::remove_dir_all(&dir).unwrap();
}
