//! Just enough of PDF to print pages of text.

use std::fmt::Write as _;

/// Characters of a line in 11-point Helvetica on a letter page.
const LINE_CHARS: usize = 88;
/// Lines of a page; what is longer flows onto further pages.
const PAGE_LINES: usize = 46;

/// A PDF 1.4 file. Each inner list is a page of paragraphs; an empty list is an empty page.
#[must_use]
pub(super) fn write(pages: &[Vec<String>]) -> Vec<u8> {
    let pages: Vec<Vec<String>> = pages.iter().flat_map(|paragraphs| lay_out(paragraphs)).collect();
    // Objects 1 to 3 are the catalog, the page tree and the font; each page is two more.
    let kids: Vec<String> = (0..pages.len()).map(|page| format!("{} 0 R", 4 + 2 * page)).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Kids [{}] /Count {} >>", kids.join(" "), pages.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
    ];
    for (index, lines) in pages.iter().enumerate() {
        let stream = content(lines);
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents {} 0 R >>",
            5 + 2 * index
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{stream}\nendstream", stream.len()));
    }
    assemble(&objects)
}

fn assemble(objects: &[String]) -> Vec<u8> {
    let mut file = String::from("%PDF-1.4\n");
    let mut offsets = Vec::with_capacity(objects.len());
    for (index, object) in objects.iter().enumerate() {
        offsets.push(file.len());
        put(&mut file, format_args!("{} 0 obj\n{object}\nendobj\n", index + 1));
    }
    let xref = file.len();
    put(&mut file, format_args!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1));
    for offset in offsets {
        put(&mut file, format_args!("{offset:010} 00000 n \n"));
    }
    put(&mut file, format_args!("trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{xref}\n%%EOF\n", objects.len() + 1));
    file.into_bytes()
}

fn content(lines: &[String]) -> String {
    let mut stream = String::from("BT /F1 11 Tf 14 TL 54 720 Td\n");
    for line in lines {
        put(&mut stream, format_args!("({}) Tj T*\n", escape(line)));
    }
    stream.push_str("ET");
    stream
}

fn put(to: &mut String, text: std::fmt::Arguments<'_>) {
    to.write_fmt(text).expect("writing to a string can't fail");
}

/// Printable ASCII as it is, the rest as `?`: the offsets above count bytes.
fn escape(line: &str) -> String {
    let mut escaped = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '(' | ')' | '\\' => escaped.extend(['\\', c]),
            ' '..='~' => escaped.push(c),
            _ => escaped.push('?'),
        }
    }
    escaped
}

/// Breaks paragraphs into lines and lines into pages, with an empty line after each paragraph.
fn lay_out(paragraphs: &[String]) -> Vec<Vec<String>> {
    let mut lines: Vec<String> = Vec::new();
    for paragraph in paragraphs {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && line.len() + 1 + word.len() > LINE_CHARS {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.extend([line, String::new()]);
    }
    let pages: Vec<Vec<String>> = lines.chunks(PAGE_LINES).map(<[String]>::to_vec).collect();
    if pages.is_empty() { vec![Vec::new()] } else { pages }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::Write,
        process::{Command, Stdio},
    };

    /// What poppler reads: pages are separated by form feeds.
    fn pdftotext(file: &[u8]) -> String {
        let mut child = Command::new("pdftotext")
            .args(["-", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("pdftotext (poppler-utils) is installed");
        child.stdin.take().unwrap().write_all(file).unwrap();
        let out = child.wait_with_output().unwrap();
        assert!(out.status.success());
        assert_eq!(String::from_utf8_lossy(&out.stderr), "", "poppler has nothing to complain about");
        String::from_utf8(out.stdout).unwrap()
    }

    #[test]
    fn poppler_reads_every_page_and_every_character() {
        let one = vec!["STAFF REPORT".to_owned(), "A lease (10 years) of \\the\\ warehouse.".to_owned()];
        let two = vec!["word ".repeat(400)];
        let text = pdftotext(&write(&[one, two, Vec::new()]));
        assert_eq!(text.matches('\u{c}').count(), 3, "{text}");
        assert!(text.contains("A lease (10 years) of \\the\\ warehouse."), "{text}");
        assert_eq!(text.matches("word").count(), 400);
    }

    #[test]
    fn long_texts_flow_onto_further_pages() {
        let text = pdftotext(&write(&[vec!["line ".repeat(2_000)]]));
        assert!(text.matches('\u{c}').count() > 1);
        assert_eq!(text.matches("line").count(), 2_000);
    }

    #[test]
    fn other_characters_do_not_break_the_file() {
        assert!(pdftotext(&write(&[vec!["caf\u{e9} \u{4f60} \u{0} end".to_owned()]])).contains("end"));
    }
}
