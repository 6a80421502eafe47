//! From queued to its end: slots, claims, runs, completions, heartbeat.
