use std::fmt;

/// COCO's twelve numbers, each from 0 to 1, NaN where no truth counts (pycocotools' -1), and those of each class.
///
/// Average precision and recall are means over thresholds of intersection over union 0.50, 0.55, ..., 0.95, up to 100
/// detections for each picture and class and objects of all areas, where the name says nothing else.
#[derive(Clone, Debug, PartialEq)]
pub struct CocoScores {
    /// Mean average precision, COCO's first figure.
    pub average_precision: f64,
    /// At intersection over union of 0.50.
    pub average_precision_50: f64,
    /// At intersection over union of 0.75.
    pub average_precision_75: f64,
    /// Of objects up to `32^2` square pixels.
    pub average_precision_small: f64,
    /// Of objects between `32^2` and `96^2` square pixels.
    pub average_precision_medium: f64,
    /// Of objects from `96^2` square pixels.
    pub average_precision_large: f64,
    /// The recall that is reached with one detection for each picture and class.
    pub average_recall_1: f64,
    /// With ten.
    pub average_recall_10: f64,
    /// With a hundred.
    pub average_recall_100: f64,
    /// Of objects up to `32^2` square pixels.
    pub average_recall_small: f64,
    /// Of objects between `32^2` and `96^2` square pixels.
    pub average_recall_medium: f64,
    /// Of objects from `96^2` square pixels.
    pub average_recall_large: f64,
    /// The scores of each class.
    pub classes: Vec<CocoClassScores>,
    /// How they were computed.
    pub signature: String,
}

/// The scores of one class, each from 0 to 1; NaN where it has no truth that counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CocoClassScores {
    /// The mean over thresholds of intersection over union 0.50, 0.55, ..., 0.95.
    pub average_precision: f64,
    /// At intersection over union of 0.50.
    pub average_precision_50: f64,
    /// At intersection over union of 0.75.
    pub average_precision_75: f64,
    /// The mean over thresholds of the recall.
    pub average_recall: f64,
    /// The truths that count.
    pub num_truths: usize,
}

impl CocoScores {
    /// The twelve numbers with their usual short names, in pycocotools' order.
    pub fn named(&self) -> [(&'static str, f64); 12] {
        [
            ("AP", self.average_precision),
            ("AP50", self.average_precision_50),
            ("AP75", self.average_precision_75),
            ("AP-small", self.average_precision_small),
            ("AP-medium", self.average_precision_medium),
            ("AP-large", self.average_precision_large),
            ("AR-1", self.average_recall_1),
            ("AR-10", self.average_recall_10),
            ("AR-100", self.average_recall_100),
            ("AR-small", self.average_recall_small),
            ("AR-medium", self.average_recall_medium),
            ("AR-large", self.average_recall_large),
        ]
    }
}

/// A line for each of the twelve numbers below the signature.
impl fmt::Display for CocoScores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.signature)?;
        self.named().iter().try_for_each(|(name, value)| writeln!(f, "{name:<10}{value:.4}"))
    }
}

/// The mean of those values that are numbers; NaN of none.
pub(super) fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0);
    for value in values.into_iter().filter(|value| !value.is_nan()) {
        sum += value;
        count += 1;
    }
    sum / f64::from(count)
}
