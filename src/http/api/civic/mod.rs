//! What was made of the meetings: GET only, for every role.
//!
//! | route | what |
//! |---|---|
//! | `/api/cities`, `/api/cities/{slug}` | who is followed |
//! | `/api/meetings` | `city`, `from`, `to`, `status`, `q`, `limit`, `before` |
//! | `/api/meetings/{id}`, `/api/items/{id}` | with items, summaries, documents |
//! | `/api/documents/{sha256}` | `text=true` |
//! | `/api/matters` | `city`, `q`, `limit`, `before` |
//! | `/api/matters/{id}` | with its appearances and its summary |
//! | `/api/changes` | `city`, `since`, `limit`, `before` |

pub(super) mod changes;
pub(super) mod cities;
pub(super) mod documents;
pub(super) mod matters;
pub(super) mod meetings;
mod params;
