//! A target that has moved with its image.

use gyrus_geometry::{Point, Polygon, Region, Xyxy};

use crate::readers::label_image;
use crate::target::paint::Brush;
use crate::target::{IGNORED, LabelMap, Object, PixelClasses, Shape, Target};
use crate::transforms::projection::bounds;
use crate::transforms::{Area, Projection};
use crate::{DataError, Geometry, Result};

/// An object in the frame that the net sees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlacedObject {
    /// Its class.
    pub class: usize,
    /// The box around what is seen of it, in pixels of the frame.
    pub bounds: Xyxy,
    /// Whether it stands for any number of things that touch.
    pub is_crowd: bool,
    /// Whether it is not counted when a result is measured.
    pub is_difficult: bool,
}

/// A target in the frame that the net sees, in memory that is used again and again.
#[derive(Clone, Debug, Default)]
pub struct PlacedTarget {
    /// Classes of the image, each with its weight: 1, or less where images are mixed.
    pub classes: Vec<(usize, f32)>,
    /// The objects of which something is seen.
    pub objects: Vec<PlacedObject>,
    /// A class a pixel, or the numbers of objects: 1 for the first of [`objects`](Self::objects), 0 for none. Where
    /// objects overlap, the smaller is in front. No pixels if nothing of the kind is wanted.
    pub labels: LabelMap,
    frame: Geometry,
    read: LabelMap,
    warped: LabelMap,
    numbers: Vec<u16>,
    order: Vec<usize>,
    brush: Brush,
}

/// Where an image is drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placement {
    /// From the image's pixels to the frame's.
    pub(crate) projection: Projection,
    /// The part of the frame that is drawn on.
    pub(crate) area: Area,
    /// How much of the result is this image.
    pub(crate) share: f32,
    /// Whether it hides what was drawn in its area before.
    pub(crate) hides: bool,
}

/// Objects of which less than this share of the box is seen are left out, as in Ultralytics' YOLO.
const MIN_VISIBLE: f64 = 0.1;

impl PlacedTarget {
    /// Forgets what was placed, and makes room for a frame; `labels` is whether pixels are labelled, and with what.
    pub(crate) fn reset(&mut self, frame: Geometry, labels: Option<u16>) {
        self.frame = frame;
        self.classes.clear();
        self.objects.clear();
        let (height, width) = if labels.is_some() { (frame.height, frame.width) } else { (0, 0) };
        self.labels.reset(height, width, labels.unwrap_or(0));
    }

    /// Adds the target of an image of this size where the image is drawn. Pixels of objects are labelled if there is
    /// room for labels.
    pub(crate) fn place(
        &mut self,
        target: &Target,
        pixel_classes: &PixelClasses,
        size: Geometry,
        placement: &Placement,
    ) -> Result<()> {
        if placement.hides {
            self.hide(placement.area);
        }
        match target {
            Target::Unlabelled => {}
            Target::Class(class) => self.add_class(*class, placement.share),
            Target::Classes(classes) => classes.iter().for_each(|&class| self.add_class(class, placement.share)),
            Target::Objects(objects) => self.place_objects(objects, placement),
            Target::PixelClasses(page) => {
                label_image::read(page, Some(pixel_classes), &mut self.read)?;
                self.check_size(page, size)?;
                if let Some(inverse) = placement.projection.inverse() {
                    if placement.hides {
                        fill(&mut self.labels, placement.area, IGNORED);
                    }
                    self.labels.warp(&self.read, &inverse, placement.area, Some);
                }
            }
            Target::PixelObjects(page) => {
                label_image::read(page, None, &mut self.read)?;
                self.check_size(page, size)?;
                self.place_pixel_objects(placement);
            }
        }
        Ok(())
    }

    fn check_size(&self, page: &crate::target::Page, size: Geometry) -> Result<()> {
        let (height, width) = (self.read.height, self.read.width);
        if (height, width) == (size.height, size.width) {
            return Ok(());
        }
        Err(DataError::MaskSize {
            path: page.path.clone(),
            found: [height, width],
            expected: [size.height, size.width],
        })
    }

