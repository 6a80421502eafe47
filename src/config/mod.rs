//! Configuration, one section a file.
