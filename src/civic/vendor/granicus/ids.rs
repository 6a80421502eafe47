//! What addresses and scripts of a page hold: a meeting's numbers, and documents that only a script opens.

use crate::civic::vendor::html::number_after;

/// Where an event's number stands: in the old addresses and in those of the new player.
pub(super) const EVENT: [&str; 2] = ["event_id=", "player/event/"];
/// Where a clip's stands.
pub(super) const CLIP: [&str; 2] = ["clip_id=", "player/clip/"];
/// Characters of a GUID, which stands for the number where the agendas are Legistar's.
const GUID: usize = 36;

/// Whether an address is that of one item: the page of one meeting is full of them, and lists no meetings.
pub(super) fn is_of_item(text: &str) -> bool {
    text.contains("meta_id=")
}

/// The number behind either name, or the GUID.
pub(super) fn number<'a>(text: &'a str, names: [&str; 2]) -> Option<&'a str> {
    names.into_iter().find_map(|name| number_after(text, name).or_else(|| guid_after(text, name)))
}

fn guid_after<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let rest = &text[text.find(name)? + name.len()..];
    let word = &rest[..rest.find(|c: char| !c.is_ascii_hexdigit() && c != '-').unwrap_or(rest.len())];
    (word.len() == GUID && word.matches('-').count() == 4).then_some(word)
}

/// The viewer that a link's script opens, where its address is none: `getDocLink('//city.example/AgendaViewer.php?…')`.
pub(super) fn opened<'a>(href: &str, script: &'a str) -> Option<&'a str> {
    if !href.is_empty() && !href.starts_with('#') && !href.starts_with("javascript:") {
        return None;
    }
    script.split(['\'', '"']).skip(1).step_by(2).find(|quoted| quoted.contains("Viewer.php"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_or_a_guid_names_a_meeting() {
        for (text, event, clip) in [
            ("//city.example/AgendaViewer.php?view_id=3&event_id=7942", Some("7942"), None),
            ("/player/clip/46?view_id=3", None, Some("46")),
            ("A.php?event_id=2d488f17-13ff-11e7-ad57-f04da2064c47", Some("2d488f17-13ff-11e7-ad57-f04da2064c47"), None),
            ("A.php?event_id=2d488f17-13ff", None, None),
            ("A.php?event_id=12abc", None, None),
            ("MediaPlayer.php?publish_id=568", None, None),
        ] {
            assert_eq!((number(text, EVENT), number(text, CLIP)), (event, clip), "{text}");
        }
    }

    #[test]
    fn a_script_opens_a_viewer_only_where_the_link_has_no_address() {
        let script = "window.open('//city.example/AgendaViewer.php?clip_id=9','agenda','width=800')";
        assert_eq!(opened("javascript:void(0);", script), Some("//city.example/AgendaViewer.php?clip_id=9"));
        assert_eq!(opened("", script), Some("//city.example/AgendaViewer.php?clip_id=9"));
        assert_eq!(opened("/agenda.pdf", script), None);
        assert_eq!(opened("#", "window.open('//city.example/MediaPlayer.php?clip_id=9')"), None);
    }
}
