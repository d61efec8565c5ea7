//! G12: several people at once in one process, each with their own login at Google.

use crate::logged_in::Willing;
use gatepass::{CredentialKey, ExposeSecret, LlmConfig, LoginOptions, LoginProvider, Profile, call_llm};
use gatepass_testkit::{AuthorizationServer, ModelServer, RecordedRequest};
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use tokio::task::JoinSet;

/// How often each of them asks, all at once.
const QUESTIONS: usize = 20;

/// Two share a configuration directory, and so a project; the third one has another.
const PEOPLE: [(&str, &str); 3] = [
    ("jane@example.com", "project-one"),
    ("ann@example.com", "project-one"),
    ("joe@example.com", "project-two"),
];

struct World {
    authorization: AuthorizationServer,
    model: ModelServer,
    directory: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let world = Self {
            authorization: AuthorizationServer::start().await,
            model: ModelServer::start().await,
            directory: tempfile::tempdir().unwrap(),
        };
        world.model.require_token(&world.authorization);
        world.model.reply_text("Paris");
        for (account, project) in PEOPLE {
            world.log_in(account, project).await;
        }
        world
    }

    fn profile(&self, project: &str) -> Profile {
        Profile::new(self.directory.path().join(project))
    }

    async fn log_in(&self, account: &str, project: &str) {
        let profile = self.profile(project);
        let secrets = json!({ "installed": {
            "client_id": AuthorizationServer::CLIENT_ID,
            "client_secret": AuthorizationServer::CLIENT_SECRET,
            "project_id": project,
            "auth_uri": self.authorization.authorization_url(),
            "token_uri": self.authorization.token_url(),
        }});
        write(&profile.client_secrets_path(), &secrets.to_string());
        let google = LoginProvider::google(&profile).unwrap();
        let login = google.log_in(&LoginOptions::default(), &Willing).await.unwrap();
        let store = profile.store().unwrap();
        google.save(&*store, &login, Some(account)).await.unwrap();
    }

    /// The access token in the store.
    async fn token(&self, account: &str, project: &str) -> String {
        let store = self.profile(project).store().unwrap();
        let keys = store.list().await.unwrap();
        let theirs = |key: &&CredentialKey| key.account() == account;
        let key = keys.iter().find(theirs).unwrap();
        let credential = store.load(key).await.unwrap().unwrap();
        credential.access_token.unwrap().expose_secret().to_owned()
    }

    async fn tokens(&self) -> HashMap<&'static str, String> {
        let mut tokens = HashMap::new();
        for (account, project) in PEOPLE {
            tokens.insert(account, self.token(account, project).await);
        }
        tokens
    }

    /// Each asks, all at the same time; every request, with whose question it carries.
    async fn all_ask(&self) -> Vec<(&'static str, RecordedRequest)> {
        let root = self.model.base_url().trim_end_matches("/v1").to_owned();
        let mut calls = JoinSet::new();
        for _ in 0..QUESTIONS {
            for (account, project) in PEOPLE {
                let config = LlmConfig::new("gemini/gemini-2.5-flash")
                    .with_base_url(root.as_str())
                    .with_profile(self.profile(project))
                    .with_oauth2("google")
                    .with_account(account);
                calls.spawn(async move { call_llm(format!("I am {account}"), &config).await.unwrap() });
            }
        }
        assert!(calls.join_all().await.iter().all(|answer| answer == "Paris"));
        let whose = |request: RecordedRequest| {
            let said = request.json.to_string();
            let (account, _) = PEOPLE.iter().find(|(account, _)| said.contains(account)).unwrap();
            (*account, request)
        };
        self.model.take_requests().into_iter().map(whose).collect()
    }
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let private =
            |path: &Path, mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
        private(path, 0o600);
        private(path.parent().unwrap(), 0o700);
    }
}

/// G12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_who_ask_at_once_share_no_token_cache_or_header() {
    let world = World::new().await;
    let tokens = world.tokens().await;
    assert_eq!(tokens.values().collect::<HashSet<_>>().len(), PEOPLE.len());
    let requests = world.all_ask().await;
    assert_eq!(requests.len(), QUESTIONS * PEOPLE.len());
    for (account, request) in &requests {
        let (_, project) = PEOPLE.iter().find(|(name, _)| name == account).unwrap();
        assert_eq!(request.bearer(), Some(&*tokens[account]), "{account}");
        assert_eq!(request.header("x-goog-user-project"), Some(*project), "{account}");
    }
    assert_eq!(
        world.authorization.token_requests(),
        PEOPLE.len(),
        "the logins' own tokens were used"
    );
}

/// G12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_of_one_leaves_the_tokens_of_the_others_alone() {
    let world = World::new().await;
    world.all_ask().await;
    let before = world.tokens().await;
    let (refused, _) = PEOPLE[0];
    world.authorization.revoke(&before[refused]);
    let requests = world.all_ask().await;
    let after = world.tokens().await;
    assert_ne!(before[refused], after[refused]);
    for (account, request) in &requests {
        let bearer = request.bearer().unwrap();
        assert!(
            bearer == after[account] || (account == &refused && bearer == before[refused]),
            "{account}"
        );
    }
    for (account, _) in &PEOPLE[1..] {
        assert_eq!(before[account], after[account], "{account}");
        let theirs = requests.iter().filter(|(whose, _)| whose == account);
        assert_eq!(theirs.count(), QUESTIONS, "{account} was refused nothing");
    }
    assert_eq!(
        world.authorization.token_requests(),
        PEOPLE.len() + 1,
        "one new token, for the one who was refused"
    );
}
