//! Where the pixels are: in memory, or in image files.

use std::path::PathBuf;

use crate::dataset::{Geometry, Origin, Place, Split};
use crate::readers::image_file;
use crate::target::Page;
use crate::{ImageBuffer, Result};

/// The pixels of many images of one shape, image after image, each CHW.
#[derive(Clone, Debug, PartialEq)]
pub enum Pixels {
    /// 0 is black, 255 is white.
    Bytes(Vec<u8>),
    /// As they are.
    Floats(Vec<f32>),
}

impl Pixels {
    /// How many numbers there are.
    pub fn len(&self) -> usize {
        match self {
            Pixels::Bytes(bytes) => bytes.len(),
            Pixels::Floats(floats) => floats.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The samples of one split in memory, with what is known of where they came from.
#[derive(Clone, Debug)]
pub struct Samples {
    /// The split they belong to.
    pub split: Split,
    /// The file they came from, for messages.
    pub path: PathBuf,
    /// The images.
    pub pixels: Pixels,
    /// The class of each, where it has one.
    pub labels: Vec<Option<usize>>,
    /// The line of each, from 1, if the file is text.
    pub lines: Option<Vec<u64>>,
}

/// Where the pixels of a dataset are.
#[derive(Debug)]
pub(crate) enum Storage {
    Memory(Vec<Block>),
    Files(Vec<Page>),
}

/// Samples of one file, which follow one another in the dataset's numbering.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) first: usize,
    pub(crate) path: PathBuf,
    pub(crate) pixels: Pixels,
    pub(crate) lines: Option<Vec<u64>>,
}

impl Storage {
    pub(crate) fn origin(&self, index: usize) -> Origin {
        match self {
            Storage::Files(pages) => {
                let Page { path, number } = pages[index].clone();
                Origin { path, place: (number > 0).then_some(Place::Page(number)) }
            }
            Storage::Memory(blocks) => {
                let block = block_of(blocks, index);
                let sample = index - block.first;
                let place = match &block.lines {
                    Some(lines) => Place::Line(lines[sample]),
                    None => Place::Sample(sample),
                };
                Origin { path: block.path.clone(), place: Some(place) }
            }
        }
    }

    pub(crate) fn read(&self, index: usize, geometry: Geometry, image: &mut ImageBuffer) -> Result<()> {
        let blocks = match self {
            Storage::Files(pages) => return image_file::read_page(&pages[index], geometry.channels, image),
            Storage::Memory(blocks) => blocks,
        };
        let block = block_of(blocks, index);
        let size = geometry.num_elements();
        let range = (index - block.first) * size..(index - block.first + 1) * size;
        image.reshape(geometry);
        match &block.pixels {
            Pixels::Floats(floats) => image.pixels_mut().copy_from_slice(&floats[range]),
            Pixels::Bytes(bytes) => {
                for (pixel, &byte) in image.pixels_mut().iter_mut().zip(&bytes[range]) {
                    *pixel = byte as f32 / 255.0;
                }
            }
        }
        Ok(())
    }
}

fn block_of(blocks: &[Block], index: usize) -> &Block {
    &blocks[blocks.partition_point(|block| block.first <= index) - 1]
}
