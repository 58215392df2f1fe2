//! The demo's output for people: on standard error, so that standard output only contains the report.

use std::io::{IsTerminal as _, Write as _};

/// The terminal, or what replaces it.
#[derive(Debug)]
pub(super) struct Screen {
    coloured: bool,
    moving: bool,
    interactive: bool,
}

impl Screen {
    /// Detects what standard input and output are connected to.
    pub(super) fn detect() -> Self {
        let moving = std::io::stderr().is_terminal();
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let interactive = moving && std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        Self { coloured: moving && !plain, moving, interactive }
    }

    /// Whether a person can be asked.
    pub(super) const fn interactive(&self) -> bool {
        self.interactive
    }

    pub(super) fn title(&self, text: &str) {
        self.line(&self.paint("1", text));
    }

    /// A completed action.
    pub(super) fn done(&self, what: &str, detail: &str) {
        self.line(&format!("{} {what:<10} {detail}", self.paint("32", "✓")));
    }

    pub(super) fn gap(&self) {
        self.line("");
    }

    pub(super) fn line(&self, text: &str) {
        self.write(&format!("{}{text}\n", self.clear()));
    }

    /// A line that the next one replaces; omitted in a pipe.
    pub(super) fn passing(&self, text: &str) {
        if self.moving {
            self.write(&format!("{}{text}", self.clear()));
        }
    }

    /// A prompt that waits for an answer on the same line.
    pub(super) fn ask(&self, text: &str) {
        self.write(&format!("{}{} ", self.clear(), self.paint("1;33", text)));
    }

    /// The text in a colour (ECMA-48), if colours are enabled.
    pub(super) fn paint(&self, colour: &str, text: &str) -> String {
        if self.coloured { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    const fn clear(&self) -> &'static str {
        if self.moving { "\r\u{1b}[K" } else { "" }
    }

    /// A failure to write is no reason to stop.
    fn write(&self, text: &str) {
        let mut out = std::io::stderr().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}
