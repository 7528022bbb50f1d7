//! What can be said, and what is said to mistakes.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::fixtures::{Workplace, finish, training};

#[test]
fn help_is_short_and_fast() {
    let workplace = Workplace::new();
    let run = || {
        let begin = Instant::now();
        (workplace.gyrus("--help"), begin.elapsed())
    };
    let (outcome, mut shortest) = run();
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    for command in ["train", "resume", "eval", "predict", "runs", "data", "doctor"] {
        assert!(outcome.stdout.contains(&format!("\n  {command} ")), "{}", outcome.stdout);
    }
    assert!(outcome.stdout.lines().count() < 40 && outcome.stdout.lines().all(|line| line.len() <= 112));
    // Other tests run beside this one: the fastest of some tells what it takes.
    (0..10).for_each(|_| shortest = shortest.min(run().1));
    assert!(shortest < Duration::from_millis(50), "{shortest:?}");
}

#[test]
fn every_command_has_help() {
    let workplace = Workplace::new();
    for command in ["train", "resume", "eval", "predict", "runs ls", "runs rm", "data check", "doctor"] {
        let outcome = workplace.gyrus(&format!("{command} --help"));
        assert!(outcome.code == Some(0) && outcome.stdout.contains("--json"), "{outcome:?}");
    }
    let version = workplace.gyrus("--version");
    assert_eq!(version.stdout, format!("gyrus {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn nothing_prints_the_help() {
    let outcome = Workplace::new().gyrus("");
    assert!(outcome.code == Some(2) && outcome.stderr.contains("gyrus train digits"), "{outcome:?}");
}

#[test]
fn an_unknown_flag_and_an_unknown_command() {
    let workplace = Workplace::new();
    workplace.gyrus("train digits --epoch 3").assert_fails(2, &["'--epoch'", "'--epochs'"]);
    workplace.gyrus("trian digits").assert_fails(2, &["'trian'", "'train'"]);
    workplace.gyrus("train").assert_fails(2, &["DATA|CONFIG"]);
}

#[test]
fn values_that_cannot_be() {
    let workplace = Workplace::with_data();
    for (arguments, words) in [
        ("train data --epochs many", &["many", "--epochs"][..]),
        ("train data --epochs 0", &["0", "--epochs"]),
        ("train data --threads 0", &["0", "--threads"]),
        ("train data --progress loud", &["loud", "plain"]),
        ("train data --set epochs=many", &["epochs", "integer", "string"]),
        ("train data --set epochs", &["--set epochs", "key=value"]),
        ("train data --set epoch=3", &["`epoch`", "did you mean `epochs`"]),
        ("train data --lr=-1", &["lr"]),
        ("train data --optimizer adaam", &["adaam", "adamw"]),
        ("train data --model lenet", &["lenet", "lenet5"]),
        ("train data --augment sideways", &["sideways"]),
        ("train data --task clasification", &["clasification", "image_classification"]),
        ("train data --name ../x", &["../x"]),
        ("eval x --min accuracy", &["accuracy=0.99"]),
        ("runs compare x", &["RUN"]),
    ] {
        workplace.gyrus(arguments).assert_fails(2, words);
    }
    assert!(!workplace.path("runs").exists(), "a command that cannot be leaves nothing");
}

#[test]
fn errors_are_told_to_programs_too() {
    let workplace = Workplace::new();
    let outcome = workplace.gyrus("train nowhere --json");
    outcome.assert_fails(3, &["nowhere"]);
    let event = outcome.last();
    assert!(event["event"] == "error" && event["code"] == 3 && outcome.json().len() == 1, "{event}");
    assert!(event["message"].as_str().unwrap().contains("nowhere"));
    let outcome = workplace.gyrus("--json train x --epoch 3");
    assert!(outcome.code == Some(2) && outcome.last()["code"] == 2, "{outcome:?}");
}

#[test]
fn a_config_file_says_the_same_as_flags() {
    let workplace = Workplace::with_data();
    workplace.train("flags", "--seed 5 --lr 0.003 --model mlp");
    fs::create_dir(workplace.path("configs")).unwrap();
    let config = "data = \"../data\"\nepochs = 9\nbatch = 8\nseed = 5\nlr = 0.003\nmodel = \"mlp\"\nbaseline = false\n";
    fs::write(workplace.path("configs/small.toml"), config).unwrap();
    let outcome = workplace.gyrus("train configs/small.toml --epochs 2 --name config");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let model = |name: &str| fs::read(workplace.run(name).join("checkpoints/best/model.safetensors")).unwrap();
    assert!(model("flags") == model("config"));
    let saved = fs::read_to_string(workplace.run("config").join("config.toml")).unwrap();
    assert!(saved.contains("epochs = 2") && saved.contains("batch = 8"), "{saved}");

    // What a run has saved trains another one.
    let again = "train runs/image_classification/flags/config.toml --name again";
    assert_eq!(workplace.gyrus(again).code, Some(0), "{:?}", workplace.gyrus(again));
    assert!(model("flags") == model("again"));
}

#[test]
fn mistakes_in_a_config_are_named_with_their_line() {
    let workplace = Workplace::with_data();
    for (text, words) in [
        ("data = \"data\"\n\nepoch = 3\n", &["x.toml, line 3", "did you mean `epochs`"][..]),
        ("data = \"data\"\nepochs = = 3\n", &["x.toml, line 2", "TOML"]),
        ("data = \"data\"\nlr = \"fast\"\n", &["x.toml, line 2", "`lr`", "float"]),
        ("epochs = 3\n", &["`data`"]),
    ] {
        fs::write(workplace.path("x.toml"), text).unwrap();
        workplace.gyrus("train x.toml").assert_fails(2, words);
    }
    workplace.gyrus("train none.toml").assert_fails(2, &["none.toml", "check the spelling"]);
}

#[test]
fn doctor_knows_the_machine() {
    let workplace = Workplace::new();
    let outcome = workplace.gyrus("doctor --json --threads 1");
    let facts = outcome.last();
    assert_eq!((outcome.code, &facts["threads"]), (Some(0), &1.into()), "{outcome:?}");
    assert!(facts["self_test"].as_object().unwrap().values().all(|passed| passed == true), "{facts}");
    assert!(facts["runs_free_bytes"].as_u64().unwrap() > 0 && facts["environment"]["num_cores"].as_u64().unwrap() > 0);
    let outcome = finish(workplace.command("doctor").env("GYRUS_ISA", "portable").spawn().unwrap());
    assert!(outcome.code == Some(0) && outcome.stdout.contains("portable, as GYRUS_ISA says"), "{outcome:?}");
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let workplace = Workplace::new();
    let mut child = workplace.command("doctor").spawn().unwrap();
    drop(child.stdout.take());
    let outcome = finish(child);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
}

#[test]
#[cfg(target_os = "linux")]
fn output_that_cannot_be_written_is_an_error() {
    let workplace = Workplace::new();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let outcome = finish(workplace.command("doctor").stdout(Stdio::from(full)).spawn().unwrap());
    outcome.assert_fails(1, &["standard output", "No space"]);
}

#[test]
#[cfg(target_os = "linux")]
fn out_of_memory_has_its_own_exit_code() {
    let workplace = Workplace::with_data();
    let outcome =
        workplace.shell(&format!("ulimit -v 1000000; exec \"$0\" {}", training("x", "--set image_size=20000")));
    outcome.assert_fails(5, &["out of memory", "--batch"]);
}
