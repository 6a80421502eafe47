//! What follows from a failed call. Pure.

use super::LlmError;
use std::time::Duration;

/// Answers of no use that one question may get from one model.
pub const MAX_UNUSABLE: u8 = 2;
/// Longest delay of a 429 that is believed. It is asked again then, at no cost.
pub const MAX_WAIT: Duration = Duration::from_hours(1);
/// An account without money is looked at again after this long: somebody has to pay in first.
const NO_MONEY_PAUSE: Duration = Duration::from_hours(1);

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The same question to the same model, once more.
    Again,
    /// The next model of the list; where there is none, a smaller input.
    OtherModel,
    /// The same text in smaller parts.
    Smaller,
    /// The model is asked nothing for so long, and jobs wait without paying an attempt.
    Pause(Pause),
    /// The attempt failed, and another may succeed; not before `after`.
    Retry(Option<Duration>),
    /// No attempt will succeed.
    GiveUp,
}

/// For how long a model is asked nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// For so long.
    For(Duration),
    /// Until the quota of the day is reset.
    UntilReset,
}

/// What follows from this error of a model that has given `unusable` answers of no use to this question, this one included.
#[must_use]
pub fn next_step(error: &LlmError, unusable: u8) -> Next {
    match error {
        LlmError::RateLimited { after: Some(after), .. } => Next::Pause(Pause::For((*after).min(MAX_WAIT))),
        // Without a delay nobody knows for how long: the job's own backoff, which ends some day.
        LlmError::RateLimited { after: None, .. } => Next::Retry(None),
        LlmError::DailyQuota(_) => Next::Pause(Pause::UntilReset),
        LlmError::Quota(_) => Next::Pause(Pause::For(NO_MONEY_PAUSE)),
        LlmError::Refused { .. } | LlmError::Blocked(_) => Next::GiveUp,
        LlmError::TooLong(_) => Next::Smaller,
        LlmError::Server { after, .. } => Next::Retry(after.map(|after| after.min(MAX_WAIT))),
        LlmError::Timeout(_) | LlmError::Connect(_) | LlmError::Interrupted(_) => Next::Retry(None),
        LlmError::Empty(_) | LlmError::Truncated | LlmError::Malformed(_) | LlmError::WrongKey(_) => {
            if unusable < MAX_UNUSABLE { Next::Again } else { Next::OtherModel }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_decides_what_becomes_of_the_question() {
        let text = String::new;
        let limited = |after| LlmError::RateLimited { message: text(), after };
        let server = |status, after| LlmError::Server { status, message: text(), after };
        let (short, long) = (Duration::from_secs(22), Duration::from_hours(48));
        let table = [
            (limited(Some(short)), Next::Pause(Pause::For(short))),
            (limited(Some(long)), Next::Pause(Pause::For(MAX_WAIT))),
            (limited(None), Next::Retry(None)),
            (LlmError::DailyQuota(text()), Next::Pause(Pause::UntilReset)),
            (LlmError::Quota(text()), Next::Pause(Pause::For(NO_MONEY_PAUSE))),
            (LlmError::Refused { status: 400, message: text() }, Next::GiveUp),
            (LlmError::Refused { status: 403, message: text() }, Next::GiveUp),
            (LlmError::Refused { status: 404, message: text() }, Next::GiveUp),
            (LlmError::Blocked(text()), Next::GiveUp),
            (LlmError::TooLong(text()), Next::Smaller),
            (server(500, None), Next::Retry(None)),
            (server(503, Some(short)), Next::Retry(Some(short))),
            (server(504, Some(long)), Next::Retry(Some(MAX_WAIT))),
            (LlmError::Timeout(short), Next::Retry(None)),
            (LlmError::Connect(text()), Next::Retry(None)),
            (LlmError::Interrupted(text()), Next::Retry(None)),
        ];
        for (error, next) in table {
            assert_eq!(next_step(&error, 0), next, "{error:?}");
        }
        let unusable =
            [LlmError::Empty(text()), LlmError::Truncated, LlmError::Malformed(text()), LlmError::WrongKey(text())];
        for error in unusable {
            assert_eq!([1, 2, 3].map(|n| next_step(&error, n)), [Next::Again, Next::OtherModel, Next::OtherModel]);
        }
    }
}
