//! Pictures of what the net sees.

use gyrus_draw::{BoxLabel, Color, Picture, color_of, grid};

use crate::loader::IGNORED_PIXEL;
use crate::transforms::Preprocess;
use crate::{Batch, Geometry};

/// The images of a batch in a grid, as the net sees them: augmented, with the boxes of objects in the colours of their
/// classes (those of crowds dashed), and labels of pixels laid over them: classes, or, where there are objects, one
/// colour an object. Pixels that are ignored are dark.
///
/// # Panics
/// If the preprocessing is not the one that made the batch.
pub fn contact_sheet(batch: &Batch, preprocess: &Preprocess, num_columns: usize) -> Picture {
    let cells: Vec<(Picture, String)> =
        (0..batch.len()).map(|place| (seen(batch, preprocess, place), String::new())).collect();
    grid(&cells, num_columns)
}

/// One image of a batch with its target.
fn seen(batch: &Batch, preprocess: &Preprocess, place: usize) -> Picture {
    /// Of regions, what is ignored.
    const IGNORED: u32 = u32::MAX;
    let [_, channels, height, width] = batch.shape;
    assert_eq!(preprocess.geometry(), Geometry::new(height, width, channels), "contact_sheet: another preprocessing");
    let area = height * width;
    let image = batch.images[place * channels * area..][..channels * area].chunks_exact(area).enumerate();
    let pixels: Vec<f32> = image
        .flat_map(|(channel, plane)| {
            let (mean, std) = (preprocess.mean[channel], preprocess.std[channel]);
            plane.iter().map(move |value| value * std + mean)
        })
        .collect();
    let mut picture = Picture::from_planar(channels, height, width, &pixels);
    let has_objects = !batch.object_ends.is_empty();
    if let Some(labels) = batch.pixel_labels.get(place * area..(place + 1) * area) {
        let region = |&label: &i64| match label {
            IGNORED_PIXEL => Some(IGNORED),
            0 if has_objects => None,
            label => Some(label as u32),
        };
        let regions: Vec<Option<u32>> = labels.iter().map(region).collect();
        picture.tint(width, height, &regions, |number| match number {
            IGNORED => Some(Color::BLACK),
            number => Some(color_of(number as usize)),
        });
    }
    if has_objects {
        let boxes = batch.objects_of(place).iter().map(|object| BoxLabel {
            bounds: object.bounds,
            color: color_of(object.class),
            text: String::new(),
            is_dashed: object.is_crowd,
        });
        picture.draw_boxes(&boxes.collect::<Vec<_>>());
    }
    picture
}
