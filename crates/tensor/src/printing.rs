//! Tensors as text: nested brackets, aligned columns, `…` where there is too much.

use std::fmt;

use gyrus_graph::{DType, Element, bf16, f16};

use crate::{Tensor, try_evaluate};

/// More elements than this are not all shown.
const MAX_SHOWN: usize = 1000;
/// How many are then shown at either end of an axis.
const EDGE: usize = 3;
/// Digits after the point.
const PRECISION: usize = 4;
/// Where a row of elements is broken.
const LINE_WIDTH: usize = 100;

/// The elements, then element type and shape: `[1.0, 2.5] f64[2]`. Computes them if need be; of a tensor that
/// depends on what is not given yet, as within a function while it is compiled, only type and shape.
impl fmt::Display for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !try_evaluate([self], []) {
            return write!(f, "{} not known yet", self.spec());
        }
        let text = match self.dtype() {
            DType::Bool => self.text::<bool>(|shown| shown.iter().map(bool::to_string).collect()),
            DType::U8 => self.text::<u8>(|shown| shown.iter().map(u8::to_string).collect()),
            DType::I32 => self.text::<i32>(|shown| shown.iter().map(i32::to_string).collect()),
            DType::I64 => self.text::<i64>(|shown| shown.iter().map(i64::to_string).collect()),
            DType::F16 => self.text::<f16>(reals),
            DType::BF16 => self.text::<bf16>(reals),
            DType::F32 => self.text::<f32>(reals),
            _ => self.to_dtype(DType::F64).text::<f64>(reals),
        };
        let separator = if text.contains('\n') { "\n" } else { " " };
        write!(f, "{text}{separator}{}", self.spec())
    }
}

/// As for display.
impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Tensor {
    /// The elements in brackets; `format` writes those that are shown.
    fn text<T: Element>(&self, format: impl FnOnce(&[T]) -> Vec<String>) -> String {
        if self.num_elements() == 0 {
            return "[]".into();
        }
        let elides = self.num_elements() > MAX_SHOWN;
        let mut shown = vec![];
        collect(self.shape(), elides, 0, &mut shown);
        let words = self.read(|elements: &[T]| format(&shown.iter().map(|&place| elements[place]).collect::<Vec<_>>()));
        let width = words.iter().map(String::len).max().unwrap_or(0);
        let mut writer = Writer { text: String::new(), words: words.into_iter(), width, elides };
        writer.write(self.shape(), 0);
        writer.text
    }
}

/// The indices along an axis that are shown; `None` stands for `…`.
fn indices(size: usize, elides: bool) -> Vec<Option<usize>> {
    if elides && size > 2 * EDGE {
        let edges = (0..EDGE).map(Some).chain([None]);
        return edges.chain((size - EDGE..size).map(Some)).collect();
    }
    (0..size).map(Some).collect()
}

/// The places, row-major, of the elements that are shown.
fn collect(shape: &[usize], elides: bool, start: usize, shown: &mut Vec<usize>) {
    let [size, inner @ ..] = shape else {
        shown.push(start);
        return;
    };
    let stride: usize = inner.iter().product();
    for index in indices(*size, elides).into_iter().flatten() {
        collect(inner, elides, start + index * stride, shown);
    }
}

/// Writes words in brackets.
struct Writer {
    text: String,
    words: std::vec::IntoIter<String>,
    width: usize,
    elides: bool,
}

impl Writer {
    fn write(&mut self, shape: &[usize], depth: usize) {
        let [size, inner @ ..] = shape else {
            let word = self.words.next().unwrap_or_default();
            self.text += &format!("{word:>width$}", width = self.width);
            return;
        };
        self.text.push('[');
        let mut column = depth + 1;
        for (count, index) in indices(*size, self.elides).into_iter().enumerate() {
            if count > 0 {
                self.text.push(',');
                column += self.width + 2;
                let breaks = !inner.is_empty() || column + self.width > LINE_WIDTH;
                if breaks {
                    // Matrices within a tensor of more axes stand apart.
                    let num_lines = inner.len().max(1);
                    self.text.extend(std::iter::repeat_n('\n', num_lines));
                    self.text.extend(std::iter::repeat_n(' ', depth + 1));
                    column = depth + 1;
                } else {
                    self.text.push(' ');
                }
            }
            match index {
                Some(_) => self.write(inner, depth + 1),
                None => self.text.push('…'),
            }
        }
        self.text.push(']');
    }
}

/// Reals in one notation: whole numbers as `3.0`; others with digits after the point, or with exponents
/// where the least and the greatest are far apart.
fn reals<T: Element>(shown: &[T]) -> Vec<String> {
    let shown: Vec<f64> = shown.iter().map(|element| element.to_f64()).collect();
    let sizes = || shown.iter().filter(|real| real.is_finite() && **real != 0.0).map(|real| real.abs());
    let (least, greatest) = (sizes().fold(f64::INFINITY, f64::min), sizes().fold(0.0, f64::max));
    let are_whole = sizes().all(|size| size.fract() == 0.0);
    let is_far = greatest >= 1e8 || (!are_whole && (least < 1e-4 || greatest / least > 1e4));
    let format = |&real: &f64| match real {
        _ if !real.is_finite() => format!("{real}"),
        _ if is_far => format!("{real:.PRECISION$e}"),
        _ if are_whole => format!("{real:.1}"),
        _ => format!("{real:.PRECISION$}"),
    };
    shown.iter().map(format).collect()
}
