//! Convolutions of which each channel has its own kernel: vectors of channels, some neighbouring places at a time.

use std::marker::PhantomData;
use std::ops::Range;

use super::places::Places;
use crate::isa::Isa;
use crate::kernel::{Kernel, Run};
use crate::kernels::convolution::geometry::Geometry;
use crate::kernels::gemm::microkernel::{Packing, Piece, Vector};
use crate::kernels::gemm::number::{Number, VectorLoop};
use crate::kernels::gemm::pack::{PANEL_PADDING, PackArguments};
use crate::kernels::split::Pointers;
use crate::math::{MulAdd, Multiversion};
use crate::pool::ScratchSize;

/// How many multiplications are worth a task.
const TASK_WORK: usize = 256 << 10;
/// Into how many parts the lines are divided whose sums are the weights' gradient.
const MAX_PARTS: usize = 16;
/// How many channels are worked on at a time, so that what places share stays in the first-level cache.
const CHANNELS: usize = 256;
/// How many places are worked on together, beginning with the most.
const SIZES: [usize; 4] = [8, 4, 2, 1];

/// Neighbouring places that meet the input through the same elements of the kernel.
#[derive(Clone, Copy)]
struct Together<T> {
    /// For each of those elements, where what it meets begins, and where its weights or their gradient.
    pieces: *const Piece,
    num_pieces: usize,
    channels: usize,
    x: *const T,
    x_step: usize,
    w: *mut T,
    /// Of the convolution's result, or its cotangent.
    y: *mut T,
    y_step: usize,
}

/// The loop that computes `PLACES` places.
struct Sums<V, const PLACES: usize>(PhantomData<V>);

/// The loop that adds what `PLACES` places contribute to the weights' gradient.
struct Grads<V, const PLACES: usize>(PhantomData<V>);

impl<T: Number, const PLACES: usize> VectorLoop<T> for Sums<T, PLACES> {
    type Arguments = Together<T>;
    type Of<V: Vector<Element = T>> = Sums<V, PLACES>;
}

impl<T: Number, const PLACES: usize> VectorLoop<T> for Grads<T, PLACES> {
    type Arguments = Together<T>;
    type Of<V: Vector<Element = T>> = Grads<V, PLACES>;
}

/// Evaluates an expression for each vector of channels from the first on, with what reads and writes one: all its lanes, or
/// those that are left.
macro_rules! for_each_vector {
    ($V:ident, $first:expr, $channels:expr, |$channel:ident, $load:ident, $store:ident| $body:expr) => {{
        let mut $channel = $first;
        {
            let $load = |from: *const $V::Element| $V::load(from);
            let $store = |vector: $V, to: *mut $V::Element| vector.store(to);
            while $channel + $V::LANES <= $channels {
                $body;
                $channel += $V::LANES;
            }
        }
        let rest = $channels - $channel;
        if rest > 0 {
            let $load = |from: *const $V::Element| $V::load_first(from, rest);
            let $store = |vector: $V, to: *mut $V::Element| vector.store_first(to, rest);
            $body;
        }
    }};
}

impl<V: Vector, const PLACES: usize> Multiversion for Sums<V, PLACES> {
    type Arguments = Together<V::Element>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(together: Together<V::Element>) {
        let Together { pieces, num_pieces, channels, x, x_step, w, y, y_step } = together;
        // SAFETY: as the caller vouches: what the places meet lies within the operands.
        unsafe {
            let pieces = std::slice::from_raw_parts(pieces, num_pieces);
            let mut done = 0;
            // Few places are few sums, each of which waits for the product before: several vectors of channels at a time.
            if PLACES <= 2 {
                done = sums_of_vectors::<V, M, PLACES, 4>(pieces, &together, done);
            }
            if PLACES <= 4 {
                done = sums_of_vectors::<V, M, PLACES, 2>(pieces, &together, done);
            }
            for_each_vector!(V, done, channels, |channel, load, store| {
                let mut sums = [V::splat(V::Element::default()); PLACES];
                for piece in pieces {
                    let (weight, x) = (load(w.add(piece.b + channel)), x.add(piece.a + channel));
                    for (place, sum) in sums.iter_mut().enumerate() {
                        *sum = load(x.add(place * x_step)).mul_add::<M>(weight, *sum);
                    }
                }
                for (place, sum) in sums.into_iter().enumerate() {
                    store(sum, y.add(place * y_step + channel));
                }
            });
        }
    }
}

