//! Text and numbers as a page shows them.

/// Text that stands for itself in HTML, also between double or single quotes.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // HTML allows no other control characters; file names may have them.
            letter if letter.is_control() && !"\n\t".contains(letter) => safe.push('\u{FFFD}'),
            letter => safe.push(letter),
        }
    }
    safe
}

/// `60,000`.
pub(in crate::record) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `99.12%`: with as many decimals as the number of samples supports. A share that is less than 1 never shows as 100%.
pub(in crate::record) fn percent(share: f64, num_samples: u64) -> String {
    if !share.is_finite() {
        return "–".to_owned();
    }
    let decimals = match num_samples {
        0..100 => 0,
        100..1000 => 1,
        1000..100_000 => 2,
        _ => 3,
    };
    let unit = 10f64.powi(decimals);
    let rounded = (100.0 * share * unit).round() / unit;
    let shown = if share < 1.0 && rounded >= 100.0 { 100.0 - 1.0 / unit } else { rounded };
    format!("{shown:.*}%", decimals as usize)
}

/// A number with so many significant digits, without zeros that say nothing: `0.0312`, `1.2`, `3e-5`.
pub(in crate::record) fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if !value.is_finite() {
        return "–".to_owned();
    }
    let magnitude = value.abs().log10().floor() as i32;
    if !(-4..=6).contains(&magnitude) {
        let text = format!("{value:.*e}", digits.saturating_sub(1));
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{}e{exponent}", without_zeros(mantissa));
    }
    let decimals = (digits as i32 - 1 - magnitude).max(0) as usize;
    without_zeros(&format!("{value:.decimals$}")).to_owned()
}

fn without_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// `42 s`, `3 min 12 s`, `2 h 5 min`.
pub(in crate::record) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "–".to_owned();
    }
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        3600..86_400 => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
        _ => format!("{} d {} h", whole / 86_400, whole % 86_400 / 3600),
    }
}

/// `1 mistake`, `2 mistakes`.
pub(in crate::record) fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_harmless_anywhere() {
        assert_eq!(escaped("<b a=\"1\" c='2'>&\u{1}\n"), "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;\u{FFFD}\n");
    }

    #[test]
    fn numbers_are_grouped_and_rounded() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [(0.5, 10), (0.12345, 500), (0.99123, 10_000)].map(|(a, n)| percent(a, n)),
            ["50%", "12.3%", "99.12%"]
        );
        assert_eq!(percent(f64::NAN, 10), "–");
        let shown = [0.031_24, 1.0, 1234.5, 3e-7, -0.5, 0.0, 2e9].map(|value| significant(value, 3));
        assert_eq!(shown, ["0.0312", "1", "1234", "3e-7", "-0.5", "0", "2e9"]);
        assert_eq!(
            [0.25, 42.4, 192.0, 7500.0, 90_000.0].map(duration),
            ["0.2 s", "42 s", "3 min 12 s", "2 h 5 min", "1 d 1 h"]
        );
    }

    #[test]
    fn nearly_all_is_not_all() {
        assert_eq!(percent(0.999_999, 10_000), "99.99%");
        assert_eq!(percent(0.999, 50), "99%");
        assert_eq!(percent(1.0, 10_000), "100.00%");
    }
}
