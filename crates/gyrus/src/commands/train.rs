//! `gyrus train`.

use std::path::Path;

use gyrus::data::Layout;
use gyrus::tasks::{self, Config, Finished, Layer, Session, Task};
use serde_json::json;
use toml::{Table, Value};

use crate::arguments::Train;
use crate::failure::Failure;
use crate::output::{self, Output};
use crate::signals;

pub fn train(arguments: Train, output: Output) -> Result<u8, Failure> {
    let (task, layers) = resolve(&arguments, output)?;
    let config = Config::resolve(task.defaults(), &layers)?;
    let session = Session {
        runs: arguments.runs.folder,
        threads: arguments.machine.threads(),
        // A setting of the run, like all flags.
        device: None,
        progress: arguments.progress.mode,
        interrupted: signals::stop_on_request(output),
        say: &|message| output.say(message),
    };
    finish(&task.train(config, &session)?, output)
}

/// Reports what training came to: the last line on standard output.
pub fn finish(finished: &Finished, output: Output) -> Result<u8, Failure> {
    let run = finished.run.display().to_string();
    let (name, code) = if finished.is_interrupted { ("interrupted", 130) } else { ("done", 0) };
    output.result(
        || output::event(name, [("run", json!(run))], &finished.scores),
        || {
            let scores = output::table(finished.scores.iter().map(|(name, value)| (&**name, output::number(*value))));
            let next = match finished.is_interrupted {
                true => format!("interrupted; continue with `gyrus resume {run}`"),
                false => format!("run  {run}"),
            };
            format!("{scores}{next}")
        },
    )?;
    Ok(code)
}

/// The task and its settings: a config file under flags under `--set`.
fn resolve(arguments: &Train, output: Output) -> Result<(&'static dyn Task, Vec<Layer>), Failure> {
    let mut flags = flags(arguments);
    let is_config = Path::new(&arguments.source).extension().is_some_and(|extension| extension == "toml");
    let mut layers = vec![];
    if is_config {
        layers.push(Layer::from_file(Path::new(&arguments.source))?);
    } else {
        flags.insert("data".to_owned(), Value::String(arguments.source.clone()));
    }
    layers.extend([Layer::from_flags(flags), Layer::from_settings(&arguments.set)?]);
    let last = |key: &str| layers.iter().rev().find_map(|layer| layer.get(key)?.as_str());
    let task = match arguments.task.as_deref().or(last("task")) {
        Some(name) => tasks::named(name)?,
        None => guess(last("data"), output)?,
    };
    Ok((task, layers))
}

/// Each flag that was given, as the setting of its name.
fn flags(arguments: &Train) -> Table {
    let text = |value: &Option<String>| value.clone().map(Value::String);
    let Train {
        epochs,
        batch,
        lr,
        optimizer,
        model,
        init,
        seed,
        patience,
        augment,
        precision,
        allow_bad,
        name,
        machine,
        ..
    } = arguments;
    let flags = [
        ("epochs", epochs.map(Value::Integer)),
        ("batch", batch.map(Value::Integer)),
        ("lr", lr.map(Value::Float)),
        ("optimizer", text(optimizer)),
        ("model", text(model)),
        ("init", text(init)),
        ("seed", seed.map(Value::Integer)),
        ("patience", patience.map(Value::Integer)),
        ("augment", text(augment)),
        ("precision", text(precision)),
        ("allow_bad", allow_bad.map(Value::Float)),
        ("name", text(name)),
        ("threads", machine.threads.map(Value::Integer)),
        ("device", text(&machine.device)),
        ("num_devices", machine.num_devices.map(Value::Integer)),
    ];
    flags.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

/// The one task that trains on these data.
fn guess(data: Option<&str>, output: Output) -> Result<&'static dyn Task, Failure> {
    let Some(data) = data else {
        return Err(Failure::Usage("the config names neither `data` nor `task`; add `data = \"PATH\"`".to_owned()));
    };
    if let Some(task) = tasks::all().into_iter().find(|task| task.shipped_data().contains(&data)) {
        output.say(&format!("data: {data}, which come with gyrus → {}", task.name()));
        return Ok(task);
    }
    let path = Path::new(data);
    let layout = Layout::detect(path)?;
    let dataset = layout.open(path)?;
    let candidates: Vec<&dyn Task> = tasks::all().into_iter().filter(|task| task.suits(&dataset)).collect();
    match &candidates[..] {
        [task] => {
            output.say(&format!("data: {layout}: {dataset} → {}", task.name()));
            Ok(*task)
        }
        [] => Err(Failure::Usage(format!("{data}: {layout}: no task trains on such data"))),
        several => {
            let named = several.iter().map(|task| task.name()).collect::<Vec<_>>().join(", ");
            Err(Failure::Usage(format!("{data}: several tasks train on such data; choose one with --task: {named}")))
        }
    }
}
