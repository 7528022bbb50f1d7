//! What recurrent layers share: their weights, and how layers and directions follow each other.

use gyrus_graph::ops::contraction::DotGeneral;
use gyrus_tensor::{Kind, Path, Precision, Rng, Tensor, Visit, VisitMut};

use crate::Module;
use crate::init::Init;

/// The weights of one layer in one direction, in this order: `[gates, in_features]`, `[gates, hidden_size]`,
/// `[gates]`, `[gates]`, where `gates` is the number of gates times `hidden_size`.
const NAMES: [&str; 4] = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"];

/// The sizes of a recurrent network.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) input_size: usize,
    pub(super) hidden_size: usize,
    pub(super) num_layers: usize,
    pub(super) bidirectional: bool,
}

/// Layers of a recurrent network, each of one or two directions.
#[derive(Clone, Debug)]
pub(super) struct Recurrent {
    sizes: Sizes,
    /// Layer by layer, and for each the forward direction first.
    weights: Vec<[Tensor; 4]>,
}

/// What one layer computes in one direction.
pub(super) struct Scan<'a> {
    /// `x W_ih^T`, `[T, B, gates]`.
    pub(super) gates: Tensor,
    pub(super) weight_hh: &'a Tensor,
    pub(super) bias_ih: &'a Tensor,
    pub(super) bias_hh: &'a Tensor,
    /// Zeros `[B, hidden_size]`.
    pub(super) initial: Tensor,
    /// Whether the last step comes first.
    pub(super) reverse: bool,
}

impl Recurrent {
    pub(super) fn new(sizes: Sizes, num_gates: usize, rng: &mut Rng) -> Self {
        let Sizes { input_size, hidden_size, num_layers, bidirectional } = sizes;
        let (directions, gates) = (1 + usize::from(bidirectional), num_gates * hidden_size);
        let bound = 1.0 / (hidden_size as f64).sqrt();
        let mut draw = |shape: &[usize]| Init::Uniform { low: -bound, high: bound }.draw(shape, rng);
        let mut weights = vec![];
        for index in 0..num_layers * directions {
            let in_features = if index < directions { input_size } else { directions * hidden_size };
            weights.push([draw(&[gates, in_features]), draw(&[gates, hidden_size]), draw(&[gates]), draw(&[gates])]);
        }
        Recurrent { sizes, weights }
    }

    fn directions(&self) -> usize {
        1 + usize::from(self.sizes.bidirectional)
    }

    /// From `[B, T, input_size]` to `[B, T, directions hidden_size]`, where `scan` gives the states
    /// `[T, B, hidden_size]`.
    #[track_caller]
    pub(super) fn forward(
        &self,
        name: &str,
        input: &Tensor,
        precision: Precision,
        scan: impl Fn(Scan) -> Tensor,
    ) -> Tensor {
        let Sizes { input_size, hidden_size, .. } = self.sizes;
        assert!(
            input.rank() == 3 && input.shape()[2] == input_size,
            "{name}: input {}: must be [B, T, input_size] with input_size ({input_size})",
            input.spec()
        );
        let initial = Tensor::zeros([input.shape()[0], hidden_size], input.dtype());
        let mut x = input.transpose(0, 1);
        for layer in self.weights.chunks(self.directions()) {
            let of_direction = |(direction, weights): (usize, &[Tensor; 4])| {
                let [weight_ih, weight_hh, bias_ih, bias_hh] = weights;
                let (lhs_contract, rhs_contract) = (vec![2], vec![1]);
                let by_features = DotGeneral { lhs_contract, rhs_contract, precision, ..DotGeneral::default() };
                let gates = Tensor::from(x.value().dot_general(weight_ih.value(), by_features));
                scan(Scan { gates, weight_hh, bias_ih, bias_hh, initial: initial.clone(), reverse: direction == 1 })
            };
            let states: Vec<Tensor> = layer.iter().enumerate().map(of_direction).collect();
            x = if let [states] = &states[..] { states.clone() } else { Tensor::cat(&states, 2) };
        }
        x.transpose(0, 1)
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

/// The constructors and options of a recurrent layer.
macro_rules! recurrent_layer {
    ($layer:ident, $builder:ident, $num_gates:literal) => {
        impl $layer {
            /// One layer in one direction, with initial values evenly over `±1 / sqrt(hidden_size)`.
            pub fn new(input_size: usize, hidden_size: usize, rng: &mut Rng) -> Self {
                Self::builder(input_size, hidden_size).build(rng)
            }

            /// To choose the options.
            pub fn builder(input_size: usize, hidden_size: usize) -> $builder {
                $builder(Sizes { input_size, hidden_size, num_layers: 1, bidirectional: false })
            }
        }

        #[doc = concat!("Options of a [`", stringify!($layer), "`] layer.")]
        #[derive(Clone, Copy, Debug)]
        #[must_use]
        pub struct $builder(Sizes);

        impl $builder {
            /// How many layers follow each other.
            pub fn num_layers(self, num_layers: usize) -> Self {
                $builder(Sizes { num_layers, ..self.0 })
            }

            /// Whether each layer also runs backwards in time; the states of both directions are side by side.
            pub fn bidirectional(self, bidirectional: bool) -> Self {
                $builder(Sizes { bidirectional, ..self.0 })
            }

            /// Draws the initial values.
            pub fn build(self, rng: &mut Rng) -> $layer {
                $layer(Recurrent::new(self.0, $num_gates, rng))
            }
        }
    };
}

pub(super) use recurrent_layer;
