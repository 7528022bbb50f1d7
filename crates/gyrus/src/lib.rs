//! gyrus: deep learning in one binary.
