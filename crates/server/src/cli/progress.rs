use std::io::{IsTerminal as _, Write as _};

/// Shows the progress of a long command on standard error: a changing line on a terminal, a few plain lines in a pipe.
pub(super) struct Progress {
    doing: &'static str,
    terminal: bool,
    told: u64,
}

impl Progress {
    pub(super) fn of(doing: &'static str) -> Self {
        Self { doing, terminal: std::io::stderr().is_terminal(), told: 0 }
    }

    /// Reports that `done` of `all` are done.
    pub(super) fn tell(&mut self, done: u64, all: u64) {
        let percent = (done * 100).checked_div(all).unwrap_or(100);
        let step = if self.terminal { 1 } else { 10 };
        if percent < self.told + step && done < all {
            return;
        }
        self.told = percent;
        let (begin, end) = if self.terminal { ("\r", if done < all { "" } else { "\n" }) } else { ("", "\n") };
        let mut out = std::io::stderr().lock();
        let _ =
            write!(out, "{begin}{}: {done} of {all} events, {percent} %{end}", self.doing).and_then(|()| out.flush());
    }
}
