use std::cell::RefCell;

use super::*;

const NAMES: [&str; 3] = ["config.json", "model.safetensors", "state.safetensors"];

/// Files whose content says which replacement they are of.
fn fill(generation: &str) -> impl FnOnce(&mut FolderWriter<'_>) -> Result<(), CheckpointError> {
    move |folder| NAMES.iter().try_for_each(|name| folder.write(name, |file| write!(file, "{generation}")))
}

/// What a reader sees: one generation, or a panic for a mixture.
fn generation(folder: &AtomicFolder) -> String {
    let files = folder.read(&NAMES).unwrap();
    let texts: Vec<_> = files.values().map(|bytes| String::from_utf8(bytes.clone()).unwrap()).collect();
    assert!(texts.len() == NAMES.len() && texts.iter().all(|text| text == &texts[0]), "a mixture: {texts:?}");
    texts[0].clone()
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Every state of the disk during a replacement, as a kill at that moment would leave it.
fn states_during(
    parent: &Path,
    replacement: impl FnOnce(&AtomicFolder, &mut dyn FnMut() -> io::Result<()>),
) -> Vec<tempfile::TempDir> {
    let states = RefCell::new(Vec::new());
    let mut photograph = || {
        let copy = tempfile::tempdir().unwrap();
        copy_tree(parent, copy.path());
        states.borrow_mut().push(copy);
        Ok(())
    };
    replacement(&AtomicFolder::new(parent.join("last")), &mut photograph);
    states.into_inner()
}

#[test]
fn a_kill_at_any_step_leaves_the_old_or_the_new() {
    let parent = tempfile::tempdir().unwrap();
    let folder = AtomicFolder::new(parent.path().join("last"));
    folder.replace(fill("old")).unwrap();
    let fill_watched = |folder: &AtomicFolder, observe: &mut dyn FnMut() -> io::Result<()>| {
        folder.replace_observed(fill("new"), observe).unwrap();
    };
    let states = states_during(parent.path(), fill_watched);
    assert!(states.len() >= 6, "only {} states were seen", states.len());
    let mut seen = Vec::new();
    for state in &states {
        let killed = AtomicFolder::new(state.path().join("last"));
        let before = generation(&killed);
        seen.push(before.clone());
        // A second kill, now during recovery, changes nothing either.
        for state in states_during(state.path(), |folder, observe| folder.settle(observe).unwrap()) {
            assert_eq!(generation(&AtomicFolder::new(state.path().join("last"))), before);
        }
        assert_eq!(generation(&killed), before);
        assert_eq!(names_in(state.path()), ["last"]);
        killed.replace(fill("newer")).unwrap();
        assert_eq!(generation(&killed), "newer");
    }
    assert_eq!((seen.first().unwrap().as_str(), seen.last().unwrap().as_str()), ("old", "new"));
    assert!(seen.is_sorted_by(|a, b| a >= b), "went back in time: {seen:?}");
}

#[test]
fn an_error_at_any_step_leaves_the_old_or_the_new() {
    for failing in 0.. {
        let parent = tempfile::tempdir().unwrap();
        let folder = AtomicFolder::new(parent.path().join("last"));
        folder.replace(fill("old")).unwrap();
        let mut step = 0;
        let result = folder.replace_observed(fill("new"), &mut || {
            step += 1;
            if step > failing { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        });
        let found = generation(&folder);
        if result.is_ok() {
            assert_eq!(found, "new");
            assert!(failing >= 5, "only {failing} steps were tried");
            return;
        }
        assert!(result.unwrap_err().to_string().contains("free some space"));
        folder.recover().unwrap();
        assert_eq!(generation(&folder), found);
    }
}

#[test]
fn an_error_while_filling_leaves_the_old_and_nothing_else() {
    let parent = tempfile::tempdir().unwrap();
    let folder = AtomicFolder::new(parent.path().join("last"));
    folder.replace(fill("old")).unwrap();
    let error = folder
        .replace(|folder| {
            folder.write("config.json", |file| write!(file, "new"))?;
            folder.write("model.safetensors", |_| Err(io::ErrorKind::StorageFull.into()))
        })
        .unwrap_err()
        .to_string();
    assert!(error.contains("last/model.safetensors") && error.contains("is intact"), "{error}");
    assert_eq!((generation(&folder).as_str(), names_in(parent.path())), ("old", vec!["last".to_owned()]));
}

#[test]
fn nothing_to_read_is_an_error_with_the_path() {
    let parent = tempfile::tempdir().unwrap();
    let folder = AtomicFolder::new(parent.path().join("checkpoints/best"));
    assert!(!folder.exists());
    assert!(folder.read(&NAMES).unwrap_err().to_string().contains("checkpoints/best"));
    folder.recover().unwrap();
    folder.replace(fill("first")).unwrap();
    let error = folder.read(&["optimizer"]).unwrap_err().to_string();
    assert!(folder.exists() && error.contains("best/optimizer"), "{error}");
}

#[test]
fn a_reader_overtaken_by_a_writer_starts_again() {
    let parent = tempfile::tempdir().unwrap();
    let folder = AtomicFolder::new(parent.path().join("last"));
    folder.replace(fill("0")).unwrap();
    let mut overtaken = 0;
    let files = folder
        .read_observed(&NAMES, &mut || {
            if overtaken < 3 {
                overtaken += 1;
                folder.replace(fill(&overtaken.to_string())).unwrap();
            }
        })
        .unwrap();
    assert!(overtaken == 3 && files.values().all(|bytes| bytes == b"3"), "{files:?}");
}
