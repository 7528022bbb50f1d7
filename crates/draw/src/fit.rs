//! Larger and smaller pictures.

use crate::Picture;

impl Picture {
    /// The picture with its longer side as near to `side` as can be without loss of form: larger ones are made smaller,
    /// each pixel the mean of those it stands for; smaller ones larger by a whole factor, so that their pixels stay
    /// what they are.
    ///
    /// ```
    /// use gyrus_draw::{Color, Picture};
    /// let fitted = |width, height| {
    ///     let picture = Picture::new(width, height, Color::GREY).fitted(128);
    ///     (picture.width(), picture.height())
    /// };
    /// assert_eq!([fitted(600, 300), fitted(28, 28), fitted(100, 90)], [(128, 64), (112, 112), (100, 90)]);
    /// ```
    pub fn fitted(&self, side: usize) -> Picture {
        let longer = self.width().max(self.height());
        match side / longer.max(1) {
            0 => {
                let shrunk = |length: usize| ((length * side) as f64 / longer as f64).round().max(1.0) as usize;
                self.shrunk(shrunk(self.width()), shrunk(self.height()))
            }
            1 => self.clone(),
            factor => self.enlarged(factor),
        }
    }

    /// The picture with each pixel as a square of so many.
    pub fn enlarged(&self, factor: usize) -> Picture {
        let (width, height) = (self.width() * factor, self.height() * factor);
        let mut bytes = Vec::with_capacity(3 * width * height);
        for y in 0..height {
            let row = &self.bytes()[3 * (y / factor) * self.width()..][..3 * self.width()];
            row.chunks_exact(3).for_each(|pixel| (0..factor).for_each(|_| bytes.extend_from_slice(pixel)));
        }
        Picture::from_bytes(width, height, bytes)
    }

    /// The picture in smaller sides: means over the area of each new pixel, one axis after the other.
    fn shrunk(&self, width: usize, height: usize) -> Picture {
        let columns = spans(self.width(), width);
        let rows = spans(self.height(), height);
        let mut narrow = vec![0.0_f32; 3 * width * self.height()];
        for (row, output) in self.bytes().chunks_exact(3 * self.width()).zip(narrow.chunks_exact_mut(3 * width)) {
            for (span, output) in columns.iter().zip(output.chunks_exact_mut(3)) {
                for (place, weight) in span {
                    (0..3).for_each(|channel| output[channel] += weight * f32::from(row[3 * place + channel]));
                }
            }
        }
        let mut bytes = Vec::with_capacity(3 * width * height);
        let mut sum = vec![0.0_f32; 3 * width];
        for span in &rows {
            sum.fill(0.0);
            for (place, weight) in span {
                let row = &narrow[3 * width * place..][..3 * width];
                sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += weight * value);
            }
            bytes.extend(sum.iter().map(|value| value.round() as u8));
        }
        Picture::from_bytes(width, height, bytes)
    }
}

/// For each of `to` equal parts of a line, the old pixels that it covers, with their weights, which sum to 1.
fn spans(from: usize, to: usize) -> Vec<Vec<(usize, f32)>> {
    let length = from as f64 / to as f64;
    let span = |part: usize| {
        let (start, end) = (part as f64 * length, (part + 1) as f64 * length);
        let share = |place: usize| (end.min(place as f64 + 1.0) - start.max(place as f64)) / length;
        let places = start as usize..(end.ceil() as usize).min(from);
        places.map(|place| (place, share(place) as f32)).filter(|(_, weight)| *weight > 0.0).collect()
    };
    (0..to).map(span).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Color;

    #[test]
    fn smaller_pixels_are_means() {
        // Columns of 0, 90, 180 in two columns: (0 + 90 / 2) / 1.5 and (90 / 2 + 180) / 1.5.
        let bytes: Vec<u8> = (0..9).flat_map(|place| [place % 3 * 90; 3]).map(|value| value as u8).collect();
        let small = Picture::from_bytes(3, 3, bytes).shrunk(2, 1);
        assert_eq!([small.pixel(0, 0), small.pixel(1, 0)], [Color([30; 3]), Color([150; 3])]);
    }

    #[test]
    fn larger_pixels_are_squares() {
        let large = Picture::from_bytes(2, 1, vec![1, 2, 3, 4, 5, 6]).fitted(5);
        assert_eq!((large.width(), large.height()), (4, 2));
        assert_eq!(large.bytes()[12..], [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6]);
    }
}
