//! The crash-safe writers against real limits of the system: full disks, size limits, a killed process.
//!
//! The tests start this program again as a child under the limit; the child runs the one ignored test `child`.
#![cfg(target_os = "linux")]

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use gyrus_checkpoint::{AtomicFolder, remove_leftovers, write_atomically};

const OLD: &[u8] = b"the old content";
const FOLDER: &str = "GYRUS_TEST_FOLDER";
const JOB: &str = "GYRUS_TEST_JOB";

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn write_a_megabyte(path: &Path) -> Result<(), gyrus_checkpoint::CheckpointError> {
    write_atomically(path, |file| file.write_all(&vec![1; 1 << 20]))
}

#[track_caller]
fn assert_old_is_intact(path: &Path, error: &str, remedy: &str) {
    assert!(error.contains(path.to_str().unwrap()) && error.contains(remedy) && error.contains("intact"), "{error}");
    assert_eq!(fs::read(path).unwrap(), OLD);
    assert_eq!(names_in(path.parent().unwrap()), ["report.html"], "a temporary was left behind");
}

#[test]
fn a_writer_that_fails_half_way() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.html");
    write_atomically(&path, |file| file.write_all(OLD)).unwrap();
    let error = write_atomically(&path, |file| {
        file.write_all(&vec![1; 3 << 20])?;
        Err(io::Error::other("the encoder gave up"))
    });
    assert_old_is_intact(&path, &error.unwrap_err().to_string(), "the encoder gave up");
}

#[test]
fn a_device_with_no_space() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.html");
    fs::write(&path, OLD).unwrap();
    let error = write_atomically(&path, |_| fs::OpenOptions::new().write(true).open("/dev/full")?.write_all(b"x"));
    assert_old_is_intact(&path, &error.unwrap_err().to_string(), "free some space");
}

#[test]
fn a_folder_that_is_not_there_or_is_a_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), OLD).unwrap();
    for (path, remedy) in [("none/report.html", "create the folder first"), ("file/report.html", "Not a directory")] {
        let error = write_a_megabyte(&folder.path().join(path)).unwrap_err().to_string();
        assert!(error.contains(path) && error.contains(remedy), "{error}");
    }
    assert!(write_a_megabyte(Path::new("/")).unwrap_err().to_string().contains("names no file"));
}

#[test]
fn a_link_is_followed_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (real, link) = (folder.path().join("real"), folder.path().join("link"));
    fs::write(&real, OLD).unwrap();
    std::os::unix::fs::symlink("real", &link).unwrap();
    write_atomically(&link, |file| file.write_all(b"new")).unwrap();
    assert!(link.is_symlink());
    assert_eq!(fs::read(real).unwrap(), b"new");
}

#[test]
fn writers_of_one_path_at_a_time_never_mix() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.html");
    std::thread::scope(|scope| {
        for letter in b'a'..b'e' {
            let path = &path;
            scope.spawn(move || {
                for _ in 0..8 {
                    write_atomically(path, |file| file.write_all(&[letter; 5000])).unwrap();
                }
            });
        }
    });
    let content = fs::read(&path).unwrap();
    assert!(content.len() == 5000 && content.iter().all(|byte| *byte == content[0]));
    assert_eq!(names_in(folder.path()), ["report.html"]);
}

/// Starts `child` of this file again through a shell that sets limits first.
fn child_under(limits: &str, folder: &Path, job: &str) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("{limits} exec \"$0\" --ignored --exact child")).arg(env::current_exe().unwrap());
    command.env(FOLDER, folder).env(JOB, job).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

#[test]
#[ignore = "runs as the child of the other tests"]
fn child() {
    let folder = env::var(FOLDER).expect("started by another test");
    let folder = Path::new(&folder);
    match env::var(JOB).unwrap().as_str() {
        "file" => {
            let path = folder.join("report.html");
            fs::write(&path, OLD).unwrap();
            let error = write_a_megabyte(&path).unwrap_err().to_string();
            assert_old_is_intact(&path, &error, &env::var("GYRUS_TEST_REMEDY").unwrap());
            write_atomically(&path, |file| file.write_all(b"new")).unwrap();
        }
        "checkpoints" => {
            let last = AtomicFolder::new(folder.join("last"));
            for generation in 0u64.. {
                let content = generation.to_le_bytes().repeat(4000);
                last.replace(|folder| {
                    folder.write("model", |file| file.write_all(&content))?;
                    folder.write("state", |file| file.write_all(&content))
                })
                .unwrap();
                write_atomically(folder.join("metrics"), |file| file.write_all(&content)).unwrap();
            }
        }
        job => panic!("no job {job}"),
    }
}

#[test]
fn a_limit_on_file_sizes() {
    let folder = tempfile::tempdir().unwrap();
    // With SIGXFSZ ignored, as it stays over exec, a write past the limit fails instead of killing the process.
    let mut child = child_under("trap '' XFSZ; ulimit -f 200;", folder.path(), "file");
    let output = child.env("GYRUS_TEST_REMEDY", "ulimit -f").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read(folder.path().join("report.html")).unwrap(), b"new");
}

#[test]
fn a_full_file_system() {
    let folder = tempfile::tempdir().unwrap();
    let allowed = Command::new("unshare").args(["-rm", "mount", "-t", "tmpfs", "none"]).arg(folder.path()).output();
    if !allowed.is_ok_and(|output| output.status.success()) {
        eprintln!("not tested: this system lets no user mount a tmpfs in a namespace of their own");
        return;
    }
    let mount = format!("mount -t tmpfs -o size=256k none {} &&", folder.path().display());
    let shell = child_under(&mount, folder.path(), "file");
    let mut unshared = Command::new("unshare");
    unshared.arg("-rm").arg("sh").args(shell.get_args());
    unshared.env(FOLDER, folder.path()).env(JOB, "file").env("GYRUS_TEST_REMEDY", "free some space");
    let output = unshared.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_process_killed_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let last = AtomicFolder::new(folder.path().join("last"));
    let mut newest = 0;
    for round in 0..12u64 {
        let mut child = child_under("", folder.path(), "checkpoints").spawn().unwrap();
        let ready = folder.path().join("metrics");
        while !ready.exists() {
            std::thread::sleep(Duration::from_millis(1));
        }
        // Different moments of the loop; the exact one does not matter to the outcome.
        std::thread::sleep(Duration::from_micros(20_000 + 1_700 * round));
        let while_running = read_generation(&last);
        child.kill().unwrap();
        child.wait().unwrap();
        let after_kill = read_generation(&last);
        assert!(after_kill >= while_running);
        newest = newest.max(after_kill);
        let metrics = fs::read(&ready).unwrap();
        assert!(metrics.len() == 32_000 && metrics.chunks(8).all(|chunk| chunk == &metrics[..8]));
        last.recover().unwrap();
        remove_leftovers(folder.path()).unwrap();
        assert_eq!(names_in(folder.path()), ["last", "metrics"]);
    }
    assert!(newest > 0, "no child got past its first checkpoint");
}

fn read_generation(last: &AtomicFolder) -> u64 {
    let files = last.read(&["model", "state"]).unwrap();
    assert!(files["model"] == files["state"] && files["model"].len() == 32_000, "a mixture of two checkpoints");
    u64::from_le_bytes(*files["model"].first_chunk().unwrap())
}
