//! Runs that are stopped in the middle, gently or not, and go on to the same bits.
#![cfg(unix)]

use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::fixtures::{Workplace, fingerprints, finish, training};

/// Some seconds of training: small epochs, so that many checkpoints are written.
const LONG: &str = "--epochs 60 --seed 7 --augment none";

fn send(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// Waits until so many epochs have been recorded.
fn wait_for_epochs(workplace: &Workplace, name: &str, epochs: usize) {
    let metrics = workplace.run(name).join("metrics.jsonl");
    let begin = Instant::now();
    while std::fs::read_to_string(&metrics).map_or(0, |text| text.matches("validation").count()) < epochs {
        assert!(begin.elapsed() < Duration::from_secs(120), "no epoch in two minutes");
        thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn interrupted_runs_end_with_a_checkpoint_and_go_on() {
    let workplace = Workplace::with_data();
    workplace.train("whole", LONG);
    for (name, signal) in [("first", "-INT"), ("second", "-TERM")] {
        let child = workplace.command(&training(name, LONG)).spawn().unwrap();
        wait_for_epochs(&workplace, name, 2);
        send(&child, signal);
        let outcome = finish(child);
        let event = outcome.last();
        assert_eq!((outcome.code, &event["event"]), (Some(130), &"interrupted".into()), "{outcome:?}");
        assert_eq!((&event["run"], outcome.json().len()), (&format!("runs/image_classification/{name}").into(), 1));

        let listed = workplace.gyrus(&format!("runs show {name} --json")).last();
        assert_eq!(listed["state"], "unfinished");
        let resumed = workplace.gyrus(&format!("resume {name} --json"));
        assert_eq!((resumed.code, &resumed.last()["event"]), (Some(0), &"done".into()), "{resumed:?}");
        assert_eq!(fingerprints(&workplace.run(name)), fingerprints(&workplace.run("whole")));
    }
}

#[test]
fn a_run_is_trained_by_one_process_at_a_time() {
    let workplace = Workplace::with_data();
    let mut child = workplace.command(&training("a", "--epochs 1000")).spawn().unwrap();
    wait_for_epochs(&workplace, "a", 1);
    workplace.gyrus("resume a").assert_fails(1, &["being trained by another process"]);
    workplace.gyrus("runs rm a --yes").assert_fails(1, &["being trained by another process"]);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_run_killed_before_its_first_checkpoint_begins_anew() {
    let workplace = Workplace::with_data();
    workplace.train("whole", "");
    let mut child = workplace.command(&training("killed", "")).spawn().unwrap();
    let begin = Instant::now();
    while !workplace.run("killed").join("metrics.jsonl").exists() {
        assert!(begin.elapsed() < Duration::from_secs(120), "no metrics in two minutes");
        thread::sleep(Duration::from_micros(200));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let resumed = workplace.gyrus("resume killed --json");
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    assert_eq!(fingerprints(&workplace.run("killed")), fingerprints(&workplace.run("whole")));
}

#[test]
fn a_complete_run_has_nothing_to_go_on_with() {
    let workplace = Workplace::with_data();
    let done = workplace.train("a", "").last();
    let before = fingerprints(&workplace.run("a"));
    let resumed = workplace.gyrus("resume a --json");
    assert_eq!((resumed.code, &resumed.last()["test/accuracy"]), (Some(0), &done["test/accuracy"]), "{resumed:?}");
    assert_eq!(fingerprints(&workplace.run("a")), before);
}

#[test]
fn a_run_killed_at_ten_random_moments_comes_to_the_same_bits() {
    let workplace = Workplace::with_data();
    let begin = Instant::now();
    workplace.train("whole", LONG);
    let duration = begin.elapsed();
    let expected = fingerprints(&workplace.run("whole"));

    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let mut state = now.subsec_nanos();
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1 << 24)
    };
    let (mut kills, mut runs, mut moments) = (0, 0, vec![]);
    let mut name = String::new();
    let mut is_complete = true;
    while kills < 10 || !is_complete {
        if is_complete {
            runs += 1;
            name = format!("killed-{runs}");
        }
        // A process that was killed early may have left no run to resume.
        let is_new = !workplace.run(&name).join("config.toml").exists();
        if is_new {
            let _ = std::fs::remove_dir_all(workplace.run(&name));
        }
        let arguments = if is_new { training(&name, LONG) } else { format!("resume {name} --json") };
        let mut child = workplace.command(&arguments).spawn().unwrap();
        let limit = duration.mul_f64(random() * 0.4);
        let begin = Instant::now();
        let mut ended = None;
        while ended.is_none() && (kills >= 10 || begin.elapsed() < limit) {
            thread::sleep(Duration::from_millis(1));
            ended = child.try_wait().unwrap();
        }
        if ended.is_none() {
            child.kill().unwrap();
            kills += 1;
            moments.push(limit);
        }
        let outcome = finish(child);
        is_complete = ended.is_some();
        if is_complete {
            assert_eq!(outcome.code, Some(0), "after kills at {moments:?}: {outcome:?}");
            assert_eq!(fingerprints(&workplace.run(&name)), expected, "after kills at {moments:?}");
        }
    }
    assert!(kills == 10 && runs >= 1);
}
