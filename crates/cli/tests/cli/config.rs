use crate::support::world::CLIENT_SECRET;
use crate::support::{World, golden};
use serde_json::json;

const CHECK: [&str; 2] = ["config", "check"];
const JSON: [&str; 3] = ["config", "check", "--json"];

/// Much is wrong here, and the second provider is fine.
fn much_is_wrong(world: &mut World) {
    world.configure_all(&json!({
        "corp": {
            "client_id": 7,
            "client_secret": "os.environ/CORP_SECRET",
            "token_url": "http://login.corp.example/token",
            "scope": "a  b",
            "auth_style": "magic",
            "timeout": "soon",
            "scopee": "a",
            "headers": { "Authorization": CLIENT_SECRET },
        },
        "other": world.entry(),
    }));
}

#[tokio::test]
async fn every_problem_is_listed_at_once() {
    golden("config/many_problems", 2, &CHECK, much_is_wrong).await;
    golden("config/many_problems_json", 2, &JSON, much_is_wrong).await;
    let mut world = World::new().await;
    much_is_wrong(&mut world);
    let problems = world.run(&JSON).await.json()["problems"]
        .as_array()
        .unwrap()
        .len();
    assert!(problems >= 6, "only {problems}");
    assert_eq!(
        (world.authorization.requests().len(), world.model.requests().len()),
        (0, 0),
        "no server is asked"
    );
}

#[tokio::test]
async fn when_all_is_well_it_says_what_was_checked() {
    let two =
        |world: &mut World| world.configure_all(&json!({ "corp": world.entry(), "other": world.entry() }));
    golden("config/well", 0, &CHECK, two).await;
    golden("config/well_json", 0, &JSON, two).await;
    golden("config/empty", 0, &CHECK, |world| {
        world.write("litellm_config.json", "{\"model_list\": []}")
    })
    .await;
    golden(
        "config/named",
        0,
        &["config", "check", "--config", "team.json"],
        |world| {
            world.write(
                "team.json",
                json!({ "oauth2_providers": { "corp": world.entry() } }).to_string(),
            );
            world.write("litellm_config.json", "broken");
        },
    )
    .await;
}

#[tokio::test]
async fn warnings_alone_are_no_failure() {
    golden("config/warnings", 0, &CHECK, |world| {
        use std::os::unix::fs::PermissionsExt;
        world.configure(|entry| entry["scopee"] = json!("a"));
        let everybody = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(world.path("litellm_config.json"), everybody).unwrap();
    })
    .await;
    golden("config/misspelled_root", 0, &CHECK, |world| {
        world.write("litellm_config.json", r#"{"oauth_providers": {"corp": {}}}"#);
    })
    .await;
}

/// Who uses a provider of it is told, too.
#[tokio::test]
async fn a_misspelled_heading_is_told_where_its_provider_is_missed() {
    let token = ["token", "--provider", "corp"];
    golden("token_failures/misspelled_root", 2, &token, |world| {
        world.write("litellm_config.json", r#"{"oauth_providers": {"corp": {}}}"#);
    })
    .await;
}

#[tokio::test]
async fn certificates_that_cannot_be_read_are_a_problem() {
    golden("config/ca_file", 2, &CHECK, |world| {
        world.configure(|entry| entry["ca_file"] = json!("nosuch.pem"));
    })
    .await;
}

#[tokio::test]
async fn without_a_file_there_is_nothing_to_check() {
    golden("config/nothing", 0, &CHECK, |world| {
        world.remove("litellm_config.json")
    })
    .await;
    golden("config/nothing_json", 0, &JSON, |world| {
        world.remove("litellm_config.json")
    })
    .await;
}

#[tokio::test]
async fn a_file_that_was_named_must_be_there() {
    golden(
        "config/missing",
        2,
        &["config", "check", "--config", "team.json"],
        |_| {},
    )
    .await;
    golden(
        "config/directory",
        2,
        &["config", "check", "--config", "."],
        |_| {},
    )
    .await;
    golden(
        "config/missing_json",
        2,
        &["config", "check", "--config", "team.json", "--json"],
        |_| {},
    )
    .await;
}

#[tokio::test]
async fn all_default_files_are_checked_also_when_one_is_broken() {
    let both = |world: &mut World| {
        world.write(
            "litellm_config.json",
            format!("{{\"oauth2_providers\": {CLIENT_SECRET}}}"),
        );
        world.write("gatepass.toml", "[oauth2_providers.team]\nclient_id = 'c'\n");
    };
    golden("config/both_files", 2, &CHECK, both).await;
    golden("config/both_files_json", 2, &JSON, both).await;
}

#[tokio::test]
async fn a_provider_that_stands_in_two_files_is_an_error() {
    golden("config/twice", 2, &CHECK, |world| {
        let entry = "client_id = 'c'\nclient_secret = 'os.environ/HOME'\ntoken_url = 'https://login.corp.example/token'\n";
        world.write("gatepass.toml", format!("[oauth2_providers.corp]\n{entry}"));
    })
    .await;
}
