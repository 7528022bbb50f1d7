//! `gyrus data check`.

use gyrus::data::{self, Dataset, shipped};
use serde_json::{Value, json};

use crate::arguments::Data;
use crate::failure::Failure;
use crate::output::Output;

pub fn data(command: Data, output: Output) -> Result<u8, Failure> {
    let Data::Check { data: name, allow_bad } = command;
    let dataset = match name.as_str() {
        "digits" => shipped::digits()?,
        path => Dataset::open(path)?,
    };
    let (_, report) = data::admit(dataset, allow_bad);
    let json = || {
        let mut event = json!({ "event": "checked", "data": name, "passed": report.passed() });
        if let (Value::Object(event), Ok(Value::Object(report))) = (&mut event, serde_json::to_value(&report)) {
            event.extend(report);
        }
        event
    };
    output.result(json, || report.to_string())?;
    match report.passed() {
        true => Ok(0),
        false => Err(Failure::BadData(format!("{name}: the data did not pass the checks"))),
    }
}
