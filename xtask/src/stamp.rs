//! An installation is redone when what it was made from changes.

use std::{fs, path::PathBuf};

use crate::{
    files,
    stop::{Done, Stop},
};

/// A file beside an installation, with a copy of what it was made from.
#[derive(Debug)]
pub(crate) struct Stamp {
    path: PathBuf,
    content: String,
}

impl Stamp {
    /// A stamp for an installation made by `tool`, a name and a version, from the files `sources`.
    pub(crate) fn new(path: PathBuf, tool: &str, sources: &[PathBuf]) -> Result<Self, Stop> {
        let mut content = format!("{tool}\n");
        for source in sources {
            content.push_str(&files::read(source)?);
        }
        Ok(Self { path, content })
    }

    /// Installs, unless that was done before from the same sources. An installation that breaks off
    /// leaves no stamp.
    pub(crate) fn ensure(&self, install: impl FnOnce() -> Done) -> Done {
        if self.is_current() {
            return Ok(());
        }
        files::remove(&self.path)?;
        install()?;
        files::write(&self.path, &self.content)
    }

    fn is_current(&self) -> bool {
        fs::read_to_string(&self.path).is_ok_and(|found| found == self.content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of the test's own, gone when the test ends.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("xtask-stamp-{name}-{}", std::process::id()));
            files::create_dir(&path).expect("a folder");
            Self(path)
        }

        fn stamp(&self, tool: &str, lock: &str) -> Stamp {
            let source = self.0.join("lock");
            files::write(&source, lock).expect("a lock file");
            Stamp::new(self.0.join("stamp"), tool, &[source]).expect("a stamp")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            files::remove_dir(&self.0).expect("the folder goes away");
        }
    }

    fn installs(stamp: &Stamp) -> bool {
        let mut installed = false;
        let done = stamp.ensure(|| {
            installed = true;
            Ok(())
        });
        assert_eq!(done, Ok(()));
        installed
    }

    #[test]
    fn what_is_unchanged_is_installed_once() {
        let folder = Folder::new("once");
        assert!(installs(&folder.stamp("node v22", "a")));
        assert!(!installs(&folder.stamp("node v22", "a")));
    }

    #[test]
    fn a_new_lock_file_or_a_new_tool_installs_again() {
        let folder = Folder::new("again");
        assert!(installs(&folder.stamp("node v22", "a")));
        assert!(installs(&folder.stamp("node v22", "b")));
        assert!(installs(&folder.stamp("node v24", "b")));
    }

    #[test]
    fn an_installation_that_breaks_off_is_tried_again() {
        let folder = Folder::new("broken");
        assert!(installs(&folder.stamp("node v22", "a")));
        let broken = Stop::Failed("no network".to_owned());
        let changed = folder.stamp("node v22", "b");
        assert_eq!(
            changed.ensure(|| Err(Stop::Failed("no network".to_owned()))),
            Err(broken)
        );
        assert!(installs(&folder.stamp("node v22", "a")));
    }

    #[test]
    fn a_missing_lock_file_is_named() {
        let folder = Folder::new("missing");
        let stop = Stamp::new(folder.0.join("stamp"), "node", &[folder.0.join("nowhere")])
            .expect_err("it is missing");
        assert!(matches!(stop, Stop::Failed(reason) if reason.contains("nowhere")));
    }
}
