//! Curves as SVG: over epochs, over confidence, over whatever it is.

use super::html::{escaped, significant};

/// A chart of curves that share their axes.
pub(super) struct Chart<'a> {
    /// What is shown.
    pub(super) title: &'a str,
    /// What runs to the right.
    pub(super) across: Across<'a>,
    /// What runs up, if the title does not say it.
    pub(super) up: &'a str,
    /// What the values are.
    pub(super) kind: Kind,
    /// The curves.
    pub(super) series: Vec<Series<'a>>,
    /// The epoch, or other place, to mark as the best.
    pub(super) best: Option<f64>,
    /// Whether it takes the place of two beside one another.
    pub(super) is_wide: bool,
}

/// What values are, and how they are shown.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Kind {
    /// From 0 to 1, shown as percent.
    Share,
    /// Any number; on a logarithmic axis, if it may be and the values ask for it.
    Number {
        /// Whether it may be.
        may_be_logarithmic: bool,
    },
}

/// What runs to the right.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Across<'a> {
    /// Epochs: whole numbers.
    Epochs,
    /// A number of this name.
    Number(&'a str),
}

impl Across<'_> {
    fn name(&self) -> &str {
        match self {
            Across::Epochs => "epoch",
            Across::Number(name) => name,
        }
    }
}

/// One curve.
pub(super) struct Series<'a> {
    /// Its name in the legend.
    pub(super) name: &'a str,
    /// Places across and values, in the order in which they are joined.
    pub(super) points: &'a [(f64, f64)],
}

/// Width and height of a chart, and of a wide one.
const SIZE: (f64, f64) = (520.0, 300.0);
const WIDE: (f64, f64) = (1072.0, 220.0);

const LEFT: f64 = 58.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 22.0;
const BOTTOM: f64 = 42.0;

/// From this ratio of the largest value to the smallest on, the axis is logarithmic.
const LOGARITHMIC_FROM: f64 = 25.0;

/// With more places across, points are not marked one by one.
const MAX_MARKS: usize = 40;

/// With more places across, not each of them answers to the pointer.
const MAX_HOVERS: usize = 400;

/// The colours there are; further curves are dashed.
const NUM_COLORS: usize = 5;

/// Where values are drawn.
struct Axes {
    width: f64,
    height: f64,
    across: (f64, f64),
    values: (f64, f64),
    is_logarithmic: bool,
}

impl Axes {
    fn x(&self, place: f64) -> f64 {
        let (first, last) = self.across;
        let place = if last > first { (place - first) / (last - first) } else { 0.5 };
        LEFT + place * (self.width - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        let scaled = |value: f64| if self.is_logarithmic { value.ln() } else { value };
        let (low, high) = (scaled(self.values.0), scaled(self.values.1));
        let place = (scaled(value) - low) / (high - low);
        self.height - BOTTOM - place * (self.height - TOP - BOTTOM)
    }
}

impl Chart<'_> {
    /// A figure with legend, axes, curves, and a hint for every place across.
    pub(super) fn render(&self) -> String {
        let points = || self.series.iter().flat_map(|series| series.points).filter(is_shown);
        let mut places: Vec<f64> = points().map(|point| point.0).collect();
        places.sort_by(f64::total_cmp);
        places.dedup();
        let (Some(&first), Some(&last)) = (places.first(), places.last()) else {
            return String::new();
        };
        let low = points().map(|point| point.1).fold(f64::INFINITY, f64::min);
        let high = points().map(|point| point.1).fold(f64::NEG_INFINITY, f64::max);
        let may_be = self.kind == Kind::Number { may_be_logarithmic: true };
        let is_logarithmic = may_be && low > 0.0 && high / low > LOGARITHMIC_FROM;
        let (values, ticks) =
            if is_logarithmic { logarithmic_ticks(low, high) } else { linear_ticks(low, high, self.kind) };
        let (width, height) = if self.is_wide { WIDE } else { SIZE };
        let (across, marks) = match self.across {
            Across::Epochs => ((first, last), epoch_ticks((first as u64, last as u64))),
            Across::Number(_) => linear_ticks(first, last, Kind::Number { may_be_logarithmic: false }),
        };
        let axes = Axes { width, height, across, values, is_logarithmic };
        let is_marked = places.len() <= MAX_MARKS;
        let scale = if is_logarithmic { " <small>logarithmic scale</small>" } else { "" };
        format!(
            "<figure class=\"chart{wide}\"><figcaption><h3>{title}{scale}</h3>{legend}</figcaption>\
             <svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{title} by {name}. {ends}\">\
             {grid}{best}{curves}{hovers}</svg></figure>\n",
            wide = if self.is_wide { " wide" } else { "" },
            title = escaped(self.title),
            name = escaped(self.across.name()),
            legend = self.legend(is_marked),
            ends = self.ends(),
            grid = self.grid(&axes, &ticks, &marks),
            best = self.best_mark(&axes),
            curves = self.curves(&axes, is_marked),
            hovers = self.hovers(&axes, &places),
        )
    }

