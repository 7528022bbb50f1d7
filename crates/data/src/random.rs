//! Random numbers that are a function of where they are used, not of when.

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const KEY_STEPS: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
const ROUNDS: usize = 10;

/// Philox4x32-10: four random words for a counter and a key.
///
/// # Source
/// Salmon, Moraes, Dror and Shaw, Parallel Random Numbers: As Easy as 1, 2, 3 (2011).
///
/// ```
/// use gyrus_data::random::philox4x32;
/// assert_eq!(philox4x32([0; 4], [0; 2])[0], 0x6627_E8D5);
/// ```
pub fn philox4x32(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..ROUNDS {
        let product_0 = MULTIPLIERS[0] as u64 * counter[0] as u64;
        let product_1 = MULTIPLIERS[1] as u64 * counter[2] as u64;
        counter = [
            (product_1 >> 32) as u32 ^ counter[1] ^ key[0],
            product_1 as u32,
            (product_0 >> 32) as u32 ^ counter[3] ^ key[1],
            product_0 as u32,
        ];
        key = [key[0].wrapping_add(KEY_STEPS[0]), key[1].wrapping_add(KEY_STEPS[1])];
    }
    counter
}

/// What numbers are drawn for; each purpose has its own sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The order of an epoch.
    Order,
    /// Which samples are held out.
    HoldOut,
    /// The operation of this rank in a list of augmentations, for the sample itself (0) or for one of the samples that
    /// are mixed with it.
    Augmentation(u8, u8),
    /// The window on an image, of the parts that augmentation has.
    Window(u8),
}

/// A sequence of random numbers that depends on seed, epoch, sample and purpose, and on nothing else: not on the thread
/// that draws, nor on what was drawn before.
pub(crate) struct RandomStream {
    key: [u32; 2],
    counter: [u32; 4],
    words: [u32; 4],
    used: usize,
}

impl RandomStream {
    pub(crate) fn new(seed: u64, epoch: usize, sample: usize, purpose: Purpose) -> Self {
        let purpose = match purpose {
            Purpose::Order => 0,
            Purpose::HoldOut => 1,
            // Ranks are below 255.
            Purpose::Window(part) => (1 + part as u32) << 8 | 255,
            Purpose::Augmentation(rank, part) => (1 + part as u32) << 8 | rank as u32,
        };
        let sample = sample as u64;
        let last = purpose << 16 | (sample >> 32) as u32 & 0xFFFF;
        Self {
            key: [seed as u32, (seed >> 32) as u32],
            counter: [0, sample as u32, epoch as u32, last],
            words: [0; 4],
            used: 4,
        }
    }

    pub(crate) fn word(&mut self) -> u32 {
        if self.used == 4 {
            self.words = philox4x32(self.counter, self.key);
            self.counter[0] += 1;
            self.used = 0;
        }
        self.used += 1;
        self.words[self.used - 1]
    }

    /// Evenly in `0..1`, the end excluded.
    pub(crate) fn uniform(&mut self) -> f32 {
        (self.word() >> 8) as f32 / (1 << 24) as f32
    }

    /// Evenly between two numbers.
    pub(crate) fn between(&mut self, range: [f32; 2]) -> f32 {
        range[0] + (range[1] - range[0]) * self.uniform()
    }

