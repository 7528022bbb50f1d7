use std::env;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::str::FromStr;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::report::{count, duration};

/// How progress is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProgressMode {
    /// A bar on a terminal, plain lines elsewhere.
    #[default]
    Auto,
    /// A bar, if there is a terminal to draw it on; else plain lines.
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
const LINES: Duration = Duration::from_secs(5);

/// How often the text beside a bar changes.
const REDRAWS: Duration = Duration::from_millis(100);

/// Shows how training goes on, on standard error. That nobody reads it (a closed pipe) does not end training.
///
/// ```
/// use gyrus_train::record::{Progress, ProgressMode};
///
/// let mut progress = Progress::new(ProgressMode::None, 2);
/// progress.begin_epoch(1, 60_000);
/// progress.advance(64, Some(2.3));
/// progress.end_epoch("train loss 0.21; validation accuracy 0.98");
/// ```
pub struct Progress {
    view: View,
    total_epochs: u64,
    epoch: u64,
    samples: u64,
    num_samples: u64,
    /// A running mean of the loss, for the eye.
    loss: Option<f64>,
    /// When the epoch began, and when something of it was shown last.
    begin: Instant,
    last_shown: Instant,
    /// Samples of this epoch that came before `begin`, in a resumed run.
    skipped: u64,
    /// When the first whole epoch of this process began, and which it was.
    first_whole: Option<(Instant, u64)>,
}

enum View {
    Bar(ProgressBar),
    Plain { lines: Box<dyn Write + Send>, interval: Duration },
    None,
}

impl Progress {
    /// Shows nothing yet.
    pub fn new(mode: ProgressMode, total_epochs: u64) -> Self {
        let is_dumb = env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        let can_draw = io::stderr().is_terminal() && !is_dumb;
        let view = match mode {
            ProgressMode::None => View::None,
            ProgressMode::Auto | ProgressMode::Bar if can_draw => View::Bar(bar()),
            _ => View::Plain { lines: Box::new(io::stderr()), interval: LINES },
        };
        Self::with_view(view, total_epochs)
    }

    fn with_view(view: View, total_epochs: u64) -> Self {
        let now = Instant::now();
        Progress {
            view,
            total_epochs,
            epoch: 0,
            samples: 0,
            num_samples: 0,
            loss: None,
            begin: now,
            last_shown: now,
            skipped: 0,
            first_whole: None,
        }
    }

    /// An epoch, counted from 1, begins.
    pub fn begin_epoch(&mut self, epoch: u64, num_samples: u64) {
        let now = Instant::now();
        (self.epoch, self.samples, self.num_samples) = (epoch, 0, num_samples);
        (self.begin, self.last_shown, self.skipped) = (now, now, 0);
        self.first_whole.get_or_insert((now, epoch));
        if let View::Bar(bar) = &self.view {
            bar.set_length(num_samples);
            bar.set_prefix(format!("epoch {epoch}/{}", self.total_epochs));
            bar.set_message("");
            bar.reset();
        }
    }

    /// Some samples are done; without a loss they were done before, in the run that is resumed.
    pub fn advance(&mut self, num_samples: u64, loss: Option<f64>) {
        self.samples += num_samples;
        match loss {
            Some(loss) => self.loss = Some(self.loss.map_or(loss, |mean| 0.98 * mean + 0.02 * loss)),
            None => {
                self.skipped += num_samples;
                // Part of an epoch says nothing of how long one takes.
                if num_samples > 0 {
                    self.first_whole = None;
                }
            }
        }
        let interval = match &self.view {
            View::Bar(bar) => {
                bar.set_position(self.samples);
                REDRAWS
            }
            View::Plain { interval, .. } => *interval,
            View::None => return,
        };
        if self.last_shown.elapsed() < interval {
            return;
        }
        self.last_shown = Instant::now();
        let state = self.state();
        if let View::Bar(bar) = &self.view {
            bar.set_message(state);
            return;
        }
        let percent = 100 * self.samples / self.num_samples.max(1);
        self.message(&format!("epoch {}/{}: {percent}%, {state}", self.epoch, self.total_epochs));
    }

    /// An epoch is over: a line that stays.
    pub fn end_epoch(&mut self, summary: &str) {
        let took = duration(self.begin.elapsed().as_secs_f64());
        let left =
            self.left_after_this().map_or_else(String::new, |seconds| format!(", {} left", whole_seconds(seconds)));
        let rate = count(self.rate() as u64);
        self.message(&format!(
            "epoch {}/{}: {summary}  [{took}, {rate} images/s{left}]",
            self.epoch, self.total_epochs
        ));
        if let View::Bar(bar) = &self.view
            && self.epoch >= self.total_epochs
        {
            bar.finish_and_clear();
        }
    }

