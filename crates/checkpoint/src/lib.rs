//! What must outlive a run: safetensors files, and the one crash-safe way to write files and folders.
//!
//! [`write_atomically`] is the writer of every single file that must last; [`AtomicFolder`] does the same for
//! files that only make sense together, such as a checkpoint's model, configuration and optimizer state.

mod atomic_folder;
mod atomic_write;
mod error;
mod module_file;
mod pickle;
mod pytorch_file;
mod safetensors_file;
mod sha256;
mod stored_archive;

pub use atomic_folder::{AtomicFolder, FolderWriter};
pub use atomic_write::{remove_leftovers, write_atomically};
pub use error::{CheckpointError, Mismatch};
pub use module_file::{Fitting, load_fitting, load_module, write_module};
pub use pytorch_file::open_weights;
pub use safetensors_file::{Expected, SafetensorsFile, StoredTensor, save_safetensors, write_safetensors};
pub use sha256::{sha256_of_bytes, sha256_of_file};

/// The element type of a stored tensor, all that the format knows.
pub use safetensors::Dtype as StoredDType;
