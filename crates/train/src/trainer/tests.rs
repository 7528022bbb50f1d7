//! The trainer on a small problem: a line through points.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gyrus_nn::Layer;
use gyrus_nn::layers::Linear;
use gyrus_optim::{Adam, AdamConfig};
use gyrus_tensor::{Device, Precision, Rng, Tensor};

use super::*;
use crate::record::{Checkpoint, MetricsLog, Progress, ProgressMode, RunFolder};

struct Points {
    /// The batch with a number that is none.
    bad: Option<(usize, usize)>,
    /// Asks to stop after so many batches.
    stop_after: Option<usize>,
    seen: AtomicUsize,
    interrupted: Arc<AtomicBool>,
    validations: Vec<f64>,
}

impl Points {
    fn new() -> Self {
        Points {
            bad: None,
            stop_after: None,
            seen: AtomicUsize::new(0),
            interrupted: Arc::default(),
            validations: vec![],
        }
    }
}

impl Learner for Points {
    type Model = Linear;
    type Batch = (usize, usize);
    type Tensors = (Tensor, Tensor);

    fn objective(&self) -> ObjectiveFn<Linear, (Tensor, Tensor)> {
        Arc::new(|model, (x, y), context| {
            let error = model.forward(x, context) - y;
            Objective { loss: error.square().mean(..), metrics: vec![error.abs().sum(..)] }
        })
    }

    fn metric_names(&self) -> &[&'static str] {
        &["mean_absolute_error"]
    }

    fn num_samples(&self) -> usize {
        20
    }

    fn num_batches(&self) -> usize {
        5
    }

    fn batches(&self, epoch: usize, start: usize) -> Box<dyn Iterator<Item = Result<Self::Batch, TrainError>> + '_> {
        Box::new((start..5).map(move |batch| Ok((epoch, batch))))
    }

    /// Asked once for each batch, when its step is done.
    fn len(&self, _: &Self::Batch) -> usize {
        if self.stop_after == Some(1 + self.seen.fetch_add(1, Ordering::Relaxed)) {
            self.interrupted.store(true, Ordering::Relaxed);
        }
        4
    }

    fn fill(&self, batch: &Self::Batch, tensors: &mut (Tensor, Tensor)) {
        let mut xs: Vec<f32> = (0..8).map(|i| ((i * 7 + batch.0 * 3 + batch.1 * 5) % 11) as f32 / 11.0).collect();
        let ys: Vec<f32> = xs.chunks(2).map(|x| 2.0 * x[0] - x[1] + 0.5).collect();
        if self.bad == Some(*batch) {
            xs[3] = f32::NAN;
        }
        *tensors = (Tensor::from_slice([4, 2], &xs), Tensor::from_slice([4, 1], &ys));
    }

    fn origins(&self, batch: &Self::Batch) -> Vec<String> {
        (0..4).map(|point| format!("point {point} of batch {}", batch.1)).collect()
    }

    fn validate(&mut self, model: &mut Linear) -> Result<Vec<(String, f64)>, TrainError> {
        let value = match self.validations.is_empty() {
            true => model.parameters()[0].abs().sum(..).item(),
            false => self.validations.remove(0),
        };
        Ok(vec![("score".into(), value)])
    }
}

use gyrus_tensor::Module;

fn state() -> State<Linear> {
    let mut rng = Rng::new(5);
    let model = Linear::new(2, 1, &mut rng);
    let optimizer = Box::new(Adam::new(&model, AdamConfig::new(0.05)));
    State { model, optimizer, rng }
}

fn options(epochs: u64) -> FitOptions {
    FitOptions {
        epochs,
        patience: 0,
        monitor: Monitor { metric: "score".into(), is_maximized: true },
        clip_norm: Some(1.0),
        precision: Precision::Full,
        device: Device::Cpu,
        resume: false,
        config: serde_json::json!({"model": "line"}),
    }
}

