//! The data that are part of the binary.

use std::path::Path;

use crate::readers::idx::{self, Pair};
use crate::readers::{compressed, idx_file::IdxFile};
use crate::{DataError, Dataset, Result, Split};

const FILES: [(&str, &[u8]); 4] = [
    ("train-images-idx3-ubyte.gz", include_bytes!("../../../data/mnist/train-images-idx3-ubyte.gz")),
    ("train-labels-idx1-ubyte.gz", include_bytes!("../../../data/mnist/train-labels-idx1-ubyte.gz")),
    ("t10k-images-idx3-ubyte.gz", include_bytes!("../../../data/mnist/t10k-images-idx3-ubyte.gz")),
    ("t10k-labels-idx1-ubyte.gz", include_bytes!("../../../data/mnist/t10k-labels-idx1-ubyte.gz")),
];

/// The handwritten digits of MNIST: 60,000 training and 10,000 test images, 28x28 grey, 10 classes.
///
/// # Errors
/// None in a sound binary: the files are read by the same reader as a user's.
///
/// # Source
/// LeCun, Cortes and Burges, The MNIST database of handwritten digits (1998). Licence and checksums stand in
/// `data/mnist/README.md`.
///
/// ```
/// let digits = gyrus_data::shipped::digits()?;
/// assert_eq!(
///     digits.to_string(),
///     "60000 training, 10000 test images, 28x28 grey, 10 classes: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"
/// );
/// # Ok::<(), gyrus_data::DataError>(())
/// ```
pub fn digits() -> Result<Dataset> {
    let folder = Path::new("the digits shipped with gyrus");
    let read = |(name, bytes): (&str, &'static [u8])| {
        let path = folder.join(name);
        let source = compressed::unpacked(bytes).map_err(DataError::read(&path))?;
        Ok((path.clone(), IdxFile::read(source, &path)?))
    };
    let mut pairs = [Split::Train, Split::Test].into_iter().zip(FILES.chunks(2)).map(|(split, files)| {
        let ((images, image_file), (labels, label_file)) = (read(files[0])?, read(files[1])?);
        Ok((Pair { split, images, labels }, image_file, label_file))
    });
    idx::dataset(&mut pairs)
}
