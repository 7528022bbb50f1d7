//! `gyrus eval`.

use gyrus::tasks::Evaluation;
use serde_json::json;

use super::{open_run, session};
use crate::arguments::Eval;
use crate::failure::Failure;
use crate::output::{self, Output};

pub fn eval(arguments: Eval, output: Output) -> Result<u8, Failure> {
    let (run, task) = open_run(&arguments.runs.folder, &arguments.run)?;
    let say = |message: &str| output.say(message);
    let session = session(&arguments.runs, &arguments.machine, &say)?;
    let evaluation = Evaluation { data: arguments.data.clone(), mirror: arguments.mirror };
    let scores = task.evaluate(&run, &evaluation, &session)?;
    let facts = [("run", json!(run.path().display().to_string())), ("data", json!(arguments.data))];
    let printed = output.result(
        || output::event("evaluated", facts, &scores),
        || output::table(scores.iter().map(|(name, value)| (&**name, output::number(*value)))),
    );
    // That nobody reads the scores must not open the gate.
    judge(&scores, &arguments.min)?;
    printed?;
    Ok(0)
}

fn judge(scores: &[(String, f64)], gates: &[(String, f64)]) -> Result<(), Failure> {
    let mut failed = vec![];
    for (metric, minimum) in gates {
        let value = find(scores, metric)?;
        // NaN does not pass.
        if value.is_nan() || value < *minimum {
            failed.push(format!("{metric} is {value}, below {minimum}"));
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(Failure::Gate(failed.join("; "))) }
}

/// The value of a metric, which may be named without its split.
fn find(scores: &[(String, f64)], metric: &str) -> Result<f64, Failure> {
    if let Some((_, value)) = scores.iter().find(|(name, _)| name == metric) {
        return Ok(*value);
    }
    let suffix = format!("/{metric}");
    let named: Vec<&(String, f64)> = scores.iter().filter(|(name, _)| name.ends_with(&suffix)).collect();
    match named[..] {
        [(_, value)] => Ok(*value),
        _ => {
            let all: Vec<&str> = scores.iter().map(|(name, _)| name.as_str()).collect();
            Err(Failure::Usage(format!("--min {metric}: must be one of {}", all.join(", "))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates() {
        let scores = [("test/accuracy".to_owned(), 0.9), ("test/loss".to_owned(), f64::NAN)];
        let code = |metric: &str, minimum| {
            judge(&scores, &[(metric.to_owned(), minimum)]).map_or_else(|failure| failure.exit_code(), |()| 0)
        };
        assert_eq!((code("accuracy", 0.9), code("test/accuracy", 0.5)), (0, 0));
        assert_eq!((code("accuracy", 0.91), code("loss", 0.0)), (6, 6));
        assert_eq!((code("recall", 0.5), code("curacy", 0.5)), (2, 2));
    }
}
