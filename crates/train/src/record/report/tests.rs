//! The whole page.

use super::*;

/// Every text that comes from outside, hostile.
fn hostile() -> Report {
    let evil = |place: &str| format!("{place}</title></style></code><script>alert('{place}')</script>\"&\u{0}");
    let mut evaluation = Evaluation::new(&evil("split"), &[0.9, 0.1, 0.2, 0.8, 0.7, 0.3], 2, &[0, 1, 1]);
    evaluation.mistakes[0].origin = evil("origin");
    evaluation.mistakes[0].picture = Some("https://example.org/spy.png".into());
    let curve = |split: &str| Curve {
        metric: evil("metric"),
        split: evil(split),
        points: vec![(1, 0.5), (2, f64::INFINITY), (3, 0.2)],
    };
    Report {
        name: evil("name"),
        task: evil("task"),
        model: evil("model"),
        run: evil("run"),
        time: evil("time"),
        epochs: 3,
        best_epoch: Some(3),
        seconds: Some(f64::NAN),
        images_per_second: Some(f64::INFINITY),
        num_parameters: Some(u64::MAX),
        curves: vec![curve("train"), curve("validation")],
        evaluation: Some(evaluation),
        baselines: vec![BaselineScore { name: evil("baseline"), accuracy: 0.1 }],
        headline: None,
        measured: vec![Figure { name: evil("figure"), value: f64::NAN, note: evil("note") }],
        panels: vec![Panel {
            id: evil("panel"),
            title: evil("title"),
            about: evil("about"),
            content: vec![
                Content::Table {
                    header: vec![evil("head"), evil("head")],
                    rows: vec![vec![evil("row"), evil("cell")]],
                },
                Content::Lines {
                    title: evil("chart"),
                    x_label: evil("across"),
                    y_label: evil("up"),
                    series: vec![(evil("line"), vec![(0.0, 0.5), (f64::NAN, 0.1), (0.5, f64::INFINITY), (1.0, 0.1)])],
                },
                Content::Gallery(vec![(vec![1, 2, 3], evil("caption"))]),
            ],
        }],
        data: DataSummary {
            source: evil("source"),
            images: evil("images"),
            classes: vec![evil("class"), evil("other")],
            splits: vec![SplitSummary { name: evil("split"), total: 3, per_class: vec![1] }],
            findings: vec![DataFinding {
                is_error: true,
                message: evil("finding"),
                total: 9,
                examples: vec![evil("example")],
            }],
            fingerprint: evil("fingerprint"),
            licence: Some(evil("licence")),
        },
        config: format!("# {0}\n[{0}]\n{0} = {0}\n", evil("config")),
        environment: vec![(evil("fact"), evil("value")), ("gyrus".into(), evil("version"))],
        commands: vec![(evil("purpose"), evil("command"))],
    }
}

/// Checks that tags are closed in order, attributes quoted, and nothing is there that acts or loads.
fn assert_sound(page: &str) {
    let start = page.find("<style>").unwrap() + "<style>".len();
    let end = page.find("</style>").unwrap();
    let style = &page[start..end];
    assert!(!style.contains("url(") && !style.contains("@import"));
    let markup = page[..start].to_owned() + &page[end..];
    let mut open: Vec<&str> = Vec::new();
    let mut rest = &markup["<!doctype html>".len()..];
    while let Some(begin) = rest.find('<') {
        assert!(!rest[..begin].contains('>'), "a stray > in {:?}", &rest[..begin]);
        let length = rest[begin..].find('>').expect("a tag ends") + 1;
        let tag = &rest[begin + 1..begin + length - 1];
        assert!(tag.matches('"').count().is_multiple_of(2), "{tag}");
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        assert!(!["script", "link", "iframe", "object", "base"].contains(&name), "{tag}");
        assert!(!tag.contains(" on") || tag.contains("content="), "{tag}");
        for address in ["src=\"", "href=\""] {
            let places = tag.match_indices(address).map(|(place, _)| &tag[place + address.len()..]);
            places.for_each(|value| assert!(value.starts_with("data:image/") || value.starts_with('#'), "{tag}"));
        }
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "around {}", &rest[..begin]);
        } else if !tag.ends_with('/') && !["meta", "img", "br"].contains(&name) {
            open.push(name);
        }
        rest = &rest[begin + length..];
    }
    assert!(open.is_empty(), "{open:?} stay open");
    assert!(!page.contains("NaN") && !page.contains(">inf"), "numbers that are none");
}

#[test]
fn whatever_the_texts_the_page_is_sound() {
    let page = hostile().render();
    assert_sound(&page);
    assert!(!page.contains("example.org"));
    let links = page.matches("<a href=\"#").count();
    let sections = page.matches("<section id=").count();
    assert_eq!((links, sections), (11, 11), "every section is there and linked");
}

