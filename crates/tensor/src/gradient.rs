//! Gradients of tensors.

use gyrus_graph::{Value, gradients};

use crate::{Kind, Module, Path, Tensor};

/// The gradients of `output`, a scalar, with respect to each of `targets`; zeros for a target on which it
/// does not depend. The results are tensors like any other, and can be differentiated again.
///
/// # Panics
/// If `output` is not a floating-point scalar.
///
/// ```
/// use gyrus_tensor::{Tensor, grad};
///
/// let x = Tensor::from_slice([], &[3.0f64]);
/// let y = &x * &x;
/// let [dx] = &grad(&y, &[&x])[..] else { unreachable!() };
/// assert_eq!(dx.item(), 6.0);
/// ```
#[track_caller]
pub fn grad(output: &Tensor, targets: &[&Tensor]) -> Vec<Tensor> {
    let spec = output.spec();
    assert!(
        spec.shape.rank() == 0 && spec.dtype.is_float(),
        "grad: the output is {spec}, must be a floating-point scalar: reduce it first, with mean() or sum()"
    );
    let values: Vec<Value> = targets.iter().map(|target| target.value().clone()).collect();
    let one = output.value().full_like(1.0);
    let found = gradients(std::slice::from_ref(output.value()), &[one], &values);
    let or_zeros = |(gradient, target): (Option<Value>, &Value)| gradient.unwrap_or_else(|| target.full_like(0.0));
    found.into_iter().zip(&values).map(|pair| or_zeros(pair).into()).collect()
}

/// `function` of `inputs`, with less memory for its gradient: what it computes is not kept until then, but computed
/// again from the inputs and what else it reads. Random numbers are the same both times.
///
/// Only the results may leave the function: it must not replace tensors of its surroundings, as batch normalisation
/// does in training.
///
/// # Source
/// Chen et al., Training Deep Nets with Sublinear Memory Cost (2016).
///
/// ```
/// use gyrus_tensor::{Tensor, grad, remat};
///
/// let x = Tensor::from_slice([2], &[0.5f64, -1.0]);
/// let y = remat(|x| vec![x[0].tanh().exp()], &[&x]).remove(0);
/// let expected = x.tanh().exp() * (1.0 - x.tanh().square());
/// assert_eq!(grad(&y.sum(..), &[&x])[0].to_vec::<f64>(), expected.to_vec::<f64>());
/// ```
#[track_caller]
pub fn remat(function: impl FnOnce(&[Tensor]) -> Vec<Tensor>, inputs: &[&Tensor]) -> Vec<Tensor> {
    let values: Vec<Value> = inputs.iter().map(|input| input.value().clone()).collect();
    let body = |values: &[Value]| {
        let inputs: Vec<Tensor> = values.iter().cloned().map(Tensor::from).collect();
        function(&inputs).into_iter().map(|output| output.value().clone()).collect()
    };
    Value::remat(&values, body).into_iter().map(Tensor::from).collect()
}

/// One gradient for each parameter of a module, in the order of its walk.
#[derive(Clone)]
pub struct Gradients {
    gradients: Vec<Tensor>,
    output: Option<Tensor>,
}

impl Gradients {
    /// Gradients in the order of the module's walk.
    pub fn new(gradients: Vec<Tensor>) -> Self {
        Gradients { gradients, output: None }
    }

    /// What they are the gradients of, if they were recorded by [`Tensor::grad`].
    ///
    /// ```
    /// use gyrus_tensor::Tensor;
    ///
    /// let weight = Tensor::from_slice([2], &[1.0f32, 2.0]);
    /// let gradients = weight.square().sum(..).grad(&weight);
    /// assert_eq!(gradients.output().map(Tensor::item), Some(5.0));
    /// ```
    pub fn output(&self) -> Option<&Tensor> {
        self.output.as_ref()
    }

    /// The gradients in the order of the module's walk.
    pub fn iter(&self) -> std::slice::Iter<'_, Tensor> {
        self.gradients.iter()
    }

    /// The gradients with something done to each.
    pub fn map(&self, f: impl FnMut(&Tensor) -> Tensor) -> Gradients {
        Gradients { gradients: self.iter().map(f).collect(), output: self.output.clone() }
    }
}

impl Module for Gradients {
    fn walk(&self, path: &mut Path, visit: &mut dyn FnMut(&Path, Kind, &Tensor)) {
        self.gradients.walk(path, visit);
    }

    fn walk_mut(&mut self, path: &mut Path, visit: &mut dyn FnMut(&Path, Kind, &mut Tensor)) {
        // They may become those of something else.
        self.output = None;
        self.gradients.walk_mut(path, visit);
    }
}

impl Tensor {
    /// The gradients of this scalar with respect to every parameter of `module`.
    ///
    /// # Panics
    /// As [`grad`].
    #[track_caller]
    pub fn grad(&self, module: &(impl Module + ?Sized)) -> Gradients {
        let parameters = module.parameters();
        let gradients = grad(self, &parameters.iter().collect::<Vec<_>>());
        Gradients { gradients, output: Some(self.clone()) }
    }
}
