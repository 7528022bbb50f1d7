//! What is known of an image, or a model says of it, drawn over it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use gyrus_data::target::{IGNORED, LabelMap, Shape};
use gyrus_data::{DataError, ImageBuffer, Target};
use gyrus_draw::{BoxLabel, Color, Picture, color_of, grid};
use gyrus_geometry::{Region, RunLengthMask, Xyxy};

use super::answer::{LIKELY, NUM_NAMED, by_probability};
use super::measure::Truth;
use super::{Answer, Found};

/// On smaller pictures words would hide what is below them: their pixels are drawn as squares.
const LEAST_SIDE: usize = 480;

/// The number of pixels that are neither learnt nor measured, among regions.
const IGNORED_REGION: u32 = u32::MAX;

/// What there is to draw: the truth of an image, or an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Marks {
    /// Classes of the whole image, each with how sure one is of it.
    Classes(Vec<(usize, Option<f32>)>),
    /// Objects, the most important first.
    Objects(Vec<Mark>),
    /// The class of each pixel.
    Pixels(LabelMap),
}

/// An object to draw.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Its class.
    pub class: usize,
    /// How sure the model is; of a truth nothing.
    pub score: Option<f64>,
    /// The box around it, in pixels of the image.
    pub bounds: Xyxy,
    /// Its pixels, if they are known.
    pub mask: Option<RunLengthMask>,
    /// Whether it stands for any number of things.
    pub is_crowd: bool,
}

impl From<&Answer> for Marks {
    fn from(answer: &Answer) -> Self {
        let named = |classes: Vec<usize>, probabilities: &[f32]| {
            Marks::Classes(classes.into_iter().map(|class| (class, Some(probabilities[class]))).collect())
        };
        match answer {
            Answer::Class(probabilities) => {
                let mut order = by_probability(probabilities);
                order.truncate(NUM_NAMED);
                named(order, probabilities)
            }
            Answer::Classes(probabilities) => {
                let told = (0..probabilities.len()).filter(|&class| probabilities[class] >= LIKELY);
                named(told.collect(), probabilities)
            }
            Answer::Objects(objects) => {
                let mark = |Found { class, score, bounds, mask }: &Found| Mark {
                    class: *class,
                    score: Some(*score),
                    bounds: *bounds,
                    mask: mask.clone(),
                    is_crowd: false,
                };
                Marks::Objects(objects.iter().map(mark).collect())
            }
            Answer::Pixels(map) => Marks::Pixels(map.clone()),
        }
    }
}

impl Marks {
    /// What is known of an image.
    ///
    /// # Errors
    /// If a mask cannot be read.
    pub fn of_truth(truth: &Truth) -> Result<Self, DataError> {
        let Truth { dataset, index, size } = truth;
        Ok(match dataset.target(*index) {
            Target::Unlabelled => Marks::Classes(vec![]),
            Target::Class(class) => Marks::Classes(vec![(*class, None)]),
            Target::Classes(classes) => Marks::Classes(classes.iter().map(|&class| (class, None)).collect()),
            Target::PixelClasses(_) => Marks::Pixels(dataset.pixel_labels(*index)?),
            Target::Objects(_) | Target::PixelObjects(_) => {
                let objects = dataset.objects(*index)?;
                let mark = |object: &gyrus_data::Object| Mark {
                    class: object.class,
                    score: None,
                    bounds: object.bounds,
                    mask: (object.shape != Shape::Box).then(|| object.mask(size.width, size.height)),
                    is_crowd: object.is_crowd,
                };
                Marks::Objects(objects.iter().map(mark).collect())
            }
        })
    }

