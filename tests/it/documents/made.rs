//! PDFs built byte by byte.

/// A sound file of these objects, numbered from 1; the first is the catalogue.
pub(crate) fn pdf(objects: &[String]) -> Vec<u8> {
    let mut out = b"%PDF-1.4\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).into_bytes();
    for (i, object) in objects.iter().enumerate() {
        table.extend(format!("{:010} 00000 n \n", out.len()).bytes());
        out.extend(format!("{} 0 obj\n{object}\nendobj\n", i + 1).bytes());
    }
    let start = out.len();
    let size = objects.len() + 1;
    out.extend(table);
    out.extend(format!("trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n").bytes());
    out
}

pub(crate) fn stream(entries: &str, content: &str) -> String {
    format!("<<{entries}/Length {}>>\nstream\n{content}\nendstream", content.len())
}

/// Pages with one line each. Objects: 1 the catalogue, 2 the tree, 3 the font, then page and content in turns.
pub(crate) fn pages(lines: &[&str]) -> Vec<u8> {
    pdf(&page_objects(lines))
}

pub(crate) fn page_objects(lines: &[&str]) -> Vec<String> {
    let kids: String = (0..lines.len()).map(|i| format!("{} 0 R ", 4 + 2 * i)).collect();
    let mut objects = vec![
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        format!("<</Type/Pages/Count {}/Kids[{kids}]/MediaBox[0 0 612 792]>>", lines.len()),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
    ];
    for (i, line) in lines.iter().enumerate() {
        let content = 5 + 2 * i;
        objects.push(format!("<</Type/Page/Parent 2 0 R/Resources<</Font<</F 3 0 R>>>>/Contents {content} 0 R>>"));
        objects.push(stream("", &format!("BT /F 8 Tf 20 700 Td ({line}) Tj ET")));
    }
    objects
}
