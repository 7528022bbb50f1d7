//! Into which tasks the sums of the weights' gradient are divided.

use std::ops::Range;

/// A division by sizes alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Division {
    pub(super) groups: usize,
    /// Tiles of rows and panels of columns of a group, and into how many parts they are divided.
    pub(super) tiles: usize,
    pub(super) tile_parts: usize,
    pub(super) panels: usize,
    pub(super) panel_parts: usize,
    /// Lines, and into how many parts they are divided, whose sums are added.
    pub(super) lines: usize,
    pub(super) parts: usize,
    /// How many lines are worked on at a time.
    pub(super) block: usize,
}

/// What a task sums.
pub(super) struct Task {
    pub(super) part: usize,
    pub(super) group: usize,
    pub(super) tiles: Range<usize>,
    pub(super) panels: Range<usize>,
    pub(super) lines: Range<usize>,
}

impl Division {
    /// Tasks of the same lines are neighbours.
    pub(super) fn task(&self, index: usize) -> Task {
        let divided = |count: usize, parts: usize, part: usize| count * part / parts..count * (part + 1) / parts;
        let (rest, panels) = (index / self.panel_parts, index % self.panel_parts);
        let (rest, tiles) = (rest / self.tile_parts, rest % self.tile_parts);
        let (part, group) = (rest / self.groups, rest % self.groups);
        Task {
            part,
            group,
            tiles: divided(self.tiles, self.tile_parts, tiles),
            panels: divided(self.panels, self.panel_parts, panels),
            lines: divided(self.lines, self.parts, part),
        }
    }

    /// How many tasks there are.
    pub(super) fn num_tasks(&self) -> usize {
        self.parts * self.groups * self.tile_parts * self.panel_parts
    }
}
