//! What can be said on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use gyrus::Precision;
use gyrus::train::record::ProgressMode;

const EXAMPLES: &str = "\
Examples:
  gyrus train digits                       LeNet-5 on 70,000 handwritten digits
  gyrus train photos/ --epochs 20          a folder that has one folder of images a class
  gyrus resume digits-1                    go on where a run ended
  gyrus eval digits-1 --min accuracy=0.99  exits with 6 if the model is worse
  gyrus predict digits-1 scan.png          classes with probabilities
  gyrus explain digits-1 scan.png          what in the image speaks for the class, as a picture
  gyrus predict cells-1 photos/ --out found --format csv,pictures

Results go to standard output, messages to standard error.
Exit codes: 0 done, 1 failed, 2 usage, 3 bad data, 4 diverged, 5 out of memory, 6 a gate failed,
130 interrupted with a checkpoint saved.";

/// Deep learning in one binary.
#[derive(Debug, Parser)]
#[command(name = "gyrus", version, about, after_help = EXAMPLES, disable_help_subcommand = true)]
#[command(max_term_width = 110, subcommand_value_name = "COMMAND", arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,

    /// Print results as JSON, one object a line
    #[arg(long, global = true, display_order = 100)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check data, train a model on them, evaluate and report
    Train(Box<Train>),
    /// Continue a run that ended early, to the same bits as if it had not
    Resume(Resume),
    /// Measure a run's best model
    Eval(Eval),
    /// Apply a run's best model to images: files, folders, patterns, standard input
    Predict(Predict),
    /// Show which parts of an image speak for a class, as a picture
    Explain(Explain),
    /// List, show, compare and remove runs
    #[command(subcommand)]
    Runs(Runs),
    /// Look at data before training on them
    #[command(subcommand)]
    Data(Data),
    /// Tell what this machine offers, and what will be used
    Doctor(Doctor),
}

/// Each flag is the setting of the same name in a config; `--set` reaches those without a flag.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub struct Train {
    /// Data (a path, or `digits`, which come with gyrus), or a config (a .toml file)
    #[arg(value_name = "DATA|CONFIG")]
    pub source: String,
    /// Passes over the training data
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    pub epochs: Option<i64>,
    /// Samples a step
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    pub batch: Option<i64>,
    /// Learning rate
    #[arg(long, value_name = "X")]
    pub lr: Option<f64>,
    /// Optimizer: sgd, adam, adamw
    #[arg(long, value_name = "NAME")]
    pub optimizer: Option<String>,
    /// Model, by name
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// What the model starts from: a run, a safetensors file, a PyTorch state dict
    #[arg(long, value_name = "RUN|FILE")]
    pub init: Option<String>,
    /// What all randomness depends on
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(0..))]
    pub seed: Option<i64>,
    /// Stop after so many epochs without a better validation result; 0 for never
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(0..))]
    pub patience: Option<i64>,
    /// Random changes of training samples: none, light, strong, or a list of operations
    #[arg(long, value_name = "HOW")]
    pub augment: Option<String>,
    /// How exactly products are computed in training
    #[arg(long, value_parser = Precision::ALL.map(Precision::name))]
    pub precision: Option<String>,
    /// Set aside samples with something wrong, if they are at most this share of all, as in 1%
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub allow_bad: Option<f64>,
    /// Name of the run [default: that of the data, numbered]
    #[arg(long)]
    pub name: Option<String>,
    /// What to learn, where the data leave a choice
    #[arg(long)]
    pub task: Option<String>,
    /// Any other setting, as in a config; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    #[command(flatten)]
    pub machine: Machine,
    #[command(flatten)]
    pub progress: Progress,
    #[command(flatten)]
    pub runs: RunsFolder,
}

#[derive(Debug, Args)]
pub struct Resume {
    /// Name or path of the run
    pub run: String,
    #[command(flatten)]
    pub machine: Machine,
    #[command(flatten)]
    pub progress: Progress,
    #[command(flatten)]
    pub runs: RunsFolder,
}

#[derive(Debug, Args)]
pub struct Eval {
    /// Name or path of the run
    pub run: String,
    /// Other data than the test data of the run
    #[arg(long, value_name = "DATA")]
    pub data: Option<String>,
    /// Exit with 6 if the metric is below the value; may be given several times
    #[arg(long, value_name = "METRIC=VALUE", value_parser = gate)]
    pub min: Vec<(String, f64)>,
    /// Look at each image and its mirror image, and measure answers by both
    #[arg(long)]
    pub mirror: bool,
    #[command(flatten)]
    pub machine: Machine,
    #[command(flatten)]
    pub runs: RunsFolder,
}

#[derive(Debug, Args)]
pub struct Predict {
    /// Name or path of the run
    pub run: String,
    /// Files, folders, patterns in quotes ('photos/**/*.jpg'), or `-` for standard input
    #[arg(value_name = "SOURCE", required = true)]
    pub sources: Vec<String>,
    /// What to write: text, json, csv, yolo, coco, masks, pictures; several with commas, into --out
    #[arg(long, value_name = "FORMAT", value_delimiter = ',')]
    pub format: Vec<String>,
    /// Folder to write files into [default formats: json, pictures]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Leave out what the model is less sure of [default: chosen on the validation data]
    #[arg(long, value_name = "X")]
    pub confidence: Option<f64>,
    /// Look at each image and its mirror image, and answer by both
    #[arg(long)]
    pub mirror: bool,
    #[command(flatten)]
    pub machine: Machine,
    #[command(flatten)]
    pub runs: RunsFolder,
}

