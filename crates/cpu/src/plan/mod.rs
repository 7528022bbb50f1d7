//! From a graph to steps over one arena of memory.

mod fuse;
mod memory;
mod view;
