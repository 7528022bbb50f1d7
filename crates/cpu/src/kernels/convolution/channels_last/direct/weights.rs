//! The weights, packed for tiles: panels of columns, `[taps, depth, width]` each.

use std::any::type_name;
use std::marker::PhantomData;

use super::abreast::Abreast;
use super::grouped::Grouped;
use crate::isa::Isa;
use crate::kernels::convolution::geometry::Geometry;
use crate::kernels::gemm::microkernel::{MAX_LANES, Packing, Vector};
use crate::kernels::gemm::number::{Number, VectorLoop};
use crate::kernels::gemm::pack::PackArguments;
use crate::math::{MulAdd, Multiversion};

/// How the weights `[O, C / groups, kernel..]` of a group are seen.
#[derive(Debug)]
pub(super) struct Layout {
    /// How many columns a group has, and over how many channels is summed.
    pub(super) columns: usize,
    pub(super) depth: usize,
    /// Distances between them; those of columns within runs of so many, which are at a distance of their own.
    column_stride: usize,
    depth_stride: usize,
    run: usize,
    run_stride: usize,
    /// Elements of the kernel.
    taps: usize,
    /// Columns are those of several places, if there are such.
    abreast: Option<Abreast>,
}

impl Layout {
    /// Columns are output channels.
    pub(super) fn of_result(geometry: &Geometry) -> Layout {
        let (columns, depth, taps) = (geometry.out_channels, geometry.in_channels, geometry.taps());
        let (column_stride, depth_stride) = (depth * taps, taps);
        Layout { columns, depth, column_stride, depth_stride, run: columns, run_stride: 0, taps, abreast: None }
    }

    /// Columns are input channels, perhaps of several places.
    pub(super) fn of_input(geometry: &Geometry, abreast: Option<Abreast>) -> Layout {
        let (columns, depth, taps) = (geometry.in_channels, geometry.out_channels, geometry.taps());
        let (column_stride, depth_stride) = (taps, columns * taps);
        Layout { columns, depth, column_stride, depth_stride, run: columns, run_stride: 0, taps, abreast }
    }

    /// The same with the columns of all groups of a vector.
    pub(super) fn of_groups(self, grouped: Grouped) -> Layout {
        let (run, run_stride) = (self.columns, self.columns * self.depth * self.taps);
        Layout { columns: grouped.lanes, run, run_stride, ..self }
    }
}

/// What packs panels.
pub(super) struct Weights<T> {
    layout: Layout,
    /// Columns of a panel.
    width: usize,
    /// For each element of the kernel, its place among the packed ones, of which there are `num_taps`.
    order: Vec<Option<usize>>,
    num_taps: usize,
    /// For kernels of one element, and of several.
    packing: Packing<T>,
    pack_taps: unsafe fn(TapsArguments<T>),
}

impl<T: Number> Weights<T> {
    /// Panels of `width` columns with the kernel's elements in this order.
    pub(super) fn new(isa: Isa, layout: Layout, width: usize, taps: &[usize]) -> Self {
        let mut order = vec![None; taps.iter().map(|tap| tap + 1).max().unwrap_or(0).max(layout.taps)];
        for (place, &tap) in taps.iter().enumerate() {
            order[tap] = Some(place);
        }
        let (packing, pack_taps) = (T::packing(isa), T::vectorised::<PackTaps<T>>(isa));
        Weights { layout, width, order, num_taps: taps.len(), packing, pack_taps }
    }

    /// Elements of a panel, whose width is whole vectors, so that nothing is written beyond it.
    pub(super) fn panel_len(&self) -> usize {
        self.num_taps * self.layout.depth * self.width
    }

    /// What the bytes of panels depend on besides the weights.
    pub(super) fn form(&self) -> String {
        let Weights { layout, width, order, num_taps, .. } = self;
        format!("{} in panels of {width}, {num_taps} taps {order:?}, {layout:?}", type_name::<T>())
    }