/// Computes places for groups of `VECTORS` whole vectors of channels from `first` on, and returns how many channels are done.
///
/// # Safety
/// As [`Sums`].
#[inline(always)]
unsafe fn sums_of_vectors<V: Vector, M: MulAdd, const PLACES: usize, const VECTORS: usize>(
    pieces: &[Piece],
    together: &Together<V::Element>,
    first: usize,
) -> usize {
    let Together { channels, x, x_step, w, y, y_step, .. } = *together;
    let mut channel = first;
    while channel + VECTORS * V::LANES <= channels {
        // SAFETY: as the caller vouches.
        unsafe {
            let mut sums = [[V::splat(V::Element::default()); PLACES]; VECTORS];
            for piece in pieces {
                for (index, sums) in sums.iter_mut().enumerate() {
                    let channel = channel + index * V::LANES;
                    let (weight, x) = (V::load(w.add(piece.b + channel)), x.add(piece.a + channel));
                    for (place, sum) in sums.iter_mut().enumerate() {
                        *sum = V::load(x.add(place * x_step)).mul_add::<M>(weight, *sum);
                    }
                }
            }
            for (index, sums) in sums.into_iter().enumerate() {
                for (place, sum) in sums.into_iter().enumerate() {
                    sum.store(y.add(place * y_step + channel + index * V::LANES));
                }
            }
        }
        channel += VECTORS * V::LANES;
    }
    channel
}

impl<V: Vector, const PLACES: usize> Multiversion for Grads<V, PLACES> {
    type Arguments = Together<V::Element>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(together: Together<V::Element>) {
        let Together { pieces, num_pieces, channels, x, x_step, w, y, y_step } = together;
        // SAFETY: as the caller vouches: what the places meet lies within the operands.
        unsafe {
            let pieces = std::slice::from_raw_parts(pieces, num_pieces);
            for_each_vector!(V, 0, channels, |channel, load, store| {
                let mut cotangents = [V::splat(V::Element::default()); PLACES];
                for (place, cotangent) in cotangents.iter_mut().enumerate() {
                    *cotangent = load(y.add(place * y_step + channel));
                }
                for piece in pieces {
                    let (w, x) = (w.add(piece.b + channel), x.add(piece.a + channel));
                    let mut sum = load(w);
                    for (place, cotangent) in cotangents.into_iter().enumerate() {
                        sum = load(x.add(place * x_step)).mul_add::<M>(cotangent, sum);
                    }
                    store(sum, w);
                }
            });
        }
    }
}

/// Places along the last axis, divided into those that are worked on together.
struct Columns {
    places: Places,
    /// The first of them, and which of [`SIZES`] tells how many.
    parts: Vec<(usize, usize)>,
}

impl Columns {
    fn new(places: &Places) -> Columns {
        let (mut parts, mut first) = (vec![], 0);
        while first < places.count {
            let met = places.met(first);
            let like_it = (first..places.count).take_while(|&place| places.met(place) == met).count();
            let size = SIZES.iter().position(|&size| size <= like_it).expect("one is enough");
            parts.push((first, size));
            first += SIZES[size];
        }
        Columns { places: places.clone(), parts }
    }
}

/// What the products have in common: how the places of lines meet the input.
struct Lines<T> {
    channels: usize,
    input: [usize; 3],
    output: [usize; 3],
    /// For each axis, the phases of the result.
    phases: [Vec<Places>; 2],
    columns: Vec<Columns>,
    kernel: [usize; 3],
    num_lines: usize,
    functions: [unsafe fn(Together<T>); SIZES.len()],
}

impl<T: Number> Lines<T> {
    fn new(geometry: &Geometry, phases: [Vec<Places>; 3], functions: [unsafe fn(Together<T>); SIZES.len()]) -> Self {
        let axes = geometry.axes;
        let output = axes.map(|axis| axis.output);
        let [depths, rows, columns] = phases;
        Lines {
            channels: geometry.groups,
            input: axes.map(|axis| axis.input),
            output,
            phases: [depths, rows],
            columns: columns.iter().map(Columns::new).collect(),
            kernel: axes.map(|axis| axis.kernel),
            num_lines: geometry.images * output[0] * output[1],
            functions,
        }
    }

    fn taps(&self) -> usize {
        self.kernel.iter().product()
    }

