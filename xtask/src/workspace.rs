//! Where the repository is, and how programs are called in it.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
};

use crate::stop::{Done, Stop};

/// The repository that `cargo xtask` was called in.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    search_path: OsString,
    in_ci: bool,
}

impl Workspace {
    pub(crate) fn here() -> Result<Self, String> {
        // Asked at run time: a target folder may be shared between checkouts.
        let xtask = variable("CARGO_MANIFEST_DIR").ok_or("call it as `cargo xtask`")?;
        let root = Path::new(&xtask)
            .parent()
            .ok_or("xtask has no folder above it")?
            .to_owned();
        let path = variable("PATH").unwrap_or_default();
        let folders = [root.join("target/tools/bin")]
            .into_iter()
            .chain(env::split_paths(&path));
        let search_path = env::join_paths(folders).map_err(|error| error.to_string())?;
        Ok(Self {
            root,
            search_path,
            in_ci: variable("CI").is_some_and(|value| is_set(&value)),
        })
    }

    /// A copy of it that lies under it, with the same tools.
    pub(crate) fn at(&self, relative: &str) -> Self {
        Self {
            root: self.path(relative),
            ..self.clone()
        }
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    pub(crate) fn in_ci(&self) -> bool {
        self.in_ci
    }

    /// Whether files that hold what is expected are to be written anew.
    pub(crate) fn updates_golden_files(&self) -> bool {
        variable("UPDATE_GOLDEN").is_some_and(|value| is_set(&value))
    }

    /// Whether `program` is in `target/tools/bin` or on `PATH`.
    pub(crate) fn has(&self, program: &str) -> bool {
        let file = format!("{program}{}", env::consts::EXE_SUFFIX);
        env::split_paths(&self.search_path).any(|folder| folder.join(&file).is_file())
    }

    /// A command, its words separated by spaces, to be run at the root.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut words = line.split_whitespace();
        let mut command = Command::new(words.next().unwrap_or_default());
        command
            .args(words)
            .current_dir(&self.root)
            .env("PATH", &self.search_path)
            .stdin(Stdio::null());
        for (name, _) in env::vars_os().filter(|(name, _)| describes_xtask(name)) {
            command.env_remove(name);
        }
        command
    }

    /// Runs a command in sight of the person at the terminal.
    pub(crate) fn run(&self, command: &mut Command) -> Done {
        println!("$ {}", shown(command));
        let status = command.status().map_err(|error| not_started(command, &error))?;
        judged(command, status)
    }

    /// The same for a command that is but a line.
    pub(crate) fn run_line(&self, line: &str) -> Done {
        self.run(&mut self.command(line))
    }

    /// What a command writes to its standard output.
    pub(crate) fn read(&self, command: &mut Command) -> Result<String, Stop> {
        let output = command
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| not_started(command, &error))?;
        judged(command, output.status)?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs a command, and keeps to itself what it writes to its standard error: how it ended, and that.
    pub(crate) fn overhear(&self, command: &mut Command) -> Result<(ExitStatus, String), Stop> {
        println!("$ {}", shown(command));
        let output = command.output().map_err(|error| not_started(command, &error))?;
        Ok((
            output.status,
            String::from_utf8_lossy(&output.stderr).into_owned(),
        ))
    }

    /// Something could not be looked at: nobody's fault on a developer's machine, a failure in CI.
    pub(crate) fn left_out(&self, reason: impl Into<String>) -> Stop {
        if self.in_ci {
            Stop::Failed(reason.into())
        } else {
            Stop::LeftOut(reason.into())
        }
    }
}

/// Whether cargo set the variable to describe xtask itself. Some build scripts (ring's) watch such
/// variables: passed on, they would build again after each change between `cargo` and `cargo xtask`.
fn describes_xtask(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
}

fn is_set(value: &OsStr) -> bool {
    !value.is_empty() && value != "false"
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where xtask reads its environment"
)]
fn variable(name: &str) -> Option<OsString> {
    env::var_os(name)
}

fn judged(command: &Command, status: ExitStatus) -> Done {
    if status.success() {
        Ok(())
    } else {
        Err(Stop::Failed(format!("`{}`: {status}", shown(command))))
    }
}

fn not_started(command: &Command, error: &std::io::Error) -> Stop {
    Stop::Failed(format!("`{}` did not start: {error}", shown(command)))
}

fn shown(command: &Command) -> String {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(in_ci: bool) -> Workspace {
        Workspace {
            root: env::temp_dir(),
            search_path: OsString::new(),
            in_ci,
        }
    }

    #[test]
    fn a_command_is_shown_as_it_would_be_typed() {
        assert_eq!(
            shown(&workspace(false).command("cargo  test -- --quiet")),
            "cargo test -- --quiet"
        );
    }

    #[test]
    fn what_is_left_out_fails_in_ci_alone() {
        assert_eq!(
            workspace(false).left_out("no npm"),
            Stop::LeftOut("no npm".to_owned())
        );
        assert_eq!(
            workspace(true).left_out("no npm"),
            Stop::Failed("no npm".to_owned())
        );
    }

    #[test]
    fn ci_counts_as_set_unless_empty_or_false() {
        assert!(is_set(OsStr::new("true")) && is_set(OsStr::new("1")));
        assert!(!is_set(OsStr::new("")) && !is_set(OsStr::new("false")));
    }

    #[test]
    fn children_do_not_learn_that_cargo_ran_xtask() {
        assert!(
            describes_xtask(OsStr::new("CARGO_PKG_NAME"))
                && describes_xtask(OsStr::new("CARGO_MANIFEST_DIR"))
        );
        assert!(!describes_xtask(OsStr::new("CARGO_HOME")));
    }

    #[test]
    fn a_program_that_is_nowhere_did_not_start() {
        let stop = workspace(false)
            .run_line("gatepass-no-such-program")
            .expect_err("it does not exist");
        assert!(matches!(stop, Stop::Failed(reason) if reason.contains("did not start")));
    }
}
