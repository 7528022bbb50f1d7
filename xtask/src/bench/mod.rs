//! Benchmarks: the workloads that are timed with other frameworks as well, and more, through the public API.

mod accelerator;
mod functions;
mod lenet;
mod lstm;
mod mlp;
mod operations;
mod options;
mod profile;
mod resnet;
mod roofline;
pub mod table;
mod timing;
mod transformer;
mod wide;
mod workload;

use std::process::Command;
use std::time::{Duration, Instant};

use gyrus::{Precision, num_threads, set_num_threads};
use gyrus_cpu::plan::Plan;
use serde_json::json;

use self::options::Options;
use self::timing::Sample;
use self::workload::Workload;

/// The name of what is timed, and what makes it ready to be called.
type Entry = (&'static str, fn() -> Box<dyn Workload>);

/// The workloads of the peers' scripts.
const WORKLOADS: &[Entry] = &[
    ("W0-mm1024", functions::matmul_1024),
    ("W0-mm4096", functions::matmul_4096),
    ("W1-lenet-train-b64", lenet::train),
    ("W1-lenet-infer-b1", lenet::infer),
    ("W2-mlp-train-b128", mlp::train),
    ("W3-resnet18-cifar-train-b32", resnet::train),
    ("W4-lstm-train-b32", lstm::train),
    ("W5-transformer-train-b16", transformer::train),
    ("W5-transformer-infer-b16", transformer::infer),
    ("W6-resnet18-infer-b1", resnet::infer_one),
    ("W6-resnet18-infer-b8", resnet::infer_eight),
    ("W7-gelu-16M", functions::gelu),
    ("W7-softmax-4096", functions::softmax),
    ("W8-conv-fwd", functions::convolution),
    ("W8-conv-fwdbwd", functions::convolution_and_gradients),
];

/// How long each sample waits for a quiet machine, if the environment variable `QUIET_WAIT` does not say.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs the workloads that the command line asks for: each in a process of its own, so that its peak of memory is
/// its own, and no workload's caches are another's.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let options = Options::parse(arguments)?;
    // Single operations are many, and what is made for accelerators is too much for a processor, unless they are asked for.
    let is_asked = options.device.is_some() || !options.filter.is_empty();
    let offered: Vec<&Entry> = if is_asked { all().collect() } else { models().collect() };
    let wanted: Vec<&Entry> = offered.into_iter().filter(|(name, _)| options.wants(name)).collect();
    // A name that is a part of another one means itself.
    let named = wanted.iter().find(|(name, _)| options.filter == [*name]).copied();
    match named.map_or(wanted, |entry| vec![entry])[..] {
        [] => Err(format!("bench: no workload is called {}: {}", options.filter.join(" or "), names())),
        [entry] => run_here(entry, &options),
        ref wanted => wanted.iter().try_for_each(|(name, _)| run_apart(name, &options)),
    }
}

fn models() -> impl Iterator<Item = &'static Entry> {
    WORKLOADS.iter().chain(wide::WORKLOADS)
}

fn all() -> impl Iterator<Item = &'static Entry> {
    models().chain(operations::WORKLOADS).chain(accelerator::WORKLOADS)
}

fn names() -> String {
    all().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

fn run_apart(name: &str, options: &Options) -> Result<(), String> {
    let program = std::env::current_exe().map_err(|error| format!("bench: {error}"))?;
    let status = Command::new(program).arg("bench").args(options.for_one(name)).status();
    let status = status.map_err(|error| format!("bench: {name}: {error}"))?;
    status.success().then_some(()).ok_or_else(|| format!("bench: {name}: {status}"))
}

fn run_here((name, prepare): &Entry, options: &Options) -> Result<(), String> {
    if let Some(threads) = options.threads {
        set_num_threads(threads);
    }
    let mut workload = prepare();
    if let Some(device) = &options.device {
        workload.set_device(gyrus::open(device, 1).map_err(|error| format!("bench: {error}"))?);
    }
    workload.set_precision(options.precision);
    if options.check {
        return check(name, &mut *prepare(), &mut *workload);
    }
    if options.profile {
        workload.call();
        plan_of(name, &*workload)?;
        profile::print(name, &mut *workload, options.time());
    } else {
        let patience = std::env::var("QUIET_WAIT").ok().and_then(|seconds| seconds.parse().ok());
        let patience = patience.map_or(PATIENCE, Duration::from_secs);
        let begin = Instant::now();
        workload.call();
        let first = begin.elapsed();
        let sample = timing::sample(&mut || workload.call(), options.time(), patience);
        report(name, &sample, first, &*workload, options);
        if options.roofline {
            roofline::print(plan_of(name, &*workload)?, &sample, options.precision == Precision::Bf16);
        }
    }
    Ok(())
}

/// The plan of a workload that was called.
fn plan_of<'a>(name: &str, workload: &'a dyn Workload) -> Result<&'a Plan, String> {
    workload.plan().ok_or_else(|| format!("bench: {name} has no plan, of the processor, that all calls run"))
}

/// How many calls are compared.
const NUM_CHECKED: usize = 5;

/// Compares the results of the same calls here and on another device.
fn check(name: &str, here: &mut dyn Workload, there: &mut dyn Workload) -> Result<(), String> {
    let mut worst = 0.0f32;
    for _ in 0..NUM_CHECKED {
        here.call();
        there.call();
        let (expected, found) = (here.result(), there.result());
        worst = worst.max((found - expected).abs() / expected.abs().max(1e-3));
    }
    // Rounding decides which way some units of a network go.
    let is_same = worst < 1e-2;
    println!("{name:28} {} the relative difference is {worst:.1e}", if is_same { "agrees:" } else { "DIFFERS:" });
    is_same.then_some(()).ok_or_else(|| format!("bench: {name} gives other results on this device"))
}

/// `first` is how long the first call took, in which the function is captured and planned, or compiled.
fn report(name: &str, sample: &Sample, first: Duration, workload: &dyn Workload, options: &Options) {
    let note = workload.note();
    let gigaflops = workload.num_flops().map(|flops| (flops as f64 / sample.median() / 1e8).round() / 10.0);
    let milliseconds = |seconds: f64| (seconds * 1e7).round() / 1e4;
    let (median, min, n) = (milliseconds(sample.median()), milliseconds(sample.min()), sample.times.len());
    let first = milliseconds(first.as_secs_f64());
    let other = (sample.other * 100.0).round() / 100.0;
    let memory = timing::peak_memory();
    if options.json {
        let peer = match options.precision {
            Precision::Full => "gyrus".to_owned(),
            reduced => format!("gyrus-{}", reduced.name()),
        };
        let place = options.device.as_ref().map_or(String::new(), |device| format!("{device}, "));
        let note = format!("{place}{} threads{note}", num_threads());
        println!(
            "{}",
            json!({
                "peer": peer, "w": name, "median_ms": median, "min_ms": min, "first_ms": first, "n": n, "other": other,
                "gflop_per_s": gigaflops, "peak_rss_mb": memory, "note": note
            })
        );
    } else {
        let memory = memory.map_or(String::new(), |memory| format!(", at most {memory} MB"));
        println!(
            "{name:28} median {median:9.4} ms, least {min:9.4} ms, first {first:.1} ms, of {n} calls{memory}, others took {other:.2} cores{note}"
        );
    }
}
