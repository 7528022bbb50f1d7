//! What every image undergoes, in training as in prediction.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::random::RandomStream;
use crate::readers::image_file;
use crate::transforms::warp::{Area, Outside, warp};
use crate::transforms::{Projection, Scratch, Statistics};
use crate::{DataError, Dataset, Geometry, ImageBuffer, Result, Split};

/// How an image is brought to the size of the content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resize {
    /// Each axis by its own factor.
    #[default]
    Stretch,
    /// Both axes by one factor, so that all of the image fits; bars of `fill` make up for the rest.
    Letterbox,
    /// Both axes by one factor, so that nothing is left bare; what stands out is cut off evenly.
    Crop,
    /// Not at all: the net sees a window of a larger image. In training it is at a random place; in use there are as many
    /// as cover the image, see [`Preprocess::views`].
    Window,
}

/// What every image undergoes on its way to the net, in training as in prediction; it is stored beside a checkpoint.
///
/// 1. Grey to RGB or back, to `channels`; `invert` makes it 1 - value.
/// 2. Resizing to `content`.
/// 3. Placing in the middle of a frame of `size`, with `fill` around it (28x28 digits in 32x32 for LeNet-5), or cutting
///    the middle out (256x256 to 224x224).
/// 4. In training: augmentation.
/// 5. `(value - mean) / std` in each channel.
///
/// ```
/// use gyrus_data::{Geometry, Preprocess};
/// let preprocess = Preprocess::new(Geometry::new(28, 28, 1)).placed_in(32, 32);
/// assert_eq!(preprocess.geometry(), Geometry::new(32, 32, 1));
/// let json = serde_json::to_string(&preprocess).unwrap();
/// assert_eq!(serde_json::from_str::<Preprocess>(&json).unwrap(), preprocess);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocess {
    /// 1 or 3 for image files; whatever the data have for data in memory.
    pub channels: usize,
    /// Height and width to which images are resized.
    pub content: [usize; 2],
    /// Height and width of what the net sees.
    pub size: [usize; 2],
    /// How images are resized.
    pub resize: Resize,
    /// The value around the content, on the scale of the images (0 is black).
    pub fill: f32,
    /// Whether light and dark change places: for black ink on white paper where the net knows white on black.
    pub invert: bool,
    /// Subtracted, one a channel.
    pub mean: Vec<f32>,
    /// Divided by, one a channel.
    pub std: Vec<f32>,
}

impl Preprocess {
    /// Leaves images of this shape as they are, and brings others to it.
    pub fn new(geometry: Geometry) -> Self {
        let size = [geometry.height, geometry.width];
        Self {
            channels: geometry.channels,
            content: size,
            size,
            resize: Resize::Stretch,
            fill: 0.0,
            invert: false,
            mean: vec![0.0; geometry.channels],
            std: vec![1.0; geometry.channels],
        }
    }

    /// Resizes to this size, with nothing around it.
    pub fn resized_to(self, height: usize, width: usize, resize: Resize) -> Self {
        Self { content: [height, width], size: [height, width], resize, ..self }
    }

    /// Places the content in a frame of this size.
    pub fn placed_in(self, height: usize, width: usize) -> Self {
        Self { size: [height, width], ..self }
    }

    /// Normalises by these numbers.
    pub fn with_statistics(self, statistics: Statistics) -> Self {
        Self { mean: statistics.mean, std: statistics.std, ..self }
    }

    /// Normalises by mean and standard deviation of the training split: see [`Statistics::of`]. For MNIST that is the
    /// well-known 0.1307 and 0.3081.
    ///
    /// # Errors
    /// If there are no training samples, or one of them cannot be read.
    pub fn measured(self, dataset: &Dataset) -> Result<Self> {
        self.validate()?;
        let statistics = Statistics::of(dataset, Split::Train, &self)?;
        Ok(self.with_statistics(statistics))
    }

    /// The shape of what the net sees.
    pub fn geometry(&self) -> Geometry {
        Geometry::new(self.size[0], self.size[1], self.channels)
    }

    /// Whether the parts fit one another; one that was read from a file may not.
    ///
    /// # Errors
    /// [`DataError::Setting`], naming the part.
    pub fn validate(&self) -> Result<()> {
        let wrong = |reason: String| Err(DataError::setting("preprocess", reason));
        if self.channels == 0 || self.content.contains(&0) || self.size.contains(&0) {
            return wrong(format!(
                "sizes must not be 0: {} in {:?}, content {:?}",
                self.channels, self.size, self.content
            ));
        }
        if self.mean.len() != self.channels || self.std.len() != self.channels {
            let (means, stds) = (self.mean.len(), self.std.len());
            return wrong(format!("{} channels want as many means ({means}) and stds ({stds})", self.channels));
        }
        if !self.mean.iter().chain([&self.fill]).all(|value| value.is_finite()) {
            return wrong("mean and fill must be finite numbers".into());
        }
        if !self.std.iter().all(|std| std.is_finite() && *std > 0.0) {
            return wrong(format!("std must be above 0: {:?}", self.std));
        }
        Ok(())
    }

