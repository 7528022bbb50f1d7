//! What the values of masks stand for.

use std::fs;
use std::path::Path;

use crate::readers::label_image;
use crate::readers::masks::pairs::Pairs;
use crate::readers::masks::probes;
use crate::target::{Page, PixelClasses};
use crate::{DataError, Result};

/// What the values of masks stand for.
pub(super) struct Classes {
    pub(super) names: Vec<String>,
    pub(super) values: PixelClasses,
}

impl Classes {
    /// By a file that says it, else by the values that occur.
    pub(super) fn of(path: &Path, pairs: &Pairs) -> Result<Self> {
        for (file, read) in [
            ("class_dict.csv", read_class_dict as fn(&str) -> Option<Vec<(String, [u8; 3])>>),
            ("labelmap.txt", read_label_map),
        ] {
            let file = path.join(file);
            let Ok(text) = fs::read_to_string(&file) else { continue };
            let classes = read(&text)
                .filter(|classes| !classes.is_empty())
                .ok_or_else(|| DataError::label(&file, None, "has a line that is not a name and a colour"))?;
            let (names, colours): (Vec<String>, Vec<[u8; 3]>) = classes.into_iter().unzip();
            let values = PixelClasses {
                values: PixelClasses::in_order(names.len()).values,
                ..PixelClasses::of_colours(colours)
            };
            return Ok(Self { names, values });
        }
        for file in ["classes.txt", "class_names.txt", "codes.txt"] {
            if let Ok(text) = fs::read_to_string(path.join(file)) {
                let names: Vec<String> =
                    text.lines().map(|line| line.trim().to_string()).filter(|line| !line.is_empty()).collect();
                return Ok(Self { values: PixelClasses::in_order(names.len()), names });
            }
        }
        let mut greatest = 0;
        for page in probes(pairs).cloned().map(Page::from) {
            match label_image::values(&page) {
                Ok(None) => {
                    return Err(DataError::label(
                        &page.path,
                        None,
                        "is in colour; say in class_dict.csv (name,r,g,b) what the colours stand for",
                    ));
                }
                // 255 is what is not to be learnt. A mask that cannot be read is the data gate's to report.
                Ok(Some(values)) => greatest = values.into_iter().filter(|&value| value < 255).fold(greatest, u32::max),
                Err(_) => {}
            }
        }
        let names: Vec<String> = (0..=greatest).map(|value| value.to_string()).collect();
        Ok(Self { values: PixelClasses::in_order(names.len()), names })
    }
}

/// `name,r,g,b` a line, below a header.
fn read_class_dict(text: &str) -> Option<Vec<(String, [u8; 3])>> {
    let lines = text.lines().skip(1).filter(|line| !line.trim().is_empty());
    lines
        .map(|line| line.split_once(',').and_then(|(name, rest)| Some((name.trim().to_string(), colour(rest)?))))
        .collect()
}

/// `name:r,g,b::` a line; comments begin with `#`.
fn read_label_map(text: &str) -> Option<Vec<(String, [u8; 3])>> {
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let mut parts = line.split(':');
            Some((parts.next()?.trim().to_string(), colour(parts.next()?)?))
        })
        .collect()
}

fn colour(text: &str) -> Option<[u8; 3]> {
    let numbers = text.split(',').map(|number| number.trim().parse().ok()).collect::<Option<Vec<u8>>>()?;
    numbers.try_into().ok()
}
