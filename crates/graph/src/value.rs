//! Handles to the outputs of graph nodes.

use std::collections::HashSet;
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::ops::source::Leaf;
use crate::{Buffer, DType, Device, Element, Op, Operation, Remote, Scalar, Shape, Spec};

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
    computed: Box<[Computed]>,
}

/// The elements of one output, once they are known: here, on an accelerator, or in both places.
#[derive(Default)]
struct Computed {
    buffer: OnceLock<Buffer>,
    remote: OnceLock<Arc<dyn Remote>>,
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
        let device = inputs.iter().try_fold(Device::Cpu, |device, input| {
            let (one, other) = (device, input.device());
            one.join(other).ok_or((one, other))
        });
        let device = match device {
            Ok(device) => device,
            Err((one, other)) => panic!("{}: operands on {one} and on {other}: move one, with to({other})", op.name()),
        };
        let computed = outputs.iter().map(|_| Computed::default()).collect();
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

    /// A value that is known, and that an accelerator holds.
    pub fn remote_leaf(spec: Spec, device: Device, remote: Arc<dyn Remote>) -> Value {
        let value = Value::leaf_of(spec, device);
        value.set_remote(remote);
        value
    }

    /// The same elements for another device: it gets them when they are needed there. They have no history: no gradient
    /// flows through them.
    ///
    /// # Panics
    /// If the value is not computed yet.
    #[track_caller]
    pub fn to_device(&self, device: Device) -> Value {
        assert!(self.is_computed(), "to_device: a value that is not computed yet, recorded at {}", self.location());
        let moved = Value::leaf_of(self.spec().clone(), device);
        let computed = self.computed();
        match computed.remote.get() {
            Some(remote) if device == self.device() => moved.set_remote(remote.clone()),
            _ => moved.set_buffer(self.buffer().expect("is computed").clone()),
        }
        moved
    }

    #[track_caller]
    fn leaf_of(spec: Spec, device: Device) -> Value {
        let mut value = Value::record_one(Leaf { spec }, &[]);
        Arc::get_mut(&mut value.node).expect("new").device = device;
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

    fn computed(&self) -> &Computed {
        &self.node.computed[self.index]
    }

    /// The elements, if they are known already; fetches them if only an accelerator holds them.
    pub fn buffer(&self) -> Option<&Buffer> {
        let Computed { buffer, remote } = self.computed();
        buffer.get().or_else(|| remote.get().map(|remote| buffer.get_or_init(|| remote.fetch())))
    }

    /// The elements as an accelerator holds them, if one does.
    pub fn remote(&self) -> Option<&Arc<dyn Remote>> {
        self.computed().remote.get()
    }

    /// Remembers the elements. A value is computed once: a second call changes nothing.
    pub fn set_buffer(&self, buffer: Buffer) {
        debug_assert_eq!(buffer.len(), self.spec().num_bytes());
        let _ = self.computed().buffer.set(buffer);
    }

    /// Remembers that an accelerator holds the elements.
    pub fn set_remote(&self, remote: Arc<dyn Remote>) {
        let _ = self.computed().remote.set(remote);
    }

    /// The elements of a leaf, to write in place: `None` while anything else holds the leaf or its
    /// buffer, or where it is not a leaf.
    pub fn buffer_mut(&mut self) -> Option<&mut Buffer> {
        let Computed { buffer, remote } = self.own_computed()?;
        if let Some(remote) = remote.take() {
            // What the accelerator holds is about to be out of date.
            buffer.get_or_init(|| remote.fetch());
        }
        buffer.get_mut()
    }

    /// Takes from a leaf what an accelerator holds, which may then overwrite it; nothing is known of the leaf's
    /// elements until then. `None` while anything else holds the leaf, or where it is not one.
    pub fn take_remote(&mut self) -> Option<Arc<dyn Remote>> {
        let Computed { buffer, remote } = self.own_computed()?;
        let taken = remote.take();
        if taken.is_some() {
            buffer.take();
        }
        taken
    }

    fn own_computed(&mut self) -> Option<&mut Computed> {
        let node = Arc::get_mut(&mut self.node)?;
        matches!(node.op, Op::Leaf(_)).then(|| &mut node.computed[self.index])
    }

    /// Whether the elements are known already.
    pub fn is_computed(&self) -> bool {
        let Computed { buffer, remote } = self.computed();
        buffer.get().is_some() || remote.get().is_some()
    }

    /// Whether the elements of all are known or can be computed: whether they depend on no placeholder.
    pub fn are_computable(values: &[Value]) -> bool {
        let (mut seen, mut pending) = (HashSet::new(), values.iter().collect::<Vec<_>>());
        while let Some(value) = pending.pop() {
            if value.is_computed() || !seen.insert(value.node_id()) {
                continue;
            }
            if matches!(value.op(), Op::Leaf(_)) {
                return false;
            }
            pending.extend(value.inputs());
        }
        true
    }

    /// A scalar constant of the same element type, repeated over the same shape.
    #[track_caller]
    pub fn full_like(&self, value: f64) -> Value {
        Value::constant(Scalar::from_f64(self.dtype(), value), self.shape().clone())
    }

    /// How many handles there are to outputs of the operation that makes this value, those of operations that read them included.
    pub(crate) fn num_handles(&self) -> usize {
        Arc::strong_count(&self.node)
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