    /// Elements of a line of the result.
    fn line_len(&self) -> usize {
        self.output[2] * self.channels
    }

    /// How many multiplications a line is.
    fn line_work(&self) -> usize {
        self.line_len() * self.taps()
    }

    /// Works on lines; weights are `[taps, w_step]`.
    ///
    /// # Safety
    /// The pointers are to all operands; there is memory for a piece of each element of the kernel.
    unsafe fn run(&self, lines: Range<usize>, [x, w, y]: [*mut T; 3], w_step: usize, pieces: *mut Piece) {
        for index in lines {
            for first_channel in (0..self.channels).step_by(CHANNELS) {
                for columns in &self.columns {
                    let places = &columns.places;
                    // The pieces are those of the first place that meets the same elements of the kernel.
                    let (mut written, mut start, mut num_pieces) = (None, 0, 0);
                    for &(first, size) in &columns.parts {
                        let met = places.met(first);
                        if written.as_ref() != Some(&met) {
                            // SAFETY: as the caller vouches.
                            num_pieces = unsafe { self.pieces(index, places, first, w_step, pieces) };
                            (written, start) = (Some(met), first);
                        }
                        let shift = (first - start) * places.stride * self.channels;
                        let place = index * self.output[2] + places.first + places.step * first;
                        let together = Together {
                            pieces,
                            num_pieces,
                            channels: CHANNELS.min(self.channels - first_channel),
                            x: x.wrapping_add(first_channel + shift).cast_const(),
                            x_step: places.stride * self.channels,
                            w: w.wrapping_add(first_channel),
                            y: y.wrapping_add(place * self.channels + first_channel),
                            y_step: places.step * self.channels,
                        };
                        // SAFETY: as the caller vouches; the loop is compiled for this processor.
                        unsafe { (self.functions[size])(together) }
                    }
                }
            }
        }
    }

    /// Writes what a place of a line meets, and returns how many elements of the kernel meet something.
    unsafe fn pieces(&self, line: usize, columns: &Places, place: usize, w_step: usize, pieces: *mut Piece) -> usize {
        let (rest, row) = (line / self.output[1], line % self.output[1]);
        let (image, depth) = (rest / self.output[0], rest % self.output[0]);
        let phase = |axis: usize, index: usize| {
            let phases = self.phases[axis].iter();
            let mut found = phases.filter_map(|places| places.place(index).map(|place| (places, place)));
            found.next().expect("the phases cover the result")
        };
        let ((depths, depth), (rows, row)) = (phase(0, depth), phase(1, row));
        let mut count = 0;
        for depth_tap in depths.met(depth) {
            let at = image * self.input[0] + depths.source(depth, depth_tap) as usize;
            for row_tap in rows.met(row) {
                let at = at * self.input[1] + rows.source(row, row_tap) as usize;
                let tap = depths.taps[depth_tap].index * self.kernel[1] + rows.taps[row_tap].index;
                for column_tap in columns.met(place) {
                    let at = at * self.input[2] + columns.source(place, column_tap) as usize;
                    let tap = tap * self.kernel[2] + columns.taps[column_tap].index;
                    // SAFETY: as the caller vouches.
                    unsafe { *pieces.add(count) = Piece { a: at * self.channels, b: tap * w_step } }
                    count += 1;
                }
            }
        }
        count
    }
}

macro_rules! functions {
    ($loop:ident, $isa:expr) => {
        [
            T::vectorised::<$loop<T, 8>>($isa),
            T::vectorised::<$loop<T, 4>>($isa),
            T::vectorised::<$loop<T, 2>>($isa),
            T::vectorised::<$loop<T, 1>>($isa),
        ]
    };
}

/// The convolution, or the gradient for its input.
pub(super) struct Depthwise<T> {
    lines: Lines<T>,
    packing: Packing<T>,
    /// How many lines are a task.
    task: usize,
}

impl<T: Number> Depthwise<T> {
    /// Of an input and a result of these sizes; for each axis, the phases of the result.
    pub(super) fn new(isa: Isa, geometry: &Geometry, phases: [Vec<Places>; 3]) -> Self {
        let lines = Lines::new(geometry, phases, functions!(Sums, isa));
        let task = (TASK_WORK / lines.line_work().max(1)).max(1);
        Depthwise { lines, packing: T::packing(isa), task }
    }

