//! Which results take the memory of what they are made from.

use std::collections::HashMap;

use super::lower::{Lowered, Slot, Storage};
use super::order::Order;
use super::pass::Pass;
use super::step::{Origin, Step};
use super::view::View;
use gyrus_graph::{DType, Port, Spec};

/// Makes sure that each of `donated`, pairs of an input and an output that may be the same memory, is not
/// overwritten before its last use. Where it would be, the output is computed elsewhere and copied at the
/// end.
pub(super) fn guard_donations(lowered: &mut Lowered, donated: &[(usize, usize)]) {
    for &(input, output) in donated {
        let slot_of = |storage| lowered.slots.iter().position(|slot| slot.storage == storage);
        let (Some(read), Some(written)) = (slot_of(Storage::Input(input)), slot_of(Storage::Output(output))) else {
            continue;
        };
        let writer = lowered.steps.iter().position(|step| step.all_writes().any(|slot| slot == written));
        let writer = writer.expect("an output is written");
        let reads_late = |(index, step): (usize, &Step)| {
            let is_read = step.all_reads().any(|other| other.slot == read);
            is_read && (index > writer || index == writer && !step.may_share(read, written))
        };
        if lowered.steps.iter().enumerate().any(reads_late) {
            let bytes = lowered.slots[written].bytes;
            lowered.slots[written].storage = Storage::Arena;
            lowered.slots.push(Slot { storage: Storage::Output(output), bytes });
            let copy = copy_bytes(written, lowered.slots.len() - 1, bytes);
            lowered.steps.push(copy);
        }
    }
}

fn copy_bytes(from: usize, to: usize, bytes: usize) -> Step {
    let mut pass = Pass::new(&[bytes], Order::row_major(1));
    let port = Port { node: 0, output: 0 };
    pass.load(port, DType::U8, from, &View::contiguous(&[bytes]));
    pass.store(port, to);
    let origin = Origin::Copy(Spec::new([bytes], DType::U8));
    Step::new(origin, Box::new(pass.program.compile()), pass.reads, pass.writes)
}

/// Lets results take over the memory of operands of the same size that are not read any more.
pub(super) fn share_memory(lowered: &mut Lowered, donated: &[(usize, usize)]) {
    let is_donated = |output| donated.iter().any(|&(_, donated)| donated == output);
    let mut uses = uses(lowered);
    let mut names: Vec<usize> = (0..lowered.slots.len()).collect();
    for index in 0..lowered.steps.len() {
        let step = &mut lowered.steps[index];
        step.rename(|slot| names[slot]);
        // A kernel's result that only its epilogue reads.
        let raw = step.epilogue.as_ref().map(|_| step.writes[0]);
        for read in step.all_reads().map(|read| read.slot).collect::<Vec<_>>() {
            // It may have got another name just now.
            let read = names[read];
            let source = &lowered.slots[read];
            let dies = source.storage == Storage::Arena && uses[&read].1 == index;
            if !dies {
                continue;
            }
            let takes_over = |slot: &usize| {
                let to = &lowered.slots[*slot];
                let is_free = match to.storage {
                    Storage::Arena => uses[slot].0 == index,
                    Storage::Output(output) => raw == Some(read) && !is_donated(output),
                    Storage::Input(_) => false,
                };
                *slot != read && is_free && to.bytes == source.bytes && step.may_share(read, *slot)
            };
            let Some(slot) = step.all_writes().find(takes_over) else { continue };
            let (keep, gone) = match lowered.slots[slot].storage {
                Storage::Arena => (read, slot),
                _ => (slot, read),
            };
            names.iter_mut().filter(|name| **name == gone).for_each(|name| *name = keep);
            let (first, last) = (uses[&read].0.min(uses[&slot].0), uses[&read].1.max(uses[&slot].1));
            uses.insert(keep, (first, last));
            step.rename(|slot| names[slot]);
        }
    }
}

/// The first and the last step that each block is used in.
pub(super) fn uses(lowered: &Lowered) -> HashMap<usize, (usize, usize)> {
    let mut uses: HashMap<usize, (usize, usize)> = HashMap::new();
    for (index, step) in lowered.steps.iter().enumerate() {
        for slot in step.slots() {
            uses.entry(slot).or_insert((index, index)).1 = index;
        }
    }
    uses
}
