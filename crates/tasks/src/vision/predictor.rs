//! Applying a network to images: decoding and drawing of views on threads of their own, views in batches through the
//! network, and what it says of the views of an image brought together.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use gyrus_data::transforms::{Projection, Scratch};
use gyrus_data::{DataError, Dataset, Geometry, ImageBuffer, Preprocess, Split};
use gyrus_nn::Context;
use gyrus_tensor::{Compiled, Element, Tensor, compile};

use super::measure::{Tally, Truth};
use super::{Answer, Description, Merge, Model, Output, View, VisionTask};

/// Reads the image of a number, of as many channels as it has.
pub type Read<'a> = &'a (dyn Fn(usize, &mut ImageBuffer) -> Result<(), DataError> + Sync);

/// How many numbers the views of a batch have at most, and how many views.
const MAX_ELEMENTS: usize = 1 << 22;
const MAX_VIEWS: usize = 256;

/// How many images each thread has ready.
const AHEAD: usize = 4;

type Forward<V> = fn(&mut Model<V>, Tensor) -> Vec<Tensor>;

/// A network's compiled inference.
pub struct Predictor<'a, V: VisionTask> {
    description: &'a Description<V::Options>,
    /// Whether each view is also seen mirrored.
    mirror: bool,
    /// How many views go through the network at once.
    most: usize,
    forward: Compiled<Forward<V>, Model<V>, Tensor, Vec<Tensor>>,
    batch: Tensor,
    pixels: Vec<f32>,
}

/// Gets what comes of each image.
type Take<'a, E> = &'a mut dyn FnMut(Result<Answered, DataError>) -> Result<(), E>;

/// An image on its way.
struct Seen {
    number: usize,
    /// As it was read, if whoever asked wants to have it.
    image: ImageBuffer,
    size: Geometry,
    views: Vec<Projection>,
    /// All views, `[views, C, H, W]`.
    pixels: Vec<f32>,
}

/// What comes of an image.
pub struct Answered {
    /// Its number.
    pub number: usize,
    /// As it was read.
    pub image: ImageBuffer,
    /// What the model says of it.
    pub answer: Answer,
}

impl<'a, V: VisionTask> Predictor<'a, V> {
    /// Of models of this description; with `mirror`, answers are those on an image and its mirror image together.
    pub fn new(description: &'a Description<V::Options>, mirror: bool) -> Self {
        let forward: Forward<V> = |model, images| V::infer(model, &images, &mut Context::evaluate());
        let size = description.preprocess.geometry().num_elements();
        let most = (MAX_ELEMENTS / size.max(1)).clamp(1, MAX_VIEWS);
        Predictor { description, mirror, most, forward: compile(forward), batch: Tensor::default(), pixels: vec![] }
    }

    /// With one view after another through the network: what it says of an image then depends on no other image, to the
    /// bit.
    #[must_use]
    pub fn one_by_one(self) -> Self {
        Predictor { most: 1, ..self }
    }

    /// Answers for images of the numbers from 0 to `count`, in order. One that cannot be read keeps no other from being
    /// answered: `take` gets the error in its place, and ends everything by returning one.
    ///
    /// # Errors
    /// What `take` returns.
    pub fn each<E>(
        &mut self,
        model: &mut Model<V>,
        count: usize,
        read: Read,
        mut take: impl FnMut(Result<Answered, DataError>) -> Result<(), E>,
    ) -> Result<(), E> {
        let (preprocess, mirror) = (&self.description.preprocess, self.mirror);
        let num_threads = thread::available_parallelism().map_or(1, |count| count.get()).div_ceil(2).min(count.max(1));
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let mut receivers: VecDeque<Receiver<Result<Seen, DataError>>> = (0..num_threads)
                .map(|first| {
                    let (sender, receiver) = sync_channel(AHEAD);
                    let stop = &stop;
                    scope.spawn(move || {
                        let mut scratch = Scratch::default();
                        for number in (first..count).step_by(num_threads) {
                            let seen = see(number, read, preprocess, mirror, &mut scratch);
                            if stop.load(Ordering::Relaxed) || sender.send(seen).is_err() {
                                return;
                            }
                        }
                    });
                    receiver
                })
                .collect();
            let next = (0..count).map(|_| {
                receivers.rotate_left(1);
                receivers.back().and_then(|receiver| receiver.recv().ok()).expect("a thread sends all its images")
            });
            let result = self.run(model, next, &mut take);
            stop.store(true, Ordering::Relaxed);
            drop(receivers);
            result
        })
    }

    /// Batches of views of one image after another.
    fn run<E>(
        &mut self,
        model: &mut Model<V>,
        images: impl Iterator<Item = Result<Seen, DataError>>,
        take: Take<E>,
    ) -> Result<(), E> {
        let most = self.most;
        let mut waiting = Waiting::<V> { description: self.description, images: VecDeque::new(), next: 0, pending: 0 };
        for seen in images {
            match seen {
                Ok(seen) => waiting.push(seen),
                Err(error) => {
                    // In order: first what came before.
                    while waiting.pending > 0 {
                        self.step(model, &mut waiting, most, take)?;
                    }
                    take(Err(error))?;
                }
            }
            while waiting.pending >= most {
                self.step(model, &mut waiting, most, take)?;
            }
        }
        while waiting.pending > 0 {
            self.step(model, &mut waiting, most, take)?;
        }
        Ok(())
    }

    /// One batch through the network. What there is less than `most` is filled up to a power of two, so that there are
    /// few plans.
    fn step<E>(
        &mut self,
        model: &mut Model<V>,
        waiting: &mut Waiting<'a, V>,
        most: usize,
        take: Take<E>,
    ) -> Result<(), E> {
        let geometry = self.description.preprocess.geometry();
        let count = waiting.pending.min(most);
        let padded = count.next_power_of_two().min(most);
        self.pixels.clear();
        let views = waiting.take_views(count, geometry.num_elements(), &mut self.pixels);
        self.pixels.resize(padded * geometry.num_elements(), 0.0);
        let shape = [padded, geometry.channels, geometry.height, geometry.width];
        assign(&mut self.batch, &shape, &self.pixels);
        let outputs = self.forward.call(model, self.batch.clone());
        let shapes: Vec<Vec<usize>> = outputs.iter().map(|output| output.shape()[1..].to_vec()).collect();
        let values: Vec<Vec<f32>> = outputs.iter().map(Tensor::to_vec).collect();
        for (place, projection) in views.into_iter().enumerate() {
            let outputs = values.iter().zip(&shapes).map(|(values, shape)| {
                let size: usize = shape.iter().product();
                Output { shape, values: &values[place * size..(place + 1) * size] }
            });
            waiting.answer(&View { projection, outputs: outputs.collect() }, take)?;
        }
        Ok(())
    }
}

