//! Which images make up a sample, and where in the frame each of them is.

use crate::target::Placement;
use crate::transforms::augment::Moment;
use crate::transforms::mixing::Mix;
use crate::transforms::warp::{Area, Outside, warp};
use crate::transforms::{Augment, Preprocess, Projection, Resize, Scratch};
use crate::{Geometry, ImageBuffer, Result};

/// The images that make up a sample: one, or several where an augmentation mixes them. Its memory is used again and
/// again.
#[derive(Debug, Default)]
pub(crate) struct Scene {
    pieces: Vec<Piece>,
    images: Vec<ImageBuffer>,
    layer: ImageBuffer,
}

/// An image in a scene; the images of the first pieces lie behind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    /// The sample whose image it is.
    pub(crate) index: usize,
    /// The image's own size.
    pub(crate) size: Geometry,
    pub(crate) placement: Placement,
    outside: Outside,
    opacity: f32,
}

/// What a scene is made by.
pub(crate) struct Maker<'a> {
    pub(crate) preprocess: &'a Preprocess,
    pub(crate) augment: &'a Augment,
    /// Where other samples are taken from.
    pub(crate) others: &'a [usize],
    pub(crate) moment: Moment,
}

/// Reads the image of a sample.
pub(crate) type Read<'a> = &'a mut dyn FnMut(usize, &mut ImageBuffer) -> Result<()>;

impl Scene {
    /// Reads the images of a sample and places them.
    pub(crate) fn make(&mut self, maker: &Maker, read: Read, scratch: &mut Scratch) -> Result<()> {
        self.pieces.clear();
        self.add(maker, maker.augment.operations().len(), maker.moment.index, 0, read, scratch)
    }

    /// The images, those behind first.
    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Where the sample's own image is.
    pub(crate) fn projection(&self) -> Projection {
        self.pieces.first().map(|piece| piece.placement.projection).unwrap_or_default()
    }

    /// Adds a sample as it is after the first `rank` operations. Samples that are mixed go through the same operations,
    /// each with random numbers of its own.
    fn add(
        &mut self,
        maker: &Maker,
        rank: usize,
        index: usize,
        part: u8,
        read: Read,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let Some(last) = rank.checked_sub(1) else { return self.add_image(maker, index, part, read, scratch) };
        let first = self.pieces.len();
        self.add(maker, last, index, part, &mut *read, scratch)?;
        let frame = maker.preprocess.geometry();
        let size = [frame.width as f64, frame.height as f64];
        if let Some(projection) = maker.augment.project(last, size, maker.moment, part) {
            self.move_from(first, &projection, frame);
        }
        let mut random = maker.moment.random(last, part);
        let mix = maker.augment.operations()[last].change().mix(size, &mut random);
        let Some(mix) = mix else { return Ok(()) };
        let mut add_other = |scene: &mut Self, slot: u8| {
            let other = maker.others[random.below(maker.others.len())];
            let start = scene.pieces.len();
            let part = (part as usize * 4 + slot as usize) % 255;
            scene.add(maker, last, other, part as u8, &mut *read, scratch).map(|()| start)
        };
        match mix {
            Mix::Around { center, scales } => {
                self.surround(first, 0, center, scales[0], size, frame);
                for (slot, scale) in scales.into_iter().enumerate().skip(1) {
                    let start = add_other(self, slot as u8)?;
                    self.surround(start, slot, center, scale, size, frame);
                }
            }
            Mix::Over(opacity) => {
                let start = add_other(self, 1)?;
                self.weigh(first..start, 1.0 - opacity);
                self.weigh(start..self.pieces.len(), opacity);
                self.pieces[start..].iter_mut().for_each(|piece| piece.opacity *= opacity);
            }
            Mix::Patch([left, top, right, bottom]) => {
                let area =
                    Area { left: left as usize, top: top as usize, right: right as usize, bottom: bottom as usize };
                let share = area.num_pixels() as f32 / frame.num_pixels().max(1) as f32;
                if share > 0.0 {
                    let start = add_other(self, 1)?;
                    self.weigh(first..start, 1.0 - share);
                    self.weigh(start..self.pieces.len(), share);
                    for (number, piece) in self.pieces[start..].iter_mut().enumerate() {
                        piece.placement.area = area;
                        piece.placement.hides = number == 0;
                    }
                }
            }
        }
        Ok(())
    }

