//! C1: which files are read, and what a bad one does to whom.

use crate::support::{Directory, in_full, nothing, of_problem, provider, providers};
use gatepass_client_credentials::{Environment, Providers, ProvidersFile};
use gatepass_core::{ConfigError, Severity};
use serde_json::json;

const ONE: &str = r#"{"oauth2_providers": {"one": {"client_id": "i", "client_secret": "canary", "token_url": "https://as.example/t"}}}"#;
const TWO_TOML: &str =
    "[oauth2_providers.two]\nclient_id = 'i'\nclient_secret = 'canary'\ntoken_url = 'https://as.example/t'\n";

/// C1
#[test]
fn a_named_file_that_is_missing_is_an_error_and_a_default_one_is_not() {
    let directory = Directory::new();
    let missing = directory.file("litellm_config.json");
    let error = Providers::read(&missing).unwrap_err();
    assert!(matches!(error, ConfigError::File { .. }), "{error:?}");
    assert!(error.to_string().contains(missing.to_str().unwrap()), "{error}");

    let none = Providers::discover(directory.path());
    assert!(none.names().is_empty() && none.check().is_empty());
    assert!(none.find("one").unwrap().is_none());
    let error = none.get("one").unwrap_err();
    assert!(matches!(error, ConfigError::UnknownProvider { .. }), "{error:?}");
}

/// C1
#[test]
fn a_broken_default_file_harms_only_those_who_need_it() {
    for broken in [
        "{",
        "model_list:\n  - model_name: gpt-4o\n",
        "",
        "[]",
        r#"{"oauth2_providers": []}"#,
    ] {
        let directory = Directory::new()
            .with("litellm_config.json", broken)
            .with("gatepass.toml", TWO_TOML);
        let providers = Providers::discover(directory.path());
        assert!(providers.get("two").is_ok(), "it stands in the other file");
        assert!(
            providers.find("gpt-4o").unwrap().is_none(),
            "this name needs no file at all"
        );
        let error = providers.get("one").unwrap_err();
        assert!(in_full(&error).contains("litellm_config.json"), "{error}");
        let errors: Vec<_> = providers
            .check()
            .into_iter()
            .filter(|p| p.severity == Severity::Error)
            .collect();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(
            Providers::read(&directory.file("litellm_config.json")).is_err(),
            "named, it is an error"
        );
    }
}

/// C1
#[test]
fn a_directory_in_place_of_a_file_is_an_error() {
    let directory = Directory::new();
    std::fs::create_dir(directory.file("litellm_config.json")).unwrap();
    let path = directory.file("litellm_config.json");
    let error = Providers::read(&path).unwrap_err();
    assert!(matches!(error, ConfigError::File { .. }), "{error:?}");
    assert!(of_problem(&error.problem()).contains("directory"), "{error:?}");
    assert!(Providers::discover(directory.path()).get("one").is_err());
}

/// C1
#[test]
fn a_name_in_both_default_files_is_told_to_whoever_asks_for_it() {
    let twice = TWO_TOML.replace("two", "one");
    let directory = Directory::new()
        .with("litellm_config.json", ONE)
        .with("gatepass.toml", format!("{twice}{TWO_TOML}"));
    let providers = Providers::discover(directory.path());
    assert!(providers.get("two").is_ok());
    let error = providers.find("one").unwrap_err();
    let text = in_full(&error);
    assert!(
        text.contains("litellm_config.json") && text.contains("gatepass.toml"),
        "{text}"
    );
    assert!(text.contains("'one'") && !text.contains("canary"), "{text}");
    assert_eq!(providers.names(), ["one", "two"]);
}

