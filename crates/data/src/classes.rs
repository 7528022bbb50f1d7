//! Numbering classes by their names.

use std::collections::HashMap;

/// Gives each name a number as it appears, and at last the numbers of their sorted order.
#[derive(Debug, Default)]
pub(crate) struct ClassNames {
    names: Vec<String>,
    numbers: HashMap<String, usize>,
}

impl ClassNames {
    /// The number of a name, for the time being.
    pub(crate) fn number(&mut self, name: &str) -> usize {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        self.names.push(name.to_string());
        self.numbers.insert(name.to_string(), self.names.len() - 1);
        self.names.len() - 1
    }

    /// The names in their order, and for each of the numbers given so far its place there. Whole numbers are ordered as
    /// numbers if all names are such; else names are ordered by their bytes.
    pub(crate) fn sorted(self) -> (Vec<String>, Vec<usize>) {
        let values: Option<Vec<i64>> = self.names.iter().map(|name| name.parse().ok()).collect();
        let mut order: Vec<usize> = (0..self.names.len()).collect();
        match values {
            Some(values) => order.sort_by_key(|&number| values[number]),
            None => order.sort_by_key(|&number| &self.names[number]),
        }
        let mut places = vec![0; order.len()];
        for (place, &number) in order.iter().enumerate() {
            places[number] = place;
        }
        (order.iter().map(|&number| self.names[number].clone()).collect(), places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(names: &[&str]) -> (Vec<String>, Vec<usize>) {
        let mut classes = ClassNames::default();
        for name in names {
            classes.number(name);
        }
        classes.sorted()
    }

    #[test]
    fn numbers_sort_as_numbers_and_words_as_words() {
        assert_eq!(sorted(&["10", "9", "10", "-1"]).0, ["-1", "9", "10"]);
        assert_eq!(sorted(&["10", "9", "x"]).0, ["10", "9", "x"]);
        assert_eq!(sorted(&["b", "a", "b", "c"]), (["a", "b", "c"].map(String::from).to_vec(), vec![1, 0, 2]));
    }
}
