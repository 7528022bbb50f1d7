//! The places of blocks in scratch memory.

use super::layout::{Access, Source};
use super::lower::{Extent, Lowered, NONE, Place, Step};

/// What a block and the memory it is made from may take of the first-level cache, in bytes.
const CACHE: usize = 24 << 10;
/// Limits of the number of elements in a block, and what it is a multiple of.
const MIN_BLOCK: usize = 128;
const MAX_BLOCK: usize = 2048;
/// As many lines wait to be written around the cache while the next block is computed.
const MAX_STREAMED: usize = 512;
pub(super) const GRANULE: usize = 64;

/// Alignment of everything in scratch memory.
const ALIGNMENT: usize = 64;

/// What follows the current block.
#[derive(Clone, Copy, Debug)]
pub(super) enum Follow {
    /// A source, whose first element is in memory.
    Source { place: usize, source: usize },
    /// A periodic source, written down at an offset in scratch memory.
    Period { place: usize, source: usize, offset: usize },
    /// An output.
    Output { place: usize, output: usize },
}

/// Steps, with the offsets of their places.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) places: Vec<Place>,
    /// The offset in scratch memory of each place that is there.
    pub(super) offsets: Vec<usize>,
    pub(super) follows: Vec<Follow>,
    pub(super) prologue: Vec<Step>,
    pub(super) body: Vec<Step>,
    pub(super) result: usize,
    pub(super) scratch: usize,
}

/// Blocks of registers shared over time: for each place the number of a shared block, and the bytes per
/// element of each.
struct Sharing {
    block_of: Vec<usize>,
    sizes: Vec<usize>,
}

impl Sharing {
    /// A place gets a block at its first step and gives it back after its last one; what is made before
    /// the first block of elements stays.
    fn new(lowered: &Lowered) -> Sharing {
        let count = lowered.places.len();
        let (mut block_of, mut sizes) = (vec![NONE; count], vec![]);
        let mut last_use = vec![0; count];
        for (index, step) in lowered.body.iter().enumerate() {
            for &place in step.operands.iter().chain([&step.dst]).filter(|&&place| place != NONE) {
                last_use[place] = index;
            }
        }
        if lowered.result != NONE {
            last_use[lowered.result] = usize::MAX;
        }
        let size_of = |place: usize| match lowered.places[place] {
            Place::Register(size) => Some(size),
            _ => None,
        };
        for step in &lowered.prologue {
            if let Some(size) = size_of(step.dst) {
                block_of[step.dst] = sizes.len();
                sizes.push(size);
                last_use[step.dst] = usize::MAX;
            }
        }
        let mut free: Vec<usize> = vec![];
        for (index, step) in lowered.body.iter().enumerate() {
            if let (Some(size), NONE) = (size_of(step.dst), block_of[step.dst]) {
                let position = free.iter().rposition(|&block| sizes[block] == size);
                block_of[step.dst] = position.map_or_else(
                    || {
                        sizes.push(size);
                        sizes.len() - 1
                    },
                    |position| free.remove(position),
                );
            }
            let mut done: Vec<usize> = step.operands.into_iter().chain([step.dst]).collect();
            done.retain(|&place| place != NONE && last_use[place] == index && block_of[place] != NONE);
            done.sort_unstable();
            done.dedup();
            free.extend(done.into_iter().map(|place| block_of[place]));
        }
        Sharing { block_of, sizes }
    }
}

/// How many elements a block has, so that what the steps touch stays in the cache.
pub(super) fn block_length(lowered: &Lowered, sources: &[Source], outputs: &[usize], streams: bool) -> usize {
    let registers: usize = Sharing::new(lowered).sizes.iter().sum();
    let in_memory = lowered.places.iter().map(|place| match *place {
        Place::Source(source) if sources[source].access != Access::Uniform => sources[source].lane().size(),
        Place::Output(output) => outputs[output],
        _ => 0,
    });
    let bytes = (registers + in_memory.sum::<usize>()).max(1);
    let max = if streams { MAX_STREAMED } else { MAX_BLOCK };
    (CACHE / bytes).clamp(MIN_BLOCK, max) / GRANULE * GRANULE
}

impl Plan {
    /// Places everything for blocks of a length.
    pub(super) fn new(lowered: Lowered, sources: &[Source], block: usize) -> Plan {
        let sharing = Sharing::new(&lowered);
        let mut end = (lowered.places.len() * size_of::<*mut u8>()).next_multiple_of(ALIGNMENT);
        let mut take = |bytes: usize| {
            let offset = end;
            end += bytes.next_multiple_of(ALIGNMENT);
            offset
        };
        let blocks: Vec<usize> = sharing.sizes.iter().map(|size| take(size * block)).collect();
        let mut follows = vec![];
        let mut offsets = vec![0; lowered.places.len()];
        for (place, &kind) in lowered.places.iter().enumerate() {
            match kind {
                Place::Register(_) => offsets[place] = sharing.block_of[place].min(blocks.len()),
                Place::Cell => offsets[place] = take(8),
                Place::Constant(_) => {}
                Place::Output(output) => follows.push(Follow::Output { place, output }),
                Place::Source(source) => match sources[source].access {
                    Access::Periodic(period) => {
                        let offset = take((block + period) * sources[source].lane().size());
                        follows.push(Follow::Period { place, source, offset });
                    }
                    Access::Uniform => {}
                    _ => follows.push(Follow::Source { place, source }),
                },
            }
            if let Place::Register(_) = kind {
                offsets[place] = blocks.get(offsets[place]).copied().unwrap_or(0);
            }
        }
        let Lowered { places, prologue, body, result } = lowered;
        Plan { places, offsets, follows, prologue, body, result, scratch: end }
    }

    /// The outputs written before an input is read for the last time: where these share memory another plan is needed. A
    /// step that may overwrite what it reads is no danger to what lies like its results.
    pub(super) fn hazards(&self, sources: &[Source]) -> Vec<(usize, usize)> {
        let mut hazards = vec![];
        let mut written: Vec<usize> = vec![];
        for step in &self.body {
            let before = written.len();
            if let Place::Output(output) = self.places[step.dst]
                && !written.contains(&output)
            {
                written.push(output);
            }
            let loaded = match step.action {
                super::lower::Action::Load(source) => Some(source),
                super::lower::Action::Call(_) => None,
            };
            let read =
                step.operands.iter().filter(|&&place| place != NONE).filter_map(|&place| match self.places[place] {
                    Place::Source(source) => Some(source),
                    _ => None,
                });
            for source in read.chain(loaded).map(|source| &sources[source]) {
                let Some(input) = source.input else { continue };
                let is_in_step = step.may_overwrite && source.access == Access::Flat;
                let earlier = &written[..if is_in_step { before } else { written.len() }];
                hazards.extend(earlier.iter().map(|&output| (output, input)));
            }
        }
        // What a reduction reads, it reads last.
        if let Some(Place::Source(source)) = self.places.get(self.result)
            && let Some(input) = sources[*source].input
        {
            hazards.extend(written.iter().map(|&output| (output, input)));
        }
        hazards.sort_unstable();
        hazards.dedup();
        hazards
    }

    /// The number of elements a step works on, for a block of `n`.
    pub(super) fn count(step: &Step, n: usize) -> usize {
        if step.extent == Extent::Full { n } else { 1 }
    }
}
