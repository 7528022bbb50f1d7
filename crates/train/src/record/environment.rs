use std::fs;
use std::path::Path;
use std::time::SystemTime;

use gyrus_checkpoint::write_atomically;
use serde::{Deserialize, Serialize};

use super::{RecordError, timestamp};

/// The machine and program of a run (`env.json`), and what `gyrus doctor` tells of them.
///
/// It names neither the host nor the user: reports get shared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// The version of gyrus.
    pub gyrus: String,
    /// The compiler that built it, if known.
    pub rustc: Option<String>,
    /// What it was built for, `x86_64-unknown-linux-gnu`.
    pub target: String,
    /// The operating system with its version.
    pub os: String,
    /// The processor's name, if the system tells.
    pub cpu: Option<String>,
    /// Instruction sets that matter for speed and are there.
    pub cpu_features: Vec<String>,
    /// Cores this process may use.
    pub num_cores: usize,
    /// Memory this process may use, in bytes: the machine's or the container's limit, whichever is less.
    pub memory_bytes: Option<u64>,
    /// When it was detected, in UTC.
    pub time: String,
    /// The command line.
    pub command: Vec<String>,
    /// The Git commit checked out where the command was given.
    pub git_commit: Option<String>,
}

impl Environment {
    /// Looks at the machine, without starting any process on Linux.
    pub fn detect() -> Self {
        Self {
            gyrus: env!("CARGO_PKG_VERSION").to_owned(),
            rustc: option_env!("GYRUS_RUSTC").map(str::to_owned),
            target: env!("GYRUS_TARGET").to_owned(),
            os: operating_system(),
            cpu: processor(),
            cpu_features: processor_features(),
            num_cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: memory(),
            time: timestamp(SystemTime::now()),
            command: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
            git_commit: std::env::current_dir().ok().and_then(|folder| git_commit(&folder)),
        }
    }

    /// What a person wants to know, as names and texts in order. Unknown facts are left out.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let gib = |bytes: u64| format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30));
        let facts = [
            ("gyrus", Some(self.gyrus.clone())),
            ("Built for", Some(self.target.clone())),
            ("Built with", self.rustc.clone()),
            ("System", Some(self.os.clone())),
            ("Processor", self.cpu.clone()),
            ("Instruction sets", Some(self.cpu_features.join(", ")).filter(|features| !features.is_empty())),
            ("Cores", Some(self.num_cores.to_string())),
            ("Memory", self.memory_bytes.map(gib)),
            ("Time", Some(self.time.clone())),
            ("Git commit", self.git_commit.clone()),
        ];
        facts.into_iter().filter_map(|(name, fact)| Some((name, fact?))).collect()
    }

    /// Writes `env.json`, crash-safe.
    ///
    /// # Errors
    /// [`RecordError::Lasting`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), RecordError> {
        Ok(write_atomically(path, |file| {
            serde_json::to_writer_pretty(&mut *file, self)?;
            file.write_all(b"\n")
        })?)
    }

    /// Reads `env.json`.
    ///
    /// # Errors
    /// [`RecordError::Read`] or [`RecordError::Malformed`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self, RecordError> {
        let path = path.as_ref();
        let text = fs::read(path).map_err(RecordError::read(path))?;
        serde_json::from_slice(&text).map_err(|error| RecordError::Malformed {
            path: path.to_owned(),
            line: error.line(),
            reason: error.to_string(),
        })
    }
}

/// The value of `key` in a file of lines `key : value` or `key="value"`.
fn line_value(path: &str, key: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let value = |line: &str| {
        let (name, value) = line.split_once([':', '='])?;
        (name.trim() == key).then(|| value.trim().trim_matches('"').to_owned())
    };
    text.lines().find_map(value)
}

