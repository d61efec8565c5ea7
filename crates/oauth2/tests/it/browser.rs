//! The one place that starts a program.

#![cfg(unix)]

use gatepass_oauth2::{Browser, LoginError};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A browser that writes down its arguments, one a line.
fn recorder(directory: &Path) -> PathBuf {
    let script = directory.join("browser");
    let log = directory.join("log");
    let text = format!("#!/bin/sh\nprintf '%s\\n' \"$#\" \"$@\" > '{}'\n", log.display());
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    script
}

/// L12
#[tokio::test]
async fn only_an_address_reaches_the_browser_and_as_one_argument() {
    let directory = tempfile::tempdir().unwrap();
    let browser = Browser::new().with_program(recorder(directory.path()));
    let log = directory.path().join("log");
    for url in [
        "https://as.example/authorize?a=b&c=d",
        "https://as.example/$(id)",
        "https://as.example/?x=`id`;id|id",
        "https://as.example/%USERPROFILE%",
        "https://as.example/?a=%20--proxy-server=evil",
        "https://as.example/'\"><",
        "https://as.example/?x=^&calc.exe",
        "http://127.0.0.1:8080/?a=b",
        "http://[::1]:8080/",
        "HTTPS://AS.EXAMPLE/",
    ] {
        browser.open(url).await.unwrap();
        let lines = std::fs::read_to_string(&log).unwrap();
        let lines: Vec<_> = lines.lines().collect();
        assert_eq!(lines, ["1", url::Url::parse(url).unwrap().as_str()], "{url}");
        std::fs::remove_file(&log).unwrap();
    }
    for bad in [
        "",
        "-h",
        "--help",
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        "smb://evil.example/share",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://as.example/",
        "http://as.example/",
        "http://127.0.0.1.evil.example/",
        "https:///as.example",
        "https:as.example",
        "//as.example/",
        "as.example",
        "https://user:password@as.example/",
        "https://as.example/ --proxy-server=evil",
        "https://as.example/\n--help",
        "https://as.example/\u{0}",
        "https://as.example/\u{a0}x",
        " https://as.example/",
        "https://as.example/#fragment",
        "$(id)",
        "C:\\Windows\\System32\\calc.exe",
        "\\\\evil.example\\share",
        "vscode://evil",
        "mailto:a@b.example",
    ] {
        let error = browser.open(bad).await.unwrap_err();
        assert!(matches!(error, LoginError::Token(_)), "{bad:?}: {error}");
        assert!(!log.exists(), "{bad:?} reached the browser");
    }
}

/// H03: what the browser gets is the address, and the surroundings that this process has itself.
#[tokio::test]
async fn a_browser_finds_nothing_of_ours_in_its_environment() {
    let directory = tempfile::tempdir().unwrap();
    let script = recorder(directory.path());
    let log = directory.path().join("log");
    std::fs::write(&script, format!("#!/bin/sh\nexec env -0 > '{}'\n", log.display())).unwrap();
    let browser = Browser::only([script.into_os_string()]);
    browser
        .open("https://as.example/authorize?state=canary")
        .await
        .unwrap();
    let found = String::from_utf8(std::fs::read(&log).unwrap()).unwrap();
    let ours: Vec<_> = std::env::vars()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    // The shell's own.
    let shells = ["_=", "PWD=", "OLDPWD=", "SHLVL="];
    let mut added = found
        .split_terminator('\0')
        .filter(|variable| !ours.iter().any(|known| known == variable))
        .filter(|variable| !shells.iter().any(|name| variable.starts_with(name)));
    assert_eq!(added.next(), None);
    assert!(found.contains("PATH=") && found.contains("HOME="), "{found}");

    // A variable that holds a secret doesn't get there.
    let script = recorder(directory.path());
    std::fs::write(&script, format!("#!/bin/sh\nexec env -0 > '{}'\n", log.display())).unwrap();
    let browser = Browser::only([script.into_os_string()]).without_variable("HOME");
    browser.open("https://as.example/").await.unwrap();
    let found = String::from_utf8(std::fs::read(&log).unwrap()).unwrap();
    assert!(found.contains("PATH="), "{found}");
    assert!(
        !found.split('\0').any(|variable| variable.starts_with("HOME=")),
        "{found}"
    );
}

#[tokio::test]
async fn a_browser_that_is_not_there_or_fails_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let failing = recorder(directory.path());
    std::fs::write(&failing, "#!/bin/sh\nexit 3\n").unwrap();
    let url = "https://as.example/";
    // The platform's own may be there; it must not be asked by a test.
    let nowhere = Browser::only(["/nonexistent/browser".into(), failing.into_os_string()]);
    let error = nowhere.open(url).await.unwrap_err();
    assert_eq!(error.to_string(), "no browser could be started");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("exit status: 3"), "{cause}");
    assert!(error.fix().contains("paste"));
}

#[tokio::test]
async fn a_browser_that_runs_on_does_not_hold_up_the_login() {
    let directory = tempfile::tempdir().unwrap();
    let slow = recorder(directory.path());
    std::fs::write(&slow, "#!/bin/sh\nsleep 5\n").unwrap();
    let start = std::time::Instant::now();
    Browser::only([slow.into_os_string()])
        .open("https://as.example/")
        .await
        .unwrap();
    assert!(start.elapsed().as_secs() < 4);
}
