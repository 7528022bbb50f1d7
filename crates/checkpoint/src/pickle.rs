//! The part of Python's pickle format that tables of tensors are written in.
//!
//! A pickle is a program for a machine with a stack, and Python's own machine lets it call any function. This one knows
//! the instructions that build numbers, texts, lists and tables, and of functions those that make tensors; it refuses
//! everything else by name, and runs nothing.
//!
//! Source: the instructions as documented in Python's `pickletools`; what tensors look like as in PyTorch's
//! `torch/_utils.py`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::StoredDType;

/// What a pickle can hold; of what no tensor is made of, only that it is there.
#[derive(Clone, Debug)]
pub enum Object {
    None,
    Bool,
    Int(i64),
    Float,
    /// An integer of more than 64 bits.
    Long,
    Text(Rc<str>),
    Tuple(Vec<Object>),
    List(Rc<RefCell<Vec<Object>>>),
    Dict(Rc<RefCell<Vec<(Object, Object)>>>),
    Function(Function),
    StorageType(StoredDType),
    Storage(Storage),
    Tensor(Box<TensorView>),
}

/// What a pickle may call.
#[derive(Clone, Copy, Debug)]
pub enum Function {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
}

/// Elements that lie elsewhere in the file, under a key.
#[derive(Clone, Debug)]
pub struct Storage {
    pub key: Rc<str>,
    pub dtype: StoredDType,
    pub num_elements: usize,
}

/// Elements of a storage as a tensor.
#[derive(Clone, Debug)]
pub struct TensorView {
    pub storage: Storage,
    pub offset: usize,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
}

/// Why a pickle was refused.
pub type Refused = String;

/// Reads one pickle from the front of `bytes`, which then are those after it.
pub fn read(bytes: &mut &[u8]) -> Result<Object, Refused> {
    let mut machine = Machine { stack: vec![], marks: vec![], memo: HashMap::new() };
    loop {
        let [instruction] = take(bytes)?;
        if instruction == b'.' {
            return machine.pop();
        }
        machine.execute(instruction, bytes)?;
    }
}

struct Machine {
    stack: Vec<Object>,
    /// Lengths of the stack at which open tuples, lists and tables begin.
    marks: Vec<usize>,
    memo: HashMap<u32, Object>,
}

impl Machine {
    fn execute(&mut self, instruction: u8, bytes: &mut &[u8]) -> Result<(), Refused> {
        let object = match instruction {
            // The version of the format, and the length of what follows: for readers that need them.
            0x80 => return take::<1>(bytes).map(drop),
            0x95 => return take::<8>(bytes).map(drop),
            b'(' => {
                self.marks.push(self.stack.len());
                return Ok(());
            }
            b'q' => return self.memoize(take::<1>(bytes)?[0] as u32),
            b'r' => return self.memoize(u32::from_le_bytes(take(bytes)?)),
            0x94 => return self.memoize(self.memo.len() as u32),
            b'h' => self.recall(take::<1>(bytes)?[0] as u32)?,
            b'j' => self.recall(u32::from_le_bytes(take(bytes)?))?,
            b'N' => Object::None,
            0x88 | 0x89 => Object::Bool,
            b'K' => Object::Int(take::<1>(bytes)?[0] as i64),
            b'M' => Object::Int(u16::from_le_bytes(take(bytes)?) as i64),
            b'J' => Object::Int(i32::from_le_bytes(take(bytes)?) as i64),
            0x8a => long(bytes)?,
            b'G' => take::<8>(bytes).map(|_| Object::Float)?,
            b'X' => text(u32::from_le_bytes(take(bytes)?) as usize, bytes)?,
            0x8c => text(take::<1>(bytes)?[0] as usize, bytes)?,
            b'c' => global(line(bytes)?, line(bytes)?)?,
            0x93 => match [self.pop()?, self.pop()?] {
                [Object::Text(name), Object::Text(module)] => global(&module, &name)?,
                _ => return Err("a function's name is no text".into()),
            },
            b')' => Object::Tuple(vec![]),
            0x85..=0x87 => Object::Tuple(self.pop_many((instruction - 0x84) as usize)?),
            b't' => Object::Tuple(self.pop_marked()?),
            b']' => Object::List(Rc::default()),
            b'}' => Object::Dict(Rc::default()),
            b'a' => return self.pop_many(1).and_then(|items| self.extend_list(items)),
            b'e' => return self.pop_marked().and_then(|items| self.extend_list(items)),
            b's' => return self.pop_many(2).and_then(|items| self.extend_dict(items)),
            b'u' => return self.pop_marked().and_then(|items| self.extend_dict(items)),
            b'R' => match [self.pop()?, self.pop()?] {
                [Object::Tuple(arguments), Object::Function(function)] => call(function, arguments)?,
                _ => return Err("what is called is no function".into()),
            },
            // Attributes of an object: those of tables say nothing of their tensors.
            b'b' => return self.pop().map(drop),
            b'Q' => storage(self.pop()?)?,
            other => return Err(format!("instruction {other:#04x} is none that tables of tensors need")),
        };
        self.stack.push(object);
        Ok(())
    }

    fn pop(&mut self) -> Result<Object, Refused> {
        self.stack.pop().ok_or_else(|| "the stack is empty".into())
    }

    fn pop_many(&mut self, count: usize) -> Result<Vec<Object>, Refused> {
        let start = self.stack.len().checked_sub(count).ok_or("the stack is too short")?;
        Ok(self.stack.split_off(start))
    }

    fn pop_marked(&mut self) -> Result<Vec<Object>, Refused> {
        let start = self.marks.pop().ok_or("there is no mark")?;
        if start > self.stack.len() {
            return Err("the stack is too short".into());
        }
        Ok(self.stack.split_off(start))
    }

