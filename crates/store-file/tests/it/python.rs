//! Python's `cryptography` reads our files, and we read its.

use crate::support::{CREDENTIALS, Home, META, credential, key, loaded, missing};
use gatepass_core::{CredentialStore, ExposeSecret};
use gatepass_file_store::import_kagura;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A Python with the pinned `cryptography`, made once.
fn python() -> Option<PathBuf> {
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/requirements.txt");
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python-cryptography");
    let (python, done) = (venv.join("bin/python"), venv.join("installed.txt"));
    let wanted = std::fs::read(&requirements).unwrap();
    if std::fs::read(&done).is_ok_and(|installed| installed == wanted) {
        return Some(python);
    }
    let made = run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv));
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
        "-r",
    ];
    if made.is_none() || run(Command::new(&python).args(pip).arg(requirements)).is_none() {
        missing("python3 with venv, or its package cryptography,");
        return None;
    }
    std::fs::write(done, wanted).unwrap();
    Some(python)
}

/// What it prints; `None` if it fails.
fn run(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    if !output.status.success() {
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
        return None;
    }
    String::from_utf8(output.stdout).ok()
}

fn script(python: &Path, home: &Home, script: &str) -> String {
    let mut command = Command::new(python);
    run(command.args(["-c", script]).current_dir(&home.path)).expect("the script runs")
}

/// One test, so that two don't install at once.
#[tokio::test]
async fn python_reads_ours_and_we_read_pythons() {
    let Some(python) = python() else { return };
    python_reads_our_file(&python).await;
    we_read_what_python_changed(&python).await;
    we_use_a_key_that_python_made(&python).await;
    we_import_what_python_wrote(&python);
}

async fn python_reads_our_file(python: &Path) {
    let home = Home::with_jane().await;
    home.store()
        .save(&key("jo\u{e9}"), &credential("2"))
        .await
        .unwrap();
    let printed = script(
        python,
        &home,
        "import json; from cryptography.fernet import Fernet\n\
         d = json.loads(Fernet(open('.key','rb').read()).decrypt(open('credentials.json.enc','rb').read()))\n\
         print(d['format'], d['version'], len(d['credentials']), d['credentials']['corp/jo\\u00e9']['credential']['refresh_token'])",
    );
    assert_eq!(printed.trim(), "gatepass-credentials 1 2 refresh-2");
}

async fn we_read_what_python_changed(python: &Path) {
    let home = Home::with_jane().await;
    script(
        python,
        &home,
        "import json; from cryptography.fernet import Fernet\n\
         f = Fernet(open('.key','rb').read()); p = 'credentials.json.enc'\n\
         d = json.loads(f.decrypt(open(p,'rb').read()))\n\
         c = d['credentials']['corp/jane']['credential']\n\
         c['access_token'] = 'access-9'; c['refresh_token'] = 'refresh-9'; d['credentials']['corp/jane']['x'] = [1, {'y': None}]\n\
         open(p,'wb').write(f.encrypt(json.dumps(d).encode()))",
    );
    assert_eq!(loaded(&home.store(), "jane").await.unwrap().as_deref(), Some("9"));
}

async fn we_use_a_key_that_python_made(python: &Path) {
    let home = Home::with_jane().await;
    for name in [CREDENTIALS, ".key", META] {
        std::fs::remove_file(home.file(name)).unwrap();
    }
    script(
        python,
        &home,
        "import os; from cryptography.fernet import Fernet\n\
         os.umask(0o077); open('.key','wb').write(Fernet.generate_key())",
    );
    let made = home.read(".key");
    home.store().save(&key("jane"), &credential("1")).await.unwrap();
    assert_eq!(home.read(".key"), made);
    assert_eq!(loaded(&home.store(), "jane").await.unwrap().as_deref(), Some("1"));
}

/// As Kagura AI's `_save_credentials` writes them: an expiry with and without a fraction, no refresh token, nothing.
fn we_import_what_python_wrote(python: &Path) {
    for (expiry, seconds, refresh_token) in [
        ("'2026-11-22T01:58:46+00:00'", Some(1_795_312_726), "'1//RT'"),
        (
            "'2026-11-22T01:58:46.123456+00:00'",
            Some(1_795_312_726),
            "'1//RT'",
        ),
        ("None", None, "None"),
    ] {
        let home = Home::new();
        std::fs::create_dir_all(&home.path).unwrap();
        let write = format!(
            "import json; from cryptography.fernet import Fernet\n\
             k = Fernet.generate_key(); open('.key','wb').write(k)\n\
             d = {{'token': 'ya29.NEW', 'refresh_token': {refresh_token}, 'token_uri': 'https://as.example/token',\n\
             'client_id': 'CID', 'client_secret': 'CSEC', 'scopes': ['https://scope.example/a', 'openid'], 'expiry': {expiry}}}\n\
             open('credentials.json.enc','wb').write(Fernet(k).encrypt(json.dumps(d).encode()))"
        );
        script(python, &home, &write);
        let imported = import_kagura(&home.path).unwrap();
        let credential = imported.credential;
        let token = credential.access_token.unwrap();
        let expiry = token
            .expires_at()
            .map(|time| time.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs());
        assert_eq!((token.expose_secret(), expiry), ("ya29.NEW", seconds));
        assert_eq!(credential.refresh_token.is_some(), seconds.is_some());
        assert_eq!(
            (credential.token_url.as_str(), credential.client_id.as_str()),
            ("https://as.example/token", "CID")
        );
        assert_eq!(
            credential.scopes.unwrap().to_string(),
            "https://scope.example/a openid"
        );
        assert_eq!(imported.client_secret.unwrap().expose_secret(), "CSEC");
    }
}
