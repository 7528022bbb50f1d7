//! The record of a run: its folder, metrics, environment, progress, TensorBoard events, report and model card.
//!
//! Everything here takes plain values, so that nothing depends on how a model is trained or where.

mod environment;
mod error;
mod event_file;
mod metrics_log;
mod model_card;
mod progress;
mod report;
mod run_comparison;
mod run_folder;
mod timestamp;

pub use environment::Environment;
pub use error::RecordError;
pub use event_file::EventFile;
pub use metrics_log::{MetricsLine, MetricsLog};
pub use model_card::model_card;
pub use progress::{Progress, ProgressMode};
pub use report::{
    BaselineScore, ClassScores, Content, Curve, DataFinding, DataSummary, Evaluation, Figure, Mistake, Panel,
    ReliabilityBin, Report, SplitSummary, picture, wilson_interval,
};
pub use run_comparison::RunComparison;
pub use run_folder::{Checkpoint, RunFolder, RunLock};
pub use timestamp::timestamp;
