//! Optimizers, schedules and clipping against PyTorch's.

use gyrus_optim::{
    Adam, AdamConfig, AdamW, AdamWConfig, Optimizer, Schedule, Sgd, SgdConfig, clip_by_global_norm, clip_by_value,
};
use gyrus_tensor::{DType, Gradients, Kind, Module, Path, Tensor};
use serde_json::Value as Json;

/// Two parameters, with a buffer between them that must stay as it is.
struct Model {
    weight: Tensor,
    counter: Tensor,
    bias: Tensor,
}

impl Module for Model {
    fn walk(&self, path: &mut Path, visit: &mut dyn FnMut(&Path, Kind, &Tensor)) {
        path.within("weight", |path| visit(path, Kind::Parameter, &self.weight));
        path.within("counter", |path| visit(path, Kind::Buffer, &self.counter));
        path.within("bias", |path| visit(path, Kind::Parameter, &self.bias));
    }

    fn walk_mut(&mut self, path: &mut Path, visit: &mut dyn FnMut(&Path, Kind, &mut Tensor)) {
        path.within("weight", |path| visit(path, Kind::Parameter, &mut self.weight));
        path.within("counter", |path| visit(path, Kind::Buffer, &mut self.counter));
        path.within("bias", |path| visit(path, Kind::Parameter, &mut self.bias));
    }
}

fn cases(text: &str) -> Vec<Json> {
    let file: Json = serde_json::from_str(text).expect("valid JSON");
    assert!(file["versions"]["torch"].is_string(), "says which version made it");
    file["cases"].as_array().expect("a list").clone()
}

fn tensor(json: &Json, dtype: DType) -> Tensor {
    let list = |name: &str| json[name].as_array().expect("a list").iter();
    let shape: Vec<usize> = list("shape").map(|size| size.as_u64().expect("a size") as usize).collect();
    let reals: Vec<f64> = list("data").map(|value| value.as_f64().expect("a number")).collect();
    Tensor::from_slice(shape, &reals).to_dtype(dtype)
}

fn assert_close(what: &str, found: &Tensor, golden: &Json, tolerance: f64) {
    let found = found.to_dtype(DType::F64).to_vec::<f64>();
    let golden = tensor(golden, DType::F64).to_vec::<f64>();
    assert_eq!(found.len(), golden.len(), "{what}");
    for (index, (a, b)) in found.iter().zip(&golden).enumerate() {
        assert!((a - b).abs() <= tolerance * (1.0 + b.abs()), "{what}: element {index}: {a} instead of {b}");
    }
}

fn build(case: &Json, model: &Model) -> Box<dyn Optimizer> {
    let options = &case["options"];
    let real = |name: &str, default: f64| options[name].as_f64().unwrap_or(default);
    let learning_rate = Schedule::Constant(real("lr", 0.0));
    let betas = options["betas"].as_array().map(|betas| (betas[0].as_f64().unwrap(), betas[1].as_f64().unwrap()));
    match case["optimizer"].as_str().unwrap() {
        "sgd" => {
            let config = SgdConfig {
                momentum: real("momentum", 0.0),
                dampening: real("dampening", 0.0),
                nesterov: options["nesterov"].as_bool().unwrap_or(false),
                weight_decay: real("weight_decay", 0.0),
                ..SgdConfig::new(learning_rate)
            };
            Box::new(Sgd::new(model, config))
        }
        "adam" => {
            let default = AdamConfig::new(learning_rate);
            let (eps, weight_decay) = (real("eps", default.eps), real("weight_decay", default.weight_decay));
            let betas = betas.unwrap_or(default.betas);
            Box::new(Adam::new(model, AdamConfig { betas, eps, weight_decay, ..default }))
        }
        "adam_w" => {
            let default = AdamWConfig::new(learning_rate);
            let (eps, weight_decay) = (real("eps", default.eps), real("weight_decay", default.weight_decay));
            let betas = betas.unwrap_or(default.betas);
            Box::new(AdamW::new(model, AdamWConfig { betas, eps, weight_decay, ..default }))
        }
        other => panic!("{other}: no such optimizer"),
    }
}

