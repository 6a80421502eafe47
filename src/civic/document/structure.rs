//! What a PDF's bytes tell without opening it.
//!
//! Poppler repairs a wrong table of contents without a word and can't count the pages of a file whose password it
//! lacks. Both stand in plain bytes: only strings and streams are encrypted.

/// How far the mark may stand from the start: readers accept some bytes before it.
const HEADER_WITHIN: usize = 1_024;
/// Nodes of the page tree that are looked at, and bytes around each: together they bound the work that a file of
/// nothing but such nodes can ask for.
const MAX_NODES: usize = 10_000;
const NODE_WITHIN: usize = 4_096;
/// Bytes that are in memory at once, besides what lies around them.
const PIECE: usize = 256 << 10;

/// The place of `%PDF-`; none for what is no PDF.
pub(super) fn header(bytes: &[u8]) -> Option<usize> {
    find(&bytes[..bytes.len().min(HEADER_WITHIN)], b"%PDF-", 0)
}

/// What a PDF tells of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Skeleton {
    /// The file's last pointer leads to a table of contents, as a plain table or as a stream.
    pub(super) is_sound: bool,
    /// The pages that the page tree's root counts; none when the tree is inside compressed objects.
    pub(super) pages: Option<u32>,
}

/// Looks through a file piece by piece: `read` tells what stands at a place, or what there is of it.
pub(super) fn look(len: usize, read: &mut dyn FnMut(usize, usize) -> Vec<u8>) -> Skeleton {
    let (mut pages, mut nodes, mut pointer) = (None, 0, None);
    for at in (0..len).step_by(PIECE) {
        // What lies across two pieces is whole in one of them.
        let start = at.saturating_sub(NODE_WITHIN);
        let piece = read(start, at - start + PIECE + NODE_WITHIN);
        pages = pages.max(counted_pages(&piece, len, &mut nodes));
        let found = rfind(&piece, b"startxref").map(|found| number(&piece[found + b"startxref".len()..]));
        pointer = found.or(pointer);
    }
    let is_sound = || {
        let (header, offset) = (header(&read(0, HEADER_WITHIN))?, pointer??);
        // Offsets count from the start of the file or, where something was put before it, from the header.
        let places = [Some(offset), offset.checked_add(header)];
        Some(places.into_iter().flatten().any(|at| is_table(&read(at, 64))))
    };
    Skeleton { is_sound: { is_sound }().unwrap_or(false), pages }
}

/// `xref`, or `12 0 obj`.
fn is_table(bytes: &[u8]) -> bool {
    let bytes = bytes.trim_ascii_start();
    if bytes.starts_with(b"xref") {
        return true;
    }
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(32)]).into_owned();
    let mut words = start.split_ascii_whitespace();
    let numbers = words.by_ref().take(2).filter(|word| word.bytes().all(|b| b.is_ascii_digit())).count();
    numbers == 2 && words.next().is_some_and(|word| word.starts_with("obj"))
}

/// The largest count of a node of the page tree in a piece of a file of `len` bytes. `nodes` counts those that were looked at.
fn counted_pages(bytes: &[u8], len: usize, nodes: &mut usize) -> Option<u32> {
    let mut largest = None;
    let mut from = 0;
    while let Some(at) = find(bytes, b"/Pages", from).filter(|_| *nodes < MAX_NODES) {
        from = at + b"/Pages".len();
        if !is_type_of_node(bytes, at) {
            continue;
        }
        *nodes += 1;
        let before = at.saturating_sub(NODE_WITHIN);
        let start = rfind(&bytes[before..at], b"obj").map_or(before, |found| before + found);
        let after = &bytes[at..bytes.len().min(at + NODE_WITHIN)];
        let end = at + find(after, b"endobj", 0).unwrap_or(after.len());
        let node = &bytes[start..end];
        let count = find(node, b"/Count", 0).and_then(|at| number(&node[at + b"/Count".len()..]));
        // A page takes more than a byte: a larger count is a lie.
        let count = count.filter(|count| *count < len);
        largest = largest.max(count.and_then(|count| u32::try_from(count).ok()));
    }
    largest
}

