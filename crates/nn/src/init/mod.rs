//! Initial values of parameters.

use gyrus_tensor::{DType, Rng, Shape, Tensor};

/// A distribution of initial values.
///
/// Of a weight `[out, in, kernel..]`, `fan_in = in * kernel..` and `fan_out = out * kernel..`, where `kernel..`
/// stands for the product of its sizes. These are the counts of connections to and from one unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// Every element 0.
    Zeros,
    /// Every element 1.
    Ones,
    /// Every element the same.
    Constant(f64),
    /// Evenly over `[low, high)`.
    Uniform {
        /// The least value.
        low: f64,
        /// The limit above.
        high: f64,
    },
    /// Normal.
    Normal {
        /// The mean.
        mean: f64,
        /// The standard deviation.
        standard_deviation: f64,
    },
    /// Evenly over `±gain * sqrt(6 / (fan_in + fan_out))`: keeps the variance of activations and gradients.
    ///
    /// Source: Glorot, Bengio, Understanding the difficulty of training deep feedforward neural networks
    /// (2010), equation 16.
    XavierUniform {
        /// What the activation takes away: 1 for the identity, 5/3 for tanh.
        gain: f64,
    },
    /// Normal with standard deviation `gain * sqrt(2 / (fan_in + fan_out))`.
    XavierNormal {
        /// As of `XavierUniform`.
        gain: f64,
    },
    /// Evenly over `±sqrt(6 / ((1 + a²) fan_in))`: keeps the variance through rectifiers.
    ///
    /// Source: He et al., Delving Deep into Rectifiers (2015), equations 10 and 15. With `a = sqrt(5)`, the
    /// bound is `1 / sqrt(fan_in)`: [`Init::DEFAULT`].
    KaimingUniform {
        /// The rectifier's slope below 0.
        a: f64,
    },
    /// Normal with standard deviation `sqrt(2 / ((1 + a²) fan_in))`.
    KaimingNormal {
        /// As of `KaimingUniform`.
        a: f64,
    },
}

impl Init {
    /// What PyTorch's linear and convolution layers use: evenly over `±1 / sqrt(fan_in)`.
    pub const DEFAULT: Init = Init::KaimingUniform { a: 2.236_067_977_499_79 };

    /// PyTorch's default of biases: evenly over `±1 / sqrt(fan_in)`, of the weight's `fan_in`.
    pub fn bias(weight: &[usize]) -> Init {
        let bound = 1.0 / (fans(weight).0 as f64).sqrt();
        Init::Uniform { low: -bound, high: bound }
    }

    /// Draws values of type `f32`.
    ///
    /// # Panics
    /// If the distribution depends on the numbers of connections, and the shape has less than two axes.
    #[track_caller]
    pub fn draw(self, shape: impl Into<Shape>, rng: &mut Rng) -> Tensor {
        let shape = shape.into();
        match self {
            Init::Zeros => Tensor::zeros(shape, DType::F32),
            Init::Ones => Tensor::ones(shape, DType::F32),
            Init::Constant(value) => Tensor::full(shape, value, DType::F32),
            Init::Uniform { low, high } => rng.uniform(shape, DType::F32, low, high),
            Init::Normal { mean, standard_deviation } => rng.normal(shape, DType::F32, mean, standard_deviation),
            Init::XavierUniform { .. } | Init::KaimingUniform { .. } => {
                let bound = 3.0f64.sqrt() * self.standard_deviation(&shape);
                rng.uniform(shape, DType::F32, -bound, bound)
            }
            Init::XavierNormal { .. } | Init::KaimingNormal { .. } => {
                let standard_deviation = self.standard_deviation(&shape);
                rng.normal(shape, DType::F32, 0.0, standard_deviation)
            }
        }
    }

    /// The standard deviation of the distributions that depend on the numbers of connections.
    #[track_caller]
    fn standard_deviation(self, shape: &[usize]) -> f64 {
        let (fan_in, fan_out) = fans(shape);
        match self {
            Init::XavierUniform { gain } | Init::XavierNormal { gain } => {
                gain * (2.0 / (fan_in + fan_out) as f64).sqrt()
            }
            Init::KaimingUniform { a } | Init::KaimingNormal { a } => (2.0 / ((1.0 + a * a) * fan_in as f64)).sqrt(),
            _ => unreachable!("does not depend on the shape"),
        }
    }
}

/// How many connections go into and out of one unit of a weight `[out, in, kernel..]`.
#[track_caller]
fn fans(shape: &[usize]) -> (usize, usize) {
    let &[out, into, ref kernel @ ..] = shape else {
        panic!("init: a weight {shape:?}: the numbers of connections need two axes, [out, in, kernel..]")
    };
    let field: usize = kernel.iter().product();
    (into * field, out * field)
}

#[cfg(test)]
mod tests;
