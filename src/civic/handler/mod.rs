//! The kinds of jobs of the domain, one file each.
