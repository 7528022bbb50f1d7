//! What must hold for tensors of any shape, empty axes and axes of size 1 included.

use gyrus_tensor::{DType, Keepdim, Step, Tensor};
use proptest::prelude::*;

/// Whole numbers that fill a shape, small enough that sums and products of them are exact.
fn whole(shape: &[usize], seed: i64) -> Tensor {
    let elements: Vec<i64> =
        (0..shape.iter().product::<usize>() as i64).map(|i| (i * 37 + seed).rem_euclid(19) - 9).collect();
    Tensor::from_vec(shape, elements)
}

/// The indices of the `place`-th element of a shape, row-major.
fn unravel(mut place: usize, shape: &[usize]) -> Vec<usize> {
    let mut indices = vec![0; shape.len()];
    for (index, size) in indices.iter_mut().zip(shape).rev() {
        (*index, place) = (place % size, place / size);
    }
    indices
}

/// The element at indices aligned at the last axis; axes of size 1 repeat theirs.
fn broadcast_element(elements: &[i64], shape: &[usize], indices: &[usize]) -> i64 {
    let indices = &indices[indices.len() - shape.len()..];
    let place = indices.iter().zip(shape).fold(0, |place, (&index, &size)| place * size + index.min(size - 1));
    elements[place]
}

/// A shape, and another that broadcasts with it.
fn fitting_shapes() -> impl Strategy<Value = (Vec<usize>, Vec<usize>)> {
    let axis = (0..5usize, any::<[bool; 2]>());
    (prop::collection::vec(axis, 0..5), 0..5usize).prop_map(|(axes, cut)| {
        let a = axes.iter().map(|&(size, [one, _])| if one { 1 } else { size }).collect();
        let b: Vec<usize> = axes.iter().map(|&(size, [_, one])| if one { 1 } else { size }).collect();
        let cut = cut.min(b.len());
        (a, b[cut..].to_vec())
    })
}

