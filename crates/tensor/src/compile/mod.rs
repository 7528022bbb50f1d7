//! Functions captured once and replayed.

mod accelerator;
mod captured;
mod cpu;
mod shares;

use std::marker::PhantomData;
use std::time::{Duration, Instant};

use gyrus_cpu::plan::{Plan, StepSummary};
use gyrus_graph::{Device, Spec, Value};

use self::accelerator::OnAccelerator;
use self::captured::Captured;
use self::cpu::OnCpu;
pub use self::shares::{num_shares, prefetch};
use crate::evaluate::evaluate_values;
use crate::{Module, Path, Tensor};

/// The most signatures of a function that plans are kept for.
const MAX_PLANS: usize = 256;

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
/// allocated. Plans for other shapes share that memory, and what was packed of the weights, so that inputs may differ in
/// length; those for the 256 signatures that were used last are kept. Whatever `function` does beside recording tensors happens in the first call only. Tensors of
/// the state are independent of each other, even where they begin as clones of one.
///
/// It runs where the state is, or where the inputs are: [`Tensor::to`] brings them to an accelerator. There the whole
/// function is one program, the state stays between calls, and a call returns before the results are there. On several
/// devices each has the whole state and sees its share of the inputs, by their leading axis;
/// [`Tensor::all_reduce_mean`] brings together what each found.
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

/// What is called between steps.
type Observe<'a> = Option<&'a mut dyn FnMut()>;

/// How long one step of a plan took.
#[derive(Clone, Debug)]
pub struct StepTime {
    /// What the step does.
    pub summary: StepSummary,
    /// How long it took.
    pub duration: Duration,
}

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
    /// If the function does, while it is captured, or an accelerator cannot compile it; the state is then as it was. If
    /// an accelerator fails.
    pub fn call(&mut self, state: &mut S, inputs: I) -> O {
        self.run(state, inputs, None)
    }

    /// Runs the function once, as [`Compiled::call`] does, and says how long each step of the plan took; nothing of what
    /// an accelerator does.
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
        let outputs = self.run(state, inputs, Some(&mut || moments.push(Instant::now())));
        let durations = moments.windows(2).map(|pair| pair[1] - pair[0]);
        let summaries = self.last_plan().map(Plan::summaries).unwrap_or_default();
        let steps = summaries.into_iter().zip(durations);
        (outputs, steps.map(|(summary, duration)| StepTime { summary, duration }).collect())
    }

    /// Runs the function by what is then the last of the replays. `observe` is called between steps, which then wait for each
    /// other.
    fn run(&mut self, state: &mut S, inputs: I, observe: Observe) -> O {
        let Self { function, replays, path, .. } = self;
        // The last is the one that was used last.
        let found = replays.iter().rposition(|replay| replay.fits(state, &inputs, path));
        let is_another = found.is_none_or(|index| index + 1 < replays.len());
        if let Some(Replay { runner: Runner::Cpu(last), .. }) = replays.last_mut()
            && is_another
        {
            last.rest();
        }
        if let Some(index) = found {
            replays[index..].rotate_left(1);
            let replay = replays.last_mut().expect("one fits");
            return replay.run(state, &inputs, path, observe);
        }
        let mut given = vec![];
        inputs.walk(path, &mut |_, _, tensor| given.push(tensor.clone()));
        let replay = Replay::new(function, state, inputs, path, replays);
        if replays.len() == MAX_PLANS {
            replays.remove(0);
        }
        replays.push(replay);
        let replay = replays.last_mut().expect("it was added");
        replay.run(state, &given, path, observe)
    }

    /// For how many signatures plans are kept.
    pub fn num_plans(&self) -> usize {
        self.replays.len()
    }

    /// How many multiplications and additions the products have of what was called last.
    ///
    /// ```
    /// use gyrus_tensor::{DType, Tensor, compile};
    ///
    /// let mut product = compile(|(): &mut (), x: Tensor| x.matmul(&x));
    /// product.call(&mut (), Tensor::ones([4, 4], DType::F32));
    /// assert_eq!(product.num_flops(), Some(2 * 4 * 4 * 4));
    /// ```
    pub fn num_flops(&self) -> Option<u64> {
        Some(self.replays.last()?.captured.graph.num_flops())
    }

    /// The plan that was run last, for those who look at plans; `None` if an accelerator runs it.
    pub fn last_plan(&self) -> Option<&Plan> {
        self.replays.last()?.plan()
    }
}

