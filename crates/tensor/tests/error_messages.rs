//! What is wrong is said at the line of the caller: operation, what it received, rule, remedy.

use std::cell::RefCell;
use std::panic::{self, Location};

use gyrus_tensor::{ConvolutionWindow, DType, Ellipsis, Step, Tensor};

thread_local! {
    /// Message, file and line of the last panic of this thread.
    static LAST: RefCell<Option<(String, String, u32)>> = const { RefCell::new(None) };
}

/// Runs what must panic and returns its message, file and line.
fn panic_of(run: impl FnOnce() + panic::UnwindSafe) -> (String, String, u32) {
    static HOOK: std::sync::Once = std::sync::Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let place = info.location().expect("known");
            let message = info.payload_as_str().unwrap_or_default().to_owned();
            before(info);
            LAST.set(Some((message, place.file().to_owned(), place.line())));
        }));
    });
    assert!(panic::catch_unwind(run).is_err(), "must panic");
    LAST.take().expect("the hook has run")
}

/// That an expression panics with a message, at the line where it stands.
macro_rules! fails {
    ($expression:expr, $message:expr) => {{
        let (message, file, line) = panic_of(panic::AssertUnwindSafe(|| {
            let _ = $expression;
        }));
        assert_eq!(message, $message);
        assert_eq!((file.as_str(), line), (file!(), line!()), "{message}");
    }};
}

fn zeros<const N: usize>(shape: [usize; N]) -> Tensor {
    Tensor::zeros(shape, DType::F32)
}

const BROADCAST: &str = "sizes must be equal or 1, aligned at the last axis, but axis";
const RESHAPE: &str = "reshape one, or insert axes with unsqueeze";

#[test]
#[should_panic(
    expected = "matmul: lhs [2, 3] and rhs [4, 5]: last axis of lhs (3) must equal the second-last of rhs (4)"
)]
fn matmul_of_unfitting_matrices() {
    zeros([2, 3]).matmul(&zeros([4, 5]));
}

#[test]
#[rustfmt::skip]
fn products() {
    let (a, b) = (zeros([2, 3]), zeros([4, 5]));
    fails!(a.matmul(&b), "matmul: lhs [2, 3] and rhs [4, 5]: last axis of lhs (3) must equal the second-last of rhs (4)");
    fails!(a.matmul(&zeros([2])), "matmul: lhs [2, 3] and rhs [2]: last axis of lhs (3) must equal the only of rhs (2)");
    fails!(a.matmul(&zeros([])), "matmul: lhs [2, 3] and rhs []: must not be scalars; multiply with *");
    fails!(zeros([2, 4, 3]).matmul(&zeros([5, 3, 4])), "matmul: lhs [2, 4, 3] and rhs [5, 3, 4]: the axes before the last two must be equal or 1, aligned at the last");
    fails!(a.eq(0).matmul(&b.eq(0).t().narrow(0, ..3)), "matmul: lhs bool[2, 3] and rhs bool[3, 4]: must be numbers; convert with to_dtype");
    fails!(a.dot(&b), "dot: lhs [2, 3] and rhs [4, 5]: must be vectors of one size; see matmul");
    fails!(a.outer(&b), "outer: lhs [2, 3] and rhs [4, 5]: must be vectors");
    fails!(Tensor::einsum("ij,kj", &[&a, &b]), "einsum: ij,kj: must name the axes of the result too, as in ij,jk->ik");
    fails!(Tensor::einsum("ij,kj->ik", &[&a, &b]), "einsum: ij,kj->ik: axis j has sizes 3 and 5: must be equal");
    fails!(Tensor::einsum("ij->ij", &[&a, &b]), "einsum: ij->ij: names 1 operands, must name 2");
    fails!(Tensor::einsum("ijk->i", &[&a]), "einsum: ijk->i: operand [2, 3] must have 3 axes");
    fails!(Tensor::einsum("ii->i", &[&a]), "einsum: ii->i: axis i must stand once in each operand");
    fails!(Tensor::einsum("ij->k", &[&a]), "einsum: ij->k: axis k of the result must be one of an operand");
    let window = || ConvolutionWindow::new(2);
    fails!(zeros([1, 3, 8, 8]).conv(&zeros([4, 2, 3, 3]), window()), "convolution: f32[1, 3, 8, 8] and f32[4, 2, 3, 3]: C (3) must be w's second axis (2) times groups (1), and O (4) a multiple");
    fails!(a.conv_transpose(&b, window(), &[0, 0]), "conv_transpose: x [2, 3] and weight [4, 5]: both must have as many spatial axes as the window and output_padding");
    fails!(zeros([1, 3, 8, 8]).max_pool(&[2], &[2], &[0]), "max_pool: shape [1, 3, 8, 8], kernel_size [2], stride [2], padding [0]: must have one number for each axis after the first two");
    fails!(zeros([1, 3, 8]).avg_pool(&[2], &[2], &[2], true), "avg_pool: kernel_size [2] and padding [2]: padding must be at most half the window");
}

