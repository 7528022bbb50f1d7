//! Whether the values of masks are classes, or number objects.

use std::collections::HashSet;
use std::path::Path;

use crate::readers::label_image;
use crate::readers::masks::pairs::Pairs;
use crate::readers::masks::{pages, probes};
use crate::target::{LabelMap, Page};

/// How many pages of a file are looked at.
const NUM_PAGES: usize = 16;

/// From this number of values in one mask on, they may number objects.
const MIN_OBJECTS: usize = 8;

/// Whether the values of masks number objects. They do if one is above 255; and if some mask has many of them, most of
/// the numbers up to the greatest of the file occur, and a value is nearly always one connected region: classes skip
/// numbers in most images, and lie here and there.
pub(super) fn are_objects(pairs: &Pairs) -> bool {
    let (mut num_values, mut num_regions, mut sum_of_greatest, mut most) = (0, 0, 0, 0);
    for mask in probes(pairs) {
        let Some(contents) = contents(mask) else { return false };
        if contents.greatest > 255 {
            return true;
        }
        num_values += contents.num_values;
        num_regions += contents.num_regions;
        // Each page shows some of the objects of the file.
        sum_of_greatest += (contents.greatest * contents.num_values).checked_div(contents.values.len()).unwrap_or(0);
        most = most.max(contents.values.len());
    }
    most >= MIN_OBJECTS && 2 * num_values >= sum_of_greatest && 2 * num_regions <= 3 * num_values
}

#[derive(Default)]
struct Contents {
    values: HashSet<u16>,
    greatest: usize,
    /// Values, page by page.
    num_values: usize,
    num_regions: usize,
}

/// What the pages of a mask hold; nothing if it is in colour, or its values are no numbers of 16 bits.
fn contents(path: &Path) -> Option<Contents> {
    let count = pages(path);
    let mut contents = Contents::default();
    let mut map = LabelMap::default();
    for number in (0..count).step_by(count.div_ceil(NUM_PAGES).max(1)) {
        label_image::read(&Page { path: path.to_owned(), number }, None, &mut map).ok()?;
        let values: HashSet<u16> = map.labels.iter().copied().filter(|&value| value > 0 && value != 255).collect();
        contents.num_values += values.len();
        contents.num_regions += count_regions(&map);
        contents.greatest = values.iter().fold(contents.greatest, |greatest, &value| greatest.max(value as usize));
        contents.values.extend(values);
    }
    Some(contents)
}

/// The number of connected regions of one value above 0; pixels are connected by their sides.
fn count_regions(map: &LabelMap) -> usize {
    let width = map.width;
    let mut is_seen: Vec<bool> = map.labels.iter().map(|&value| value == 0 || value == 255).collect();
    let mut open = Vec::new();
    let mut count = 0;
    for start in 0..is_seen.len() {
        if is_seen[start] {
            continue;
        }
        count += 1;
        is_seen[start] = true;
        open.push(start);
        while let Some(place) = open.pop() {
            let (row, column) = (place / width, place % width);
            let neighbours = [
                (column > 0).then(|| place - 1),
                (column + 1 < width).then_some(place + 1),
                (row > 0).then(|| place - width),
                (row + 1 < map.height).then_some(place + width),
            ];
            for next in neighbours.into_iter().flatten() {
                if !is_seen[next] && map.labels[next] == map.labels[start] {
                    is_seen[next] = true;
                    open.push(next);
                }
            }
        }
    }
    count
}
