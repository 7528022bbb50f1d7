//! What a compiler is told beside the program: a `CompileOptionsProto`, written by hand.
//!
//! Source: `xla/pjrt/proto/compile_options.proto`, `xla/xla_data.proto` of OpenXLA, and the encoding of Protocol
//! Buffers.

use std::path::Path;

/// Numbers of the fields that are written.
mod field {
    /// `CompileOptionsProto.executable_build_options`
    pub const EXECUTABLE_BUILD_OPTIONS: u64 = 3;
    /// `CompileOptionsProto.env_option_overrides`, a map
    pub const OVERRIDES: u64 = 7;
    /// Of an entry of a map.
    pub const KEY: u64 = 1;
    pub const VALUE: u64 = 2;
    /// `OptionOverrideProto.string_field`
    pub const TEXT: u64 = 1;
    /// `OptionOverrideProto.bool_field`
    pub const BOOL: u64 = 2;
    /// `ExecutableBuildOptionsProto.device_ordinal`
    pub const DEVICE_ORDINAL: u64 = 1;
    /// `ExecutableBuildOptionsProto.num_replicas`
    pub const NUM_REPLICAS: u64 = 4;
    /// `ExecutableBuildOptionsProto.num_partitions`
    pub const NUM_PARTITIONS: u64 = 5;
    /// `ExecutableBuildOptionsProto.device_assignment`
    pub const DEVICE_ASSIGNMENT: u64 = 9;
    /// `DeviceAssignmentProto.replica_count`
    pub const REPLICA_COUNT: u64 = 1;
    /// `DeviceAssignmentProto.computation_count`
    pub const COMPUTATION_COUNT: u64 = 2;
    /// `DeviceAssignmentProto.computation_devices`
    pub const COMPUTATION_DEVICES: u64 = 3;
    /// `DeviceAssignmentProto.ComputationDevice.replica_device_ids`
    pub const REPLICA_DEVICE_IDS: u64 = 1;
}

/// A value of an option of XLA.
pub(super) enum Setting {
    Bool(bool),
    Text(String),
}

/// Options of XLA for a platform.
///
/// * On the processor its maximum and minimum would lose NaN, which other devices keep.
/// * On NVIDIA's GPUs products by generated kernels are left out: trying them takes ten times as long as all the rest of
///   compiling a transformer (4.4 s without on an H200, more than 60 s with), and the library's are as fast. Loops, as of
///   recurrent networks, do two steps in each round.
/// * There CUDA's assembler and mathematical functions are looked for in the system, though they may be in `cuda_toolkit`, a
///   package beside the plug-in.
pub(super) fn overrides(platform: &str, cuda_toolkit: Option<&Path>) -> Vec<(&'static str, Setting)> {
    let text = |text: &str| Setting::Text(text.to_owned());
    match platform {
        "cpu" => vec![("xla_cpu_enable_fast_min_max", Setting::Bool(false))],
        "cuda" => {
            let folder = cuda_toolkit.and_then(Path::to_str).map(|folder| ("xla_gpu_cuda_data_dir", text(folder)));
            let faster = [
                ("xla_gpu_enable_triton_gemm", Setting::Bool(false)),
                ("xla_gpu_enable_while_loop_unrolling", text("WHILE_LOOP_UNROLLING_DOUBLE_BUFFER")),
            ];
            folder.into_iter().chain(faster).collect()
        }
        _ => vec![],
    }
}

/// The options for one replica on each of these devices. One replica alone goes where the plug-in puts it, on the
/// first device.
pub(super) fn encode(device_ids: &[i32], overrides: &[(&str, Setting)]) -> Vec<u8> {
    let num_replicas = device_ids.len() as u64;
    let mut build = Message::default();
    // No device in particular.
    build.number(field::DEVICE_ORDINAL, -1i64 as u64);
    build.number(field::NUM_REPLICAS, num_replicas);
    build.number(field::NUM_PARTITIONS, 1);
    if num_replicas > 1 {
        let mut ids = Message::default();
        device_ids.iter().for_each(|id| ids.varint(i64::from(*id) as u64));
        let mut computation = Message::default();
        computation.message(field::REPLICA_DEVICE_IDS, ids);
        let mut assignment = Message::default();
        assignment.number(field::REPLICA_COUNT, num_replicas);
        assignment.number(field::COMPUTATION_COUNT, 1);
        assignment.message(field::COMPUTATION_DEVICES, computation);
        build.message(field::DEVICE_ASSIGNMENT, assignment);
    }
    let mut options = Message::default();
    options.message(field::EXECUTABLE_BUILD_OPTIONS, build);
    for (name, value) in overrides {
        let (mut entry, mut option) = (Message::default(), Message::default());
        entry.message(field::KEY, Message { bytes: (*name).into() });
        match value {
            Setting::Bool(value) => option.number(field::BOOL, (*value).into()),
            Setting::Text(text) => option.message(field::TEXT, Message { bytes: text.as_str().into() }),
        }
        entry.message(field::VALUE, option);
        options.message(field::OVERRIDES, entry);
    }
    options.bytes
}

/// A message of Protocol Buffers that is being written.
#[derive(Default)]
struct Message {
    bytes: Vec<u8>,
}

impl Message {
    /// Seven bits a byte, the lowest first; the eighth says that more follow.
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    fn number(&mut self, field: u64, value: u64) {
        self.varint(field << 3);
        self.varint(value);
    }

    fn message(&mut self, field: u64, message: Message) {
        const LENGTH_DELIMITED: u64 = 2;
        self.varint(field << 3 | LENGTH_DELIMITED);
        self.varint(message.bytes.len() as u64);
        self.bytes.extend(message.bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::Value;

    #[test]
    fn options_are_encoded_as_jaxlib_does() {
        let golden: Value = serde_json::from_str(include_str!("../../tests/golden/pjrt_compile_options.json")).unwrap();
        let numbers = |value: &Value| value.as_array().unwrap().iter().map(|n| n.as_i64().unwrap()).collect::<Vec<_>>();
        let cases = golden["cases"].as_array().unwrap();
        assert_eq!(cases.len(), 6);
        for case in cases {
            let ids: Vec<i32> = numbers(&case["device_ids"]).into_iter().map(|id| id as i32).collect();
            let bytes: Vec<u8> = numbers(&case["bytes"]).into_iter().map(|byte| byte as u8).collect();
            let toolkit = case["cuda_toolkit"].as_str().map(Path::new);
            let overrides = super::overrides(case["platform"].as_str().unwrap_or_default(), toolkit);
            assert_eq!(super::encode(&ids, &overrides), bytes, "{ids:?}");
        }
    }
}
