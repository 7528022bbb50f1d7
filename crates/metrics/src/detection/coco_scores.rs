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
    /// The recall that is reached with one detection for each picture and class (the first of `max_detections`).
    pub average_recall_1: f64,
    /// With ten (the second of `max_detections`).
    pub average_recall_10: f64,
    /// With a hundred (the last of `max_detections`).
    pub average_recall_100: f64,
    /// Of objects up to `32^2` square pixels.
    pub average_recall_small: f64,
    /// Of objects between `32^2` and `96^2` square pixels.
    pub average_recall_medium: f64,
    /// Of objects from `96^2` square pixels.
    pub average_recall_large: f64,
    /// The most detections for each picture and class.
    pub max_detections: [usize; 3],
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
    pub fn named(&self) -> [(String, f64); 12] {
        let [first, second, last] = self.max_detections;
        [
            ("AP".to_owned(), self.average_precision),
            ("AP50".to_owned(), self.average_precision_50),
            ("AP75".to_owned(), self.average_precision_75),
            ("AP-small".to_owned(), self.average_precision_small),
            ("AP-medium".to_owned(), self.average_precision_medium),
            ("AP-large".to_owned(), self.average_precision_large),
            (format!("AR-{first}"), self.average_recall_1),
            (format!("AR-{second}"), self.average_recall_10),
            (format!("AR-{last}"), self.average_recall_100),
            ("AR-small".to_owned(), self.average_recall_small),
            ("AR-medium".to_owned(), self.average_recall_medium),
            ("AR-large".to_owned(), self.average_recall_large),
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
