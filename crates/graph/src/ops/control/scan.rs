//! A loop over the leading axis: the general recurrence.

use std::sync::Arc;

use super::closure::{close, placeholders};
use super::while_loop::{input_specs, listed, output_specs};
use super::{Operation, Vjp};
use crate::conformance::{Case, Sample};
use crate::{DType, Graph, Scalar, Spec, Value};

/// For `t` in `0..length`, from the last to the first if `reverse`:
/// `carries, ys[t] = body(carries, xs[t], constants)`.
///
/// Operands: the carries; the `xs`, whose leading axis is `t`, of size `length`; the constants. Outputs:
/// the last carries; the `ys`, stacked along a new leading axis. Its gradient is a scan in the opposite
/// direction over the gradient of the body, for which the carries of every step are kept: the body says
/// so by returning its own carries among the `ys`, as [`Value::scan`] lets it. Where they are not, the
/// gradient runs the scan again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scan {
    /// From carries, `xs[t]` and constants to carries and `ys[t]`.
    pub body: Arc<Graph>,
    /// How many operands are carries.
    pub num_carries: usize,
    /// How many operands are sliced along their leading axis.
    pub num_xs: usize,
    /// The number of steps.
    pub length: usize,
    /// Whether the last step comes first.
    pub reverse: bool,
}

/// `length` values of a specification, stacked.
fn stacked(spec: &Spec, length: usize) -> Spec {
    Spec::new([&[length], &spec.shape[..]].concat(), spec.dtype)
}

impl Scan {
    /// The same scan with only some of the `ys`: `keep` has one entry for each.
    pub fn with_ys(&self, keep: &[bool]) -> Scan {
        let mut body = Graph::clone(&self.body);
        let (carries, ys) = body.outputs.split_at(self.num_carries);
        let kept = ys.iter().zip(keep).filter_map(|(port, keep)| keep.then_some(port));
        body.outputs = carries.iter().chain(kept).copied().collect();
        Scan { body: Arc::new(body), ..self.clone() }
    }
}

impl Operation for Scan {
    fn name(&self) -> &'static str {
        "scan"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let num_sliced = self.num_carries + self.num_xs;
        let takes = input_specs(&self.body);
        let is_sliced = |index: usize| (self.num_carries..num_sliced).contains(&index);
        let expected: Vec<Spec> = takes
            .iter()
            .enumerate()
            .map(|(index, spec)| if is_sliced(index) { stacked(spec, self.length) } else { spec.clone() })
            .collect();
        if expected != inputs || inputs.len() < num_sliced {
            return Err(format!("the operands must be {}, {} steps", listed(&expected), self.length));
        }
        let returned = output_specs(&self.body);
        let carries = &inputs[..self.num_carries];
        if !returned.starts_with(carries) {
            return Err(format!(
                "the body must return the carries {} first, not {}",
                listed(carries),
                listed(&returned)
            ));
        }
        let ys = returned[self.num_carries..].iter().map(|spec| stacked(spec, self.length));
        Ok(carries.iter().cloned().chain(ys).collect())
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        super::scan_grad::vjp(self, context)
    }

    /// Unrolled.
    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let (sliced, constants) = inputs.split_at(self.num_carries + self.num_xs);
        let (carries, xs) = sliced.split_at(self.num_carries);
        let (mut carries, mut ys) = (carries.to_vec(), vec![vec![]; self.body.outputs.len() - self.num_carries]);
        for step in 0..self.length {
            let index = if self.reverse { self.length - 1 - step } else { step };
            let slices: Vec<Value> = xs.iter().map(|x| x.index_axis(0, index)).collect();
            let mut outputs = self.body.inline(&[&carries[..], &slices, constants].concat());
            for (y, output) in ys.iter_mut().zip(outputs.drain(self.num_carries..)) {
                y.push(output);
            }
            carries = outputs;
        }
        for (y, spec) in ys.iter_mut().zip(&output_specs(&self.body)[self.num_carries..]) {
            if self.reverse {
                y.reverse();
            }
            let none = || Value::constant(Scalar::from_f64(spec.dtype, 0.0), stacked(spec, 0).shape);
            let steps: Vec<&Value> = y.iter().collect();
            carries.push(if steps.is_empty() { none() } else { Value::stack(&steps, 0) });
        }
        Some(carries)
    }

    fn num_flops(&self, _inputs: &[Spec]) -> u64 {
        self.length as u64 * self.body.num_flops()
    }
}