    fn legend(&self, is_marked: bool) -> String {
        let mark = |(place, series): (usize, &Series)| {
            let line = || "<path class=\"curve\" d=\"M0 6h12\"/>".to_owned();
            let shape = if is_marked { mark(place, 6.0, 6.0) } else { line() };
            let (class, name) = (class(place), escaped(series.name));
            format!(
                "<span class=\"{class}\"><svg viewBox=\"0 0 12 12\" aria-hidden=\"true\">{shape}</svg>{name}</span>"
            )
        };
        format!("<div class=\"legend\">{}</div>", self.series.iter().enumerate().map(mark).collect::<String>())
    }

    /// The last values in words.
    fn ends(&self) -> String {
        let end = |series: &Series| {
            let (place, value) = series.points.iter().rev().find(is_shown)?;
            let (series, value, place) = (escaped(series.name), self.shown(*value), significant(*place, 4));
            Some(match self.across {
                Across::Epochs => format!("{series} {value} after epoch {place}. "),
                Across::Number(name) => format!("{series} {value} at {} {place}. ", escaped(name)),
            })
        };
        self.series.iter().filter_map(end).collect()
    }

    fn shown(&self, value: f64) -> String {
        match self.kind {
            Kind::Share if value.is_finite() => format!("{:.2}%", 100.0 * value),
            _ => significant(value, 4),
        }
    }

    fn grid(&self, axes: &Axes, ticks: &[f64], marks: &[f64]) -> String {
        let right = axes.width - RIGHT;
        let step = ticks.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
        let label = |value: f64| match self.kind {
            Kind::Share => {
                let decimals = if step < 0.000_95 { 2 } else { usize::from(step < 0.009_5) };
                format!("{:.decimals$}%", 100.0 * value)
            }
            Kind::Number { .. } => significant(value, 3),
        };
        let line = |&value: &f64| {
            let (y, label) = (axes.y(value), label(value));
            format!(
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
                LEFT - 8.0,
                y + 4.0
            )
        };
        let bottom = axes.height - BOTTOM;
        let mark = |&place: &f64| {
            let x = axes.x(place);
            let place = significant(place, 7);
            format!(
                "<line class=\"axis\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{bottom}\" y2=\"{}\"/>\
                 <text class=\"tick\" x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{place}</text>",
                bottom + 4.0,
                bottom + 18.0
            )
        };
        let lines: String = ticks.iter().map(line).collect();
        let marks: String = marks.iter().map(mark).collect();
        format!(
            "{lines}<text class=\"name\" x=\"2\" y=\"{}\">{}</text><line class=\"axis\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{bottom}\" y2=\"{bottom}\"/>{marks}\
             <text class=\"name\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            TOP - 11.0,
            escaped(self.up),
            (LEFT + right) / 2.0,
            axes.height - 6.0,
            escaped(self.across.name())
        )
    }

    fn best_mark(&self, axes: &Axes) -> String {
        let Some(best) = self.best.filter(|best| (axes.across.0..=axes.across.1).contains(best)) else {
            return String::new();
        };
        let x = axes.x(best);
        // Near the right edge the words stand on the left of the line.
        let (anchor, shift) = if x > axes.width - 130.0 { ("end", -5.0) } else { ("start", 5.0) };
        format!(
            "<line class=\"best\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/>\
             <text class=\"best\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">best: {} {}</text>",
            TOP - 12.0,
            axes.height - BOTTOM,
            x + shift,
            TOP - 5.0,
            escaped(self.across.name()),
            significant(best, 4),
        )
    }

