//! A folder to work in, small data, and the program.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A folder that holds small data and runs.
pub struct Workplace(TempDir);

/// What a command came to.
#[derive(Debug)]
pub struct Outcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Workplace {
    pub fn new() -> Self {
        Workplace(tempfile::tempdir().unwrap())
    }

    /// With a data set in `data`, as [`write_idx`] makes it.
    pub fn with_data() -> Self {
        let workplace = Workplace::new();
        write_idx(&workplace.path("data"), 96, 24);
        workplace
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The folder of a run.
    pub fn run(&self, name: &str) -> PathBuf {
        self.path("runs/image_classification").join(name)
    }

    /// The program with arguments, separated by spaces.
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gyrus"));
        self.prepare(&mut command).args(arguments.split_whitespace());
        command
    }

    /// The program, run by a shell: `$0` stands for it.
    pub fn shell(&self, script: &str) -> Outcome {
        let mut shell = Command::new("sh");
        self.prepare(&mut shell).args(["-c", script, env!("CARGO_BIN_EXE_gyrus")]);
        finish(shell.spawn().unwrap())
    }

    fn prepare<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("GYRUS_PJRT_CACHE", "off")
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
    }

    pub fn gyrus(&self, arguments: &str) -> Outcome {
        finish(self.command(arguments).spawn().unwrap())
    }

    /// Runs the program with bytes on standard input.
    pub fn gyrus_with_input(&self, arguments: &str, input: &[u8]) -> Outcome {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        finish(child)
    }

    /// Trains a small net for a run of this name; the other arguments may say more.
    #[track_caller]
    pub fn train(&self, name: &str, arguments: &str) -> Outcome {
        let outcome = self.gyrus(&training(name, arguments));
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        outcome
    }
}

/// The arguments that train a small net.
pub fn training(name: &str, arguments: &str) -> String {
    format!("train data --name {name} --epochs 2 --batch 8 --set baseline=false --json {arguments}")
}

pub fn finish(child: Child) -> Outcome {
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Outcome { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

impl Outcome {
    /// All lines of standard output.
    #[track_caller]
    pub fn json(&self) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.stdout.lines().map(parse).collect()
    }

    /// The last line of standard output.
    #[track_caller]
    pub fn last(&self) -> Value {
        self.json().pop().unwrap_or_else(|| panic!("nothing on standard output: {self:?}"))
    }

    /// The command failed so, in one message on standard error that has all these words.
    #[track_caller]
    pub fn assert_fails(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        let error = self.stderr.find("error: ").map(|start| &self.stderr[start..]);
        let error = error.unwrap_or_else(|| panic!("no error: {self:?}"));
        for word in words {
            assert!(error.contains(word), "`{word}` is not in: {error}");
        }
        // The report of the data checks has lines of its own.
        assert!(code == 3 || self.stderr.matches("error: ").count() == 1, "{}", self.stderr);
        assert!(!self.stderr.contains("panicked") && !self.stderr.contains("defect"), "{}", self.stderr);
    }
}

/// An image of a class among three: a bright band that lies elsewhere for each class, over noise of its own.
fn pixels(number: usize) -> Vec<u8> {
    let mut state = (number as u32 + 1).wrapping_mul(2_654_435_761);
    let class = number % 3;
    (0..SIZE * SIZE)
        .map(|place| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let is_in_band = place / SIZE / 4 == class;
            (state >> 27) as u8 + if is_in_band { 180 } else { 20 }
        })
        .collect()
}

/// Height and width of the images.
pub const SIZE: usize = 12;

/// Two pairs of IDX files.
pub fn write_idx(folder: &Path, num_train: usize, num_test: usize) {
    fs::create_dir_all(folder).unwrap();
    let header = |kind: u8, sizes: &[usize]| {
        let mut bytes = vec![0, 0, 8, kind];
        sizes.iter().for_each(|&size| bytes.extend((size as u32).to_be_bytes()));
        bytes
    };
    for (prefix, range) in [("train", 0..num_train), ("t10k", num_train..num_train + num_test)] {
        let mut images = header(3, &[range.len(), SIZE, SIZE]);
        range.clone().for_each(|number| images.extend(pixels(number)));
        fs::write(folder.join(format!("{prefix}-images-idx3-ubyte")), images).unwrap();
        let mut labels = header(1, &[range.len()]);
        labels.extend(range.map(|number| (number % 3) as u8));
        fs::write(folder.join(format!("{prefix}-labels-idx1-ubyte")), labels).unwrap();
    }
}

/// A folder of PNG files for each of these classes.
pub fn write_images(folder: &Path, classes: &[&str], per_class: usize) {
    for (class, name) in classes.iter().enumerate() {
        fs::create_dir_all(folder.join(name)).unwrap();
        for number in 0..per_class {
            let image = image::GrayImage::from_raw(SIZE as u32, SIZE as u32, pixels(3 * number + class)).unwrap();
            image.save(folder.join(name).join(format!("{number:02}.png"))).unwrap();
        }
    }
}

/// A run's files that must be the same if training was: models, optimizer, metrics.
pub fn fingerprints(run: &Path) -> Vec<(&'static str, String)> {
    let files = [
        "checkpoints/best/model.safetensors",
        "checkpoints/last/model.safetensors",
        "checkpoints/last/optimizer.safetensors",
        "checkpoints/last/progression.json",
        "metrics.jsonl",
    ];
    files.into_iter().map(|file| (file, gyrus_checkpoint::sha256_of_file(run.join(file)).unwrap())).collect()
}