    /// Packs a panel.
    ///
    /// # Safety
    /// `w` is to all weights, `to` to a panel.
    pub(super) unsafe fn pack(&self, w: *const T, group: usize, panel: usize, to: *mut T) {
        let Layout { columns, depth, column_stride, depth_stride, run, run_stride, taps, .. } = self.layout;
        if let Some(abreast) = &self.layout.abreast {
            // SAFETY: as the caller vouches.
            return unsafe { self.pack_abreast(abreast, w, to) };
        }
        let from = w.wrapping_add(group * columns * depth * taps + panel * self.width * column_stride);
        let (count, width) = (self.width.min(columns - panel * self.width), self.width);
        // SAFETY: as the caller vouches; the loops are compiled for this processor.
        unsafe {
            if taps == 1 && run == columns {
                if self.num_taps == 1 {
                    let (across, along) = (column_stride as isize, depth_stride as isize);
                    (self.packing)(PackArguments { from, across, along, count, width, depth, to, stride: 0 });
                }
                return;
            }
            let order = &raw const self.order[..];
            let strides = [column_stride, depth_stride, run_stride];
            (self.pack_taps)(TapsArguments { from, strides, run, count, width, depth, order, to });
        }
    }

    /// Packs the only panel, whose columns are those of several places.
    unsafe fn pack_abreast(&self, abreast: &Abreast, w: *const T, to: *mut T) {
        let Layout { columns, depth, column_stride, depth_stride, .. } = self.layout;
        // SAFETY: as the caller vouches.
        unsafe { std::slice::from_raw_parts_mut(to, self.panel_len()) }.fill(T::default());
        abreast.each(columns, |column, tap, element| {
            let Some(place) = self.order[tap] else { return };
            for step in 0..depth {
                for channel in 0..columns {
                    // SAFETY: as the caller vouches: the kernels lie within the weights, the columns within the panel.
                    unsafe {
                        let from = w.add(channel * column_stride + step * depth_stride + element);
                        *to.add((place * depth + step) * self.width + column + channel) = *from;
                    }
                }
            }
        });
    }
}

/// What [`PackTaps`] works on.
#[derive(Clone, Copy)]
struct TapsArguments<T> {
    from: *const T,
    /// Between columns, depths and runs of columns.
    strides: [usize; 3],
    /// Columns of a run.
    run: usize,
    /// How many columns there are, of `width`.
    count: usize,
    width: usize,
    depth: usize,
    order: *const [Option<usize>],
    to: *mut T,
}

/// Packs a panel of kernels of several elements.
struct PackTaps<V>(PhantomData<V>);

impl<T: Number> VectorLoop<T> for PackTaps<T> {
    type Arguments = TapsArguments<T>;
    type Of<V: Vector<Element = T>> = PackTaps<V>;
}

impl<V: Vector> Multiversion for PackTaps<V> {
    type Arguments = TapsArguments<V::Element>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(arguments: TapsArguments<V::Element>) {
        let TapsArguments { from, strides: [column_stride, depth_stride, run_stride], run, count, .. } = arguments;
        let TapsArguments { width, depth, order, to, .. } = arguments;
        // SAFETY: as the caller vouches: the table outlives the call, the kernels lie within the weights, and the
        // rows within the panel.
        unsafe {
            let order = &*order;
            let mut block = [V::Element::default(); MAX_LANES * MAX_LANES];
            for step in 0..depth {
                for lane in (0..width).step_by(V::LANES) {
                    let rows = V::LANES.min(count.saturating_sub(lane));
                    for (first, order) in (0..).step_by(V::LANES).zip(order.chunks(V::LANES)) {
                        let from = from.wrapping_add(step * depth_stride + first);
                        let row = |row: usize| {
                            let column = lane + row;
                            from.wrapping_add(column / run * run_stride + column % run * column_stride)
                        };
                        V::transpose(row, rows, order.len(), block.as_mut_ptr(), V::LANES);
                        for (block, place) in block.chunks_exact(V::LANES).zip(order) {
                            if let Some(place) = place {
                                let to = to.add((place * depth + step) * width + lane);
                                V::load_first(block.as_ptr(), rows).store(to);
                            }
                        }
                    }
                }
            }
        }
    }
}
