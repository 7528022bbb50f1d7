//! Every operation's gradient, against central differences of the interpreter.

mod reference;

use gyrus_graph::conformance::{Case, Sample};
use gyrus_graph::{DType, Graph, Spec, Value, gradients, ops};
use reference::{Array, Number, run_captured};

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn sample(&mut self, sample: &Sample) -> Array {
        let (spec, elements) = match sample {
            Sample::Uniform { shape, low, high } => {
                let draw = |_| Number::R(self.uniform(*low, *high));
                (Spec::new(shape, DType::F64), (0..shape.num_elements()).map(draw).collect())
            }
            Sample::Integers { shape, high, dtype } => {
                let draw = |_| Number::I((self.next() % *high as u64) as i64);
                (Spec::new(shape, *dtype), (0..shape.num_elements()).map(draw).collect())
            }
        };
        Array { spec, elements }
    }

    fn like(&mut self, spec: &Spec) -> Array {
        self.sample(&Sample::uniform(&spec.shape, -1.0, 1.0))
    }
}

fn dot(a: &[Array], b: &[Array]) -> f64 {
    let product = |(a, b): (&Array, &Array)| -> f64 {
        a.elements.iter().zip(&b.elements).map(|(a, b)| a.real() * b.real()).sum()
    };
    a.iter().zip(b).map(product).sum()
}

/// The derivative of `<weights, real outputs>` along a random direction, by the graph's gradients and by
/// central differences. Returns the gradients.
fn check(name: &str, inputs: &[Value], at: &[Array], outputs: &[Value], random: &mut Random) -> Vec<Value> {
    let outputs: Vec<Value> = outputs.iter().filter(|output| output.dtype().is_float()).cloned().collect();
    let cotangents: Vec<Value> = outputs.iter().map(|output| Value::placeholder(output.spec().clone())).collect();
    let targets: Vec<Value> = inputs.iter().filter(|input| input.dtype().is_float()).cloned().collect();
    let found = gradients(&outputs, &cotangents, &targets);
    let found: Vec<Value> =
        found.into_iter().zip(&targets).map(|(found, target)| found.unwrap_or_else(|| target.full_like(0.0))).collect();
    let weights: Vec<Array> = outputs.iter().map(|output| random.like(output.spec())).collect();
    let direction: Vec<Array> = targets.iter().map(|target| random.like(target.spec())).collect();

    let captured = Graph::capture(&[inputs, &cotangents].concat(), &found);
    let by_graph = dot(&run_captured(&captured, &[at, &weights].concat()), &direction);
    let forward = Graph::capture(inputs, &outputs);
    let value = |step: f64| {
        let mut directions = direction.iter();
        let mut moved = at.to_vec();
        for array in moved.iter_mut().filter(|array| array.spec.dtype.is_float()) {
            for (element, d) in array.elements.iter_mut().zip(&directions.next().expect("one each").elements) {
                *element = Number::R(element.real() + step * d.real());
            }
        }
        dot(&run_captured(&forward, &moved), &weights)
    };
    let step = 1e-6;
    let by_difference = (value(step) - value(-step)) / (2.0 * step);
    let error = (by_graph - by_difference).abs();
    assert!(error <= 1e-6 * (1.0 + by_difference.abs()), "{name}: {by_graph} by graph, {by_difference} by differences");
    let scale = |value: &Value| Value::constant(gyrus_graph::Scalar::from_f64(DType::F64, 0.7), value.shape());
    // For second derivatives the cotangents are some numbers.
    let some: Vec<Value> = outputs.iter().map(scale).collect();
    let found = gradients(&outputs, &some, &targets);
    found.into_iter().flatten().collect()
}

#[test]
fn gradients_agree_with_central_differences() {
    let mut random = Random(7);
    for Case { name, inputs, build, differentiable, twice } in ops::cases() {
        let at: Vec<Array> = inputs.iter().map(|sample| random.sample(sample)).collect();
        let arguments: Vec<Value> = at.iter().map(|array| Value::placeholder(array.spec.clone())).collect();
        let outputs = build(&arguments);
        if !differentiable {
            run_captured(&Graph::capture(&arguments, &outputs), &at);
            continue;
        }
        let first = check(&name, &arguments, &at, &outputs, &mut random);
        if twice {
            check(&format!("{name}, twice"), &arguments, &at, &first, &mut random);
        }
    }
}
