//! Pictures of images and of what is known about them: boxes with labels, masks, heat maps, grids with captions.
//!
//! Whatever the picture's size, what is drawn on it can be read: the widths of lines and the sizes of letters follow
//! from its sides ([`Style`]), labels stay inside of it, and letters are black or white, whichever stands out from the
//! colour behind them. Coordinates are those of `gyrus_geometry`: pixels, from the upper left corner.
//!
//! ```
//! use gyrus_draw::{BoxLabel, Color, Picture, color_of};
//! use gyrus_geometry::Xyxy;
//!
//! let mut picture = Picture::new(320, 240, Color::WHITE);
//! let label = BoxLabel {
//!     bounds: Xyxy::new(20.0, 40.0, 200.0, 180.0),
//!     color: color_of(3),
//!     text: "cat 0.93".into(),
//!     is_dashed: false,
//! };
//! picture.draw_boxes(&[label]);
//! assert!(picture.png().starts_with(b"\x89PNG"));
//! ```

mod boxes;
mod color;
mod color_map;
mod fit;
mod grid;
mod heat_map;
mod legend;
mod picture;
mod png_file;
mod regions;
mod style;
mod text;

pub use boxes::BoxLabel;
pub use color::{Color, color_of};
pub use color_map::viridis;
pub use grid::grid;
pub use heat_map::HeatMap;
pub use picture::Picture;
pub use png_file::{grey_png, palette_png};
pub use style::Style;
pub use text::text_width;
