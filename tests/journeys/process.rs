//! A process of the real binary whose log is read while it runs.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::server::PATIENCE;

/// A running process. It is killed when this is dropped.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a command whose standard error becomes a new log in a directory.
    pub(crate) fn start(command: &mut Command, directory: &Path) -> Self {
        std::fs::create_dir_all(directory).unwrap();
        let log = directory.join("log.jsonl");
        // An earlier process may have logged the same.
        let opened = File::create(&log).unwrap();
        Self::of(command.stdout(Stdio::null()).stderr(opened).spawn().unwrap(), log)
    }

    /// A process that was started already, and the file of its standard error.
    pub(crate) const fn of(child: Child, log: PathBuf) -> Self {
        Self { child, log }
    }

    /// Its id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it has logged something.
    pub(crate) fn until_said(&self, text: &str) {
        let asked = Instant::now();
        while !self.said().contains(text) {
            assert!(asked.elapsed() < PATIENCE, "it never says `{text}`: {}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Everything it has logged.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Sends it a signal, for example `-TERM`.
    pub(crate) fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }

    /// Ends it as a power failure would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end; returns its exit code and how long that took.
    pub(crate) fn ended(mut self) -> (Option<i32>, Duration) {
        let asked = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code(), asked.elapsed());
            }
            assert!(asked.elapsed() < PATIENCE, "it does not end: {}", self.said());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