fn shape_of_3() -> impl Strategy<Value = [usize; 3]> {
    [0..5usize, 1..5usize, 0..6usize]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn broadcasting_equals_the_definition((a, b) in fitting_shapes(), seed in 0..100i64) {
        let (x, y) = (whole(&a, seed), whole(&b, seed + 1));
        let difference = &x - &y;
        let shape = difference.shape().clone();
        let (left, right) = (x.to_vec::<i64>(), y.to_vec::<i64>());
        let expected: Vec<i64> = (0..shape.num_elements())
            .map(|place| {
                let indices = unravel(place, &shape);
                broadcast_element(&left, &a, &indices) - broadcast_element(&right, &b, &indices)
            })
            .collect();
        prop_assert_eq!(difference.to_vec::<i64>(), &expected[..]);
        let explicit = x.broadcast_to(&shape) - y.broadcast_to(&shape);
        prop_assert_eq!(explicit.to_vec::<i64>(), expected);
        prop_assert_eq!(x.lt(&y).to_vec::<bool>(), x.broadcast_to(&shape).lt(y.broadcast_to(&shape)).to_vec::<bool>());
    }

    #[test]
    fn a_sliced_and_transposed_tensor_equals_its_copy(
        shape in [1..4usize, 2..5usize, 2..6usize], start in 0..2isize, step in 1..3usize, seed in 0..100i64,
    ) {
        let x = whole(&shape, seed).to_dtype(DType::F64);
        let view = x.get((.., start.., Step(.., step))).transpose(0, 2).flip(1);
        let copy = Tensor::from_vec(view.shape(), view.to_vec::<f64>());
        let functions: [fn(&Tensor) -> Tensor; 10] = [
            |x| x * 2.0 + 1.0,
            |x| x.exp(),
            |x| x.sum(0),
            |x| x.max([1, 2]),
            |x| x.softmax(1),
            |x| x.matmul(&x.t()),
            |x| x.reshape([-1]),
            |x| x.cumsum(0),
            |x| x.sort(2, true).0,
            |x| Tensor::cat(&[x, x], 1),
        ];
        for (index, function) in functions.into_iter().enumerate() {
            let (found, expected) = (function(&view), function(&copy));
            prop_assert_eq!(found.shape(), expected.shape());
            prop_assert_eq!(found.to_vec::<f64>(), expected.to_vec::<f64>(), "function {}", index);
        }
    }

    #[test]
    fn matmul_equals_the_definition(
        (a, b) in fitting_shapes(), [m, k, n] in [0..5usize, 0..5usize, 0..5usize], seed in 0..100i64,
    ) {
        let (x, y) = (whole(&[&a[..], &[m, k]].concat(), seed), whole(&[&b[..], &[k, n]].concat(), seed + 1));
        let product = x.matmul(&y);
        let expected = (x.unsqueeze(-1) * y.unsqueeze(-3)).sum(-2);
        prop_assert_eq!(product.shape(), expected.shape());
        prop_assert_eq!(product.to_vec::<i64>(), expected.to_vec::<i64>());
        let (floats, wide) = ([&x, &y].map(|t| t.to_dtype(DType::F32)), expected.to_dtype(DType::F32));
        prop_assert_eq!(floats[0].matmul(&floats[1]).to_vec::<f32>(), wide.to_vec::<f32>());
    }

    #[test]
    fn vectors_in_matmul_are_rows_and_columns(k in 0..6usize, n in 0..4usize, seed in 0..100i64) {
        let (x, y) = (whole(&[k], seed), whole(&[2, k, n], seed + 1));
        prop_assert_eq!(x.matmul(&y).to_vec::<i64>(), x.unsqueeze(0).matmul(&y).squeeze(1).to_vec::<i64>());
        let z = whole(&[2, n, k], seed);
        prop_assert_eq!(z.matmul(&x).to_vec::<i64>(), z.matmul(&x.unsqueeze(1)).squeeze(-1).to_vec::<i64>());
        prop_assert_eq!(x.matmul(&x).item(), x.dot(&x).item());
        prop_assert_eq!(x.outer(&x).sum(..).item(), x.sum(..).item().powi(2));
    }

    #[test]
    fn indexing_equals_the_definition(
        shape in shape_of_3(),
        ranges in [(0..6usize, 0..6usize, 1..4usize), (0..6usize, 0..6usize, 1..4usize)],
        seed in 0..9i64,
    ) {
        let x = whole(&shape, seed);
        let [size, middle, last] = shape;
        let clip = |(start, end, step): (usize, usize, usize), size: usize| {
            let (start, end) = (start.min(end).min(size), start.max(end).min(size));
            (start, end, step)
        };
        let (first, third) = (clip(ranges[0], size), clip(ranges[1], last));
        let elements = x.to_vec::<i64>();
        for index in 0..middle {
            let mut expected = vec![];
            for i in (first.0..first.1).step_by(first.2) {
                expected.extend((third.0..third.1).step_by(third.2).map(|k| elements[(i * middle + index) * last + k]));
            }
            let found = x.get((Step(first.0..first.1, first.2), index, Step(third.0..third.1, third.2)));
            prop_assert_eq!(found.to_vec::<i64>(), &expected[..]);
            // Negative indices count from the end.
            let back = index as isize - middle as isize;
            let start = third.0 as isize - last as isize;
            if third.0 < last {
                let found = x.get((first.0..first.1, back, start..));
                let found = found.get((Step(.., first.2), Step(..third.1 - third.0, third.2)));
                prop_assert_eq!(found.to_vec::<i64>(), expected);
            }
        }
    }

    #[test]
    fn reductions_agree_with_each_other(shape in shape_of_3(), seed in 0..100i64) {
        let x = whole(&shape, seed);
        let total: i64 = x.to_vec::<i64>().iter().sum();
        prop_assert_eq!(x.sum(..).to_vec::<i64>(), [total]);
        prop_assert_eq!(x.sum([2, 0]).sum(0).to_vec::<i64>(), [total]);
        prop_assert_eq!(x.sum(Keepdim([0, 1])).shape()[..].to_vec(), [1, 1, shape[2]]);
        prop_assert_eq!(x.sum(Keepdim(1)).to_vec::<i64>(), x.sum(1).unsqueeze(1).to_vec::<i64>());
        prop_assert_eq!(x.cumsum(1).get((.., -1)).to_vec::<i64>(), x.sum(1).to_vec::<i64>());
        prop_assert_eq!(x.max(1).to_vec::<i64>(), (-(-&x).min(1)).to_vec::<i64>());
        let places = x.argmax(1).unsqueeze(1);
        if x.num_elements() > 0 {
            prop_assert_eq!(x.take_along_axis(1, &places).to_vec::<i64>(), x.max(1).to_vec::<i64>());
        }
        prop_assert_eq!(x.any(1).to_vec::<bool>(), x.ne(0).to_dtype(DType::I64).sum(1).gt(0).to_vec::<bool>());
        prop_assert_eq!(x.all(1).to_vec::<bool>(), (!x.eq(0).any(1)).to_vec::<bool>());
    }

    #[test]
    fn cumsum_equals_the_definition(size in 0..70usize, seed in 0..100i64) {
        let x = whole(&[size], seed);
        let mut sum = 0;
        let expected: Vec<i64> = x.to_vec::<i64>().iter().map(|element| { sum += element; sum }).collect();
        prop_assert_eq!(x.cumsum(0).to_vec::<i64>(), expected);
    }

    #[test]
    fn what_moves_elements_can_be_undone(
        shape in shape_of_3(), axis in 0..3isize, cut in 0..6usize, seed in 0..100i64,
    ) {
        let x = whole(&shape, seed);
        let elements = x.to_vec::<i64>();
        let size = x.shape()[axis as usize];
        let cut = cut.min(size);
        let same = |y: Tensor| (y.shape() == x.shape()).then(|| y.to_vec::<i64>());
        let found = [
            same(Tensor::cat(&x.split(&[cut, size - cut], axis), axis)),
            same(Tensor::cat(&x.chunk(cut + 1, axis), axis)),
            same(x.flip(axis).flip(axis)),
            same(x.permute([2, 0, 1]).permute([1, 2, 0])),
            same(x.transpose(axis, 0).transpose(0, axis)),
            same(x.pad(&[(2, 1), (0, 3)], 7.0).pad(&[(-2, -1), (0, -3)], 0.0)),
            same(x.unsqueeze(axis).squeeze(axis)),
            same(x.tile(&[2, 1, 1]).narrow(0, ..shape[0])),
            same(x.repeat_interleave(3, axis).narrow(axis, Step(.., 3))),
            same(x.flatten(0, 1).reshape(x.shape())),
            same(Tensor::stack(&[&x, &x], axis).index_axis(axis, 1)),
            same(x.tril(0) + x.triu(1)),
            same(x.scatter_add(axis, &x.narrow(axis, ..0), &x.narrow(axis, ..0))),
        ];
        for (index, found) in found.into_iter().enumerate() {
            prop_assert_eq!(found.as_ref(), Some(&elements), "pair {}", index);
        }
    }

    #[test]
    fn sorting_equals_that_of_the_standard_library(size in 0..40usize, k in 0..40usize, seed in 0..100i64) {
        let x = whole(&[size], seed);
        let mut expected = x.to_vec::<i64>();
        expected.sort_unstable();
        let (sorted, positions) = x.sort(0, false);
        prop_assert_eq!(sorted.to_vec::<i64>(), &expected[..]);
        if size > 0 {
            prop_assert_eq!(x.take(0, &positions).to_vec::<i64>(), &expected[..]);
        }
        expected.reverse();
        expected.truncate(k);
        prop_assert_eq!(x.top_k(k.min(size), 0).0.to_vec::<i64>(), expected);
    }

    #[test]
    fn adding_at_indices_is_the_transpose_of_taking(
        rows in 1..6usize, columns in 0..4usize, indices in prop::collection::vec(0..60i64, 0..9), seed in 0..100i64,
    ) {
        let indices: Vec<i64> = indices.iter().map(|index| index % rows as i64).collect();
        let indices = Tensor::from(indices);
        let x = whole(&[rows, columns], seed);
        let updates = whole(&[indices.num_elements(), columns], seed + 3);
        let taken = (x.take(0, &indices) * &updates).sum(..);
        let added = (x.zeros_like().index_add(0, &indices, &updates) * &x).sum(..);
        prop_assert_eq!(taken.item(), added.item());
        let each = indices.unsqueeze(1).broadcast_to(updates.shape());
        prop_assert_eq!(
            x.scatter_add(0, &each, &updates).to_vec::<i64>(),
            x.index_add(0, &indices, &updates).to_vec::<i64>()
        );
    }
}