    fn curves(&self, axes: &Axes, is_marked: bool) -> String {
        let curve = |(place, series): (usize, &Series)| {
            let mut path = String::new();
            let mut marks = String::new();
            let mut is_broken = true;
            for point in series.points {
                // A value that is not finite leaves a gap.
                if !is_shown(&point) {
                    is_broken = true;
                    continue;
                }
                let (x, y) = (axes.x(point.0), axes.y(point.1));
                path.push_str(&format!("{}{x:.1} {y:.1}", if is_broken { "M" } else { "L" }));
                is_broken = false;
                if is_marked {
                    marks.push_str(&mark(place, x, y));
                }
            }
            format!("<g class=\"{}\"><path class=\"curve\" d=\"{path}\"/>{marks}</g>", class(place))
        };
        self.series.iter().enumerate().map(curve).collect()
    }

    /// For each place across a strip that shows a line, and all values as a hint.
    fn hovers(&self, axes: &Axes, places: &[f64]) -> String {
        if places.len() > MAX_HOVERS {
            return String::new();
        }
        let (begin, end) = (LEFT, axes.width - RIGHT);
        let xs: Vec<f64> = places.iter().map(|&place| axes.x(place)).collect();
        // A strip ends half-way to the next.
        let middles = xs.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0);
        let edges: Vec<f64> = [begin].into_iter().chain(middles).chain([end]).collect();
        let strip = |number: usize| {
            let (place, x, left, right) = (places[number], xs[number], edges[number], edges[number + 1]);
            let value = |series: &Series| {
                let (_, value) = series.points.iter().find(|(own, _)| *own == place)?;
                Some(format!("\n{}: {}", escaped(series.name), self.shown(*value)))
            };
            let values: String = self.series.iter().filter_map(value).collect();
            format!(
                "<g class=\"strip\"><title>{} {}{values}</title>\
                 <rect x=\"{left:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\"/>\
                 <line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{:.1}\"/></g>",
                escaped(self.across.name()),
                significant(place, 4),
                right - left,
                axes.height - TOP - BOTTOM,
                axes.height - BOTTOM,
            )
        };
        (0..places.len()).map(strip).collect()
    }
}

/// Whether a point has a place and a value.
fn is_shown((place, value): &&(f64, f64)) -> bool {
    place.is_finite() && value.is_finite()
}

/// The colour of a curve, and its dashes where colours have run out.
fn class(series: usize) -> String {
    let color = series % NUM_COLORS;
    match series / NUM_COLORS % 3 {
        0 => format!("s{color}"),
        dashes => format!("s{color} d{dashes}"),
    }
}

/// The mark of a curve's points: shapes differ, so that colour is not needed to tell curves apart.
fn mark(series: usize, x: f64, y: f64) -> String {
    match series % 3 {
        0 => format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>"),
        1 => format!("<path class=\"mark\" d=\"M{x:.1} {:.1}l4 4-4 4-4-4z\"/>", y - 4.0),
        _ => format!("<path class=\"mark\" d=\"M{:.1} {:.1}h6v6h-6z\"/>", x - 3.0, y - 3.0),
    }
}

/// The range of the axis and its ticks, at round numbers that enclose the values.
fn linear_ticks(low: f64, high: f64, kind: Kind) -> ((f64, f64), Vec<f64>) {
    // Values that are all equal stand in the middle.
    let half = if high > low || low == 0.0 { 0.0 } else { 0.05 * low.abs() };
    let spread = if high == 0.0 && low == 0.0 { 1.0 } else { high - low + 2.0 * half };
    let rough = spread / 4.0;
    let unit = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|factor| factor * unit >= rough).unwrap_or(10.0) * unit;
    let mut first = ((low - half) / step).floor();
    let mut last = ((high + half) / step).ceil().max(first + 2.0);
    // A share is never beyond 0 and 1, a number that is never negative has no axis below 0.
    if low >= 0.0 {
        first = first.max(0.0);
    }
    if kind == Kind::Share && high <= 1.0 {
        last = last.min((1.0 / step).ceil());
    }
    let ticks: Vec<f64> = (0..=(last - first).round() as u64).map(|tick| (first + tick as f64) * step).collect();
    let range = (ticks[0], ticks[ticks.len() - 1]);
    (range, ticks)
}

