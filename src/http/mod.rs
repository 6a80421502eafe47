//! The HTTP side of a process: operations endpoints in each role, the API in the server role.
