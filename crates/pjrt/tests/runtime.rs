//! Programs on a plug-in, XLA's CPU where no other is asked for.

use std::fs;
use std::path::PathBuf;

use gyrus_graph::{Buffer, DType, Element, bf16};
use gyrus_pjrt::runtime::{Client, DeviceBuffer, Executable, NamedValue, Plugin, ProgramCache};
use gyrus_pjrt::{ErrorCode, PjrtError};
use plugin::{client, has_devices, plugin};

mod plugin;

/// A program of one result; `body` ends in its value `%r`.
fn program(arguments: &str, result: &str, body: &str) -> String {
    format!(
        "module @m {{ func.func public @main({arguments}) -> ({result}) {{ {body} \
         \"func.return\"(%r) : ({result}) -> () }} }}"
    )
}

fn doubling(attributes: &str) -> String {
    let add = r#"%r = "stablehlo.add"(%a, %a) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>"#;
    program(&format!("%a: tensor<2xf32> {attributes}"), "tensor<2xf32>", add)
}

const DONATES: &str = "{tf.aliasing_output = 0 : i32}";

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn upload(client: &Client, device: usize, values: &[f32]) -> DeviceBuffer {
    client.upload(device, DType::F32, &[values.len()], &bytes(values)).unwrap()
}

fn values(buffer: &DeviceBuffer) -> Vec<f32> {
    let mut bytes = vec![0; buffer.num_bytes()];
    buffer.to_host(&mut bytes).unwrap();
    bytes.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
}

fn run(executable: &Executable, arguments: &[&DeviceBuffer]) -> DeviceBuffer {
    let mut results = executable.execute(&[arguments.to_vec()], &[]).unwrap();
    results.remove(0).remove(0)
}

#[test]
fn a_program_runs() {
    let Some(client) = client() else { return };
    let executable = client.compile(&doubling(""), 1).unwrap();
    assert_eq!((executable.num_replicas(), executable.num_outputs()), (1, 1));
    let argument = upload(&client, 0, &[1.0, 2.5]);
    let twice = run(&executable, &[&argument]);
    assert_eq!((twice.dtype(), twice.dims()), (DType::F32, &[2][..]));
    assert_eq!(values(&twice), [2.0, 5.0]);
    // Nothing was donated, and results are arguments.
    assert!(!argument.is_deleted());
    assert_eq!(values(&run(&executable, &[&run(&executable, &[&twice])])), [8.0, 20.0]);
    if let Some(ready) = twice.ready().unwrap() {
        ready.wait().unwrap();
        assert!(ready.is_ready().unwrap());
    }
}

#[test]
fn plugin_and_devices_say_what_they_are() {
    let Some(plugin) = plugin() else { return };
    assert!(std::ptr::eq(plugin, Plugin::load(plugin.path()).unwrap()), "loaded twice");
    assert_eq!(plugin.api_version().0, 0);
    let Some(NamedValue::I64List(version)) = plugin.attribute("stablehlo_current_version") else {
        panic!("{plugin:?}")
    };
    assert_eq!((version.len(), version[0]), (3, 1));
    let client = client().unwrap();
    assert!(!client.platform_name().is_empty() && !client.devices().is_empty());
    // XLA's CPU does not count memory; that it does not is no error.
    println!("{client:?} {:?} {:?}", client.platform_version(), client.devices()[0].memory_statistics());
    if client.platform_name() != "cpu" {
        return;
    }
    let client = Client::new(plugin, &[("cpu_device_count", NamedValue::I64(3))]).unwrap();
    let ids: Vec<i32> = client.devices().iter().map(|device| device.id()).collect();
    assert_eq!(ids, [0, 1, 2]);
    assert!(client.devices().iter().all(|device| device.kind() == "cpu"));
}

#[test]
fn a_donated_argument_becomes_the_result() {
    let Some(client) = client() else { return };
    let executable = client.compile(&doubling(DONATES), 1).unwrap();
    let argument = upload(&client, 0, &[1.0, 2.0]);
    assert_eq!(values(&run(&executable, &[&argument])), [2.0, 4.0]);
    assert!(argument.is_deleted());
    let in_execution = executable.execute(&[vec![&argument]], &[]).unwrap_err();
    let in_copy = argument.to_host(&mut [0; 8]).unwrap_err();
    for error in [in_execution, in_copy] {
        assert!(matches!(error, PjrtError::Donated { .. }), "{error}");
        assert!(error.to_string().contains("f32 [2]"), "{error}");
    }
}

