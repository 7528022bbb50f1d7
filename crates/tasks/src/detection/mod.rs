//! Object detection: a box and a class for each object of an image.

mod assignment;
mod decoding;
mod loss;
