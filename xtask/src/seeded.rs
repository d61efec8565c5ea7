//! `cargo xtask seeded`: bugs that others have shipped, put into a copy of the repository one by one. A named test of the
//! ordinary suite must notice each.

mod bugs;

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Output},
    time::Instant,
};

use crate::{
    files,
    stop::{Done, Stop},
    workspace::Workspace,
};

/// The copy that is broken; nothing is ever changed here.
const COPY: &str = "target/seeded/tree";
/// Where the copy is built.
const BUILD: &str = "target/seeded/build";
/// What was copied last time.
const COPIED: &str = "target/seeded/files.txt";

/// One way to break the code.
pub(crate) struct Bug {
    /// What is wrong then.
    what: &'static str,
    file: &'static str,
    /// A text that the file has once.
    text: &'static str,
    /// What stands there instead.
    instead: &'static str,
    /// Who notices: the package, its test binary, the name of the test or of its module.
    test: &'static str,
}

/// All bugs, or those whose sentence, file or test has one of the words.
pub(crate) fn run(workspace: &Workspace, words: &[String]) -> Done {
    if !workspace.has("cargo-nextest") {
        return Err(workspace.left_out("cargo-nextest is not installed"));
    }
    let bugs: Vec<&Bug> = bugs::all().filter(|bug| bug.is_meant(words)).collect();
    if bugs.is_empty() {
        return Err(Stop::Failed("there is no such bug".to_owned()));
    }
    copy(workspace)?;
    let broken = workspace.at(COPY);
    all_is_well(workspace, &broken, &bugs)?;
    let mut unnoticed = Vec::new();
    for bug in &bugs {
        let began = Instant::now();
        let noticed = bug.is_noticed(workspace, &broken)?;
        let verdict = if noticed { "noticed" } else { "NOT NOTICED" };
        println!("{verdict} in {} s: {}", began.elapsed().as_secs(), bug.what);
        if !noticed {
            unnoticed.push(format!("{} ({})", bug.what, bug.test));
        }
    }
    println!("{} of {} bugs noticed", bugs.len() - unnoticed.len(), bugs.len());
    if unnoticed.is_empty() {
        return Ok(());
    }
    Err(Stop::Failed(format!("not noticed: {}", unnoticed.join("; "))))
}

impl Bug {
    fn is_meant(&self, words: &[String]) -> bool {
        let mut texts = [self.what, self.file, self.test].into_iter();
        words.is_empty() || texts.any(|text| words.iter().any(|word| text.contains(word.as_str())))
    }

    /// The file with the bug in it.
    fn put_into(&self, source: &str) -> Result<String, Stop> {
        match source.matches(self.text).count() {
            1 => Ok(source.replacen(self.text, self.instead, 1)),
            found => Err(Stop::Failed(format!(
                "the bug \"{}\" doesn't fit any more: {} has its text {found} times, not once; correct it in xtask/src/seeded/bugs",
                self.what, self.file
            ))),
        }
    }

    fn is_noticed(&self, workspace: &Workspace, broken: &Workspace) -> Result<bool, Stop> {
        let path = broken.path(self.file);
        let source = files::read(&path)?;
        files::write(&path, &self.put_into(&source)?)?;
        let ran = ran(&mut tests(workspace, broken, self.test));
        files::write(&path, &source)?;
        let output = ran?;
        match output.status.code() {
            Some(0) => Ok(false),
            Some(TEST_FAILED) => Ok(true),
            _ => Err(unexpected(self.what, &output)),
        }
    }
}

/// What cargo-nextest's exit code says; another one is that it found no such test, or could not build it.
const TEST_FAILED: i32 = 100;

/// The same tests without a bug: what fails anyway notices nothing.
fn all_is_well(workspace: &Workspace, broken: &Workspace, bugs: &[&Bug]) -> Done {
    let mut binaries: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (binary, test) in bugs.iter().filter_map(|bug| bug.test.rsplit_once(' ')) {
        binaries.entry(binary).or_default().push(test);
    }
    for (binary, names) in binaries {
        println!("without a bug: {binary}");
        let output = ran(tests(workspace, broken, binary).args(names))?;
        if !output.status.success() {
            return Err(unexpected(binary, &output));
        }
    }
    Ok(())
}

