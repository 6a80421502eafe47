//! Addresses that hold a signature and expire: the same document has another one at each look.

/// Parameters that a signature consists of, by what signs; all those that are listed first must be there.
const SCHEMES: &[(&[&str], &[&str])] = &[
    // Amazon, version 4; Google, version 4.
    (&["x-amz-signature"], &["x-amz-"]),
    (&["x-goog-signature"], &["x-goog-"]),
    // Azure: a shared access signature.
    (
        &["sig", "se"],
        &["sig", "se", "sp", "st", "sv", "sr", "sip", "spr", "ss", "srt", "skoid", "sktid", "skt", "ske", "sks", "skv"],
    ),
    // Amazon, version 2, and its CloudFront; Google, version 2.
    (
        &["signature", "expires"],
        &["signature", "expires", "awsaccesskeyid", "googleaccessid", "key-pair-id", "x-amz-security-token"],
    ),
    (&["signature", "policy"], &["signature", "policy", "key-pair-id"]),
];

/// An address without its signature; none for one that has none. What else its query holds stays, as it is written.
#[must_use]
pub fn unsigned(url: &str) -> Option<String> {
    let (path, rest) = url.split_once('?').filter(|_| url.starts_with("http"))?;
    let (query, fragment) = rest.split_once('#').map_or((rest, None), |(query, fragment)| (query, Some(fragment)));
    let name = |pair: &str| pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
    let has = |wanted: &&str| query.split('&').any(|pair| name(pair) == *wanted);
    let (_, parts) = SCHEMES.iter().find(|(needed, _)| needed.iter().all(&has))?;
    let is_part = |pair: &&str| {
        let name = name(pair);
        parts.iter().any(|part| if part.ends_with('-') { name.starts_with(part) } else { name == *part })
    };
    let kept: Vec<&str> = query.split('&').filter(|pair| !is_part(pair)).collect();
    let mut plain = path.to_owned();
    for (mark, part) in [('?', Some(kept.join("&"))), ('#', fragment.map(ToOwned::to_owned))] {
        if let Some(part) = part.filter(|part| !part.is_empty()) {
            plain.push(mark);
            plain.push_str(&part);
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_signature_goes_and_the_rest_stays() {
        for (signed, plain) in [
            (
                "https://b.s3.amazonaws.com/a.pdf?X-Amz-Algorithm=A&X-Amz-Date=1&X-Amz-Signature=ab&v=2",
                "https://b.s3.amazonaws.com/a.pdf?v=2",
            ),
            (
                "https://storage.googleapis.com/b/a.pdf?X-Goog-Date=1&X-Goog-Signature=ab",
                "https://storage.googleapis.com/b/a.pdf",
            ),
            (
                "https://x.blob.core.windows.net/c/a%20b.pdf?sv=2021&se=2026-01-01T00%3A00Z&sr=b&sp=r&sig=a%2Bb%3D#page=2",
                "https://x.blob.core.windows.net/c/a%20b.pdf#page=2",
            ),
            (
                "https://b.s3.amazonaws.com/a.pdf?AWSAccessKeyId=A&Expires=1&Signature=ab",
                "https://b.s3.amazonaws.com/a.pdf",
            ),
            (
                "https://d.cloudfront.net/a.pdf?id=7&Expires=1&Signature=a&Key-Pair-Id=K",
                "https://d.cloudfront.net/a.pdf?id=7",
            ),
            ("https://d.cloudfront.net/a.pdf?Policy=p&Signature=a&Key-Pair-Id=K", "https://d.cloudfront.net/a.pdf"),
        ] {
            assert_eq!(unsigned(signed).as_deref(), Some(plain));
        }
    }

    #[test]
    fn an_ordinary_address_has_none() {
        for url in [
            "https://city.example/a.pdf",
            "https://city.example/a.pdf?sig=1",
            "https://city.example/View.ashx?M=F&ID=1&GUID=2",
            "https://city.example/a?expires=never",
            "a.pdf?sig=1&se=2",
            "",
        ] {
            assert_eq!(unsigned(url), None, "{url}");
        }
    }

    proptest! {
        #[test]
        fn what_has_no_signature_left_is_stable(query in "([a-z-]{1,6}=[a-z0-9%]{0,6}&?){0,6}", sig in "[a-z0-9]{1,10}") {
            let signed = format!("https://x.example/a.pdf?{query}&sig={sig}&se=1");
            let plain = unsigned(&signed).unwrap();
            let left = format!("sig={sig}");
            prop_assert!(!plain.split(['?', '&']).any(|pair| pair == left));
            prop_assert_eq!(unsigned(&plain), None);
        }

        #[test]
        fn no_text_breaks_it(text in ".{0,80}") {
            let _ = (unsigned(&text), unsigned(&format!("https://x/?{text}&sig=1&se=2")));
        }
    }
}
