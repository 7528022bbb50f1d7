//! One of the random changes, of whichever kind.

use std::fmt;

use crate::ImageBuffer;
use crate::random::RandomStream;
use crate::target::LabelMap;
use crate::transforms::mixing::Mix;
use crate::transforms::setting::Setting;
use crate::transforms::{
    Affine, Blur, Crop, CutMix, Elastic, Erase, Flip, Grey, Jitter, MixUp, Mosaic, Noise, Perspective, Projection,
    RandAugment, Scratch, Shift, VerticalFlip, setting,
};

/// What a random change does. Each method that an operation has draws from the same random numbers.
pub(crate) trait Change {
    /// By which it is written.
    fn name(&self) -> &'static str;

    /// Its numbers.
    fn settings(&mut self) -> Vec<Setting<'_>>;

    /// Where it moves the pixels of a frame of this width and height, if it moves them.
    fn project(&self, _frame: [f64; 2], _random: &mut RandomStream) -> Option<Projection> {
        None
    }

    /// Which other images it brings in.
    fn mix(&self, _frame: [f64; 2], _random: &mut RandomStream) -> Option<Mix> {
        None
    }

    /// What it does to the numbers of the pixels.
    fn paint(&self, _image: &mut ImageBuffer, _: &mut LabelMap, _: &mut Scratch, _random: &mut RandomStream) {}
}

macro_rules! operations {
    ($($(#[$documentation:meta])* $name:ident,)*) => {
        /// One of the random changes.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Operation {
            $($(#[$documentation])* $name($name),)*
        }

        impl Operation {
            /// Each of them, as it is when nothing is set.
            pub fn all() -> Vec<Operation> {
                vec![$(Operation::$name($name::default()),)*]
            }

            /// What it does.
            pub(crate) fn change(&self) -> &dyn Change {
                match self {
                    $(Operation::$name(change) => change,)*
                }
            }

            /// The same, to change its numbers.
            pub(crate) fn change_mut(&mut self) -> &mut dyn Change {
                match self {
                    $(Operation::$name(change) => change,)*
                }
            }
        }
    };
}

operations! {
    /// `affine(rotate=10,translate=0.1,scale=0.9..1.1,shear=5)`
    Affine,
    /// `flip(probability=0.5)`
    Flip,
    /// `vertical_flip(probability=0.5)`
    VerticalFlip,
    /// `shift(pixels=4)`
    Shift,
    /// `crop(area=0.08..1,aspect=0.75..1.3333334)`
    Crop,
    /// `perspective(probability=0.5,distortion=0.5)`
    Perspective,
    /// `jitter(probability=1,brightness=0.4,contrast=0.4,saturation=0.4,hue=0.1)`
    Jitter,
    /// `grey(probability=0.1)`
    Grey,
    /// `blur(probability=0.5,sigma=0.1..2)`
    Blur,
    /// `noise(probability=0.5,deviation=0..0.05)`
    Noise,
    /// `elastic(alpha=34,sigma=4)`
    Elastic,
    /// `erase(probability=0.5,area=0.02..0.2)`
    Erase,
    /// `rand_augment(number=2,magnitude=9)`
    RandAugment,
    /// `mosaic(probability=1,scale=0.5..1)`
    Mosaic,
    /// `mixup(probability=1,alpha=0.2)`
    MixUp,
    /// `cutmix(probability=1,alpha=1)`
    CutMix,
}

impl Operation {
    /// Whether it moves pixels, by itself or by making room for other images.
    pub(super) fn moves_pixels(&self) -> bool {
        use Operation::{Affine, Crop, Flip, Mosaic, Perspective, RandAugment, Shift, VerticalFlip};
        matches!(
            self,
            Affine(_) | Crop(_) | Flip(_) | Mosaic(_) | Perspective(_) | RandAugment(_) | Shift(_) | VerticalFlip(_)
        )
    }

    /// Whether it brings in other images.
    pub(super) fn mixes(&self) -> bool {
        matches!(self, Operation::Mosaic(_) | Operation::MixUp(_) | Operation::CutMix(_))
    }
}

/// As it is read.
impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&setting::text(self))
    }
}
