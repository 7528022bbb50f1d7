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
    /// Images have sides that the model's strides do not divide.
    #[error("{model}: images of {}x{} pixels (height x width): both must be multiples of {multiple}; {}x{} would do",
            .image_size[0], .image_size[1], above(.image_size[0], *.multiple), above(.image_size[1], *.multiple))]
    ImageSize {
        /// The name of the model.
        model: &'static str,
        /// Height and width in pixels.
        image_size: [usize; 2],
        /// What must divide them.
        multiple: usize,
    },
    /// A detector has no maps of this stride.
    #[error("{model}: finest stride of {stride} pixels: must be 8, or 4 for objects of a few pixels")]
    Stride {
        /// The name of the model.
        model: &'static str,
        /// The stride in pixels.
        stride: usize,
    },
}

impl ModelError {
    /// There is no model of this name among those.
    pub(crate) fn unknown(name: &str, names: Vec<&'static str>) -> ModelError {
        let distance = |candidate: &&str| strsim::osa_distance(&name.to_lowercase(), candidate);
        let suggestion = names.iter().copied().min_by_key(distance).filter(|near| distance(near) <= name.len() / 3);
        ModelError::Unknown { name: name.to_owned(), suggestion, names }
    }
}

/// The least multiple that is not less, and not 0.
fn above(size: usize, multiple: usize) -> usize {
    size.max(1).next_multiple_of(multiple)
}

fn did_you_mean(suggestion: &Option<&'static str>) -> String {
    suggestion.map_or(String::new(), |name| format!(", did you mean {name:?}?"))
}