    /// Says something: above the bar, or as a line.
    pub fn message(&mut self, line: &str) {
        match &mut self.view {
            View::Bar(bar) => bar.println(line),
            View::Plain { lines, .. } => {
                let _ = writeln!(lines, "{line}").and_then(|()| lines.flush());
            }
            View::None => {}
        }
    }

    /// `24,310 images/s, 12 s left, loss 0.0312`.
    fn state(&self) -> String {
        let rate = self.rate();
        let rest = self.num_samples.saturating_sub(self.samples) as f64;
        let left = if rate > 0.0 { format!(", {} left", whole_seconds(rest / rate)) } else { String::new() };
        let loss = self.loss.map_or_else(String::new, |loss| format!(", loss {loss:.4}"));
        format!("{} images/s{left}{loss}", count(rate as u64))
    }

    /// Samples a second in this epoch.
    fn rate(&self) -> f64 {
        (self.samples - self.skipped) as f64 / self.begin.elapsed().as_secs_f64().max(1e-9)
    }

    /// Seconds that the epochs after this one will take, if they take what those before did, validation included.
    fn left_after_this(&self) -> Option<f64> {
        let (begin, first) = self.first_whole?;
        let epochs_left = self.total_epochs.checked_sub(self.epoch).filter(|left| *left > 0)?;
        let seconds_each = begin.elapsed().as_secs_f64() / (self.epoch - first + 1) as f64;
        Some(seconds_each * epochs_left as f64)
    }
}

/// An estimate has no tenths.
fn whole_seconds(seconds: f64) -> String {
    let seconds = seconds.ceil();
    if seconds < 10.0 { format!("{seconds} s") } else { duration(seconds) }
}

fn bar() -> ProgressBar {
    let is_plain = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let template = if is_plain {
        "{prefix} [{bar:30}] {percent:>3}%  {msg}"
    } else {
        "{prefix} [{bar:30.cyan}] {percent:>3}%  {msg}"
    };
    let style = ProgressStyle::with_template(template).expect("a fixed template").progress_chars("=> ");
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(10));
    bar.set_style(style);
    bar
}

impl fmt::Debug for Progress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Progress")
            .field("epoch", &self.epoch)
            .field("samples", &self.samples)
            .finish_non_exhaustive()
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
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn plain(interval: Duration, total_epochs: u64) -> (Progress, Shared) {
        let lines = Shared::default();
        (Progress::with_view(View::Plain { lines: Box::new(lines.clone()), interval }, total_epochs), lines)
    }

    fn text(lines: &Shared) -> String {
        String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn modes_are_read_from_their_names() {
        assert_eq!("plain".parse(), Ok(ProgressMode::Plain));
        assert!("loud".parse::<ProgressMode>().unwrap_err().contains("`loud`"));
    }

    #[test]
    fn quick_epochs_are_one_line_each() {
        let (mut progress, lines) = plain(LINES, 2);
        for epoch in 1..=2 {
            progress.begin_epoch(epoch, 1_000);
            (0..1_000).for_each(|_| progress.advance(1, Some(0.5)));
            progress.end_epoch("train loss 0.5000");
        }
        let text = text(&lines);
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.starts_with("epoch 1/2: train loss 0.5000  [0.0 s, ") && text.contains(" left]\n"), "{text}");
        assert!(text.ends_with(" images/s]\n"), "after the last epoch nothing is left: {text}");
    }

    #[test]
    fn slow_epochs_tell_where_they_are() {
        let (mut progress, lines) = plain(Duration::ZERO, 9);
        progress.begin_epoch(3, 200);
        progress.advance(50, Some(0.25));
        progress.message("checkpoint saved");
        let text = text(&lines);
        assert!(text.starts_with("epoch 3/9: 25%, ") && text.contains(" images/s, "), "{text}");
        assert!(text.ends_with(" left, loss 0.2500\ncheckpoint saved\n"), "{text}");
    }

    #[test]
    fn samples_of_a_resumed_epoch_do_not_count_as_speed() {
        let mut progress = Progress::new(ProgressMode::None, 3);
        progress.begin_epoch(1, 100);
        progress.advance(90, None);
        assert_eq!((progress.rate(), progress.left_after_this()), (0.0, None));
        progress.advance(5, Some(1.0));
        assert!(progress.rate() > 0.0);
        assert_eq!((progress.samples, progress.loss), (95, Some(1.0)));
        progress.begin_epoch(2, 100);
        progress.advance(0, None);
        assert!(progress.left_after_this().is_some());
    }

    #[test]
    fn a_closed_pipe_does_not_end_training() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }

            fn flush(&mut self) -> io::Result<()> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
        }
        let mut progress = Progress::with_view(View::Plain { lines: Box::new(Closed), interval: Duration::ZERO }, 1);
        progress.begin_epoch(1, 2);
        progress.advance(1, Some(1.0));
        progress.end_epoch("done");
    }
}
