//! How a file runs: whole, or in the steps that its `-- step:` lines name.

use super::script;

/// How a step runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// In one transaction.
    Transaction,
    /// One statement after the other, outside any transaction: indexes that are built beside the work.
    Concurrently,
    /// Again and again over rows in the order of their key, `$1 < key <= $2`, each time in a transaction.
    Batch {
        /// The table.
        table: String,
        /// A bigint with an index.
        key: String,
        /// Rows looked at in a transaction.
        size: i64,
    },
}

/// A part of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) how: How,
    pub(super) statements: Vec<String>,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Script {
    /// One, in a transaction, if the file has no `-- step:` line.
    pub(super) steps: Vec<Step>,
    /// Whether it has such lines. Then it may stop between two of them, and is started again from the first.
    pub(super) in_steps: bool,
}

/// A line that begins a step.
const STEP: &str = "-- step:";

impl Script {
    /// Reads a file.
    ///
    /// # Errors
    /// A step that isn't known, or that holds what it can't run.
    pub(super) fn parse(sql: &str) -> Result<Self, String> {
        let mut parts = vec![(None, String::new())];
        for line in sql.lines() {
            match line.strip_prefix(STEP) {
                Some(how) => parts.push((Some(how.trim()), String::new())),
                None => {
                    let (_, text) = parts.last_mut().expect("it begins with one");
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
        let in_steps = parts.len() > 1;
        let first = script::statements(&parts[0].1);
        if !in_steps {
            return Ok(Self { steps: vec![Step { how: How::Transaction, statements: first }], in_steps });
        }
        if let Some(statement) = first.first() {
            return Err(format!("{statement:?} stands before the first `{STEP}` line"));
        }
        let steps = parts[1..].iter().map(|(how, text)| Step::parse(how.unwrap_or_default(), text));
        Ok(Self { steps: steps.collect::<Result<_, _>>()?, in_steps })
    }

    /// All statements as one transaction can run them.
    pub(super) fn plain(&self) -> impl Iterator<Item = (&Step, String)> {
        let of = |step: &Step, statement: &str| match step.how {
            How::Concurrently => statement.replacen(" concurrently", "", 1),
            _ => statement.to_owned(),
        };
        self.steps.iter().flat_map(move |step| step.statements.iter().map(move |s| (step, of(step, s))))
    }
}

impl Step {
    fn parse(how: &str, text: &str) -> Result<Self, String> {
        let statements = script::statements(text);
        let how = match how.split_whitespace().collect::<Vec<_>>()[..] {
            ["transaction"] => How::Transaction,
            ["concurrently"] => How::Concurrently,
            ["batch", column, size] => {
                batch(column, size).ok_or_else(|| format!("`{STEP} {how}`: batch TABLE.KEY ROWS"))?
            }
            _ => return Err(format!("`{STEP} {how}` is none of transaction, concurrently, batch TABLE.KEY ROWS")),
        };
        let step = Self { how, statements };
        step.check()?;
        Ok(step)
    }

    fn check(&self) -> Result<(), String> {
        let concurrent = |statement: &String| index_name(statement).is_some();
        match self.how {
            _ if self.statements.is_empty() => Err("a step without a statement".to_owned()),
            How::Concurrently if !self.statements.iter().all(concurrent) => {
                Err("a concurrent step holds `create index concurrently if not exists NAME …` and nothing else"
                    .to_owned())
            }
            How::Batch { .. } if self.statements.len() != 1 || !self.statements[0].contains("$2") => {
                Err("a batch is one statement with $1 < key and key <= $2".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// In words.
    pub(super) fn describe(&self) -> String {
        match &self.how {
            How::Transaction => {
                let count = self.statements.len();
                format!("a transaction of {count} statement{}", if count == 1 { "" } else { "s" })
            }
            How::Concurrently => {
                let names: Vec<&str> = self.statements.iter().filter_map(|statement| index_name(statement)).collect();
                format!("builds {} beside the work", names.join(" and "))
            }
            How::Batch { table, key, size } => format!("a batch over {table}, {size} rows of {key} at a time"),
        }
    }
}

fn batch(column: &str, size: &str) -> Option<How> {
    let (table, key) = column.split_once('.')?;
    let size = size.parse().ok().filter(|size| *size > 0)?;
    Some(How::Batch { table: table.to_owned(), key: key.to_owned(), size })
}

/// The index that a concurrent statement builds.
pub(super) fn index_name(statement: &str) -> Option<&str> {
    let words: Vec<&str> = statement.split_whitespace().collect();
    let words = if words.get(1) == Some(&"unique") { [&words[..1], &words[2..]].concat() } else { words };
    match words[..] {
        ["create", "index", "concurrently", "if", "not", "exists", name, "on", ..] => Some(name),
        _ => None,
    }
}

/// A line of the comment at a file's head: `-- Key: text`, and lines indented below it.
pub(super) fn header(sql: &str, key: &str) -> Option<String> {
    let head = sql.lines().map_while(|line| line.strip_prefix("--"));
    let mut found: Option<String> = None;
    for line in head {
        match &mut found {
            None => {
                found =
                    line.trim_start().strip_prefix(key).and_then(|l| l.strip_prefix(':')).map(|l| l.trim().to_owned())
            }
            Some(text) if line.starts_with("   ") => {
                text.push(' ');
                text.push_str(line.trim());
            }
            Some(_) => break,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQL: &str = "-- What it is.\n-- Locks: jobs,\n--   for long\n-- Measured: 3 ms\n\n-- step: transaction\nselect 1; select 2;\n\
        -- step: batch jobs.id 100\nupdate jobs set a = 1 where id > $1 and id <= $2;\n\
        -- step: concurrently\n-- why\ncreate unique index concurrently if not exists i on jobs (a);\n";

    #[test]
    fn a_file_is_cut_at_its_steps() {
        let script = Script::parse(SQL).unwrap();
        assert!(script.in_steps);
        let said: Vec<String> = script.steps.iter().map(Step::describe).collect();
        let expected = [
            "a transaction of 2 statements",
            "a batch over jobs, 100 rows of id at a time",
            "builds i beside the work",
        ];
        assert_eq!(said, expected);
        let last = script.plain().last().unwrap().1;
        assert_eq!(last, "create unique index if not exists i on jobs (a)");
        assert_eq!(header(SQL, "Locks").as_deref(), Some("jobs, for long"));
        assert_eq!(header(SQL, "Measured").as_deref(), Some("3 ms"));
        assert_eq!(header(SQL, "Nothing"), None);
    }

    #[test]
    fn a_file_without_steps_is_one_transaction() {
        let script = Script::parse("select 1;\nselect 2;").unwrap();
        assert_eq!((script.steps.len(), script.in_steps), (1, false));
    }

    #[test]
    fn what_a_step_cant_run_is_refused() {
        for (sql, word) in [
            ("-- step: sometimes\nselect 1", "none of"),
            ("-- step: transaction\n", "without a statement"),
            ("select 1;\n-- step: transaction\nselect 2", "before the first"),
            ("-- step: concurrently\ncreate index i on t (a)", "concurrently"),
            ("-- step: concurrently\ncreate index concurrently i on t (a)", "if not exists"),
            ("-- step: batch jobs 5\nupdate jobs set a = $2", "TABLE.KEY"),
            ("-- step: batch jobs.id 0\nupdate jobs set a = $2", "TABLE.KEY"),
            ("-- step: batch jobs.id 9\nupdate jobs set a = 1", "$1 < key"),
        ] {
            let error = Script::parse(sql).unwrap_err();
            assert!(error.contains(word), "{sql}: {error}");
        }
    }
}
