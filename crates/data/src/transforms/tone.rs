//! Changes of brightness and colour, each by a known amount. Pixels are in 0..1, and stay there.
//!
//! # Source
//! The definitions of torchvision's functional transforms of float images, which those of Pillow's `ImageEnhance` and
//! `ImageOps` are as well, up to their rounding to bytes.

use crate::readers::image_file::luma;
use crate::transforms::Scratch;
use crate::{Geometry, ImageBuffer};

/// `factor * pixel`.
pub fn brightness(image: &mut ImageBuffer, factor: f32) {
    image.pixels_mut().iter_mut().for_each(|value| *value = (*value * factor).clamp(0.0, 1.0));
}

/// Away from the mean grey of the image, or towards it: `mean + factor * (pixel - mean)`.
pub fn contrast(image: &mut ImageBuffer, factor: f32) {
    let geometry = image.geometry();
    let mean = |channel: usize| sum(image.channel(channel)) / geometry.num_pixels().max(1) as f64;
    // The mean of greys is the grey of means.
    let mean = match geometry.channels {
        3 => 0.299 * mean(0) + 0.587 * mean(1) + 0.114 * mean(2),
        channels => (0..channels).map(mean).sum::<f64>() / channels.max(1) as f64,
    };
    let shift = (1.0 - factor) * mean as f32;
    image.pixels_mut().iter_mut().for_each(|value| *value = (*value * factor + shift).clamp(0.0, 1.0));
}

/// Away from the pixel's own grey, or towards it: `grey + factor * (pixel - grey)`; 0 leaves grey.
pub fn saturation(image: &mut ImageBuffer, factor: f32) {
    let Some([red, green, blue]) = colours(image) else { return };
    for ((red, green), blue) in red.iter_mut().zip(green).zip(blue) {
        let shift = (1.0 - factor) * luma([*red, *green, *blue]);
        [red, green, blue].into_iter().for_each(|value| *value = (*value * factor + shift).clamp(0.0, 1.0));
    }
}

/// Turns the circle of hues, of which 1 is once around; saturation and value (of HSV) stay.
pub fn hue(image: &mut ImageBuffer, turn: f32) {
    let Some([red, green, blue]) = colours(image) else { return };
    let turn = turn.rem_euclid(1.0) * 6.0;
    // Without branches, so that it runs in vector registers.
    for ((red, green), blue) in red.iter_mut().zip(green).zip(blue) {
        let (r, g, b) = (*red, *green, *blue);
        let (most, least) = (r.max(g).max(b), r.min(g).min(b));
        let range = most - least;
        let scale = 1.0 / range.max(f32::MIN_POSITIVE);
        let of_green = if g == most { 2.0 + (b - r) * scale } else { 4.0 + (r - g) * scale };
        let sector = if r == most { (g - b) * scale } else { of_green } + turn;
        let sector = if sector < 0.0 { sector + 6.0 } else { sector };
        // Each colour is a trapezoid over the circle of six sectors, two of them after the one before.
        let colour = |offset: f32| {
            let place = sector + offset;
            let place = if place >= 12.0 { place - 12.0 } else { place };
            let place = if place >= 6.0 { place - 6.0 } else { place };
            most - range * place.min(4.0 - place).clamp(0.0, 1.0)
        };
        (*red, *green, *blue) = (colour(5.0), colour(3.0), colour(1.0));
    }
}

