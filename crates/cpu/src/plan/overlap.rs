//! Which steps may begin before those before them are complete.

use std::collections::{BTreeMap, HashMap};

use super::lower::{Lowered, Slot, Storage};
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

/// Which steps before it each step needs something of, and what. Some of the inputs may be the same memory as outputs.
pub(super) fn dependencies(lowered: &Lowered, donated: &[(usize, usize)]) -> Vec<Vec<(usize, Needs)>> {
    // The same for blocks that may be the same memory.
    let donors: HashMap<usize, usize> = donated.iter().map(|&(input, output)| (output, input)).collect();
    let input_of = |(slot, of): (usize, &Slot)| match of.storage {
        Storage::Input(input) => Some((input, slot)),
        _ => None,
    };
    let inputs: HashMap<usize, usize> = lowered.slots.iter().enumerate().filter_map(input_of).collect();
    let memory = |slot: usize| match lowered.slots[slot].storage {
        Storage::Output(output) => donors.get(&output).and_then(|input| inputs.get(input)).map_or(slot, |&slot| slot),
        _ => slot,
    };
    let are_rows = |access: &Access| {
        let fill = |rows: RowsOf| {
            let bytes = rows.count * rows.stride;
            bytes == lowered.slots[access.slot].bytes && access.offset + rows.len <= rows.stride
        };
        access.rows.is_some_and(fill)
    };
    let mut of_memory: HashMap<usize, Vec<(usize, Access)>> = HashMap::new();
    let mut all = vec![];
    for (step, accesses) in lowered.steps.iter().map(Step::accesses).enumerate() {
        let mut needs: BTreeMap<usize, Needs> = BTreeMap::new();
        for access in &accesses {
            for (other, earlier) in of_memory.get(&memory(access.slot)).into_iter().flatten() {
                if access.is_written || earlier.is_written {
                    let is_by_rows = are_rows(access) && are_rows(earlier);
                    let needs = needs.entry(*other).or_insert(Needs::Rows);
                    *needs = if is_by_rows { *needs } else { Needs::All };
                }
            }
        }
        accesses.into_iter().for_each(|access| of_memory.entry(memory(access.slot)).or_default().push((step, access)));
        all.push(needs.into_iter().collect());
    }
    all
}

impl Overlap {
    /// Of a graph some of whose inputs may be the same memory as outputs.
    pub(super) fn new(lowered: &Lowered, donated: &[(usize, usize)]) -> Overlap {
        let dependencies = dependencies(lowered, donated);
        let is_shared = |step: usize| lowered.steps[step].kernel.is_shared();
        let needs = |step: usize, other: usize| {
            let found = dependencies[step].iter().find(|&&(earlier, _)| earlier == other);
            if is_shared(step) && is_shared(other) {
                found.map_or(Needs::Nothing, |&(_, needs)| needs)
            } else {
                Needs::All
            }
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
