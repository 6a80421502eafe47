//! From due to queued: dispatch, window, sweeps.
