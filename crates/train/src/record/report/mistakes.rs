//! The mistakes that the model was surest of.

use super::counted;
use super::{Evaluation, Mistake, Report, escaped};

pub(super) fn section(report: &Report, evaluation: &Evaluation) -> String {
    if evaluation.mistakes.is_empty() {
        return String::new();
    }
    let cards: String = evaluation.mistakes.iter().map(|mistake| card(report, mistake)).collect();
    let shown = evaluation.mistakes.len() as u64;
    let which = match evaluation.num_mistakes() {
        all if all > shown => format!("The {shown} of {} that it was surest of", counted(all, "mistake")),
        _ => "All mistakes, the surest first".to_owned(),
    };
    format!(
        "<p>{which}: a look at them tells whether the model or the label is wrong.</p>\n<ul class=\"mistakes\">{cards}</ul>"
    )
}

fn card(report: &Report, mistake: &Mistake) -> String {
    let (target, predicted) =
        (escaped(&report.class_name(mistake.target)), escaped(&report.class_name(mistake.predicted)));
    // Only what is a picture inside the page: nothing else may be loaded.
    let picture = mistake.picture.as_deref().filter(|address| address.starts_with("data:image/"));
    let picture = picture.map_or_else(
        || "<div class=\"picture\"></div>".to_owned(),
        |address| {
            let alt = format!("an image of class {target}, taken for {predicted}");
            format!("<div class=\"picture\"><img src=\"{}\" alt=\"{alt}\" loading=\"lazy\"></div>", escaped(address))
        },
    );
    format!(
        "<li>{picture}<p><span class=\"is\">{target}</span> <span class=\"arrow\">taken for</span> \
         <span class=\"taken\">{predicted}</span></p>\
         <p class=\"sure\">{} sure; {} for {target}</p><p class=\"origin\" title=\"{origin}\">{place}</p></li>",
        probability(mistake.probability),
        probability(mistake.target_probability),
        origin = escaped(&mistake.origin),
        // A file's name says more than the beginning of its path.
        place = escaped(mistake.origin.rsplit(['/', '\\']).next().unwrap_or_default()),
    )
}

fn probability(value: f64) -> String {
    match 100.0 * value {
        percent if percent >= 99.95 => "&gt;99.9%".to_owned(),
        percent if percent < 0.05 => "&lt;0.1%".to_owned(),
        percent => format!("{percent:.1}%"),
    }
}
