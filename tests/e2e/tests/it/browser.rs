//! Logins in a real browser, on the pages of a real server.

use crate::support::{Browser, Kept, Place, Setup, World, say};
use gatepass_core::Scopes;
use gatepass_oauth2::{
    AuthorizationCodeFlow, AuthorizationHandler, AuthorizationRequest, Client, DeviceFlow, Login, LoginError,
};
use std::time::Instant;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Tells the test what the person would be shown.
struct Told(mpsc::UnboundedSender<String>);

impl AuthorizationHandler for Told {
    async fn authorize(&self, request: &AuthorizationRequest) -> Result<(), LoginError> {
        self.0.send(request.url().to_owned()).unwrap();
        Ok(())
    }
}

async fn begin(kept: &Kept) -> (String, JoinHandle<Result<Login, LoginError>>) {
    let (server, endpoint) = kept.server().await;
    let flow = AuthorizationCodeFlow::new(&server, endpoint.with_name("corp"))
        .unwrap()
        .with_scopes(Scopes::parse("openid llm.read").unwrap());
    let (sender, mut told) = mpsc::unbounded_channel();
    let login = tokio::spawn(async move { flow.run(&Told(sender)).await });
    (told.recv().await.unwrap(), login)
}

#[tokio::test]
async fn x() {
    let Some(world) = Setup::tokens().start().await else {
        return;
    };
    let Some(browser) = Browser::start().await else {
        return;
    };
    let kept = Kept::new(&world, Place::file(world.folder())).await;
    for scheme in ["light", "dark"] {
        browser.prefer(scheme).await;
        let (url, login) = begin(&kept).await;
        browser.open(&url).await;
        if scheme == "light" {
            browser.fill("[name=login]", "jane").await;
            browser.fill("[name=password]", "any").await;
            browser.click("[type=submit]").await;
            browser.click("[value=consent] ~ [type=submit]").await;
        }
        let title = browser.text("h1").await;
        println!("{title} {}", browser.address().await);
        let login = login.await.unwrap().unwrap();
        assert_eq!(login.identity.unwrap().subject, "jane");
        browser
            .screenshot(&std::path::PathBuf::from(format!(
                "/tmp/briefs/shots/success-{scheme}.png"
            )))
            .await;
        println!(
            "{:?}",
            browser
                .requests_of(browser.address().await.split('/').nth(2).unwrap())
                .await
        );

        let browser = Browser::start().await.unwrap();
        browser.prefer(scheme).await;
        let (url, login) = begin(&kept).await;
        browser.open(&url).await;
        browser.click(".login-help a").await;
        println!("{} {}", browser.text("h1").await, browser.address().await);
        println!("{:?}", login.await.unwrap().unwrap_err());
        browser
            .screenshot(&std::path::PathBuf::from(format!(
                "/tmp/briefs/shots/failure-{scheme}.png"
            )))
            .await;
    }
}
