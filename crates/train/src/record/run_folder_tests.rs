use super::*;

const TASK: &str = "image_classification";

fn run_in(root: &Path, task: &str, name: &str) -> RunFolder {
    let run = RunFolder::create(root, task, name).unwrap();
    fs::write(run.config(), "seed = 1\n").unwrap();
    run
}

#[test]
fn names_are_numbered_and_never_taken_twice() {
    let root = tempfile::tempdir().unwrap();
    let create = |stem| RunFolder::create_numbered(root.path(), TASK, stem).unwrap().name().to_owned();
    assert_eq!([create("digits"), create("digits"), create("faces")], ["digits-1", "digits-2", "faces-1"]);
    // A hole is not filled: the number says what came later.
    fs::remove_dir(root.path().join(TASK).join("digits-1")).unwrap();
    assert_eq!(create("digits"), "digits-3");
    assert_eq!([create("my photos (2)"), create("../..")], ["my-photos--2-1", "run-1"]);
}

#[test]
fn an_existing_run_is_never_overwritten() {
    let root = tempfile::tempdir().unwrap();
    run_in(root.path(), TASK, "mine");
    let error = RunFolder::create(root.path(), TASK, "mine").unwrap_err().to_string();
    assert!(error.contains("mine exists already") && error.contains("gyrus resume"), "{error}");
    for name in ["", "..", ".hidden", "a/b", "a b"] {
        assert!(matches!(RunFolder::create(root.path(), TASK, name), Err(RecordError::Name(_))), "{name}");
    }
}

#[test]
fn many_processes_at_a_time_get_different_folders() {
    let root = tempfile::tempdir().unwrap();
    let mut names: Vec<_> = std::thread::scope(|scope| {
        let create = || RunFolder::create_numbered(root.path(), TASK, "digits").unwrap().name().to_owned();
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(create)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 8);
}

#[test]
fn runs_are_found_by_name_and_path() {
    let root = tempfile::tempdir().unwrap();
    let run = run_in(root.path(), TASK, "digits-2");
    run_in(root.path(), TASK, "digits-10");
    run_in(root.path(), TASK, "shared");
    run_in(root.path(), "object_detection", "shared");
    RunFolder::create(root.path(), TASK, "no-config-yet").unwrap();

    let names: Vec<_> = RunFolder::list(root.path()).iter().map(RunFolder::full_name).collect();
    let image = |name: &str| format!("{TASK}/{name}");
    assert_eq!(names, [image("digits-2"), image("digits-10"), image("shared"), "object_detection/shared".to_owned()]);

    let by_path = run.path().to_str().unwrap();
    for text in ["digits-2", "image_classification/digits-2", by_path] {
        assert_eq!(RunFolder::open(root.path(), text).unwrap(), run, "{text}");
    }
    let error = RunFolder::open(root.path(), "shared").unwrap_err().to_string();
    assert!(error.contains("object_detection/shared") && error.contains("give the path"), "{error}");
    let error = RunFolder::open(root.path(), "digit-2").unwrap_err().to_string();
    assert!(error.contains("did you mean `image_classification/digits-2`"), "{error}");
    let error = RunFolder::open(root.path(), "zzz").unwrap_err().to_string();
    assert!(error.contains("gyrus runs ls"), "{error}");
    assert!(RunFolder::list(root.path().join("none")).is_empty());
}

#[test]
fn one_process_trains_a_run_at_a_time() {
    let root = tempfile::tempdir().unwrap();
    let run = run_in(root.path(), TASK, "digits-1");
    fs::write(run.path().join(".report.html.1-0.writing"), "half").unwrap();
    let lock = run.lock().unwrap();
    assert!(!run.path().join(".report.html.1-0.writing").exists());
    assert!(run.lock().unwrap_err().to_string().contains("being trained"));
    assert!(run.clone().remove().is_err());
    drop(lock);
    let path = run.path().to_owned();
    run.remove().unwrap();
    assert!(!path.exists());
}