/// Images of which views wait for the network, or answers for their other views.
struct Waiting<'a, V: VisionTask> {
    description: &'a Description<V::Options>,
    images: VecDeque<Pending<'a>>,
    /// The image, counted from the first, whose views come next.
    next: usize,
    /// The views that were not taken yet.
    pending: usize,
}

struct Pending<'a> {
    seen: Seen,
    merge: Box<dyn Merge + 'a>,
    taken: usize,
    answered: usize,
}

impl<'a, V: VisionTask> Waiting<'a, V> {
    fn push(&mut self, seen: Seen) {
        self.pending += seen.views.len();
        let merge = V::merge(self.description, seen.size);
        self.images.push_back(Pending { seen, merge, taken: 0, answered: 0 });
    }

    /// The pixels of the next views, and where they are on their images.
    fn take_views(&mut self, count: usize, size: usize, pixels: &mut Vec<f32>) -> Vec<Projection> {
        let mut views = Vec::with_capacity(count);
        while views.len() < count {
            let image = &mut self.images[self.next];
            let number = (image.seen.views.len() - image.taken).min(count - views.len());
            let range = image.taken..image.taken + number;
            pixels.extend_from_slice(&image.seen.pixels[range.start * size..range.end * size]);
            views.extend_from_slice(&image.seen.views[range]);
            image.taken += number;
            if image.taken == image.seen.views.len() {
                image.seen.pixels = vec![];
                self.next += 1;
            }
        }
        self.pending -= count;
        views
    }

    /// Takes in what the network says of the first view that has no answer.
    fn answer<E>(&mut self, view: &View, take: Take<E>) -> Result<(), E> {
        let image = self.images.front_mut().expect("an image of each view");
        image.merge.add(view);
        image.answered += 1;
        if image.answered < image.seen.views.len() {
            return Ok(());
        }
        let Pending { seen, merge, .. } = self.images.pop_front().expect("just looked at");
        self.next -= 1;
        take(Ok(Answered { number: seen.number, image: seen.image, answer: merge.finish() }))
    }
}

/// Reads an image and draws its views.
fn see(
    number: usize,
    read: Read,
    preprocess: &Preprocess,
    mirror: bool,
    scratch: &mut Scratch,
) -> Result<Seen, DataError> {
    let mut image = ImageBuffer::new();
    read(number, &mut image)?;
    let size = image.geometry();
    let mut converted = image.clone();
    preprocess.convert(&mut converted, scratch);
    let mut views = preprocess.views(size);
    if mirror {
        let width = preprocess.size[1] as f64;
        let mirrored = Projection::scaling(-1.0, 1.0).then(&Projection::shifting(width, 0.0));
        views.extend(views.clone().iter().map(|view| view.then(&mirrored)));
    }
    let elements = preprocess.geometry().num_elements();
    let mut pixels = vec![0.0; views.len() * elements];
    for (view, pixels) in views.iter().zip(pixels.chunks_exact_mut(elements)) {
        preprocess.see(&converted, view, pixels, scratch);
    }
    Ok(Seen { number, image, size, views, pixels })
}

/// Measures a model on a split; `see` gets what is known of each image, the image and the model's answer.
///
/// # Errors
/// If an image or what is known of it cannot be read.
pub fn measure<V: VisionTask>(
    predictor: &mut Predictor<V>,
    model: &mut Model<V>,
    dataset: &Dataset,
    split: Split,
    tally: &mut dyn Tally,
    mut see: impl FnMut(&Truth, &Answered) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let indices = dataset.indices(split);
    predictor.each(model, indices.len(), &|number, image| dataset.read(indices[number], image), |answered| {
        let answered = answered?;
        let truth = Truth { dataset, index: indices[answered.number], size: answered.image.geometry() };
        tally.count(&truth, &answered.answer)?;
        see(&truth, &answered)
    })
}

/// Writes elements into a tensor, in place if it has their type and shape.
pub fn assign<T: Element>(tensor: &mut Tensor, shape: &[usize], elements: &[T]) {
    if tensor.dtype() == T::DTYPE && tensor.shape()[..] == *shape {
        tensor.assign(elements);
    } else {
        *tensor = Tensor::from_slice(shape, elements);
    }
}
