//! `gyrus doctor`.

use std::path::{Path, PathBuf};
use std::time::Instant;

use gyrus::train::record::{Environment, RunFolder};
use gyrus::{DType, Rng, Tensor, grad, num_threads};
use gyrus_cpu::isa::Isa;
use serde_json::{Map, Value, json};

use super::accelerators::{self, Finding};
use crate::arguments::Doctor;
use crate::failure::Failure;
use crate::output::{self, Output};

pub fn doctor(arguments: Doctor, output: Output) -> Result<u8, Failure> {
    if let Some(plugin) = &arguments.look_at {
        output.line(accelerators::look_at(plugin))?;
        return Ok(0);
    }
    arguments.machine.apply();
    let environment = Environment::detect();
    let (isa, runs) = (Isa::get(), &arguments.runs.folder);
    let free = free_space(runs);
    let checks: Vec<(&str, bool)> = CHECKS.iter().map(|(name, check)| (*name, check())).collect();
    let broken: Vec<&str> = checks.iter().filter(|(_, passed)| !passed).map(|(name, _)| *name).collect();
    let speed = broken.is_empty().then(matmul_speed);
    let num_runs = RunFolder::list(runs).len();
    let accelerators = accelerators::examine();
    let json = || {
        let facts = json!({
            "event": "doctor",
            "isa": isa_name(isa),
            "threads": num_threads(),
            "accelerators": accelerators.iter().map(Finding::json).collect::<Vec<_>>(),
            "matmul_gflops": speed,
            "runs": runs.display().to_string(),
            "num_runs": num_runs,
            "runs_free_bytes": free,
            "self_test": checks.iter().map(|(name, passed)| (name.to_string(), json!(passed))).collect::<Map<_, _>>(),
        });
        let mut facts = facts.as_object().cloned().unwrap_or_default();
        facts.insert("environment".to_owned(), serde_json::to_value(&environment).unwrap_or_default());
        Value::Object(facts)
    };
    let text = || {
        let mut facts = environment.facts();
        facts.push(("", String::new()));
        facts.push(("Kernels", kernels(isa)));
        facts.push(("Threads", format!("{} of {} cores", num_threads(), environment.num_cores)));
        facts.extend(speed.map(|speed| ("Matrix products", format!("{speed:.0} GFLOP/s in f32"))));
        let free = free.map_or("unknown".to_owned(), |bytes| format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30)));
        facts.push(("Runs", format!("{num_runs} in {}, {free} free", runs.display())));
        let names = checks.iter().map(|(name, passed)| format!("{name} {}", if *passed { "passed" } else { "FAILED" }));
        facts.push(("Self test", names.collect::<Vec<_>>().join(", ")));
        facts.push(("", String::new()));
        facts.push(("Devices", "for --device, beside cpu".to_owned()));
        let lines: Vec<(String, String)> =
            accelerators.iter().map(Finding::line).map(|(name, said)| (format!("  {name}"), said)).collect();
        facts.extend(lines.iter().map(|(name, said)| (name.as_str(), said.clone())));
        let table = output::table(facts.iter().map(|(name, fact)| (*name, fact.as_str())));
        table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
    };
    output.result(json, text)?;
    match broken[..] {
        [] => Ok(0),
        _ => Err(Failure::Other(format!(
            "this machine computes wrong results ({}); set GYRUS_ISA=portable, and please report it with the lines above",
            broken.join(", ")
        ))),
    }
}

fn isa_name(isa: Isa) -> &'static str {
    match isa {
        Isa::Portable => "portable",
        Isa::Neon => "neon",
        Isa::Avx2 => "avx2",
        Isa::Avx512 => "avx512",
    }
}

/// The instruction set in use, and why that one.
fn kernels(isa: Isa) -> String {
    let used = isa_name(isa);
    match std::env::var("GYRUS_ISA") {
        Ok(wanted) if wanted == used => format!("{used}, as GYRUS_ISA says"),
        Ok(wanted) => format!("{used}; GYRUS_ISA={wanted} is not among those of this machine: {}", available()),
        Err(_) => format!("{used}, the best of {}", available()),
    }
}

fn available() -> String {
    Isa::available().iter().map(|&isa| isa_name(isa)).collect::<Vec<_>>().join(", ")
}

/// The space for runs on the disk; of the nearest folder that exists, if there are no runs yet.
fn free_space(runs: &Path) -> Option<u64> {
    let absolute = std::env::current_dir().map_or(PathBuf::new(), |folder| folder.join(runs));
    fs4::available_space(absolute.ancestors().find(|folder| folder.exists())?).ok()
}

/// A name, and whether the result is as it must be.
type Check = (&'static str, fn() -> bool);

/// What must come out as known, whatever the kernels are: sizes that fill no register, numbers without rounding.
const CHECKS: [Check; 4] = [
    ("matmul", || {
        // Row i + 1 times column j + 1, 53 times over.
        let rows = (Tensor::arange(37, DType::F32) + 1).unsqueeze(1).broadcast_to([37, 53]);
        let columns = (Tensor::arange(29, DType::F32) + 1).broadcast_to([53, 29]);
        let expected = (1..=37).flat_map(|i| (1..=29).map(move |j| (53 * i * j) as f32));
        rows.matmul(&columns).to_vec::<f32>().into_iter().eq(expected)
    }),
    ("convolution", || {
        let weight = Tensor::ones([7, 3, 5, 5], DType::F32);
        let window = gyrus::ConvolutionWindow {
            stride: vec![1, 1],
            padding: vec![(0, 0), (0, 0)],
            dilation: vec![1, 1],
            groups: 1,
        };
        let sums = Tensor::ones([2, 3, 19, 17], DType::F32).conv(&weight, window);
        sums.shape()[..] == [2, 7, 15, 13] && sums.to_vec::<f32>().iter().all(|&sum| sum == 75.0)
    }),
    ("softmax", || {
        let parts = Tensor::arange(1000, DType::F32).reshape([10, 100]).softmax(-1);
        let sums = parts.sum(-1).to_vec::<f32>();
        sums.iter().all(|sum| (sum - 1.0).abs() < 1e-5)
    }),
    ("gradient", || {
        let x = Tensor::arange(1001, DType::F32);
        grad(&x.square().sum(..), &[&x])[0].to_vec::<f32>().into_iter().eq((0..1001).map(|x| 2.0 * x as f32))
    }),
];

/// The best of a few products of large matrices, in 10⁹ operations a second.
fn matmul_speed() -> f64 {
    const SIZE: usize = 1024;
    let mut rng = Rng::new(0);
    let mut matrix = || rng.uniform([SIZE, SIZE], DType::F32, -1.0, 1.0).detach();
    let (a, b) = (matrix(), matrix());
    let seconds = (0..4).map(|_| {
        let begin = Instant::now();
        a.matmul(&b).read(|_: &[f32]| ());
        begin.elapsed().as_secs_f64()
    });
    2.0 * (SIZE as f64).powi(3) / seconds.fold(f64::INFINITY, f64::min) / 1e9
}
