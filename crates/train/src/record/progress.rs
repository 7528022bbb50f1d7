use std::io::IsTerminal;
use std::str::FromStr;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How progress is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProgressMode {
    /// A bar on a terminal, plain lines elsewhere.
    #[default]
    Auto,
    /// A bar.
    Bar,
    /// Lines of text.
    Plain,
    /// Nothing.
    None,
}

impl FromStr for ProgressMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(ProgressMode::Auto),
            "bar" => Ok(ProgressMode::Bar),
            "plain" => Ok(ProgressMode::Plain),
            "none" => Ok(ProgressMode::None),
            other => Err(format!("`{other}` is no way to show progress: auto, bar, plain and none are")),
        }
    }
}

/// How often plain lines come within an epoch.
const INTERVAL: Duration = Duration::from_secs(5);

/// How often the words beside a bar change.
const REDRAW: Duration = Duration::from_millis(100);

/// Shows how training goes on, on standard error.
///
/// ```
/// use gyrus_train::record::{Progress, ProgressMode};
///
/// let mut progress = Progress::new(ProgressMode::None, 2);
/// progress.begin_epoch(1, 60_000);
/// progress.advance(64, Some(2.3));
/// progress.end_epoch("train loss 0.21; validation accuracy 0.98");
/// ```
#[derive(Debug)]
pub struct Progress {
    view: View,
    epochs: u64,
    epoch: u64,
    samples: u64,
    num_samples: u64,
    /// A running mean of the loss, for the eye.
    loss: Option<f64>,
    begin: Instant,
    /// Samples of this epoch that came before `begin`, in a resumed run.
    skipped: u64,
    /// When the bar's words were renewed.
    last_words: Instant,
}

#[derive(Debug)]
enum View {
    Bar(ProgressBar),
    Plain { last_line: Instant },
    None,
}

impl Progress {
    /// Shows nothing yet.
    pub fn new(mode: ProgressMode, epochs: u64) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let view = match mode {
            ProgressMode::None => View::None,
            ProgressMode::Auto if !is_terminal => View::Plain { last_line: Instant::now() },
            ProgressMode::Plain => View::Plain { last_line: Instant::now() },
            ProgressMode::Auto | ProgressMode::Bar => {
                let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(10));
                let style = ProgressStyle::with_template("{prefix} [{bar:30}] {percent:>3}%  {msg}");
                bar.set_style(style.expect("a fixed template").progress_chars("=> "));
                View::Bar(bar)
            }
        };
        let now = Instant::now();
        Progress {
            view,
            epochs,
            epoch: 0,
            samples: 0,
            num_samples: 0,
            loss: None,
            begin: now,
            skipped: 0,
            last_words: now,
        }
    }

    /// An epoch, counted from 1, begins.
    pub fn begin_epoch(&mut self, epoch: u64, num_samples: u64) {
        (self.epoch, self.samples, self.num_samples) = (epoch, 0, num_samples);
        (self.begin, self.skipped) = (Instant::now(), 0);
        match &mut self.view {
            View::Bar(bar) => {
                bar.reset();
                bar.set_length(num_samples);
                bar.set_prefix(format!("epoch {epoch}/{}", self.epochs));
            }
            View::Plain { last_line } => *last_line = Instant::now(),
            View::None => {}
        }
    }

    /// Some samples are done; without a loss they were done before, in the run that is resumed.
    pub fn advance(&mut self, num_samples: u64, loss: Option<f64>) {
        self.samples += num_samples;
        match loss {
            Some(loss) => self.loss = Some(self.loss.map_or(loss, |mean| 0.98 * mean + 0.02 * loss)),
            None => self.skipped += num_samples,
        }
        match &mut self.view {
            View::Bar(bar) => {
                bar.set_position(self.samples);
                // Words are made only as often as the bar is drawn.
                if self.last_words.elapsed() >= REDRAW {
                    self.last_words = Instant::now();
                    let bar = bar.clone();
                    bar.set_message(self.in_words());
                }
            }
            View::Plain { last_line } if last_line.elapsed() >= INTERVAL => {
                *last_line = Instant::now();
                let percent = 100 * self.samples / self.num_samples.max(1);
                eprintln!("epoch {}/{}: {percent} %, {}", self.epoch, self.epochs, self.in_words());
            }
            _ => {}
        }
    }

    /// Rate, time left in the epoch, and loss.
    fn in_words(&self) -> String {
        let rate = self.rate();
        let left = self.num_samples.saturating_sub(self.samples) as f64 / rate.max(1.0);
        let loss = self.loss.map_or(String::new(), |loss| format!(", loss {loss:.4}"));
        format!("{rate:.0} images/s, {left:.0} s left{loss}")
    }

    /// An epoch is over.
    pub fn end_epoch(&mut self, summary: &str) {
        let (seconds, rate) = (self.begin.elapsed().as_secs_f64(), self.rate());
        let line = format!("epoch {}/{}: {summary}  [{seconds:.1} s, {rate:.0} images/s]", self.epoch, self.epochs);
        self.message(&line);
        if let View::Bar(bar) = &self.view
            && self.epoch >= self.epochs
        {
            bar.finish_and_clear();
        }
    }

    /// Says something between the bars.
    pub fn message(&self, line: &str) {
        match &self.view {
            View::Bar(bar) => bar.println(line),
            View::Plain { .. } => eprintln!("{line}"),
            View::None => {}
        }
    }

    /// Samples a second in this epoch.
    fn rate(&self) -> f64 {
        (self.samples - self.skipped) as f64 / self.begin.elapsed().as_secs_f64().max(1e-9)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let View::Bar(bar) = &self.view {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_read_from_their_names() {
        assert_eq!("plain".parse(), Ok(ProgressMode::Plain));
        assert!("loud".parse::<ProgressMode>().unwrap_err().contains("`loud`"));
    }

    #[test]
    fn samples_of_a_resumed_epoch_do_not_count_as_speed() {
        let mut progress = Progress::new(ProgressMode::None, 1);
        progress.begin_epoch(1, 100);
        progress.advance(90, None);
        assert_eq!(progress.rate(), 0.0);
        progress.advance(5, Some(1.0));
        assert!(progress.rate() > 0.0);
        assert_eq!((progress.samples, progress.loss), (95, Some(1.0)));
    }
}
