//! Kernels of the recurrent scans.

pub(crate) mod gru_scan;
pub(crate) mod gru_scan_grad;
pub(crate) mod lstm_scan;
pub(crate) mod lstm_scan_grad;
pub(crate) mod rnn_scan;
pub(crate) mod rnn_scan_grad;
mod steps;
