//! Documents that this program reads itself, as a child of itself: a page, a Word file, plain text.
//!
//! Strangers' bytes are parsed by memory-safe code, but a bomb takes memory and time from whoever opens it. So the worker starts
//! its own program once more (`docket documents read-child`), under the limits that poppler has. The child writes one line of
//! JSON, then the text.

mod chars;
mod docx;
mod html;

use super::{
    Extraction, Flag, Kind, Limits,
    child::{self, End},
    link::{Link, MAX_LINKS},
};
use serde::{Deserialize, Serialize};
use std::{
    io::{self, Read as _, Write},
    path::{Path, PathBuf},
};

/// Characters under which a page that embeds, redirects, runs or links is no document of its own.
const SHELL_CHARS: u64 = 400;
/// No own reader keeps more text; the parent may take less.
const MAX_TEXT: usize = 16 << 20;
/// Nor reads more.
const MAX_INPUT: u64 = 64 << 20;

/// What a child found.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    text: String,
    about: About,
}

/// The first line of a child's output.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct About {
    flags: Vec<Flag>,
    links: Vec<Link>,
    /// A page that embeds, redirects, runs scripts, or links to documents.
    leads_on: bool,
}

/// Whether this program reads a kind itself.
pub(super) const fn reads(kind: Kind) -> bool {
    matches!(kind, Kind::Html | Kind::Docx | Kind::Text)
}

/// Reads a file in a child.
pub(super) async fn read(kind: Kind, file: &Path, limits: &Limits) -> io::Result<Extraction> {
    let program = program()?;
    let args = ["documents", "read-child", kind.as_str()];
    let outcome = child::run(&program.to_string_lossy(), &args, file, &[], limits).await?;
    let mut extraction = Extraction::default();
    match outcome.end {
        End::TimedOut => extraction.flag(Flag::Timeout),
        End::TooMuchOutput => extraction.flag(Flag::TooLarge),
        End::Exited(0) => {}
        // Rust's allocator aborts when there is no memory, and says so.
        End::Exited(_) | End::Crashed if outcome.stderr.contains("memory allocation") => {
            extraction.flag(Flag::TooLarge)
        }
        End::Exited(_) | End::Crashed => extraction.flag(Flag::Damaged),
    }
    let mut text = outcome.stdout;
    let line = text.iter().position(|byte| *byte == b'\n').map_or(text.len(), |end| end + 1);
    let about: About = serde_json::from_slice(&text[..line]).unwrap_or_default();
    text.drain(..line);
    about.flags.iter().for_each(|flag| extraction.flag(*flag));
    extraction.set_text(text);
    extraction.links = about.links;
    if kind == Kind::Html && about.leads_on && extraction.chars < SHELL_CHARS {
        extraction.flag(Flag::Shell);
    }
    Ok(extraction)
}

/// This program's file. `/proc/self/exe` is the very file that runs, also after an upgrade has put another in its place. A
/// test's or a bench's program stands in `deps`, with `docket` in the folder above: Cargo builds it for them.
fn program() -> io::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let Some(deps) = own.parent().filter(|folder| folder.ends_with("deps")) else { return Ok("/proc/self/exe".into()) };
    let beside = deps.with_file_name("docket");
    let missing = || io::Error::new(io::ErrorKind::NotFound, format!("no program {}: build it", beside.display()));
    if beside.is_file() { Ok(beside) } else { Err(missing()) }
}

/// The child's part: reads `file` and writes what it finds. What can't be read is a flag.
///
/// # Errors
/// When the file can't be read, or nobody takes the output.
pub fn read_child(kind: Kind, file: &Path, mut to: impl Write) -> io::Result<()> {
    let mut bytes = Vec::new();
    std::fs::File::open(file)?.take(MAX_INPUT).read_to_end(&mut bytes)?;
    let mut found = match kind {
        Kind::Html => html::read(&bytes),
        Kind::Docx => docx::read(&bytes),
        _ => Found { text: chars::decode(&bytes).into_owned(), ..Found::default() },
    };
    found.about.links.truncate(MAX_LINKS);
    serde_json::to_writer(&mut to, &found.about)?;
    to.write_all(b"\n")?;
    to.write_all(found.text.as_bytes())?;
    to.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_writes_a_line_about_the_text_and_the_text() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "<p>One<p>Two <a href='a.pdf'>Report</a>").unwrap();
        let mut out = Vec::new();
        read_child(Kind::Html, file.path(), &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        let (about, text) = out.split_once('\n').unwrap();
        let about: About = serde_json::from_str(about).unwrap();
        assert_eq!(text, "One\nTwo Report");
        assert_eq!(about.links, [Link::new("a.pdf", "Report", false)]);
        assert!(about.leads_on);
    }
}
