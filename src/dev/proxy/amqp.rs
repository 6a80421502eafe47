//! AMQP 0-9-1's frames, as far as the methods.

use super::frames::{Grammar, Seen, Size, u16_at, u32_at};

/// Type, channel, size.
const HEADER: usize = 7;
/// A frame of type 1 holds a method.
const METHOD: u8 = 1;

/// Either way.
#[derive(Default)]
pub(super) struct Amqp;

impl Grammar for Amqp {
    fn size(&self, beginning: &[u8]) -> Size {
        match beginning[0] {
            // The greeting, and the answer to a wrong one: the protocol's name and version.
            b'A' => Size::Bytes(8),
            1..=3 | 8 => u32_at(beginning, 3).map_or(Size::Unknown, |size| Size::Bytes(HEADER + size + 1)),
            _ => Size::Opaque,
        }
    }

    fn message(&mut self, kept: &[u8]) -> Vec<Seen> {
        let method = || Some(Seen::Method(u16_at(kept, HEADER)?, u16_at(kept, HEADER + 2)?));
        if kept[0] == METHOD { method().into_iter().collect() } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::frames::Frames, *};

    #[test]
    fn methods_are_seen_and_bodies_are_not() {
        let mut stream = b"AMQP\x00\x00\x09\x01".to_vec();
        let frame = |kind: u8, body: &[u8]| {
            let mut bytes = vec![kind, 0, 1];
            bytes.extend(u32::try_from(body.len()).unwrap().to_be_bytes());
            bytes.extend(body);
            bytes.push(0xce);
            bytes
        };
        stream.extend(frame(1, &[0, 60, 0, 40, 0, 0]));
        // A body that looks like a confirm.
        stream.extend(frame(3, &[1, 0, 1, 0, 0, 0, 4, 0, 60, 0, 80]));
        stream.extend(frame(8, b""));
        stream.extend(frame(1, &[0, 60, 0, 80, 0, 0, 0, 0, 0, 0, 0, 1, 0]));
        for read in [1, 3, 4096] {
            let mut frames = Frames::new(Some(Box::new(Amqp)));
            let seen: Vec<Seen> = stream.chunks(read).flat_map(|chunk| frames.feed(chunk)).map(|s| s.seen).collect();
            assert_eq!(seen, [Seen::Method(60, 40), Seen::Method(60, 80)], "{read}");
        }
    }
}