    fn add_class(&mut self, class: usize, share: f32) {
        match self.classes.iter_mut().find(|(known, _)| *known == class) {
            Some((_, weight)) => *weight += share,
            None => self.classes.push((class, share)),
        }
    }

    fn place_objects(&mut self, objects: &[Object], placement: &Placement) {
        // The largest are painted first, so that smaller ones are in front.
        self.order.clear();
        self.order.extend(0..objects.len());
        if !self.labels.labels.is_empty() {
            let area = |index: usize| objects[index].bounds.area();
            self.order.sort_unstable_by(|&a, &b| area(b).total_cmp(&area(a)).then(a.cmp(&b)));
        }
        let frame = as_box(placement.area);
        let inverse = placement.projection.inverse();
        for place in 0..self.order.len() {
            let object = &objects[self.order[place]];
            let whole = moved(object, &placement.projection);
            let seen = match &object.shape {
                Shape::Polygons(polygons) => outlines_within(polygons, &placement.projection, &frame),
                Shape::Box | Shape::Runs(_) => clipped(&whole, &frame),
            };
            if seen.is_empty() || seen.area() < MIN_VISIBLE * whole.area() {
                continue;
            }
            self.objects.push(PlacedObject {
                class: object.class,
                bounds: seen,
                is_crowd: object.is_crowd,
                is_difficult: object.is_difficult,
            });
            if self.labels.labels.is_empty() {
                continue;
            }
            let label = self.objects.len() as u16;
            let area = Area {
                left: seen.left.floor() as usize,
                top: seen.top.floor() as usize,
                right: seen.right.ceil() as usize,
                bottom: seen.bottom.ceil() as usize,
            };
            match (&object.shape, &inverse) {
                (Shape::Polygons(polygons), _) => polygons.iter().for_each(|polygon| {
                    self.brush.polygon(polygon, &placement.projection, area, &mut self.labels, label);
                }),
                (Shape::Runs(runs), Some(inverse)) => {
                    self.brush.runs(runs, inverse, area, &mut self.labels, label);
                }
                _ => {}
            }
        }
    }

    fn place_pixel_objects(&mut self, placement: &Placement) {
        let Some(inverse) = placement.projection.inverse() else { return };
        self.warped.reset(self.frame.height, self.frame.width, 0);
        self.warped.warp(&self.read, &inverse, placement.area, Some);
        self.numbers.clear();
        self.numbers.resize(1 << 16, 0);
        let width = self.frame.width.max(1);
        for (place, &value) in self.warped.labels.iter().enumerate().filter(|&(_, &value)| value > 0) {
            let (x, y) = ((place % width) as f64, (place / width) as f64);
            let pixel = Xyxy::new(x, y, x + 1.0, y + 1.0);
            let number = &mut self.numbers[value as usize];
            if *number == 0 {
                self.objects.push(PlacedObject { class: 0, bounds: pixel, is_crowd: false, is_difficult: false });
                *number = self.objects.len() as u16;
            }
            let object = &mut self.objects[*number as usize - 1];
            object.bounds = object.bounds.hull(&pixel);
            if let Some(label) = self.labels.labels.get_mut(place) {
                *label = *number;
            }
        }
    }

    /// Removes the objects that an area hides, and what it hides of their pixels.
    fn hide(&mut self, area: Area) {
        if self.objects.is_empty() {
            return;
        }
        fill(&mut self.labels, area, 0);
        let cover = as_box(area);
        self.numbers.clear();
        self.numbers.push(0);
        let mut kept = 0;
        for index in 0..self.objects.len() {
            let object = self.objects[index];
            let is_kept = object.bounds.intersection_over_area(&cover) <= 1.0 - MIN_VISIBLE;
            self.numbers.push(if is_kept { kept as u16 + 1 } else { 0 });
            if is_kept {
                self.objects[kept] = object;
                kept += 1;
            }
        }
        self.objects.truncate(kept);
        self.labels.labels.iter_mut().for_each(|label| *label = self.numbers[*label as usize]);
    }
}

