//! Convolutions of groups of few channels: a vector holds the channels of several groups.

use crate::kernels::convolution::geometry::Geometry;
use crate::kernels::gemm::microkernel::GROUP_DEPTHS;

/// Groups that share a vector.
#[derive(Clone, Copy)]
pub(super) struct Grouped {
    /// Channels of each group, in and out.
    pub(super) channels: usize,
    /// Those of a vector.
    pub(super) lanes: usize,
}

impl Grouped {
    /// Those of a convolution, if vectors have so many lanes.
    pub(super) fn new(geometry: &Geometry, lanes: usize) -> Option<Grouped> {
        let Geometry { groups, in_channels: channels, out_channels, .. } = *geometry;
        let fits = channels == out_channels && GROUP_DEPTHS.contains(&channels) && channels < lanes;
        (fits && (groups * channels).is_multiple_of(lanes)).then_some(Grouped { channels, lanes })
    }

    /// The same convolution with all groups of a vector as one.
    pub(super) fn joined(&self, geometry: &Geometry) -> Geometry {
        let groups = geometry.groups * self.channels / self.lanes;
        Geometry { groups, in_channels: self.lanes, out_channels: self.lanes, ..*geometry }
    }
}
