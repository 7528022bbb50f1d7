//! The handle.

use gyrus_graph::{DType, Device, Element, Shape, Spec, Value};

use crate::evaluate::evaluate_values;

/// An array of elements of one type, of any number of axes, that may not be computed yet.
///
/// Cloning is cheap and shares the elements; no operation changes a tensor.
///
/// ```
/// use gyrus_tensor::Tensor;
///
/// let x = Tensor::from_slice([2, 3], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]);
/// assert_eq!(x.shape()[..], [2, 3]);
/// assert_eq!(x.to_vec::<f32>()[5], 6.0);
/// ```
#[derive(Clone)]
pub struct Tensor {
    value: Value,
}

impl From<Value> for Tensor {
    fn from(value: Value) -> Self {
        Tensor { value }
    }
}

impl Tensor {
    /// A tensor of given elements, row-major.
    ///
    /// # Panics
    /// If there are not as many elements as the shape has.
    #[track_caller]
    pub fn from_slice<T: Element>(shape: impl Into<Shape>, elements: &[T]) -> Tensor {
        Value::from_elements(shape, elements).into()
    }

    /// The node of the graph that this tensor stands for.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// As [`Tensor::value`], to replace it or to write its elements in place.
    pub fn value_mut(&mut self) -> &mut Value {
        &mut self.value
    }

    /// Shape and element type together.
    pub fn spec(&self) -> &Spec {
        self.value.spec()
    }

    /// The sizes of the axes.
    pub fn shape(&self) -> &Shape {
        self.value.shape()
    }

    /// The element type.
    pub fn dtype(&self) -> DType {
        self.value.dtype()
    }

    /// Where the elements are or will be.
    pub fn device(&self) -> Device {
        self.value.device()
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.value.rank()
    }

    /// The number of elements.
    pub fn num_elements(&self) -> usize {
        self.shape().num_elements()
    }

    /// The elements, row-major; computes them if need be.
    ///
    /// # Panics
    /// If `T` is not the tensor's element type: convert with `to_dtype` first.
    #[track_caller]
    pub fn to_vec<T: Element>(&self) -> Vec<T> {
        self.read(<[T]>::to_vec)
    }

    /// Calls `read` with the elements, row-major, without copying them; computes them if need be.
    ///
    /// # Panics
    /// As [`Tensor::to_vec`].
    #[track_caller]
    pub fn read<T: Element, R>(&self, read: impl FnOnce(&[T]) -> R) -> R {
        let (own, asked) = (self.dtype(), T::DTYPE);
        assert!(own == asked, "read: a tensor of {own} as {asked}: convert it first, with to_dtype(DType::{asked:?})");
        evaluate_values(std::slice::from_ref(&self.value));
        read(self.value.buffer().expect("just computed").elements())
    }

    /// Calls `read` with the bytes of the elements, row-major, as the machine stores them; computes them if
    /// need be.
    pub fn read_bytes<R>(&self, read: impl FnOnce(&[u8]) -> R) -> R {
        evaluate_values(std::slice::from_ref(&self.value));
        read(self.value.buffer().expect("just computed").bytes())
    }

    /// Replaces the elements: in place where nothing else holds them, else in new memory. Meant for the
    /// inputs of compiled functions, which so need no allocation.
    ///
    /// # Panics
    /// If there are not as many elements, or they are not of the tensor's type.
    #[track_caller]
    pub fn assign<T: Element>(&mut self, elements: &[T]) {
        let (own, asked) = (self.dtype(), T::DTYPE);
        assert!(own == asked, "assign: a tensor of {own} cannot take elements of {asked}");
        let count = self.num_elements();
        assert!(count == elements.len(), "assign: shape {} has {count} elements, not {}", self.shape(), elements.len());
        match self.value.buffer_mut().and_then(|buffer| buffer.elements_mut::<T>()) {
            Some(own) => own.copy_from_slice(elements),
            None => *self = Tensor::from_slice(self.shape(), elements),
        }
    }

    /// The only element, as the nearest `f64`.
    ///
    /// # Panics
    /// If there is more than one element or none.
    #[track_caller]
    pub fn item(&self) -> f64 {
        assert!(self.num_elements() == 1, "item: shape {} has not exactly one element", self.shape());
        Tensor::from(self.value.convert(DType::F64)).read(|elements: &[f64]| elements[0])
    }

    /// The same elements without their history: no gradient flows through the result. Computes them.
    pub fn detach(&self) -> Tensor {
        self.to(self.device())
    }

    /// The same elements on another device, without their history, as [`Tensor::detach`]. Computes them where they are;
    /// they are copied when they are needed there. Operations with operands here and on an accelerator are computed on
    /// the accelerator.
    pub fn to(&self, device: Device) -> Tensor {
        evaluate_values(std::slice::from_ref(&self.value));
        self.value.to_device(device).into()
    }
}