fn fill(map: &mut LabelMap, area: Area, label: u16) {
    if map.labels.is_empty() {
        return;
    }
    for row in map.labels.chunks_exact_mut(map.width).take(area.bottom).skip(area.top) {
        row[area.left..area.right].fill(label);
    }
}

fn as_box(area: Area) -> Xyxy {
    Xyxy::new(area.left as f64, area.top as f64, area.right as f64, area.bottom as f64)
}

/// The box around an object that has gone through a map: around its corners, or its outline's.
fn moved(object: &Object, projection: &Projection) -> Xyxy {
    let [left, top, right, bottom] = match &object.shape {
        Shape::Polygons(polygons) => {
            let points = polygons.iter().flat_map(|polygon| &polygon.points);
            bounds(points.map(|point| projection.map([point.x, point.y])))
        }
        Shape::Box | Shape::Runs(_) => {
            let Xyxy { left, top, right, bottom } = object.bounds;
            projection.map_bounds([left, top, right, bottom])
        }
    };
    Xyxy::new(left, top, right, bottom)
}

/// What is seen of a box in a frame.
fn clipped(whole: &Xyxy, frame: &Xyxy) -> Xyxy {
    Xyxy::new(
        whole.left.max(frame.left),
        whole.top.max(frame.top),
        whole.right.min(frame.right),
        whole.bottom.min(frame.bottom),
    )
}

/// The box around what is seen of outlines in a frame, after they have gone through a map: around the parts of their
/// edges that are within it, and those of its corners that they enclose.
fn outlines_within(polygons: &[Polygon], projection: &Projection, frame: &Xyxy) -> Xyxy {
    let Xyxy { left, top, right, bottom } = *frame;
    let mut all = bounds([]);
    let mut add = |[x, y]: [f64; 2]| all = [all[0].min(x), all[1].min(y), all[2].max(x), all[3].max(y)];
    for polygon in polygons {
        let edges = || {
            let moved = |point: &Point| projection.map([point.x, point.y]);
            let next = polygon.points.iter().cycle().skip(1);
            polygon.points.iter().zip(next).map(move |(from, to)| (moved(from), moved(to)))
        };
        for (from, to) in edges() {
            within(from, to, frame).into_iter().flatten().for_each(&mut add);
        }
        for corner in [[left, top], [right, top], [right, bottom], [left, bottom]] {
            let [x, y] = corner;
            let crosses = |(a, b): &([f64; 2], [f64; 2])| {
                (a[1] <= y) != (b[1] <= y) && x < a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0])
            };
            if edges().filter(crosses).count() % 2 == 1 {
                add(corner);
            }
        }
    }
    let [left, top, right, bottom] = all;
    Xyxy::new(left, top, right, bottom)
}

/// The two ends of the part of a line that is within a frame, if there is one.
///
/// # Source
/// Liang and Barsky, A New Concept and Method for Line Clipping (1984).
fn within(from: [f64; 2], to: [f64; 2], frame: &Xyxy) -> Option<[[f64; 2]; 2]> {
    let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
    let (mut start, mut end) = (0.0_f64, 1.0_f64);
    for (step, room) in [
        (-dx, from[0] - frame.left),
        (dx, frame.right - from[0]),
        (-dy, from[1] - frame.top),
        (dy, frame.bottom - from[1]),
    ] {
        if step == 0.0 && room < 0.0 {
            return None;
        }
        if step < 0.0 {
            start = start.max(room / step);
        } else if step > 0.0 {
            end = end.min(room / step);
        }
    }
    (start <= end).then(|| [start, end].map(|t| [from[0] + t * dx, from[1] + t * dy]))
}
