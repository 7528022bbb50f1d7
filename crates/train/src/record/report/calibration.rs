//! The reliability diagram.

use super::{Evaluation, ReliabilityBin, Report, count, percent};

const SIZE: f64 = 300.0;
const LEFT: f64 = 52.0;
const TOP: f64 = 12.0;
const BELOW: f64 = 44.0;

const LEGEND: &str = "<figcaption class=\"legend\">\
     <span><svg viewBox=\"0 0 12 12\" aria-hidden=\"true\"><rect class=\"met\" width=\"12\" height=\"12\"/></svg>right as claimed</span>\
     <span><svg viewBox=\"0 0 12 12\" aria-hidden=\"true\"><rect class=\"missed\" width=\"12\" height=\"12\"/></svg>claimed, but wrong</span>\
     <span><svg viewBox=\"0 0 12 12\" aria-hidden=\"true\"><rect class=\"beyond\" width=\"12\" height=\"12\"/></svg>right beyond the claim</span>\
     </figcaption>";

/// Half of the gap between bars.
const GAP: f64 = 1.0;

pub(super) fn section(_: &Report, evaluation: &Evaluation) -> String {
    let samples = evaluation.num_samples();
    if samples == 0 || evaluation.reliability.is_empty() {
        return String::new();
    }
    format!(
        "<div class=\"beside\"><figure class=\"chart reliability\">{}{LEGEND}</figure><div><p>{}</p>\
         <p class=\"note\">Images are sorted by confidence, the highest probability that the model gives, into {} \
         intervals. A bar that ends on the diagonal is right as often as the model claims; pale bars stand for few images. Expected calibration error: the mean distance from the diagonal, {}.</p></div></div>",
        diagram(&evaluation.reliability),
        words(evaluation),
        evaluation.reliability.len(),
        percent(evaluation.calibration_error, samples),
    )
}

/// Whether confidence can be trusted, in words.
pub(super) fn words(evaluation: &Evaluation) -> String {
    let samples = evaluation.num_samples();
    let (confidence, accuracy) = (evaluation.mean_confidence(), evaluation.accuracy());
    let numbers =
        format!("it is {} sure on average and right for {}", percent(confidence, samples), percent(accuracy, samples));
    let (low, high) = evaluation.accuracy_interval();
    match confidence {
        _ if evaluation.calibration_error < 0.02 => format!("Its confidence can be trusted: {numbers}."),
        confidence if confidence > high => format!("It is too sure of itself: {numbers}."),
        confidence if confidence < low => format!("It is better than it thinks: {numbers}."),
        _ => format!(
            "Its confidence is right on average, but off by {} for images of similar confidence: {numbers}.",
            percent(evaluation.calibration_error, samples)
        ),
    }
}

fn diagram(bins: &[ReliabilityBin]) -> String {
    let (bottom, right) = (TOP + SIZE, LEFT + SIZE);
    let y = |share: f64| bottom - share * SIZE;
    let ticks: String = [0.0, 0.25, 0.5, 0.75, 1.0]
        .iter()
        .map(|share| {
            let (across, up) = (LEFT + share * SIZE, y(*share));
            format!(
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{up:.1}\" y2=\"{up:.1}\"/>\
                 <text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{:.0}%</text>\
                 <text class=\"tick\" x=\"{across:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{:.0}%</text>",
                LEFT - 8.0,
                up + 4.0,
                100.0 * share,
                bottom + 18.0,
                100.0 * share,
            )
        })
        .collect();
    let width = SIZE / bins.len() as f64;
    let total = bins.iter().map(|bin| bin.count).sum::<u64>().max(1);
    let bars: String = bins
        .iter()
        .enumerate()
        .filter(|(_, bin)| bin.count > 0)
        .map(|(place, bin)| {
            // What is claimed and met, then what is claimed and not met, or met beyond the claim.
            let met = y(bin.accuracy.min(bin.confidence));
            let end = y(bin.accuracy.max(bin.confidence));
            let gap = if bin.accuracy < bin.confidence { "missed" } else { "beyond" };
            // Intervals of few images say little: they are paler.
            let weight = 0.35 + 0.65 * (bin.count as f64 / total as f64 * 50.0).min(1.0);
            format!(
                "<g class=\"bin\" style=\"opacity:{weight:.2}\"><title>{} images\n{:.1}% sure on average\n{:.1}% right</title>\
                 <rect class=\"met\" x=\"{x:.1}\" y=\"{met:.1}\" width=\"{w:.1}\" height=\"{:.1}\"/>\
                 <rect class=\"{gap}\" x=\"{x:.1}\" y=\"{end:.1}\" width=\"{w:.1}\" height=\"{:.1}\"/></g>",
                count(bin.count),
                100.0 * bin.confidence,
                100.0 * bin.accuracy,
                bottom - met,
                met - end,
                x = LEFT + place as f64 * width + GAP,
                w = width - 2.0 * GAP,
            )
        })
        .collect();
    format!(
        "<svg viewBox=\"0 0 {:.0} {:.0}\" role=\"img\" aria-label=\"Reliability diagram: accuracy by confidence\">{ticks}{bars}\
         <line class=\"diagonal\" x1=\"{LEFT}\" y1=\"{bottom}\" x2=\"{right}\" y2=\"{TOP}\"/>\
         <line class=\"axis\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{bottom}\" y2=\"{bottom}\"/>\
         <text class=\"name\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">confidence</text>\
         <text class=\"name\" transform=\"translate(12 {:.1}) rotate(-90)\" text-anchor=\"middle\">accuracy</text></svg>",
        right + 22.0,
        bottom + BELOW,
        (LEFT + right) / 2.0,
        bottom + 37.0,
        (TOP + bottom) / 2.0,
    )
}