    fn add_image(&mut self, maker: &Maker, index: usize, part: u8, read: Read, scratch: &mut Scratch) -> Result<()> {
        let number = self.pieces.len();
        if self.images.len() == number {
            self.images.push(ImageBuffer::new());
        }
        let image = &mut self.images[number];
        read(index, image)?;
        maker.preprocess.convert(image, scratch);
        let size = image.geometry();
        let projection = match maker.preprocess.resize {
            Resize::Window => maker.preprocess.random_window(size, &mut maker.moment.random_window(part)),
            _ => maker.preprocess.projection(size),
        };
        let placement = Placement { projection, area: maker.preprocess.content_area(), share: 1.0, hides: false };
        self.pieces.push(Piece { index, size, placement, outside: maker.preprocess.outside(), opacity: 1.0 });
        Ok(())
    }

    fn move_from(&mut self, first: usize, projection: &Projection, frame: Geometry) {
        for Piece { placement, .. } in &mut self.pieces[first..] {
            placement.projection = placement.projection.then(projection);
            placement.area = Area::whole(frame);
        }
    }

    /// Puts the images from `first` on into a quarter around a point: scaled, with the corner of what they show at it.
    fn surround(&mut self, first: usize, slot: usize, center: [f64; 2], scale: f64, size: [f64; 2], frame: Geometry) {
        let corners = self.pieces[first..].iter().flat_map(|Piece { size, placement, .. }| {
            let [left, top, right, bottom] =
                placement.projection.map_bounds([0.0, 0.0, size.width as f64, size.height as f64]);
            [[left, top], [right, bottom]]
        });
        let [left, top, right, bottom] = super::projection::bounds(corners);
        let (is_right, is_lower) = (slot % 2 == 1, slot >= 2);
        let corner = [if is_right { left } else { right }, if is_lower { top } else { bottom }];
        let moved = Projection::shifting(-corner[0], -corner[1])
            .then(&Projection::scaling(scale, scale))
            .then(&Projection::shifting(center[0], center[1]));
        self.move_from(first, &moved, frame);
        let share = |axis: usize, is_after: bool| {
            let before = center[axis] / size[axis];
            if is_after { 1.0 - before } else { before }
        };
        let end = self.pieces.len();
        self.weigh(first..end, (share(0, is_right) * share(1, is_lower)) as f32);
        self.pieces[first..].iter_mut().for_each(|piece| piece.outside = Outside::Keep);
    }

    fn weigh(&mut self, pieces: std::ops::Range<usize>, weight: f32) {
        self.pieces[pieces].iter_mut().for_each(|piece| piece.placement.share *= weight);
    }

    /// Draws all images into a frame.
    pub(crate) fn draw(&mut self, preprocess: &Preprocess, frame: &mut ImageBuffer, scratch: &mut Scratch) {
        let geometry = preprocess.geometry();
        frame.reshape(geometry);
        let Self { pieces, images, layer } = self;
        for (number, (piece, image)) in pieces.iter().zip(images).enumerate() {
            let Placement { projection, area, hides, .. } = piece.placement;
            let is_bare = number == 0 && (piece.outside == Outside::Keep || area != Area::whole(geometry));
            if is_bare {
                frame.pixels_mut().fill(preprocess.fill);
            }
            // The picture is the frame already.
            if number == 0 && projection == Projection::default() && image.geometry() == geometry && !is_bare {
                frame.pixels_mut().copy_from_slice(image.pixels());
                continue;
            }
            if hides && piece.outside == Outside::Keep {
                let nothing = ImageBuffer::from_pixels(Geometry::new(0, 0, geometry.channels), Vec::new());
                warp(&nothing, frame, &projection, area, Outside::Fill(preprocess.fill), scratch);
            }
            if piece.opacity == 1.0 {
                warp(image, frame, &projection, area, piece.outside, scratch);
                continue;
            }
            layer.reshape(geometry);
            layer.pixels_mut().copy_from_slice(frame.pixels());
            warp(image, layer, &projection, area, piece.outside, scratch);
            let pixels = frame.pixels_mut().iter_mut().zip(layer.pixels());
            pixels.for_each(|(below, above)| *below += piece.opacity * (above - *below));
        }
    }
}
