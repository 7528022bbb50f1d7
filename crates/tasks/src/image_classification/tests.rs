//! The task on a small scale.