fn tests(workspace: &Workspace, broken: &Workspace, test: &str) -> Command {
    let line = format!("cargo nextest run --locked --all-features --no-fail-fast --package {test}");
    let mut command = broken.command(&line);
    command
        .env("CARGO_TARGET_DIR", workspace.path(BUILD))
        .env("CARGO_PROFILE_DEV_DEBUG", "none");
    command
}

fn ran(command: &mut Command) -> Result<Output, Stop> {
    command
        .output()
        .map_err(|error| Stop::Failed(format!("cargo nextest did not start: {error}")))
}

fn unexpected(what: &str, output: &Output) -> Stop {
    println!("{}", String::from_utf8_lossy(&output.stderr));
    Stop::Failed(format!("{what}: the tests ended with {}", output.status))
}

/// Brings the copy up to date. What is the same is not touched, so that it isn't built again.
fn copy(workspace: &Workspace) -> Done {
    let listed = workspace
        .read(&mut workspace.command("git ls-files --cached --others --exclude-standard --deduplicate"))?;
    let copy = workspace.path(COPY);
    files::create_dir(&copy)?;
    let copied = workspace.path(COPIED);
    let before = fs::read_to_string(&copied).unwrap_or_default();
    for gone in before
        .lines()
        .filter(|file| !workspace.path(file).is_file() || !listed.lines().any(|listed| listed == *file))
    {
        files::remove(&copy.join(gone))?;
    }
    for file in listed.lines().filter(|file| workspace.path(file).is_file()) {
        refresh(&workspace.path(file), &copy.join(file))?;
    }
    files::write(&copied, &listed)
}

fn refresh(from: &Path, to: &Path) -> Done {
    if let (Ok(wanted), Ok(found)) = (fs::read(from), fs::read(to))
        && wanted == found
    {
        return Ok(());
    }
    if let Some(parent) = to.parent() {
        files::create_dir(parent)?;
    }
    files::copy(from, to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// Code moves on: a bug that no longer fits is a hole in the list.
    #[test]
    fn every_bug_still_fits_the_code() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("a workspace");
        for bug in bugs::all() {
            let source = files::read(&root.join(bug.file)).expect(bug.file);
            let broken = bug.put_into(&source).expect(bug.what);
            assert_ne!(broken, source, "{}", bug.what);
        }
    }

    #[test]
    fn no_bug_is_there_twice() {
        let sentences: HashSet<_> = bugs::all().map(|bug| bug.what).collect();
        assert_eq!(sentences.len(), bugs::all().count());
        let places: HashSet<_> = bugs::all().map(|bug| (bug.file, bug.instead, bug.text)).collect();
        assert_eq!(places.len(), bugs::all().count());
    }

    #[test]
    fn a_bug_that_no_longer_fits_says_so() {
        let bug = Bug {
            what: "one is two",
            file: "src/lib.rs",
            text: "1",
            instead: "2",
            test: "gatepass-core --lib one",
        };
        assert_eq!(bug.put_into("a 1 b"), Ok("a 2 b".to_owned()));
        for source in ["", "1 and 1"] {
            let Err(Stop::Failed(reason)) = bug.put_into(source) else {
                panic!("it fits {source:?}");
            };
            assert!(
                reason.contains("one is two") && reason.contains("src/lib.rs"),
                "{reason}"
            );
        }
    }

    #[test]
    fn a_word_chooses_by_sentence_file_or_test() {
        let bug = Bug {
            what: "one is two",
            file: "src/lib.rs",
            text: "1",
            instead: "2",
            test: "gatepass-core --lib one",
        };
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        for line in ["", "two", "lib.rs", "gatepass-core", "none two"] {
            assert!(bug.is_meant(&words(line)), "{line}");
        }
        assert!(!bug.is_meant(&words("three")));
    }
}
