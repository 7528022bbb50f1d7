//! YOLO's labels.

use std::path::PathBuf;

use gyrus_geometry::{Cxcywh, RunLengthMask};

use super::names::Names;
use super::{Files, Format, Said, unfit, write_file};
use crate::TaskError;
use crate::vision::{Answer, Found};

/// A text file an image in a folder `labels`, a line an object: `class center_x center_y width height confidence`, or,
/// of one with a mask, `class x1 y1 x2 y2 ... confidence` around its pixels. Numbers are shares of the image's sides.
/// `classes.txt` beside `labels` names the classes.
///
/// # Source
/// What Ultralytics' `save_txt` with `save_conf` writes.
pub(super) struct Yolo<'a> {
    pub(super) folder: PathBuf,
    pub(super) names: Names,
    pub(super) classes: &'a [String],
}

impl Files for Yolo<'_> {
    fn write(&mut self, said: &Said) -> Result<(), TaskError> {
        let Answer::Objects(objects) = said.answer else { return Err(unfit(Format::Yolo, said.answer)) };
        let (width, height) = (said.size().width as f64, said.size().height as f64);
        let text: String = objects.iter().map(|found| line(found, width, height)).collect();
        let name = self.names.with_extension(said.name, "txt");
        write_file(&self.folder.join(name), text.as_bytes())
    }

    fn finish(&mut self) -> Result<(), TaskError> {
        let names: String = self.classes.iter().map(|name| format!("{name}\n")).collect();
        write_file(&self.folder.with_file_name("classes.txt"), names.as_bytes())
    }
}

fn line(found: &Found, width: f64, height: f64) -> String {
    let outline = found.mask.as_ref().map(RunLengthMask::outline).filter(|outline| outline.points.len() > 2);
    let numbers = match outline {
        Some(outline) => outline.points.iter().flat_map(|point| [point.x / width, point.y / height]).collect(),
        None => {
            let Cxcywh { center_x, center_y, width, height } =
                Cxcywh::from(found.bounds).scale(1.0 / width, 1.0 / height);
            vec![center_x, center_y, width, height]
        }
    };
    let numbers: String = numbers.into_iter().map(|number: f64| format!(" {number:.6}")).collect();
    format!("{}{numbers} {:.6}\n", found.class, found.score)
}