#[test]
#[rustfmt::skip]
fn operands() {
    let (mut a, b) = (zeros([2, 3]), zeros([4, 3]));
    let expected = |operation: &str| format!("{operation}: lhs [2, 3] and rhs [4, 3]: {BROADCAST} -2 has 2 and 4: {RESHAPE}");
    fails!(&a + &b, expected("add"));
    fails!(a.clone() - b.clone(), expected("sub"));
    fails!(&a * b.clone(), expected("mul"));
    fails!(a.clone() / &b, expected("div"));
    fails!(a += &b, expected("add"));
    fails!(a.maximum(&b), expected("maximum"));
    fails!(a.lt(&b), expected("lt"));
    fails!(a.logical_and(&b), expected("logical_and"));
    fails!(a.atan2(&b), expected("atan2"));
    fails!(a.pow(zeros([2])), format!("pow: lhs [2, 3] and rhs [2]: {BROADCAST} -1 has 3 and 2: {RESHAPE}"));
    fails!(a.gt(0).select(&b, 0.0), format!("select: condition [2, 3] and a [4, 3] and b []: {BROADCAST} -2 has 2 and 4: {RESHAPE}"));
    fails!(-a.gt(0), "neg: bool[2, 3]: is not defined for bool; convert the operand first");
    fails!(!&a, "not: f32[2, 3]: is not defined for f32; convert the operand first");
    fails!(Tensor::from([1u8]) + 300, "add: 300 and a tensor of u8: the number must fit u8: convert the tensor first, with to_dtype(DType::I64)");
    fails!(1 - Tensor::from([true]) - zeros([2]).gt(0).to_vec::<f32>()[0], "read: a tensor of bool as f32: convert it first, with to_dtype(DType::F32)");
}

#[test]
#[rustfmt::skip]
fn axes() {
    let x = zeros([2, 3]);
    let expected = |operation: &str, axis: isize| format!("{operation}: axis {axis} of shape [2, 3]: must lie in -2..2, the rank being 2");
    fails!(x.sum(2), expected("sum", 2));
    fails!(x.mean([0, -3]), expected("mean", -3));
    fails!(x.variance(5, 0), expected("variance", 5));
    fails!(x.softmax(2), expected("softmax", 2));
    fails!(x.argmax(2), expected("argmax", 2));
    fails!(x.cumsum(2), expected("cumsum", 2));
    fails!(x.flip(2), expected("flip", 2));
    fails!(x.sort(2, false), expected("sort", 2));
    fails!(x.take(2, &Tensor::from([0])), expected("take", 2));
    fails!(x.max([1, -1]), "max: axes [1, -1] of shape [2, 3]: must name each axis once");
    fails!(zeros([2, 0]).max(..), "max: axis 1 of shape [2, 0]: must have elements");
}

#[test]
#[rustfmt::skip]
fn shapes() {
    let x = zeros([2, 3]);
    fails!(x.reshape([4, 2]), "reshape: [2, 3] to [4, 2]: 6 elements must fill the new shape exactly");
    fails!(x.reshape([4, -1]), "reshape: [2, 3] to [4, -1]: 6 elements must fill the new shape exactly");
    fails!(x.reshape([-1, -1]), "reshape: [2, 3] to [-1, -1]: at most one size may be -1, and none less");
    fails!(x.reshape([0, -1]), "reshape: [2, 3] to [0, -1]: 6 elements must fill the new shape exactly");
    fails!(x.flatten(1, 0), "flatten: axes 1 to 0 of shape [2, 3]: the first must not come last");
    fails!(x.permute([0]), "permute: shape [2, 3] in the order [0]: must name each of the 2 axes");
    fails!(zeros([2]).t(), "t: shape [2]: must have at least two axes");
    fails!(x.squeeze(0), "squeeze: axis 0 of shape [2, 3]: must be of size 1, not 2");
    fails!(x.unsqueeze(3), "unsqueeze: a new axis 3 of shape [2, 3]: must lie in -3..=2");
    fails!(x.broadcast_to([3, 3]), "broadcast_to: [2, 3] to [3, 3]: sizes must be equal or 1, aligned at the last axis");
    fails!(Tensor::cat(&[&x, &zeros([2, 3, 1])], 0), "cat: the first [2, 3] and number 1 [2, 3, 1]: must be equal but for axis 0");
    fails!(Tensor::stack(&[&x, &zeros([3, 2])], 0), "stack: the first [2, 3] and number 1 [3, 2]: must be equal");
    fails!(Tensor::cat(&[] as &[Tensor], 0), "cat: of no tensors: there must be at least one");
    fails!(x.split(&[1, 1], 1), "split: axis 1 of shape [2, 3] into [1, 1]: sizes must add up to 3");
    fails!(x.pad(&[(0, -4)], 0.0), "pad: shape [2, 3] by [(0, -4)]: axis 1 has only 3 elements to remove");
    fails!(x.tile(&[2]), "tile: shape [2, 3] by [2]: one number for each axis");
    fails!(Tensor::from_vec([2, 2], vec![1.0; 3]), "from_vec: 3 elements for shape [2, 2]: must be 4 elements");
}

