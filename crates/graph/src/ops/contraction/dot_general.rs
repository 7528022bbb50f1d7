//! The general product of two tensors.

use super::{Operation, Precision, Vjp};
use crate::conformance::{Case, Sample};
use crate::{DType, Shape, Spec, Value};

/// `y[b.., m.., n..] = sum over k of lhs[b.., m.., k..] * rhs[b.., n.., k..]`, the batch axes `b` and
/// the contracted axes `k` of both operands given in corresponding order; `m` and `n` are the other
/// axes, in their order. `f16` and `bf16` are summed in `f32`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct DotGeneral {
    /// Axes of the left operand that index independent products.
    pub lhs_batch: Vec<usize>,
    /// Those of the right operand.
    pub rhs_batch: Vec<usize>,
    /// Axes of the left operand that are summed over.
    pub lhs_contract: Vec<usize>,
    /// Those of the right operand.
    pub rhs_contract: Vec<usize>,
    /// How exactly it is computed.
    pub precision: Precision,
}

impl DotGeneral {
    /// The axes of the left operand that are neither batch nor contracted.
    pub fn lhs_free(&self, rank: usize) -> Vec<usize> {
        (0..rank).filter(|axis| !self.lhs_batch.contains(axis) && !self.lhs_contract.contains(axis)).collect()
    }

    /// The axes of the right operand that are neither batch nor contracted.
    pub fn rhs_free(&self, rank: usize) -> Vec<usize> {
        (0..rank).filter(|axis| !self.rhs_batch.contains(axis) && !self.rhs_contract.contains(axis)).collect()
    }
}

impl Operation for DotGeneral {
    fn name(&self) -> &'static str {
        "dot_general"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        let [lhs, rhs] = inputs else { unreachable!("two operands") };
        if lhs.dtype != rhs.dtype || lhs.dtype == DType::Bool {
            return Err("element types must be equal and not bool; convert first".into());
        }
        for (name, a, b) in
            [("batch", &self.lhs_batch, &self.rhs_batch), ("contracted", &self.lhs_contract, &self.rhs_contract)]
        {
            let sizes =
                |shape: &Shape, axes: &[usize]| axes.iter().map(|&i| shape.get(i).copied()).collect::<Option<Vec<_>>>();
            let (left, right) = (sizes(&lhs.shape, a), sizes(&rhs.shape, b));
            if left.is_none() || left != right {
                return Err(format!("{name} axes {a:?} of lhs and {b:?} of rhs must have equal sizes"));
            }
        }
        let batch = self.lhs_batch.iter().map(|&axis| lhs.shape[axis]);
        let rows = self.lhs_free(lhs.shape.rank()).into_iter().map(|axis| lhs.shape[axis]);
        let columns = self.rhs_free(rhs.shape.rank()).into_iter().map(|axis| rhs.shape[axis]);
        Ok(vec![Spec::new(batch.chain(rows).chain(columns).collect::<Shape>(), lhs.dtype)])
    }

    fn vjp(&self, context: &Vjp) -> Vec<Option<Value>> {
        let ([lhs, rhs], dy) = (context.inputs, context.cotangent()) else { unreachable!("two operands") };
        let (lhs_free, rhs_free) = (self.lhs_free(lhs.rank()), self.rhs_free(rhs.rank()));
        let num_batch = self.lhs_batch.len();
        let rows: Vec<usize> = (num_batch..num_batch + lhs_free.len()).collect();
        let columns: Vec<usize> = (num_batch + lhs_free.len()..dy.rank()).collect();
        let batch: Vec<usize> = (0..num_batch).collect();
        let dlhs = context.needs[0].then(|| {
            let op = DotGeneral {
                lhs_batch: batch.clone(),
                rhs_batch: self.rhs_batch.clone(),
                lhs_contract: columns.clone(),
                rhs_contract: rhs_free.clone(),
                precision: self.precision,
            };
            // The product has axes: batch, rows, and rhs's contracted ones in rhs's own order.
            let product = Value::record_one(op, &[&dy, rhs]);
            let contracted = in_order_of(&self.lhs_contract, &self.rhs_contract);
            product.transpose(&places(&[&self.lhs_batch, &lhs_free, &contracted]))
        });
        let drhs = context.needs[1].then(|| {
            let op = DotGeneral {
                lhs_batch: batch.clone(),
                rhs_batch: self.lhs_batch.clone(),
                lhs_contract: rows.clone(),
                rhs_contract: lhs_free.clone(),
                precision: self.precision,
            };
            let product = Value::record_one(op, &[&dy, lhs]);
            let contracted = in_order_of(&self.rhs_contract, &self.lhs_contract);
            product.transpose(&places(&[&self.rhs_batch, &rhs_free, &contracted]))
        });
        vec![dlhs, drhs]
    }

    fn num_flops(&self, inputs: &[Spec]) -> u64 {
        let [lhs, rhs] = inputs else { unreachable!("two operands") };
        let columns = self.rhs_free(rhs.shape.rank()).into_iter().map(|axis| rhs.shape[axis]);
        2 * (lhs.shape.num_elements() * columns.product::<usize>()) as u64
    }
}

