//! Augmented samples with their boxes and masks in one picture:
//! `cargo run --example contact_sheet -- PATH sheet.png [--augment LIST] [--size 320] [--count 12] [--layout NAME]`.

use std::sync::Arc;

use gyrus_data::{
    DataError, Layout, Loader, LoaderConfig, Preprocess, Resize, Split, TargetKind, admit, contact_sheet,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str, default: &str| {
        let place = arguments.iter().position(|argument| argument == name);
        place.and_then(|place| arguments.get(place + 1)).map_or(default.to_string(), String::clone)
    };
    let [path, sheet, ..] = &arguments[..] else {
        let reason = "name a dataset and the picture to write".into();
        return Err(DataError::Setting { setting: "arguments".into(), reason }.into());
    };
    let layout = option("--layout", "");
    let layout = if layout.is_empty() { Layout::detect(path.as_ref())? } else { layout.parse()? };
    let (dataset, _) = admit(layout.open(path)?, 0.01);
    let (size, count): (usize, usize) = (option("--size", "320").parse()?, option("--count", "12").parse()?);
    let resize = match dataset.kind() {
        Some(TargetKind::Objects) => Resize::Letterbox,
        _ => Resize::Stretch,
    };
    let preprocess = Preprocess { fill: 0.45, ..Preprocess::new(dataset.geometry()).resized_to(size, size, resize) };
    let config = LoaderConfig {
        batch_size: count,
        shuffle: true,
        workers: 0,
        augment: option("--augment", "none").parse()?,
        object_pixels: !option("--masks", "").is_empty(),
        ..LoaderConfig::new(preprocess.clone())
    };
    let loader = Loader::new(Arc::new(dataset), Split::Train, config)?;
    if let Some(batch) = loader.epoch(0, 0).next() {
        std::fs::write(sheet, contact_sheet(&batch?, &preprocess, 4).png())?;
    }
    Ok(())
}
