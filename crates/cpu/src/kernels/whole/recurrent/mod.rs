//! Kernels of the recurrent scans: a file for each operation says what its cell computes of a row, the frame
//! does the rest.

mod cell;
pub(crate) mod gru_scan;
pub(crate) mod gru_scan_grad;
pub(crate) mod lstm_scan;
pub(crate) mod lstm_scan_grad;
mod order;
pub(crate) mod rnn_scan;
pub(crate) mod rnn_scan_grad;
mod scan;
mod steps;