/// C1
#[test]
fn other_keys_of_the_file_are_left_alone() {
    let (_directory, providers) = providers(
        r#"{"model_list": [{"model_name": "x"}], "litellm_settings": {"drop_params": true}, "general_settings": null,
            "oauth2_providers": {"p": {"client_id": "os.environ/I", "client_secret": "os.environ/S", "token_url": "https://as.example/t"}}}"#,
    );
    let providers = providers
        .unwrap()
        .with_environment(Environment::of([("I", "i"), ("S", "s")]));
    assert!(providers.get("p").is_ok());
    assert!(providers.check().is_empty(), "{:?}", providers.check());
}

/// C1
#[test]
fn a_misspelled_heading_is_told() {
    for heading in [
        "oauth2_provider",
        "oauth_providers",
        "oauth2-providers",
        "OAuth2_providers",
    ] {
        let (_directory, providers) = providers(&format!(r#"{{"{heading}": {{}}}}"#));
        let problems = providers.unwrap().check();
        assert_eq!(problems.len(), 1, "{heading}");
        assert_eq!(problems[0].severity, Severity::Warning);
        assert!(
            of_problem(&problems[0]).contains("did you mean oauth2_providers?"),
            "{:?}",
            problems[0]
        );
    }
}

/// C4
#[test]
fn an_unknown_provider_is_told_with_the_nearest_names() {
    let (directory, providers) =
        providers(r#"{"oauth2_providers": {"corp_gateway": {}, "my_provider": {}, "other": {}}}"#);
    let error = providers.unwrap().get("my_providr").unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("unknown provider 'my_providr'") && text.contains("did you mean 'my_provider'?"),
        "{text}"
    );
    assert!(text.contains(directory.path().to_str().unwrap()), "{text}");
    let fix = error.fix();
    assert!(
        fix.starts_with("write 'my_provider', or add 'my_providr' to"),
        "{fix}"
    );
}

/// C4
#[test]
fn a_provider_that_resembles_none_is_not_taken_for_one() {
    for (entries, configured) in [
        (r#""corp": {}, "team": {}"#, "corp, team"),
        (r#""corp": {}"#, "corp"),
    ] {
        let (_directory, providers) = providers(&format!(r#"{{"oauth2_providers": {{{entries}}}}}"#));
        let error = providers.unwrap().get("frobnitz").unwrap_err();
        let text = error.to_string();
        assert!(text.ends_with(&format!("(configured: {configured})")), "{text}");
        assert!(error.fix().starts_with("add 'frobnitz' to"), "{}", error.fix());
    }
    let nobodys = Providers::discover(Directory::new().path())
        .get("corp")
        .unwrap_err();
    assert_eq!(
        nobodys.fix(),
        "add 'corp' to oauth2_providers in ./litellm_config.json or ./gatepass.toml"
    );
}

/// C1: TOML is JSON in other words.
#[test]
fn the_same_entry_in_toml_is_the_same_provider() {
    let json = r#"{"oauth2_providers": {"corp": {
        "client_id": "i", "client_secret": "s", "token_url": "https://as.example/t", "scope": "a b", "refresh_token": "r",
        "provider_name": "corp", "base_url": "https://llm.example/v1", "audience": "urn:a", "resource": "https://r.example",
        "auth_style": "post", "timeout": 7.5, "allow_http": true, "ca_file": "ca.pem", "headers": {"x-tenant": "7"}}}}"#;
    let toml = r#"
        [oauth2_providers.corp]
        client_id = "i"
        client_secret = "s"
        token_url = "https://as.example/t"
        scope = "a b"
        refresh_token = "r"
        provider_name = "corp"
        base_url = "https://llm.example/v1"
        audience = "urn:a"
        resource = "https://r.example"
        auth_style = "post"
        timeout = 7.5
        allow_http = true
        ca_file = "ca.pem"
        headers = { x-tenant = "7" }
    "#;
    let directory = Directory::new().with("a.json", json).with("b.TOML", toml);
    let read = |name: &str| {
        let providers = Providers::read(&directory.file(name))
            .unwrap()
            .with_environment(nothing());
        let errors: Vec<_> = providers
            .check()
            .into_iter()
            // Its certificates are nowhere.
            .filter(|p| p.severity == Severity::Error && p.field.as_deref() != Some("ca_file"))
            .collect();
        assert!(errors.is_empty(), "{errors:?}");
        let mut provider = providers.get("corp").unwrap();
        provider.path = "the same".into();
        provider
    };
    assert_eq!(read("a.json"), read("b.TOML"));
    let provider = read("a.json");
    assert_eq!(
        provider.ca_file.unwrap(),
        directory.file("ca.pem"),
        "beside the file that names it"
    );
    assert_eq!(provider.timeout.unwrap().as_millis(), 7500);
}

/// C1
#[test]
fn the_name_inside_an_entry_must_be_its_own() {
    let entry = |name: &str| json!({"client_id": "i", "client_secret": "canary", "token_url": "https://as.example/t", "provider_name": name});
    assert!(provider(&entry("corp")).is_ok());
    for other in ["Corp", "corp ", "canary", ""] {
        let error = provider(&entry(other)).unwrap_err();
        assert!(
            error.to_string().contains("provider 'corp': provider_name"),
            "{error}"
        );
        assert!(!in_full(&error).contains("canary"), "{error:?}");
    }
}

/// A secret in a file that everybody can read.
#[cfg(unix)]
#[test]
fn a_secret_that_others_can_read_is_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let directory = Directory::new().with("litellm_config.json", ONE);
    let path = directory.file("litellm_config.json");
    for (mode, warnings) in [(0o644, 1), (0o640, 1), (0o600, 0), (0o400, 0)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let problems = ProvidersFile::read(&path).unwrap().check(&nothing());
        assert_eq!(problems.len(), warnings, "{mode:o}: {problems:?}");
        for problem in problems {
            assert_eq!(problem.severity, Severity::Warning);
            assert!(problem.fix.contains("chmod 600"), "{problem:?}");
            assert!(!of_problem(&problem).contains("canary"), "{problem:?}");
        }
    }
}

/// C1: a file may be a device that never ends.
#[test]
fn a_file_that_is_too_large_is_refused_before_it_is_read() {
    let limit = 10 << 20;
    let padded = |length: usize| format!("{ONE}{}", " ".repeat(length - ONE.len()));
    let directory = Directory::new()
        .with("full.json", padded(limit))
        .with("larger.json", padded(limit + 1));
    assert!(Providers::read(&directory.file("full.json")).is_ok());
    let mut large = vec![directory.file("larger.json")];
    if cfg!(unix) {
        large.push("/dev/zero".into());
    }
    for path in large {
        let error = Providers::read(&path).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{}: is larger than 10 MiB", path.display())
        );
    }
}

/// C1: what a shell's `<(…)` hands over.
#[cfg(unix)]
#[test]
fn a_pipe_is_read_to_its_end() {
    use std::io::Write;
    use std::os::fd::AsRawFd;
    let (reader, mut writer) = std::io::pipe().unwrap();
    let path = format!("/dev/fd/{}", reader.as_raw_fd());
    let writing = std::thread::spawn(move || {
        for part in ONE.as_bytes().chunks(20) {
            writer.write_all(part).unwrap();
        }
    });
    let providers = Providers::read(path.as_ref()).unwrap();
    writing.join().unwrap();
    assert_eq!(providers.names(), ["one"]);
}

/// C1: TOML has numbers that are none.
#[test]
fn a_timeout_that_is_no_number_is_an_error_with_its_place() {
    for number in ["nan", "inf", "-inf"] {
        let directory = Directory::new().with("c.toml", format!("{TWO_TOML}timeout = {number}\n"));
        let error = Providers::read(&directory.file("c.toml")).unwrap_err();
        assert!(matches!(error, ConfigError::Syntax { line: 5, .. }), "{error:?}");
        assert!(error.to_string().ends_with("a number must be finite"), "{error}");
    }
}
