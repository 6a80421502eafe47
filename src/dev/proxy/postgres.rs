//! PostgreSQL's messages, as far as the statement that is executed.

use super::frames::{Grammar, Seen, Size, u32_at};
use std::collections::HashMap;

/// Statements that are remembered by name; a client of ours prepares some dozens on a connection.
const NAMES_MAX: usize = 1000;

/// Codes of a first message that is no start-up: the server answers each with one byte, and the client goes on.
const ENCRYPTION: [usize; 2] = [80_877_103, 80_877_104];

/// From the client. A statement counts as executed when the message that makes the server answer has been read whole: a
/// simple query itself, or the Sync after a Bind. Cut before that, it never happened.
#[derive(Default)]
pub(super) struct FromClient {
    started: bool,
    names: HashMap<String, String>,
    bound: Vec<String>,
}

impl Grammar for FromClient {
    fn size(&self, beginning: &[u8]) -> Size {
        if self.started { typed(beginning) } else { u32_at(beginning, 0).map_or(Size::Unknown, Size::Bytes) }
    }

    fn message(&mut self, kept: &[u8]) -> Vec<Seen> {
        if !self.started {
            self.started = u32_at(kept, 4).is_none_or(|code| !ENCRYPTION.contains(&code));
            return Vec::new();
        }
        let mut texts = kept[5..].split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text).into_owned());
        let mut text = || texts.next().unwrap_or_default();
        match kept[0] {
            b'Q' => return vec![Seen::Statement(text())],
            b'P' => {
                let (name, sql) = (text(), text());
                if self.names.len() < NAMES_MAX {
                    self.names.insert(name, sql);
                }
            }
            b'B' => {
                let (_portal, name) = (text(), text());
                self.bound.extend(self.names.get(&name).cloned());
            }
            b'S' => return self.bound.drain(..).map(Seen::Statement).collect(),
            _ => {}
        }
        Vec::new()
    }
}

/// From the server: the tags of finished statements, such as `COMMIT` and `UPDATE 3`, and `ERROR` for refused ones.
#[derive(Default)]
pub(super) struct FromServer {
    started: bool,
}

impl Grammar for FromServer {
    fn size(&self, beginning: &[u8]) -> Size {
        match beginning[0] {
            // The one-byte answers to a wish for encryption.
            b'N' if !self.started => Size::Bytes(1),
            b'S' | b'G' if !self.started => Size::Opaque,
            _ => typed(beginning),
        }
    }

    fn message(&mut self, kept: &[u8]) -> Vec<Seen> {
        if kept.len() == 1 {
            return Vec::new();
        }
        self.started = true;
        let tag = match kept[0] {
            b'C' => kept[5..].split(|byte| *byte == 0).next().unwrap_or_default(),
            b'E' => b"ERROR",
            _ => return Vec::new(),
        };
        vec![Seen::Statement(String::from_utf8_lossy(tag).into_owned())]
    }
}

/// A letter, and the size of all that follows it.
fn typed(beginning: &[u8]) -> Size {
    u32_at(beginning, 1).map_or(Size::Unknown, |size| if size < 4 { Size::Opaque } else { Size::Bytes(1 + size) })
}

#[cfg(test)]
mod tests {
    use super::{super::frames::Frames, *};

    fn message(letter: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![letter];
        bytes.extend(u32::try_from(body.len() + 4).unwrap().to_be_bytes());
        bytes.extend(body);
        bytes
    }

    fn start_up(code: u32, body: &[u8]) -> Vec<u8> {
        let mut bytes = u32::try_from(body.len() + 8).unwrap().to_be_bytes().to_vec();
        bytes.extend(code.to_be_bytes());
        bytes.extend(body);
        bytes
    }

    fn statements(frames: &mut Frames, stream: &[u8], read: usize) -> Vec<String> {
        let seen = stream.chunks(read).flat_map(|chunk| frames.feed(chunk));
        seen.map(|sighting| format!("{:?}", sighting.seen)).collect()
    }

    #[test]
    fn prepared_and_simple_statements_at_any_read_size() {
        let mut stream = start_up(80_877_103, b"");
        stream.extend(start_up(196_608, b"user\0docket\0\0"));
        stream.extend(message(b'P', b"s1\0update jobs set x\0\0\0"));
        stream.extend(message(b'S', b""));
        for _ in 0..2 {
            stream.extend(message(b'B', b"\0s1\0\0\0\0\0\0\0"));
            stream.extend(message(b'E', b"\0\0\0\0\0"));
            stream.extend(message(b'S', b""));
        }
        stream.extend(message(b'Q', b"commit\0"));
        for read in [1, 2, 7, 4096] {
            let mut frames = Frames::new(Some(Box::<FromClient>::default()));
            let update = r#"Statement("update jobs set x")"#;
            assert_eq!(statements(&mut frames, &stream, read), [update, update, r#"Statement("commit")"#], "{read}");
        }
    }

    #[test]
    fn tags_come_with_the_borders_of_their_message() {
        let mut stream = b"N".to_vec();
        stream.extend(message(b'R', b"\0\0\0\0"));
        let starts = stream.len();
        stream.extend(message(b'C', b"COMMIT\0"));
        let ends = stream.len();
        stream.extend(message(b'Z', b"I"));
        let seen = Frames::new(Some(Box::<FromServer>::default())).feed(&stream);
        assert_eq!(seen.len(), 1);
        assert_eq!((&seen[0].seen, seen[0].starts, seen[0].ends), (&Seen::Statement("COMMIT".into()), starts, ends));
    }

    #[test]
    fn what_is_no_message_is_left_alone() {
        let mut frames = Frames::new(Some(Box::<FromServer>::default()));
        assert_eq!(statements(&mut frames, b"S\x16\x03\x01 encrypted from here on C\0\0\0\x0bCOMMIT\0", 3).len(), 0);
        let mut frames = Frames::new(Some(Box::<FromClient>::default()));
        assert_eq!(statements(&mut frames, &[0; 64], 5).len(), 0);
        let mut frames = Frames::new(Some(Box::<FromServer>::default()));
        assert_eq!(
            statements(&mut frames, &message(b'C', &[b'x'; 100_000]), 999).len(),
            1,
            "a huge one is cut, not kept"
        );
    }
}
