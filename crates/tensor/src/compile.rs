//! Functions captured once and replayed.

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use gyrus_cpu::plan::{Plan, StepSummary};
use gyrus_cpu::pool::Pool;
use gyrus_graph::{Buffer, Graph, Spec, Value};

use crate::evaluate::evaluate_values;
use crate::{Module, Path, Tensor};

/// A function whose plan is kept for each signature of its arguments; see [`compile`].
pub struct Compiled<F, S, I, O> {
    function: F,
    replays: Vec<Replay<O>>,
    path: Path,
    types: PhantomData<fn(&mut S, I)>,
}

/// Compiles `function`, which maps a state and inputs to outputs, and may replace tensors of the state.
///
/// The first call with arguments of given shapes and element types runs `function` on placeholders to
/// capture what it records, and plans it as a whole: common subexpressions are computed once, element-wise
/// operations are fused into passes, intermediate results share one arena. Every further call replays the
/// plan: the state is updated in place (where nothing else holds its tensors), and nothing is recorded or
/// allocated. Whatever `function` does beside recording tensors happens in the first call only. Tensors of
/// the state are independent of each other, even where they begin as clones of one.
///
/// ```
/// use gyrus_tensor::{Tensor, compile};
///
/// let mut step = compile(|sum: &mut Tensor, x: Tensor| {
///     *sum = &*sum + &x;
///     &x * 2.0
/// });
/// let mut sum = Tensor::from_slice([2], &[0.0f32, 0.0]);
/// for _ in 0..3 {
///     step.call(&mut sum, Tensor::from_slice([2], &[1.0f32, 2.0]));
/// }
/// assert_eq!(sum.to_vec::<f32>(), [3.0, 6.0]);
/// ```
pub fn compile<F, S, I, O>(function: F) -> Compiled<F, S, I, O>
where
    F: FnMut(&mut S, I) -> O,
    S: Module,
    I: Module,
    O: Module + Clone,
{
    Compiled { function, replays: vec![], path: Path::default(), types: PhantomData }
}

/// How long one step of a plan took.
#[derive(Clone, Debug)]
pub struct StepTime {
    /// What the step does.
    pub summary: StepSummary,
    /// How long it took.
    pub duration: Duration,
}

/// The plan for one signature.
struct Replay<O> {
    /// What the tensors of the state and then the inputs are.
    specs: Vec<Spec>,
    plan: Plan,
    /// For each tensor of the state, whether the function replaces it.
    is_replaced: Vec<bool>,
    /// Tensors of the state that the function does not replace and of which the plan keeps a prepared form: their
    /// places, and what they were when it was made. While they are held here, nothing can change them in place.
    prepared: Vec<(usize, Option<Value>)>,
    /// Tensors of the surroundings that the function reads.
    constants: Vec<Value>,
    /// The function's result, with other tensors in it.
    template: O,
    /// The tensors of the last result.
    results: Vec<Value>,
    read: Addresses<*const u8>,
    write: Addresses<*mut u8>,
    /// New memory for tensors of the state that something else holds as well.
    replacements: Vec<(usize, Buffer)>,
}

/// Addresses, kept so that a call does not allocate.
struct Addresses<P>(Vec<P>);

// SAFETY: the addresses are set anew in each call, and used only within it.
unsafe impl<P> Send for Addresses<P> {}

