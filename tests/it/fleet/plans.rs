//! The plans of the batch statements: no statement by key may fall for a partial index, and no pick may sort a backlog.
