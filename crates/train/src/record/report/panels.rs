//! What a task has to show beside what all tasks show: tables, curves, pictures.

use serde::Serialize;

use super::chart::{Across, Chart, Kind, Series};
use super::picture::address;
use super::{Section, escaped, significant};

/// Something that was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figure {
    /// What it is called: `mAP 50-95`.
    pub name: String,
    /// How much it is.
    pub value: f64,
    /// What it was measured on, and how.
    pub note: String,
}

/// A part of the report that a task makes.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Panel {
    /// What links to it say after the `#`: `precision-recall`.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// What there is to see, and how to read it; a paragraph.
    pub about: String,
    /// What there is to see.
    pub content: Vec<Content>,
}

/// What there is to see.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Content {
    /// Rows of cells under a header; the first cell of a row names it.
    Table {
        /// A word a column.
        header: Vec<String>,
        /// Rows of as many cells.
        rows: Vec<Vec<String>>,
    },
    /// Curves that share their axes. Two charts stand side by side.
    Lines {
        /// What is shown.
        title: String,
        /// What runs to the right.
        x_label: String,
        /// What runs up.
        y_label: String,
        /// The curves: a name, and x with y in the order in which they are joined.
        series: Vec<(String, Vec<(f64, f64)>)>,
    },
    /// Pictures: the bytes of PNG files, each with what is to be said of it.
    Gallery(Vec<(Vec<u8>, String)>),
}

impl Figure {
    /// The value in three digits.
    pub(in crate::record) fn shown(&self) -> String {
        significant(self.value, 3)
    }
}

/// A panel as a part of the page, which is left out if there is nothing to see.
pub(super) fn section(panel: &Panel) -> Section {
    let is_chart = |content: &Content| matches!(content, Content::Lines { .. });
    let mut body: String = panel
        .content
        .chunk_by(|a, b| is_chart(a) && is_chart(b))
        .map(|alike| match &alike[0] {
            Content::Table { header, rows } => table(&panel.title, header, rows),
            Content::Lines { .. } => charts(alike),
            Content::Gallery(pictures) => gallery(pictures),
        })
        .collect();
    if !body.is_empty() && !panel.about.is_empty() {
        body = format!("<p>{}</p>\n{body}", escaped(&panel.about));
    }
    // Its name in links is none of those that every report has.
    let letters = panel.id.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' });
    Section { id: format!("task-{}", letters.collect::<String>()), title: escaped(&panel.title), body }
}

fn table(title: &str, header: &[String], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let heads: String = header.iter().map(|name| format!("<th scope=\"col\">{}</th>", escaped(name))).collect();
    let row = |row: &Vec<String>| {
        let cells = row.iter().enumerate().map(|(place, cell)| match place {
            0 => format!("<th scope=\"row\">{}</th>", escaped(cell)),
            _ => format!("<td>{}</td>", escaped(cell)),
        });
        format!("<tr>{}</tr>", cells.collect::<String>())
    };
    format!(
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{}\"><table class=\"numbers\"><thead><tr>{heads}</tr>\
         </thead><tbody>{}</tbody></table></div>\n",
        escaped(title),
        rows.iter().map(row).collect::<String>(),
    )
}

fn charts(contents: &[Content]) -> String {
    let chart = |(place, content): (usize, &Content)| {
        let Content::Lines { title, x_label, y_label, series } = content else { return String::new() };
        let series = series.iter().map(|(name, points)| Series { name, points }).collect();
        let kind = Kind::Number { may_be_logarithmic: false };
        // Charts stand in pairs; one that is left over fills its row.
        let is_wide = place + 1 == contents.len() && place % 2 == 0;
        Chart { title, across: Across::Number(x_label), up: y_label, kind, series, best: None, is_wide }.render()
    };
    let charts: String = contents.iter().enumerate().map(chart).collect();
    if charts.is_empty() { charts } else { format!("<div class=\"charts\">{charts}</div>\n") }
}

fn gallery(pictures: &[(Vec<u8>, String)]) -> String {
    let card = |(png, caption): &(Vec<u8>, String)| {
        let caption = escaped(caption);
        let below = if caption.is_empty() { String::new() } else { format!("<p>{caption}</p>") };
        format!("<li><img src=\"{}\" alt=\"{caption}\" loading=\"lazy\">{below}</li>", address(png))
    };
    let cards: String = pictures.iter().map(card).collect();
    // A single picture, such as a contact sheet, has the whole width.
    let single = if pictures.len() == 1 { " single" } else { "" };
    if cards.is_empty() { cards } else { format!("<ul class=\"gallery{single}\">{cards}</ul>\n") }
}
