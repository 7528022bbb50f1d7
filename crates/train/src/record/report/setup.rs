//! What the run was made with, and how to use it.

use super::{Report, escaped};

pub(super) fn commands(report: &Report) -> String {
    let item = |(purpose, command): &(String, String)| {
        format!("<dt>{}</dt><dd><pre tabindex=\"0\"><code>{}</code></pre></dd>", escaped(purpose), escaped(command))
    };
    let items: String = report.commands.iter().map(item).collect();
    if items.is_empty() { items } else { format!("<dl class=\"commands\">{items}</dl>") }
}

pub(super) fn configuration(report: &Report) -> String {
    let config = report.config.trim_end();
    if config.is_empty() {
        return String::new();
    }
    format!(
        "<pre class=\"config\" tabindex=\"0\"><code>{}</code></pre>",
        config.lines().map(coloured).collect::<Vec<_>>().join("\n")
    )
}

pub(super) fn environment(report: &Report) -> String {
    let row = |(name, fact): &(String, String)| {
        format!("<tr><th scope=\"row\">{}</th><td>{}</td></tr>", escaped(name), escaped(fact))
    };
    let rows: String = report.environment.iter().map(row).collect();
    if rows.is_empty() { rows } else { format!("<table class=\"facts\"><tbody>{rows}</tbody></table>") }
}

/// A line of TOML with its parts told apart: comment, table, key and value.
fn coloured(line: &str) -> String {
    let trimmed = line.trim_start();
    if trimmed.starts_with('#') {
        return format!("<i class=\"comment\">{}</i>", escaped(line));
    }
    if trimmed.starts_with('[') {
        return format!("<b>{}</b>", escaped(line));
    }
    match line.split_once('=') {
        Some((key, value)) => format!("<span class=\"key\">{}</span>={}", escaped(key), escaped(value)),
        None => escaped(line),
    }
}
