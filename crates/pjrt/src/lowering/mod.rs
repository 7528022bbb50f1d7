//! From graphs to StableHLO text.
