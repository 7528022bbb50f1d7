//! Random changes to images and to what is to be learnt of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::random::{Purpose, RandomStream};
use crate::target::{LabelMap, TargetKind};
use crate::transforms::warp::{Area, Outside, warp};
use crate::transforms::{Affine, Elastic, Erase, MixUp, Operation, Projection, Scratch, setting};
use crate::{DataError, ImageBuffer, Result};

/// Random changes to training images, one after the other. It is written as text, in configs as on the command line:
/// operations separated by commas, or the name of a preset (`none`, `light`, `strong`).
///
/// A number stands for the range from its negative to itself (`rotate=10` is `rotate=-10..10`), but not for `scale` and
/// other ranges that are not around zero. What is left out changes nothing in `affine`, and has the values of
/// [`Operation`] elsewhere.
///
/// All that moves pixels (`affine`, `flip`, `crop`, ...) becomes one projective map, from the image's own pixels to the
/// frame that the net sees, and the image is resampled once. Boxes and masks go through the same map. Then come, in
/// their order, the changes of the pixels' numbers (`jitter`, `blur`, `erase`, ...). `mosaic` may stand before what moves
/// pixels; `mixup` and `cutmix` stand after it.
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

/// What random numbers depend on, beside the operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) seed: u64,
    pub(crate) epoch: usize,
    /// The sample that is being made.
    pub(crate) index: usize,
}

impl Moment {
    /// The random numbers of an operation for the sample itself (part 0) or for one that is mixed with it.
    pub(super) fn random(&self, rank: usize, part: u8) -> RandomStream {
        RandomStream::new(self.seed, self.epoch, self.index, Purpose::Augmentation(rank as u8, part))
    }

    /// The random numbers of the place of a window on an image, of the same parts.
    pub(super) fn random_window(&self, part: u8) -> RandomStream {
        RandomStream::new(self.seed, self.epoch, self.index, Purpose::Window(part))
    }
}

impl Augment {
    /// These operations, in this order.
    ///
    /// # Errors
    /// [`DataError::Setting`] if a number is out of its range, there are more than 255 operations, or one that moves
    /// pixels stands behind one that blends images.
    pub fn new(operations: Vec<Operation>) -> Result<Self> {
        if operations.len() > u8::MAX as usize {
            return Err(DataError::setting("augment", "there may be 255 operations at most"));
        }
        operations.iter().try_for_each(setting::validate)?;
        let blends = |operation: &Operation| matches!(operation, Operation::MixUp(_) | Operation::CutMix(_));
        if let Some(first) = operations.iter().position(blends)
            && let Some(later) = operations[first..].iter().find(|operation| operation.moves_pixels())
        {
            let name = operations[first].change().name();
            return Err(DataError::setting(later.to_string(), format!("must stand before {name}")));
        }
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

    /// Whether images of several samples are mixed.
    pub(crate) fn mixes(&self) -> bool {
        self.operations.iter().any(Operation::mixes)
    }

    /// Whether these operations leave targets of a kind sound.
    ///
    /// # Errors
    /// [`DataError::Setting`], naming the operation.
    pub(crate) fn check(&self, kind: TargetKind, labels_pixels: bool) -> Result<()> {
        let reason = |operation: &Operation| match (operation, kind) {
            (Operation::Elastic(_), TargetKind::Objects) => {
                Some("bends what is in a box, and not the box: take it out for objects")
            }
            (Operation::MixUp(MixUp { .. }), _) if labels_pixels => {
                Some("blends images, and a pixel has one label: take cutmix where pixels are labelled")
            }
            _ => None,
        };
        let broken = self.operations.iter().find_map(|operation| Some((operation, reason(operation)?)));
        broken.map_or(Ok(()), |(operation, reason)| Err(DataError::setting(operation.to_string(), reason)))
    }

    /// Changes an image that has the size of the frame already, as this epoch has it. Other images are not brought in.
    pub fn apply(&self, image: &mut ImageBuffer, scratch: &mut Scratch, seed: u64, epoch: usize, index: usize) {
        let moment = Moment { seed, epoch, index };
        let frame = image.geometry();
        let size = [frame.width as f64, frame.height as f64];
        let moves = (0..self.operations.len()).filter_map(|rank| self.project(rank, size, moment, 0));
        if let Some(projection) = moves.reduce(|first: Projection, next| first.then(&next)) {
            let mut target = std::mem::take(&mut scratch.image);
            target.reshape(frame);
            warp(image, &mut target, &projection, Area::whole(frame), Outside::Edge, scratch);
            scratch.image = std::mem::replace(image, target);
        }
        self.paint(image, &mut LabelMap::default(), scratch, moment);
    }

    /// Where an operation moves the pixels of a frame.
    pub(super) fn project(&self, rank: usize, frame: [f64; 2], moment: Moment, part: u8) -> Option<Projection> {
        self.operations[rank].change().project(frame, &mut moment.random(rank, part))
    }

    /// What is done to the numbers of the pixels.
    pub(crate) fn paint(&self, image: &mut ImageBuffer, labels: &mut LabelMap, scratch: &mut Scratch, moment: Moment) {
        for (rank, operation) in self.operations.iter().enumerate() {
            operation.change().paint(image, labels, scratch, &mut moment.random(rank, 0));
        }
    }
}

impl FromStr for Augment {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Augment> {
        let mut operations = Vec::new();
        for part in split_outside_parentheses(text) {
            let (name, arguments) = match part.split_once('(') {
                None => (part, ""),
                Some((name, rest)) => match rest.strip_suffix(')') {
                    Some(arguments) => (name.trim(), arguments.trim()),
                    None => return Err(DataError::setting(part, "the parenthesis is not closed")),
                },
            };
            let preset = match name {
                "none" => Some(Augment::none()),
                "light" => Some(Augment::light()),
                "strong" => Some(Augment::strong()),
                _ => None,
            };
            match preset {
                Some(preset) if arguments.is_empty() => operations.extend(preset.operations),
                Some(_) => return Err(DataError::setting(part, "a preset takes no settings")),
                None => operations.push(operation(name, arguments)?),
            }
        }
        Augment::new(operations)
    }
}

fn operation(name: &str, arguments: &str) -> Result<Operation> {
    let all = Operation::all();
    let Some(mut operation) = all.iter().find(|operation| operation.change().name() == name).cloned() else {
        let known: Vec<&str> =
            ["none", "light", "strong"].into_iter().chain(all.iter().map(|o| o.change().name())).collect();
        return Err(setting::unknown(&format!("augmentation \"{name}\""), name, &known));
    };
    setting::parse(&mut operation, arguments)?;
    Ok(operation)
}

/// The parts between commas that are in no parentheses.
fn split_outside_parentheses(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_i32;
    let parts = text.split(move |letter| {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        letter == ',' && depth == 0
    });
    parts.map(str::trim).filter(|part| !part.is_empty())
}

/// As it is read; `none` if there are no operations.
impl fmt::Display for Augment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.operations.is_empty() {
            return formatter.write_str("none");
        }
        let operations: Vec<String> = self.operations.iter().map(Operation::to_string).collect();
        formatter.write_str(&operations.join(","))
    }
}

impl TryFrom<String> for Augment {
    type Error = DataError;

    fn try_from(text: String) -> Result<Augment> {
        text.parse()
    }
}

impl From<Augment> for String {
    fn from(augment: Augment) -> String {
        augment.to_string()
    }
}
