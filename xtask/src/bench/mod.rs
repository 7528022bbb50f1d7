//! Benchmarks: the workloads that are timed with other frameworks as well, through the public API.

mod functions;
mod lenet;
mod lstm;
mod mlp;
mod resnet;
mod transformer;
mod workload;

use std::time::{Duration, Instant};

use gyrus::num_threads;
use serde_json::json;

use self::workload::Call;

/// What is timed: its name, and what makes it ready to be called.
type Workload = (&'static str, fn() -> Call);

const WORKLOADS: &[Workload] = &[
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

struct Options {
    json: bool,
    only: Vec<String>,
    time: Duration,
}

fn parse(arguments: &[String]) -> Result<Options, String> {
    let mut options = Options { json: false, only: vec![], time: Duration::from_secs(4) };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("bench: {argument} needs a value"));
        match argument.as_str() {
            "--json" => options.json = true,
            "--only" => options.only = value()?.split(',').map(str::to_owned).collect(),
            "--seconds" => {
                let seconds = value()?.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
                options.time = seconds.ok_or("bench: --seconds takes a number that is not negative")?;
            }
            other => return Err(format!("bench: there is no option {other}: --json, --only, --seconds")),
        }
    }
    Ok(options)
}

pub fn run(arguments: &[String]) -> Result<(), String> {
    let options = parse(arguments)?;
    for (name, prepare) in WORKLOADS {
        if !options.only.is_empty() && !options.only.iter().any(|prefix| name.starts_with(prefix.as_str())) {
            continue;
        }
        let times = time(&mut *prepare(), options.time);
        let milliseconds = |seconds: f64| (seconds * 1e7).round() / 1e4;
        let (median, min, n) = (milliseconds(times[times.len() / 2]), milliseconds(times[0]), times.len());
        if options.json {
            let note = format!("{} threads", num_threads());
            println!(
                "{}",
                json!({"peer": "gyrus", "w": name, "median_ms": median, "min_ms": min, "n": n, "note": note})
            );
        } else {
            println!("{name:24} median {median:9.4} ms, least {min:9.4} ms, of {n} calls");
        }
    }
    Ok(())
}

/// The times of calls in seconds, in increasing order: at least 5 and at most 1000, after a warm-up of 0.3
/// seconds and 3 calls.
fn time(call: &mut dyn FnMut(), time: Duration) -> Vec<f64> {
    let begin = Instant::now();
    let mut warm = 0;
    while warm < 3 || begin.elapsed() < Duration::from_millis(300) {
        call();
        warm += 1;
    }
    let (begin, mut times) = (Instant::now(), vec![]);
    while times.len() < 5 || (begin.elapsed() < time && times.len() < 1000) {
        let start = Instant::now();
        call();
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    times
}
