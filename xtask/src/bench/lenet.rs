//! W1: LeNet-5 with average pooling and tanh, stochastic gradient descent with momentum.

use gyrus::prelude::*;

#[derive(Module)]
struct LeNet {
    c1: Conv2d,
    c2: Conv2d,
    c3: Conv2d,
    f1: Linear,
    f2: Linear,
}

impl LeNet {
    fn new(rng: &mut Rng) -> Self {
        LeNet {
            c1: Conv2d::new(1, 6, 5, rng),
            c2: Conv2d::new(6, 16, 5, rng),
            c3: Conv2d::new(16, 120, 5, rng),
            f1: Linear::new(120, 84, rng),
            f2: Linear::new(84, 10, rng),
        }
    }
}

impl Layer for LeNet {
    fn forward(&self, images: &Tensor, context: &mut Context) -> Tensor {
        let pool = AvgPool2d::new(2);
        let x = pool.forward(&self.c1.forward(images, context), context).tanh();
        let x = pool.forward(&self.c2.forward(&x, context), context).tanh();
        let x = Flatten.forward(&self.c3.forward(&x, context).tanh(), context);
        let x = self.f1.forward(&x, context).tanh();
        self.f2.forward(&x, context)
    }
}

/// Forward, backward and update for 64 images; reads the loss.
pub fn training_step() -> Box<dyn FnMut()> {
    let mut rng = Rng::new(0);
    let model = LeNet::new(&mut rng);
    let optimizer = Sgd::new(&model, SgdConfig { momentum: 0.9, ..SgdConfig::new(0.01) });
    let mut state = (model, optimizer);
    let images = rng.normal([64, 1, 32, 32], DType::F32, 0.0, 1.0).detach();
    let labels = Tensor::from_slice([64], &(0..64).map(|image| image % 10).collect::<Vec<i64>>());
    let mut step = compile(|(model, optimizer): &mut (LeNet, Sgd), (images, labels): (Tensor, Tensor)| {
        let loss = cross_entropy(&model.forward(&images, &mut Context::evaluate()), &labels);
        let gradients = loss.grad(model);
        optimizer.step(model, &gradients);
        loss
    });
    Box::new(move || {
        let loss = step.call(&mut state, (images.clone(), labels.clone()));
        assert!(loss.item().is_finite());
    })
}

/// The logits of one image.
pub fn inference() -> Box<dyn FnMut()> {
    let mut rng = Rng::new(0);
    let mut model = LeNet::new(&mut rng);
    let image = rng.normal([1, 1, 32, 32], DType::F32, 0.0, 1.0).detach();
    let mut forward = compile(|model: &mut LeNet, image: Tensor| model.forward(&image, &mut Context::evaluate()));
    Box::new(move || {
        let logits = forward.call(&mut model, image.clone());
        logits.read(|logits: &[f32]| assert!(logits[0].is_finite()));
    })
}
