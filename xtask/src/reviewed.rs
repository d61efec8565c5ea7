//! No crate comes into `Cargo.lock` unseen: `crates.reviewed` names those that somebody has looked at.

use std::collections::BTreeSet;

use crate::{
    apart, files,
    stop::{Done, Stop},
    workspace::Workspace,
};

/// One name a line; `#` begins a comment.
const LIST: &str = "crates.reviewed";

/// Holds the lock files of what is published against the list, in both directions.
pub(crate) fn run(workspace: &Workspace) -> Done {
    let mut locked = BTreeSet::new();
    let locks = [
        "Cargo.lock".to_owned(),
        apart::RIG.replace("Cargo.toml", "Cargo.lock"),
    ];
    let texts = locks
        .iter()
        .map(|lock| files::read(&workspace.path(lock)))
        .collect::<Result<Vec<_>, _>>()?;
    for text in &texts {
        locked.extend(foreign_crates(text));
    }
    let list = files::read(&workspace.path(LIST))?;
    let reviewed = names(&list);
    let mut complaints = Vec::new();
    let unseen: Vec<_> = locked.difference(&reviewed).copied().collect();
    if !unseen.is_empty() {
        complaints.push(format!(
            "nobody has reviewed {} (is the name right? who owns it, since when, is it maintained?): then add it to {LIST}",
            unseen.join(", ")
        ));
    }
    let gone: Vec<_> = reviewed.difference(&locked).copied().collect();
    if !gone.is_empty() {
        complaints.push(format!(
            "{} is no longer used: take it out of {LIST}",
            gone.join(", ")
        ));
    }
    if complaints.is_empty() {
        return Ok(());
    }
    Err(Stop::Failed(complaints.join("; ")))
}

/// The packages of a lock file that come from somewhere else.
fn foreign_crates(lock: &str) -> impl Iterator<Item = &str> {
    lock.split("[[package]]")
        .filter(|package| package.contains("\nsource = "))
        .filter_map(|package| package.split("\nname = \"").nth(1)?.split('"').next())
}

fn names(list: &str) -> BTreeSet<&str> {
    list.lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .filter(|name| !name.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_packages_need_no_review() {
        let lock = "version = 4\n\n[[package]]\nname = \"gatepass\"\nversion = \"0.1.0\"\n\n\
                    [[package]]\nname = \"http\"\nversion = \"1.4.0\"\nsource = \"somewhere\"\n";
        assert_eq!(foreign_crates(lock).collect::<Vec<_>>(), ["http"]);
    }

    #[test]
    fn the_list_may_have_comments() {
        assert_eq!(
            names("# why\nhttp # types\n\nbytes\n"),
            BTreeSet::from(["bytes", "http"])
        );
    }
}
