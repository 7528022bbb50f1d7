//! Handles to the outputs of graph nodes.

use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::ops::source::Leaf;
use crate::{Buffer, DType, Device, Element, Op, Operation, Scalar, Shape, Spec};

/// A handle to one output of a node of the graph: what it will be is known, its elements are
/// computed when read. Cloning it is cheap.
#[derive(Clone)]
pub struct Value {
    node: Arc<Node>,
    index: usize,
}

struct Node {
    id: u64,
    op: Op,
    inputs: Vec<Value>,
    outputs: Vec<Spec>,
    device: Device,
    location: &'static Location<'static>,
    computed: Box<[OnceLock<Buffer>]>,
}

/// Later nodes have larger numbers, so that order of creation is a topological order.
static NEXT_ID: AtomicU64 = AtomicU64::new(0);

impl Drop for Node {
    /// Takes long chains apart one by one: recursion would overflow the stack.
    fn drop(&mut self) {
        let mut orphans = std::mem::take(&mut self.inputs);
        while let Some(value) = orphans.pop() {
            if let Some(mut node) = Arc::into_inner(value.node) {
                orphans.append(&mut node.inputs);
            }
        }
    }
}

impl Value {
    /// Records an operation and returns its outputs.
    ///
    /// # Panics
    /// If the inputs do not fit the operation: the message names it, what it received and its rule.
    #[track_caller]
    pub fn record(op: impl Into<Op>, inputs: &[&Value]) -> Vec<Value> {
        let op = op.into();
        let specs: Vec<Spec> = inputs.iter().map(|input| input.spec().clone()).collect();
        let outputs = match op.infer(&specs) {
            Ok(outputs) => outputs,
            // Not in a closure: the panic is to name the caller's line.
            Err(rule) => {
                let received: Vec<String> = specs.iter().map(Spec::to_string).collect();
                panic!("{}: {}: {rule}", op.name(), received.join(" and "))
            }
        };
        let device = inputs.first().map_or(Device::default(), |input| input.device());
        let computed = outputs.iter().map(|_| OnceLock::new()).collect();
        let inputs = inputs.iter().map(|&input| input.clone()).collect();
        Value::outputs_of(Node {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            op,
            inputs,
            outputs,
            device,
            location: Location::caller(),
            computed,
        })
    }

    /// Records an operation of one output.
    ///
    /// # Panics
    /// As [`Value::record`], or if the operation has several outputs.
    #[track_caller]
    pub fn record_one(op: impl Into<Op>, inputs: &[&Value]) -> Value {
        let [output] = <[Value; 1]>::try_from(Value::record(op, inputs)).expect("one output");
        output
    }

    fn outputs_of(node: Node) -> Vec<Value> {
        let node = Arc::new(node);
        (0..node.outputs.len()).map(|index| Value { node: node.clone(), index }).collect()
    }

    /// A value that is known: `buffer` holds its elements, row-major.
    ///
    /// # Panics
    /// If the buffer is not of the size that `spec` asks for.
    #[track_caller]
    pub fn leaf(spec: Spec, buffer: Buffer) -> Value {
        assert_eq!(spec.num_bytes(), buffer.len(), "leaf: {spec} and a buffer of {} bytes", buffer.len());
        let value = Value::record_one(Leaf { spec }, &[]);
        value.set_buffer(buffer);
        value
    }

    /// A value given element by element, row-major.
    ///
    /// # Panics
    /// If there are not as many elements as `shape` has.
    #[track_caller]
    pub fn from_elements<T: Element>(shape: impl Into<Shape>, elements: &[T]) -> Value {
        let shape = shape.into();
        assert_eq!(shape.num_elements(), elements.len(), "{} elements do not fill shape {shape}", elements.len());
        Value::leaf(Spec::new(shape, T::DTYPE), Buffer::from_elements(elements))
    }

    /// Shape and element type.
    pub fn spec(&self) -> &Spec {
        &self.node.outputs[self.index]
    }

    /// The sizes of the axes.
    pub fn shape(&self) -> &Shape {
        &self.spec().shape
    }

    /// The element type.
    pub fn dtype(&self) -> DType {
        self.spec().dtype
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.shape().rank()
    }

    /// Where the value lives or will be computed.
    pub fn device(&self) -> Device {
        self.node.device
    }

    /// The operation that makes this value.
    pub fn op(&self) -> &Op {
        &self.node.op
    }

    /// What the operation reads.
    pub fn inputs(&self) -> &[Value] {
        &self.node.inputs
    }

    /// Which of the operation's outputs this is.
    pub fn output_index(&self) -> usize {
        self.index
    }

    /// All the outputs of the operation that makes this value.
    pub fn siblings(&self) -> Vec<Value> {
        let sibling = |index| Value { node: self.node.clone(), index };
        (0..self.node.outputs.len()).map(sibling).collect()
    }

    /// A number that is larger for operations recorded later.
    pub fn node_id(&self) -> u64 {
        self.node.id
    }

    /// The line of the program that recorded the operation.
    pub fn location(&self) -> &'static Location<'static> {
        self.node.location
    }

    /// The elements, if they are known already.
    pub fn buffer(&self) -> Option<&Buffer> {
        self.node.computed[self.index].get()
    }

    /// Remembers the elements. A value is computed once: a second call changes nothing.
    pub fn set_buffer(&self, buffer: Buffer) {
        debug_assert_eq!(buffer.len(), self.spec().num_bytes());
        let _ = self.node.computed[self.index].set(buffer);
    }

    /// The elements of a leaf, to write in place: `None` while anything else holds the leaf or its
    /// buffer, or where it is not a leaf.
    pub fn buffer_mut(&mut self) -> Option<&mut Buffer> {
        let node = Arc::get_mut(&mut self.node)?;
        matches!(node.op, Op::Leaf(_)).then(|| node.computed[self.index].get_mut()).flatten()
    }

    /// Whether the elements are known already.
    pub fn is_computed(&self) -> bool {
        self.buffer().is_some()
    }

    /// A scalar constant of the same element type, repeated over the same shape.
    #[track_caller]
    pub fn full_like(&self, value: f64) -> Value {
        Value::constant(Scalar::from_f64(self.dtype(), value), self.shape().clone())
    }

    /// Whether both are the same output of the same node.
    pub fn is_same(&self, other: &Value) -> bool {
        Arc::ptr_eq(&self.node, &other.node) && self.index == other.index
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}.{} = {:?} : {}", self.node.id, self.index, self.node.op, self.spec())
    }
}
