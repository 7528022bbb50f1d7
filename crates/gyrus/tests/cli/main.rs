//! The program as a user has it: what it prints, what it leaves on the disk, its exit codes.

mod accelerators;
mod bad_data;
mod bad_files;
mod fixtures;
mod predicting;
mod resuming;
mod runs;
mod training;
mod usage;