/// `values` in the increasing order of their `keys`.
fn in_order_of(values: &[usize], keys: &[usize]) -> Vec<usize> {
    let mut pairs: Vec<(usize, usize)> = keys.iter().copied().zip(values.iter().copied()).collect();
    pairs.sort_unstable();
    pairs.into_iter().map(|(_, value)| value).collect()
}

/// For axes named in the order in which they stand: where each is found, in increasing order of name.
fn places(axes: &[&[usize]]) -> Vec<usize> {
    let standing = axes.concat();
    let mut places: Vec<usize> = (0..standing.len()).collect();
    places.sort_unstable_by_key(|&place| standing[place]);
    places
}

impl Value {
    /// The general product; see [`DotGeneral`] for the formula and the order of axes.
    ///
    /// # Panics
    /// If corresponding axes differ in size, or the element types differ.
    #[track_caller]
    pub fn dot_general(&self, rhs: &Value, op: DotGeneral) -> Value {
        Value::record_one(op, &[self, rhs])
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |name: &str, lhs: &[usize], rhs: &[usize], lb: &[usize], rb: &[usize], lc: &[usize], rc: &[usize]| {
        let op = DotGeneral {
            lhs_batch: lb.to_vec(),
            rhs_batch: rb.to_vec(),
            lhs_contract: lc.to_vec(),
            rhs_contract: rc.to_vec(),
            precision: if name.ends_with("of bf16") { Precision::Bf16 } else { Precision::Full },
        };
        let inputs = [Sample::uniform(lhs, -1.0, 1.0), Sample::uniform(rhs, -1.0, 1.0)];
        Case::new(format!("dot_general {name}"), inputs, move |x| vec![x[0].dot_general(&x[1], op.clone())])
    };
    vec![
        case("matrix", &[3, 4], &[4, 5], &[], &[], &[1], &[0]),
        case("matrix by transposed", &[3, 4], &[5, 4], &[], &[], &[1], &[1]),
        case("batched", &[2, 3, 4], &[2, 4, 5], &[0], &[0], &[2], &[1]),
        case("batch in the middle", &[3, 2, 4], &[4, 5, 2], &[1], &[2], &[2], &[0]),
        case("two contracted, crossed", &[3, 4, 5], &[5, 4, 2], &[], &[], &[1, 2], &[1, 0]),
        case("vectors", &[6], &[6], &[], &[], &[0], &[0]),
        case("of bf16", &[3, 7], &[7, 5], &[], &[], &[1], &[0]),
        case("batched, of bf16", &[2, 18, 33], &[2, 40, 33], &[0], &[0], &[2], &[2]),
        case("outer", &[3], &[4], &[], &[], &[], &[]),
    ]
}
