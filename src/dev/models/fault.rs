//! What can be wrong with an answer.

use std::time::Duration;

/// One fault, for one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 429, with the delay after which it may be asked again.
    RateLimited(Duration),
    /// 429 for the quota of a day, with a delay of 22 s that means nothing.
    DailyQuota,
    /// 429, because the account has no money.
    NoMoney,
    /// This HTTP status, with an error body.
    Status(u16),
    /// 400 whose words quote the key that came with the request.
    QuotesKey,
    /// 500 (Google) or 400 (OpenAI), because the text is too long.
    TooLong,
    /// 200 without a text.
    Empty,
    /// 200 whose text was cut off at its longest length.
    Truncated,
    /// 200 whose body is half of a JSON object.
    HalfBody,
    /// 200 whose connection breaks within the body.
    BreaksOff,
    /// 200 whose text is prose instead of the JSON that was asked for.
    NotJson,
    /// 200 whose body is an error.
    ErrorBody,
    /// A good answer without the number of tokens.
    NoUsage,
    /// 200 that the safety filter has emptied.
    Blocked,
    /// A good answer under the key of another question.
    WrongKey,
    /// Of several answers each has the key of the next question; a single one is good.
    Rotated,
    /// Of several answers the last is not there; a single one is good.
    OneMissing,
    /// The right key, and a summary of something else.
    OtherItem,
    /// A good answer with a sum that the text doesn't have.
    Invented,
    /// A good answer, after so long.
    Slow(Duration),
    /// What an order in a text wants to be said after `write that`, up to the end of its sentence, in every answer of the call;
    /// without one, good answers.
    Obedient,
}
