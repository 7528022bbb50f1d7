use super::*;

fn samples(labels: Vec<Option<usize>>, num_bytes: usize) -> Samples {
    Samples {
        split: Split::Train,
        path: "made up".into(),
        pixels: Pixels::Bytes(vec![0; num_bytes]),
        labels,
        lines: None,
    }
}

fn classes(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| name.to_string()).collect()
}

#[test]
fn samples_must_fit() {
    let geometry = Geometry::new(1, 2, 1);
    let open = |part| Dataset::from_samples(geometry, classes(&["a", "b"]), vec![part]);
    assert_eq!(open(samples(vec![Some(0), None], 4)).unwrap().len(), 2);
    let message = open(samples(vec![Some(0)], 4)).unwrap_err().to_string();
    assert!(message.contains("made up: 1 labels do not fit 4 numbers"), "{message}");
    let message = open(samples(vec![Some(2)], 2)).unwrap_err().to_string();
    assert!(message.contains("class 2 is out of range"), "{message}");
}

#[test]
fn an_empty_part_hides_nothing() {
    let geometry = Geometry::new(1, 1, 1);
    let parts = vec![samples(vec![], 0), samples(vec![Some(0)], 1), samples(vec![], 0), samples(vec![Some(0)], 1)];
    let dataset = Dataset::from_samples(geometry, classes(&["a"]), parts).unwrap();
    for index in 0..2 {
        dataset.read(index, &mut ImageBuffer::new()).unwrap();
        assert_eq!(dataset.origin(index).to_string(), "made up, sample 0");
    }
}

#[test]
fn classes_are_matched_by_name() {
    let geometry = Geometry::new(1, 1, 1);
    let open = || {
        let parts = vec![samples(vec![Some(0), Some(1), None], 3)];
        Dataset::from_samples(geometry, classes(&["dog", "cat"]), parts).unwrap()
    };
    let mapped = open().with_classes(classes(&["bird", "cat", "dog"])).unwrap();
    assert_eq!((mapped.label(0), mapped.label(1), mapped.label(2)), (Some(2), Some(1), None));
    let message = open().with_classes(classes(&["bird", "cat"])).unwrap_err().to_string();
    assert!(message.contains("\"dog\"") && message.contains("bird, cat"), "{message}");
}