impl Value {
    /// For each of `length` steps, in order of the leading axis of `xs` or, if `reverse`, against it:
    /// `carries, y = body(carries, xs[t])`. Returns the last carries and the stacked `y`. The body may
    /// read any values of its surroundings; gradients flow into them too.
    ///
    /// # Panics
    /// If an `x` does not have `length` slices, or the body's first results do not have the carries'
    /// shapes and element types.
    #[track_caller]
    pub fn scan(
        init: &[Value],
        xs: &[Value],
        length: usize,
        reverse: bool,
        body: impl FnOnce(&[Value], &[Value]) -> (Vec<Value>, Vec<Value>),
    ) -> (Vec<Value>, Vec<Value>) {
        for x in xs {
            let fits = x.shape().first() == Some(&length);
            assert!(fits, "scan: {}: the leading axis must have the size of the number of steps, {length}", x.spec());
        }
        let slices: Vec<Spec> = xs.iter().map(|x| Spec::new(&x.shape()[1..], x.dtype())).collect();
        let arguments = placeholders(init.iter().map(Value::spec).chain(&slices));
        let (carries, elements) = arguments.split_at(init.len());
        let (next, ys) = body(carries, elements);
        assert_eq!(next.len(), init.len(), "scan: the body must return as many carries as it takes");
        // The carries are kept for the gradient; a plan drops what nobody reads.
        let traced = close(&arguments, &[&next[..], &ys, carries].concat());
        let op = Scan { body: Arc::new(traced.graph), num_carries: init.len(), num_xs: xs.len(), length, reverse };
        let operands: Vec<&Value> = init.iter().chain(xs).chain(&traced.outer).collect();
        let mut outputs = Value::record(op, &operands);
        outputs.truncate(init.len() + ys.len());
        let stacked = outputs.split_off(init.len());
        (outputs, stacked)
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let reals = |shape: &[usize]| Sample::uniform(shape, -1.0, 1.0);
    let all = |(mut carries, ys): (Vec<Value>, Vec<Value>)| {
        carries.extend(ys);
        carries
    };
    // h = tanh(h w + x), with h as output; w comes from outside.
    let recurrent = move |reverse: bool| {
        move |v: &[Value]| {
            let (h, x, w) = (&v[0], &v[1], &v[2]);
            all(Value::scan(std::slice::from_ref(h), std::slice::from_ref(x), 4, reverse, |carries, xs| {
                let product = carries[0].dot_general(
                    w,
                    crate::ops::contraction::DotGeneral {
                        lhs_contract: vec![1],
                        rhs_contract: vec![0],
                        ..Default::default()
                    },
                );
                let next = product.add(&xs[0]).tanh();
                (vec![next.clone()], vec![next])
            }))
        }
    };
    // Two carries, one a counter; an output that is not a carry; a constant computed outside.
    let counted = move |v: &[Value]| {
        let scale = v[2].mul(&v[2]);
        let count = Value::constant(Scalar::from_i64(DType::I32, 1), []);
        all(Value::scan(&[v[0].clone(), count], &[v[1].clone()], 3, false, |carries, xs| {
            let weight = carries[1].convert(xs[0].dtype()).broadcast(xs[0].shape(), &[]);
            let next = carries[0].mul(&scale).add(&weight.mul(&xs[0].sin()));
            let count = carries[1].add(&carries[1].full_like(1.0));
            (vec![next.clone(), count], vec![next.mul(&carries[0]), carries[1].clone()])
        }))
    };
    // No carries: a map; and no xs: a power.
    let map = move |v: &[Value]| all(Value::scan(&[], &[v[0].clone()], 4, false, |_, xs| (vec![], vec![xs[0].exp()])));
    let power = move |v: &[Value]| {
        let one = v[0].full_like(1.0);
        all(Value::scan(&[one], &[], 3, true, |carries, _| (vec![carries[0].mul(&v[0])], vec![])))
    };
    let none = move |v: &[Value]| {
        all(Value::scan(&[v[0].clone()], &[v[1].clone()], 0, false, |carries, xs| {
            (vec![carries[0].add(&xs[0])], vec![xs[0].clone()])
        }))
    };
    // A loop in a loop, whose body reads what the outer loop carries and what stands outside.
    let nested = move |v: &[Value]| {
        all(Value::scan(&v[..1], &v[1..2], 3, false, |outer, rows| {
            let (inner, ys) = Value::scan(&outer[..1], &rows[..1], 2, true, |carries, xs| {
                (vec![carries[0].mul(&v[2]).add(&xs[0].mul(&outer[0]))], vec![carries[0].sin()])
            });
            (inner, ys)
        }))
    };
    let inputs = [reals(&[2, 3]), reals(&[4, 2, 3]), reals(&[3, 3])];
    vec![
        Case::new("scan recurrent", inputs.clone(), recurrent(false)),
        Case::new("scan recurrent, reverse", inputs, recurrent(true)),
        Case::new("scan with a counter", [reals(&[5]), reals(&[3, 5]), reals(&[5])], counted),
        Case::new("scan without carries", [reals(&[4, 3])], map),
        Case::new("scan without xs", [Sample::uniform([3], 0.5, 1.5)], power),
        Case::new("scan in a scan", [reals(&[2]), reals(&[3, 2, 2]), reals(&[2])], nested),
        Case::new("scan of no steps", [reals(&[2]), reals(&[0, 2])], none),
    ]
}
