//! The trainer on a small problem.