/// The same for a logarithmic axis: 1, 2 and 5 times powers of ten, or powers alone if these are many.
fn logarithmic_ticks(low: f64, high: f64) -> ((f64, f64), Vec<f64>) {
    let decades = (low.log10().floor() as i32)..=(high.log10().floor() as i32);
    let factors: &[f64] = if high / low > 1e4 { &[1.0] } else { &[1.0, 2.0, 5.0] };
    let all = decades.flat_map(|decade| factors.iter().map(move |factor| factor * 10f64.powi(decade)));
    let ticks = all.filter(|tick| (low * 0.7..=high * 1.4).contains(tick)).collect();
    ((low * 0.8, high * 1.2), ticks)
}

/// Whole epochs, at most nine, the last only if it is a round number too.
fn epoch_ticks((first, last): (u64, u64)) -> Vec<f64> {
    let span = last - first;
    let steps = (0..).flat_map(|power| [1, 2, 5].map(|factor| factor * 10u64.pow(power)));
    let step = steps.into_iter().find(|step| span / step < 9).unwrap_or(1);
    (first..=last).filter(|epoch| epoch % step == 0 || (step == 1)).map(|epoch| epoch as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBER: Kind = Kind::Number { may_be_logarithmic: false };

    #[test]
    fn ticks_are_round_and_enclose_the_values() {
        for (low, high) in
            [(0.0, 1.0), (0.013, 2.31), (0.971, 0.9934), (-3.0, 7.0), (1e-9, 3e-9), (4.0, 4.0), (0.0, 0.0)]
        {
            let ((first, last), ticks) = linear_ticks(low, high, NUMBER);
            assert!(first <= low && high <= last && last > first, "{low} to {high}: {first} to {last}");
            assert!((3..=8).contains(&ticks.len()), "{low} to {high}: {ticks:?}");
        }
        assert_eq!(linear_ticks(0.972, 1.0, Kind::Share).0.1, 1.0);
        let (_, ticks) = linear_ticks(0.0, 1.0, Kind::Share);
        assert_eq!(ticks, [0.0, 0.25, 0.5, 0.75, 1.0]);
        let (range, ticks) = logarithmic_ticks(0.01, 2.3);
        assert!(range.0 < 0.01 && range.1 > 2.3);
        assert_eq!(
            ticks.iter().map(|tick| significant(*tick, 3)).collect::<Vec<_>>().join(" "),
            "0.01 0.02 0.05 0.1 0.2 0.5 1 2"
        );
    }

    #[test]
    fn epochs_are_whole() {
        assert_eq!(epoch_ticks((1, 1)), [1.0]);
        assert_eq!(epoch_ticks((1, 5)), [1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(epoch_ticks((1, 15)), [2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0]);
        assert!(epoch_ticks((1, 100_000)).len() <= 10);
    }

    fn chart<'a>(points: &'a [(f64, f64)], across: Across<'a>, best: Option<f64>) -> Chart<'a> {
        let series = vec![Series { name: "train", points }];
        Chart { title: "Loss", across, up: "", kind: NUMBER, series, best, is_wide: false }
    }

    #[test]
    fn values_that_are_not_finite_leave_a_gap_and_one_epoch_is_a_chart() {
        let points = [(1.0, 0.5), (2.0, f64::NAN), (3.0, 0.25)];
        let page = chart(&points, Across::Epochs, Some(3.0)).render();
        assert_eq!(page.matches('M').count() - page.matches("M3").count(), 2, "{page}");
        assert!(!page.contains("NaN") && page.contains("best: epoch 3"));

        let page = Chart { kind: Kind::Share, is_wide: true, ..chart(&points[..1], Across::Epochs, None) }.render();
        assert!(page.contains("<circle") && !page.contains("NaN") && !page.contains("inf"));
        let none = Chart { series: vec![], ..chart(&[], Across::Epochs, None) };
        assert_eq!(none.render(), "");
    }

    #[test]
    fn curves_over_other_numbers_have_their_own_ticks_and_hints() {
        let points: Vec<(f64, f64)> = (0..=30).map(|place| place as f64 / 30.0).map(|x| (x, 1.0 - x * x)).collect();
        let page = chart(&points, Across::Number("recall"), Some(0.5)).render();
        for part in [">0.25</text>", ">recall</text>", "best: recall 0.5", "<title>recall 0.1\ntrain: 0.99</title>"] {
            assert!(page.contains(part), "{part}\n{page}");
        }
        assert_eq!(page.matches("class=\"strip\"").count(), 31);
        assert_eq!([class(0), class(6), class(11), class(15)], ["s0", "s1 d1", "s1 d2", "s0"]);
    }
}