/// Away from a blurred image, or towards it: `blurred + factor * (pixel - blurred)`. The blur weighs a pixel 5 and its
/// eight neighbours 1; the border stays as it is.
pub fn sharpness(image: &mut ImageBuffer, factor: f32, scratch: &mut Scratch) {
    let Geometry { height, width, .. } = image.geometry();
    if height <= 2 || width <= 2 {
        return;
    }
    let source = &mut scratch.line;
    source.clear();
    source.extend_from_slice(image.pixels());
    let channels = image.pixels_mut().chunks_exact_mut(height * width).zip(source.chunks_exact(height * width));
    for (output, input) in channels {
        for row in 1..height - 1 {
            let rows = [row - 1, row, row + 1].map(|row| &input[row * width..(row + 1) * width]);
            let output = &mut output[row * width..(row + 1) * width];
            for column in 1..width - 1 {
                let sum: f32 = rows.iter().map(|row| row[column - 1] + row[column] + row[column + 1]).sum();
                let blurred = (sum + 4.0 * rows[1][column]) / 13.0;
                output[column] = blurred + factor * (rows[1][column] - blurred);
            }
        }
        output.iter_mut().for_each(|value| *value = value.clamp(0.0, 1.0));
    }
}

/// Fewer levels: of eight bits the upper ones, rounded down.
pub fn posterize(image: &mut ImageBuffer, bits: u32) {
    let levels = (1_u32 << bits) as f32;
    let change = |value: &mut f32| *value = (*value * levels).floor().clamp(0.0, levels - 1.0) / levels;
    image.pixels_mut().iter_mut().for_each(change);
}

/// Light and dark change places where it is lighter than a threshold.
pub fn solarize(image: &mut ImageBuffer, threshold: f32) {
    let change = |value: &mut f32| *value = if *value >= threshold { 1.0 - *value } else { *value };
    image.pixels_mut().iter_mut().for_each(change);
}

/// Stretches each channel to the whole range; a channel of one value stays.
pub fn auto_contrast(image: &mut ImageBuffer) {
    let num_pixels = image.geometry().num_pixels().max(1);
    for channel in image.pixels_mut().chunks_exact_mut(num_pixels) {
        let (least, most) = channel.iter().fold((f32::MAX, f32::MIN), |(a, b), &value| (a.min(value), b.max(value)));
        if most > least {
            let scale = 1.0 / (most - least);
            channel.iter_mut().for_each(|value| *value = ((*value - least) * scale).clamp(0.0, 1.0));
        }
    }
}

/// Makes every level of 256 about as frequent, in each channel.
pub fn equalize(image: &mut ImageBuffer) {
    let num_pixels = image.geometry().num_pixels().max(1);
    let level = |value: f32| (value.clamp(0.0, 1.0) * 255.999) as usize;
    for channel in image.pixels_mut().chunks_exact_mut(num_pixels) {
        let mut counts = [0usize; 256];
        channel.iter().for_each(|&value| counts[level(value)] += 1);
        let last = counts.iter().rev().find(|&&count| count > 0).copied().unwrap_or(0);
        let step = (num_pixels - last) / 255;
        if step == 0 {
            continue;
        }
        let mut sum = step / 2;
        let table = counts.map(|count| {
            let new = (sum / step).min(255);
            sum += count;
            new as f32 / 255.0
        });
        channel.iter_mut().for_each(|value| *value = table[level(*value)]);
    }
}

/// The sum of some numbers: of sixteen side by side, which run in vector registers, and of short stretches, so that
/// nothing is lost.
fn sum(values: &[f32]) -> f64 {
    const LANES: usize = 16;
    let stretch = |values: &[f32]| {
        let (blocks, rest) = values.as_chunks::<LANES>();
        let mut sums = [0.0_f32; LANES];
        blocks.iter().for_each(|block| sums.iter_mut().zip(block).for_each(|(sum, value)| *sum += value));
        sums.iter().chain(rest).map(|&value| f64::from(value)).sum::<f64>()
    };
    values.chunks(64 * LANES).map(stretch).sum()
}

/// Red, green and blue, if there are such.
fn colours(image: &mut ImageBuffer) -> Option<[&mut [f32]; 3]> {
    let geometry = image.geometry();
    if geometry.channels != 3 {
        return None;
    }
    let (red, rest) = image.pixels_mut().split_at_mut(geometry.num_pixels());
    let (green, blue) = rest.split_at_mut(geometry.num_pixels());
    Some([red, green, blue])
}
