//! Trees of named tensors: models, optimizers, batches, anything that is made of them.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use gyrus_graph::Device;

use crate::Tensor;

/// What a tensor of a module is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Trained: gradients are taken with respect to it.
    Parameter,
    /// Part of the state, but not trained: running statistics, counters.
    Buffer,
}

/// Where a walk through a module is: `encoder.layers.3.linear.weight`.
#[derive(Clone, Debug, Default)]
pub struct Path(String);

impl Path {
    /// Calls `inner` one level further down.
    pub fn within<R>(&mut self, name: impl fmt::Display, inner: impl FnOnce(&mut Path) -> R) -> R {
        use fmt::Write;
        let len = self.0.len();
        let dot = if len == 0 { "" } else { "." };
        write!(self.0, "{dot}{name}").expect("a string grows");
        let result = inner(self);
        self.0.truncate(len);
        result
    }

    /// The names from the root, separated by dots.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What [`Module::walk`] calls.
pub type Visit<'a> = &'a mut dyn FnMut(&Path, Kind, &Tensor);
/// What [`Module::walk_mut`] calls.
pub type VisitMut<'a> = &'a mut dyn FnMut(&Path, Kind, &mut Tensor);

/// A tree of named tensors. Derive it: `#[derive(Module)]` walks all fields in their order, by their
/// names. A field that is a [`Tensor`] is a parameter, one that is a [`Buffer`] is not trained; numbers,
/// strings and functions have no tensors; a field marked `#[module(skip)]` is left out.
pub trait Module {
    /// Visits every tensor, always in the same order, under its path.
    fn walk(&self, path: &mut Path, visit: Visit);

    /// As [`Module::walk`], to change them.
    fn walk_mut(&mut self, path: &mut Path, visit: VisitMut);

    /// All tensors with their paths.
    fn named_tensors(&self) -> Vec<(String, Kind, Tensor)> {
        let mut all = vec![];
        self.walk(&mut Path::default(), &mut |path, kind, tensor| {
            all.push((path.as_str().to_owned(), kind, tensor.clone()));
        });
        all
    }

    /// The trained tensors with their paths.
    fn named_parameters(&self) -> Vec<(String, Tensor)> {
        let is_trained = |(path, kind, tensor)| (kind == Kind::Parameter).then_some((path, tensor));
        self.named_tensors().into_iter().filter_map(is_trained).collect()
    }

    /// The trained tensors.
    fn parameters(&self) -> Vec<Tensor> {
        self.named_parameters().into_iter().map(|(_, tensor)| tensor).collect()
    }

    /// Moves every tensor to a device; see [`Tensor::to`].
    fn move_to(&mut self, device: Device) {
        self.walk_mut(&mut Path::default(), &mut |_, _, tensor| *tensor = tensor.to(device));
    }

    /// The number of elements of all trained tensors.
    fn num_parameters(&self) -> usize {
        self.parameters().iter().map(Tensor::num_elements).sum()
    }
}

impl Module for Tensor {
    fn walk(&self, path: &mut Path, visit: Visit) {
        visit(path, Kind::Parameter, self);
    }

    fn walk_mut(&mut self, path: &mut Path, visit: VisitMut) {
        visit(path, Kind::Parameter, self);
    }
}

/// A tensor of a module that is not trained, and that the module may replace while it runs, such as a
/// running mean.
#[derive(Debug)]
pub struct Buffer(Mutex<Tensor>);

impl Buffer {
    /// Holds a tensor.
    pub fn new(tensor: Tensor) -> Self {
        Buffer(Mutex::new(tensor))
    }

    /// The tensor that it holds now.
    pub fn get(&self) -> Tensor {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the tensor.
    ///
    /// # Panics
    /// If shape or element type differ.
    #[track_caller]
    pub fn set(&self, tensor: Tensor) {
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(
            own.spec() == tensor.spec(),
            "buffer: {} must be replaced by its like, not {}",
            own.spec(),
            tensor.spec()
        );
        *own = tensor;
    }
}

impl Clone for Buffer {
    fn clone(&self) -> Self {
        Buffer::new(self.get())
    }
}

impl Module for Buffer {
    fn walk(&self, path: &mut Path, visit: Visit) {
        visit(path, Kind::Buffer, &self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn walk_mut(&mut self, path: &mut Path, visit: VisitMut) {
        visit(path, Kind::Buffer, self.0.get_mut().unwrap_or_else(PoisonError::into_inner));
    }
}

macro_rules! sequences {
    ($([$($generics:tt)*] $type:ty,)*) => {$(
        impl<$($generics)*> Module for $type {
            fn walk(&self, path: &mut Path, visit: Visit) {
                for (index, item) in self.iter().enumerate() {
                    path.within(index, |path| item.walk(path, visit));
                }
            }

            fn walk_mut(&mut self, path: &mut Path, visit: VisitMut) {
                for (index, item) in self.iter_mut().enumerate() {
                    path.within(index, |path| item.walk_mut(path, visit));
                }
            }
        }
    )*};
}

sequences! {
    [T: Module] Vec<T>,
    [T: Module, const N: usize] [T; N],
}

impl<T: Module> Module for Option<T> {
    fn walk(&self, path: &mut Path, visit: Visit) {
        self.iter().for_each(|item| item.walk(path, visit));
    }

    fn walk_mut(&mut self, path: &mut Path, visit: VisitMut) {
        self.iter_mut().for_each(|item| item.walk_mut(path, visit));
    }
}

impl<T: Module + ?Sized> Module for Box<T> {
    fn walk(&self, path: &mut Path, visit: Visit) {
        (**self).walk(path, visit);
    }

    fn walk_mut(&mut self, path: &mut Path, visit: VisitMut) {
        (**self).walk_mut(path, visit);
    }
}

macro_rules! tuples {
    ($(($($name:ident $index:tt),*))*) => {$(
        impl<$($name: Module),*> Module for ($($name,)*) {
            fn walk(&self, _path: &mut Path, _visit: Visit) {
                $(_path.within($index, |path| self.$index.walk(path, _visit));)*
            }

            fn walk_mut(&mut self, _path: &mut Path, _visit: VisitMut) {
                $(_path.within($index, |path| self.$index.walk_mut(path, _visit));)*
            }
        }
    )*};
}

tuples! { () (A 0) (A 0, B 1) (A 0, B 1, C 2) (A 0, B 1, C 2, D 3) (A 0, B 1, C 2, D 3, E 4) (A 0, B 1, C 2, D 3, E 4, F 5) }

macro_rules! without_tensors {
    ($($type:ty)*) => {$(
        impl Module for $type {
            fn walk(&self, _: &mut Path, _: Visit) {}
            fn walk_mut(&mut self, _: &mut Path, _: VisitMut) {}
        }
    )*};
}

without_tensors! { bool u8 u32 u64 usize i32 i64 f32 f64 String &'static str crate::DType crate::Shape }