    /// Steps 1 to 3: channels, size and frame, with one resampling.
    pub fn fit(&self, image: &mut ImageBuffer, scratch: &mut Scratch) {
        self.convert(image, scratch);
        let from = image.geometry();
        let projection = self.projection(from);
        let frame = self.geometry();
        self.draw(image, frame, &projection, self.content_area(), scratch);
    }

    /// Steps 1 and 2.
    pub(super) fn resize_content(&self, image: &mut ImageBuffer, scratch: &mut Scratch) {
        self.convert(image, scratch);
        let projection = self.content_projection(image.geometry());
        let content = Geometry::new(self.content[0], self.content[1], self.channels);
        self.draw(image, content, &projection, Area::whole(content), scratch);
    }

    /// Step 1.
    pub fn convert(&self, image: &mut ImageBuffer, scratch: &mut Scratch) {
        to_channels(image, self.channels, scratch);
        if self.invert {
            image.pixels_mut().iter_mut().for_each(|value| *value = 1.0 - *value);
        }
    }

    /// Steps 2 and 3 as a map from the pixels of an image of this size to those of the frame: with its inverse, what a
    /// net says of the frame is brought back to the image.
    pub fn projection(&self, from: Geometry) -> Projection {
        let [x, y] = [1, 0].map(|axis| centered(self.content[axis], self.size[axis]));
        self.content_projection(from).then(&Projection::shifting(x, y))
    }

    /// The maps from the pixels of an image of this size to those of the frame by which the net sees all of it: one, or, of
    /// windows, as many as cover the image with an overlap of at least a quarter of the frame.
    ///
    /// ```
    /// use gyrus_data::{Geometry, Preprocess, Resize};
    /// let preprocess = Preprocess::new(Geometry::new(64, 64, 1)).resized_to(64, 64, Resize::Window);
    /// assert_eq!(preprocess.views(Geometry::new(64, 160, 1)).len(), 3);
    /// assert_eq!(preprocess.views(Geometry::new(40, 40, 1)).len(), 1);
    /// ```
    pub fn views(&self, from: Geometry) -> Vec<Projection> {
        if self.resize != Resize::Window {
            return vec![self.projection(from)];
        }
        let starts = |length: usize, window: usize| -> Vec<f64> {
            if length <= window {
                return vec![-centered(length, window)];
            }
            let count = 1 + (length - window).div_ceil(window - window / 4);
            (0..count).map(|number| (number * (length - window) / (count - 1)) as f64).collect()
        };
        let (rows, columns) = (starts(from.height, self.size[0]), starts(from.width, self.size[1]));
        let place = |(y, x): (f64, f64)| Projection::shifting(-x, -y);
        rows.into_iter().flat_map(|y| columns.iter().map(move |&x| (y, x))).map(place).collect()
    }

    /// The map of a window at a random place.
    pub(super) fn random_window(&self, from: Geometry, random: &mut RandomStream) -> Projection {
        let mut start = |length: usize, window: usize| match length > window {
            true => -(random.below(length - window + 1) as f64),
            false => centered(length, window),
        };
        let y = start(from.height, self.size[0]);
        Projection::shifting(start(from.width, self.size[1]), y)
    }

    /// Draws an image, [converted](Self::convert) before, as one of its [`views`](Self::views) has it, or a copy of a view
    /// that was moved in the frame: CHW, of [`geometry`](Self::geometry), normalised.
    ///
    /// # Panics
    /// If the output has another size.
    #[track_caller]
    pub fn see(&self, image: &ImageBuffer, view: &Projection, output: &mut [f32], scratch: &mut Scratch) {
        let is_moved = *view != self.projection(image.geometry());
        let frame = self.geometry();
        let area = if is_moved { Area::whole(frame) } else { self.content_area() };
        let mut seen = ImageBuffer::new();
        seen.reshape(frame);
        seen.pixels_mut().fill(self.fill);
        warp(image, &mut seen, view, area, self.outside(), scratch);
        self.normalise(&seen, output);
    }

    /// Where in the frame the content is, or what of it is in the frame.
    pub(crate) fn content_area(&self) -> Area {
        let range = |axis: usize| {
            let (content, size) = (self.content[axis], self.size[axis]);
            let start = size.saturating_sub(content) / 2;
            (start, start + content.min(size))
        };
        let ((top, bottom), (left, right)) = (range(0), range(1));
        Area { left, top, right, bottom }
    }

    /// What is seen beside an image that has been moved: `fill` if it stands in a frame or between bars, else the
    /// image's edge.
    pub(crate) fn outside(&self) -> Outside {
        let is_framed = self.size[0] > self.content[0] || self.size[1] > self.content[1];
        let is_framed = is_framed || matches!(self.resize, Resize::Letterbox | Resize::Window);
        if is_framed { Outside::Fill(self.fill) } else { Outside::Edge }
    }