#[test]
#[rustfmt::skip]
fn indices() {
    let x = zeros([5, 3]);
    fails!(x.get(5), "get: index 5 of axis 0 of shape [5, 3]: must lie in -5..5");
    fails!(x.get((0, -4)), "get: index -4 of axis 1 of shape [5, 3]: must lie in -3..3");
    fails!(x.get((Ellipsis, 1..7)), "get: range 1..7 of axis 1 of shape [5, 3]: must lie within 0..3, the first index before the end");
    fails!(x.get(-1..2), "get: range -1..2 of axis 0 of shape [5, 3]: must lie within 0..5, the first index before the end");
    fails!(x.get(Step(.., 0)), "get: range .. of axis 0 by 0: the step must be at least 1");
    fails!(x.get((0, 0, 0)), "get: an index of 3 parts and 0 ellipses into shape [5, 3]: must have at most 2 parts and one ellipsis");
    fails!(x.narrow(1, -7..), "narrow: range -7.. of axis 1 of shape [5, 3]: must lie within 0..3, the first index before the end");
    fails!(x.index_axis(0, 5), "index_axis: index 5 of axis 0 of shape [5, 3]: must lie in -5..5");
    fails!(x.take(0, &x), "take: indices f32[5, 3]: must be integers");
    let indices = Tensor::zeros([4, 3], DType::I64);
    fails!(x.take_along_axis(1, &indices), "take_along_axis: [5, 3] at indices [4, 3]: must be equal but for axis 1");
    fails!(x.scatter_add(0, &indices, &x), "scatter_add: indices [4, 3] and updates [5, 3]: must have one index for each update");
    fails!(x.index_add(1, &indices, &x), "index_add: [5, 3] along axis 1 at indices [4, 3] by updates [5, 3]: updates must have shape [5, 4, 3]");
    fails!(x.top_k(4, 1), "top_k: 4 along axis 1 of shape [5, 3]: must be at most 3");
    fails!(x.one_hot(4, DType::F32), "one_hot: f32[5, 3]: classes must be integers");
}

/// That operations remember the line of the caller, which is where a NaN is said to come from.
#[test]
#[rustfmt::skip]
fn operations_are_recorded_at_the_line_of_the_caller() {
    let (x, weight) = (zeros([1, 2, 4, 4]), zeros([3, 2, 3, 3]));
    let indices = Tensor::from([0]);
    let list = |tensor: Tensor| (tensor.value().location(), tensor);
    let check = |(found, _): (&Location, Tensor), line: u32| assert_eq!((found.file(), found.line()), (file!(), line));
    check(list(&x + &x), line!());
    check(list(2.0 * &x), line!());
    check(list(x.clone() / 3.0), line!());
    check(list(-&x), line!());
    check(list(x.powf(2.5)), line!());
    check(list(x.clamp(0.0, 1.0)), line!());
    check(list(x.gt(0.0).select(&x, 0.0)), line!());
    check(list(x.gelu()), line!());
    check(list(x.softplus()), line!());
    check(list(x.mean([2, 3])), line!());
    check(list(x.variance(.., 1)), line!());
    check(list(x.norm(-1)), line!());
    check(list(x.softmax(1)), line!());
    check(list(x.cumsum(2)), line!());
    check(list(x.reshape([2, -1])), line!());
    check(list(x.permute([0, 3, 2, 1])), line!());
    check(list(Tensor::cat(&[&x, &x], 1)), line!());
    check(list(x.split(&[1, 3], 2).remove(0)), line!());
    check(list(x.pad(&[(1, 1)], 0.0)), line!());
    check(list(x.get((0, .., 1..))), line!());
    check(list(x.take(1, &indices)), line!());
    check(list(x.sort(1, false).0), line!());
    check(list(x.matmul(&x)), line!());
    check(list(x.conv(&weight, ConvolutionWindow::new(2))), line!());
    check(list(x.max_pool(&[2, 2], &[2, 2], &[0, 0])), line!());
    check(list(Tensor::eye(3, DType::F32)), line!());
    check(list(Tensor::linspace(0.0, 1.0, 5, DType::F32)), line!());
}
