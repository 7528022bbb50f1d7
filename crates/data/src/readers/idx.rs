//! IDX files, the format of MNIST: images in one file, their labels in another; plain or compressed by gzip.
//!
//! Images are of rank 3 (sample, row, column) or 4 (with 1 or 3 channels, last or second); labels are of rank 1. All
//! six types of elements are read. Unsigned bytes run from 0 (black) to 255 (white); other numbers are taken as they
//! are. Classes are the labels that occur, in order.

use std::path::{Path, PathBuf};

use crate::classes::ClassNames;
use crate::readers::idx_file::{self, IdxFile};
use crate::readers::listing::{list, name, split_by_file_name};
use crate::{DataError, Dataset, Geometry, Pixels, Result, Samples, Split};

/// Reads the pairs of IDX files in a folder, or one pair by the path of its images.
///
/// A file's name tells its split (`train`; `t10k`, `test`; `val`; nothing is training), and its header whether it
/// holds images or labels. Of a file and its compressed copy the plain one is read.
///
/// # Errors
/// If there are no such files, if one lacks its partner, or if a file is not what its header says.
pub fn open(path: &Path) -> Result<Dataset> {
    let pairs = if path.is_dir() { pairs_in_folder(path)? } else { vec![pair_of_file(path)?] };
    if pairs.is_empty() {
        let found = "there are no IDX files in it".to_string();
        return Err(DataError::NoData { path: path.to_owned(), found, remedy: "check the path".into() });
    }
    let mut pairs = pairs.into_iter().map(|pair| {
        let read = (IdxFile::open(&pair.images)?, IdxFile::open(&pair.labels)?);
        Ok((pair, read.0, read.1))
    });
    dataset(&mut pairs)
}

/// Whether a folder has IDX files, or a file is one.
pub(crate) fn is_here(path: &Path) -> bool {
    if path.is_dir() {
        return list(path).is_ok_and(|(files, _)| files.iter().any(|file| idx_file::rank(file).is_some()));
    }
    idx_file::rank(path).is_some()
}

/// Two files that belong together.
pub(crate) struct Pair {
    pub(crate) split: Split,
    pub(crate) images: PathBuf,
    pub(crate) labels: PathBuf,
}

/// Makes one dataset of pairs of files that have been read.
pub(crate) fn dataset(pairs: &mut dyn Iterator<Item = Result<(Pair, IdxFile, IdxFile)>>) -> Result<Dataset> {
    let mut classes = ClassNames::default();
    let mut samples: Vec<Samples> = Vec::new();
    let mut geometry: Option<Geometry> = None;
    for pair in pairs {
        let (pair, images, labels) = pair?;
        let (found, order) = geometry_of(&images, &pair.images)?;
        if let Some(expected) = geometry.filter(|&expected| expected != found) {
            return Err(DataError::Geometry { path: pair.images, found, other: samples[0].path.clone(), expected });
        }
        geometry = Some(found);
        if images.shape[0] != labels.shape[0] {
            let missing =
                format!("has {} labels for {} images in {}", labels.shape[0], images.shape[0], name(&pair.images));
            return Err(DataError::Unpaired { path: pair.labels, missing });
        }
        let values = labels.whole_numbers().map_err(|(element, value)| DataError::Idx {
            path: pair.labels.clone(),
            position: labels.position(element),
            reason: format!("the label of sample {element} is {value}, not a whole number"),
        })?;
        samples.push(Samples {
            split: pair.split,
            path: pair.images,
            pixels: planar(images.into_pixels(), found, order),
            labels: values.iter().map(|value| Some(classes.number(&value.to_string()))).collect(),
            lines: None,
        });
    }
    let (classes, places) = classes.sorted();
    for label in samples.iter_mut().flat_map(|part| part.labels.iter_mut().flatten()) {
        *label = places[*label];
    }
    Dataset::from_samples(geometry.unwrap_or_default(), classes, samples)
}

/// Where in the shape of an image the channels are.
#[derive(Clone, Copy, PartialEq)]
enum ChannelOrder {
    First,
    Last,
}

