//! A running server of the real binary, and the ways it can end.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use crate::{process::Process, program::devskyy};

/// How long anything may take on a busy machine before a journey gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A running server. Its process is killed when this is dropped.
pub(crate) struct Server {
    process: Process,
    pub(crate) url: String,
    pub(crate) banner: String,
    pub(crate) directory: PathBuf,
}

impl Server {
    /// Starts a server on a free port with its data and its log in a directory.
    pub(crate) fn start(directory: &Path) -> Self {
        Self::start_with(directory, |_| {})
    }

    /// Starts a server after a last change to its command.
    pub(crate) fn start_with(directory: &Path, change: impl FnOnce(&mut Command)) -> Self {
        let log = directory.join("log.jsonl");
        let opened = std::fs::OpenOptions::new().create(true).append(true).open(&log).unwrap();
        let mut command = devskyy(directory);
        command.args(["serve", "--port", "0", "--set", "runs.lease_s=2"]).stdout(Stdio::piped()).stderr(opened);
        change(&mut command);
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut banner = String::new();
        while !banner.contains("Stop with Ctrl-C.") {
            if out.read_line(&mut banner).unwrap() == 0 {
                let log = std::fs::read_to_string(&log).unwrap_or_default();
                panic!("the server did not start: {banner}\n{log}");
            }
        }
        let url = banner.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
        // The rest of its output must not fill the pipe.
        std::thread::spawn(move || out.read_to_end(&mut Vec::new()));
        Self { process: Process::of(child, log), url, banner, directory: directory.to_owned() }
    }

    /// The id of the process.
    pub(crate) fn process(&self) -> u32 {
        self.process.id()
    }

    /// Ends the process as a power failure would.
    pub(crate) fn kill(self) {
        self.process.kill();
    }

    /// Sends the process a signal, for example `-TERM`.
    pub(crate) fn signal(&self, signal: &str) {
        self.process.signal(signal);
    }

    /// Waits for the process to end; returns its exit code and how long that took.
    pub(crate) fn ended(self) -> (Option<i32>, Duration) {
        self.process.ended()
    }

    /// Waits until the server has logged something.
    pub(crate) fn until_logged(&self, text: &str) {
        self.process.until_said(text);
    }

    /// Everything the server has logged.
    pub(crate) fn log(&self) -> String {
        self.process.said()
    }
}
