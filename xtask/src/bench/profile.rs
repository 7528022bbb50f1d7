//! Where the time of one call goes, kernel by kernel.

use std::time::{Duration, Instant};

use gyrus::{StepSummary, StepTime};

use super::workload::Workload;

/// Steps of one kind: equal operations on equal shapes.
struct Row {
    summary: StepSummary,
    calls: usize,
    /// The median and the least of the runs.
    seconds: f64,
    least: f64,
}

/// Prints the steps of a workload that was called, those that take longest first: the median time over several runs, of all
/// steps that do the same together. Rates are of the least times, which other processes disturb least.
pub fn print(name: &str, workload: &mut dyn Workload, time: Duration) {
    let (begin, mut runs) = (Instant::now(), vec![]);
    while runs.len() < 5 || (begin.elapsed() < time && runs.len() < 200) {
        runs.push(workload.profile());
    }
    let rows = rows(&runs);
    let total: f64 = rows.iter().map(|row| row.seconds).sum();
    println!("{name}: {:.3} ms in {} steps, medians of {} runs", total * 1e3, runs[0].len(), runs.len());
    println!(
        "{:>9} {:>9} {:>6} {:>5} {:>8} {:>7}  operations and shapes",
        "ms", "least", "share", "calls", "GFLOP/s", "GB/s"
    );
    for Row { summary, calls, seconds, least } in rows {
        let rate = |amount: u64| amount as f64 * calls as f64 / least / 1e9;
        let flops = if summary.work.flops > 0 { format!("{:.1}", rate(summary.work.flops)) } else { String::new() };
        println!(
            "{:9.4} {:9.4} {:5.1}% {calls:5} {flops:>8} {:7.1}  {} {}",
            seconds * 1e3,
            least * 1e3,
            seconds / total * 100.0,
            rate(summary.work.bytes),
            summary.operations,
            summary.shapes
        );
    }
}

fn rows(runs: &[Vec<StepTime>]) -> Vec<Row> {
    let mut rows: Vec<Row> = vec![];
    for (index, step) in runs[0].iter().enumerate() {
        let mut seconds: Vec<f64> = runs.iter().map(|run| run[index].duration.as_secs_f64()).collect();
        seconds.sort_by(f64::total_cmp);
        let median = seconds[seconds.len() / 2];
        match rows.iter_mut().find(|row| row.summary == step.summary) {
            Some(row) => {
                row.calls += 1;
                row.seconds += median;
                row.least += seconds[0];
            }
            None => {
                rows.push(Row { summary: step.summary.clone(), calls: 1, seconds: median, least: seconds[0] });
            }
        }
    }
    rows.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    rows
}
