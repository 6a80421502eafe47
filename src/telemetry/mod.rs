//! Logs, metric names and trace context. Below everything else: it imports nothing of Docket.

pub mod names;
