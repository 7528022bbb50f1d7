//! Random bits.

use super::{Operation, Vjp};
use crate::conformance::{Case, Sample};
use crate::{DType, Scalar, Shape, Spec, Value};

/// The multipliers of a round.
pub const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
/// What is added to the key after each round.
pub const KEY_STEPS: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
/// The number of rounds.
pub const ROUNDS: usize = 10;

/// Independent, evenly distributed words of 32 bits, of type `i32`: a function of the key, the stream
/// and the element's place only.
///
/// Operand: the key, `i64[2]`: a seed, and a counter that differs from draw to draw (the step of a
/// training, say), each any 64 bits. The stream tells apart operations that draw with the same key.
///
/// Each half of a 64-bit number is a word, the lower first. Two words of
/// `philox(counter = [stream, 0], key = seed)` are the key of the stream; element `i` is word `i % 4`
/// of `philox(counter = [i / 4, key[1]], key = key of the stream)`.
///
/// # Source
/// Philox4x32-10 of Salmon, Moraes, Dror and Shaw, Parallel Random Numbers: As Easy as 1, 2, 3 (2011).
/// Deriving a key for the stream is ours: seed, counter, stream and place do not fit into 192 bits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RandomBits {
    /// Which of the sequences of a key.
    pub stream: u64,
    /// The shape to fill.
    pub shape: Shape,
}

impl Operation for RandomBits {
    fn name(&self) -> &'static str {
        "random_bits"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Vec<Spec>, String> {
        if inputs[0] != Spec::new([2], DType::I64) {
            return Err("the key must be i64[2]: seed and counter".into());
        }
        Ok(vec![Spec::new(&self.shape, DType::I32)])
    }

    fn vjp(&self, _: &Vjp) -> Vec<Option<Value>> {
        vec![None]
    }

    /// With 32-bit words in elements of `i64`.
    fn decompose(&self, inputs: &[Value]) -> Option<Vec<Value>> {
        let count = self.shape.num_elements();
        let words = self.blocks(&inputs[0], &Value::iota([count.div_ceil(4)], DType::I64, 0));
        Some(vec![words.slice_axis(0, 0, count).reshape(&self.shape).convert(DType::I32)])
    }
}

impl RandomBits {
    /// The words that begin at element `first` of the stream, `i64[]`, not negative: for programs that fill a
    /// part of what is drawn.
    pub fn words_from(&self, key: &Value, first: &Value) -> Value {
        let count = self.shape.num_elements();
        // The first word may be the last of its block.
        let num_blocks = (count + 3).div_ceil(4);
        let four = first.full_like(4.0);
        let places = Value::iota([num_blocks], DType::I64, 0).add(&first.div(&four).broadcast([num_blocks], &[]));
        let words = self.blocks(key, &places).dynamic_slice(&[first.rem(&four)], &[count]);
        words.reshape(&self.shape).convert(DType::I32)
    }

    /// The words of the blocks at these places, `i64[n]`, one after the other in `i64[4 n]`.
    fn blocks(&self, key: &Value, places: &Value) -> Value {
        let word = |value: u64| Value::constant(Scalar::from_i64(DType::I64, value as u32 as i64), [1]);
        let halves = |value: &Value| [low(value), high(value)];
        let [seed, counter] = [0, 1].map(|index| halves(&key.slice_axis(0, index, index + 1)));
        let stream = [word(self.stream), word(self.stream >> 32), word(0), word(0)];
        let [key_0, key_1, ..] = philox(stream, seed);
        let repeated = |value: &Value| value.broadcast(places.shape(), &[0]);
        let [block_0, block_1] = halves(places);
        let [counter_0, counter_1] = counter.each_ref().map(repeated);
        let words = philox([block_0, block_1, counter_0, counter_1], [repeated(&key_0), repeated(&key_1)]);
        Value::stack(&words.each_ref(), 1).reshape([places.shape()[0] * 4])
    }
}

/// The lower 32 bits.
fn low(value: &Value) -> Value {
    value.and(&Value::constant(Scalar::from_i64(DType::I64, u32::MAX as i64), value.shape()))
}

/// The upper 32 bits.
fn high(value: &Value) -> Value {
    value.shift_right_logical(&value.full_like(32.0))
}

fn philox(mut counter: [Value; 4], mut key: [Value; 2]) -> [Value; 4] {
    for _ in 0..ROUNDS {
        let constant = |number: u32| counter[0].full_like(number as f64);
        let product_0 = counter[0].mul(&constant(MULTIPLIERS[0]));
        let product_1 = counter[2].mul(&constant(MULTIPLIERS[1]));
        let steps = KEY_STEPS.map(constant);
        counter = [
            high(&product_1).xor(&counter[1]).xor(&key[0]),
            low(&product_1),
            high(&product_0).xor(&counter[3]).xor(&key[1]),
            low(&product_0),
        ];
        key = [low(&key[0].add(&steps[0])), low(&key[1].add(&steps[1]))];
    }
    counter
}

impl Value {
    /// Random words of 32 bits, of type `i32`, that are a function of `key`, which is `i64[2]`: seed
    /// and counter; of `stream`; and of the element's place. See [`RandomBits`].
    ///
    /// # Panics
    /// If the key is not `i64[2]`.
    #[track_caller]
    pub fn random_bits(key: &Value, stream: u64, shape: impl Into<Shape>) -> Value {
        Value::record_one(RandomBits { stream, shape: shape.into() }, &[key])
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let key = || [Sample::integers([2], i64::MAX, DType::I64)];
    let stream = 0x0123_4567_89AB_CDEF;
    let distributions = |x: &[Value]| {
        let bits = Value::random_bits(&x[0], 3, [2, 50]);
        let reals = [DType::F16, DType::BF16, DType::F32, DType::F64];
        reals.into_iter().flat_map(|dtype| [bits.uniform_from_bits(dtype), bits.normal_from_bits(dtype)]).collect()
    };
    vec![
        Case::new("uniform_from_bits, normal_from_bits", key(), distributions).not_differentiable(),
        Case::new("random_bits", key(), move |x| vec![Value::random_bits(&x[0], stream, [3, 7])]).not_differentiable(),
        Case::new("random_bits of a scalar", key(), |x| vec![Value::random_bits(&x[0], 0, [])]).not_differentiable(),
        Case::new("random_bits, none", key(), |x| vec![Value::random_bits(&x[0], 1, [0])]).not_differentiable(),
        Case::new("random_bits, many", key(), |x| vec![Value::random_bits(&x[0], 2, [70_001])]).not_differentiable(),
    ]
}
