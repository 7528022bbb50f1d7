//! Operations and their gradients against PyTorch: `scripts/goldens/tensor_ops.py` makes the numbers.

use gyrus_tensor::{ConvolutionWindow, DType, Ellipsis, Keepdim, NewAxis, Step, Tensor, grad};
use serde_json::Value as Json;

const GOLDEN: &str = include_str!("golden/tensor_ops.json");

/// What `name` stands for.
#[allow(clippy::reversed_empty_ranges, reason = "a negative end counts from the last index")]
fn call(name: &str, x: &[Tensor]) -> Vec<Tensor> {
    let a = &x[0];
    let b = || &x[1];
    let pair = |(first, second): (Tensor, Tensor)| vec![first, second];
    let window = |num_axes| ConvolutionWindow::new(num_axes);
    vec![match name {
        "add" => a + b(),
        "sub" => a - b(),
        "mul" => a * b(),
        "div" => a / b(),
        "rem" => a % b(),
        "pow" => a.pow(b()),
        "powf 3" => a.powf(3.0),
        "powf 2" => a.powf(2.0),
        "powf -1" => a.powf(-1.0),
        "powf 0.5" => a.powf(0.5),
        "atan2" => a.atan2(b()),
        "maximum" => a.maximum(b()),
        "minimum" => a.minimum(b()),
        "clamp" => a.clamp(-0.5, 1.0),
        "select" => a.select(b(), &x[2]),
        "exp" => a.exp(),
        "expm1" => a.expm1(),
        "abs" => a.abs(),
        "sign" => a.sign(),
        "floor" => a.floor(),
        "ceil" => a.ceil(),
        "round" => a.round(),
        "sin" => a.sin(),
        "cos" => a.cos(),
        "tan" => a.tan(),
        "tanh" => a.tanh(),
        "erf" => a.erf(),
        "square" => a.square(),
        "neg" => -a,
        "log" => a.log(),
        "sqrt" => a.sqrt(),
        "rsqrt" => a.rsqrt(),
        "reciprocal" => a.reciprocal(),
        "log1p" => a.log1p(),
        "cbrt" => a.cbrt(),
        "sigmoid" => a.sigmoid(),
        "relu" => a.relu(),
        "leaky_relu" => a.leaky_relu(0.1),
        "elu" => a.elu(1.5),
        "silu" => a.silu(),
        "gelu" => a.gelu(),
        "gelu_tanh" => a.gelu_tanh(),
        "softplus" => a.softplus(),
        "log_sigmoid" => a.log_sigmoid(),
        "hard_sigmoid" => a.hard_sigmoid(),
        "sum" => a.sum([0, 2]),
        "product" => a.product(1),
        "mean" => a.mean(Keepdim(-1)),
        "variance 0" => a.variance([0, 1], 0),
        "variance 1" => a.variance(-1, 1),
        "standard_deviation" => a.standard_deviation(Keepdim(-1), 1),
        "max" => a.max([-1, 0]),
        "min" => a.min(1),
        "norm" => a.norm(-1),
        "argmax" => a.argmax(1),
        "argmin" => a.argmin(0),
        "softmax" => a.softmax(1),
        "log_softmax" => a.log_softmax(-1),
        "log_sum_exp" => a.log_sum_exp(0),
        "cumsum" => a.cumsum(1),
        "permute" => a.permute([2, 0, 1]),
        "cat" => Tensor::cat(x, 1),
        "stack" => Tensor::stack(x, -1),
        "split" => return a.split(&[1, 3], 1),
        "chunk" => return a.chunk(3, 1),
        "flip" => a.flip([0, -1]),
        "pad" => a.pad(&[(0, 2), (1, -1)], 0.5),
        "tile" => a.tile(&[2, 1, 3]),
        "repeat_interleave" => a.repeat_interleave(3, 1),
        "tril" => a.tril(1),
        "triu" => a.triu(-1),
        "get" => a.get((1, Ellipsis, 1..-1, NewAxis, Step(.., 2))),
        "take" => a.take(1, b()),
        "take_along_axis" => a.take_along_axis(1, b()),
        "scatter_add" => a.scatter_add(1, b(), &x[2]),
        "index_add" => a.index_add(0, b(), &x[2]),
        "index_add 1" => a.index_add(1, b(), &x[2]),
        "sort" => return pair(a.sort(1, true)),
        "top_k" => return pair(a.top_k(2, 0)),
        "matmul" => a.matmul(b()),
        "dot" => a.dot(b()),
        "outer" => a.outer(b()),
        "conv 1" => a.conv(b(), ConvolutionWindow { stride: vec![2], padding: vec![(1, 1)], ..window(1) }),
        "conv 2" => a.conv(b(), ConvolutionWindow { padding: vec![(1, 1); 2], groups: 2, ..window(2) }),
        "conv 3" => a.conv(b(), ConvolutionWindow { dilation: vec![2; 3], ..window(3) }),
        "conv_transpose" => {
            let window = ConvolutionWindow { stride: vec![2; 2], padding: vec![(1, 1); 2], ..window(2) };
            a.conv_transpose(b(), window, &[1, 1])
        }
        "max_pool 1" => a.max_pool(&[3], &[2], &[1]),
        "max_pool 2" => a.max_pool(&[2, 3], &[2, 1], &[1, 0]),
        "avg_pool include" => a.avg_pool(&[3, 3], &[2, 2], &[1, 1], true),
        "avg_pool exclude" => a.avg_pool(&[3, 3], &[2, 2], &[1, 1], false),
        "avg_pool 3" => a.avg_pool(&[2; 3], &[2; 3], &[0; 3], true),
        _ if name.starts_with("einsum ") => Tensor::einsum(&name["einsum ".len()..], x),
        _ => panic!("the golden operation {name} is not known"),
    }]
}

