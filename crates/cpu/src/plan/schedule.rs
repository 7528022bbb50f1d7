//! In which order steps run.
//!
//! Where a step needs all of the one before it, threads that are done wait for those that are not, unless there is something
//! else to do in between. What nothing depends on, such as the update of a weight, is kept for that. Where it was recorded
//! says little: the gradients of all weights come at the end of a graph, and until then all that they are made of would be
//! kept in memory.

use std::collections::VecDeque;

use super::lower::Lowered;
use super::overlap::dependencies;
use crate::pool::Needs;

/// Steps all of whose blocks are so small, in bytes, are nothing to fill time with.
const SMALL: usize = 32 << 10;
/// How many steps are kept at most: what they read is kept as long.
const MAX_KEPT: usize = 2;

/// Puts the steps into an order that keeps threads busy. Each still comes after all that it needs something of.
pub(super) fn schedule(lowered: &mut Lowered, donated: &[(usize, usize)]) {
    let before = dependencies(lowered, donated);
    let is_small = |step: usize| lowered.steps[step].slots().all(|slot| lowered.slots[slot].bytes <= SMALL);
    // The small ends come last. What they alone need something of ends too, such as a product that gives the gradient of a bias
    // beside that of the weights, which it updates.
    let mut is_end = vec![true; before.len()];
    for step in (0..before.len()).rev() {
        if !is_end[step] || !is_small(step) {
            before[step].iter().for_each(|&(other, _)| is_end[other] = false);
        }
    }
    let mut order = Order { placed: vec![false; before.len()], steps: vec![] };
    // What needs only inputs would take a place between others, of which few may be in progress at a time.
    for (step, needed) in before.iter().enumerate() {
        if is_small(step) && order.has_all(needed) {
            order.push(step);
        }
    }
    let (small, mut large): (Vec<usize>, Vec<usize>) =
        (0..before.len()).filter(|&step| is_end[step] && !order.placed[step]).partition(|&step| is_small(step));
    let needs_all = |step: usize, other: usize| before[step].contains(&(other, Needs::All));
    let mut kept = VecDeque::new();
    let mut left: VecDeque<usize> = (0..before.len()).filter(|&step| !is_end[step] && !order.placed[step]).collect();
    while let Some(step) = left.pop_front() {
        if let Some(&last) = order.steps.last()
            && needs_all(step, last)
            && !is_small(last)
            && let Some(index) = kept.iter().position(|&other| !needs_all(other, last))
        {
            order.push(kept.remove(index).expect("it was found"));
        }
        order.push(step);
        let (possible, others): (Vec<usize>, Vec<usize>) = large.iter().partition(|&&end| order.has_all(&before[end]));
        large = others;
        for end in possible {
            // Where the next step has to wait as well, this one costs no wait, and both find what was made in the cache.
            if needs_all(end, step) && left.front().is_some_and(|&next| needs_all(next, step)) {
                order.push(end);
            } else {
                kept.push_back(end);
            }
        }
        while kept.len() > MAX_KEPT {
            order.push(kept.pop_front().expect("there are some"));
        }
    }
    kept.into_iter().chain(large).chain(small).for_each(|step| order.push(step));
    let mut steps: Vec<_> = lowered.steps.drain(..).map(Some).collect();
    lowered.steps = order.steps.into_iter().map(|step| steps[step].take().expect("each comes once")).collect();
}

struct Order {
    placed: Vec<bool>,
    steps: Vec<usize>,
}

impl Order {
    fn push(&mut self, step: usize) {
        self.placed[step] = true;
        self.steps.push(step);
    }

    fn has_all(&self, steps: &[(usize, Needs)]) -> bool {
        steps.iter().all(|&(step, _)| self.placed[step])
    }
}
