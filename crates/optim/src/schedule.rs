//! Schedules of the learning rate.

use std::f64::consts::PI;

use gyrus_tensor::{DType, Tensor};

/// The learning rate as a function of the number `t` of steps made before: 0 in the first.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// Always the same.
    Constant(f64),
    /// `initial * gamma^floor(t / step_size)`.
    StepDecay {
        /// The rate at first.
        initial: f64,
        /// The number of steps of one rate.
        step_size: u64,
        /// The factor between one rate and the next.
        gamma: f64,
    },
    /// `initial * gamma^(number of milestones up to t)`.
    MultiStep {
        /// The rate at first.
        initial: f64,
        /// The numbers of steps after which the rate changes.
        milestones: Vec<u64>,
        /// The factor between one rate and the next.
        gamma: f64,
    },
    /// `initial * gamma^t`.
    Exponential {
        /// The rate at first.
        initial: f64,
        /// The factor between one step and the next.
        gamma: f64,
    },
    /// Half a period of a cosine from `initial` to `minimum`, which remains:
    /// `minimum + (initial - minimum) (1 + cos(π t / num_steps)) / 2`.
    ///
    /// Source: Loshchilov, Hutter, SGDR (2017), equation 5, without restarts.
    Cosine {
        /// The rate at first.
        initial: f64,
        /// The rate from step `num_steps` on.
        minimum: f64,
        /// The number of steps on the way.
        num_steps: u64,
    },
    /// Half a period of a cosine up to `maximum`, and another one down, to far below where it began.
    ///
    /// Source: Smith, Topin, Super-Convergence (2018), in the form of PyTorch, with momentum left as it is.
    OneCycle {
        /// The greatest rate.
        maximum: f64,
        /// The number of steps of the cycle; the last rate remains.
        num_steps: u64,
        /// The share of steps on the way up, 0.3 in most uses.
        rising_share: f64,
        /// The first rate is `maximum` divided by this, 25 in most uses.
        initial_divisor: f64,
        /// The last rate is the first divided by this, 10000 in most uses.
        final_divisor: f64,
    },
    /// A linear rise from near 0 to the first rate of another schedule, which begins after:
    /// `after(0) * (t + 1) / num_steps` while `t < num_steps`.
    Warmup {
        /// The number of steps of the rise.
        num_steps: u64,
        /// What begins after.
        after: Box<Schedule>,
    },
}

impl From<f64> for Schedule {
    fn from(learning_rate: f64) -> Self {
        Schedule::Constant(learning_rate)
    }
}

impl Schedule {
    /// [`Schedule::OneCycle`] with the usual shape.
    pub fn one_cycle(maximum: f64, num_steps: u64) -> Schedule {
        Schedule::OneCycle { maximum, num_steps, rising_share: 0.3, initial_divisor: 25.0, final_divisor: 1e4 }
    }

    /// This schedule after a linear rise of `num_steps` steps; of none, this schedule.
    #[must_use]
    pub fn with_warmup(self, num_steps: u64) -> Schedule {
        if num_steps == 0 { self } else { Schedule::Warmup { num_steps, after: Box::new(self) } }
    }

    /// The learning rate after `step` steps, a scalar of a floating-point type. `step` is an `i64` scalar: the
    /// rate is computed from it, not known when this is called.
    ///
    /// # Panics
    /// If a number of steps is 0, or the rise of a cycle lasts less than two steps.
    #[track_caller]
    pub fn at(&self, step: &Tensor, dtype: DType) -> Tensor {
        let steps = step.to_dtype(dtype);
        let constant = |value: f64| Tensor::full([], value, dtype);
        let powers = |initial: f64, gamma: f64, exponent: Tensor| constant(gamma).pow(exponent) * initial;
        match *self {
            Schedule::Constant(learning_rate) => constant(learning_rate),
            Schedule::StepDecay { initial, step_size, gamma } => {
                assert!(step_size > 0, "step decay: step_size must be at least 1");
                powers(initial, gamma, (step / step_size as i64).to_dtype(dtype))
            }
            Schedule::MultiStep { initial, ref milestones, gamma } => {
                let passed = |milestone: &u64| step.ge(*milestone as i64).select(constant(gamma), 1.0);
                milestones.iter().map(passed).fold(constant(initial), |rate, factor| rate * factor)
            }
            Schedule::Exponential { initial, gamma } => powers(initial, gamma, steps),
            Schedule::Cosine { initial, minimum, num_steps } => {
                assert!(num_steps > 0, "cosine: num_steps must be at least 1");
                cosine(initial, minimum, steps / num_steps as f64)
            }
            Schedule::OneCycle { maximum, num_steps, rising_share, initial_divisor, final_divisor } => {
                let (top, end) = (rising_share * num_steps as f64 - 1.0, num_steps as f64 - 1.0);
                assert!(
                    top > 0.0 && end > top,
                    "one cycle: num_steps {num_steps}, rising_share {rising_share}: needs steps to rise and to fall"
                );
                let initial = maximum / initial_divisor;
                let rise = cosine(initial, maximum, &steps / top);
                let fall = cosine(maximum, initial / final_divisor, (&steps - top) / (end - top));
                steps.le(top).select(rise, fall)
            }
            Schedule::Warmup { num_steps, ref after } => {
                assert!(num_steps > 0, "warm-up: num_steps must be at least 1");
                let since = (step - num_steps as i64).maximum(0);
                after.at(&since, dtype) * ((steps + 1.0) / num_steps as f64).minimum(1.0)
            }
        }
    }
}

/// Half a period of a cosine from `start` to `end`, as `progress` goes from 0 to 1; constant beyond.
fn cosine(start: f64, end: f64, progress: Tensor) -> Tensor {
    (progress.clamp(0.0, 1.0) * PI).cos() * ((start - end) / 2.0) + (start + end) / 2.0
}