#[derive(Debug, Args)]
pub struct Explain {
    /// Name or path of the run
    pub run: String,
    /// An image, or `-` for standard input
    pub source: String,
    /// How: gradcam, saliency, integrated-gradients, occlusion, smoothgrad
    #[arg(long, value_name = "METHOD", default_value = "gradcam")]
    pub method: String,
    /// The class to explain [default: the one that the model is surest of]
    #[arg(long, value_name = "NAME")]
    pub class: Option<String>,
    /// File for the picture [default: the image's name with the method]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Compare with networks of random weights: an explanation that stays the same shows nothing learnt
    #[arg(long)]
    pub check: bool,
    #[command(flatten)]
    pub machine: Machine,
    #[command(flatten)]
    pub runs: RunsFolder,
}

#[derive(Debug, Args)]
pub struct Doctor {
    /// Load this plug-in, say what it shows, and nothing else: what a doctor does in a process apart
    #[arg(long, hide = true, value_name = "PLUG-IN")]
    pub look_at: Option<PathBuf>,
    #[command(flatten)]
    pub machine: Machine,
    #[command(flatten)]
    pub runs: RunsFolder,
}

#[derive(Debug, Subcommand)]
pub enum Runs {
    /// List all runs
    Ls(RunsFolder),
    /// Show a run: settings, results, where its report is
    Show {
        /// Name or path of the run
        run: String,
        #[command(flatten)]
        runs: RunsFolder,
    },
    /// Show in what runs differ: settings and results
    Compare {
        /// Names or paths of the runs
        #[arg(value_name = "RUN", num_args = 2.., required = true)]
        names: Vec<String>,
        #[command(flatten)]
        runs: RunsFolder,
    },
    /// Remove runs, with all their files
    Rm {
        /// Names or paths of the runs
        #[arg(value_name = "RUN", required = true)]
        names: Vec<String>,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
        #[command(flatten)]
        runs: RunsFolder,
    },
}

#[derive(Debug, Subcommand)]
pub enum Data {
    /// Read all samples and report what is wrong with them; exits with 3 if something is
    Check {
        /// A path, or `digits`, which come with gyrus
        #[arg(value_name = "DATA")]
        data: String,
        /// Set aside samples with something wrong, if they are at most this share of all, as in 1%
        #[arg(long, value_name = "SHARE", value_parser = share, default_value = "0%")]
        allow_bad: f64,
    },
}

#[derive(Debug, Args)]
pub struct Machine {
    /// Threads that compute [default: all processors]; results do not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..=256))]
    pub threads: Option<i64>,
    /// Where to compute: cpu, cuda, rocm, tpu and others (`gyrus doctor` lists them), or pjrt:PATH
    #[arg(long, value_name = "NAME")]
    pub device: Option<String>,
    /// How many of these devices, each with its share of every batch
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    pub num_devices: Option<i64>,
}

#[derive(Debug, Args)]
pub struct Progress {
    /// How progress is shown: auto, bar, plain, none
    #[arg(long = "progress", value_name = "HOW", default_value = "auto")]
    pub mode: ProgressMode,
}

#[derive(Debug, Args)]
pub struct RunsFolder {
    /// Folder of all runs
    #[arg(long = "runs", value_name = "DIR", default_value = "runs")]
    pub folder: PathBuf,
}

fn gate(text: &str) -> Result<(String, f64), String> {
    let (metric, value) = text.split_once('=').ok_or("write METRIC=VALUE, as in accuracy=0.99")?;
    match value.trim().parse() {
        Ok(value) if !f64::is_nan(value) => Ok((metric.trim().to_owned(), value)),
        _ => Err(format!("`{value}` is not a number; write METRIC=VALUE, as in accuracy=0.99")),
    }
}

/// A share, written as such (`0.01`) or in percent (`1%`).
fn share(text: &str) -> Result<f64, String> {
    let (number, unit) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 0.01));
    match number.trim().parse::<f64>().map(|number| number * unit) {
        Ok(share) if (0.0..1.0).contains(&share) => Ok(share),
        _ => Err("write a share of at least 0 and less than 100%, as in 1%".into()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn shares_may_be_in_percent() {
        assert_eq!((share("1%"), share("0.25")), (Ok(0.01), Ok(0.25)));
        assert!(share("100%").is_err() && share("-1%").is_err() && share("few").is_err());
    }

    #[test]
    fn gates_are_a_metric_and_a_number() {
        assert_eq!(gate("test/accuracy = 0.5"), Ok(("test/accuracy".to_owned(), 0.5)));
        assert!(gate("accuracy").is_err() && gate("accuracy=high").is_err() && gate("accuracy=NaN").is_err());
    }
}
