//! What will be read soon, asked for while something else is computed.

use crate::kernels::cache_line::{LINE, prefetch_far};

/// How many areas are remembered; it does no harm to forget others.
const MAX_AREAS: usize = 8;

/// Rows of bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Area {
    pub(crate) from: *const u8,
    pub(crate) rows: usize,
    /// Bytes from one row to the next.
    pub(crate) stride: isize,
    /// Bytes of a row.
    pub(crate) bytes: usize,
}

impl Area {
    /// Of lines of an operand, if they, or the elements along them, are neighbours.
    pub(crate) fn new<S>(from: *const S, count: usize, depth: usize, across: isize, along: isize) -> Option<Area> {
        let size = size_of::<S>();
        let (rows, stride, cols) = match (across, along) {
            (1, _) => (depth, along, count),
            (_, 1) => (count, across, depth),
            _ => return None,
        };
        Some(Area { from: from.cast(), rows, stride: stride * size as isize, bytes: cols * size })
    }

    /// Asks for a row, if there is such a one, which will be read later.
    #[inline(always)]
    pub(crate) fn ask(&self, row: usize) {
        if row < self.rows {
            let row = self.from.wrapping_offset(row as isize * self.stride);
            for byte in (0..self.bytes).step_by(LINE) {
                prefetch_far(row.wrapping_add(byte));
            }
        }
    }

    pub(crate) const EMPTY: Area = Area { from: std::ptr::null(), rows: 0, stride: 0, bytes: 0 };

    /// The same bytes from the begin of a line on, as one row if there is nothing between rows.
    fn by_lines(self) -> Area {
        let is_one = self.stride == self.bytes as isize;
        let (rows, bytes) = if is_one { (1, self.rows * self.bytes) } else { (self.rows, self.bytes) };
        let before = self.from as usize % LINE;
        Area { from: self.from.wrapping_sub(before), rows, bytes: bytes + before, ..self }
    }
}

/// The lines of some areas, one after another.
pub(super) struct Ahead {
    areas: [Area; MAX_AREAS],
    /// Which areas are left.
    first: usize,
    end: usize,
    /// Where in the first one.
    row: usize,
    place: usize,
}

impl Ahead {
    pub(super) fn new() -> Ahead {
        Ahead { areas: [Area::EMPTY; MAX_AREAS], first: 0, end: 0, row: 0, place: 0 }
    }

    /// Forgets what was left.
    pub(super) fn clear(&mut self) {
        (self.first, self.end, self.row, self.place) = (0, 0, 0, 0);
    }

    pub(super) fn push(&mut self, area: Area) {
        if self.end < MAX_AREAS && area.rows * area.bytes > 0 {
            self.areas[self.end] = area.by_lines();
            self.end += 1;
        }
    }

    pub(super) fn extend(&mut self, areas: impl IntoIterator<Item = Area>) {
        areas.into_iter().for_each(|area| self.push(area));
    }

    /// How many lines are left, as if nothing of the first area was taken.
    pub(super) fn num_lines(&self) -> usize {
        let areas = self.areas[self.first..self.end].iter();
        areas.map(|area| area.rows * area.bytes.div_ceil(LINE)).sum()
    }

    #[inline(always)]
    fn is_empty(&self) -> bool {
        self.first == self.end
    }

    /// Takes lines that are neighbours, at most so many: the first one, and how many. It is not empty.
    #[inline(always)]
    fn take(&mut self, most: usize) -> (*const u8, usize) {
        // It is below their number, of which the compiler does not know: without a check nothing can panic in a loop of products.
        let area = &self.areas[self.first % MAX_AREAS];
        let line = area.from.wrapping_offset(self.row as isize * area.stride).wrapping_add(self.place);
        let count = (area.bytes - self.place).div_ceil(LINE).min(most);
        self.place += count * LINE;
        if self.place >= area.bytes {
            (self.place, self.row) = (0, self.row + 1);
            if self.row == area.rows {
                (self.first, self.row) = (self.first + 1, 0);
            }
        }
        (line, count)
    }
}

/// What is asked for while a panel is computed.
pub(crate) struct Asked {
    pub(super) first: *mut Ahead,
    /// After it.
    pub(super) second: *mut Ahead,
}

impl Asked {
    /// Takes lines that are neighbours, at most so many: the first one, and how many.
    ///
    /// # Safety
    /// Both live.
    #[inline(always)]
    pub(super) unsafe fn take(&mut self, most: usize) -> (*const u8, usize) {
        // SAFETY: as the caller vouches.
        let ahead = unsafe { if (*self.first).is_empty() { &mut *self.second } else { &mut *self.first } };
        if most == 0 || ahead.is_empty() {
            return (std::ptr::null(), 0);
        }
        ahead.take(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_once_and_in_order() {
        let at = |address: usize| address as *const u8;
        let mut ahead = Ahead::new();
        ahead.push(Area { from: at(6400 + 60), rows: 2, stride: 1000, bytes: 100 });
        ahead.push(Area { from: at(64000), rows: 3, stride: 50, bytes: 50 });
        ahead.push(Area { from: at(64), rows: 5, stride: 64, bytes: 0 });
        assert_eq!(ahead.num_lines(), 9);
        let mut second = Ahead::new();
        second.push(Area { from: at(128), rows: 3, stride: 640, bytes: 64 });
        let mut asked = Asked { first: &mut ahead, second: &mut second };
        let mut all = vec![];
        loop {
            // SAFETY: both live.
            let (line, count) = unsafe { asked.take((11 - all.len()).min(2)) };
            if count == 0 {
                break;
            }
            all.extend((0..count).map(|index| line as usize + index * LINE));
        }
        assert_eq!(all, [6400, 6464, 6528, 7400, 7464, 7528, 64000, 64064, 64128, 128, 768]);
        assert!(ahead.is_empty() && !second.is_empty());
        second.clear();
        assert!(second.is_empty());
    }
}
