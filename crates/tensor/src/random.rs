//! Random tensors.

use gyrus_graph::{DType, Shape, Value};

use crate::{Kind, Module, Path, Tensor, try_evaluate};

/// A source of random tensors. What it draws is a function of its seed, its step and how many draws came
/// before within the step: never of threads, time or the order in which tensors are read.
///
/// It is a [`Module`]: as part of the state of a compiled function its step advances within the plan, so
/// that each call draws anew, and a checkpoint that holds it continues the same sequence.
#[derive(Clone, Debug)]
pub struct Rng {
    /// `i64[2]`: seed and step.
    key: Tensor,
    /// Draws since the step began.
    draws: u64,
}

impl Rng {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Self {
        Rng { key: Tensor::from_slice([2], &[seed as i64, 0]), draws: 0 }
    }

    /// Begins the next step: draws start anew, with other numbers. A function that is compiled calls this
    /// once, before it draws.
    pub fn advance(&mut self) {
        let step = Value::iota([2], DType::I64, 0);
        self.key = self.key.value().add(&step).into();
        if try_evaluate([&self.key], []) {
            // Else the history of all steps would be kept.
            self.key = self.key.detach();
        }
        self.draws = 0;
    }

    fn bits(&mut self, shape: Shape) -> Value {
        self.draws += 1;
        Value::random_bits(self.key.value(), self.draws, shape)
    }

    /// Reals distributed evenly over `[low, high)`.
    ///
    /// # Panics
    /// If `dtype` is not a floating-point type.
    #[track_caller]
    pub fn uniform(&mut self, shape: impl Into<Shape>, dtype: DType, low: f64, high: f64) -> Tensor {
        let unit = self.bits(shape.into()).uniform_from_bits(dtype);
        unit.mul(&unit.full_like(high - low)).add(&unit.full_like(low)).into()
    }

    /// Normally distributed reals.
    ///
    /// # Panics
    /// If `dtype` is not a floating-point type.
    #[track_caller]
    pub fn normal(&mut self, shape: impl Into<Shape>, dtype: DType, mean: f64, standard_deviation: f64) -> Tensor {
        let shape: Shape = shape.into();
        let count = shape.num_elements();
        let pairs = self.bits(Shape::from([2, count.div_ceil(2)])).normal_from_bits(dtype);
        let unit = pairs.reshape([2 * count.div_ceil(2)]).slice_axis(0, 0, count).reshape(shape);
        unit.mul(&unit.full_like(standard_deviation)).add(&unit.full_like(mean)).into()
    }

    /// `true` with the given probability, independently for each element.
    #[track_caller]
    pub fn bernoulli(&mut self, shape: impl Into<Shape>, probability: f64) -> Tensor {
        let unit = self.bits(shape.into()).uniform_from_bits(DType::F32);
        unit.lt(&unit.full_like(probability)).into()
    }
}

impl Module for Rng {
    fn walk(&self, path: &mut Path, visit: &mut dyn FnMut(&Path, Kind, &Tensor)) {
        path.within("key", |path| visit(path, Kind::Buffer, &self.key));
    }

    fn walk_mut(&mut self, path: &mut Path, visit: &mut dyn FnMut(&Path, Kind, &mut Tensor)) {
        path.within("key", |path| visit(path, Kind::Buffer, &mut self.key));
    }
}
