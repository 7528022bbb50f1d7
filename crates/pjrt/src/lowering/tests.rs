//! The text of small graphs.
