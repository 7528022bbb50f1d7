//! PJRT plug-ins: loading, devices, programs, buffers.
//!
//! ```no_run
//! use gyrus_graph::DType;
//! use gyrus_pjrt::runtime::{Client, Plugin};
//!
//! let plugin = Plugin::load("pjrt_c_api_cpu_plugin.so")?;
//! let client = Client::new(plugin, &[])?;
//! let program = r#"module @twice {
//!     func.func public @main(%arg0: tensor<2xf32>) -> tensor<2xf32> {
//!         %0 = "stablehlo.add"(%arg0, %arg0) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
//!         "func.return"(%0) : (tensor<2xf32>) -> ()
//!     }
//! }"#;
//! let executable = client.compile(program, 1)?;
//! let bytes = [1.0f32, 2.0].map(f32::to_le_bytes).concat();
//! let argument = client.upload(0, DType::F32, &[2], &bytes)?;
//! let results = executable.execute(&[vec![&argument]], &[])?;
//! let mut twice = [0; 8];
//! results[0][0].to_host(&mut twice)?;
//! # Ok::<(), gyrus_pjrt::PjrtError>(())
//! ```

mod buffer;
mod client;
mod compile_options;
mod device;
mod event;
mod executable;
mod ffi;
mod libraries;
mod named_value;
mod plugin;
#[cfg(test)]
mod plugin_tests;
mod program_cache;
mod transfer;

pub use buffer::DeviceBuffer;
pub use client::Client;
pub use device::{Device, MemoryStatistics};
pub use event::Event;
pub use executable::Executable;
pub use named_value::NamedValue;
pub use plugin::Plugin;
pub use program_cache::ProgramCache;
pub use transfer::Transfer;
