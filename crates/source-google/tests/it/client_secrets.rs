//! G4, and the bad input of such files.

use gatepass_core::{Severity, TokenError};
use gatepass_google::{ClientSecrets, ClientSecretsError};
use gatepass_http::{HttpClient, HttpOptions};
use gatepass_testkit::AuthorizationServer;
use serde_json::{Value, json};
use std::path::Path;

fn parse(text: &str) -> Result<ClientSecrets, ClientSecretsError> {
    ClientSecrets::parse(Path::new("/conf/client_secrets.json"), text.as_bytes())
}

/// As the console hands it out.
fn installed() -> Value {
    json!({"installed": {
        "client_id": "1.apps.googleusercontent.com",
        "project_id": "my-project",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": "https://oauth2.googleapis.com/token",
        "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
        "client_secret": "canary-secret",
        "redirect_uris": ["http://localhost"],
    }})
}

fn with(member: &str, value: Value) -> String {
    let mut document = installed();
    document
        .pointer_mut("/installed")
        .unwrap()
        .as_object_mut()
        .unwrap()
        .insert(member.into(), value);
    document.to_string()
}

fn http() -> HttpClient {
    HttpClient::new(HttpOptions::default()).unwrap()
}

#[tokio::test]
async fn a_file_of_the_console_is_read() {
    let secrets = parse(&installed().to_string()).unwrap();
    assert_eq!(secrets.client().id(), "1.apps.googleusercontent.com");
    assert_eq!(secrets.quota_project(), Some("my-project"));
    assert_eq!(
        secrets.server().token_endpoint.as_str(),
        "https://oauth2.googleapis.com/token"
    );
    assert_eq!(
        secrets.server().issuer.as_deref(),
        Some("https://accounts.google.com")
    );
    assert!(secrets.revocation(http()).await.is_ok());
    assert!(!format!("{secrets:?}").contains("canary"));
    let bare = parse(r#"{"installed": {"client_id": "public"}}"#).unwrap();
    assert_eq!(bare.server().issuer, secrets.server().issuer);
    assert!(parse(&format!("\u{feff}{}", installed())).is_ok());
}

#[tokio::test]
async fn what_is_known_of_google_is_believed_of_googles_own_hosts_only() {
    for (member, url) in [
        ("token_uri", "https://as.example/token"),
        ("token_uri", "https://oauth2.googleapis.com.evil.example/token"),
        ("token_uri", "https://oauth2.googleapis.com:8443/token"),
        ("token_uri", "https://evil-accounts.google.com.example/"),
        ("auth_uri", "https://as.example/authorize"),
        ("auth_uri", "http://127.0.0.1:8080/authorize"),
    ] {
        let secrets = parse(&with(member, url.into())).unwrap();
        assert!(secrets.server().issuer.is_none(), "{url}");
        assert!(secrets.revocation(http()).await.is_err(), "{url}");
    }
}

/// G03: a token goes to no host that did not issue it.
#[tokio::test]
async fn another_server_revokes_where_its_own_origin_says_beside_the_files_endpoints() {
    let server = AuthorizationServer::start().await;
    let (issuer, other) = (server.issuer(), AuthorizationServer::start().await);
    let secrets = |auth_uri: String| {
        let text = json!({"installed": {
            "client_id": "joe", "auth_uri": auth_uri, "token_uri": server.token_url(),
        }});
        parse(&text.to_string()).unwrap()
    };
    let ours = || secrets(server.authorization_url());
    assert!(ours().revocation(http()).await.is_ok());

    let published = |issuer: &str| {
        json!({
            "issuer": issuer,
            "authorization_endpoint": server.authorization_url(),
            "token_endpoint": server.token_url(),
            "revocation_endpoint": server.revocation_url(),
        })
    };
    server.set_metadata(published(&format!("{issuer}/")));
    assert!(ours().revocation(http()).await.is_ok());
    for (member, value) in [
        ("issuer", "https://as.example".into()),
        ("authorization_endpoint", format!("{issuer}/another")),
        ("token_endpoint", format!("{issuer}/another")),
        ("revocation_endpoint", other.revocation_url()),
        ("revocation_endpoint", "https://as.example/revoke".into()),
    ] {
        let mut document = published(&issuer);
        document[member] = value.into();
        server.set_metadata(document);
        let error = ours().revocation(http()).await.unwrap_err();
        assert!(matches!(error, TokenError::Config(_)), "{member}: {error:?}");
    }

    server.set_metadata(published(&issuer));
    let asked = server.requests().len();
    let elsewhere = secrets(other.authorization_url()).revocation(http()).await;
    assert!(elsewhere.is_err() && server.requests().len() == asked);
    let revoked = |server: &AuthorizationServer| {
        let requests = server.requests();
        requests
            .iter()
            .filter(|request| request.path == "/revoke")
            .count()
    };
    assert_eq!((revoked(&server), revoked(&other)), (0, 0));
}

#[test]
fn a_web_client_needs_an_address_of_this_machine() {
    let web = |uris: Value| {
        let mut section = installed().pointer("/installed").unwrap().clone();
        section
            .as_object_mut()
            .unwrap()
            .insert("redirect_uris".into(), uris);
        parse(&json!({ "web": section }).to_string())
    };
    assert!(web(json!(["https://app.example/cb", "http://127.0.0.1:8085/cb"])).is_ok());
    for bad in [
        json!([]),
        json!(["https://app.example/cb"]),
        json!(["https://127.0.0.1:8085/"]),
        json!(["http://127.0.0.1/"]),
        json!(["http://127.0.0.1.evil.example:80/"]),
        json!(["http://localhost:8085/"]),
        json!(["http://u@127.0.0.1:8085/"]),
        json!(["nonsense"]),
    ] {
        let error = web(bad.clone()).unwrap_err();
        assert!(
            matches!(error, ClientSecretsError::Invalid { .. }),
            "{bad}: {error}"
        );
        assert!(error.fix().contains("Desktop app"), "{}", error.fix());
    }
}

#[test]
fn a_file_of_another_kind_is_called_by_its_name() {
    for (document, name) in [
        (
            json!({"type": "service_account", "private_key": "canary"}),
            "a service account key",
        ),
        (
            json!({"type": "authorized_user", "refresh_token": "canary"}),
            "a login of gcloud",
        ),
        (
            json!({"type": "external_account"}),
            "an external account's configuration",
        ),
        (json!({"type": "canary"}), "a credential of another kind"),
        (json!({}), "a file of another kind"),
        (json!({"client_id": "canary"}), "a file of another kind"),
    ] {
        let error = parse(&document.to_string()).unwrap_err();
        let expected =
            format!("/conf/client_secrets.json is {name}, not the client secrets of a desktop application");
        assert_eq!(error.to_string(), expected);
        assert!(
            error
                .fix()
                .contains("https://console.cloud.google.com/apis/credentials")
        );
        assert!(!format!("{error:?}").contains("canary"));
    }
}

#[test]
fn a_damaged_file_is_an_error_that_names_the_place_and_shows_nothing() {
    let good = with("client_id", "canary".into());
    let mut bad: Vec<String> = (0..good.len())
        .map(|end| good.chars().take(end).collect())
        .collect();
    bad.extend(
        [
            "null",
            "[]",
            "7",
            "\"canary\"",
            "<html>canary",
            "{\"installed\": 7}",
        ]
        .map(String::from),
    );
    bad.extend([
        with("client_id", json!("")),
        with("client_id", json!(7)),
        with("client_id", json!(null)),
        with("auth_uri", json!("http://canary.example/")),
        with("auth_uri", json!("javascript:canary")),
        with("token_uri", json!("canary")),
        with("token_uri", json!("https://canary@as.example/")),
        " ".repeat(70_000),
    ]);
    for text in &bad {
        let error = parse(text).unwrap_err();
        assert!(error.to_string().contains("/conf/client_secrets.json"), "{error}");
        assert!(
            !format!("{error} {error:?} {}", error.fix()).contains("canary"),
            "{text}: {error:?}"
        );
    }
}

#[test]
fn a_missing_file_says_how_to_get_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("client_secrets.json");
    let error = ClientSecrets::read(&path).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("client secrets file not found: {}", path.display())
    );
    assert!(
        error.fix().ends_with(&format!("save it as {}", path.display())),
        "{}",
        error.fix()
    );
    assert!(matches!(
        ClientSecrets::read(directory.path()),
        Err(ClientSecretsError::Unreadable { .. })
    ));
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("client_secrets.json");
    std::fs::write(&path, installed().to_string()).unwrap();
    for (mode, warned) in [(0o644, true), (0o640, true), (0o600, false), (0o400, false)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let warning = ClientSecrets::read(&path).unwrap().readable_by_others();
        assert_eq!(warning.is_some(), warned, "{mode:o}");
        assert!(warning.is_none_or(|warning| warning.severity == Severity::Warning));
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_waited_for_and_what_has_no_end_is_not_read_to_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("client_secrets.json");
    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    for path in [&*path, Path::new("/dev/zero")] {
        let error = ClientSecrets::read(path).unwrap_err();
        assert!(
            matches!(error, ClientSecretsError::Unreadable { .. }),
            "{error:?}"
        );
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(cause, "it is not a regular file");
    }
}
