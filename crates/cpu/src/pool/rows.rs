//! Tasks that go through the rows of arrays.
//!
//! Arrays that different steps of a walk go through may have different numbers of rows, such as images in one and their
//! lines in the other: rows lie beside each other that are the same fraction of the array.

use std::ops::Range;

/// One of `parts` parts of `0..count`, as equal as can be.
#[inline]
pub(crate) fn part_of(count: usize, part: usize, parts: usize) -> Range<usize> {
    count * part / parts..count * (part + 1) / parts
}

/// How the tasks of a run go through rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Course {
    /// Each has its own.
    Apart(Rows),
    /// Each goes through all of them.
    Along(Along),
}

impl Course {
    pub(super) fn num_tasks(&self) -> usize {
        match self {
            Course::Apart(rows) => rows.num_tasks(),
            Course::Along(along) => along.tasks,
        }
    }
}

/// Rows that tasks go through one after another, of each of which every task does a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Along {
    /// All of them.
    pub count: usize,
    /// Whether the last is the first.
    pub from_last: bool,
    /// How many tasks there are.
    pub tasks: usize,
}

impl Along {
    /// How many rows have to be passed until those are that lie beside a task's.
    pub(super) fn passed_before(&self, other: &Rows, task: usize) -> usize {
        let Range { start, end } = other.beside(task, self.count);
        if start == end {
            0
        } else if self.from_last {
            self.count - start
        } else {
            end
        }
    }
}

/// How rows are divided among tasks: into parts of whole units, each of which some tasks have together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows {
    /// All of them.
    pub count: usize,
    /// How many are never divided.
    pub unit: usize,
    /// How many parts they are cut into; one after another, as equal as units allow.
    pub parts: usize,
    /// How many tasks have to do with each part: neighbours, those of the first part first.
    pub tasks_per_part: usize,
}

impl Rows {
    /// One task for each `unit` of rows.
    pub fn units(count: usize, unit: usize) -> Rows {
        let unit = unit.max(1);
        Rows { count, unit, parts: count.div_ceil(unit), tasks_per_part: 1 }
    }

    /// How many tasks there are.
    pub fn num_tasks(&self) -> usize {
        self.parts * self.tasks_per_part
    }

    /// The units of a part.
    pub fn units_of(&self, part: usize) -> Range<usize> {
        part_of(self.count.div_ceil(self.unit), part, self.parts)
    }

    /// The rows of a task.
    pub fn of(&self, task: usize) -> Range<usize> {
        let Range { start, end } = self.units_of(task / self.tasks_per_part);
        (start * self.unit).min(self.count)..(end * self.unit).min(self.count)
    }

    /// The rows of an array of `count` beside those of a task.
    fn beside(&self, task: usize, count: usize) -> Range<usize> {
        let Range { start, end } = self.of(task);
        start * count / self.count..(end * count).div_ceil(self.count)
    }

    /// The tasks of this division that have rows beside those of a task of another one.
    pub fn tasks_beside(&self, other: &Rows, task: usize) -> Range<usize> {
        let Range { start: first, end } = other.beside(task, self.count);
        if first == end {
            return 0..0;
        }
        let units = self.count.div_ceil(self.unit);
        // The last part that begins at or before the row's unit.
        let part = |row: usize| ((row / self.unit + 1) * self.parts - 1) / units;
        part(first) * self.tasks_per_part..(part(end - 1) + 1) * self.tasks_per_part
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_beside_each_other_are_those_that_share_a_fraction_of_the_array() {
        for (a, b) in [(12, 12), (12, 4), (4, 12), (7, 35), (30, 1), (1, 6)] {
            for unit in 1..5 {
                for (parts, tasks_per_part) in [(1, 1), (2, 3), (5, 1), (9, 2)] {
                    let divided = Rows { count: a, unit, parts, tasks_per_part };
                    let other = Rows::units(b, 2);
                    for task in 0..other.num_tasks() {
                        let beside = divided.tasks_beside(&other, task);
                        let rows = other.of(task);
                        for mine in 0..divided.num_tasks() {
                            let Range { start, end } = divided.of(mine);
                            let touches = start < end && start * b < rows.end * a && rows.start * a < end * b;
                            assert!(!touches || beside.contains(&mine), "{divided:?}, {other:?}, {task}, {mine}");
                        }
                        // Fractions of rows are rounded up.
                        let is_near = |Range { start, end }: Range<usize>| {
                            start == end || start * b < rows.end * a + b && rows.start * a < end * b + b
                        };
                        assert!(beside.map(|mine| divided.of(mine)).all(is_near));
                    }
                }
            }
        }
    }

    #[test]
    fn all_rows_are_some_tasks() {
        let rows = Rows { count: 29, unit: 4, parts: 3, tasks_per_part: 2 };
        assert_eq!(
            (0..rows.num_tasks()).map(|task| rows.of(task)).collect::<Vec<_>>(),
            [0..8, 0..8, 8..20, 8..20, 20..29, 20..29]
        );
    }
}
