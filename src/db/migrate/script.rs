//! SQL as text: where a statement ends, and which words of it are code.

/// A piece of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece<'a> {
    Code(&'a str),
    Comment(&'a str),
    /// A string, or the body of a function.
    Quoted(&'a str),
    End,
}

/// The statements of a script, without the comments between them and without the semicolon.
pub(super) fn statements(sql: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut statement = String::new();
    for piece in pieces(sql) {
        match piece {
            Piece::End => all.push(std::mem::take(&mut statement)),
            Piece::Comment(_) if statement.trim().is_empty() => {}
            Piece::Code(text) | Piece::Comment(text) | Piece::Quoted(text) => statement.push_str(text),
        }
    }
    all.push(statement);
    all.iter().map(|statement| statement.trim().to_owned()).filter(|statement| !statement.is_empty()).collect()
}

/// A statement in lower case, without comments, strings and bodies of functions.
pub(super) fn code(statement: &str) -> String {
    let bare = pieces(statement).into_iter().map(|piece| match piece {
        Piece::Code(text) => text,
        _ => " ",
    });
    bare.collect::<String>().to_lowercase()
}

/// The words of [`code`], and the identifiers in double quotes as they are.
pub(super) fn words(statement: &str) -> Vec<String> {
    // What a DO block does, its body says.
    let code = code(statement);
    let text = if code.trim_start().starts_with("do ") { statement.to_lowercase() } else { code };
    let word = |c: char| c.is_alphanumeric() || c == '_';
    text.split(|c| !word(c)).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn pieces(sql: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut rest, mut plain) = (sql, 0);
    while plain < rest.len() {
        let (before, at) = rest.split_at(plain);
        let special = special(before, at);
        let Some((piece, length)) = special else {
            plain += at.chars().next().map_or(1, char::len_utf8);
            continue;
        };
        if !before.is_empty() {
            pieces.push(Piece::Code(before));
        }
        pieces.push(piece);
        (rest, plain) = (&at[length..], 0);
    }
    if !rest.is_empty() {
        pieces.push(Piece::Code(rest));
    }
    pieces
}

/// What isn't plain code at the beginning of `at`, and its length.
fn special<'a>(before: &str, at: &'a str) -> Option<(Piece<'a>, usize)> {
    let until = |end: usize| end.min(at.len());
    match at.as_bytes()[0] {
        b';' => Some((Piece::End, 1)),
        b'-' if at.starts_with("--") => {
            let length = at.find('\n').map_or(at.len(), |end| end + 1);
            Some((Piece::Comment(&at[..length]), length))
        }
        b'/' if at.starts_with("/*") => {
            let length = block_comment(at);
            Some((Piece::Comment(&at[..length]), length))
        }
        b'\'' => {
            let length = until(string(at, before.ends_with(['e', 'E'])));
            Some((Piece::Quoted(&at[..length]), length))
        }
        // An identifier is code, whatever is in it.
        b'"' => {
            let length = at[1..].find('"').map_or(at.len(), |end| end + 2);
            Some((Piece::Code(&at[..length]), length))
        }
        b'$' if !before.ends_with(|c: char| c.is_alphanumeric() || c == '_') => {
            let length = dollar(at)?;
            Some((Piece::Quoted(&at[..length]), length))
        }
        _ => None,
    }
}

fn block_comment(at: &str) -> usize {
    let (mut depth, mut end) = (0_usize, 0);
    while end < at.len() {
        if at.as_bytes()[end..].starts_with(b"/*") {
            (depth, end) = (depth + 1, end + 2);
        } else if at.as_bytes()[end..].starts_with(b"*/") {
            (depth, end) = (depth - 1, end + 2);
            if depth == 0 {
                return end;
            }
        } else {
            end += 1;
        }
    }
    at.len()
}

/// A doubled quote is two strings side by side, which is as good here.
fn string(at: &str, backslashes: bool) -> usize {
    let mut escaped = false;
    for (index, byte) in at.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if backslashes => escaped = true,
            b'\'' => return index + 1,
            _ => {}
        }
    }
    at.len()
}

/// `$tag$ … $tag$`; none for a parameter such as `$1`.
fn dollar(at: &str) -> Option<usize> {
    let tag = at[1..].find('$')? + 2;
    let name = &at[1..tag - 1];
    let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_') && !name.starts_with(|c: char| c.is_numeric());
    let end = || at[tag..].find(&at[..tag]).map_or(at.len(), |end| tag + end + tag);
    is_name.then(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_statement_ends_where_postgresql_ends_it() {
        let sql = "-- a; b\ncreate table t (a text default ';''x;'); /* ; /* ; */ ; */\n\
                   create function f() returns int language plpgsql as $x$ begin; $$ ; end $x$;\n\
                   select E'\\';', \"a;b\", $1 -- last; one\n;;  select 2";
        let expected = [
            "create table t (a text default ';''x;')",
            "create function f() returns int language plpgsql as $x$ begin; $$ ; end $x$",
            "select E'\\';', \"a;b\", $1 -- last; one",
            "select 2",
        ];
        assert_eq!(statements(sql), expected);
    }

    #[test]
    fn only_code_has_words() {
        assert_eq!(words("update Jobs /* meetings */ set a = 'documents' -- cities"), ["update", "jobs", "set", "a"]);
        assert_eq!(words("create function f() as $$ update jobs $$"), ["create", "function", "f", "as"]);
        assert!(words("do $$ begin update jobs set a = 1; end $$").contains(&"jobs".to_owned()));
    }

    proptest! {
        #[test]
        fn any_text_is_split_and_nothing_is_invented(sql in "[-/*'\"$;eE a\\\\é\n]{0,60}") {
            for statement in statements(&sql) {
                prop_assert!(!statement.is_empty());
            }
            let kept: usize = pieces(&sql).iter().map(|piece| match piece {
                Piece::Code(text) | Piece::Comment(text) | Piece::Quoted(text) => text.len(),
                Piece::End => 1,
            }).sum();
            prop_assert_eq!(kept, sql.len());
        }
    }
}
