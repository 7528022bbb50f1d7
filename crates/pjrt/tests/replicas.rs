//! Programs of several replicas, each with its part of a batch, against one device with all of it.

mod programs;

use gyrus_graph::conformance::Sample;
use gyrus_graph::ops::reduction::Reduction;
use gyrus_graph::{DType, Graph, Spec, Value, gradients};

use programs::{Random, client, difference, reals, run};

const NUM_REPLICAS: usize = 4;
/// A replica's part has a number of elements that is no multiple of a block of random words.
const PART: [usize; 3] = [2, 3, 7];
const WHOLE: [usize; 3] = [PART[0] * NUM_REPLICAS, PART[1], PART[2]];

fn mean(x: &Value) -> Value {
    let all: Vec<usize> = (0..x.rank()).collect();
    let count = x.full_like(x.shape().num_elements() as f64);
    x.div(&count).reduce(Reduction::Sum, &all)
}

/// Part `replica` of the leading axis.
fn part(value: &Value, replica: usize) -> Value {
    value.slice_axis(0, replica * PART[0], (replica + 1) * PART[0])
}

/// Computes what is not known yet, on the CPU.
fn known(value: Value) -> Value {
    gyrus_cpu::execute::evaluate(std::slice::from_ref(&value));
    value
}

/// A layer, normalisation of the batch and of its samples, dropout and a loss; from data, weights, scale, shift and key the
/// mask, the statistics, the loss, and its gradients for the weights, the scale, the shift and the data. What differs from
/// replica to replica comes first and last.
fn step(inputs: &[Value]) -> Vec<Value> {
    let [x, weight, gamma, beta, key] = inputs else { unreachable!("five inputs") };
    let hidden = x.mul(&weight.broadcast(x.shape(), &[1, 2])).tanh();
    let [y, mean_of_batch, variance] = hidden.batch_norm_training(gamma, beta, 1e-3);
    // Of each sample by itself, on whatever device it is.
    let y = y.group_norm(1, gamma, beta, 1e-3);
    let uniform = Value::random_bits(key, 5, x.shape()).uniform_from_bits(DType::F32).convert(x.dtype());
    let mask = uniform.lt(&uniform.full_like(0.5));
    let kept = mask.select(&y, &y.full_like(0.0));
    let loss = mean(&kept.mul(&kept).mul(x).sin()).all_reduce_mean();
    let targets = [weight, gamma, beta, x].map(Clone::clone);
    let found = gradients(std::slice::from_ref(&loss), &[loss.full_like(1.0)], &targets);
    let [dweight, dgamma, dbeta, dx] =
        <[Option<Value>; 4]>::try_from(found).expect("four").map(|gradient| gradient.expect("depends on it"));
    let of_all = [dweight, dgamma, dbeta].map(|gradient| gradient.all_reduce_mean());
    [vec![mask, mean_of_batch, variance, loss], of_all.to_vec(), vec![dx]].concat()
}

#[test]
fn replicas_compute_what_one_device_does() {
    let Some(client) = client(NUM_REPLICAS) else { return };
    let mut random = Random(11);
    let mut sample = |shape: &[usize], low| random.sample(&Sample::uniform(shape, low, 1.0), DType::F64);
    let x = sample(&WHOLE, -1.0);
    let shared = [sample(&PART[1..], -1.0), sample(&PART[1..2], 0.5), sample(&PART[1..2], -1.0)];
    let key = Value::from_elements([2], &[17i64, 3]);
    let others = [&shared[..], std::slice::from_ref(&key)].concat();

    let whole = [std::slice::from_ref(&x), &others].concat();
    let expected: Vec<Value> = step(&whole).into_iter().map(known).collect();
    let arguments: Vec<Value> = [Spec::new(PART, DType::F64)]
        .into_iter()
        .chain(others.iter().map(|value| value.spec().clone()))
        .map(Value::placeholder)
        .collect();
    let graph = Graph::capture(&arguments, &step(&arguments)).graph;
    let inputs: Vec<Vec<Value>> =
        (0..NUM_REPLICAS).map(|replica| [&[known(part(&x, replica))], &others[..]].concat()).collect();
    let results = run(&client, &graph, &inputs, &[]).expect("runs");

    assert_eq!(results.len(), NUM_REPLICAS);
    for (replica, found) in results.iter().enumerate() {
        let last = expected.len() - 1;
        for (place, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let expected = match place {
                0 => known(part(expected, replica)),
                // A replica's cotangents are of its own loss, of which the loss is the mean.
                place if place == last => {
                    let part = part(expected, replica);
                    known(part.mul(&part.full_like(NUM_REPLICAS as f64)))
                }
                _ => expected.clone(),
            };
            assert_eq!(difference(found, &expected), None, "replica {replica}, output {place}");
        }
    }
    // The statistics of a part are others, or the test would say nothing.
    let alone = step(&[&[known(part(&x, 0))], &others[..]].concat());
    assert!(difference(&known(alone[1].clone()), &expected[1]).is_some());
    // Nor would it if all were dropped.
    let kept: f64 = reals(&expected[0]).iter().sum();
    assert!((40.0..130.0).contains(&kept), "{kept} of 168 kept");
}

#[test]
fn replicas_agree_in_half_precision() {
    let Some(client) = client(NUM_REPLICAS) else { return };
    let argument = Value::placeholder(Spec::new([1], DType::BF16));
    let graph = Graph::capture(std::slice::from_ref(&argument), &[argument.all_reduce_mean()]).graph;
    // In bf16 256 + 1 + 1 + 2 would stay 258 or less, as 257 is no such number.
    let inputs =
        [256.0, 1.0, 1.0, 2.0].map(|number| vec![Value::from_elements([1], &[gyrus_graph::bf16::from_f32(number)])]);
    let results = run(&client, &graph, &inputs, &[]).expect("runs");
    for found in results {
        assert_eq!(reals(&found[0]), [65.0]);
    }
}
