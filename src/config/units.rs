//! Times and sizes as text: a number and its unit. A number alone is refused, because nobody can tell what it counts.

use std::time::Duration;

/// Reads `500ms`, `30s`, `5m`, `2h`; none for anything else.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3600).map(Duration::from_secs),
        _ => None,
    }
}

/// Reads `512B`, `64KiB`, `1MiB`, `2GiB`, in bytes.
pub(super) fn size(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let factor: u64 = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(factor)
}

/// A time in the largest unit that it is a whole number of.
pub(super) fn show_duration(time: Duration) -> String {
    let ms = time.as_millis();
    match ms {
        0 => "0s".to_owned(),
        _ if ms.is_multiple_of(3_600_000) => format!("{}h", ms / 3_600_000),
        _ if ms.is_multiple_of(60_000) => format!("{}m", ms / 60_000),
        _ if ms.is_multiple_of(1000) => format!("{}s", ms / 1000),
        _ => format!("{ms}ms"),
    }
}

/// A size in the largest unit that it is a whole number of.
pub(super) fn show_size(bytes: u64) -> String {
    for (unit, factor) in [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
        if bytes > 0 && bytes.is_multiple_of(factor) {
            return format!("{}{unit}", bytes / factor);
        }
    }
    format!("{bytes}B")
}

fn split(text: &str) -> Option<(u64, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    Some((text[..digits].parse().ok()?, &text[digits..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_have_units() {
        let seconds = |text| duration(text).map(|d| d.as_secs_f64());
        assert_eq!(
            [seconds("500ms"), seconds("30s"), seconds("5m"), seconds("2h")],
            [Some(0.5), Some(30.0), Some(300.0), Some(7200.0)]
        );
        for bad in ["", "5", "-5s", "5 s", "5d", "s", "1.5s", "99999999999999999999s", "9999999999999999999h", "٥s"] {
            assert_eq!(duration(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!([size("3B"), size("64KiB"), size("1MiB"), size("2GiB")], [3, 64 << 10, 1 << 20, 2 << 30].map(Some));
        for bad in ["", "5", "-5B", "5 B", "5MB", "5kib", "B", "99999999999999999999B", "18446744073709551615GiB"] {
            assert_eq!(size(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again(ms in 0_u64..1 << 50, bytes in 0_u64..u64::MAX) {
            prop_assert_eq!(duration(&show_duration(Duration::from_millis(ms))), Some(Duration::from_millis(ms)));
            prop_assert_eq!(size(&show_size(bytes)), Some(bytes));
        }
    }
}
