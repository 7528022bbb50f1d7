//! How close a workload comes to what the machine could do.

use gyrus::num_threads;
use gyrus_cpu::limits;
use gyrus_cpu::plan::Plan;
use gyrus_cpu::pool::Pool;

use super::timing::Sample;

/// Prints the machine's limits, the work, and the time that the work needs at least: its products at the rate of
/// the processor's best instruction, or its inputs and outputs at the rate of copying, whichever takes longer.
pub fn print(plan: &Plan, sample: &Sample, is_bf16: bool) {
    let work = plan.work();
    let pool = Pool::global();
    let one = Pool::new(1);
    let (flops, bytes) = (limits::flops_per_second(pool), limits::bytes_per_second(pool));
    let bf16_flops = limits::bf16_flops_per_second(pool);
    let giga = |rate: f64| rate / 1e9;
    println!(
        "  machine: f32 {:.0} GFLOP/s with one thread, {:.0} with {}{}; copies {:.1} GB/s",
        giga(limits::flops_per_second(&one)),
        giga(flops),
        num_threads(),
        bf16_flops.map_or(String::new(), |rate| format!("; bf16 {:.0} GFLOP/s", giga(rate))),
        giga(bytes)
    );
    let peak = bf16_flops.filter(|_| is_bf16).map_or(flops, |rate| rate.max(flops));
    let (by_flops, by_bytes) = (work.flops as f64 / peak, work.bytes as f64 / bytes);
    let (floor, time) = (by_flops.max(by_bytes), sample.min());
    println!(
        "  work: {:.3} GFLOP, {:.2} MB, {:.2} MB between steps; achieved {:.1} GFLOP/s, {:.1} GB/s",
        giga(work.flops as f64),
        work.bytes as f64 / 1e6,
        plan.arena_bytes() as f64 / 1e6,
        giga(work.flops as f64 / time),
        giga(work.bytes as f64 / time)
    );
    let by = if by_flops > by_bytes { "products" } else { "memory" };
    println!("  floor: {:.4} ms by {by}; the least time is {:.0} % of that speed", floor * 1e3, floor / time * 100.0);
}
