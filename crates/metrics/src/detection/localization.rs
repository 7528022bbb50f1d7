use gyrus_geometry::Region;

/// The share of pictures whose one object is given its class and, by intersection over union of at least `threshold`
/// (customarily 0.5), its place: `1/N sum_i [class right and IoU >= threshold]`, from 0 to 1; NaN of no pictures.
///
/// # Panics
/// If the slices differ in length.
///
/// # Source
/// ILSVRC's task of single-object localization (Russakovsky et al. 2015, section 4.2), of one guess.
///
/// ```
/// use gyrus_geometry::Xyxy;
/// let place = |right: f64| Xyxy::new(0.0, 0.0, right, 10.0);
/// let found = [(3, place(8.0)), (3, place(4.0)), (1, place(10.0))];
/// let truths = [(3, place(10.0)), (3, place(10.0)), (2, place(10.0))];
/// assert_eq!(gyrus_metrics::localization_accuracy(&found, &truths, 0.5), 1.0 / 3.0);
/// ```
#[track_caller]
pub fn localization_accuracy<R: Region>(predicted: &[(usize, R)], targets: &[(usize, R)], threshold: f64) -> f64 {
    assert!(
        predicted.len() == targets.len(),
        "localization_accuracy: {} predictions and {} targets: there must be one prediction per target",
        predicted.len(),
        targets.len(),
    );
    let is_right = |(found, truth): &(&(usize, R), &(usize, R))| {
        found.0 == truth.0 && found.1.intersection_over_union(&truth.1) >= threshold
    };
    predicted.iter().zip(targets).filter(is_right).count() as f64 / targets.len() as f64
}
