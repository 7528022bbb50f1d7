//! How much less sure the model is with parts covered.

use gyrus_draw::HeatMap;
use gyrus_tensor::Tensor;

use super::{Look, scores_of};

/// What is covered at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Rows and columns.
    pub size: [usize; 2],
    /// Rows and columns from one window to the next.
    pub stride: [usize; 2],
}

impl Window {
    /// An eighth of the frame's sides, every half of which one begins.
    pub fn for_frame(height: usize, width: usize) -> Self {
        let size = [height, width].map(|side| side.div_ceil(8));
        Self { size, stride: size.map(|side| side.div_ceil(2)) }
    }

    /// The stretches of an axis that are covered; the last may be shorter.
    fn stretches(&self, axis: usize, length: usize) -> Vec<(usize, usize)> {
        let (size, stride) = (self.size[axis].min(length), self.stride[axis]);
        let count = (length - size).div_ceil(stride) + 1;
        (0..count).map(|number| (number * stride, (number * stride + size).min(length))).collect()
    }
}

/// By how much the score of a class falls if a window of the image shows the baseline instead: of each pixel the mean over
/// all windows that cover it.
///
/// # Shapes
/// `image` and `baseline` `[1, C, H, W]`; the map `H x W`.
///
/// # Panics
/// If there is no such class.
///
/// # Source
/// Zeiler and Fergus, Visualizing and Understanding Convolutional Networks (2014), section 4.2; overlaps are averaged as
/// in captum.
#[track_caller]
pub fn occlusion(look: Look, image: &Tensor, baseline: &Tensor, window: &Window, class: usize) -> HeatMap {
    const AT_ONCE: usize = 16;
    let [channels, height, width] = [1, 2, 3].map(|axis| image.shape()[axis]);
    let (pixels, covered) = (image.to_vec::<f32>(), baseline.to_vec::<f32>());
    let columns = window.stretches(1, width);
    let windows: Vec<[(usize, usize); 2]> = window
        .stretches(0, height)
        .into_iter()
        .flat_map(|rows| columns.iter().map(move |&columns| [rows, columns]))
        .collect();
    let whole = scores_of(look, image, class).sum(..).item();
    let (mut sums, mut counts) = (vec![0.0; height * width], vec![0.0_f32; height * width]);
    for windows in windows.chunks(AT_ONCE) {
        // As many each time, so that all are computed by one plan.
        let mut images = pixels.repeat(AT_ONCE);
        for ([(top, bottom), (left, right)], image) in windows.iter().zip(images.chunks_exact_mut(pixels.len())) {
            for row in (0..channels).flat_map(|channel| (*top..*bottom).map(move |row| channel * height + row)) {
                let span = row * width + left..row * width + right;
                image[span.clone()].copy_from_slice(&covered[span]);
            }
        }
        let images = Tensor::from_slice([AT_ONCE, channels, height, width], &images).to(image.device());
        let scores = scores_of(look, &images, class).to_vec::<f32>();
        for ([(top, bottom), (left, right)], score) in windows.iter().zip(scores) {
            for place in (*top..*bottom).flat_map(|row| (*left..*right).map(move |column| row * width + column)) {
                sums[place] += whole as f32 - score;
                counts[place] += 1.0;
            }
        }
    }
    // With strides beyond the window's size some pixels are never covered.
    let means = sums.iter().zip(counts).map(|(sum, count)| sum / count.max(1.0)).collect();
    HeatMap::new(width, height, means)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_cover_the_frame() {
        let window = Window { size: [5, 5], stride: [3, 3] };
        assert_eq!(window.stretches(0, 12), [(0, 5), (3, 8), (6, 11), (9, 12)]);
        assert_eq!(window.stretches(1, 4), [(0, 4)]);
        assert_eq!(Window::for_frame(32, 224), Window { size: [4, 28], stride: [2, 14] });
    }
}