/// What runs one signature.
struct Replay<O> {
    /// What the tensors of the state and then the inputs are.
    specs: Vec<Spec>,
    device: Device,
    captured: Captured<O>,
    runner: Runner,
}

enum Runner {
    Cpu(Box<OnCpu>),
    Accelerator(OnAccelerator),
}

impl<O: Module + Clone> Replay<O> {
    fn new<S: Module, I: Module>(
        function: &mut impl FnMut(&mut S, I) -> O,
        state: &mut S,
        inputs: I,
        path: &mut Path,
        others: &[Replay<O>],
    ) -> Self {
        let device = device_of(state, &inputs, path);
        let mut specs = vec![];
        state.walk(path, &mut |_, _, tensor| specs.push(tensor.spec().clone()));
        let num_state = specs.len();
        inputs.walk(path, &mut |_, _, tensor| specs.push(tensor.spec().clone()));
        let num_shares = match device {
            Device::Accelerator(accelerator) => shares::shares_of(&specs[num_state..], accelerator.num_devices),
            _ => 1,
        };
        let captured = Captured::new(function, state, inputs, num_shares);
        let runner = match device {
            Device::Accelerator(accelerator) => {
                Runner::Accelerator(OnAccelerator::new(&captured, accelerator, num_shares))
            }
            _ => {
                let others = others.iter().filter_map(|other| match &other.runner {
                    Runner::Cpu(runner) => Some(&**runner),
                    Runner::Accelerator(_) => None,
                });
                Runner::Cpu(Box::new(OnCpu::new(&captured, others)))
            }
        };
        Replay { specs, device, captured, runner }
    }

    /// Whether the arguments are of the signature. It is the inputs that differ, if any do.
    fn fits(&self, state: &impl Module, inputs: &impl Module, path: &mut Path) -> bool {
        let (of_state, of_inputs) = self.specs.split_at(self.captured.num_state);
        are_of(of_inputs, inputs, path)
            && are_of(of_state, state, path)
            && device_of(state, inputs, path) == self.device
    }

    fn run<S: Module>(&mut self, state: &mut S, inputs: &impl Module, path: &mut Path, observe: Observe) -> O {
        compute(state, inputs, path);
        let results = match &mut self.runner {
            Runner::Cpu(runner) => runner.run(&self.captured, state, inputs, path, observe),
            Runner::Accelerator(runner) => runner.run(&self.captured, state, inputs, path),
        };
        let (mut outputs, mut results) = (self.captured.template.clone(), results.iter());
        outputs.walk_mut(path, &mut |_, _, tensor| {
            *tensor = results.next().expect("a walk is always the same").clone().into();
        });
        outputs
    }

    fn plan(&self) -> Option<&Plan> {
        match &self.runner {
            Runner::Cpu(runner) => Some(&runner.plan),
            Runner::Accelerator(_) => None,
        }
    }
}

/// Whether a module's tensors are as specified.
fn are_of(specs: &[Spec], module: &impl Module, path: &mut Path) -> bool {
    let (mut specs, mut are) = (specs.iter(), true);
    module.walk(path, &mut |_, _, tensor| are = are && specs.next() == Some(tensor.spec()));
    are && specs.next().is_none()
}

/// The device that arguments are on.
///
/// # Panics
/// If they are on several accelerators.
fn device_of(state: &impl Module, inputs: &impl Module, path: &mut Path) -> Device {
    let mut device = Device::Cpu;
    let mut join = |path: &Path, _, tensor: &Tensor| {
        let other = tensor.device();
        device = device.join(other).unwrap_or_else(|| {
            panic!("compile: arguments on {device} and, {path}, on {other}: move one, with to(device)");
        });
    };
    state.walk(path, &mut join);
    inputs.walk(path, &mut join);
    device
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
