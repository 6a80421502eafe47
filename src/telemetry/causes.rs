//! Errors told with their causes.

use std::error::Error;

/// The error and its causes, outermost first, in one line; none is told twice.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    for cause in causes(error) {
        let told = cause.to_string();
        if !text.contains(&told) {
            text.push_str(": ");
            text.push_str(&told);
        }
    }
    text
}

/// The cause of all others. HTTP clients' outer errors repeat the address, with whatever secrets stand in it.
#[must_use]
pub fn deepest<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    causes(error).last().unwrap_or(error)
}

/// What it was caused by, outermost first; without itself.
pub fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fmt, io};

    #[derive(Debug)]
    struct Outer(io::Error);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("can't connect")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn causes_follow_once() {
        let outer = Outer(io::Error::other("no route"));
        assert_eq!(chain(&outer), "can't connect: no route");
        assert_eq!(deepest(&outer).to_string(), "no route");
        let same = Outer(io::Error::other("connect"));
        assert_eq!(chain(&same), "can't connect");
        let alone = io::Error::other("alone");
        assert_eq!((chain(&alone), deepest(&alone).to_string()), ("alone".to_owned(), "alone".to_owned()));
    }
}