impl<F, S, I, O> Compiled<F, S, I, O>
where
    F: FnMut(&mut S, I) -> O,
    S: Module,
    I: Module,
    O: Module + Clone,
{
    /// Runs the function.
    ///
    /// # Panics
    /// If the function does, while it is captured; the state is then as it was.
    pub fn call(&mut self, state: &mut S, inputs: I) -> O {
        self.run(state, inputs, || {}).0
    }

    /// Runs the function once, as [`Compiled::call`] does, and says how long each step of the plan took.
    ///
    /// ```
    /// use gyrus_tensor::{Tensor, compile};
    ///
    /// let mut product = compile(|(): &mut (), x: Tensor| x.matmul(&x).tanh());
    /// let (y, steps) = product.profile(&mut (), Tensor::from_slice([2, 2], &[0.0f32, 1.0, 1.0, 0.0]));
    /// assert_eq!(y.shape()[..], [2, 2]);
    /// assert_eq!(steps[0].summary.operations, "dot_general, tanh");
    /// assert_eq!(steps[0].summary.work.flops, 2 * 2 * 2 * 2);
    /// ```
    ///
    /// # Panics
    /// As [`Compiled::call`].
    pub fn profile(&mut self, state: &mut S, inputs: I) -> (O, Vec<StepTime>) {
        let mut moments = vec![];
        let (outputs, replay) = self.run(state, inputs, || moments.push(Instant::now()));
        let durations = moments.windows(2).map(|pair| pair[1] - pair[0]);
        let steps = self.replays[replay].plan.summaries().into_iter().zip(durations);
        (outputs, steps.map(|(summary, duration)| StepTime { summary, duration }).collect())
    }

    /// Runs the function; returns also which replay did. `observe` is called between steps.
    fn run(&mut self, state: &mut S, inputs: I, observe: impl FnMut()) -> (O, usize) {
        let Self { function, replays, path, .. } = self;
        if let Some(index) = replays.iter().position(|replay| replay.fits(state, &inputs, path)) {
            return (replays[index].run(state, &inputs, path, observe), index);
        }
        let mut given = vec![];
        inputs.walk(path, &mut |_, _, tensor| given.push(tensor.clone()));
        replays.push(Replay::capture(function, state, inputs));
        let index = replays.len() - 1;
        (replays[index].run(state, &given, path, observe), index)
    }

    /// How many signatures have been captured.
    pub fn num_plans(&self) -> usize {
        self.replays.len()
    }

    /// The plan that was captured last, for those who look at plans.
    pub fn last_plan(&self) -> Option<&Plan> {
        self.replays.last().map(|replay| &replay.plan)
    }
}

fn values(module: &impl Module) -> Vec<Value> {
    let mut all = vec![];
    module.walk(&mut Path::default(), &mut |_, _, tensor| all.push(tensor.value().clone()));
    all
}

/// Puts other tensors in the place of a module's, in the order of its walk.
fn replace(module: &mut impl Module, values: &[Value]) {
    let mut values = values.iter();
    module.walk_mut(&mut Path::default(), &mut |_, _, tensor| {
        *tensor = values.next().expect("a walk is always the same").clone().into();
    });
}

impl<O: Module + Clone> Replay<O> {
    fn capture<S: Module, I: Module>(function: &mut impl FnMut(&mut S, I) -> O, state: &mut S, mut inputs: I) -> Self {
        let before = values(state);
        let placeholders = |values: &[Value]| -> Vec<Value> {
            values.iter().map(|value| Value::placeholder(value.spec().clone())).collect()
        };
        let old = placeholders(&before);
        let given = placeholders(&values(&inputs));
        replace(state, &old);
        replace(&mut inputs, &given);
        let result = catch_unwind(AssertUnwindSafe(|| {
            let outputs = function(state, inputs);
            let new = values(state);
            let is_like = |(old, new): (&Value, &Value)| {
                assert!(
                    old.spec() == new.spec(),
                    "compile: the function replaces a tensor of the state, {}, by {}: it must keep shape and type",
                    old.spec(),
                    new.spec()
                );
            };
            assert_eq!(old.len(), new.len(), "compile: the function must keep the number of the state's tensors");
            old.iter().zip(&new).for_each(is_like);
            (outputs, new)
        }));
        replace(state, &before);
        let (mut template, new) = result.unwrap_or_else(|panic| resume_unwind(panic));

        let is_replaced: Vec<bool> = old.iter().zip(&new).map(|(old, new)| !old.is_same(new)).collect();
        let results = values(&template);
        let replaced = new.iter().zip(&is_replaced).filter_map(|(value, is)| is.then_some(value));
        let outputs: Vec<Value> = replaced.chain(&results).cloned().collect();
        let captured = Graph::capture(&[&old[..], &given].concat(), &outputs);
        let donated: Vec<(usize, usize)> = (0..old.len())
            .filter(|&index| is_replaced[index])
            .enumerate()
            .map(|(output, input)| (input, output))
            .collect();
        let nothing = Value::from_elements([0], &[0u8; 0]);
        replace(&mut template, &vec![nothing; results.len()]);
        let mut plan = Plan::new(&captured.graph, &donated);
        let stays: Vec<usize> = (0..old.len()).filter(|&index| !is_replaced[index]).collect();
        let mut prepared = plan.prepare_inputs(&stays);
        prepared.sort_unstable();
        prepared.dedup();
        Replay {
            prepared: prepared.into_iter().map(|index| (index, None)).collect(),
            specs: old.iter().chain(&given).map(|value| value.spec().clone()).collect(),
            plan,
            is_replaced,
            constants: captured.constants,
            template,
            results: results.iter().map(|value| new_leaf(value.spec())).collect(),
            read: Addresses(Vec::with_capacity(captured.graph.inputs.len())),
            write: Addresses(Vec::with_capacity(captured.graph.outputs.len())),
            replacements: vec![],
        }
    }

