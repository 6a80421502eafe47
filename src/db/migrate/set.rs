//! The files.

use super::{error::MigrateError, steps::Script};

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// Numbered SQL files, in order.
#[derive(Clone, Debug)]
pub struct MigrationSet(Vec<refinery::Migration>);

impl MigrationSet {
    /// Those of this binary.
    #[must_use]
    pub fn embedded() -> Self {
        Self::sorted(embedded::migrations::runner().get_migrations().clone())
    }

    /// Others, by name (`V7__add_wings`) and text: what a test needs.
    ///
    /// # Errors
    /// A name that is none, a number twice, a step that isn't known.
    pub fn of(files: &[(&str, &str)]) -> Result<Self, MigrateError> {
        let read = |(name, sql): &(&str, &str)| {
            refinery::Migration::unapplied(name, sql).map_err(|e| MigrateError::Migration(format!("{name}: {e}")))
        };
        let set = Self::sorted(files.iter().map(read).collect::<Result<_, _>>()?);
        if let Some(twice) = set.0.windows(2).find(|pair| pair[0].version() == pair[1].version()) {
            return Err(MigrateError::Migration(format!("{} and {} have one number", twice[0], twice[1])));
        }
        for migration in &set.0 {
            script(migration)?;
        }
        Ok(set)
    }

    fn sorted(mut migrations: Vec<refinery::Migration>) -> Self {
        migrations.sort();
        Self(migrations)
    }

    /// Those up to a number.
    #[must_use]
    pub fn up_to(&self, version: i32) -> Self {
        Self(self.iter().filter(|migration| migration.version() <= version).cloned().collect())
    }

    /// The number of the newest.
    #[must_use]
    pub fn newest(&self) -> i32 {
        self.0.last().map(refinery::Migration::version).unwrap_or_default()
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, refinery::Migration> {
        self.0.iter()
    }
}

/// The text of a file.
pub(super) fn sql(migration: &refinery::Migration) -> &str {
    migration.sql().unwrap_or_default()
}

/// The steps of a file.
pub(super) fn script(migration: &refinery::Migration) -> Result<Script, MigrateError> {
    Script::parse(sql(migration)).map_err(|e| MigrateError::Migration(format!("{migration}: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_files_can_be_read() {
        let set = MigrationSet::embedded();
        assert!(set.newest() >= 3);
        for migration in set.iter() {
            assert!(script(migration).is_ok_and(|script| !script.steps.is_empty()), "{migration}");
        }
    }

    #[test]
    fn a_number_is_given_once() {
        assert!(MigrationSet::of(&[("V1__a", "select 1"), ("V1__b", "select 2")]).is_err());
        assert!(MigrationSet::of(&[("one", "select 1")]).is_err());
        assert_eq!(MigrationSet::of(&[("V2__b", ""), ("V1__a", "")]).unwrap().newest(), 2);
    }
}
