//! Structs, slots and constants against what a C compiler makes of the header.

use std::collections::BTreeMap;
use std::mem::size_of;

use serde_json::Value;

use super::api::{MINOR, TableHead};
use super::calls::{SLOTS, layouts_of_structures};
use super::{BUFFER_TYPES, TILED, host_buffer_semantics, named_value_type};
use crate::ErrorCode;

fn golden() -> Value {
    serde_json::from_str(include_str!("../../../tests/golden/pjrt_layout.json")).unwrap()
}

/// The header's name of a field that cannot be called so here.
fn in_c(field: &str) -> &str {
    if field == "kind" { "type" } else { field }
}

/// Unions have no name in the header. What follows them says where they end.
const UNIONS: [&str; 2] = ["value", "tiled"];

#[test]
fn structs_are_laid_out_as_in_c() {
    let golden = golden();
    let structs = golden["structs"].as_object().unwrap();
    let ours = layouts_of_structures();
    assert_eq!(ours.len(), structs.len());
    for layout in ours {
        let mut offsets: BTreeMap<&str, u64> = layout
            .offsets
            .iter()
            .filter(|(field, _)| !UNIONS.contains(field))
            .map(|(field, offset)| (in_c(field), *offset as u64))
            .collect();
        offsets.extend([("struct_size", 0), ("extension_start", size_of::<usize>() as u64)]);
        offsets.insert("size", layout.size as u64);
        let expected: BTreeMap<&str, u64> = structs[layout.name]
            .as_object()
            .unwrap()
            .iter()
            .map(|(field, offset)| (field.as_str(), offset.as_u64().unwrap()))
            .collect();
        assert_eq!(offsets, expected, "{}", layout.name);
    }
}

#[test]
fn functions_stand_where_the_header_has_them() {
    let golden = golden();
    assert_eq!(golden["minor_version"], MINOR);
    assert_eq!(golden["functions"].as_object().unwrap().len(), SLOTS.len());
    for (name, slot) in SLOTS {
        let offset = size_of::<TableHead>() + slot * size_of::<usize>();
        assert_eq!(golden["functions"][name], offset, "{name}");
    }
}

#[test]
fn constants_are_those_of_the_header() {
    let golden = golden();
    let constant =
        |name: &str| golden["constants"][format!("PJRT_{name}")].as_i64().unwrap_or_else(|| panic!("{name}"));
    let expect = |name: &str, ours: i32| assert_eq!(constant(name), i64::from(ours), "{name}");
    expect("NamedValue_kString", named_value_type::STRING);
    expect("NamedValue_kInt64", named_value_type::INT64);
    expect("NamedValue_kInt64List", named_value_type::INT64_LIST);
    expect("NamedValue_kFloat", named_value_type::FLOAT);
    expect("NamedValue_kBool", named_value_type::BOOL);
    expect("HostBufferSemantics_kImmutableOnlyDuringCall", host_buffer_semantics::IMMUTABLE_ONLY_DURING_CALL);
    let until_done = host_buffer_semantics::IMMUTABLE_UNTIL_TRANSFER_COMPLETES;
    expect("HostBufferSemantics_kImmutableUntilTransferCompletes", until_done);
    expect("Buffer_MemoryLayout_Type_Tiled", TILED);
    expect("Error_Code_INVALID_ARGUMENT", ErrorCode::INVALID_ARGUMENT.0);
    expect("Error_Code_RESOURCE_EXHAUSTED", ErrorCode::RESOURCE_EXHAUSTED.0);
    expect("Error_Code_UNIMPLEMENTED", ErrorCode::UNIMPLEMENTED.0);
    expect("Error_Code_INTERNAL", ErrorCode::INTERNAL.0);
    expect("Error_Code_UNAVAILABLE", ErrorCode::UNAVAILABLE.0);
    let names = ["PRED", "S32", "S64", "U8", "F16", "F32", "F64", "BF16"];
    for ((dtype, code), name) in BUFFER_TYPES.iter().zip(names) {
        assert_eq!(constant(&format!("Buffer_Type_{name}")), i64::from(*code), "{dtype}");
    }
}
