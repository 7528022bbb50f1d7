//! Pixels as PNG.

use std::path::PathBuf;

use gyrus_data::target::{IGNORED, LabelMap};
use gyrus_draw::{Color, color_of, grey_png, palette_png};
use gyrus_geometry::RunLengthMask;

use super::names::Names;
use super::{Files, Format, Said, unfit, write_file};
use crate::TaskError;
use crate::vision::{Answer, Found};

/// The index of what is ignored, in masks of a palette.
const IGNORED_INDEX: u8 = 255;

/// The most objects that 16 bits number.
const MOST_OBJECTS: usize = u16::MAX as usize - 1;

/// A PNG an image in a folder `masks`. Classes of pixels are indices into a palette of the classes' colours (of more than
/// 255 classes, 16 bits in grey); objects are numbered from 1 on in 16 bits, the surest first, and 0 is none; where two
/// overlap, the surer one is in front. `classes.txt` beside `masks` names the classes of pixels.
pub(super) struct Masks<'a> {
    pub(super) folder: PathBuf,
    pub(super) names: Names,
    pub(super) classes: &'a [String],
}

impl Files for Masks<'_> {
    fn write(&mut self, said: &Said) -> Result<(), TaskError> {
        let png = match said.answer {
            Answer::Pixels(map) => of_classes(map, self.classes.len()),
            Answer::Objects(objects) if objects.iter().all(|found| found.mask.is_some()) => of_objects(said, objects),
            answer => return Err(unfit(Format::Masks, answer)),
        };
        let name = self.names.with_extension(said.name, "png");
        write_file(&self.folder.join(name), &png)
    }

    fn finish(&mut self) -> Result<(), TaskError> {
        let names: String = self.classes.iter().map(|name| format!("{name}\n")).collect();
        write_file(&self.folder.with_file_name("classes.txt"), names.as_bytes())
    }
}

fn of_classes(map: &LabelMap, num_classes: usize) -> Vec<u8> {
    if num_classes > IGNORED_INDEX as usize {
        return grey_png(map.width, map.height, &map.labels);
    }
    let index = |&label: &u16| if label == IGNORED { IGNORED_INDEX } else { label as u8 };
    let indices: Vec<u8> = map.labels.iter().map(index).collect();
    let mut palette: Vec<Color> = (0..=IGNORED_INDEX as usize).map(color_of).collect();
    palette[IGNORED_INDEX as usize] = Color::BLACK;
    palette_png(map.width, map.height, &indices, &palette)
}

fn of_objects(said: &Said, objects: &[Found]) -> Vec<u8> {
    let (width, height) = (said.size().width, said.size().height);
    let mut labels = vec![0_u16; width * height];
    let masks: Vec<&RunLengthMask> =
        objects.iter().filter_map(|found| found.mask.as_ref()).take(MOST_OBJECTS).collect();
    for (number, mask) in masks.iter().enumerate().rev() {
        mask.pixels().for_each(|(x, y)| labels[y * width + x] = number as u16 + 1);
    }
    grey_png(width, height, &labels)
}
