//! Times of contractions and windows: the best of many runs, and the rate of arithmetic.
//!
//! `cargo run --release -p gyrus-cpu --example kernel_bench [-- filter [threads]]`

use std::time::{Duration, Instant};

use gyrus_cpu::kernel::{Kernel, Run, Signature};
use gyrus_cpu::kernels::convolution::{channels_last, forward, input_grad, weight_grad};
use gyrus_cpu::kernels::gemm::{Arguments, Gemm, Operand};
use gyrus_cpu::kernels::window::{reduce_window, reduce_window_select_grad, reduce_window_sum_grad};
use gyrus_cpu::pool::{Pool, Scratch, ScratchSize};
use gyrus_graph::ops::contraction::{
    Convolution, ConvolutionInputGrad, ConvolutionWeightGrad, ConvolutionWindow, Precision,
};
use gyrus_graph::ops::reduction::{Extremum, Reduction};
use gyrus_graph::ops::window::{ReduceWindow, ReduceWindowSelectGrad, ReduceWindowSumGrad, Window};
use gyrus_graph::{DType, Spec};

/// How long each is repeated.
const PATIENCE: Duration = Duration::from_millis(300);

struct Bench {
    filter: String,
    pool: Pool,
}

fn floats(len: usize) -> Vec<f32> {
    (0..len).map(|index| ((index * 7919) % 1009) as f32 / 504.5 - 1.0).collect()
}

fn memory(size: &ScratchSize, pool: &Pool) -> (Vec<u8>, Scratch) {
    let mut memory = vec![0; size.total(pool.num_threads())];
    let scratch = Scratch::new(memory.as_mut_ptr(), size);
    (memory, scratch)
}

impl Bench {
    /// How long the calling thread has been on the processor, where the system tells it: other programs do not
    /// count.
    fn on_processor() -> Option<Duration> {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
    }

    fn report(&self, name: &str, flops: usize, run: &mut dyn FnMut()) {
        let (start, on_processor) = (Instant::now(), Self::on_processor());
        let (mut best, mut count) = (Duration::MAX, 0);
        while start.elapsed() < PATIENCE {
            let start = Instant::now();
            run();
            best = best.min(start.elapsed());
            count += 1;
        }
        let rate = |time: Duration| flops as f64 / time.as_secs_f64() / 1e9;
        print!("{name:<64} {:>10.1} us {:>7.1} GFLOP/s", best.as_secs_f64() * 1e6, rate(best));
        if let (1, Some((start, end))) = (self.pool.num_threads(), on_processor.zip(Self::on_processor())) {
            let mean = (end - start) / count;
            print!(", on the processor in the mean {:>10.1} us {:>7.1} GFLOP/s", mean.as_secs_f64() * 1e6, rate(mean));
        }
        println!();
    }

    fn gemm(&self, name: &str, [m, n, k]: [usize; 3], is_a_transposed: bool, is_b_transposed: bool) {
        if !name.contains(&self.filter) {
            return;
        }
        let of = |rows: usize, cols: usize, is_transposed: bool| {
            if is_transposed { Operand::contiguous(cols, rows).transposed() } else { Operand::contiguous(rows, cols) }
        };
        let (a, b) = (of(m, k, is_a_transposed), of(k, n, is_b_transposed));
        let gemm = Gemm { batch: 1, m, n, k, a, b, c: Operand::contiguous(m, n), accumulate: false };
        let compiled = gemm.compile(DType::F32);
        let (_memory, scratch) = memory(&compiled.scratch(), &self.pool);
        let (a, b, mut c) = (floats(m * k), floats(k * n), floats(m * n));
        self.report(name, 2 * m * n * k, &mut || {
            // SAFETY: the operands have the sizes of the product.
            unsafe {
                let (a, b, c) = (a.as_ptr().cast(), b.as_ptr().cast(), c.as_mut_ptr().cast());
                compiled.run(&Arguments::new(a, b, c), &scratch, &self.pool, None);
            }
        });
    }

    fn kernel(&self, name: &str, flops: usize, kernel: &dyn Kernel, inputs: [&Spec; 2], output: &Spec) {
        if !name.contains(&self.filter) {
            return;
        }
        let inputs = inputs.map(|spec| floats(spec.shape.num_elements()));
        let mut output = floats(output.shape.num_elements());
        let (_memory, scratch) = memory(&kernel.scratch(), &self.pool);
        let read = [inputs[0].as_ptr().cast(), inputs[1].as_ptr().cast()];
        let write = [output.as_mut_ptr().cast()];
        let run = Run { inputs: &read, outputs: &write, scratch, pool: &self.pool, epilogue: None };
        // SAFETY: the arrays have the sizes that the kernel was made for.
        self.report(name, flops, &mut || unsafe { kernel.run(&run) });
    }

