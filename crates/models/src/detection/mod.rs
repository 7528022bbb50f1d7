//! Models that find objects.

mod detector;
mod head;
mod neck;
mod registry;

pub use detector::{Detector, DetectorOutputs, Places};
pub use registry::{DETECTORS, DetectorConfig, DetectorModel, detector};
