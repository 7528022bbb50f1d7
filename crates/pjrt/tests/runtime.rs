//! Programs on XLA's CPU plug-in.

use std::path::{Path, PathBuf};

use gyrus_graph::DType;
use gyrus_pjrt::runtime::{Client, Plugin};

/// The plug-in to test with, from `GYRUS_PJRT_PLUGIN` or from the build folder; a loud `None` where there is none.
fn plugin() -> Option<&'static Plugin> {
    let built =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/pjrt/lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so");
    let path = std::env::var_os("GYRUS_PJRT_PLUGIN").map_or(built, PathBuf::from);
    if path.exists() {
        return Some(Plugin::load(&path).unwrap());
    }
    assert!(std::env::var_os("GYRUS_REQUIRE_PJRT").is_none(), "no plug-in at {}", path.display());
    eprintln!("SKIPPED: no PJRT plug-in at {}", path.display());
    None
}

#[test]
fn adds() {
    let Some(plugin) = plugin() else { return };
    println!("{plugin:?} {:?}", plugin.attributes());
    let client = Client::new(plugin, &[]).unwrap();
    println!("{client:?} {:?} {:?}", client.platform_version(), client.devices());
    let program = r#"module @m attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
        func.func public @main(%arg0: tensor<2xf32> {tf.aliasing_output = 0 : i32}) -> (tensor<2xf32>) {
            %0 = "stablehlo.add"(%arg0, %arg0) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
            "func.return"(%0) : (tensor<2xf32>) -> ()
        }
    }"#;
    let executable = client.compile(program, 1).unwrap();
    let bytes = [1.0f32, 2.5].map(f32::to_le_bytes).concat();
    let argument = client.upload(0, DType::F32, &[2], &bytes).unwrap();
    let results = executable.execute(&[vec![&argument]], &[]).unwrap();
    let mut twice = [0; 8];
    results[0][0].to_host(&mut twice).unwrap();
    assert_eq!(twice.to_vec(), [2.0f32, 5.0].map(f32::to_le_bytes).concat());
    println!("{:?}", argument.to_host(&mut twice));
    println!("{:?}", executable.execute(&[vec![&argument]], &[]));
}
