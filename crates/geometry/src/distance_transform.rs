//! How far pixels are from the border of what they belong to.

/// The Euclidean distance of each pixel of a label image (a label for each pixel, row after row) to the nearest pixel of
/// another label, middle to middle. Pixels of the default label (0, `false`) are background and have distance 0; where the
/// picture has only one label, there is none other, and the distance is infinite.
///
/// For `bool` this is the distance transform of a mask; for numbers of objects it is that of each object by itself, so that
/// objects that touch have a border between them.
///
/// # Panics
/// If there are not `width * height` labels.
///
/// # Source
/// Felzenszwalb, Huttenlocher, Distance Transforms of Sampled Functions (2012), section 2.1: lower envelopes of parabolas,
/// here over the run of equal labels in each row with the pixel before it and the one behind. No other pixel can be
/// nearer: the way to it along the row would cross one of these.
///
/// ```
/// use gyrus_geometry::distance_transform;
/// assert_eq!(distance_transform(5, 1, &[0, 7, 7, 7, 3]), [0.0, 1.0, 2.0, 1.0, 1.0]);
/// ```
#[track_caller]
pub fn distance_transform<L: Copy + PartialEq + Default>(width: usize, height: usize, labels: &[L]) -> Vec<f64> {
    assert!(
        labels.len() == width * height,
        "distance_transform: {} labels for {width} x {height} pixels: must be one a pixel",
        labels.len()
    );
    let vertical = within_columns(width, labels);
    let mut distances = vec![0.0; labels.len()];
    let mut envelope = Envelope::default();
    let rows = labels.chunks_exact(width.max(1)).zip(vertical.chunks_exact(width.max(1)));
    for ((labels, vertical), distances) in rows.zip(distances.chunks_exact_mut(width.max(1))) {
        let mut start = 0;
        for run in labels.chunk_by(|a, b| a == b) {
            let end = start + run.len();
            if run[0] != L::default() {
                envelope.of_run(&vertical[start..end], start > 0, end < width);
                envelope.write(&mut distances[start..end]);
            }
            start = end;
        }
    }
    distances
}

/// The distance of each pixel to the nearest one of another label in its column, infinite if there is none.
fn within_columns<L: PartialEq>(width: usize, labels: &[L]) -> Vec<f64> {
    let mut distances = vec![f64::INFINITY; labels.len()];
    for place in width..labels.len() {
        let above = place - width;
        distances[place] = if labels[place] == labels[above] { distances[above] + 1.0 } else { 1.0 };
    }
    for place in (0..labels.len().saturating_sub(width)).rev() {
        let below = place + width;
        let from_below = if labels[place] == labels[below] { distances[below] + 1.0 } else { 1.0 };
        distances[place] = distances[place].min(from_below);
    }
    distances
}

/// The least of some parabolas `(x - place)² + height`.
#[derive(Default)]
struct Envelope {
    /// Place and height of those that are the least somewhere, from the left.
    parabolas: Vec<(f64, f64)>,
    /// From where on each of them is the least.
    starts: Vec<f64>,
}

impl Envelope {
    /// That of a run of pixels with their distances in their columns; a pixel before it and one behind have distance 0
    /// where they are.
    fn of_run(&mut self, vertical: &[f64], has_before: bool, has_behind: bool) {
        self.parabolas.clear();
        self.starts.clear();
        if has_before {
            self.push(-1.0, 0.0);
        }
        for (place, distance) in vertical.iter().enumerate().filter(|(_, distance)| distance.is_finite()) {
            self.push(place as f64, distance * distance);
        }
        if has_behind {
            self.push(vertical.len() as f64, 0.0);
        }
    }

    /// Adds a parabola to the right of the others.
    fn push(&mut self, place: f64, height: f64) {
        let mut start = f64::NEG_INFINITY;
        while let (Some(&(other, other_height)), Some(&other_start)) = (self.parabolas.last(), self.starts.last()) {
            start = ((height + place * place) - (other_height + other * other)) / (2.0 * (place - other));
            if start > other_start {
                break;
            }
            self.parabolas.pop();
            self.starts.pop();
            start = f64::NEG_INFINITY;
        }
        self.parabolas.push((place, height));
        self.starts.push(start);
    }

    /// Writes the square roots of the least values at 0, 1, and so on.
    fn write(&self, distances: &mut [f64]) {
        let mut current = 0;
        for (x, distance) in distances.iter_mut().enumerate() {
            let x = x as f64;
            while self.starts.get(current + 1).is_some_and(|&start| start < x) {
                current += 1;
            }
            let value = self.parabolas.get(current).map(|&(place, height)| (x - place) * (x - place) + height);
            *distance = value.map_or(f64::INFINITY, f64::sqrt);
        }
    }
}