    /// Whether the arguments are of the signature.
    fn fits(&self, state: &impl Module, inputs: &impl Module, path: &mut Path) -> bool {
        let (mut specs, mut fits) = (self.specs.iter(), true);
        let mut check = |_: &Path, _, tensor: &Tensor| fits &= specs.next() == Some(tensor.spec());
        state.walk(path, &mut check);
        inputs.walk(path, &mut check);
        fits && specs.next().is_none()
    }

    fn run<S: Module>(&mut self, state: &mut S, inputs: &impl Module, path: &mut Path, observe: impl FnMut()) -> O {
        compute(state, inputs, path);
        let Replay { read: Addresses(read), write: Addresses(write), is_replaced, replacements, .. } = self;
        read.clear();
        write.clear();
        let (mut index, mut prepared, mut has_changed) = (0, self.prepared.iter_mut().peekable(), false);
        state.walk_mut(path, &mut |_, _, tensor| {
            read.push(address(tensor));
            if is_replaced[index] {
                let own = tensor.value_mut().buffer_mut().and_then(Buffer::bytes_mut).map(<[u8]>::as_mut_ptr);
                write.push(own.unwrap_or_else(|| {
                    let mut buffer = Buffer::zeroed(tensor.spec().num_bytes());
                    let start = buffer.bytes_mut().expect("new").as_mut_ptr();
                    replacements.push((index, buffer));
                    start
                }));
            }
            if let Some((_, value)) = prepared.next_if(|(place, _)| *place == index)
                && !value.as_ref().is_some_and(|value| value.is_same(tensor.value()))
            {
                (*value, has_changed) = (Some(tensor.value().clone()), true);
            }
            index += 1;
        });
        if has_changed {
            self.plan.inputs_changed();
        }
        inputs.walk(path, &mut |_, _, tensor| read.push(address(tensor)));
        read.extend(self.constants.iter().map(|value| value.buffer().expect("computed").as_ptr()));
        for result in &mut self.results {
            if result.buffer_mut().and_then(Buffer::bytes_mut).is_none() {
                *result = new_leaf(result.spec());
            }
            write.push(result.buffer_mut().and_then(Buffer::bytes_mut).expect("has one holder").as_mut_ptr());
        }
        // SAFETY: the buffers are of the sizes of the signature's specifications and aligned to 64 bytes;
        // what is written has no other holder; only donated pairs are the same memory.
        unsafe { self.plan.run_observed(read, write, Pool::global(), observe) };
        if !replacements.is_empty() {
            let (mut index, mut new) = (0, replacements.drain(..).peekable());
            state.walk_mut(path, &mut |_, _, tensor| {
                if let Some((_, buffer)) = new.next_if(|(place, _)| *place == index) {
                    *tensor = Value::leaf(tensor.spec().clone(), buffer).into();
                }
                index += 1;
            });
        }
        let (mut outputs, mut results) = (self.template.clone(), self.results.iter());
        outputs.walk_mut(path, &mut |_, _, tensor| {
            *tensor = results.next().expect("a walk is always the same").clone().into();
        });
        outputs
    }
}

fn new_leaf(spec: &Spec) -> Value {
    Value::leaf(spec.clone(), Buffer::zeroed(spec.num_bytes()))
}

fn address(tensor: &Tensor) -> *const u8 {
    tensor.value().buffer().expect("computed before").as_ptr()
}

/// Computes what is not computed yet.
fn compute(state: &impl Module, inputs: &impl Module, path: &mut Path) {
    let mut pending: Vec<Value> = vec![];
    let mut add = |_: &Path, _, tensor: &Tensor| {
        if !tensor.value().is_computed() {
            pending.push(tensor.value().clone());
        }
    };
    state.walk(path, &mut add);
    inputs.walk(path, &mut add);
    evaluate_values(&pending);
}
