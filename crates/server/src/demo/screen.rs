//! What people see while the demo runs: on standard error, so that standard output is the report alone.

use std::io::{IsTerminal as _, Write as _};

/// Where people look.
#[derive(Debug)]
pub(super) struct Screen {
    coloured: bool,
    moving: bool,
    interactive: bool,
}

impl Screen {
    /// Looks at what standard input and output are connected to.
    pub(super) fn detect() -> Self {
        let moving = std::io::stderr().is_terminal();
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let interactive = moving && std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        Self { coloured: moving && !plain, moving, interactive }
    }

    /// Whether somebody sits there.
    pub(super) const fn interactive(&self) -> bool {
        self.interactive
    }

    pub(super) fn title(&self, text: &str) {
        self.line(&self.paint("1", text));
    }

    /// Something that has been done.
    pub(super) fn done(&self, what: &str, detail: &str) {
        self.line(&format!("{} {what:<10} {detail}", self.paint("32", "✓")));
    }

    pub(super) fn gap(&self) {
        self.line("");
    }

    pub(super) fn line(&self, text: &str) {
        self.write(&format!("{}{text}\n", self.clear()));
    }

    /// A line that the next one replaces; in a pipe there is none.
    pub(super) fn passing(&self, text: &str) {
        if self.moving {
            self.write(&format!("{}{text}", self.clear()));
        }
    }

    /// Text that waits for an answer on the same line.
    pub(super) fn ask(&self, text: &str) {
        self.write(&format!("{}{} ", self.clear(), self.paint("1;33", text)));
    }

    /// The text in a colour (ECMA-48), where there are colours.
    pub(super) fn paint(&self, colour: &str, text: &str) -> String {
        if self.coloured { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    const fn clear(&self) -> &'static str {
        if self.moving { "\r\u{1b}[K" } else { "" }
    }

    /// Nobody looking is no reason to stop.
    fn write(&self, text: &str) {
        let mut out = std::io::stderr().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}
