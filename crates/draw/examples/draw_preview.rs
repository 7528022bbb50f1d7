//! Boxes, masks, a heat map and a grid over a photograph, to look at:
//! `cargo run -p gyrus-draw --example draw_preview -- PHOTO FOLDER [SIDE...]` writes a few pictures a side.

use std::error::Error;
use std::path::Path;

use gyrus_draw::{BoxLabel, Color, HeatMap, Picture, color_of, grid};
use gyrus_geometry::Xyxy;

const NAMES: [&str; 5] = ["dog", "чашка", "Schlüssel", "κύβος", "a class with a long name"];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [photo, folder, sides @ ..] = &arguments[..] else {
        return Err("name a photograph, a folder and sides".into());
    };
    let photo = image::open(photo)?;
    for side in sides {
        let side: u32 = side.parse()?;
        let small = photo.thumbnail(side, side).to_rgb8();
        let picture = Picture::from_bytes(small.width() as usize, small.height() as usize, small.into_raw());
        let write = |name: &str, picture: &Picture| {
            std::fs::write(Path::new(folder).join(format!("{name}_{side}.png")), picture.png())
        };
        let (boxes, masks, heat) = (boxes(&picture), masks(&picture), heat(&picture));
        write("boxes", &boxes)?;
        write("masks", &masks)?;
        write("heat", &heat)?;
        let cells = [(picture, "image"), (boxes, "boxes"), (masks, "masks"), (heat, "heat map, with its scale below")];
        write("grid", &grid(&cells.map(|(picture, caption)| (picture, caption.to_owned())), 2))?;
    }
    Ok(())
}

fn boxes(picture: &Picture) -> Picture {
    let mut picture = picture.clone();
    let (width, height) = (picture.width() as f64, picture.height() as f64);
    let places = [
        [0.05, 0.1, 0.4, 0.6],
        [0.3, 0.3, 0.7, 0.9],
        [0.6, 0.0, 0.99, 0.5],
        [0.62, 0.02, 0.9, 0.4],
        [0.92, 0.7, 1.0, 0.98],
        [0.0, 0.7, 0.25, 1.0],
    ];
    let labels: Vec<BoxLabel> = (0..)
        .zip(places)
        .map(|(number, [left, top, right, bottom])| BoxLabel {
            bounds: Xyxy::new(left * width, top * height, right * width, bottom * height),
            color: color_of(number),
            text: format!("{} 0.{}", NAMES[number % NAMES.len()], 97 - 7 * number),
            is_dashed: number == 5,
        })
        .collect();
    picture.draw_boxes(&labels);
    picture
}

fn masks(picture: &Picture) -> Picture {
    let mut picture = picture.clone();
    let (width, height) = (picture.width(), picture.height());
    let region = |place: usize| {
        let (x, y) = ((place % width) as f64 / width as f64, (place / width) as f64 / height as f64);
        let ring = ((x - 0.5).hypot(y - 0.5) * 5.0) as u32;
        Some(ring).filter(|ring| *ring < 3 && y < 0.9)
    };
    let regions: Vec<Option<u32>> = (0..width * height).map(region).collect();
    picture.tint(width, height, &regions, |number| Some(color_of(number as usize)));
    let entries: Vec<(Color, String)> =
        NAMES.iter().enumerate().map(|(number, name)| (color_of(number), (*name).to_owned())).collect();
    picture.with_legend(&entries)
}

fn heat(picture: &Picture) -> Picture {
    let values = (0..49).map(|place| (-0.3 * f32::hypot(place as f32 % 7.0 - 4.0, (place / 7) as f32 - 2.0)).exp());
    let map = HeatMap::new(7, 7, values.collect());
    picture.heat(&map, map.range()).with_scale(map.range())
}
