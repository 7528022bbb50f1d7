//! Named values: what a client is created with, and what a plug-in says of itself.

use std::fmt;
use std::marker::PhantomData;

use super::ffi::{self, NamedValueStruct, NamedValueUnion, Structure, named_value_type};

/// The value of an option or attribute.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum NamedValue {
    /// Text.
    String(String),
    /// A whole number.
    I64(i64),
    /// Whole numbers.
    I64List(Vec<i64>),
    /// A real number.
    F32(f32),
    /// True or false.
    Bool(bool),
}

impl NamedValue {
    /// What text says: `true` and `false`, a whole number, a real one with a point, whole numbers in `[1, 2]`, or else
    /// the text itself.
    pub fn parse(text: &str) -> NamedValue {
        let list = || {
            let inner = text.strip_prefix('[')?.strip_suffix(']')?;
            inner.split(',').map(|number| number.trim().parse().ok()).collect::<Option<Vec<i64>>>()
        };
        if let Ok(truth) = text.parse() {
            NamedValue::Bool(truth)
        } else if let Ok(number) = text.parse() {
            NamedValue::I64(number)
        } else if let Some(numbers) = list() {
            NamedValue::I64List(numbers)
        } else if let Some(number) = text.parse().ok().filter(|_| text.contains('.')) {
            NamedValue::F32(number)
        } else {
            NamedValue::String(text.to_owned())
        }
    }
}

impl fmt::Display for NamedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NamedValue::String(text) => f.write_str(text),
            NamedValue::I64(number) => write!(f, "{number}"),
            NamedValue::I64List(numbers) => {
                let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
                f.write_str(&numbers.join("."))
            }
            NamedValue::F32(number) => write!(f, "{number}"),
            NamedValue::Bool(truth) => write!(f, "{truth}"),
        }
    }
}

/// Named values as C has them, borrowed from ours.
pub(super) struct NamedValueStructs<'a> {
    structs: Vec<NamedValueStruct>,
    borrowed: PhantomData<&'a NamedValue>,
}

impl<'a> NamedValueStructs<'a> {
    pub(super) fn new(values: &'a [(&'a str, NamedValue)]) -> Self {
        let to_struct = |(name, value): &(&str, NamedValue)| {
            let (kind, union, value_size) = match value {
                NamedValue::String(text) => {
                    let union = NamedValueUnion { string_value: text.as_ptr().cast() };
                    (named_value_type::STRING, union, text.len())
                }
                NamedValue::I64(number) => (named_value_type::INT64, NamedValueUnion { int64_value: *number }, 1),
                NamedValue::I64List(numbers) => {
                    let union = NamedValueUnion { int64_array_value: numbers.as_ptr() };
                    (named_value_type::INT64_LIST, union, numbers.len())
                }
                NamedValue::F32(number) => (named_value_type::FLOAT, NamedValueUnion { float_value: *number }, 1),
                NamedValue::Bool(truth) => (named_value_type::BOOL, NamedValueUnion { bool_value: *truth }, 1),
            };
            NamedValueStruct {
                struct_size: size_of::<NamedValueStruct>(),
                name: name.as_ptr().cast(),
                name_size: name.len(),
                kind,
                value: union,
                value_size,
                ..NamedValueStruct::ZERO
            }
        };
        Self { structs: values.iter().map(to_struct).collect(), borrowed: PhantomData }
    }

    pub(super) fn as_slice(&self) -> &[NamedValueStruct] {
        &self.structs
    }
}

/// Reads a named value that a plug-in owns; `None` for a kind of value that is not known here.
///
/// # Safety
/// The struct's pointers lead to as many bytes and numbers as it says.
pub(super) unsafe fn read(value: &NamedValueStruct) -> Option<(String, NamedValue)> {
    // SAFETY: the kind says which member of the union is there; the rest as above.
    unsafe {
        let name = ffi::text(value.name, value.name_size);
        let value = match value.kind {
            named_value_type::STRING => NamedValue::String(ffi::text(value.value.string_value, value.value_size)),
            named_value_type::INT64 => NamedValue::I64(value.value.int64_value),
            named_value_type::INT64_LIST if value.value_size == 0 => NamedValue::I64List(Vec::new()),
            named_value_type::INT64_LIST => {
                let numbers = std::slice::from_raw_parts(value.value.int64_array_value, value.value_size);
                NamedValue::I64List(numbers.to_vec())
            }
            named_value_type::FLOAT => NamedValue::F32(value.value.float_value),
            named_value_type::BOOL => NamedValue::Bool(value.value.bool_value),
            _ => return None,
        };
        Some((name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::NamedValue::{self, Bool, F32, I64, I64List, String};

    #[test]
    fn text_is_what_it_looks_like() {
        for (text, value) in [
            ("true", Bool(true)),
            ("-3", I64(-3)),
            ("0.75", F32(0.75)),
            ("[0, 2]", I64List(vec![0, 2])),
            ("bfc", String("bfc".into())),
            ("[0, x]", String("[0, x]".into())),
            ("inf", String("inf".into())),
        ] {
            assert_eq!(NamedValue::parse(text), value);
        }
    }
}
