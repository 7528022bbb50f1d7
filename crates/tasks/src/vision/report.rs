//! The report of a run, and its model card.

use std::time::SystemTime;

use gyrus_data::transforms::Scratch;
use gyrus_data::{ImageBuffer, Preprocess, Split, contact_sheet};
use gyrus_train::record::{
    BaselineScore, Content, Curve, DataSummary, Environment, Evaluation, Figure, MetricsLog, Panel, Report, picture,
    timestamp,
};
use gyrus_train::trainer::Fitted;

use super::measure::Tally;
use super::predictor::Answered;
use super::training::Training;
use super::{Baseline, Galleries, Model, Predictor, Settings, VisionTask, measure, training_loader};
use crate::TaskError;

/// What a run came to.
pub struct Results<'a> {
    /// What it was measured on, and how it did.
    pub split: Split,
    pub tally: &'a dyn Tally,
    pub baselines: &'a [Baseline],
    pub fitted: &'a Fitted,
    pub num_parameters: usize,
    pub seconds: f64,
}

/// Writes `report.html` and the model card.
pub fn write<V: VisionTask>(training: &Training<V>, best: &mut Model<V>, results: &Results) -> Result<(), TaskError> {
    Ok(report(training, best, results)?.save(training.run)?)
}

fn report<V: VisionTask>(training: &Training<V>, best: &mut Model<V>, results: &Results) -> Result<Report, TaskError> {
    let Training { settings, config, data, run, .. } = training;
    let Results { fitted, baselines, .. } = results;
    let path = run.path().display().to_string();
    let mut summary = DataSummary::of(&settings.data, &data.report);
    if settings.data == "digits" {
        summary.licence = Some("MNIST, by Yann LeCun, Corinna Cortes and Christopher J.C. Burges; CC BY-SA 3.0".into());
    }
    let evaluation = evaluation(training, results)?;
    let mut panels = results.tally.panels();
    let (mut headline, mut measured) = (None, vec![]);
    // Where single classes are measured the report says all this in its own way.
    if evaluation.is_none() {
        measured = figures(training, results);
        headline = measured
            .first()
            .map(|figure| format!("It reaches {} of {} {}.", figure.name, percent(figure.value), figure.note));
        panels.extend(galleries(training, best, results.split)?);
    }
    panels.push(seen(training)?);
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
        headline,
        measured,
        evaluation,
        panels,
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
    })
}

/// The measurements of single classes, with pictures of the worst mistakes.
fn evaluation<V: VisionTask>(training: &Training<V>, results: &Results) -> Result<Option<Evaluation>, TaskError> {
    let Some(mut evaluation) = results.tally.evaluation(&results.split.to_string()) else { return Ok(None) };
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

/// What was measured, the score that decided what is best first.
fn figures<V: VisionTask>(training: &Training<V>, results: &Results) -> Vec<Figure> {
    let count = training.data.dataset.indices(results.split).len();
    let figure = |(name, value): (String, f64)| Figure {
        name: name.replace('_', " "),
        value,
        note: format!("on the {count} {} images", results.split),
    };
    let mut scores = results.tally.scores();
    scores.sort_by_key(|(name, _)| name != V::monitor(&training.description));
    scores.into_iter().map(figure).collect()
}

fn percent(share: f64) -> String {
    format!("{:.1}%", 100.0 * share)
}

/// Pictures of truth beside answer, as the model is used.
fn galleries<V: VisionTask>(
    training: &Training<V>,
    best: &mut Model<V>,
    split: Split,
) -> Result<Vec<Panel>, TaskError> {
    let Training { description, settings, data, .. } = training;
    let mut galleries = Galleries::new(&description.classes, data.dataset.indices(split).len());
    let mut predictor = Predictor::<V>::new(description, settings.mirror);
    let mut tally = V::tally(description);
    measure(&mut predictor, best, &data.dataset, split, &mut *tally, |truth, Answered { image, answer, .. }| {
        let mut answer = answer.clone();
        answer.confident(description.confidence.unwrap_or(0.0));
        galleries.see(truth, image, &answer)
    })?;
    Ok(galleries.panels(&split.to_string()))
}

/// What the network sees in training.
fn seen<V: VisionTask>(training: &Training<V>) -> Result<Panel, TaskError> {
    const NUM_IMAGES: usize = 12;
    const NUM_COLUMNS: usize = 4;
    const SIDE: usize = 960;
    let Training { description, settings, data, .. } = training;
    let settings = Settings { batch: NUM_IMAGES, ..settings.clone() };
    let loader = training_loader::<V>(description, &data.dataset, &settings)?;
    let mut content = vec![];
    if let Some(batch) = loader.epoch(0, 0).next().transpose()? {
        let sheet = contact_sheet(&batch, &description.preprocess, NUM_COLUMNS).fitted(SIDE);
        content.push(Content::Gallery(vec![(sheet.png(), String::new())]));
    }
    Ok(Panel {
        id: "seen".into(),
        title: "What the network sees".into(),
        about: "Training images as they reach the network: resized, augmented, with what is to be learnt of them."
            .into(),
        content,
    })
}
