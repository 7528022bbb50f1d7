//! The report of a run, and its model card.

use std::time::SystemTime;

use gyrus_data::transforms::Scratch;
use gyrus_data::{ImageBuffer, Preprocess};
use gyrus_train::record::{
    BaselineScore, Curve, DataSummary, Environment, Evaluation, MetricsLog, Report, picture, timestamp,
};
use gyrus_train::trainer::Fitted;

use super::measure::Tally;
use super::training::Training;
use super::{Baseline, VisionTask};
use crate::TaskError;

/// What a run came to.
pub struct Results<'a> {
    /// What it was measured on, and how it did.
    pub split: &'a str,
    pub tally: &'a dyn Tally,
    pub baselines: &'a [Baseline],
    pub fitted: &'a Fitted,
    pub num_parameters: usize,
    pub seconds: f64,
}

/// Writes `report.html` and the model card.
pub fn write<V: VisionTask>(training: &Training<V>, results: &Results) -> Result<(), TaskError> {
    Ok(report(training, results)?.save(training.run)?)
}

fn report<V: VisionTask>(training: &Training<V>, results: &Results) -> Result<Report, TaskError> {
    let Training { settings, config, data, run, .. } = training;
    let Results { fitted, baselines, .. } = results;
    let path = run.path().display().to_string();
    let mut summary = DataSummary::of(&settings.data, &data.report);
    if settings.data == "digits" {
        summary.licence = Some("MNIST, by Yann LeCun, Corinna Cortes and Christopher J.C. Burges; CC BY-SA 3.0".into());
    }
    let score = |baseline: &Baseline| BaselineScore { name: baseline.name.clone(), accuracy: baseline.accuracy };
    let command = |what: &str, command: String| (what.to_owned(), command);
    Ok(Report {
        name: run.name().to_owned(),
        task: V::NAME.into(),
        model: settings.model.clone(),
        run: path.clone(),
        time: timestamp(SystemTime::now()),
        epochs: fitted.progression.epoch,
        best_epoch: fitted.progression.best.map(|(_, epoch)| epoch),
        seconds: Some(results.seconds),
        images_per_second: Some(fitted.samples_per_second).filter(|rate| *rate > 0.0),
        num_parameters: Some(results.num_parameters as u64),
        curves: Curve::from_lines(&MetricsLog::read(run.metrics())?),
        evaluation: evaluation(training, results)?,
        panels: results.tally.panels(),
        baselines: baselines.iter().map(score).collect(),
        data: summary,
        config: config.to_toml(V::NAME),
        environment: Environment::detect().facts().into_iter().map(|(name, fact)| (name.to_owned(), fact)).collect(),
        commands: vec![
            command(
                "Train the same model again",
                format!("gyrus train {path}/config.toml --name {}-again", run.name()),
            ),
            command("Apply it to images", format!("gyrus predict {path} FILE|FOLDER")),
            command("Measure it again", format!("gyrus eval {path}")),
        ],
        ..Report::default()
    })
}

/// The measurements of single classes, with pictures of the worst mistakes.
fn evaluation<V: VisionTask>(training: &Training<V>, results: &Results) -> Result<Option<Evaluation>, TaskError> {
    let Some(mut evaluation) = results.tally.evaluation(results.split) else { return Ok(None) };
    let dataset = &training.data.dataset;
    let (mut image, mut scratch) = (ImageBuffer::new(), Scratch::default());
    for mistake in &mut evaluation.mistakes {
        mistake.origin = dataset.origin(mistake.sample).to_string();
        dataset.read(mistake.sample, &mut image)?;
        // Pictures are shown as they are, in the size that the model sees.
        let Preprocess { channels, size: [height, width], .. } = training.data.preprocess;
        training.data.preprocess.fit(&mut image, &mut scratch);
        mistake.picture = Some(picture(channels, height, width, image.pixels()));
    }
    Ok(Some(evaluation))
}
