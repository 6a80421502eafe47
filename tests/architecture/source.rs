//! A source file as the rules see it: without comments, and without what stands in literals.

use std::{fs, path::Path};

/// One file.
pub(crate) struct Source {
    /// Below the package's root, with slashes.
    pub(crate) path: String,
    /// Its length in lines.
    pub(crate) lines: usize,
    /// The code: comments and the contents of literals are blank.
    pub(crate) code: String,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), lines: text.lines().count(), code: blank(text) }
    }

    /// All files of some folders, in order.
    pub(crate) fn all(root: &Path, folders: &[&str]) -> Vec<Self> {
        let mut all = Vec::new();
        for folder in folders.iter().map(|folder| root.join(folder)).filter(|folder| folder.is_dir()) {
            visit(root, &folder, &mut all);
        }
        all
    }

    /// The code that goes into the product: without items under `#[cfg(test)]`.
    pub(crate) fn product(&self) -> String {
        let is_tests = !self.path.starts_with("src/") || self.path.ends_with("/tests.rs");
        if is_tests { String::new() } else { without_tests(&self.code) }
    }
}

fn visit(root: &Path, folder: &Path, all: &mut Vec<Source>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            visit(root, &path, all);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            all.push(Source::new(&name, &fs::read_to_string(&path).unwrap()));
        }
    }
}

/// Replaces comments and the contents of literals by spaces; lines stay where they are.
pub(crate) fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = skipped(&chars, at);
        if end > at {
            out.extend(chars[at..end].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
            at = end;
        } else {
            out.push(chars[at]);
            at += 1;
        }
    }
    out
}

/// Where the comment or literal that begins at `at` ends; `at` itself if none does.
fn skipped(chars: &[char], at: usize) -> usize {
    let word_before = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    match (chars[at], chars.get(at + 1)) {
        ('/', Some('/')) => find(chars, at, |rest| rest.starts_with(&['\n'])),
        ('/', Some('*')) => block_comment(chars, at),
        ('"', _) => quoted(chars, at),
        ('r', Some('"' | '#')) if !word_before || chars[at - 1] == 'b' => raw(chars, at),
        // A lifetime has no closing quote after one character.
        ('\'', Some('\\')) => find(chars, at + 3, |rest| rest.starts_with(&['\''])) + 1,
        ('\'', Some(_)) if chars.get(at + 2) == Some(&'\'') => at + 3,
        _ => at,
    }
}

fn find(chars: &[char], from: usize, is_end: impl Fn(&[char]) -> bool) -> usize {
    (from..chars.len()).find(|&i| is_end(&chars[i..])).unwrap_or(chars.len())
}

fn block_comment(chars: &[char], at: usize) -> usize {
    let (mut depth, mut i) = (0_usize, at);
    while i < chars.len() {
        let here = &chars[i..];
        if here.starts_with(&['/', '*']) {
            (depth, i) = (depth + 1, i + 2);
        } else if here.starts_with(&['*', '/']) {
            (depth, i) = (depth - 1, i + 2);
            if depth == 0 {
                return i;
            }
        } else {
            i += 1;
        }
    }
    i
}

fn quoted(chars: &[char], at: usize) -> usize {
    let mut i = at + 1;
    while i < chars.len() && chars[i] != '"' {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    (i + 1).min(chars.len())
}

fn raw(chars: &[char], at: usize) -> usize {
    let hashes = chars[at + 1..].iter().take_while(|&&c| c == '#').count();
    if chars.get(at + 1 + hashes) != Some(&'"') {
        return at;
    }
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    (find(chars, at + 2 + hashes, |rest| rest.starts_with(&end)) + end.len()).min(chars.len())
}

/// Blanks every item under `#[cfg(test)]`.
pub(crate) fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = code.to_owned();
    while let Some(start) = out.find(MARK) {
        let end = start + MARK.len() + item_end(&out[start + MARK.len()..]);
        out.replace_range(start..end, "");
    }
    out
}

/// The item ends with the semicolon, or the closing brace, that stands outside all brackets.
fn item_end(code: &str) -> usize {
    let mut depth = 0_i32;
    for (i, c) in code.char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 && matches!(c, ';' | '}') {
            return i + 1;
        }
    }
    code.len()
}