    /// The image with these marks over it, and their colours' names below, on a picture whose longer side is at most
    /// `side`. Small images are enlarged.
    pub fn over(&self, image: &ImageBuffer, classes: &[String], side: usize) -> Picture {
        let mut picture = shown(image, side);
        let legend = match self {
            Marks::Classes(named) => {
                let percent = |share: f32| format!(" {:.1}%", 100.0 * share);
                let text = |(class, share): &(usize, Option<f32>)| {
                    (color_of(*class), classes[*class].clone() + &share.map_or_else(String::new, percent))
                };
                named.iter().map(text).collect()
            }
            Marks::Objects(objects) => {
                draw_objects(&mut picture, image, objects, classes);
                let color = |class: usize| if classes.len() > 1 { color_of(class) } else { Color::GREY };
                counts(objects.iter().map(|mark| mark.class))
                    .map(|(class, count)| (color(class), format!("{} × {count}", classes[class])))
                    .collect()
            }
            Marks::Pixels(map) => {
                draw_pixels(&mut picture, map, classes);
                let all = map.labels.len() as f64;
                counts(map.labels.iter().filter(|&&label| label != IGNORED).map(|&label| label as usize))
                    .map(|(class, count)| {
                        (color_of(class), format!("{} {:.1}%", classes[class], 100.0 * count as f64 / all))
                    })
                    .collect::<Vec<_>>()
            }
        };
        picture.with_legend(&legend)
    }
}

/// Truth beside prediction.
pub fn beside(truth: Picture, answer: Picture) -> Picture {
    grid(&[(truth, "truth".to_owned()), (answer, "prediction".to_owned())], 2)
}

/// The image as a picture whose longer side is at most `side`.
///
/// Grey images of which hardly a pixel is lighter than half, or any is lighter than white, as microscopes make them, are
/// stretched.
pub(super) fn shown(image: &ImageBuffer, side: usize) -> Picture {
    /// The share of pixels that are darker than what is shown as white.
    const DARKER: f64 = 0.998;
    let geometry = image.geometry();
    let plain = |pixels: &[f32]| Picture::from_planar(geometry.channels, geometry.height, geometry.width, pixels);
    let mut sorted = if geometry.channels == 1 { image.pixels().to_vec() } else { vec![] };
    let place = (sorted.len() as f64 * DARKER) as usize;
    let light = sorted.get(place).is_some().then(|| *sorted.select_nth_unstable_by(place, f32::total_cmp).1);
    let picture = match light {
        Some(light) if light > 0.0 && !(0.5..=1.0).contains(&light) => {
            plain(&image.pixels().iter().map(|value| value / light).collect::<Vec<f32>>())
        }
        _ => plain(image.pixels()),
    };
    let longer = geometry.width.max(geometry.height);
    let factor = LEAST_SIDE.div_ceil(longer.max(1)).min(side / longer.max(1));
    if longer > side { picture.fitted(side) } else { picture.enlarged(factor.max(1)) }
}

/// How often each number occurs, in their order.
fn counts(numbers: impl Iterator<Item = usize>) -> impl Iterator<Item = (usize, usize)> {
    let mut counts = BTreeMap::new();
    numbers.for_each(|number| *counts.entry(number).or_insert(0) += 1);
    counts.into_iter()
}

fn draw_objects(picture: &mut Picture, image: &ImageBuffer, objects: &[Mark], classes: &[String]) {
    let (width, height) = (image.geometry().width, image.geometry().height);
    // Where there is but one class, colours tell objects apart.
    let color = |place: usize| color_of(if classes.len() > 1 { objects[place].class } else { place });
    let mut masks: Vec<(usize, &RunLengthMask)> = objects
        .iter()
        .enumerate()
        .filter_map(|(place, mark)| Some((place, mark.mask.as_ref()?)))
        .filter(|(_, mask)| (mask.width(), mask.height()) == (width, height))
        .collect();
    if !masks.is_empty() {
        // Smaller ones in front.
        masks.sort_by_key(|(_, mask)| Reverse(mask.area() as u64));
        let mut regions = vec![None; width * height];
        for (place, mask) in masks {
            mask.pixels().for_each(|(x, y)| regions[y * width + x] = Some(place as u32));
        }
        picture.tint(width, height, &regions, |place| Some(color(place as usize)));
    }
    let (x, y) = (picture.width() as f64 / width as f64, picture.height() as f64 / height as f64);
    let label = |(place, mark): (usize, &Mark)| BoxLabel {
        bounds: mark.bounds.scale(x, y),
        color: color(place),
        text: match mark.score {
            // The name of the only class says nothing.
            Some(score) if classes.len() == 1 => format!("{score:.2}"),
            Some(score) => format!("{} {score:.2}", classes[mark.class]),
            None if classes.len() == 1 => String::new(),
            None => classes[mark.class].clone(),
        },
        is_dashed: mark.is_crowd,
    };
    picture.draw_boxes(&objects.iter().enumerate().map(label).collect::<Vec<_>>());
}