#[test]
fn what_is_not_known_is_left_out() {
    let page = Report { name: "digits-1".into(), ..Report::default() }.render();
    assert_sound(&page);
    assert_eq!(page.matches("<section").count(), 0);
    let nothing_measured = Report { evaluation: Some(Evaluation::default()), ..Report::default() };
    assert_sound(&nothing_measured.render());
}

#[test]
fn key_figures_carry_their_uncertainty() {
    let mut report = hostile();
    let evaluation = report.evaluation.as_mut().unwrap();
    (evaluation.split, evaluation.confusion) = ("test".into(), vec![vec![4_950, 50], vec![38, 4_962]]);
    let page = report.render();
    for part in
        ["Test accuracy", "<strong>99.12%</strong><small>95% interval 98.92% to 99.29%</small>", "88 of 10,000 images"]
    {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn tasks_have_their_own_figures_and_panels() {
    let panel =
        |id: &str, content: Vec<Content>| Panel { id: id.into(), title: id.into(), about: String::new(), content };
    let line = || Content::Lines {
        title: "Precision by recall".into(),
        x_label: "recall".into(),
        y_label: "precision".into(),
        series: vec![("cat".into(), vec![(0.0, 1.0), (1.0, 0.5)])],
    };
    let pictures = |count: usize| Content::Gallery(vec![(vec![137, 80], "a cat".to_owned()); count]);
    let report = Report {
        headline: Some("It finds 9 of 10 cats.".into()),
        measured: vec![Figure { name: "mAP 50".into(), value: 0.90123, note: "of 3 classes".into() }],
        panels: vec![
            panel("curves", vec![line(), line(), line(), pictures(1)]),
            panel("pictures", vec![pictures(3)]),
            panel("none", vec![pictures(0), Content::Table { header: vec![], rows: vec![] }]),
        ],
        ..Report::default()
    };
    let page = report.render();
    assert_sound(&page);
    for part in [
        "<p class=\"verdict\">It finds 9 of 10 cats.</p>",
        "<dt>mAP 50</dt><dd><strong>0.901</strong><small>of 3 classes</small>",
        "<section id=\"task-curves\"",
        "src=\"data:image/png;base64,iVA=\" alt=\"a cat\"",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("task-none"));
    let counts = ["class=\"charts\"", "class=\"chart wide\"", "class=\"gallery single\"", "class=\"gallery\""];
    assert_eq!(counts.map(|part| page.matches(part).count()), [1, 1, 1, 1]);

    let card = model_card(&report);
    for part in ["It finds 9 of 10 cats.", "| mAP 50 | 0.901 | of 3 classes |", "{ type: \"mAP 50\", value: 0.901230 }"]
    {
        assert!(card.contains(part), "{part}\n{card}");
    }
}

#[test]
fn many_classes_show_the_worst_and_lose_no_sample() {
    let num_classes = 100;
    let targets: Vec<usize> = (0..500).map(|sample| sample % num_classes).collect();
    // Classes below 25 are taken for the next one once in five times.
    let predicted = |(sample, &target): (usize, &usize)| if target < 25 && sample < 100 { target + 1 } else { target };
    let mut probabilities = vec![0.0; 500 * num_classes];
    let rows = probabilities.chunks_exact_mut(num_classes);
    targets.iter().enumerate().map(predicted).zip(rows).for_each(|(predicted, row)| row[predicted] = 1.0);
    let evaluation = Evaluation::new("test", &probabilities, num_classes, &targets);
    let classes = (0..num_classes).map(|class| format!("c{class}")).collect();
    let data = DataSummary { classes, ..DataSummary::default() };
    let report = Report { data, evaluation: Some(evaluation), ..Report::default() };
    let page = report.render();
    assert_sound(&page);
    let matrix = &page[page.find("<table class=\"confusion").unwrap()..];
    let matrix = &matrix[..matrix.find("</table>").unwrap()];
    assert_eq!(matrix.matches("<th scope=\"row\">").count(), 21);
    let numbers = matrix.split("</td>").filter_map(|cell| cell.rsplit('>').next()?.parse::<u64>().ok());
    assert_eq!(numbers.sum::<u64>(), 500);
}

#[test]
fn report_and_card_lie_in_the_runs_folder() {
    let root = tempfile::tempdir().unwrap();
    let run = RunFolder::create(root.path(), "image_classification", "digits-1").unwrap();
    let report = Report { name: "digits-1".into(), ..Report::default() };
    report.save(&run).unwrap();
    assert_eq!(std::fs::read_to_string(run.report()).unwrap(), report.render());
    assert!(std::fs::read_to_string(run.model_card()).unwrap().contains("# digits-1"));
}

#[test]
fn the_plain_values_can_be_written_as_json() {
    let report = Report { name: "digits-1".into(), ..Report::default() };
    assert_eq!(serde_json::to_value(&report).unwrap()["name"], "digits-1");
}
