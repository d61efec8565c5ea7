use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::process::Stdio;

/// A terminal of the test's own.
pub(crate) struct Terminal {
    ours: OwnedFd,
    theirs: File,
}

impl Terminal {
    pub(crate) fn open() -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
        let theirs = OpenOptions::new().read(true).write(true).open(name).unwrap();
        Self { ours, theirs }
    }

    /// The end for a program.
    pub(crate) fn stdio(&self) -> Stdio {
        self.theirs.try_clone().unwrap().into()
    }

    /// What was shown up to the first line that is meant.
    pub(crate) async fn line(&self, is_meant: fn(&str) -> bool) -> String {
        let shown = BufReader::with_capacity(1, File::from(self.ours.try_clone().unwrap()));
        let reading = tokio::task::spawn_blocking(move || {
            let mut lines = shown.lines().map(Result::unwrap);
            lines.find(|line| is_meant(line)).unwrap()
        });
        reading.await.unwrap()
    }

    /// Types a line.
    pub(crate) fn types(&self, line: &str) {
        self.begins(&format!("{line}\n"));
    }

    /// Types what may be the beginning of a line.
    pub(crate) fn begins(&self, text: &str) {
        let mut ours = File::from(self.ours.try_clone().unwrap());
        ours.write_all(text.as_bytes()).unwrap();
    }

    /// Whether it shows what is typed.
    pub(crate) fn echoes(&self) -> bool {
        tcgetattr(&self.theirs)
            .unwrap()
            .local_modes
            .contains(LocalModes::ECHO)
    }

    /// The next line that was typed, for a program that comes later.
    pub(crate) async fn next_typed(&self) -> String {
        let mut typed = BufReader::new(self.theirs.try_clone().unwrap());
        let reading = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            typed.read_line(&mut line).unwrap();
            line
        });
        reading.await.unwrap()
    }

    /// All that was shown since, once every program has let go of it.
    pub(crate) async fn shown(self) -> String {
        drop(self.theirs);
        let mut ours = File::from(self.ours);
        let reading = tokio::task::spawn_blocking(move || {
            let mut shown = Vec::new();
            // Linux says "input/output error" in place of the end.
            _ = ours.read_to_end(&mut shown);
            String::from_utf8(shown).unwrap()
        });
        reading.await.unwrap()
    }
}
