//! The average of a model over the steps of its training.

use gyrus_nn_derive::Module;
use gyrus_tensor::{Buffer, DType, Gradients, Module, Path, Tensor};

use crate::optimizer::{Optimizer, Slots, no_steps};

/// The optimizer inside, which trains as without this, and beside the model its exponential moving average: after step `t`
/// `average = d average + (1 - d) tensor` with `d = min(decay, t / (t + 9))`, of every floating-point tensor, running
/// statistics included. What lies between the last steps is flatter, and most often better, than either of them:
/// [`Optimizer::exchange`] brings it into the model to be measured and kept, and out again.
///
/// # Source
/// Polyak, Juditsky, Acceleration of Stochastic Approximation by Averaging (1992); the decay of the first steps as in
/// TensorFlow's `ExponentialMovingAverage`, counted from 1.
#[derive(Module)]
pub struct Averaged {
    inner: Box<dyn Optimizer>,
    average: Slots,
    step: Buffer,
    decay: f64,
}

impl Averaged {
    /// Of this model as it is now; `decay`, from 0 to 1, is the share of what was before, 0.999 in most uses.
    pub fn new(inner: Box<dyn Optimizer>, model: &(impl Module + ?Sized), decay: f64) -> Self {
        Averaged { inner, average: Slots::copies(model), step: no_steps(), decay }
    }
}

impl Optimizer for Averaged {
    fn update(&mut self, model: &mut dyn Module, gradients: &Gradients) {
        self.inner.update(model, gradients);
        self.step.set(self.step.get() + 1);
        let step = self.step.get().to_dtype(DType::F32);
        let decay = (&step / (&step + 9.0)).minimum(self.decay);
        let mut index = 0;
        model.walk(&mut Path::default(), &mut |_, _, tensor| {
            if tensor.dtype().is_float() {
                let mixed = |average: &Tensor| (tensor + (average - tensor) * &decay).to_dtype(tensor.dtype());
                self.average.update(index, mixed);
                index += 1;
            }
        });
    }

    fn learning_rate(&self) -> Tensor {
        self.inner.learning_rate()
    }

    fn exchange(&mut self, model: &mut dyn Module) {
        let mut index = 0;
        model.walk_mut(&mut Path::default(), &mut |_, _, tensor| {
            if tensor.dtype().is_float() {
                self.average.update(index, |average| std::mem::replace(tensor, average.clone()));
                index += 1;
            }
        });
    }
}
