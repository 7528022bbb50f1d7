//! What the network is to say of each pixel.

use gyrus_data::Batch;
use gyrus_geometry::distance_transform;
use gyrus_tensor::Tensor;

use crate::vision::assign;

/// Writes a batch into tensors: images, classes and distances.
pub fn fill(batch: &Batch, (images, classes, distances): &mut (Tensor, Tensor, Tensor)) {
    let [num_images, _, height, width] = batch.shape;
    let of_images: Vec<&[i64]> = batch.pixel_labels.chunks_exact(height * width).collect();
    let class_of = |place: usize, label: i64| match label {
        1.. => 1 + batch.objects_of(place)[label as usize - 1].class as i64,
        _ => label,
    };
    let own = of_images.iter().enumerate().flat_map(|(place, labels)| labels.iter().map(move |&label| (place, label)));
    let own_classes: Vec<i64> = own.map(|(place, label)| class_of(place, label)).collect();
    let own_distances: Vec<f32> = of_images.iter().flat_map(|labels| shares(width, height, labels)).collect();
    assign(images, &batch.shape, &batch.images);
    assign(classes, &[num_images, height, width], &own_classes);
    assign(distances, &[num_images, height, width], &own_distances);
}

/// The distance of each pixel to the nearest one that is not of its object, as a share of the greatest in the object; 0
/// where there is none. An object that fills the image has 1 everywhere.
pub fn shares(width: usize, height: usize, labels: &[i64]) -> Vec<f32> {
    let objects: Vec<i64> = labels.iter().map(|&label| label.max(0)).collect();
    let distances = distance_transform(width, height, &objects);
    let mut greatest = vec![0.0f64; objects.iter().max().map_or(1, |&greatest| greatest as usize + 1)];
    for (&object, &distance) in objects.iter().zip(&distances) {
        greatest[object as usize] = greatest[object as usize].max(distance);
    }
    let share = |(&object, &distance): (&i64, &f64)| match greatest[object as usize] {
        whole if whole.is_infinite() => 1.0,
        whole if whole > 0.0 => (distance / whole) as f32,
        _ => 0.0,
    };
    objects.iter().zip(&distances).map(share).collect()
}
