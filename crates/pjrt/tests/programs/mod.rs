//! What the tests of lowered programs share: the plug-in, samples, and running a graph on it.

#![allow(dead_code, reason = "not every test needs all of it")]

#[path = "../plugin/mod.rs"]
mod plugin;

use std::sync::LazyLock;

use gyrus_graph::conformance::Sample;
use gyrus_graph::{Buffer, DType, Element, Graph, Shape, Value, bf16, f16};
use gyrus_pjrt::lowering::{Lowering, lower};
use gyrus_pjrt::runtime::{Client, DeviceBuffer};

/// The plug-in to test with, of which so many devices are needed; `None` where they are not there. All tests of a process
/// share it: a client of a GPU takes most of its memory.
pub fn client(num_devices: usize) -> Option<Client> {
    static CLIENT: LazyLock<Option<Client>> = LazyLock::new(|| {
        set_flags();
        plugin::client()
    });
    CLIENT.clone().filter(|client| plugin::has_devices(client, num_devices))
}

/// Tells XLA's CPU, where nobody told it otherwise, not to spend time on faster machine code than tests need.
fn set_flags() {
    if std::env::var_os("XLA_FLAGS").is_none() {
        let flags = "--xla_backend_optimization_level=0";
        // SAFETY: it happens once, before the plug-in is loaded, which is what reads the environment outside of
        // Rust's own lock.
        unsafe { std::env::set_var("XLA_FLAGS", flags) };
    }
}

/// A sequence that is the same always.
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 ^= self.0 >> 29;
        self.0
    }

    /// A value that is known, reals of type `dtype`.
    pub fn sample(&mut self, sample: &Sample, dtype: DType) -> Value {
        fn of<T: Element>(shape: &Shape, mut draw: impl FnMut() -> T) -> Value {
            let elements: Vec<T> = (0..shape.num_elements()).map(|_| draw()).collect();
            Value::from_elements(shape, &elements)
        }
        match sample {
            Sample::Uniform { shape, low, high } => {
                let mut real = || low + (high - low) * ((self.next() >> 11) as f64 / (1u64 << 53) as f64);
                match dtype {
                    DType::F16 => of(shape, || f16::from_f64(real())),
                    DType::BF16 => of(shape, || bf16::from_f64(real())),
                    DType::F32 => of(shape, || real() as f32),
                    _ => of(shape, real),
                }
            }
            Sample::Integers { shape, high, dtype } => {
                let mut whole = || (self.next() % *high as u64) as i64;
                match dtype {
                    DType::Bool => of(shape, || whole() != 0),
                    DType::U8 => of(shape, || whole() as u8),
                    DType::I32 => of(shape, || whole() as i32),
                    _ => of(shape, whole),
                }
            }
        }
    }
}

/// The elements as reals.
pub fn reals(value: &Value) -> Vec<f64> {
    fn of<T: Element>(buffer: &Buffer) -> Vec<f64> {
        buffer.elements::<T>().iter().map(|&element| element.to_f64()).collect()
    }
    let buffer = value.buffer().expect("is computed");
    match value.dtype() {
        DType::Bool => of::<bool>(buffer),
        DType::U8 => of::<u8>(buffer),
        DType::I32 => of::<i32>(buffer),
        DType::I64 => of::<i64>(buffer),
        DType::F16 => of::<f16>(buffer),
        DType::BF16 => of::<bf16>(buffer),
        DType::F32 => of::<f32>(buffer),
        _ => of::<f64>(buffer),
    }
}

/// What a program of `num_replicas` makes of each replica's inputs, which are known; inputs of `donated` pairs are
/// given away.
///
/// # Errors
/// The lowering's or the plug-in's message.
pub fn run(
    client: &Client,
    graph: &Graph,
    inputs: &[Vec<Value>],
    donated: &[(usize, usize)],
) -> Result<Vec<Vec<Value>>, String> {
    let options = Lowering { name: "test", donated, num_replicas: inputs.len() };
    let text = lower(graph, &options).map_err(|error| error.to_string())?;
    let executable = client.compile(&text, inputs.len()).map_err(|error| error.to_string())?;
    let upload = |device: usize, value: &Value| {
        let bytes = value.buffer().expect("is computed").bytes();
        client.upload(device, value.dtype(), value.shape(), bytes).map_err(|error| error.to_string())
    };
    let mut arguments: Vec<Vec<DeviceBuffer>> = vec![];
    for (device, values) in inputs.iter().enumerate() {
        arguments.push(values.iter().map(|value| upload(device, value)).collect::<Result<_, _>>()?);
    }
    let lists: Vec<Vec<&DeviceBuffer>> = arguments.iter().map(|list| list.iter().collect()).collect();
    let results = executable.execute(&lists, &[]).map_err(|error| error.to_string())?;
    let to_value = |(place, result): (usize, &DeviceBuffer)| {
        let spec = graph.spec(graph.outputs[place]).clone();
        assert_eq!((result.dtype(), result.dims()), (spec.dtype, &spec.shape[..]), "output {place}");
        let mut buffer = Buffer::zeroed(spec.num_bytes());
        result.to_host(buffer.bytes_mut().expect("new")).map_err(|error| error.to_string())?;
        Ok(Value::leaf(spec, buffer))
    };
    results.iter().map(|list| list.iter().enumerate().map(to_value).collect()).collect()
}

/// By how much results may differ, relative to the larger of 1 and what is expected: some ten times the spacing of
/// numbers near 1. In `f16` and `bf16` one device may round where the other does not.
fn tolerance(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => 1e-13,
        DType::F32 => 1e-5,
        DType::F16 => 1e-2,
        DType::BF16 => 5e-2,
        _ => 0.0,
    }
}

/// Where two values differ, if they do by more than their type explains.
pub fn difference(found: &Value, expected: &Value) -> Option<String> {
    difference_as_of(expected.dtype(), found, expected)
}

/// Where two values differ, if they do by more than a type explains in which something was computed.
pub fn difference_as_of(dtype: DType, found: &Value, expected: &Value) -> Option<String> {
    if found.spec() != expected.spec() {
        return Some(format!("{}, not {}", found.spec(), expected.spec()));
    }
    let tolerance = if expected.dtype().is_float() { tolerance(dtype) } else { 0.0 };
    if tolerance == 0.0 {
        let same = found.buffer().expect("is computed").bytes() == expected.buffer().expect("is computed").bytes();
        return (!same).then(|| format!("{:?}, not {:?}", reals(found), reals(expected)));
    }
    let (found, expected) = (reals(found), reals(expected));
    let is_close =
        |a: f64, b: f64| a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= tolerance * b.abs().max(1.0);
    let place = found.iter().zip(&expected).position(|(&a, &b)| !is_close(a, b))?;
    Some(format!("element {place} is {}, not {}", found[place], expected[place]))
}
