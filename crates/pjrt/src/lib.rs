//! Accelerators: graphs are lowered to StableHLO, compiled and run by any PJRT plug-in, loaded at run time.

pub mod lowering;
pub mod runtime;
