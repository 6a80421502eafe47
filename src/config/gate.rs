//! What the server takes from outside.

use super::{
    kind::Kind,
    lookup::{ConfigError, Environment},
    setting::{SERVER, settings},
};
use crate::fleet::gate::{COUNTED_MAX, MaxPending};

settings! {
    /// Jobs of a kind that may be pending before the API takes no more of it (429); 0: any number. Higher: a client in a
    /// loop fills the table. Lower: honest bursts are refused.
    "api.max_pending" "DOCKET_MAX_PENDING" = "1000000", Kind::Count(0, 1_999_999), SERVER;
    /// The same for some kinds, such as `summarise_item=50000,sync_city=100`.
    "api.max_pending_kinds" "DOCKET_MAX_PENDING_KINDS", Kind::List, SERVER;
}

/// Reads the limits.
///
/// # Errors
/// When a value can't be used.
pub fn max_pending(env: &Environment) -> Result<MaxPending, ConfigError> {
    let mut limits = MaxPending::default();
    let (name, kinds) = ("DOCKET_MAX_PENDING", "DOCKET_MAX_PENDING_KINDS");
    limits.default = countable(name, env.number(name, limits.default)?)?;
    for pair in env.list(kinds) {
        let shape = || ConfigError::new(kinds, "write kind=number, separated by commas, such as sync_city=100");
        let (kind, max) = pair.split_once('=').ok_or_else(shape)?;
        let max = max.trim().parse().map_err(|_| shape())?;
        if limits.kinds.insert(kind.trim().to_owned(), countable(kinds, max)?).is_some() {
            return Err(ConfigError::new(kinds, format!("{:?} stands there twice", kind.trim())));
        }
    }
    Ok(limits)
}

/// A limit above what is counted would be reached before its time.
fn countable(name: &str, max: u64) -> Result<u64, ConfigError> {
    if max >= COUNTED_MAX.unsigned_abs() {
        return Err(ConfigError::new(name, format!("at most {} can be counted; 0 is no limit", COUNTED_MAX - 1)));
    }
    Ok(max)
}

#[cfg(test)]
mod tests {
    use super::{super::lookup::env, *};

    #[test]
    fn a_default_and_kinds_of_their_own() {
        assert_eq!(max_pending(&env(&[])).unwrap(), MaxPending::default());
        let vars = [("DOCKET_MAX_PENDING", "0"), ("DOCKET_MAX_PENDING_KINDS", "a=5, b = 0,")];
        let limits = max_pending(&env(&vars)).unwrap();
        let kinds = [("a".to_owned(), 5), ("b".to_owned(), 0)].into();
        assert_eq!(limits, MaxPending { default: 0, kinds });
    }

    #[test]
    fn nonsense_is_named() {
        for (name, value) in [
            ("DOCKET_MAX_PENDING", "-1"),
            ("DOCKET_MAX_PENDING", "many"),
            ("DOCKET_MAX_PENDING", "2000000"),
            ("DOCKET_MAX_PENDING_KINDS", "a"),
            ("DOCKET_MAX_PENDING_KINDS", "a=b"),
            ("DOCKET_MAX_PENDING_KINDS", "a=1,a=2"),
            ("DOCKET_MAX_PENDING_KINDS", "a=99999999999999999999"),
        ] {
            assert_eq!(max_pending(&env(&[(name, value)])).expect_err(value).name, name);
        }
    }
}