#[test]
fn an_argument_can_be_kept() {
    let Some(client) = client() else { return };
    let executable = client.compile(&doubling(DONATES), 1).unwrap();
    let argument = upload(&client, 0, &[1.0, 2.0]);
    for _ in 0..2 {
        let results = executable.execute(&[vec![&argument]], &[0]).unwrap();
        assert_eq!(values(&results[0][0]), [2.0, 4.0]);
    }
    assert_eq!(values(&argument), [1.0, 2.0]);
}

#[test]
fn replicas_reduce_among_each_other() {
    let num_replicas = 4;
    let Some(client) = client().filter(|client| has_devices(client, num_replicas)) else { return };
    let reduce = r#"%r = "stablehlo.all_reduce"(%a) ({
            ^bb0(%x: tensor<f32>, %y: tensor<f32>):
                %sum = "stablehlo.add"(%x, %y) : (tensor<f32>, tensor<f32>) -> tensor<f32>
                "stablehlo.return"(%sum) : (tensor<f32>) -> ()
        }) {replica_groups = dense<[[0, 1, 2, 3]]> : tensor<1x4xi64>} : (tensor<2xf32>) -> tensor<2xf32>"#;
    let program = program("%a: tensor<2xf32>", "tensor<2xf32>", reduce)
        .replace("module @m", "module @m attributes {mhlo.num_replicas = 4 : i32, mhlo.num_partitions = 1 : i32}");
    let arguments: Vec<DeviceBuffer> =
        (0..num_replicas).map(|replica| upload(&client, replica, &[replica as f32, 10.0])).collect();
    let lists: Vec<Vec<&DeviceBuffer>> = arguments.iter().map(|argument| vec![argument]).collect();
    let folder = tempfile::tempdir().unwrap();
    let client = client.with_cache(Some(ProgramCache::new(folder.path(), 1 << 30)));
    let compiled = client.compile(&program, num_replicas).unwrap();
    let executable = client.compile(&program, num_replicas).unwrap();
    assert!(!compiled.is_from_cache() && executable.is_from_cache());
    for executable in [&compiled, &executable].into_iter().cycle().take(40) {
        let results = executable.execute(&lists, &[]).unwrap();
        assert_eq!(results.len(), num_replicas);
        assert!(results.iter().all(|list| values(&list[0]) == [6.0, 40.0]));
    }
    let error = executable.execute(&lists[..2], &[]).unwrap_err().to_string();
    assert!(error.contains("2 lists of arguments for 4 replicas"), "{error}");
    let num_devices = client.devices().len();
    let error = client.compile(&program, num_devices + 1).unwrap_err().to_string();
    assert!(error.contains(&format!("{} replicas on {num_devices} devices", num_devices + 1)), "{error}");
}

/// Elements from 1 on, as bytes.
fn count<T: Element>(len: usize) -> Vec<u8> {
    let elements: Vec<T> = (0..len).map(|index| T::from_f64(1.0 + index as f64)).collect();
    Buffer::from_elements(&elements).bytes().to_vec()
}

