//! What goes first: what is near. Days are those between today and the meeting, on the city's calendar, in either direction.

/// Of a meeting's own jobs: tomorrow's council goes before any backfill.
#[must_use]
pub fn meeting_priority(days: i32) -> i32 {
    150_i32.saturating_sub(away(days)).max(0)
}

/// Of matters, which nobody waits for.
#[must_use]
pub fn matter_priority(days: i32) -> i32 {
    50_i32.saturating_sub(away(days)).max(-100)
}

fn away(days: i32) -> i32 {
    days.checked_abs().unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_goes_first_in_either_direction() {
        for (days, meeting, matter) in [
            (0, 150, 50),
            (1, 149, 49),
            (-1, 149, 49),
            (30, 120, 20),
            (150, 0, -100),
            (400, 0, -100),
            (i32::MIN, 0, -100),
        ] {
            assert_eq!((meeting_priority(days), matter_priority(days)), (meeting, matter), "{days}");
        }
    }
}
