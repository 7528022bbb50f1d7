//! Which steps may begin before those before them are complete.

use super::lower::{Lowered, Storage};
use super::step::Step;
use crate::kernel::RowsOf;
use crate::pool::{Needs, WINDOW};

/// What steps need of those before them.
pub(super) struct Overlap(Vec<[Needs; WINDOW]>);

/// What a step does with a block of memory.
pub(super) struct Access {
    pub(super) slot: usize,
    /// In bytes.
    pub(super) offset: usize,
    pub(super) is_written: bool,
    /// The rows that it is read or written by.
    pub(super) rows: Option<RowsOf>,
}

impl Overlap {
    /// Of a graph some of whose inputs may be the same memory as outputs.
    pub(super) fn new(lowered: &Lowered, donated: &[(usize, usize)]) -> Overlap {
        // The same for blocks that may be the same memory.
        let memory = |slot: usize| match lowered.slots[slot].storage {
            Storage::Output(output) => {
                let input =
                    donated.iter().find(|&&(_, other)| other == output).map(|&(input, _)| Storage::Input(input));
                input.and_then(|input| lowered.slots.iter().position(|slot| slot.storage == input)).unwrap_or(slot)
            }
            _ => slot,
        };
        let accesses: Vec<Vec<Access>> = lowered.steps.iter().map(Step::accesses).collect();
        let needs = |later: usize, earlier: usize| {
            let mut needs = Needs::Nothing;
            if ![later, earlier].iter().all(|&step| lowered.steps[step].kernel.is_shared()) {
                return Needs::All;
            }
            for (a, b) in accesses[later].iter().flat_map(|a| accesses[earlier].iter().map(move |b| (a, b))) {
                if !(a.is_written || b.is_written) || memory(a.slot) != memory(b.slot) {
                    continue;
                }
                let are_rows = [a, b].iter().all(|access| {
                    let fill = |rows: &RowsOf| {
                        rows.count * rows.stride == lowered.slots[access.slot].bytes
                            && access.offset + rows.len <= rows.stride
                    };
                    access.rows.as_ref().is_some_and(fill)
                });
                if !are_rows {
                    return Needs::All;
                }
                needs = Needs::Rows;
            }
            needs
        };
        let of_step = |step: usize| {
            std::array::from_fn(|index| step.checked_sub(index + 1).map_or(Needs::All, |other| needs(step, other)))
        };
        Overlap((0..lowered.steps.len()).map(of_step).collect())
    }

    /// What a step needs of the one `distance` before it.
    pub(super) fn needs(&self, step: usize, distance: usize) -> Needs {
        self.0[step][distance - 1]
    }

    /// The last step that may begin while this one is in progress.
    pub(super) fn last_beside(&self, step: usize) -> usize {
        let may_begin =
            |&distance: &usize| step + distance < self.0.len() && self.needs(step + distance, distance) != Needs::All;
        step + (1..=WINDOW).take_while(may_begin).last().unwrap_or(0)
    }

    /// Numbers for all steps, so that those with the same one are never in progress at the same time.
    pub(super) fn colours(&self) -> Vec<usize> {
        let mut colours: Vec<usize> = vec![];
        for step in 0..self.0.len() {
            let beside = |other: &usize| self.last_beside(*other) >= step;
            let taken: Vec<usize> =
                (step.saturating_sub(WINDOW)..step).filter(beside).map(|other| colours[other]).collect();
            colours.extend((0..).find(|colour| !taken.contains(colour)));
        }
        colours
    }
}