#[test]
fn every_element_type_and_shape_comes_back() {
    let Some(client) = client() else { return };
    let types = [
        (DType::Bool, "i1", count::<bool> as fn(usize) -> Vec<u8>),
        (DType::U8, "ui8", count::<u8>),
        (DType::I32, "i32", count::<i32>),
        (DType::I64, "i64", count::<i64>),
        (DType::F16, "f16", count::<gyrus_graph::f16>),
        (DType::BF16, "bf16", count::<bf16>),
        (DType::F32, "f32", count::<f32>),
        (DType::F64, "f64", count::<f64>),
    ];
    assert_eq!(types.map(|(dtype, ..)| dtype), DType::ALL);
    for (dtype, name, count) in types {
        for dims in [&[][..], &[3], &[2, 3], &[0], &[2, 0, 3]] {
            let expected = count(dims.iter().product());
            let argument = client.upload(0, dtype, dims, &expected).unwrap();
            let extents: String = dims.iter().map(|dim| format!("{dim}x")).collect();
            let tensor = format!("tensor<{extents}{name}>");
            let select =
                format!("%r = \"stablehlo.select\"(%c, %a, %b) : (tensor<i1>, {tensor}, {tensor}) -> {tensor}");
            let program = program(&format!("%c: tensor<i1>, %a: {tensor}, %b: {tensor}"), &tensor, &select);
            let executable = client.compile(&program, 1).unwrap();
            let yes = client.upload(0, DType::Bool, &[], &[1]).unwrap();
            let other = client.upload(0, dtype, dims, &vec![0; expected.len()]).unwrap();
            let result = run(&executable, &[&yes, &argument, &other]);
            assert_eq!((result.dtype(), result.dims(), result.num_bytes()), (dtype, dims, expected.len()));
            for buffer in [argument, result] {
                let mut bytes = vec![0xff; expected.len()];
                buffer.to_host(&mut bytes).unwrap();
                assert_eq!(bytes, expected, "{tensor}");
            }
        }
    }
}

#[test]
fn bf16_is_computed_with() {
    let Some(client) = client() else { return };
    let add = r#"%r = "stablehlo.add"(%a, %a) : (tensor<2xbf16>, tensor<2xbf16>) -> tensor<2xbf16>"#;
    let executable = client.compile(&program("%a: tensor<2xbf16>", "tensor<2xbf16>", add), 1).unwrap();
    let elements = [1.5, -3.0].map(bf16::from_f32);
    let argument = client.upload(0, DType::BF16, &[2], Buffer::from_elements(&elements).bytes()).unwrap();
    let result = run(&executable, &[&argument]).begin_to_host().unwrap().wait().unwrap();
    assert_eq!(result.elements::<bf16>(), [3.0, -6.0].map(bf16::from_f32));
}

