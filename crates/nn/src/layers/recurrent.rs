//! What recurrent layers share: their weights, and how layers and directions follow each other.

use gyrus_graph::Value;
use gyrus_graph::ops::contraction::DotGeneral;
use gyrus_graph::ops::whole::recurrent::RnnActivation;
use gyrus_tensor::{DType, Kind, Path, Precision, Rng, Tensor, Visit, VisitMut};

use crate::Module;
use crate::init::Init;

/// The weights of one layer in one direction, in this order: `[gates, in_features]`, `[gates, hidden_size]`,
/// `[gates]`, `[gates]`, where `gates` is the number of gates times `hidden_size`.
const NAMES: [&str; 4] = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"];

/// What a recurrent network is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Architecture {
    pub(super) input_size: usize,
    pub(super) hidden_size: usize,
    pub(super) num_layers: usize,
    pub(super) bidirectional: bool,
    /// The function of a plain recurrent network; those with gates have their own.
    pub(super) activation: RnnActivation,
}

/// Layers of a recurrent network, each of one or two directions.
#[derive(Clone, Debug)]
pub(super) struct Recurrent {
    architecture: Architecture,
    /// Layer by layer, and for each the forward direction first.
    weights: Vec<[Tensor; 4]>,
}

/// Where sequences begin and end: by default with zeros, and with the input. A network has `N` states, such as `h` and
/// `c`.
#[derive(Clone, Copy)]
pub(super) struct Sequences<'a, const N: usize> {
    /// `i64[B]`.
    pub(super) lengths: Option<&'a Tensor>,
    /// Each `[num_layers directions, B, hidden_size]`.
    pub(super) initial: Option<[&'a Tensor; N]>,
}

impl<const N: usize> Sequences<'_, N> {
    pub(super) const WHOLE: Self = Sequences { lengths: None, initial: None };
}

/// What one layer computes in one direction.
pub(super) struct Scan<'a, const N: usize> {
    /// `x W_ih^T`, `[T, B, gates]`.
    pub(super) gates: Tensor,
    pub(super) weight_hh: &'a Tensor,
    pub(super) bias_ih: &'a Tensor,
    pub(super) bias_hh: &'a Tensor,
    /// `[B, hidden_size]`.
    pub(super) initial: [Tensor; N],
    /// `i64[B]`, where sequences have different lengths.
    pub(super) lengths: Option<&'a Value>,
    /// The function of a plain recurrent network.
    pub(super) activation: RnnActivation,
    /// Whether the last step comes first.
    pub(super) reverse: bool,
}

impl Recurrent {
    pub(super) fn new(architecture: Architecture, num_gates: usize, rng: &mut Rng) -> Self {
        let Architecture { input_size, hidden_size, num_layers, bidirectional, .. } = architecture;
        let (directions, gates) = (1 + usize::from(bidirectional), num_gates * hidden_size);
        let bound = 1.0 / (hidden_size as f64).sqrt();
        let mut draw = |shape: &[usize]| Init::Uniform { low: -bound, high: bound }.draw(shape, rng);
        let mut weights = vec![];
        for index in 0..num_layers * directions {
            let in_features = if index < directions { input_size } else { directions * hidden_size };
            weights.push([draw(&[gates, in_features]), draw(&[gates, hidden_size]), draw(&[gates]), draw(&[gates])]);
        }
        Recurrent { architecture, weights }
    }

    fn directions(&self) -> usize {
        1 + usize::from(self.architecture.bidirectional)
    }

    /// From `[B, T, input_size]` to `[B, T, directions hidden_size]`, where `scan` gives the states
    /// `[T, B, hidden_size]`, of which the first is the output. With the states after each sequence's last step in the
    /// order of its direction, `[num_layers directions, B, hidden_size]`.
    #[track_caller]
    pub(super) fn forward<const N: usize>(
        &self,
        name: &str,
        input: &Tensor,
        sequences: Sequences<N>,
        precision: Precision,
        scan: impl Fn(Scan<N>) -> [Tensor; N],
    ) -> (Tensor, [Tensor; N]) {
        self.check(name, input, sequences);
        let Sequences { lengths, initial } = sequences;
        let zeros = Tensor::zeros([input.shape()[0], self.architecture.hidden_size], input.dtype());
        let mut x = input.transpose(0, 1);
        let mut last: [Vec<Tensor>; N] = std::array::from_fn(|_| vec![]);
        for (layer, weights) in self.weights.chunks(self.directions()).enumerate() {
            let of_direction = |(direction, weights): (usize, &[Tensor; 4])| {
                let (index, reverse) = ((layer * self.directions() + direction) as isize, direction == 1);
                let initial = std::array::from_fn(|state| {
                    initial.map_or_else(|| zeros.clone(), |initial| initial[state].index_axis(0, index))
                });
                let [weight_ih, weight_hh, bias_ih, bias_hh] = weights;
                let (lhs_contract, rhs_contract) = (vec![2], vec![1]);
                let by_features = DotGeneral { lhs_contract, rhs_contract, precision, ..DotGeneral::default() };
                let gates = Tensor::from(x.value().dot_general(weight_ih.value(), by_features));
                let states = scan(Scan {
                    gates,
                    weight_hh,
                    bias_ih,
                    bias_hh,
                    initial: initial.clone(),
                    lengths: lengths.map(Tensor::value),
                    activation: self.architecture.activation,
                    reverse,
                });
                for ((last, states), initial) in last.iter_mut().zip(&states).zip(&initial) {
                    last.push(last_state(states, initial, reverse, lengths));
                }
                states[0].clone()
            };
            let states: Vec<Tensor> = weights.iter().enumerate().map(of_direction).collect();
            x = if let [states] = &states[..] { states.clone() } else { Tensor::cat(&states, 2) };
        }
        (x.transpose(0, 1), last.map(|states| Tensor::stack(&states, 0)))
    }