    fn content_projection(&self, from: Geometry) -> Projection {
        let [height, width] = self.content;
        let factors = [height as f64 / from.height.max(1) as f64, width as f64 / from.width.max(1) as f64];
        let factor = match self.resize {
            Resize::Stretch => return Projection::scaling(factors[1], factors[0]),
            Resize::Letterbox => factors[0].min(factors[1]),
            Resize::Crop => factors[0].max(factors[1]),
            Resize::Window => 1.0,
        };
        let scaled = |length: usize| ((length as f64 * factor).round() as usize).max(1);
        let axis = |from: usize, to: usize| {
            let scaled = scaled(from);
            (scaled as f64 / from.max(1) as f64, centered(scaled, to))
        };
        let ((scale_x, x), (scale_y, y)) = (axis(from.width, width), axis(from.height, height));
        Projection::scaling(scale_x, scale_y).then(&Projection::shifting(x, y))
    }

    fn draw(
        &self,
        image: &mut ImageBuffer,
        frame: Geometry,
        projection: &Projection,
        area: Area,
        scratch: &mut Scratch,
    ) {
        if *projection == Projection::default() && image.geometry() == frame {
            return;
        }
        let mut target = std::mem::take(&mut scratch.image);
        target.reshape(frame);
        if area != Area::whole(frame) {
            target.pixels_mut().fill(self.fill);
        }
        warp(image, &mut target, projection, area, self.outside(), scratch);
        scratch.image = std::mem::replace(image, target);
    }

    /// Step 5, into a slice of as many numbers as the image has.
    ///
    /// # Panics
    /// If the sizes differ.
    #[track_caller]
    pub fn normalise(&self, image: &ImageBuffer, output: &mut [f32]) {
        let (expected, found) = (image.pixels().len(), output.len());
        assert_eq!(expected, found, "normalise: {} has {expected} numbers, the output {found}", image.geometry());
        let num_pixels = image.geometry().num_pixels().max(1);
        let channels = image.pixels().chunks_exact(num_pixels).zip(output.chunks_exact_mut(num_pixels));
        for ((input, output), (mean, std)) in channels.zip(self.mean.iter().zip(&self.std)) {
            let (scale, shift) = (1.0 / std, -mean / std);
            output.iter_mut().zip(input).for_each(|(output, input)| *output = input * scale + shift);
        }
    }

    /// An image file as the net is to see it: CHW, of [`geometry`](Self::geometry).
    ///
    /// # Errors
    /// [`DataError::Read`] and [`DataError::Image`] if it cannot be read or decoded.
    pub fn load_file(&self, path: impl AsRef<Path>) -> Result<Vec<f32>> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(DataError::read(path))?;
        self.load_bytes(&bytes, path)
    }

    /// The bytes of an image file as the net is to see it: CHW, of [`geometry`](Self::geometry). The name is for
    /// messages.
    ///
    /// # Errors
    /// [`DataError::Image`] if they cannot be decoded.
    pub fn load_bytes(&self, bytes: &[u8], name: impl AsRef<Path>) -> Result<Vec<f32>> {
        let mut image = ImageBuffer::new();
        let channels = if self.channels == 1 { 1 } else { 3 };
        image_file::decode(bytes, name.as_ref(), channels, &mut image)?;
        self.load(image)
    }

    /// An image in memory as the net is to see it: CHW, of [`geometry`](Self::geometry).
    ///
    /// # Errors
    /// [`DataError::Setting`] if this preprocessing cannot be.
    pub fn load(&self, mut image: ImageBuffer) -> Result<Vec<f32>> {
        self.validate()?;
        self.fit(&mut image, &mut Scratch::default());
        let mut output = vec![0.0; image.pixels().len()];
        self.normalise(&image, &mut output);
        Ok(output)
    }
}

/// Where something begins that stands in the middle of a length, in whole pixels; where the difference is odd, the further
/// side gets the odd one.
fn centered(length: usize, within: usize) -> f64 {
    if within >= length { ((within - length) / 2) as f64 } else { -(((length - within) / 2) as f64) }
}

/// Grey to many channels, or RGB to grey by Rec. 601; other changes repeat or drop the last channels.
fn to_channels(image: &mut ImageBuffer, channels: usize, scratch: &mut Scratch) {
    let from = image.geometry();
    if from.channels == channels || from.channels == 0 {
        return;
    }
    let target = &mut scratch.image;
    target.reshape(Geometry { channels, ..from });
    let num_pixels = from.num_pixels();
    for channel in 0..channels {
        let output = &mut target.pixels_mut()[channel * num_pixels..(channel + 1) * num_pixels];
        if channels == 1 && from.channels == 3 {
            let [red, green, blue] = [0, 1, 2].map(|channel| image.channel(channel));
            for (place, value) in output.iter_mut().enumerate() {
                *value = image_file::luma([red[place], green[place], blue[place]]);
            }
        } else {
            output.copy_from_slice(image.channel(channel.min(from.channels - 1)));
        }
    }
    std::mem::swap(image, target);
}