    /// Evenly in `0..limit`, to within `limit / 2^64`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        let wide = (self.word() as u64) << 32 | self.word() as u64;
        ((wide as u128 * limit as u128) >> 64) as usize
    }

    /// Whether something of this probability happens.
    pub(crate) fn happens(&mut self, probability: f32) -> bool {
        self.uniform() < probability
    }

    /// Of mean 0 and variance 1.
    ///
    /// # Source
    /// Box and Muller, A Note on the Generation of Random Normal Deviates (1958).
    pub(crate) fn normal(&mut self) -> f32 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f32::consts::TAU * self.uniform()).cos()
    }

    /// Of mean 0 and variance 1, and of nearly the same density: the sum of four even numbers, for millions of draws.
    pub(crate) fn nearly_normal(&mut self) -> f32 {
        // The variance of a byte is (256^2 - 1) / 12.
        const SCALE: f32 = 0.006_765_875;
        let sum: u32 = self.word().to_le_bytes().into_iter().map(u32::from).sum();
        (sum as f32 - 510.0) * SCALE
    }

    /// In `0..=1`, of density proportional to `(x (1 - x))^(alpha - 1)`.
    pub(crate) fn beta(&mut self, alpha: f32) -> f32 {
        let (a, b) = (self.log_gamma(alpha), self.log_gamma(alpha));
        1.0 / (1.0 + (b - a).exp())
    }

    /// The logarithm of a number of the gamma distribution with this shape and scale 1: for small shapes the number
    /// itself is often too small for a float.
    ///
    /// # Source
    /// Marsaglia and Tsang, A Simple Method for Generating Gamma Variables (2000).
    fn log_gamma(&mut self, shape: f32) -> f32 {
        if shape < 1.0 {
            let power = (1.0 - self.uniform()).ln() / shape;
            return self.log_gamma(shape + 1.0) + power;
        }
        let d = shape - 1.0 / 3.0;
        loop {
            let x = self.normal();
            let v = (1.0 + x / (9.0 * d).sqrt()).powi(3);
            let u = 1.0 - self.uniform();
            if v > 0.0 && u.ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return (d * v).ln();
            }
        }
    }

    /// Fisher and Yates' shuffle.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `kat_vectors` of Random123, the authors' library: counter, key, result.
    #[test]
    fn philox_gives_the_published_answers() {
        let known: [([u32; 4], [u32; 2], [u32; 4]); 3] = [
            ([0; 4], [0; 2], [0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8]),
            ([u32::MAX; 4], [u32::MAX; 2], [0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD]),
            (
                [0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344],
                [0xA409_3822, 0x299F_31D0],
                [0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1],
            ),
        ];
        for (counter, key, result) in known {
            assert_eq!(philox4x32(counter, key), result);
        }
    }

    #[test]
    fn every_part_of_the_key_matters() {
        let first = |seed, epoch, sample, purpose| RandomStream::new(seed, epoch, sample, purpose).word();
        let base = first(1, 2, 3, Purpose::Order);
        assert_eq!(base, first(1, 2, 3, Purpose::Order));
        assert_ne!(base, first(1 << 40, 2, 3, Purpose::Order));
        assert_ne!(base, first(1, 3, 3, Purpose::Order));
        assert_ne!(base, first(1, 2, 4, Purpose::Order));
        assert_ne!(base, first(1, 2, 3 | 1 << 40, Purpose::Order));
        assert_ne!(base, first(1, 2, 3, Purpose::HoldOut));
        assert_ne!(base, first(1, 2, 3, Purpose::Augmentation(0, 0)));
        assert_ne!(first(1, 2, 3, Purpose::Augmentation(1, 0)), first(1, 2, 3, Purpose::Augmentation(0, 0)));
    }

    #[test]
    fn uniform_numbers_have_the_right_moments() {
        let mut stream = RandomStream::new(7, 0, 0, Purpose::Order);
        let draws: Vec<f32> = (0..40_000).map(|_| stream.uniform()).collect();
        assert!(draws.iter().all(|draw| (0.0..1.0).contains(draw)));
        let mean = draws.iter().sum::<f32>() / 40_000.0;
        let variance = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f32>() / 40_000.0;
        assert!((mean - 0.5).abs() < 0.01 && (variance - 1.0 / 12.0).abs() < 0.002, "{mean} {variance}");
        for draw in [RandomStream::normal, RandomStream::nearly_normal] {
            let normal: Vec<f32> = (0..40_000).map(|_| draw(&mut stream)).collect();
            let (sum, squares) = normal.iter().fold((0.0, 0.0), |(sum, squares), x| (sum + x, squares + x * x));
            assert!((sum / 40_000.0).abs() < 0.02 && (squares / 40_000.0 - 1.0).abs() < 0.03, "{sum} {squares}");
        }
        // The variance of Beta(a, a) is 1 / (4 (2 a + 1)).
        for alpha in [0.2, 1.0, 8.0] {
            let draws: Vec<f32> = (0..40_000).map(|_| stream.beta(alpha)).collect();
            assert!(draws.iter().all(|draw| (0.0..=1.0).contains(draw)));
            let mean = draws.iter().sum::<f32>() / 40_000.0;
            let variance = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f32>() / 40_000.0;
            let expected = 1.0 / (4.0 * (2.0 * alpha + 1.0));
            assert!((mean - 0.5).abs() < 0.01 && (variance - expected).abs() < 0.005, "{alpha}: {mean} {variance}");
        }
        let mut counts = [0; 3];
        (0..30_000).for_each(|_| counts[stream.below(3)] += 1);
        assert!(counts.iter().all(|&count| (9_600..10_400).contains(&count)), "{counts:?}");
    }
}
