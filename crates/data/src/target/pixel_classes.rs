//! Which class a value of a mask stands for.

use std::collections::HashMap;

use crate::target::IGNORED;

/// Which class each value, or colour, of a mask stands for.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PixelClasses {
    /// By grey value or index into a palette.
    pub(crate) values: HashMap<u16, u16>,
    /// By red, green and blue, where masks are written in colours.
    pub(crate) colours: HashMap<[u8; 3], u16>,
}

impl PixelClasses {
    /// Values that are classes: 0, 1, and so on; 255 is ignored where it is none.
    pub fn in_order(num_classes: usize) -> Self {
        let mut values: HashMap<u16, u16> = [(255, IGNORED), (65535, IGNORED)].into();
        values.extend((0..num_classes as u16).map(|class| (class, class)));
        Self { values, colours: HashMap::new() }
    }

    /// These colours, for the classes in order; black is ignored where it is none.
    pub fn of_colours(colours: impl IntoIterator<Item = [u8; 3]>) -> Self {
        let mut classes: HashMap<[u8; 3], u16> = [([0; 3], IGNORED)].into();
        classes.extend(colours.into_iter().zip(0..));
        Self { values: HashMap::new(), colours: classes }
    }

    /// Leaves the pixels of some classes out.
    pub(crate) fn ignore(&mut self, classes: &[u16]) {
        let entries = self.values.values_mut().chain(self.colours.values_mut());
        entries.filter(|class| classes.contains(class)).for_each(|class| *class = IGNORED);
    }

    /// Gives every class another number.
    pub(crate) fn renumber(&mut self, number: &dyn Fn(usize) -> crate::Result<usize>) -> crate::Result<()> {
        let entries = self.values.values_mut().chain(self.colours.values_mut());
        for class in entries.filter(|class| **class != IGNORED) {
            *class = number(*class as usize)? as u16;
        }
        Ok(())
    }
}