fn check_optimizer(case: &Json, dtype: DType, tolerance: f64) {
    let array = |named: &Json, name: &str| tensor(&named[name], dtype);
    let mut model = Model {
        weight: array(&case["start"], "weight"),
        counter: Tensor::from_slice([], &[7i64]),
        bias: array(&case["start"], "bias"),
    };
    let mut optimizer = build(case, &model);
    let what = |step: usize, part: &str| {
        format!("{} {} {dtype}: after step {step}: {part}", case["optimizer"], case["options"])
    };
    let steps = case["steps"].as_array().unwrap();
    let names = |optimizer: &dyn Optimizer| -> Vec<String> {
        optimizer.named_tensors().into_iter().map(|(name, _, _)| name).collect()
    };
    let names_before = names(&*optimizer);
    for (index, step) in steps.iter().enumerate() {
        let gradients = ["weight", "bias"].map(|name| array(&step["gradients"], name));
        optimizer.step(&mut model, &Gradients::new(gradients.to_vec()));
        assert_close(&what(index + 1, "weight"), &model.weight, &step["parameters"]["weight"], tolerance);
        assert_close(&what(index + 1, "bias"), &model.bias, &step["parameters"]["bias"], tolerance);
    }
    assert_eq!(model.counter.item(), 7.0, "buffers are not updated");
    assert_eq!(names(&*optimizer), names_before, "the state is complete from the start");
    let mut num_found = 0;
    for (name, kind, value) in optimizer.named_tensors() {
        assert_eq!(kind, Kind::Buffer, "{name}");
        if name == "step" {
            assert_eq!((value.dtype(), value.item()), (DType::I64, steps.len() as f64));
            continue;
        }
        assert_close(&what(steps.len(), &name), &value, &case["state"][&name], tolerance);
        num_found += 1;
    }
    assert_eq!(num_found, case["state"].as_object().unwrap().len(), "the state is PyTorch's");
}

#[test]
fn ten_steps_of_each_optimizer_in_f64() {
    cases(include_str!("golden/optimizers.json")).iter().for_each(|case| check_optimizer(case, DType::F64, 1e-12));
}

#[test]
fn ten_steps_of_each_optimizer_in_f32() {
    cases(include_str!("golden/optimizers.json")).iter().for_each(|case| check_optimizer(case, DType::F32, 2e-6));
}

fn schedule(case: &Json) -> Schedule {
    let options = &case["options"];
    let real = |name: &str| options[name].as_f64().unwrap_or_else(|| panic!("{name}"));
    let count = |name: &str| options[name].as_u64().unwrap_or_else(|| panic!("{name}"));
    match case["schedule"].as_str().unwrap() {
        "constant" => real("learning_rate").into(),
        "step_decay" => {
            Schedule::StepDecay { initial: real("initial"), step_size: count("step_size"), gamma: real("gamma") }
        }
        "multi_step" => {
            let milestones = options["milestones"].as_array().unwrap().iter().map(|m| m.as_u64().unwrap()).collect();
            Schedule::MultiStep { initial: real("initial"), milestones, gamma: real("gamma") }
        }
        "exponential" => Schedule::Exponential { initial: real("initial"), gamma: real("gamma") },
        "cosine" => {
            Schedule::Cosine { initial: real("initial"), minimum: real("minimum"), num_steps: count("num_steps") }
        }
        "one_cycle" => Schedule::OneCycle {
            maximum: real("maximum"),
            num_steps: count("num_steps"),
            rising_share: real("rising_share"),
            initial_divisor: real("initial_divisor"),
            final_divisor: real("final_divisor"),
        },
        "warmup_cosine" => {
            let (initial, minimum) = (real("initial"), real("minimum"));
            Schedule::Cosine { initial, minimum, num_steps: count("cosine_steps") }.with_warmup(count("num_steps"))
        }
        other => panic!("{other}: no such schedule"),
    }
}

#[test]
fn learning_rates_of_each_schedule() {
    for case in cases(include_str!("golden/schedules.json")) {
        let schedule = schedule(&case);
        for (step, rate) in case["rates"].as_array().unwrap().iter().enumerate() {
            let (step_tensor, rate) = (Tensor::from_slice([], &[step as i64]), rate.as_f64().unwrap());
            for (dtype, tolerance) in [(DType::F64, 1e-12), (DType::F32, 1e-6)] {
                let found = schedule.at(&step_tensor, dtype);
                assert_eq!((found.dtype(), found.rank()), (dtype, 0));
                let found = found.item();
                // A cosine ends in a difference of nearly equal numbers: 0.4 is the greatest rate.
                let error = (found - rate).abs() / (rate + 0.1 * 0.4);
                assert!(error <= tolerance, "{schedule:?} {dtype} step {step}: {found} instead of {rate}");
            }
        }
    }
}

#[test]
fn clipping_by_global_norm() {
    for case in cases(include_str!("golden/clipping.json")) {
        let array = |part: &str, name: &str| tensor(&case[part][name], DType::F64);
        let gradients = Gradients::new(vec![array("before", "weight"), array("before", "bias")]);
        let (clipped, norm) = clip_by_global_norm(&gradients, case["max_norm"].as_f64().unwrap());
        assert!((norm.item() - case["norm"].as_f64().unwrap()).abs() < 1e-12);
        for (gradient, name) in clipped.iter().zip(["weight", "bias"]) {
            assert_close(name, gradient, &case["after"][name], 1e-12);
        }
    }
}

#[test]
fn clipping_by_value() {
    let gradients = Gradients::new(vec![Tensor::from_slice([3], &[-2.0f32, 0.25, 3.0])]);
    let clipped = clip_by_value(&gradients, 0.5);
    assert_eq!(clipped.iter().next().unwrap().to_vec::<f32>(), [-0.5, 0.25, 0.5]);
}
