//! Pixels to an outline.

use crate::{Point, Polygon, RunLengthMask};

/// The ways along the edges of pixels, clockwise: right, down, left, up.
const WAYS: [(isize, isize); 4] = [(1, 0), (0, 1), (-1, 0), (0, -1)];
const RIGHT: usize = 0;

impl RunLengthMask {
    /// The one polygon whose inside are these pixels, along their edges. Parts that lie apart, and holes, are joined to
    /// the first part by cuts that are walked there and back, which enclose nothing: so that formats of one outline an
    /// object, as YOLO's, lose nothing. No corners for an empty mask.
    ///
    /// ```
    /// use gyrus_geometry::{Mask, RunLengthMask};
    /// let ring = RunLengthMask::from(&Mask::from_fn(5, 5, |x, y| x.min(y) == 1 || x.max(y) == 3));
    /// assert_eq!(ring.outline().rasterise(5, 5), ring);
    /// ```
    pub fn outline(&self) -> Polygon {
        let mut rings = Edges::of(self).rings();
        // The first corners of all rings in turn are a line along which they are strung.
        let starts: Vec<Point> = rings.iter().map(|ring| ring[0]).collect();
        if rings.len() > 1 {
            rings.iter_mut().zip(&starts).for_each(|(ring, start)| ring.push(*start));
        }
        let back = starts.iter().rev().skip(1).copied();
        Polygon::new(rings.into_iter().flatten().chain(back).collect())
    }
}

/// The edges between inside and outside that are not walked yet, for each corner of pixels the ways that lead on from
/// it: the inside is on the right.
struct Edges {
    left: f64,
    top: f64,
    columns: usize,
    ways: Vec<[bool; 4]>,
}

impl Edges {
    fn of(mask: &RunLengthMask) -> Self {
        // Of a large image with thousands of objects, only where the object is.
        let bounds = mask.bounding_box();
        let (left, top) = (bounds.left as usize, bounds.top as usize);
        let (width, height) = (bounds.width() as usize, bounds.height() as usize);
        let mut inside = vec![false; width * height];
        mask.pixels().for_each(|(x, y)| inside[(y - top) * width + x - left] = true);
        let is_inside = |x: isize, y: isize| {
            let is_there = x >= 0 && y >= 0 && x < width as isize && y < height as isize;
            is_there && inside[y as usize * width + x as usize]
        };
        let columns = width + 1;
        let mut ways = vec![[false; 4]; columns * (height + 1)];
        let pixels = (0..height as isize).flat_map(|y| (0..width as isize).map(move |x| (x, y)));
        for (x, y) in pixels.filter(|&(x, y)| is_inside(x, y)) {
            // Its four sides, each from the corner where it begins, with the pixel beyond.
            let sides = [
                ((x, y), (x, y - 1)),
                ((x + 1, y), (x + 1, y)),
                ((x + 1, y + 1), (x, y + 1)),
                ((x, y + 1), (x - 1, y)),
            ];
            for (way, ((column, row), (x, y))) in sides.into_iter().enumerate() {
                ways[row as usize * columns + column as usize][way] = !is_inside(x, y);
            }
        }
        Self { left: left as f64, top: top as f64, columns, ways }
    }

    /// All closed lines, by their corners. Where pixels touch by a corner alone they are apart.
    fn rings(mut self) -> Vec<Vec<Point>> {
        let mut rings = vec![];
        for start in 0..self.ways.len() {
            // Whatever is closed runs to the right somewhere, and the first such edge begins at a corner.
            while self.ways[start][RIGHT] {
                rings.push(self.ring(start));
            }
        }
        rings
    }

    fn ring(&mut self, start: usize) -> Vec<Point> {
        let mut corners = vec![];
        let (mut place, mut way, mut previous) = (start, RIGHT, WAYS.len());
        loop {
            self.ways[place][way] = false;
            if way != previous {
                let (x, y) = ((place % self.columns) as f64, (place / self.columns) as f64);
                corners.push(Point { x: self.left + x, y: self.top + y });
            }
            previous = way;
            let (x, y) = WAYS[way];
            place = place.wrapping_add_signed(y * self.columns as isize + x);
            // To the right, straight on or to the left.
            let next = [way + 1, way, way + 3].map(|way| way % 4).into_iter().find(|&way| self.ways[place][way]);
            let Some(next) = next else { return corners };
            way = next;
        }
    }
}
