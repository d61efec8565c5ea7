//! Logins in a real browser, on the pages of a real server, by the library.

use crate::strangers::knock;
use crate::support::{Browser, Kept, Place, Setup, World, say};
use gatepass_core::{ExposeSecret, Scopes};
use gatepass_oauth2::{
    AuthorizationCodeFlow, AuthorizationHandler, AuthorizationRequest, DeviceFlow, Login, LoginError,
};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// A login that waits for its person.
struct Waiting {
    url: String,
    /// `127.0.0.1:PORT`
    listener: String,
    login: JoinHandle<Result<Login, LoginError>>,
}

impl Waiting {
    async fn begin(kept: &Kept, patience: Duration) -> Self {
        let (server, endpoint) = kept.server().await;
        let flow = AuthorizationCodeFlow::new(&server, endpoint.with_name("corp")).unwrap();
        let flow = flow.with_scopes(scopes()).with_timeout(patience);
        let (sender, mut told) = mpsc::unbounded_channel();
        let login = tokio::spawn(async move { flow.run(&Tell(sender)).await });
        let (url, redirect_uri): (String, String) = told.recv().await.unwrap();
        Self {
            url,
            listener: redirect_uri.split('/').nth(2).unwrap().to_owned(),
            login,
        }
    }

    async fn end(self) -> Result<Login, LoginError> {
        self.login.await.unwrap()
    }
}

/// Tells the test what the person would be shown.
struct Tell(mpsc::UnboundedSender<(String, String)>);

impl AuthorizationHandler for Tell {
    async fn authorize(&self, request: &AuthorizationRequest) -> Result<(), LoginError> {
        let told = (request.url().to_owned(), request.redirect_uri().to_owned());
        self.0.send(told).unwrap();
        Ok(())
    }
}

fn scopes() -> Scopes {
    Scopes::parse("openid llm.read").unwrap()
}

const PATIENCE: Duration = Duration::from_secs(60);

async fn world() -> Option<(World, Kept, Browser)> {
    let world = Setup::tokens().start().await?;
    let browser = Browser::start().await?;
    let kept = Kept::at(&world, Place::file(world.folder()));
    Some((world, kept, browser))
}

/// L11
#[tokio::test]
async fn the_last_page_tells_how_a_login_has_ended_and_loads_nothing() {
    let Some((world, kept, browser)) = world().await else {
        return;
    };
    for (agrees, title, word) in [
        (true, "You are logged in", "success"),
        (false, "You are not logged in", "failure"),
    ] {
        let waiting = Waiting::begin(&kept, PATIENCE).await;
        let listener = waiting.listener.clone();
        browser.open(&waiting.url).await;
        if agrees {
            browser.log_in("jane").await;
            browser.agree().await;
        } else {
            browser.refuse().await;
        }
        assert_eq!(browser.text("h1").await, title);
        assert_eq!(
            browser.address().await,
            format!("http://{listener}/result"),
            "nothing is in it"
        );
        match waiting.end().await {
            Ok(login) => assert!(agrees && login.identity.unwrap().subject == "jane"),
            Err(LoginError::Denied { error, .. }) => assert!(!agrees && error == "access_denied"),
            Err(error) => panic!("{error:?}"),
        }
        let requests = browser.requests_of(&listener).await;
        let elsewhere = requests
            .iter()
            .find(|url| !url.starts_with(&format!("http://{listener}/")));
        assert!(!requests.is_empty() && elsewhere.is_none(), "{requests:?}");
        let page = browser.source().await;
        assert!(requests.iter().any(|url| url.contains("state=")), "{requests:?}");
        for request in &requests {
            let query = request.split_once('?').unwrap_or_default().1;
            for (name, value) in form_urlencoded::parse(query.as_bytes()) {
                let secret = ["code", "state"].contains(&&*name);
                assert!(!secret || !page.contains(&*value), "{name} is in the page");
            }
        }
        for scheme in ["light", "dark"] {
            browser.prefer(scheme).await;
            browser
                .screenshot(&world.folder().join(format!("{word}-{scheme}.png")))
                .await;
        }
        assert!(
            TcpStream::connect(&listener).await.is_err(),
            "the listener is closed"
        );
    }
}

