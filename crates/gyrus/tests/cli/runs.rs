//! The folder of runs.

use std::fs;

use crate::fixtures::Workplace;

#[test]
fn runs_are_listed_shown_compared_and_removed() {
    let workplace = Workplace::with_data();
    workplace.train("a", "--lr 0.001");
    workplace.train("b", "--lr 0.002");

    let outcome = workplace.gyrus("runs ls");
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert!(lines.len() == 3 && lines[1].starts_with("image_classification/a"), "{outcome:?}");
    let listed = workplace.gyrus("runs ls --json").json();
    assert_eq!((listed.len(), &listed[1]["name"], &listed[1]["epochs"]), (2, &"b".into(), &2.into()));
    assert!(listed[0]["scores"]["test/accuracy"].is_number() && listed[0]["state"] == "complete", "{}", listed[0]);

    let shown = workplace.gyrus("runs show a");
    assert!(shown.stdout.contains("lr = 0.001") && shown.stdout.contains("report.html"), "{shown:?}");
    let shown = workplace.gyrus("runs show image_classification/a --json").last();
    assert_eq!((&shown["settings"]["lr"], &shown["name"]), (&0.001.into(), &"a".into()), "{shown}");

    let compared = workplace.gyrus("runs compare a b");
    assert!(compared.stdout.contains("lr") && !compared.stdout.contains("batch"), "{compared:?}");
    let compared = workplace.gyrus("runs compare a b --json").last();
    assert_eq!(compared["settings"]["lr"].as_array().unwrap().len(), 2, "{compared}");

    // There is no terminal here.
    workplace.gyrus("runs rm a b").assert_fails(2, &["--yes"]);
    workplace.gyrus("runs rm a c --yes").assert_fails(2, &["no run `c`"]);
    assert!(workplace.run("a").exists() && workplace.run("b").exists());
    let removed = workplace.gyrus("runs rm a --yes --json");
    assert!(removed.code == Some(0) && removed.last()["event"] == "removed", "{removed:?}");
    assert!(!workplace.run("a").exists() && workplace.run("b").exists());
}

#[test]
fn no_runs_and_no_such_run() {
    let workplace = Workplace::new();
    let outcome = workplace.gyrus("runs ls");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), ""));
    assert!(outcome.stderr.contains("gyrus train"), "{outcome:?}");
    for command in ["runs show a", "resume a", "eval a", "predict a x.png", "runs rm a --yes", "runs compare a b"] {
        workplace.gyrus(command).assert_fails(2, &["no run `a`"]);
    }
}

#[test]
fn a_run_may_be_moved_and_its_name_mistyped() {
    let workplace = Workplace::with_data();
    workplace.train("digits-small", "");
    workplace.gyrus("eval digit-small").assert_fails(2, &["did you mean `image_classification/digits-small`"]);
    fs::rename(workplace.run("digits-small"), workplace.path("elsewhere")).unwrap();
    assert_eq!(workplace.gyrus("eval elsewhere").code, Some(0));
}
