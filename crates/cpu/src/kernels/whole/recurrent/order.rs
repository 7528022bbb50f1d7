//! Rows of a batch whose sequences differ in length, the longest first: those that have a step come first.

/// The order of the rows.
#[derive(Clone, Copy)]
pub(super) struct Order<'a> {
    lengths: &'a [i64],
    num_steps: usize,
    rows: &'a [usize],
    /// For each length how many rows are at least so long.
    at_least: &'a [usize],
}

impl<'a> Order<'a> {
    /// How many words of memory it takes.
    pub(super) fn num_words(num_steps: usize, batch: usize) -> usize {
        batch + num_steps + 1
    }

    /// Sorts the rows by counting; equal ones stay in order. Lengths are taken as the nearest of `0..=num_steps`.
    pub(super) fn new(lengths: &'a [i64], num_steps: usize, memory: &'a mut [usize]) -> Self {
        let (rows, places) = memory.split_at_mut(lengths.len());
        places.fill(0);
        for &length in lengths {
            places[clamped(length, num_steps)] += 1;
        }
        let mut longer = 0;
        for place in places.iter_mut().rev() {
            (*place, longer) = (longer, longer + *place);
        }
        // Each length's place moves on to that of the next shorter, which is how many rows are at least so long.
        for (row, &length) in lengths.iter().enumerate() {
            let place = &mut places[clamped(length, num_steps)];
            rows[*place] = row;
            *place += 1;
        }
        Order { lengths, num_steps, rows, at_least: places }
    }

    /// The row of the batch at a place.
    #[inline(always)]
    pub(super) fn row(&self, place: usize) -> usize {
        self.rows[place]
    }

    /// The length of the row at a place.
    #[inline(always)]
    pub(super) fn length(&self, place: usize) -> usize {
        self.length_of_row(self.rows[place])
    }

    /// The length of a row of the batch.
    pub(super) fn length_of_row(&self, row: usize) -> usize {
        clamped(self.lengths[row], self.num_steps)
    }

    /// How many rows have a step at this time: the first ones.
    pub(super) fn num_rows(&self, time: usize) -> usize {
        self.at_least.get(time + 1).copied().unwrap_or(0)
    }
}

fn clamped(length: i64, num_steps: usize) -> usize {
    usize::try_from(length).unwrap_or(0).min(num_steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longest_rows_come_first() {
        let (lengths, num_steps) = ([2, -5, 4, 2, 9, 0, 3], 4);
        let mut memory = [7; 12];
        assert_eq!(memory.len(), Order::num_words(num_steps, lengths.len()));
        let order = Order::new(&lengths, num_steps, &mut memory);
        let places = 0..lengths.len();
        assert_eq!(places.clone().map(|place| order.row(place)).collect::<Vec<_>>(), [2, 4, 6, 0, 3, 1, 5]);
        assert_eq!(places.map(|place| order.length(place)).collect::<Vec<_>>(), [4, 4, 3, 2, 2, 0, 0]);
        assert_eq!((0..5).map(|time| order.num_rows(time)).collect::<Vec<_>>(), [5, 5, 3, 2, 0]);
    }
}