fn draw_pixels(picture: &mut Picture, map: &LabelMap, classes: &[String]) {
    let region = |&label: &u16| match label {
        IGNORED => Some(IGNORED_REGION),
        // What is behind everything is best seen as it is.
        label if classes[label as usize].eq_ignore_ascii_case("background") => None,
        label => Some(u32::from(label)),
    };
    let regions: Vec<Option<u32>> = map.labels.iter().map(region).collect();
    picture.tint(map.width, map.height, &regions, |region| match region {
        IGNORED_REGION => Some(Color::BLACK),
        class => Some(color_of(class as usize)),
    });
}

#[cfg(test)]
mod tests {
    use gyrus_data::Geometry;
    use gyrus_geometry::Mask;

    use super::*;

    fn image(width: usize, height: usize) -> ImageBuffer {
        ImageBuffer::from_pixels(Geometry::new(height, width, 3), vec![0.5; 3 * width * height])
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn has(picture: &Picture, color: Color) -> bool {
        picture.bytes().chunks_exact(3).any(|pixel| pixel == color.0)
    }

    #[test]
    fn every_kind_of_answer_shows() {
        let image = image(300, 260);
        let mask = RunLengthMask::from(&Mask::from_fn(300, 260, |x, y| x < 50 && y < 50));
        let found = Found { class: 1, score: 0.9, bounds: Xyxy::new(0.0, 0.0, 50.0, 50.0), mask: Some(mask) };
        let labels = (0..300 * 260).map(|place| if place % 300 < 150 { 0 } else { 1 }).collect();
        for answer in [
            Answer::Class(vec![0.1, 0.9]),
            Answer::Classes(vec![0.2, 0.7]),
            Answer::Objects(vec![found]),
            Answer::Pixels(LabelMap { height: 260, width: 300, labels }),
        ] {
            let picture = Marks::from(&answer).over(&image, &names(&["background", "cat"]), usize::MAX);
            assert!(has(&picture, color_of(1)), "{answer:?}");
            assert_eq!(picture.width(), 600);
            assert!(picture.height() > 520, "a legend is below");
        }
    }

    #[test]
    fn boxes_move_with_the_size_of_the_picture() {
        let mark =
            Mark { class: 0, score: None, bounds: Xyxy::new(10.0, 10.0, 20.0, 20.0), mask: None, is_crowd: false };
        let marks = Marks::Objects(vec![mark]);
        let large = marks.over(&image(40, 40), &names(&["cat", "dog"]), 500);
        assert_eq!((large.width(), large.pixel(120, 180)), (480, color_of(0)));
        let small = marks.over(&image(400, 400), &names(&["cat", "dog"]), 200);
        assert_eq!((small.width(), small.pixel(5, 7)), (200, color_of(0)));
    }

    #[test]
    fn dark_grey_images_are_stretched_and_photographs_are_not() {
        let ramp: Vec<f32> = (0..100).map(|place| place as f32 / 10_000.0).collect();
        let dark = ImageBuffer::from_pixels(Geometry::new(10, 10, 1), ramp);
        assert!(shown(&dark, 500).pixel(479, 479).0[0] > 240);
        let plain = ImageBuffer::from_pixels(Geometry::new(1, 1, 1), vec![0.8]);
        assert_eq!(shown(&plain, 500).pixel(0, 0), Color([204; 3]));
    }
}