/// What a program prints, where the system tells such things by a program only.
fn printed_by(program: &str, arguments: &[&str]) -> Option<String> {
    let output = std::process::Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

fn operating_system() -> String {
    let name = match std::env::consts::OS {
        "linux" => line_value("/etc/os-release", "PRETTY_NAME"),
        "macos" => printed_by("sw_vers", &["-productVersion"]).map(|version| format!("macOS {version}")),
        _ => None,
    };
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").map(|kernel| format!(", Linux {}", kernel.trim()));
    name.unwrap_or_else(|| std::env::consts::OS.to_owned()) + &kernel.unwrap_or_default()
}

fn processor() -> Option<String> {
    match std::env::consts::OS {
        "linux" => line_value("/proc/cpuinfo", "model name").or_else(|| line_value("/proc/cpuinfo", "Model")),
        "macos" => printed_by("sysctl", &["-n", "machdep.cpu.brand_string"]),
        _ => std::env::var("PROCESSOR_IDENTIFIER").ok(),
    }
}

fn processor_features() -> Vec<String> {
    #[cfg(target_arch = "x86_64")]
    let features = [
        ("AVX2", std::arch::is_x86_feature_detected!("avx2")),
        ("FMA", std::arch::is_x86_feature_detected!("fma")),
        ("F16C", std::arch::is_x86_feature_detected!("f16c")),
        ("AVX-512F", std::arch::is_x86_feature_detected!("avx512f")),
        ("AVX-512BW", std::arch::is_x86_feature_detected!("avx512bw")),
        ("AVX-512VNNI", std::arch::is_x86_feature_detected!("avx512vnni")),
        ("AVX-512BF16", std::arch::is_x86_feature_detected!("avx512bf16")),
    ];
    #[cfg(target_arch = "aarch64")]
    let features = [
        ("NEON", std::arch::is_aarch64_feature_detected!("neon")),
        ("FP16", std::arch::is_aarch64_feature_detected!("fp16")),
        ("BF16", std::arch::is_aarch64_feature_detected!("bf16")),
        ("I8MM", std::arch::is_aarch64_feature_detected!("i8mm")),
        ("SVE", std::arch::is_aarch64_feature_detected!("sve")),
    ];
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let features: [(&str, bool); 0] = [];
    features.into_iter().filter(|(_, there)| *there).map(|(name, _)| name.to_owned()).collect()
}

fn memory() -> Option<u64> {
    let machine = match std::env::consts::OS {
        "macos" => printed_by("sysctl", &["-n", "hw.memsize"])?.parse().ok()?,
        _ => line_value("/proc/meminfo", "MemTotal")?.split_whitespace().next()?.parse::<u64>().ok()? * 1024,
    };
    let limits = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let limit = |path: &str| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    limits.into_iter().filter_map(limit).chain([machine]).min()
}

/// Reads the commit from `.git` itself: starting `git` would cost more than everything else here.
fn git_commit(folder: &Path) -> Option<String> {
    let git = folder.ancestors().map(|folder| folder.join(".git")).find(|git| git.exists())?;
    let git = match fs::read_to_string(&git) {
        // A worktree has a file that names the folder.
        Ok(pointer) => folder.join(pointer.strip_prefix("gitdir:")?.trim()),
        Err(_) => git,
    };
    let head = fs::read_to_string(git.join("HEAD")).ok()?;
    let Some(reference) = head.trim().strip_prefix("ref: ") else {
        return Some(head.trim().to_owned());
    };
    let shared = fs::read_to_string(git.join("commondir")).map_or(git.clone(), |common| git.join(common.trim()));
    let loose = fs::read_to_string(shared.join(reference)).map(|commit| commit.trim().to_owned());
    let packed = || {
        let text = fs::read_to_string(shared.join("packed-refs")).ok()?;
        text.lines().find_map(|line| Some(line.strip_suffix(reference)?.trim().to_owned()))
    };
    loose.ok().or_else(packed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_detected_saved_and_loaded() {
        let environment = Environment::detect();
        assert!(environment.num_cores > 0 && environment.rustc.as_ref().unwrap().starts_with("rustc "));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("env.json");
        environment.save(&path).unwrap();
        assert_eq!(Environment::load(&path).unwrap(), environment);
        fs::write(&path, "{\n\"gyrus\": 1}").unwrap();
        assert!(Environment::load(&path).unwrap_err().to_string().contains("env.json, line 2"));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn linux_tells_processor_and_memory() {
        let facts = Environment::detect().facts();
        assert!(facts.iter().any(|(name, text)| *name == "Memory" && text.ends_with("GiB")), "{facts:?}");
        assert!(facts.iter().any(|(name, text)| *name == "System" && text.contains("Linux")), "{facts:?}");
    }

    #[test]
    fn the_commit_is_read_loose_packed_and_detached() {
        let folder = tempfile::tempdir().unwrap();
        let (git, inner) = (folder.path().join(".git"), folder.path().join("a/b"));
        fs::create_dir_all(git.join("refs/heads")).unwrap();
        fs::create_dir_all(&inner).unwrap();
        fs::write(git.join("HEAD"), "ref: refs/heads/main\n").unwrap();
        fs::write(git.join("packed-refs"), "# pack-refs\n1111 refs/heads/other\n2222 refs/heads/main\n").unwrap();
        assert_eq!(git_commit(&inner).unwrap(), "2222");
        fs::write(git.join("refs/heads/main"), "3333\n").unwrap();
        assert_eq!(git_commit(&inner).unwrap(), "3333");
        fs::write(git.join("HEAD"), "4444\n").unwrap();
        assert_eq!(git_commit(&inner).unwrap(), "4444");
    }
}
