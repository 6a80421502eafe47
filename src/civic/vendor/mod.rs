//! Vendors' sites and APIs, one file each, and the HTTP client that they share.