fn geometry_of(images: &IdxFile, path: &Path) -> Result<(Geometry, ChannelOrder)> {
    match images.shape[1..] {
        [height, width] => Ok((Geometry::new(height, width, 1), ChannelOrder::First)),
        [height, width, channels @ (1 | 3)] => Ok((Geometry::new(height, width, channels), ChannelOrder::Last)),
        [channels @ (1 | 3), height, width] => Ok((Geometry::new(height, width, channels), ChannelOrder::First)),
        _ => Err(DataError::Idx {
            path: path.to_owned(),
            position: 3,
            reason: format!("shape {:?} is not that of grey or RGB images", images.shape),
        }),
    }
}

fn planar(pixels: Pixels, geometry: Geometry, order: ChannelOrder) -> Pixels {
    fn reorder<T: Copy>(values: Vec<T>, geometry: Geometry) -> Vec<T> {
        let channels = geometry.channels;
        let image = |image: &[T]| {
            let image = image.to_vec();
            (0..channels).flat_map(move |channel| image.clone().into_iter().skip(channel).step_by(channels))
        };
        values.chunks(geometry.num_elements().max(1)).flat_map(image).collect()
    }
    match pixels {
        pixels if order == ChannelOrder::First || geometry.channels == 1 => pixels,
        Pixels::Bytes(values) => Pixels::Bytes(reorder(values, geometry)),
        Pixels::Floats(values) => Pixels::Floats(reorder(values, geometry)),
    }
}

fn pairs_in_folder(folder: &Path) -> Result<Vec<Pair>> {
    let (files, _) = list(folder)?;
    let plain: Vec<PathBuf> = files.iter().filter(|file| !is_copy_of_one(file, &files)).cloned().collect();
    let of_split = |wanted: Split, is_labels: bool| -> Result<Option<PathBuf>> {
        let fits = |file: &&PathBuf| {
            let split = split_by_file_name(&name(file)).unwrap_or(Split::Train);
            split == wanted && idx_file::rank(file).is_some_and(|rank| (rank == 1) == is_labels)
        };
        let found: Vec<&PathBuf> = plain.iter().filter(fits).collect();
        if found.len() > 1 {
            let kind = if is_labels { "labels" } else { "images" };
            let candidates = found.iter().map(|file| format!("{wanted} {kind} from {}", name(file))).collect();
            let remedy = "put each dataset into a folder of its own, or name one file of images".into();
            return Err(DataError::Ambiguous { path: folder.to_owned(), candidates, remedy });
        }
        Ok(found.first().map(|file| file.to_path_buf()))
    };
    let mut pairs = Vec::new();
    for split in Split::ALL {
        match (of_split(split, false)?, of_split(split, true)?) {
            (Some(images), Some(labels)) => pairs.push(Pair { split, images, labels }),
            (Some(path), None) => return Err(DataError::Unpaired { path, missing: images_alone() }),
            (None, Some(path)) => return Err(DataError::Unpaired { path, missing: labels_alone() }),
            (None, None) => {}
        }
    }
    Ok(pairs)
}

fn images_alone() -> String {
    "these images have no file of labels beside them".into()
}

fn labels_alone() -> String {
    "these labels have no file of images beside them".into()
}

/// Whether a file is `x.gz` where `x` is there too.
fn is_copy_of_one(file: &Path, files: &[PathBuf]) -> bool {
    file.extension().is_some_and(|extension| extension == "gz") && files.contains(&file.with_extension(""))
}

/// The file of images and its partner, which has the same name but for `images` and `idx3`.
fn pair_of_file(images: &Path) -> Result<Pair> {
    let images_name = name(images);
    let split = split_by_file_name(&images_name).unwrap_or(Split::Train);
    if idx_file::rank(images) == Some(1) {
        return Err(DataError::Unpaired {
            path: images.to_owned(),
            missing: "is a file of labels; name the file of images, or the folder of both".into(),
        });
    }
    let stem = images_name.trim_end_matches(".gz").replace("images", "labels").replace("idx3", "idx1");
    let stem = stem.replace("idx4", "idx1");
    let partners = [stem.clone(), stem + ".gz"].map(|partner| images.with_file_name(partner));
    match partners.into_iter().find(|partner| partner != images && idx_file::rank(partner) == Some(1)) {
        Some(labels) => Ok(Pair { split, images: images.to_owned(), labels }),
        None => Err(DataError::Unpaired { path: images.to_owned(), missing: images_alone() }),
    }
}
