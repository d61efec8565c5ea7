use crate::support::{World, golden_in};

#[tokio::test]
async fn each_command_explains_itself() {
    let world = World::new().await;
    for (name, args) in [
        ("help/gatepass", &["--help"][..]),
        ("help/chat", &["chat", "--help"]),
        ("help/models", &["models", "--help"]),
        ("help/token", &["token", "--help"]),
        ("help/auth", &["auth", "--help"]),
        ("help/by_command", &["help", "auth"]),
        ("help/auth_login", &["auth", "login", "--help"]),
        ("help/auth_status", &["auth", "status", "--help"]),
        ("help/auth_logout", &["auth", "logout", "--help"]),
        ("help/auth_list", &["auth", "list", "--help"]),
        ("help/auth_import", &["auth", "import", "--help"]),
        ("help/doctor", &["doctor", "--help"]),
        ("help/config", &["config", "--help"]),
        ("help/config_check", &["config", "check", "--help"]),
        ("help/completions", &["completions", "--help"]),
    ] {
        let outcome = golden_in(&world, name, 0, args).await;
        assert!(
            outcome.stdout.contains("Examples:\n  gatepass"),
            "{name} has no examples"
        );
        let widest = outcome.stdout.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(100), "{name} is {widest:?} columns wide");
    }
}

#[tokio::test]
async fn the_version_is_one_line() {
    let world = World::new().await;
    let outcome = world.run(&["--version"]).await;
    assert_eq!(
        outcome.stdout,
        format!("gatepass {}\n", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(outcome.code, Some(0));
}

#[tokio::test]
async fn arguments_that_cannot_be_understood_are_usage_errors() {
    let world = World::new().await;
    for (name, args) in [
        ("usage/nothing", &[][..]),
        ("usage/unknown_command", &["chatt"]),
        ("usage/no_model", &["chat", "Hi"]),
        (
            "usage/unknown_option",
            &["chat", "-m", "corp/m", "--tmperature", "1", "Hi"],
        ),
        (
            "usage/bad_temperature",
            &["chat", "-m", "corp/m", "--temperature", "NaN", "Hi"],
        ),
        (
            "usage/bad_max_tokens",
            &["chat", "-m", "corp/m", "--max-tokens", "0", "Hi"],
        ),
        ("usage/two_prompts", &["chat", "-m", "corp/m", "Hi", "there"]),
        ("usage/unknown_shell", &["completions", "tcsh"]),
    ] {
        golden_in(&world, name, 2, args).await;
    }
}

/// H03
#[tokio::test]
async fn no_option_takes_a_secret() {
    let world = World::new().await;
    for command in ["chat", "models", "token", "config", "auth"] {
        for option in [
            "--token",
            "--access-token",
            "--api-key",
            "--client-secret",
            "--password",
        ] {
            assert_eq!(
                world.run(&[command, option, "x"]).await.code,
                Some(2),
                "{command} {option}"
            );
        }
    }
}
