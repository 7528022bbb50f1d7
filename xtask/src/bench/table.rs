//! A Markdown table from JSON lines of this benchmark and of the peers' scripts.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

pub const USAGE: &str = "\
cargo run -p xtask -- bench-table FILE...

  FILE               JSON lines of the benchmark or of a peer's script";

const OWN: &str = "gyrus";

/// The median times of each workload in milliseconds, by peer; of several runs the least.
type Times = BTreeMap<Workload, BTreeMap<String, f64>>;

/// A workload's name, in the order of its letter, then its number.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Workload {
    order: (char, usize),
    name: String,
}

impl Workload {
    fn new(name: String) -> Workload {
        let number: String = name.chars().skip(1).take_while(char::is_ascii_digit).collect();
        let order = (name.chars().next().unwrap_or_default(), number.parse().unwrap_or_default());
        Workload { order, name }
    }
}

/// Prints the table of the files' measurements.
pub fn run(files: &[String]) -> Result<(), String> {
    if files.is_empty() || files.iter().any(|file| file.starts_with('-')) {
        return Err(USAGE.into());
    }
    let mut times = Times::new();
    for file in files {
        let text = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
        for (number, line) in text.lines().enumerate().filter(|(_, line)| line.starts_with('{')) {
            add(&mut times, line).map_err(|error| format!("{file}, line {}: {error}", number + 1))?;
        }
    }
    print!("{}", table(&times));
    Ok(())
}

fn add(times: &mut Times, line: &str) -> Result<(), String> {
    let record: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let text = |key: &str| record[key].as_str().map(str::to_owned).ok_or(format!("there is no text \"{key}\""));
    let median = record["median_ms"].as_f64().ok_or("there is no number \"median_ms\"")?;
    // Another precision is another workload.
    let (peer, workload) = (text("peer")?, text("w")?);
    let reduced =
        ["tf32", "bf16"].into_iter().find_map(|name| Some((peer.strip_suffix(name)?.strip_suffix('-')?, name)));
    let (peer, workload) = match reduced {
        Some((peer, precision)) => (peer.to_owned(), format!("{workload} ({precision})")),
        None => (peer, workload),
    };
    let least = times.entry(Workload::new(workload)).or_default().entry(peer).or_insert(median);
    *least = least.min(median);
    Ok(())
}

/// One row for each workload: the times of this project and of all others, and the ratio of the best other's to
/// its own.
fn table(times: &Times) -> String {
    let mut others: Vec<&String> = times.values().flat_map(BTreeMap::keys).filter(|peer| *peer != OWN).collect();
    others.sort_unstable();
    others.dedup();
    let mut table = format!("| workload | {OWN} |");
    others.iter().for_each(|peer| table += &format!(" {peer} |"));
    table += " best other / gyrus |\n| --- | --: |";
    table += &" --: |".repeat(others.len() + 1);
    table += "\n";
    let cell = |time: Option<f64>| time.map(milliseconds).unwrap_or_default();
    for (Workload { name, .. }, by_peer) in times {
        let own = by_peer.get(OWN).copied();
        let best = others.iter().filter_map(|peer| by_peer.get(*peer)).copied().min_by(f64::total_cmp);
        table += &format!("| {name} | {} |", cell(own));
        others.iter().for_each(|peer| table += &format!(" {} |", cell(by_peer.get(*peer).copied())));
        let ratio = own.zip(best).map(|(own, best)| format!("{:.2}", best / own)).unwrap_or_default();
        table += &format!(" {ratio} |\n");
    }
    table
}

/// Three significant digits.
fn milliseconds(time: f64) -> String {
    let digits = (2 - time.abs().max(1e-9).log10().floor() as i32).max(0) as usize;
    format!("{time:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_of_the_best_other() {
        let mut times = Times::new();
        for line in [
            r#"{"peer": "gyrus", "w": "W1", "median_ms": 0.5}"#,
            r#"{"peer": "torch-eager", "w": "W1", "median_ms": 1.25}"#,
            r#"{"peer": "torch-compile", "w": "W1", "median_ms": 1.0, "note": "x"}"#,
            r#"{"peer": "torch-compile", "w": "W1", "median_ms": 1.5}"#,
            r#"{"peer": "torch-compile", "w": "W10", "median_ms": 1234.5}"#,
            r#"{"peer": "torch-compile", "w": "W2", "median_ms": 22.25}"#,
            r#"{"peer": "gyrus-bf16", "w": "W1", "median_ms": 0.25}"#,
        ] {
            add(&mut times, line).unwrap();
        }
        let expected = "\
| workload | gyrus | torch-compile | torch-eager | best other / gyrus |
| --- | --: | --: | --: | --: |
| W1 | 0.500 | 1.00 | 1.25 | 2.00 |
| W1 (bf16) | 0.250 |  |  |  |
| W2 |  | 22.2 |  |  |
| W10 |  | 1234 |  |  |
";
        assert_eq!(table(&times), expected);
        assert!(add(&mut times, r#"{"peer": "gyrus"}"#).unwrap_err().contains("median_ms"));
    }
}