/// L11: what a server says of its refusal is text, whatever stands in it.
#[tokio::test]
async fn a_servers_words_are_no_markup_on_the_last_page() {
    const WORDS: &str = "<script>document.title='owned'</script><img src=x onerror=document.title='owned'>";
    let Some((world, kept, browser)) = world().await else {
        return;
    };
    let waiting = Waiting::begin(&kept, PATIENCE).await;
    let query = waiting.url.split_once('?').unwrap().1;
    let state = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "state");
    let (_, state) = state.unwrap();
    let answer = form_urlencoded::Serializer::new(format!("http://{}/?", waiting.listener))
        .append_pair("error", "access_denied")
        .append_pair("error_description", WORDS)
        .append_pair("error_uri", "javascript:document.title='owned'")
        .append_pair("iss", &world.authorization.metadata.issuer)
        .append_pair("state", &state)
        .finish();
    browser.open(&answer).await;
    assert_eq!(browser.text("h1").await, "You are not logged in");
    let told = browser.text(".why").await;
    assert!(told.contains("<script>document.title='owned'</script>"), "{told}");
    assert_eq!(
        browser.value_of("document.title").await,
        "You are not logged in · gatepass"
    );
    for markup in ["script", "img", "a", "iframe", "[onerror]"] {
        let count = format!("document.querySelectorAll('{markup}').length");
        assert_eq!(browser.value_of(&count).await, 0, "{markup}");
    }
    assert!(
        !browser.source().await.contains(&*state),
        "the state is in the page"
    );
    let ended = waiting.end().await.unwrap_err();
    assert!(matches!(ended, LoginError::Denied { .. }), "{ended:?}");
}

/// L08, L10
#[tokio::test]
async fn strangers_at_the_listener_and_hostile_pages_change_nothing() {
    let Some((world, kept, browser)) = world().await else {
        return;
    };
    let waiting = Waiting::begin(&kept, PATIENCE).await;
    let listener = &waiting.listener;
    let (count, silent) = knock(listener).await;
    // What any page in the person's browser can do.
    let page = format!(
        "data:text/html,<h1>there</h1><img src='http://{listener}/?code=c%26state=s'>\
         <iframe src='http://{listener}/?error=access_denied'></iframe>\
         <script>fetch('http://{listener}/?code=c',{{mode:'no-cors',method:'POST',body:'x'}})</script>"
    );
    browser.open(&page).await;
    assert_eq!(browser.text("h1").await, "there");
    assert!(!waiting.login.is_finished());
    assert_eq!(world.authorization.token_requests().await, 0);

    browser.open(&waiting.url).await;
    browser.log_in("jane").await;
    let agreed = Instant::now();
    browser.agree().await;
    assert_eq!(browser.text("h1").await, "You are logged in");
    let took = agreed.elapsed();
    waiting.end().await.unwrap();
    drop(silent);
    assert_eq!(world.authorization.token_requests().await, 1);
    say(format!(
        "{count} stray requests and connections, 3 of a hostile page; then the login took {took:.1?}"
    ));
}

/// L09
#[tokio::test]
async fn a_window_that_is_closed_ends_the_login_in_time() {
    let Some((world, kept, browser)) = world().await else {
        return;
    };
    let waiting = Waiting::begin(&kept, Duration::from_secs(3)).await;
    let listener = waiting.listener.clone();
    browser.open(&waiting.url).await;
    browser.log_in("jane").await;
    browser.close().await;
    let error = waiting.end().await.unwrap_err();
    assert!(matches!(error, LoginError::TimedOut { .. }), "{error:?}");
    assert!(
        TcpStream::connect(&listener).await.is_err(),
        "the listener is closed"
    );
    assert_eq!(world.authorization.token_requests().await, 0);
}

#[tokio::test]
async fn a_device_is_logged_in_from_a_browser_elsewhere() {
    let Some((world, kept, browser)) = world().await else {
        return;
    };
    for agrees in [true, false] {
        let (server, endpoint) = kept.server_for("television").await;
        let flow = DeviceFlow::new(&server, endpoint).unwrap().with_scopes(scopes());
        let device = flow.begin().await.unwrap();
        browser.open(&device.verification_uri).await;
        browser.fill("[name=user_code]", &device.user_code).await;
        let login = tokio::spawn(async move { flow.finish(device).await });
        browser.click("[type=submit]").await;
        if agrees {
            browser.click("button[autofocus]").await;
            browser.log_in("jane").await;
            browser.agree().await;
            let login = login.await.unwrap().unwrap();
            assert_eq!(login.identity.unwrap().subject, "jane");
            let token = login.credential.access_token.unwrap();
            let said = world.authorization.introspect(token.expose_secret()).await;
            assert!(
                said["active"] == true && login.credential.refresh_token.is_some(),
                "{said}"
            );
        } else {
            browser.click("[name=abort]").await;
            let error = login.await.unwrap().unwrap_err();
            assert!(
                matches!(&error, LoginError::Denied { error, .. } if error == "access_denied"),
                "{error:?}"
            );
        }
    }
}