fn numbers(array: &Json) -> Vec<f64> {
    let number = |number: &Json| match number.as_str() {
        Some(text) => text.parse().expect("inf or nan"),
        None => match number.as_bool() {
            Some(truth) => truth as u8 as f64,
            None => number.as_f64().expect("a number"),
        },
    };
    array["data"].as_array().expect("an array").iter().map(number).collect()
}

fn tensor(array: &Json, dtype: DType) -> Tensor {
    let shape: Vec<usize> =
        array["shape"].as_array().expect("a shape").iter().map(|n| n.as_u64().expect("a size") as usize).collect();
    let dtype = if array["real"] == true { dtype } else { DType::I64 };
    Tensor::from_vec(shape, numbers(array)).to_dtype(dtype)
}

fn assert_close(name: &str, what: &str, found: &Tensor, expected: &Json, tolerance: f64) {
    let shape = serde_json::json!(found.shape().to_vec());
    assert_eq!(shape, expected["shape"], "{name}: shape of {what}");
    assert_eq!(found.dtype().is_float(), expected["real"] == true, "{name}: type of {what}");
    for (index, (found, expected)) in
        found.to_dtype(DType::F64).to_vec::<f64>().into_iter().zip(numbers(expected)).enumerate()
    {
        let is_close = found == expected || (found - expected).abs() <= tolerance * (1.0 + expected.abs());
        assert!(is_close, "{name}: {what}[{index}] is {found}, PyTorch has {expected}");
    }
}

fn check(case: &Json, dtype: DType, tolerance: f64) {
    let name = case["name"].as_str().expect("a name");
    let list = |key: &str| case[key].as_array().expect("a list").clone();
    let inputs: Vec<Tensor> = list("inputs").iter().map(|input| tensor(input, dtype)).collect();
    let outputs = call(name, &inputs);
    assert_eq!(outputs.len(), list("outputs").len(), "{name}: number of outputs");
    let mut total = Tensor::zeros([], dtype);
    for ((output, expected), cotangent) in outputs.iter().zip(list("outputs")).zip(list("cotangents")) {
        assert_close(name, "output", output, &expected, tolerance);
        if !cotangent.is_null() {
            assert_eq!(output.dtype(), dtype, "{name}: element type");
            total += (output * tensor(&cotangent, dtype)).sum(..);
        }
    }
    for (input, expected) in inputs.iter().zip(list("gradients")) {
        if !expected.is_null() {
            let gradient = grad(&total, &[input]).remove(0);
            assert_close(name, "gradient", &gradient, &expected, tolerance);
        }
    }
}

fn cases() -> Vec<Json> {
    let golden: Json = serde_json::from_str(GOLDEN).expect("JSON");
    golden["cases"].as_array().expect("cases").clone()
}

#[test]
fn operations_and_gradients_equal_pytorch_in_double_precision() {
    for case in cases() {
        check(&case, DType::F64, 1e-12);
    }
}

#[test]
fn operations_and_gradients_equal_pytorch_in_single_precision() {
    for case in cases() {
        check(&case, DType::F32, 2e-5);
    }
}