    #[track_caller]
    fn check<const N: usize>(&self, name: &str, input: &Tensor, sequences: Sequences<N>) {
        let Architecture { input_size, hidden_size, .. } = self.architecture;
        assert!(
            input.rank() == 3 && input.shape()[2] == input_size,
            "{name}: input {}: must be [B, T, input_size] with input_size ({input_size})",
            input.spec()
        );
        let batch = input.shape()[0];
        if let Some(lengths) = sequences.lengths {
            assert!(
                lengths.dtype() == DType::I64 && lengths.shape()[..] == [batch],
                "{name}: lengths {}: must be i64[B], with B ({batch}) of the input {}",
                lengths.spec(),
                input.spec()
            );
        }
        for initial in sequences.initial.iter().flatten() {
            let shape = [self.weights.len(), batch, hidden_size];
            assert!(
                initial.shape()[..] == shape && initial.dtype() == input.dtype(),
                "{name}: initial state {}: must be {}{shape:?}, [num_layers directions, B, hidden_size]",
                initial.spec(),
                input.dtype()
            );
        }
    }

    /// PyTorch's names: `weight_ih_l0`, and `weight_ih_l0_reverse` of the other direction.
    fn name(&self, index: usize, name: &str) -> String {
        let suffix = if index % self.directions() == 1 { "_reverse" } else { "" };
        format!("{name}_l{}{suffix}", index / self.directions())
    }
}

impl Module for Recurrent {
    fn walk(&self, path: &mut Path, visit: Visit) {
        for (index, weights) in self.weights.iter().enumerate() {
            for (name, tensor) in NAMES.iter().zip(weights) {
                path.within(self.name(index, name), |path| visit(path, Kind::Parameter, tensor));
            }
        }
    }

    fn walk_mut(&mut self, path: &mut Path, visit: VisitMut) {
        for index in 0..self.weights.len() {
            for (which, name) in NAMES.iter().enumerate() {
                let name = self.name(index, name);
                let tensor = &mut self.weights[index][which];
                path.within(name, |path| visit(path, Kind::Parameter, tensor));
            }
        }
    }
}

/// The state `[B, hidden_size]` after each sequence's last step, from those of all steps, `[T, B, hidden_size]`; of a
/// sequence without steps, the initial one.
fn last_state(states: &Tensor, initial: &Tensor, reverse: bool, lengths: Option<&Tensor>) -> Tensor {
    let (num_steps, batch) = (states.shape()[0], states.shape()[1]);
    if num_steps == 0 {
        return initial.clone();
    }
    let Some(lengths) = lengths else { return states.index_axis(0, if reverse { 0 } else { -1 }) };
    let last = if reverse {
        states.index_axis(0, 0)
    } else {
        let times = lengths.clamp(1, num_steps) - 1;
        states.flatten(0, 1).take(0, &(times * batch + Tensor::arange(batch, DType::I64)))
    };
    lengths.gt(0).unsqueeze(1).select(last, initial)
}

/// The constructors and options of a recurrent layer, and its forward pass over whole sequences.
macro_rules! recurrent_layer {
    ($layer:ident, $builder:ident, $num_gates:literal) => {
        impl $layer {
            /// One layer in one direction, with initial values evenly over `±1 / sqrt(hidden_size)`.
            pub fn new(input_size: usize, hidden_size: usize, rng: &mut Rng) -> Self {
                Self::builder(input_size, hidden_size).build(rng)
            }

            /// To choose the options.
            pub fn builder(input_size: usize, hidden_size: usize) -> $builder {
                let (num_layers, bidirectional, activation) = (1, false, RnnActivation::Tanh);
                $builder(Architecture { input_size, hidden_size, num_layers, bidirectional, activation })
            }
        }

        impl Layer for $layer {
            fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
                self.run(input, Sequences::WHOLE, context).0
            }
        }

        #[doc = concat!("Options of a [`", stringify!($layer), "`] layer.")]
        #[derive(Clone, Copy, Debug)]
        #[must_use]
        pub struct $builder(Architecture);

        impl $builder {
            /// How many layers follow each other.
            pub fn num_layers(self, num_layers: usize) -> Self {
                $builder(Architecture { num_layers, ..self.0 })
            }

            /// Whether each layer also runs backwards in time; the states of both directions are side by side.
            pub fn bidirectional(self, bidirectional: bool) -> Self {
                $builder(Architecture { bidirectional, ..self.0 })
            }

            /// Draws the initial values.
            pub fn build(self, rng: &mut Rng) -> $layer {
                $layer(Recurrent::new(self.0, $num_gates, rng))
            }
        }
    };
}

/// What a layer with one state offers for sequences.
macro_rules! of_one_state {
    ($layer:ident) => {
        impl $layer {
            /// As [`Lstm::forward_sequences`](super::Lstm::forward_sequences), with one state
            /// `[num_layers directions, B, hidden_size]`.
            ///
            /// # Panics
            /// If the shapes or element types do not fit.
            #[track_caller]
            pub fn forward_sequences(
                &self,
                input: &Tensor,
                lengths: Option<&Tensor>,
                initial: Option<&Tensor>,
                context: &Context,
            ) -> (Tensor, Tensor) {
                let initial = initial.map(|h| [h]);
                let (output, [h]) = self.run(input, Sequences { lengths, initial }, context);
                (output, h)
            }
        }
    };
}

pub(super) use {of_one_state, recurrent_layer};