    /// The channels of the packed weights, which are whole vectors.
    fn w_step(&self) -> usize {
        self.lines.channels.next_multiple_of(PANEL_PADDING)
    }
}

impl<T: Number> Kernel for Depthwise<T> {
    fn scratch(&self) -> ScratchSize {
        let taps = self.lines.taps();
        let shared = (taps * self.w_step() + PANEL_PADDING) * size_of::<T>();
        ScratchSize { shared, per_worker: taps * size_of::<Piece>() }
    }

    fn takes_epilogue(&self) -> bool {
        true
    }

    unsafe fn run(&self, run: &Run) {
        let (lines, taps, scratch, epilogue) = (&self.lines, self.lines.taps(), run.scratch, run.epilogue);
        let weights = || scratch.shared::<T>(taps * self.w_step());
        let (across, along, count, width) = (taps as isize, 1, lines.channels, self.w_step());
        let pointers = Pointers::of(run);
        run.pool.run(1, &|_, _| {
            let (from, depth, to) = (pointers.input(1), taps, weights());
            // SAFETY: by this function's own contract; the loop is compiled for this processor.
            unsafe { (self.packing)(PackArguments { from, across, along, count, width, depth, to, stride: 0 }) }
        });
        run.pool.run(lines.num_lines.div_ceil(self.task), &|task, worker| {
            let range = task * self.task..lines.num_lines.min((task + 1) * self.task);
            let operands = [pointers.input::<T>(0).cast_mut(), weights(), pointers.output(0)];
            // SAFETY: by this function's own contract; tasks write different lines, and only those.
            unsafe { lines.run(range.clone(), operands, self.w_step(), scratch.worker(worker, taps)) }
            if let Some(epilogue) = epilogue {
                let len = range.len() * lines.line_len();
                epilogue.region(range.start * lines.line_len(), 1, len, len, worker);
            }
        });
    }
}

/// The gradient for the weights.
pub(super) struct DepthwiseWeightGrad<T> {
    lines: Lines<T>,
    /// Into how many parts the lines are divided, whose sums are added.
    parts: usize,
}

impl<T: Number> DepthwiseWeightGrad<T> {
    /// Of the convolution of this geometry.
    pub(super) fn new(isa: Isa, geometry: &Geometry) -> Self {
        let lines = Lines::new(geometry, super::phases_of_result(geometry), functions!(Grads, isa));
        let parts = (lines.num_lines * lines.line_work()).div_ceil(TASK_WORK).min(MAX_PARTS).min(lines.num_lines);
        DepthwiseWeightGrad { lines, parts }
    }

    fn part_len(&self) -> usize {
        self.lines.channels * self.lines.taps()
    }
}

impl<T: Number> Kernel for DepthwiseWeightGrad<T> {
    fn scratch(&self) -> ScratchSize {
        let shared = self.parts * self.part_len() * size_of::<T>();
        ScratchSize { shared, per_worker: self.lines.taps() * size_of::<Piece>() }
    }

    unsafe fn run(&self, run: &Run) {
        let (pointers, scratch, lines) = (Pointers::of(run), run.scratch, &self.lines);
        let (channels, taps, part_len) = (lines.channels, lines.taps(), self.part_len());
        let sums = || scratch.shared::<T>(self.parts * part_len);
        run.pool.run(self.parts, &|part, worker| {
            let range = lines.num_lines * part / self.parts..lines.num_lines * (part + 1) / self.parts;
            let sums = sums().wrapping_add(part * part_len);
            let [x, dy] = [0, 1].map(|index| pointers.input::<T>(index).cast_mut());
            // SAFETY: by this function's own contract; the sums are the part's own, and nothing else is written.
            unsafe {
                std::slice::from_raw_parts_mut(sums, part_len).fill(T::default());
                lines.run(range, [x, sums, dy], channels, scratch.worker(worker, taps));
            }
        });
        run.pool.run(taps, &|tap, _| {
            for channel in 0..channels {
                let at = |part: usize| sums().wrapping_add(part * part_len + tap * channels + channel);
                // SAFETY: by this function's own contract; all sums are made, and the element is the task's.
                unsafe {
                    let sum = (1..self.parts).fold(*at(0), |sum, part| sum.add(*at(part)));
                    *pointers.output::<T>(0).add(channel * taps + tap) = sum;
                }
            }
        });
    }
}
