//! A running server of the real binary, and the ways it can end.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::program::devskyy;

/// How long anything may take on a busy machine before a journey gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A running server. It is killed when this is dropped.
pub(crate) struct Server {
    child: Child,
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
        let log = std::fs::OpenOptions::new().create(true).append(true).open(directory.join("log.jsonl")).unwrap();
        let mut command = devskyy(directory);
        command.args(["serve", "--port", "0", "--set", "runs.lease_s=2"]).stdout(Stdio::piped()).stderr(log);
        change(&mut command);
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut banner = String::new();
        while !banner.contains("Stop with Ctrl-C.") {
            if out.read_line(&mut banner).unwrap() == 0 {
                let log = std::fs::read_to_string(directory.join("log.jsonl")).unwrap_or_default();
                panic!("the server did not start: {banner}\n{log}");
            }
        }
        let url = banner.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
        // Whatever else it says must not fill the pipe.
        std::thread::spawn(move || out.read_to_end(&mut Vec::new()));
        Self { child, url, banner, directory: directory.to_owned() }
    }

    /// The number of the process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Ends the process as a power failure would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends the process a signal, for example `-TERM`.
    pub(crate) fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }

    /// Waits for the process to end; its exit code and how long that took.
    pub(crate) fn ended(mut self) -> (Option<i32>, Duration) {
        let asked = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code(), asked.elapsed());
            }
            assert!(asked.elapsed() < PATIENCE, "the server does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Everything the server has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.directory.join("log.jsonl")).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