/// True for `/Type /Pages`, false for a reference such as `/Pages 9 0 R`.
fn is_type_of_node(bytes: &[u8], at: usize) -> bool {
    bytes[..at].trim_ascii_end().ends_with(b"/Type") && !bytes.get(at + 6).is_some_and(u8::is_ascii_alphanumeric)
}

fn number(bytes: &[u8]) -> Option<usize> {
    let bytes = bytes.trim_ascii_start();
    let end = bytes.iter().position(|b| !b.is_ascii_digit()).unwrap_or(bytes.len());
    std::str::from_utf8(&bytes[..end]).ok()?.parse().ok()
}

fn find(bytes: &[u8], what: &[u8], from: usize) -> Option<usize> {
    bytes.get(from..)?.windows(what.len()).position(|window| window == what).map(|at| from + at)
}

fn rfind(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).rposition(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::{super::sniff::piece, *};
    use proptest::prelude::*;

    fn looked(bytes: &[u8]) -> Skeleton {
        look(bytes.len(), &mut |at, len| piece(bytes, at, len).to_vec())
    }

    fn is_sound(bytes: &[u8]) -> bool {
        looked(bytes).is_sound
    }

    fn counted_pages(bytes: &[u8]) -> Option<u32> {
        looked(bytes).pages
    }

    const SOUND: &[u8] = b"%PDF-1.4\nxref\n0 1\ntrailer\n<<>>\nstartxref\n9\n%%EOF\n";

    #[test]
    fn the_last_pointer_must_lead_to_a_table() {
        assert!(is_sound(SOUND));
        assert!(is_sound(&[b"\r\n\r\n", SOUND].concat()), "offsets may count from the header");
        assert!(!is_sound(&SOUND[..20]), "cut short");
        assert!(!is_sound(&[SOUND, b"startxref\n11\n%%EOF\n".as_slice()].concat()), "into the middle of a word");
        assert!(!is_sound(b"%PDF-1.4 startxref 99999999999999999999"));
        assert!(is_sound(b"%PDF-1.5\n12 0 obj<</Type/XRef>>\nstartxref\n9\n%%EOF"));
        assert!(!is_sound(b"startxref 0"));
    }

    #[test]
    fn pages_are_counted_at_the_root() {
        let tree = b"1 0 obj<</Pages 2 0 R/Type/Catalog>>endobj 2 0 obj<</Kids[3 0 R]/Count 7/Type /Pages>>endobj \
            3 0 obj<</Type/Pages/Count 3>>endobj";
        assert_eq!(counted_pages(tree), Some(7));
        assert_eq!(counted_pages(b"/Type/Pages/Count 99999999999999999999"), None);
        assert_eq!(counted_pages(b"/Type/PagesX/Count 1"), None);
        assert_eq!(counted_pages(b""), None);
    }

    #[test]
    fn a_file_of_nothing_but_nodes_is_bounded_work() {
        let nodes = b"/Type/Pages ".repeat(200_000);
        assert_eq!(counted_pages(&nodes), None);
    }

    #[test]
    fn a_large_file_is_looked_through_whole_whatever_lies_across_its_pieces() {
        for before in [0, PIECE - 20, PIECE - 5, 2 * PIECE - 3] {
            let blanks = |n: usize| vec![b' '; n];
            let tree = b"2 0 obj<</Count 7/Type /Pages>>endobj";
            let mut file = [b"%PDF-1.4\n".to_vec(), blanks(before), tree.to_vec(), blanks(3 * PIECE)].concat();
            let table = file.len();
            file.extend(format!("xref\n0 1\n{}startxref\n{table}\n%%EOF\n", " ".repeat(before)).bytes());
            assert_eq!(looked(&file), Skeleton { is_sound: true, pages: Some(7) }, "{before}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (header(&bytes), looked(&bytes));
        }
    }
}