    fn memoize(&mut self, index: u32) -> Result<(), Refused> {
        let top = self.stack.last().ok_or("the stack is empty")?;
        self.memo.insert(index, top.clone());
        Ok(())
    }

    fn recall(&self, index: u32) -> Result<Object, Refused> {
        self.memo.get(&index).cloned().ok_or_else(|| format!("there is no object {index}"))
    }

    fn extend_list(&mut self, items: Vec<Object>) -> Result<(), Refused> {
        let Some(Object::List(list)) = self.stack.last() else { return Err("what grows is no list".into()) };
        list.borrow_mut().extend(items);
        Ok(())
    }

    fn extend_dict(&mut self, items: Vec<Object>) -> Result<(), Refused> {
        let Some(Object::Dict(dict)) = self.stack.last() else { return Err("what grows is no table".into()) };
        let (pairs, rest) = items.as_chunks::<2>();
        if !rest.is_empty() {
            return Err("a key has no value".into());
        }
        dict.borrow_mut().extend(pairs.iter().map(|[key, value]| (key.clone(), value.clone())));
        Ok(())
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], Refused> {
    let (first, rest) = bytes.split_first_chunk().ok_or("the file is cut short")?;
    *bytes = rest;
    Ok(*first)
}

fn take_slice<'a>(length: usize, bytes: &mut &'a [u8]) -> Result<&'a [u8], Refused> {
    let (first, rest) = bytes.split_at_checked(length).ok_or("the file is cut short")?;
    *bytes = rest;
    Ok(first)
}

fn text(length: usize, bytes: &mut &[u8]) -> Result<Object, Refused> {
    let text = std::str::from_utf8(take_slice(length, bytes)?).map_err(|error| error.to_string())?;
    Ok(Object::Text(text.into()))
}

fn line<'a>(bytes: &mut &'a [u8]) -> Result<&'a str, Refused> {
    let length = bytes.iter().position(|&byte| byte == b'\n').ok_or("the file is cut short")?;
    let line = std::str::from_utf8(take_slice(length, bytes)?).map_err(|error| error.to_string());
    take::<1>(bytes)?;
    line
}

/// An integer of any length, in two's complement, the least byte first.
fn long(bytes: &mut &[u8]) -> Result<Object, Refused> {
    let [length] = take(bytes)?;
    let digits = take_slice(length as usize, bytes)?;
    if digits.len() > 8 {
        return Ok(Object::Long);
    }
    let sign = if digits.last().is_some_and(|&byte| byte >= 0x80) { 0xff } else { 0 };
    let mut all = [sign; 8];
    all[..digits.len()].copy_from_slice(digits);
    Ok(Object::Int(i64::from_le_bytes(all)))
}

fn global(module: &str, name: &str) -> Result<Object, Refused> {
    let dtype = match (module, name) {
        ("collections", "OrderedDict") => return Ok(Object::Function(Function::OrderedDict)),
        ("torch._utils", "_rebuild_tensor_v2") => return Ok(Object::Function(Function::RebuildTensor)),
        ("torch._utils", "_rebuild_parameter") => return Ok(Object::Function(Function::RebuildParameter)),
        ("torch", "FloatStorage") => StoredDType::F32,
        ("torch", "DoubleStorage") => StoredDType::F64,
        ("torch", "HalfStorage") => StoredDType::F16,
        ("torch", "BFloat16Storage") => StoredDType::BF16,
        ("torch", "LongStorage") => StoredDType::I64,
        ("torch", "IntStorage") => StoredDType::I32,
        ("torch", "ShortStorage") => StoredDType::I16,
        ("torch", "CharStorage") => StoredDType::I8,
        ("torch", "ByteStorage") => StoredDType::U8,
        ("torch", "BoolStorage") => StoredDType::BOOL,
        _ => return Err(format!("it wants `{module}.{name}`, which is not run")),
    };
    Ok(Object::StorageType(dtype))
}

fn call(function: Function, arguments: Vec<Object>) -> Result<Object, Refused> {
    match (function, &arguments[..]) {
        (Function::OrderedDict, []) => Ok(Object::Dict(Rc::default())),
        (Function::RebuildParameter, [tensor @ Object::Tensor(_), ..]) => Ok(tensor.clone()),
        (Function::RebuildTensor, [Object::Storage(storage), offset, shape, strides, ..]) => {
            let view = TensorView {
                storage: storage.clone(),
                offset: size(offset)?,
                shape: sizes(shape)?,
                strides: sizes(strides)?,
            };
            Ok(Object::Tensor(Box::new(view)))
        }
        _ => Err(format!("{function:?} is called with something else than it takes")),
    }
}

/// `("storage", type, key, where it was, number of elements)`, and in files of old a view, which is none.
fn storage(id: Object) -> Result<Object, Refused> {
    match id {
        Object::Tuple(parts) => match &parts[..] {
            [Object::Text(kind), Object::StorageType(dtype), Object::Text(key), _, count, rest @ ..]
                if &**kind == "storage" && matches!(rest, [] | [Object::None]) =>
            {
                Ok(Object::Storage(Storage { key: key.clone(), dtype: *dtype, num_elements: size(count)? }))
            }
            _ => Err("a storage is described in an unknown way".into()),
        },
        _ => Err("a storage is described in an unknown way".into()),
    }
}

fn size(object: &Object) -> Result<usize, Refused> {
    match object {
        Object::Int(size) => usize::try_from(*size).map_err(|_| format!("{size} is no size")),
        _ => Err("a size is no number".into()),
    }
}

fn sizes(object: &Object) -> Result<Vec<usize>, Refused> {
    match object {
        Object::Tuple(sizes) => sizes.iter().map(size).collect(),
        _ => Err("a shape is no tuple".into()),
    }
}
