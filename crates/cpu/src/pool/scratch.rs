//! The memory that kernels work in.

const ALIGNMENT: usize = 64;

/// How much working memory a kernel needs; of the problem alone, not of the number of threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScratchSize {
    /// Bytes for all workers together.
    pub shared: usize,
    /// Bytes for each worker.
    pub per_worker: usize,
}

impl ScratchSize {
    /// How many bytes a [`Scratch`] of this size takes, the room to align it included.
    pub fn total(&self, num_threads: usize) -> usize {
        let bytes = self.shared.next_multiple_of(ALIGNMENT) + num_threads * self.per_worker.next_multiple_of(ALIGNMENT);
        if bytes == 0 { 0 } else { bytes + ALIGNMENT }
    }

    /// What serves either of two kernels.
    pub fn max(self, other: ScratchSize) -> ScratchSize {
        ScratchSize { shared: self.shared.max(other.shared), per_worker: self.per_worker.max(other.per_worker) }
    }
}

/// Working memory of a kernel, which its caller provides. Contents are undefined.
#[derive(Clone, Copy, Debug)]
pub struct Scratch {
    start: *mut u8,
    size: ScratchSize,
}

// SAFETY: it is only an address; those who write through it keep to their own parts.
unsafe impl Send for Scratch {}
// SAFETY: as above.
unsafe impl Sync for Scratch {}

impl Scratch {
    /// Divides the memory at `pointer`, which has `size.total(num_threads)` bytes.
    pub fn new(pointer: *mut u8, size: &ScratchSize) -> Scratch {
        let start = pointer.wrapping_add((pointer as usize).wrapping_neg() % ALIGNMENT);
        let round = |bytes: usize| bytes.next_multiple_of(ALIGNMENT);
        Scratch { start, size: ScratchSize { shared: round(size.shared), per_worker: round(size.per_worker) } }
    }

    /// The memory of all workers together, of at least `len` elements, aligned to 64 bytes.
    #[inline]
    pub fn shared<T>(&self, len: usize) -> *mut T {
        debug_assert!(len * size_of::<T>() <= self.size.shared, "{len} elements, {:?}", self.size);
        self.start.cast()
    }

    /// A worker's own memory, of at least `len` elements, aligned to 64 bytes.
    #[inline]
    pub fn worker<T>(&self, worker: usize, len: usize) -> *mut T {
        debug_assert!(len * size_of::<T>() <= self.size.per_worker, "{len} elements, {:?}", self.size);
        self.start.wrapping_add(self.size.shared + worker * self.size.per_worker).cast()
    }

    /// The same without the first bytes of what all workers share; a multiple of 64 keeps it aligned.
    pub(crate) fn after(&self, bytes: usize) -> Scratch {
        let size = ScratchSize { shared: self.size.shared - bytes, ..self.size };
        Scratch { start: self.start.wrapping_add(bytes), size }
    }

    /// Memory for a test, filled with what must not matter; it lives as long as the first result.
    #[cfg(test)]
    pub(crate) fn for_test(size: ScratchSize, num_threads: usize) -> (Vec<u8>, Scratch) {
        let mut memory = vec![0xA5; size.total(num_threads)];
        let scratch = Scratch::new(memory.as_mut_ptr(), &size);
        (memory, scratch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scratch_parts_are_aligned_and_apart() {
        let size = ScratchSize { shared: 100, per_worker: 65 };
        let (memory, scratch) = Scratch::for_test(size, 3);
        let starts = [scratch.shared::<u8>(100), scratch.worker(0, 65), scratch.worker(1, 65), scratch.worker(2, 65)];
        let starts = starts.map(|start| start as usize);
        assert!(starts.iter().all(|start| start % 64 == 0));
        assert_eq!(starts.map(|start| start - starts[0]), [0, 128, 256, 384]);
        assert!(starts[3] + 65 <= memory.as_ptr() as usize + memory.len());
    }
}
