//! Graphs as programs of an accelerator.

use std::sync::Arc;

use gyrus_graph::{Accelerator, Graph, Shape, Spec, Value};

use crate::accelerator::opened;
use crate::lowering::{Lowering, lower};
use crate::placement::held;
use crate::runtime::Executable;
use crate::sharing::outputs_that_differ;
use crate::{Held, PjrtError, Sharing};

/// A graph that was compiled for an accelerator.
pub struct Program {
    accelerator: Accelerator,
    executable: Executable,
    outputs: Vec<Output>,
}

struct Output {
    /// Of the whole.
    spec: Spec,
    sharing: Sharing,
    differs: bool,
}

/// What a program is given.
pub enum Argument {
    /// It stays as it is.
    Kept(Arc<Held>),
    /// The program may overwrite it.
    Donated(Held),
}

impl Argument {
    /// Takes what an accelerator holds of a leaf, to be overwritten; `None` while anything else holds the leaf.
    pub fn donated(value: &mut Value) -> Option<Argument> {
        let remote = value.take_remote()?;
        let held = held(&remote)?;
        drop(remote);
        Some(match Arc::try_unwrap(held) {
            Ok(held) => Argument::Donated(held),
            Err(shared) => Argument::Kept(shared),
        })
    }

    fn held(&self) -> &Held {
        match self {
            Argument::Kept(held) => held,
            Argument::Donated(held) => held,
        }
    }
}

impl Program {
    /// Compiles a graph. `donated` pairs inputs with the outputs that may overwrite them; `inputs` says how each input
    /// lies on the devices, its shape in the graph being that of a share.
    ///
    /// # Errors
    /// If there is no word for an operation, or the plug-in refuses the program.
    pub fn new(
        accelerator: Accelerator,
        graph: &Graph,
        donated: &[(usize, usize)],
        inputs: &[Sharing],
    ) -> Result<Program, PjrtError> {
        let num_devices = accelerator.num_devices;
        let text = lower(graph, &Lowering { name: "gyrus", donated, num_replicas: num_devices })?;
        let executable = opened(accelerator).compile(&text, num_devices)?;
        let is_split = inputs.contains(&Sharing::Split);
        let differs: Vec<bool> = inputs.iter().map(|&sharing| sharing == Sharing::Split).collect();
        let differs = match num_devices {
            1 => vec![false; graph.outputs.len()],
            _ => outputs_that_differ(graph, &differs),
        };
        let output = |(&port, differs)| {
            let share: &Spec = graph.spec(port);
            // Without shares, each device's result is as good as the others'.
            let is_share = differs && is_split;
            if !is_share {
                return Ok(Output { spec: share.clone(), sharing: Sharing::Whole, differs });
            }
            let mut sizes = share.shape.to_vec();
            let Some(first) = sizes.first_mut() else {
                return Err(PjrtError::Misuse {
                    doing: "dividing a batch among devices",
                    problem:
                        "a scalar result differs from device to device: take its all_reduce_mean or all_reduce_sum"
                            .to_owned(),
                });
            };
            *first *= num_devices;
            let spec = Spec::new(Shape::from(&sizes[..]), share.dtype);
            Ok(Output { spec, sharing: Sharing::Split, differs })
        };
        let outputs = graph.outputs.iter().zip(differs).map(output).collect::<Result<_, _>>()?;
        Ok(Program { accelerator, executable, outputs })
    }

    /// Whether an output may differ from device to device.
    pub fn differs(&self, output: usize) -> bool {
        self.outputs[output].differs
    }

    /// Runs the program. It does not wait for the results.
    ///
    /// # Errors
    /// If the devices' memory is used up, or they fail.
    pub fn run(&self, arguments: Vec<Argument>) -> Result<Vec<Held>, PjrtError> {
        let is_kept = |(index, argument): (usize, &Argument)| matches!(argument, Argument::Kept(_)).then_some(index);
        let kept: Vec<usize> = arguments.iter().enumerate().filter_map(is_kept).collect();
        let on_device = |device: usize| arguments.iter().map(|argument| &argument.held().buffers()[device]).collect();
        let lists: Vec<Vec<_>> = (0..self.accelerator.num_devices).map(on_device).collect();
        let results = self.executable.execute(&lists, &kept)?;
        // From one list for each device to one for each output.
        let mut devices: Vec<_> = results.into_iter().map(Vec::into_iter).collect();
        let hold = |Output { spec, sharing, .. }: &Output| {
            let buffers = devices.iter_mut().map(|list| list.next().expect("one for each output")).collect();
            Held::new(self.accelerator, spec.clone(), *sharing, buffers)
        };
        Ok(self.outputs.iter().map(hold).collect())
    }
}
