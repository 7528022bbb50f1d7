//! A table of learned vectors.

use gyrus_tensor::{Rng, Tensor};

use crate::init::Init;
use crate::{Context, Layer, Module};

/// The rows of a table at given indices: `y[i.., :] = weight[input[i..], :]`.
///
/// # Shapes
/// Integers `[..]` from 0 to `num_embeddings - 1` to `[.., embedding_dim]`; `weight`
/// `[num_embeddings, embedding_dim]`. Indices below the first or beyond the last mean the first or the last: check
/// them where data are read.
#[derive(Clone, Debug, Module)]
pub struct Embedding {
    /// `[num_embeddings, embedding_dim]`.
    pub weight: Tensor,
    #[module(skip)]
    padding_idx: Option<usize>,
}

impl Embedding {
    /// With standard normal initial values.
    pub fn new(num_embeddings: usize, embedding_dim: usize, rng: &mut Rng) -> Embedding {
        let init = Init::Normal { mean: 0.0, standard_deviation: 1.0 };
        Embedding { weight: init.draw([num_embeddings, embedding_dim], rng), padding_idx: None }
    }

    /// The index of what only fills up sequences: its vector is 0, and stays so.
    ///
    /// # Panics
    /// If the table has no such row.
    #[must_use]
    #[track_caller]
    pub fn padding_idx(self, padding_idx: usize) -> Embedding {
        assert!(
            padding_idx < self.num_embeddings(),
            "embedding: padding_idx {padding_idx}: must be less than num_embeddings ({})",
            self.num_embeddings()
        );
        Embedding { padding_idx: Some(padding_idx), ..self }
    }

    /// The number of rows of the table.
    pub fn num_embeddings(&self) -> usize {
        self.weight.shape()[0]
    }

    /// The size of a vector.
    pub fn embedding_dim(&self) -> usize {
        self.weight.shape()[1]
    }
}

impl Layer for Embedding {
    fn forward(&self, input: &Tensor, _: &mut Context) -> Tensor {
        assert!(
            input.dtype().is_integer(),
            "embedding: input {}: must be indices, integers below num_embeddings ({})",
            input.spec(),
            self.num_embeddings()
        );
        let vectors = self.weight.take(0, input);
        match self.padding_idx {
            Some(padding_idx) => input.eq(padding_idx as i64).unsqueeze(-1).select(0.0, vectors),
            None => vectors,
        }
    }
}
