//! The paths that a file names, in full: groups are spelled out, `crate`, `self` and `super` resolved.

use crate::source::Source;

/// Every path of the file. Those of Docket begin with `crate`; all others are as they are written.
pub(crate) fn paths(source: &Source) -> Vec<Vec<String>> {
    let tokens = tokens(&source.code);
    let mut inline: Vec<(String, usize)> = Vec::new();
    let (mut found, mut depth, mut i) = (Vec::new(), 0_usize, 0);
    while i < tokens.len() {
        match tokens[i].as_str() {
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                inline.retain(|(_, inside)| *inside <= depth);
            }
            "mod" if tokens.get(i + 2).is_some_and(|token| token == "{") => {
                inline.push((tokens[i + 1].clone(), depth + 1));
            }
            token if is_word(token) => {
                let mut module = module_of(&source.path);
                module.extend(inline.iter().map(|(name, _)| name.clone()));
                let mut here = Vec::new();
                i = tree(&tokens, i, &[], &mut here);
                found.extend(here.into_iter().map(|path| resolve(&module, path)));
                continue;
            }
            _ => {}
        }
        i += 1;
    }
    found
}

/// Reads one path, or a group of paths in braces, and returns where it ends.
fn tree(tokens: &[String], mut i: usize, before: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut path = before.to_vec();
    let token = |i: usize| tokens.get(i).map_or("", String::as_str);
    loop {
        if token(i) == "{" {
            i += 1;
            while !matches!(token(i), "}" | "") {
                i = if token(i) == "," { i + 1 } else { tree(tokens, i, &path, found) };
            }
            return i + 1;
        }
        path.push(token(i).to_owned());
        i += 1;
        if token(i) != "::" || !(is_word(token(i + 1)) || matches!(token(i + 1), "{" | "*")) {
            found.push(path);
            // `use a as b`: the name is new, and no path. Anything else that is not ours ends a group's entry too.
            return if token(i) == "as" { i + 2 } else { i };
        }
        i += 1;
    }
}

fn resolve(module: &[String], path: Vec<String>) -> Vec<String> {
    let supers = path.iter().take_while(|part| *part == "super").count();
    let (keep, rest) = match path[0].as_str() {
        "crate" => return path,
        "docket" => (0, &path[1..]),
        "self" if path.len() > 1 => (module.len(), &path[1..]),
        "super" => (module.len().saturating_sub(supers), &path[supers..]),
        _ => return path,
    };
    let full = std::iter::once("crate".to_owned()).chain(module[..keep].iter().cloned());
    full.chain(rest.iter().cloned()).collect()
}

/// `src/fleet/job/id.rs` is `fleet::job::id`.
fn module_of(path: &str) -> Vec<String> {
    let inside = path.strip_prefix("src/").unwrap_or(path).trim_end_matches(".rs");
    let mut parts: Vec<String> = inside.split('/').map(str::to_owned).collect();
    if matches!(parts.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        parts.pop();
    }
    parts
}

/// Words, `::`, and single characters.
fn tokens(code: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut chars = code.chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_alphanumeric() || c == '_' {
            let mut word = c.to_string();
            while let Some(&next) = chars.peek().filter(|c| c.is_alphanumeric() || **c == '_') {
                word.push(next);
                chars.next();
            }
            tokens.push(word);
        } else if c == ':' && chars.peek() == Some(&':') {
            chars.next();
            tokens.push("::".to_owned());
        } else if !c.is_whitespace() {
            tokens.push(c.to_string());
        }
    }
    tokens
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphanumeric() || c == '_')
}
