//! What hangs together.

/// Numbers the connected regions of a mask, from 1 on in the order of their first pixels row after row; 0 is what is not
/// of the mask. Pixels are connected by their sides.
///
/// # Panics
/// If there are not `width * height` pixels.
///
/// ```
/// use gyrus_geometry::connected_regions;
/// assert_eq!(connected_regions(3, 2, &[true, false, true, true, false, false]), [1, 0, 2, 1, 0, 0]);
/// ```
#[track_caller]
pub fn connected_regions(width: usize, height: usize, mask: &[bool]) -> Vec<u32> {
    assert!(
        mask.len() == width * height,
        "connected_regions: {} pixels for {width} x {height}: must be one each",
        mask.len()
    );
    let mut regions = vec![0; mask.len()];
    let (mut open, mut count) = (Vec::new(), 0);
    for start in 0..mask.len() {
        if !mask[start] || regions[start] != 0 {
            continue;
        }
        count += 1;
        regions[start] = count;
        open.push(start);
        while let Some(place) = open.pop() {
            for next in neighbours(place, width, height) {
                if mask[next] && regions[next] == 0 {
                    regions[next] = count;
                    open.push(next);
                }
            }
        }
    }
    regions
}

/// The pixels that share a side with one: above, left, right, below.
pub(crate) fn neighbours(place: usize, width: usize, height: usize) -> impl Iterator<Item = usize> {
    let (row, column) = (place / width, place % width);
    [
        (row > 0).then(|| place - width),
        (column > 0).then(|| place - 1),
        (column + 1 < width).then_some(place + 1),
        (row + 1 < height).then_some(place + width),
    ]
    .into_iter()
    .flatten()
}
