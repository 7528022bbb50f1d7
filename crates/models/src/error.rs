//! What can be wrong with what was asked for.

/// A model that cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// There is no model of this name.
    #[error("no model is called {name:?}{}; there are {}", did_you_mean(.suggestion), .names.join(", "))]
    Unknown {
        /// The name that was given.
        name: String,
        /// The name that may have been meant.
        suggestion: Option<&'static str>,
        /// The names that there are.
        names: Vec<&'static str>,
    },
    /// Images have too few pixels for the model.
    #[error("{model}: images of {}x{} pixels (height x width): must be at least {minimum}x{minimum}; scale or pad them, \
             or take a model for any size, mlp or linear", .image_size[0], .image_size[1])]
    ImageTooSmall {
        /// The name of the model.
        model: &'static str,
        /// Height and width in pixels.
        image_size: [usize; 2],
        /// The least height and width in pixels.
        minimum: usize,
    },
}

impl ModelError {
    /// There is none of this name among these.
    pub(crate) fn unknown(name: &str, names: Vec<&'static str>) -> ModelError {
        let distance = |candidate: &&str| strsim::osa_distance(&name.to_lowercase(), candidate);
        let suggestion = names.iter().copied().min_by_key(distance).filter(|near| distance(near) <= name.len() / 3);
        ModelError::Unknown { name: name.to_owned(), suggestion, names }
    }
}

fn did_you_mean(suggestion: &Option<&'static str>) -> String {
    suggestion.map_or(String::new(), |name| format!(", did you mean {name:?}?"))
}