    /// A kernel that reads rows, and the ones for images in channels-last order, of full precision and of `bf16`, if
    /// there are any.
    fn in_both_orders(
        &self,
        name: &str,
        flops: usize,
        kernels: [Option<Box<dyn Kernel>>; 3],
        inputs: [&Spec; 2],
        output: &Spec,
    ) {
        for (kernel, order) in kernels.into_iter().zip(["", ", channels last", ", channels last, bf16"]) {
            if let Some(kernel) = kernel {
                self.kernel(&format!("{name}{order}"), flops, &*kernel, inputs, output);
            }
        }
    }

    fn convolution(&self, name: &str, x: [usize; 4], w: [usize; 4], window: ConvolutionWindow) {
        let spatial = window.output_sizes(&x[2..], &w[2..]).expect("fits");
        let y = Spec::new([x[0], w[0], spatial[0], spatial[1]], DType::F32);
        let flops = 2 * y.shape.num_elements() * w[1] * w[2] * w[3];
        let (x, w) = (Spec::new(x, DType::F32), Spec::new(w, DType::F32));
        let specs = |a: &Spec, b: &Spec, c: &Spec| ([a.clone(), b.clone()], [c.clone()]);
        let (inputs, outputs) = specs(&x, &w, &y);
        let signature = Signature { inputs: &inputs, outputs: &outputs };
        let op = |precision: Precision| Convolution { window: window.clone(), precision };
        let channels_last = |precision: Precision| channels_last::forward(&op(precision), &signature);
        let kernels = [
            Some(forward::kernel(&op(Precision::Full), &signature)),
            channels_last(Precision::Full),
            channels_last(Precision::Bf16),
        ];
        self.in_both_orders(&format!("{name}, forward"), flops, kernels, [&x, &w], &y);
        let (inputs, outputs) = specs(&y, &w, &x);
        let signature = Signature { inputs: &inputs, outputs: &outputs };
        let op = |precision: Precision| {
            let input_spatial = x.shape[2..].to_vec();
            ConvolutionInputGrad { window: window.clone(), input_spatial, precision }
        };
        let channels_last = |precision: Precision| channels_last::input_grad(&op(precision), &signature);
        let kernels = [
            Some(input_grad::kernel(&op(Precision::Full), &signature)),
            channels_last(Precision::Full),
            channels_last(Precision::Bf16),
        ];
        self.in_both_orders(&format!("{name}, input's gradient"), flops, kernels, [&y, &w], &x);
        let (inputs, outputs) = specs(&x, &y, &w);
        let signature = Signature { inputs: &inputs, outputs: &outputs };
        let op = |precision: Precision| {
            let kernel_spatial = w.shape[2..].to_vec();
            ConvolutionWeightGrad { window: window.clone(), kernel_spatial, precision }
        };
        let channels_last = |precision: Precision| channels_last::weight_grad(&op(precision), &signature);
        let kernels = [
            Some(weight_grad::kernel(&op(Precision::Full), &signature)),
            channels_last(Precision::Full),
            channels_last(Precision::Bf16),
        ];
        self.in_both_orders(&format!("{name}, weight's gradient"), flops, kernels, [&x, &y], &w);
    }

    /// The convolutions of a residual network, for images of 32 by 32 or 224 by 224.
    fn residual_network(&self, images: usize, size: usize) {
        let name = |text: String| format!("conv ResNet {images} of {size} by {size}, {text}");
        let window = |stride: usize, padding: i64| ConvolutionWindow {
            stride: vec![stride; 2],
            padding: vec![(padding, padding); 2],
            ..ConvolutionWindow::new(2)
        };
        let mut side = size;
        if size == 224 {
            self.convolution(&name("stem".into()), [images, 3, 224, 224], [64, 3, 7, 7], window(2, 3));
            side = 56;
        } else {
            self.convolution(&name("stem".into()), [images, 3, size, size], [64, 3, 3, 3], window(1, 1));
        }
        for channels in [64, 128, 256, 512] {
            if channels > 64 {
                let (x, half) = ([images, channels / 2, side, side], channels / 2);
                let text = format!("{half} to {channels}, 3 by 3, by 2");
                self.convolution(&name(text), x, [channels, half, 3, 3], window(2, 1));
                let text = format!("{half} to {channels}, 1 by 1, by 2");
                self.convolution(&name(text), x, [channels, half, 1, 1], window(2, 0));
                side /= 2;
            }
            let text = format!("{channels}, 3 by 3, on {side}");
            self.convolution(&name(text), [images, channels, side, side], [channels, channels, 3, 3], window(1, 1));
        }
    }

