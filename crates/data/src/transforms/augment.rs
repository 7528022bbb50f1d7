//! Random changes that leave an image's class as it is.

use serde::{Deserialize, Serialize};

use crate::random::{Purpose, RandomStream};
use crate::transforms::{Affine, Elastic, Erase, Flip, Scratch};
use crate::{DataError, ImageBuffer, Result};

/// One of the random changes.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// `affine(rotate=10,translate=0.1,scale=0.9..1.1,shear=5)`
    Affine(Affine),
    /// `flip(probability=0.5)`
    Flip(Flip),
    /// `elastic(alpha=34,sigma=4)`
    Elastic(Elastic),
    /// `erase(probability=0.5,area=0.02..0.2)`
    Erase(Erase),
}

/// Random changes to training images, one after the other. It is written as text, in configs as on the command line:
/// operations separated by commas, or the name of a preset (`none`, `light`, `strong`).
///
/// A number stands for the range from its negative to itself (`rotate=10` is `rotate=-10..10`), but not for `scale` and
/// `area`, which want a range. What is left out changes nothing in `affine`, and has the values above elsewhere.
///
/// What happens to an image depends on seed, epoch, the sample's number in its dataset and the operation's place in the
/// list: not on the batch, the worker or the thread.
///
/// ```
/// use gyrus_data::Augment;
/// let augment: Augment = "affine(rotate=10, scale=0.9..1.1), flip".parse()?;
/// assert_eq!(augment.to_string(), "affine(rotate=-10..10,scale=0.9..1.1),flip(probability=0.5)");
/// assert_eq!("light".parse::<Augment>()?, Augment::light());
/// # Ok::<(), gyrus_data::DataError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Augment {
    operations: Vec<Operation>,
}

impl Augment {
    /// These operations, in this order.
    ///
    /// # Errors
    /// [`DataError::Setting`] if a number is out of its range, or there are more than 255 operations.
    pub fn new(operations: Vec<Operation>) -> Result<Self> {
        if operations.len() > u8::MAX as usize {
            return Err(DataError::setting("augment", "there may be 255 operations at most"));
        }
        operations.iter().try_for_each(super::augment_text::validate)?;
        Ok(Self { operations })
    }

    /// Nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// Small turns, shifts and changes of scale: 10 degrees, a tenth of the size, a tenth of the scale.
    pub fn light() -> Self {
        let affine = Affine { rotate: [-10.0, 10.0], translate: [-0.1, 0.1], scale: [0.9, 1.1], ..Affine::default() };
        Self { operations: vec![Operation::Affine(affine)] }
    }

    /// Larger turns, shear, elastic distortion and erasing. It does not mirror: neither digits nor text bear it. Add
    /// `flip` where left and right do not matter.
    pub fn strong() -> Self {
        let affine = Affine { rotate: [-15.0, 15.0], translate: [-0.1, 0.1], scale: [0.8, 1.2], shear: [-10.0, 10.0] };
        let elastic = Elastic { alpha: 34.0, sigma: 4.0 };
        let erase = Erase { probability: 0.25, area: [0.02, 0.15] };
        Self { operations: vec![Operation::Affine(affine), Operation::Elastic(elastic), Operation::Erase(erase)] }
    }

    /// The operations, in their order.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Changes an image of the dataset as this epoch has it.
    pub fn apply(&self, image: &mut ImageBuffer, scratch: &mut Scratch, seed: u64, epoch: usize, index: usize) {
        for (rank, operation) in self.operations.iter().enumerate() {
            let mut random = RandomStream::new(seed, epoch, index, Purpose::Augmentation(rank as u8));
            match operation {
                Operation::Affine(affine) => affine.apply(image, scratch, &mut random),
                Operation::Flip(flip) => flip.apply(image, &mut random),
                Operation::Elastic(elastic) => elastic.apply(image, scratch, &mut random),
                Operation::Erase(erase) => erase.apply(image, &mut random),
            }
        }
    }
}
