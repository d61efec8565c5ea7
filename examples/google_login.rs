//! A person logs in with Google, once; from then on the program calls Gemini as that person.
//!
//! Run with: cargo run --example google_login -- CLIENT_SECRETS_JSON
//! Without a file, Google and Gemini are inside this program, and so is the person.

#![expect(clippy::print_stdout, reason = "an example speaks to whoever runs it")]

use gatepass::oauth2::{AuthorizationHandler, AuthorizationRequest, Browser, LoginError};
use gatepass::{LlmConfig, LoginOptions, LoginProvider, Profile, call_llm};
use gatepass_testkit::{AuthorizationServer, ModelServer, visit};
use serde_json::json;

/// A browser whose person says yes to everything.
struct Willing;

impl AuthorizationHandler for Willing {
    async fn authorize(&self, request: &AuthorizationRequest) -> Result<(), LoginError> {
        visit(request.url())
            .await
            .map(|_| ())
            .map_err(|why| LoginError::system(why, None))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (authorization, model) = (AuthorizationServer::start().await, ModelServer::start().await);
    let directory = tempfile::tempdir()?;
    let mut profile = Profile::new(directory.path()); // the user's own: `Profile::from_environment()`
    let mut config = LlmConfig::new("gemini/gemini-2.5-flash").with_oauth2("google");

    let login = if let Some(path) = std::env::args().nth(1) {
        profile = profile.with_client_secrets(path);
        let google = LoginProvider::google(&profile)?;
        google.log_in(&LoginOptions::default(), &Browser::new()).await?
    } else {
        model.require_token(&authorization);
        config = config.with_base_url(model.base_url().trim_end_matches("/v1"));
        let (auth_uri, token_uri) = (authorization.authorization_url(), authorization.token_url());
        let client = json!({ "client_id": AuthorizationServer::CLIENT_ID, "auth_uri": auth_uri, "token_uri": token_uri,
            "client_secret": AuthorizationServer::CLIENT_SECRET });
        let file = json!({ "installed": client }).to_string();
        std::fs::write(profile.client_secrets_path(), file)?;
        let google = LoginProvider::google(&profile)?;
        google.log_in(&LoginOptions::default(), &Willing).await?
    };
    let (google, store) = (LoginProvider::google(&profile)?, profile.store()?);
    let saved = google.save(&*store, &login, None).await?;
    println!("logged in as {}", saved.key);

    let answer = call_llm("What is the capital of France?", &config.with_profile(profile)).await?;
    println!("{answer}");
    Ok(())
}
