//! Matrix products.

/// What is done to each finished region of a contraction's result, while it is in cache.
pub trait Epilogue: Sync {
    /// Works on `rows` rows of `cols` elements each: row `r` begins at element `start + r * row_stride`
    /// of the result. Each element is given once; regions may come at the same time from different
    /// workers.
    fn region(&self, start: usize, rows: usize, row_stride: usize, cols: usize, worker: usize);
}
