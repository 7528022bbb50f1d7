//! The command line of the benchmarks.

use std::time::Duration;

use gyrus::Precision;

pub const USAGE: &str = "\
cargo run --release -p xtask -- bench [FILTER] [OPTION]...

  FILTER             names of workloads or parts of them, separated by commas: W4,infer (--only FILTER as well)
  --json             one JSON object a line, as the peers' scripts print them
  --profile          the time of each kernel of one call
  --roofline         the work of each workload, and how close it comes to the machine's limits
  --seconds S        how long each workload is timed; 4 if not given
  --threads N        how many threads compute; all if not given
  --device NAME      where it is computed: cpu, if not given, or an accelerator
  --check            instead of timing, compares the results of some calls with those of the CPU
  --precision NAME   how exactly products of layers and their gradients are computed: f32, tf32 or bf16";

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Names of workloads or parts of them; all workloads if empty.
    pub filter: Vec<String>,
    pub json: bool,
    pub profile: bool,
    pub roofline: bool,
    pub check: bool,
    pub seconds: Option<f64>,
    pub threads: Option<usize>,
    pub device: Option<String>,
    pub precision: Precision,
}

impl Options {
    pub fn parse(arguments: &[String]) -> Result<Options, String> {
        let mut options = Options::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("bench: {argument} needs a value\n\n{USAGE}"));
            let names = |list: &str| list.split(',').map(str::to_owned).collect::<Vec<_>>();
            match argument.as_str() {
                "--json" => options.json = true,
                "--profile" => options.profile = true,
                "--roofline" => options.roofline = true,
                "--check" => options.check = true,
                "--only" => options.filter.extend(names(value()?)),
                "--seconds" => {
                    let seconds = value()?.parse().ok().filter(|&seconds| Duration::try_from_secs_f64(seconds).is_ok());
                    options.seconds = Some(seconds.ok_or("bench: --seconds takes a number that is not negative")?);
                }
                "--threads" => {
                    let threads = value()?.parse().ok().filter(|&threads| threads > 0);
                    options.threads = Some(threads.ok_or("bench: --threads takes a number, at least 1")?);
                }
                "--device" => options.device = Some(value()?.clone()),
                "--precision" => {
                    let name = value()?;
                    let precision = if name == "f32" { Some(Precision::Full) } else { Precision::named(name) };
                    options.precision =
                        precision.ok_or_else(|| format!("bench: --precision {name}: must be f32, tf32 or bf16"))?;
                }
                option if option.starts_with('-') => {
                    return Err(format!("bench: there is no option {option}\n\n{USAGE}"));
                }
                list => options.filter.extend(names(list)),
            }
        }
        Ok(options)
    }

    /// Whether a workload is asked for: by its name or a part of it.
    pub fn wants(&self, name: &str) -> bool {
        self.filter.is_empty() || self.filter.iter().any(|part| name.contains(part.as_str()))
    }

    /// The arguments that ask for one workload, otherwise for the same.
    pub fn for_one(&self, name: &str) -> Vec<String> {
        let mut arguments = vec![name.to_owned()];
        let flags = [
            ("--json", self.json),
            ("--profile", self.profile),
            ("--roofline", self.roofline),
            ("--check", self.check),
        ];
        arguments.extend(flags.iter().filter(|(_, is_set)| *is_set).map(|(flag, _)| (*flag).to_owned()));
        let values = [
            ("--seconds", self.seconds.map(|seconds| seconds.to_string())),
            ("--threads", self.threads.map(|threads| threads.to_string())),
            ("--device", self.device.clone()),
            ("--precision", Some(self.precision.name().to_owned())),
        ];
        for (flag, value) in values {
            arguments.extend(value.into_iter().flat_map(|value| [flag.to_owned(), value]));
        }
        arguments
    }

    /// How long each workload is timed.
    pub fn time(&self) -> Duration {
        Duration::from_secs_f64(self.seconds.unwrap_or(4.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        Options::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn filters_and_options_are_read_in_any_order() {
        let options = parse("W4 --json --only W5,infer --seconds 0.5 --precision bf16").unwrap();
        assert_eq!(options.filter, ["W4", "W5", "infer"]);
        assert!(options.json && options.precision == Precision::Bf16 && options.seconds == Some(0.5));
        assert!(options.wants("W6-resnet18-infer-b1") && !options.wants("W3-resnet18-cifar-train-b32"));
    }

    #[test]
    fn the_options_of_one_workload_are_the_same() {
        let options = parse("W4,W5 --profile --roofline --seconds 0.25 --threads 1 --device cpu --check").unwrap();
        let one = Options::parse(&options.for_one("W4-lstm-train-b32")).unwrap();
        assert_eq!(one, Options { filter: vec!["W4-lstm-train-b32".into()], ..options });
    }

    #[test]
    fn wrong_options_are_named() {
        assert!(parse("--fast").unwrap_err().contains("--fast"));
        assert!(parse("--threads 0").unwrap_err().contains("at least 1"));
        assert!(parse("--seconds").unwrap_err().contains("needs a value"));
    }
}
