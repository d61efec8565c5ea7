//! A provider of your own is one method: here it reads the token that an agent beside the program writes to a
//! file. `CachedTokenSource` adds caching, early renewal, one request for all, and the replay after a 401.
//!
//! Run with: cargo run --example custom_source

#![expect(clippy::print_stdout, reason = "an example speaks to whoever runs it")]

use gatepass::openai::OpenAiBackend;
use gatepass::{AccessToken, CachedTokenSource, Llm, TokenError, TokenSource, async_trait};
use gatepass_testkit::ModelServer;
use std::{path::PathBuf, sync::Arc, time::Duration};

struct LeaseFile(PathBuf);

#[async_trait]
impl TokenSource for LeaseFile {
    async fn token(&self) -> Result<AccessToken, TokenError> {
        println!("  reading the lease");
        let lease = std::fs::read_to_string(&self.0).map_err(|error| TokenError::Unavailable {
            host: "the token agent".into(),
            what: format!("{} can't be read", self.0.display()),
            retry_after: None,
            source: Some(Arc::new(error)),
        })?;
        Ok(AccessToken::bearer(lease.trim_end())?.with_lifetime(Duration::from_secs(600)))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let model = ModelServer::start().await;
    let directory = tempfile::tempdir()?;
    let lease = directory.path().join("lease");

    std::fs::write(&lease, "first-lease\n")?;
    model.require_bearer("first-lease");
    let source = CachedTokenSource::new(LeaseFile(lease.clone()));
    let llm = Llm::new(OpenAiBackend::new(&model.base_url(), source)?, "my-model");
    for question in ["one", "two"] {
        println!("{}", llm.ask(question).await?);
    }

    println!("the lease is replaced before its time: the server refuses the old one");
    std::fs::write(&lease, "second-lease\n")?;
    model.require_bearer("second-lease");
    println!("{}", llm.ask("three").await?);
    Ok(())
}
