//! The codes in comments of tests, and `docs/ROWS.md`, which says what they stand for.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Where tests are.
const FOLDERS: [&str; 3] = ["crates", "tests", "xtask"];

#[test]
fn each_code_in_a_comment_stands_in_the_page() {
    let page = page();
    let codes: BTreeSet<_> = page.lines().filter_map(code_of_row).collect();
    assert!(codes.len() > 50, "{codes:?}");
    let mut missing = BTreeSet::new();
    for file in FOLDERS.iter().flat_map(|folder| sources(&root().join(folder))) {
        let text = fs::read_to_string(&file).unwrap();
        let used = text.lines().flat_map(codes_of_comment);
        let unknown = used.filter(|code| !codes.contains(code));
        missing.extend(unknown.map(|code| format!("{code} in {}", file.display())));
    }
    assert!(missing.is_empty(), "docs/ROWS.md lacks {missing:#?}");
}

#[test]
fn each_file_that_the_page_names_is_there_and_has_the_code() {
    let page = page();
    let mut named = 0;
    let mut wrong = Vec::new();
    for row in page.lines() {
        let Some(code) = code_of_row(row) else { continue };
        let names = row.rsplit('|').nth(1).unwrap_or_default().split('`');
        for name in names.filter(|name| name.contains(':')) {
            named += 1;
            let mut texts = files_of(name)
                .into_iter()
                .map(|file| fs::read_to_string(file).unwrap());
            if !texts.any(|text| text.lines().flat_map(codes_of_comment).any(|found| found == code)) {
                wrong.push(format!("{code} in {name}"));
            }
        }
    }
    assert!(named > 150, "{named}");
    assert!(wrong.is_empty(), "docs/ROWS.md says too much: {wrong:#?}");
}

#[test]
fn only_what_a_comment_begins_with_is_its_codes() {
    let codes = |line| codes_of_comment(line).collect::<Vec<_>>();
    assert_eq!(codes("    /// L04, L05, L10"), ["L04", "L05", "L10"]);
    assert_eq!(codes("//! M03: what belongs to one server"), ["M03"]);
    assert_eq!(codes("/// G7"), ["G7"]);
    for line in [
        "/// By S256 alone.",
        "/// The C1 controls",
        "let r12 = 1; // R12",
        "/// R123",
    ] {
        assert_eq!(codes(line), [""; 0], "{line}");
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn page() -> String {
    fs::read_to_string(root().join("docs/ROWS.md")).unwrap()
}

/// `| R12 | what | where |`
fn code_of_row(line: &str) -> Option<&str> {
    let (code, _) = line.strip_prefix("| ")?.split_once(' ')?;
    is_code(code).then_some(code)
}

/// The codes that a comment begins with.
fn codes_of_comment(line: &str) -> impl Iterator<Item = &str> {
    let comment = line.trim_start().strip_prefix("//").unwrap_or_default();
    let comment = comment.trim_start_matches(['/', '!']).trim_start();
    let words = comment
        .split(' ')
        .map(|word| (word.trim_end_matches([',', ':', ';']), word));
    // The first word without a comma is the last one of the list.
    let mut is_last = false;
    words
        .take_while(move |(code, word)| {
            let goes_on = !is_last && is_code(code);
            is_last = !word.ends_with(',');
            goes_on
        })
        .map(|(code, _)| code)
}

/// A letter and one or two digits.
fn is_code(text: &str) -> bool {
    let mut characters = text.chars();
    let letter = characters.next().is_some_and(|first| first.is_ascii_uppercase());
    let digits = characters.as_str();
    letter && (1..=2).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit())
}

/// The files of Rust under a folder, but for what was built.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files = Vec::new();
    for path in entries {
        if path.is_dir() {
            if !path.ends_with("target") && !path.ends_with("node_modules") {
                files.extend(sources(&path));
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The files of `PACKAGE:MODULE`, as the page explains it: one, or those of a folder, or both.
fn files_of(name: &str) -> Vec<PathBuf> {
    let Some((package, module)) = name.split_once(':') else {
        return Vec::new();
    };
    let package = match package {
        "e2e" => root().join("tests/e2e"),
        package => root().join("crates").join(package),
    };
    let mut places = vec![package.clone()];
    if let Ok(tests) = fs::read_dir(package.join("tests")) {
        places.extend(tests.map(|entry| entry.unwrap().path()));
    }
    let mut files = Vec::new();
    for place in places {
        let (file, folder) = (place.join(format!("{module}.rs")), place.join(module));
        if file.exists() {
            files.push(file);
        }
        if folder.is_dir() {
            files.extend(sources(&folder));
        }
    }
    files
}
