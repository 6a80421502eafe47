//! How far to look back.

use jiff::SignedDuration;

/// A time such as `90m`, `24h` or `7d`. A day is 24 hours here, whatever the clocks do.
pub(super) fn since(text: &str) -> Result<SignedDuration, &'static str> {
    let shape = "write a number and its unit, such as 90m, 24h or 7d";
    let time = match text.trim().strip_suffix('d').map(str::parse::<u32>) {
        Some(Ok(days)) => SignedDuration::from_hours(24 * i64::from(days)),
        _ => text.trim().parse().map_err(|_| shape)?,
    };
    // A century: what is longer is a mistake, and PostgreSQL's dates end somewhere.
    let longest = SignedDuration::from_hours(24 * 36_525);
    if time.is_positive() && time <= longest { Ok(time) } else { Err(shape) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_understood_and_nonsense_is_not() {
        assert_eq!(since("7d"), Ok(SignedDuration::from_hours(168)));
        assert_eq!(since("90m"), Ok(SignedDuration::from_mins(90)));
        for text in ["", "d", "-1h", "0s", "soon", "7", "4000000000d", "9999999h"] {
            assert!(since(text).is_err(), "{text}");
        }
    }
}
