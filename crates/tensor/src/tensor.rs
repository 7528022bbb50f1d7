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
        evaluate_values(std::slice::from_ref(&self.value));
        let buffer = self.value.buffer().expect("just computed").clone();
        Value::leaf(self.spec().clone(), buffer).into()
    }
}

impl std::fmt::Debug for Tensor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tensor({})", self.spec())
    }
}