fn train(run: &RunFolder, learner: &mut Points, options: &FitOptions) -> Result<(Fitted, State<Linear>), TrainError> {
    let mut state = state();
    let mut progress = Progress::new(ProgressMode::None, options.epochs);
    let interrupted = learner.interrupted.clone();
    let fitted = fit(learner, &mut state, run, options, &mut progress, &interrupted)?;
    Ok((fitted, state))
}

fn bits(state: &State<Linear>) -> Vec<(String, Vec<u8>)> {
    state.named_tensors().into_iter().map(|(name, _, tensor)| (name, tensor.read_bytes(<[u8]>::to_vec))).collect()
}

fn new_run() -> (tempfile::TempDir, RunFolder) {
    let folder = tempfile::tempdir().unwrap();
    let run = RunFolder::create(folder.path(), "line", "run").unwrap();
    (folder, run)
}

#[test]
fn a_run_learns_and_records() {
    let (_folder, run) = new_run();
    let (fitted, _) = train(&run, &mut Points::new(), &options(60)).unwrap();
    assert_eq!((fitted.ending, fitted.progression.step), (Ending::Complete, 300));
    let log = MetricsLog::read(run.metrics()).unwrap();
    let error = |index: usize| log[index].value("mean_absolute_error").unwrap();
    assert_eq!(log.len(), 120);
    assert!(error(118) < 0.05 * error(0), "{} to {}", error(0), error(118));
    assert!(run.checkpoint(Checkpoint::Best).exists());
}

#[test]
fn an_interrupted_run_resumes_to_the_same_bits() {
    let (_whole_folder, whole) = new_run();
    let (_, expected) = train(&whole, &mut Points::new(), &options(4)).unwrap();
    for stop_after in [1, 4, 5, 7, 19] {
        let (_folder, run) = new_run();
        let mut learner = Points { stop_after: Some(stop_after), ..Points::new() };
        let (fitted, _) = train(&run, &mut learner, &options(4)).unwrap();
        assert_eq!((fitted.ending, fitted.progression.step), (Ending::Interrupted, stop_after as u64));
        let resumed = FitOptions { resume: true, ..options(4) };
        let (fitted, found) = train(&run, &mut Points::new(), &resumed).unwrap();
        assert_eq!(fitted.ending, Ending::Complete);
        assert_eq!(bits(&found), bits(&expected), "stopped after {stop_after}");
        let log = |run: &RunFolder| std::fs::read_to_string(run.metrics()).unwrap();
        assert_eq!(log(&run), log(&whole), "stopped after {stop_after}");
    }
}

#[test]
fn a_loss_that_is_no_number_names_its_cause_and_changes_nothing() {
    let (_folder, run) = new_run();
    let mut learner = Points { bad: Some((1, 2)), ..Points::new() };
    let error = train(&run, &mut learner, &options(4)).err().unwrap().to_string();
    for part in ["step 8", "epoch 2", "tensor 0 of the batch", "point 3 of batch 2"] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn training_ends_when_nothing_becomes_better() {
    let (_folder, run) = new_run();
    let mut learner = Points { validations: vec![0.1, 0.5, 0.4, 0.5, 0.9, 0.9], ..Points::new() };
    let (fitted, _) = train(&run, &mut learner, &FitOptions { patience: 2, ..options(6) }).unwrap();
    assert_eq!((fitted.ending, fitted.progression.epoch), (Ending::Stopped, 4));
    assert_eq!(fitted.progression.best, Some((0.5, 2)));
}

#[test]
fn a_checkpoint_of_another_model_is_refused() {
    let (_folder, run) = new_run();
    train(&run, &mut Points::new(), &options(1)).unwrap();
    let mut other = Linear::new(3, 1, &mut Rng::new(0));
    let error = load_model(&run.checkpoint(Checkpoint::Best), &mut other).unwrap_err().to_string();
    assert!(error.contains("weight") && error.contains("another model"), "{error}");
}