    fn pooling(&self, name: &str, x: [usize; 4], window: Window) {
        let spatial = window.output_sizes(&x[2..]).expect("fits");
        let y = Spec::new([x[0], x[1], spatial[0], spatial[1]], DType::F32);
        let (x, count) = (Spec::new(x, DType::F32), x.iter().product());
        let (inputs, outputs) = ([x.clone(), y.clone()], [y.clone()]);
        for reduction in [Reduction::Max, Reduction::Sum] {
            let op = ReduceWindow { reduction, window: window.clone() };
            let kernel = reduce_window::kernel(&op, &Signature { inputs: &inputs[..1], outputs: &outputs });
            self.kernel(&format!("{name}, {reduction:?}"), count, &*kernel, [&x, &y], &y);
        }
        let op = ReduceWindowSelectGrad { extremum: Extremum::Max, window: window.clone() };
        let signature = Signature { inputs: &inputs, outputs: &inputs[..1] };
        let kernel = reduce_window_select_grad::kernel(&op, &signature);
        self.kernel(&format!("{name}, Max's gradient"), count, &*kernel, [&x, &y], &x);
        let op = ReduceWindowSumGrad { window, input_spatial: x.shape[2..].to_vec() };
        let signature = Signature { inputs: &inputs[1..], outputs: &inputs[..1] };
        let kernel = reduce_window_sum_grad::kernel(&op, &signature);
        self.kernel(&format!("{name}, Sum's gradient"), count, &*kernel, [&y, &y], &x);
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let filter = arguments.next().unwrap_or_default();
    let threads = arguments.next().map_or(2, |threads| threads.parse().expect("a number of threads"));
    let bench = Bench { filter, pool: Pool::new(threads) };
    for size in [256, 512, 1024, 2048] {
        bench.gemm(&format!("gemm {size}^3"), [size; 3], false, false);
    }
    bench.gemm("gemm 1024^3, b transposed", [1024; 3], false, true);
    bench.gemm("gemm 1024^3, a transposed", [1024; 3], true, false);
    for [n, k] in [[120, 400], [84, 120], [10, 84]] {
        bench.gemm(&format!("gemm linear [64, {k}] to [64, {n}]"), [64, n, k], false, true);
        bench.gemm(&format!("gemm linear [64, {k}] to [64, {n}], input's gradient"), [64, k, n], false, false);
        bench.gemm(&format!("gemm linear [64, {k}] to [64, {n}], weight's gradient"), [n, k, 64], true, false);
    }
    bench.gemm("gemm 4096 by vector", [4096, 1, 4096], false, false);
    bench.gemm("gemm vector by 4096", [1, 4096, 4096], false, false);
    bench.gemm("gemm vector by 256", [1, 256, 256], false, false);
    let plain = || ConvolutionWindow::new(2);
    let same = || ConvolutionWindow { padding: vec![(1, 1); 2], ..plain() };
    bench.convolution("conv LeNet 1", [64, 1, 32, 32], [6, 1, 5, 5], plain());
    bench.convolution("conv LeNet 2", [64, 6, 14, 14], [16, 6, 5, 5], plain());
    bench.convolution("conv LeNet 3", [64, 16, 5, 5], [120, 16, 5, 5], plain());
    bench.convolution("conv 64 to 64, 3 by 3, on 4 of 128 by 128", [4, 64, 128, 128], [64, 64, 3, 3], same());
    bench.convolution("conv 256 to 256, 3 by 3, on 4 of 14 by 14", [4, 256, 14, 14], [256, 256, 3, 3], same());
    let strided = ConvolutionWindow { stride: vec![2, 2], ..same() };
    bench.convolution("conv 64 to 128, 3 by 3, by 2, on 4 of 56 by 56", [4, 64, 56, 56], [128, 64, 3, 3], strided);
    let depthwise = ConvolutionWindow { groups: 128, ..same() };
    bench.convolution("conv depthwise 128, 3 by 3, on 4 of 56 by 56", [4, 128, 56, 56], [128, 1, 3, 3], depthwise);
    bench.convolution("conv 64 to 256, 1 by 1, on 4 of 56 by 56", [4, 64, 56, 56], [256, 64, 1, 1], plain());
    for (images, size) in [(32, 32), (1, 224), (8, 224)] {
        bench.residual_network(images, size);
    }
    bench.pooling("pool LeNet 1", [64, 6, 28, 28], Window::tiles(&[2, 2]));
    bench.pooling("pool LeNet 2", [64, 16, 10, 10], Window::tiles(&[2, 2]));
    let overlapping = Window { stride: vec![2, 2], padding: vec![(1, 1); 2], ..Window::tiles(&[3, 3]) };
    bench.pooling("pool 3 by 3, by 2, on 4 of 112 by 112", [4, 64, 112, 112], overlapping);
}
