//! In which order the axes of a value lie in memory.
//!
//! Row-major is the order of what comes from outside and goes there. Convolutions compute faster where channels are
//! neighbours; what follows them, element by element, keeps the order that it finds, so that between the first
//! convolution of a network and the last nothing is reordered.

use super::view::View;

/// Axes from the outermost in memory to the innermost.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Order(Vec<usize>);

impl Order {
    pub(super) fn row_major(rank: usize) -> Order {
        Order((0..rank).collect())
    }

    /// Of images `[N, C, spatial..]` whose channels are neighbours.
    pub(super) fn channels_last(rank: usize) -> Order {
        Order([0].into_iter().chain(2..rank).chain([1]).collect())
    }

    /// The order in which a view fills its memory, if it does, or in which images lie that are parts of others.
    pub(super) fn of(view: &View) -> Option<Order> {
        let rank = view.shape.len();
        if view.is_contiguous() {
            return Some(Order::row_major(rank));
        }
        if rank > 2 && view.offset >= 0 && view.strides[1] == 1 {
            let order = Order::channels_last(rank);
            let strides = order.sorted(&view.strides);
            if strides.iter().zip(&strides[1..]).all(|(outer, inner)| outer > inner) {
                return Some(order);
            }
        }
        let mut axes: Vec<usize> = (0..view.shape.len()).collect();
        axes.sort_by_key(|&axis| std::cmp::Reverse(view.strides[axis]));
        view.transpose(&axes).is_contiguous().then_some(Order(axes))
    }

    pub(super) fn is_row_major(&self) -> bool {
        self.0.is_sorted()
    }

    /// A view of a block of memory that it fills in this order.
    pub(super) fn view(&self, shape: &[usize]) -> View {
        let mut back = vec![0; self.0.len()];
        self.0.iter().enumerate().for_each(|(place, &axis)| back[axis] = place);
        View::contiguous(&self.sorted(shape)).transpose(&back)
    }

    /// What belongs to the axes, in this order.
    pub(super) fn sorted<T: Copy>(&self, of_axes: &[T]) -> Vec<T> {
        self.0.iter().map(|&axis| of_axes[axis]).collect()
    }

    /// A view with its axes in this order.
    pub(super) fn apply(&self, view: &View) -> View {
        view.transpose(&self.0)
    }

    /// At which place an axis stands.
    pub(super) fn place(&self, axis: usize) -> usize {
        self.0.iter().position(|&other| other == axis).expect("an axis of the value")
    }

    /// The order of the axes that are left when some are removed.
    pub(super) fn without(&self, removed: &[usize]) -> Order {
        let left = |axis: &&usize| !removed.contains(axis);
        let number = |&axis: &usize| axis - removed.iter().filter(|&&other| other < axis).count();
        Order(self.0.iter().filter(left).map(number).collect())
    }
}

#[cfg(test)]
mod tests {
    use gyrus_graph::ops::movement::Slice;

    use super::*;

    #[test]
    fn a_view_tells_its_order() {
        let order = Order::channels_last(4);
        let view = order.view(&[2, 3, 4, 5]);
        assert_eq!(view.strides, [60, 1, 15, 3]);
        assert_eq!(Order::of(&view), Some(order.clone()));
        assert_eq!(Order::of(&View::contiguous(&[2, 3, 4, 5])), Some(Order::row_major(4)));
        let slice = Slice { start: vec![0, 1, 0, 0], limit: vec![2, 3, 4, 5], step: vec![1; 4] };
        assert_eq!(Order::of(&view.slice(&slice, &[2, 2, 4, 5])), Some(order.clone()));
        assert_eq!(Order::of(&View::contiguous(&[3]).broadcast(&[3, 2], &[0])), None);
        assert!(order.apply(&view).is_contiguous() && !order.is_row_major());
    }

    #[test]
    fn what_is_left_keeps_its_order() {
        let order = Order::channels_last(4);
        assert_eq!(order.without(&[0, 2]), Order(vec![1, 0]));
        assert_eq!((order.place(1), order.sorted(&["N", "C", "H", "W"])), (3, vec!["N", "H", "W", "C"]));
    }
}