#[test]
fn results_come_in_row_major_order() {
    let Some(client) = client() else { return };
    let transpose = r#"%r = "stablehlo.transpose"(%a) {permutation = array<i64: 1, 0>} :
        (tensor<2x3xf32>) -> tensor<3x2xf32>"#;
    // The compiler is asked for a column-major result, which a transposition leaves in place.
    let program = program("%a: tensor<2x3xf32>", "tensor<3x2xf32>", transpose);
    let column_major =
        program.replace("-> (tensor<3x2xf32>) {", r#"-> (tensor<3x2xf32> {mhlo.layout_mode = "{0,1}"}) {"#);
    assert_ne!(program, column_major);
    for program in [program, column_major] {
        let executable = client.compile(&program, 1).unwrap();
        let argument = client.upload(0, DType::F32, &[2, 3], &bytes(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])).unwrap();
        assert_eq!(values(&run(&executable, &[&argument])), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    }
}

#[test]
fn copies_go_on_while_other_things_are_done() {
    let Some(client) = client() else { return };
    let executable = client.compile(&doubling(""), 1).unwrap();
    let memory = Buffer::from_elements(&[3.0f32, 4.0]);
    let (argument, transfer) = client.begin_upload(0, DType::F32, &[2], memory).unwrap();
    let result = run(&executable, &[&argument]);
    let download = result.begin_to_host().unwrap();
    let mut memory = transfer.wait().unwrap();
    assert_eq!(memory.elements::<f32>(), [3.0, 4.0]);
    assert!(memory.bytes_mut().is_some(), "the memory is still shared");
    let download = download.wait().unwrap();
    assert_eq!(download.elements::<f32>(), [6.0, 8.0]);
    // Dropped early, a transfer waits.
    drop(client.begin_upload(0, DType::F32, &[1 << 20], Buffer::zeroed(4 << 20)).unwrap());
}

#[test]
fn the_compilers_message_is_carried_over() {
    let Some(client) = client() else { return };
    let wrong = doubling("").replace("stablehlo.add", "stablehlo.no_such_operation");
    let error = client.compile(&wrong, 1).unwrap_err();
    let PjrtError::Plugin { doing, message, path, .. } = &error else { panic!("{error}") };
    assert_eq!(*doing, "compiling a program");
    assert!(message.contains("no_such_operation"), "{message}");
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
}

#[test]
fn arguments_that_do_not_fit_are_errors() {
    let Some(client) = client() else { return };
    let executable = client.compile(&doubling(""), 1).unwrap();
    let fitting = upload(&client, 0, &[1.0, 2.0]);
    for arguments in [vec![], vec![&fitting, &fitting], vec![&upload(&client, 0, &[1.0; 3])]] {
        let error = executable.execute(&[arguments], &[]).unwrap_err();
        assert!(matches!(error, PjrtError::Plugin { code: ErrorCode::INVALID_ARGUMENT, .. }), "{error}");
    }
    let elsewhere = plugin::client().unwrap();
    let error = executable.execute(&[vec![&upload(&elsewhere, 0, &[1.0, 2.0])]], &[]).unwrap_err().to_string();
    assert!(error.contains("another client"), "{error}");
    let error = client.upload(0, DType::F32, &[3], &[0; 8]).unwrap_err().to_string();
    assert!(error.contains("8 bytes for f32 [3], which takes 12"), "{error}");
    let error = client.upload(0, DType::U8, &[usize::MAX, 2], &[0; 8]).unwrap_err().to_string();
    assert!(error.contains("more than there can be"), "{error}");
    let num_devices = client.devices().len();
    let error = client.upload(num_devices, DType::U8, &[1], &[0]).unwrap_err().to_string();
    assert!(error.contains(&format!("no device {num_devices}, only {num_devices}")), "{error}");
    let error = fitting.to_host(&mut [0; 4]).unwrap_err().to_string();
    assert!(error.contains("4 bytes for f32 [2], which takes 8"), "{error}");
}

#[test]
fn programs_are_kept_from_run_to_run() {
    let Some(client) = client() else { return };
    let folder = tempfile::tempdir().unwrap();
    let client = client.with_cache(Some(ProgramCache::new(folder.path(), 1 << 30)));
    let compile = |program: &str| {
        let executable = client.compile(program, 1).unwrap();
        assert_eq!(values(&run(&executable, &[&upload(&client, 0, &[1.0, 2.0])])), [2.0, 4.0]);
        executable.is_from_cache()
    };
    let program = doubling(DONATES);
    assert!(!compile(&program), "the cache was empty");
    assert!(compile(&program), "a program was compiled twice");
    assert!(!compile(&doubling("")), "another program was taken for the first");
    let entries: Vec<PathBuf> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(entries.len(), 2);
    for entry in &entries {
        let mut bytes = fs::read(entry).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x55;
        fs::write(entry, bytes).unwrap();
    }
    assert!(!compile(&program), "a damaged entry was used");
    assert!(compile(&program), "a damaged entry was not replaced");
    assert!(!client.with_cache(None).compile(&program, 1).unwrap().is_from_cache());
}

#[test]
fn threads_share_clients_programs_and_buffers() {
    let Some(client) = client() else { return };
    let executable = client.compile(&doubling(""), 1).unwrap();
    let shared = upload(&client, 0, &[1.0, 2.0]);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    assert_eq!(values(&run(&executable, &[&shared])), [2.0, 4.0]);
                }
            });
        }
    });
}

#[test]
fn what_is_no_plugin_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("libtpu.so");
    let error = Plugin::load(&missing).unwrap_err();
    assert!(matches!(error, PjrtError::Load { .. }), "{error}");
    assert!(error.to_string().contains(missing.to_str().unwrap()), "{error}");
    fs::write(&missing, "not a library").unwrap();
    let error = Plugin::load(&missing).unwrap_err();
    assert!(matches!(error, PjrtError::Load { .. }), "{error}");
    // The system's own words, and what to do.
    let words = error.to_string();
    assert!(words.contains("invalid") || words.contains("too short") || !cfg!(target_os = "linux"), "{error}");
    assert!(error.to_string().contains("pip install libtpu"), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_library_that_is_no_plugin_is_named() {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let library = maps.split_whitespace().find(|word| word.starts_with('/') && word.contains("libc.so")).unwrap();
    let error = Plugin::load(library).unwrap_err();
    assert!(matches!(error, PjrtError::NotAPlugin { .. }), "{error}");
    assert!(error.to_string().contains("GetPjrtApi"), "{error}");
}
