//! Test cases that every operation states in its own file, for devices to run: a device's tests loop
//! over [`crate::ops::cases`] and check values against the decomposition and gradients against
//! central differences.

use crate::{DType, Shape, Value};

/// How a test makes one input.
#[derive(Clone, Debug)]
pub enum Sample {
    /// Reals drawn evenly from `low..high`, away from the function's kinks by the case's own choice.
    Uniform {
        /// The sizes of the axes.
        shape: Shape,
        /// The least value.
        low: f64,
        /// The greatest value.
        high: f64,
    },
    /// Integers drawn evenly from `0..high`, of type `dtype`, never differentiated.
    Integers {
        /// The sizes of the axes.
        shape: Shape,
        /// One more than the greatest value.
        high: i64,
        /// The element type.
        dtype: DType,
    },
}

impl Sample {
    /// Reals drawn evenly from `low..high`.
    pub fn uniform(shape: impl Into<Shape>, low: f64, high: f64) -> Sample {
        Sample::Uniform { shape: shape.into(), low, high }
    }

    /// Integers drawn evenly from `0..high`.
    pub fn integers(shape: impl Into<Shape>, high: i64, dtype: DType) -> Sample {
        Sample::Integers { shape: shape.into(), high, dtype }
    }
}

/// Builds a case's outputs from its inputs.
pub type Build = Box<dyn Fn(&[Value]) -> Vec<Value> + Send + Sync>;

/// One way to use an operation. Real inputs come in the element type under test.
pub struct Case {
    /// The operation, and what is special about this use of it.
    pub name: String,
    /// The inputs.
    pub inputs: Vec<Sample>,
    /// The use.
    pub build: Build,
    /// Whether gradients are checked: those of all real outputs for all real inputs.
    pub differentiable: bool,
    /// Whether second derivatives are checked as well.
    pub twice: bool,
}

impl Case {
    /// A use that can be differentiated twice.
    pub fn new(
        name: impl Into<String>,
        inputs: impl Into<Vec<Sample>>,
        build: impl Fn(&[Value]) -> Vec<Value> + Send + Sync + 'static,
    ) -> Case {
        Case { name: name.into(), inputs: inputs.into(), build: Box::new(build), differentiable: true, twice: true }
    }

    /// Marks a use without gradients.
    pub fn not_differentiable(self) -> Case {
        Case { differentiable: false, twice: false, ..self }
    }

    /// Marks a use whose gradient has no gradient.
    pub fn once(self) -> Case {
        Case { twice: false, ..self }
    }
}
