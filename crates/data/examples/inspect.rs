//! What is at a path, and what is wrong with it: `cargo run --example inspect -- PATH [--layout NAME] [--allow-bad 0.01]`.

use gyrus_data::{DataError, Layout, admit};

fn main() -> Result<(), DataError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1).map(String::as_str)
    };
    let Some(path) = arguments.first() else {
        return Err(DataError::Setting { setting: "PATH".into(), reason: "name a file or folder".into() });
    };
    let layout = match option("--layout") {
        Some(name) => name.parse()?,
        None => Layout::detect(path.as_ref())?,
    };
    println!("{layout} ({})", layout.name());
    let dataset = layout.open(path)?;
    println!("{dataset}\n");
    let allow_bad = option("--allow-bad").and_then(|text| text.parse().ok()).unwrap_or(0.0);
    let (dataset, report) = admit(dataset, allow_bad);
    println!("{report}\n\n{dataset}");
    Ok(())
}
