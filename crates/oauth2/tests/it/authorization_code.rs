//! A person logs in by a browser.

use crate::person::{Asked, agree, flow, http, log_in, parameter};
use gatepass_core::{Advice, ExposeSecret};
use gatepass_http::{ServerUrl, Transport};
use gatepass_oauth2::{
    AuthorizationCodeFlow, AuthorizationHandler, AuthorizationRequest, Client, LoginError, Metadata,
};
use gatepass_testkit::{Answer, AuthorizationServer, visit};
use serde_json::json;
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;

#[tokio::test]
async fn a_login_brings_a_credential_and_says_who_it_is() {
    let server = AuthorizationServer::start().await;
    let (login, page) = log_in(&flow(&server).await, agree).await;
    let login = login.unwrap();
    let credential = &login.credential;
    assert_eq!(
        (credential.token_url.clone(), &*credential.client_id),
        (server.token_url(), "client")
    );
    assert!(server.is_active(credential.access_token.as_ref().unwrap().expose_secret()));
    assert!(server.is_active(credential.refresh_token.as_ref().unwrap().expose_secret()));
    assert_eq!(credential.scopes.as_ref().unwrap().to_string(), "openid llm.read");
    let identity = login.identity.unwrap();
    assert_eq!(
        (&*identity.subject, identity.email.as_deref()),
        ("4711", Some("jane@example.com"))
    );
    assert_eq!(credential.subject.as_deref(), Some("4711"));
    assert!(page.body.contains("You are logged in") && page.body.contains("<strong>corp</strong>"));
    assert!(login.missing.is_none() && login.unexpected.is_none());
}

/// L01, L03, L06
#[tokio::test]
async fn a_hundred_logins_have_a_hundred_states_and_one_redirect_address_in_both_requests_each() {
    let server = AuthorizationServer::start().await;
    let flow = flow(&server).await;
    let (mut states, mut ports) = (HashSet::new(), HashSet::new());
    for _ in 0..100 {
        log_in(&flow, agree).await.0.unwrap();
        let requests = server.requests();
        let asked = requests
            .iter()
            .rfind(|request| request.path == "/authorize")
            .unwrap();
        let exchange = requests.iter().rfind(|request| request.path == "/token").unwrap();
        let redirect_uri = asked.query_value("redirect_uri").unwrap();
        assert_eq!(exchange.form_value("redirect_uri"), Some(redirect_uri));
        let url = url::Url::parse(redirect_uri).unwrap();
        assert_eq!((url.host_str(), url.path()), (Some("127.0.0.1"), "/"));
        assert!(redirect_uri.ends_with('/'));
        ports.insert(url.port().unwrap());
        states.insert(asked.query_value("state").unwrap().to_owned());
        assert_eq!(asked.query_value("code_challenge_method"), Some("S256"));
        assert_eq!(asked.query_value("code_challenge").unwrap().len(), 43);
        assert_eq!(exchange.form_value("code_verifier").unwrap().len(), 43);
        assert!(states.iter().all(|state| state.len() >= 22));
    }
    assert_eq!(states.len(), 100);
    assert!(ports.len() >= 90, "{}", ports.len());
}

/// L02, L07
#[tokio::test]
async fn the_listener_is_there_before_the_person_is_asked_and_gone_after() {
    let server = AuthorizationServer::start().await;
    let (login, asked) = log_in(&flow(&server).await, |asked| async move {
        assert!(TcpStream::connect(asked.authority()).await.is_ok());
        visit(&asked.url).await.unwrap();
        asked
    })
    .await;
    login.unwrap();
    assert!(TcpStream::connect(asked.authority()).await.is_err());
    assert!(visit(&asked.answer("code=x&state=STATE")).await.is_err());
    assert_eq!(server.token_requests(), 1);
}

/// L07, L09
#[tokio::test]
async fn a_login_that_is_dropped_leaves_no_listener() {
    let server = AuthorizationServer::start().await;
    let flow = flow(&server).await;
    let (sender, asked) = tokio::sync::oneshot::channel();
    let sender = std::sync::Mutex::new(Some(sender));
    let person = crate::person::Person::new(|asked: Asked| {
        _ = sender.lock().unwrap().take().unwrap().send(asked);
        std::future::pending::<()>()
    });
    let asked = tokio::select! {
        _ = flow.run(&person) => None,
        asked = asked => Some(asked.unwrap()),
    };
    let authority = asked.unwrap().authority();
    for _ in 0..200 {
        if TcpStream::connect(&authority).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("somebody still listens");
}

/// L09
#[tokio::test]
async fn nobody_comes_and_time_is_up() {
    let server = AuthorizationServer::start().await;
    let flow = flow(&server).await.with_timeout(Duration::from_millis(100));
    let (login, asked) = log_in(&flow, |asked| async { asked }).await;
    let error = login.unwrap_err();
    assert!(matches!(error, LoginError::TimedOut { .. }), "{error}");
    assert!(TcpStream::connect(asked.authority()).await.is_err());
}

/// L05
#[tokio::test]
async fn a_person_who_refuses_ends_the_login_and_sees_it() {
    let server = AuthorizationServer::start().await;
    server.refuse("access_denied");
    let (login, page) = log_in(&flow(&server).await, agree).await;
    let error = login.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the login was refused: access_denied: the person has refused"
    );
    assert_eq!(error.advice(), Advice::LoginRequired);
    assert!(page.body.contains("You are not logged in") && !page.body.contains("You are logged in"));
    assert_eq!(server.token_requests(), 0);
}

/// L11
#[tokio::test]
async fn the_last_page_leaks_nothing_and_runs_nothing() {
    let server = AuthorizationServer::start().await;
    server.refuse("<script>alert(1)</script>");
    for refused in [true, false] {
        if !refused {
            server.push(Answer::json(
                200,
                &json!({
                    "access_token": "canary-access", "refresh_token": "canary-refresh", "expires_in": 60,
                }),
            ));
        }
        let (_, page) = log_in(&flow(&server).await, move |asked| async move {
            if refused {
                visit(&asked.url).await
            } else {
                visit(&asked.answer("code=canary-code&state=STATE")).await
            }
            .unwrap()
        })
        .await;
        let header = |name: &str| page.headers.get(name).unwrap().to_str().unwrap();
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("connection"), "close");
        assert!(header("content-security-policy").starts_with("default-src 'none'; style-src 'sha256-"));
        assert!(
            !page.body.contains("<script") && !page.body.contains("canary") && !page.body.contains("http")
        );
        assert_eq!(page.body.contains("&lt;script&gt;"), refused);
        let last = page.addresses.last().unwrap();
        assert!(last.ends_with("/result") && !last.contains('?'), "{last}");
    }
}

#[tokio::test]
async fn a_port_that_cannot_be_had_is_an_error_before_anybody_is_asked() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let server = AuthorizationServer::start().await;
    let asked = AtomicUsize::new(0);
    let flow = flow(&server).await.with_redirect("/callback", port).unwrap();
    let person = crate::person::Person::new(|_| {
        asked.fetch_add(1, Ordering::SeqCst);
        async {}
    });
    let error = flow.run(&person).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("port {port} of 127.0.0.1 cannot be had for the login")
    );
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_registered_redirect_address_is_kept_to() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let server = AuthorizationServer::start().await;
    let flow = flow(&server)
        .await
        .with_redirect("/oauth/callback", free)
        .unwrap();
    let (login, page) = log_in(&flow, agree).await;
    login.unwrap();
    assert!(page.addresses[1].starts_with(&format!("http://127.0.0.1:{free}/oauth/callback?code=")));
}

/// M04
#[tokio::test]
async fn the_request_has_what_was_asked_for_once_and_keeps_the_endpoints_own_query() {
    let server = AuthorizationServer::start().await;
    let url = |text: &str| ServerUrl::parse(text, "url", Transport::Encrypted).unwrap();
    let metadata = Metadata::new(url(&server.token_url())).with_authorization_endpoint(url(&format!(
        "{}?tenant=a%26b&state=fixed",
        server.authorization_url()
    )));
    let endpoint = metadata
        .endpoint(http(), Client::public("app"))
        .with_resource("https://llm.corp/v1");
    server.add_public_client("app");
    let flow = AuthorizationCodeFlow::new(&metadata, endpoint)
        .unwrap()
        .with_parameter("prompt", "consent")
        .with_parameter("login_hint", "jane+x@example.com&client_id=evil")
        .with_parameter("redirect_uri", "https://evil.example/")
        .with_parameter("code_challenge_method", "plain");
    let (login, asked) = log_in(&flow, |asked| async {
        visit(&asked.url).await.unwrap();
        asked
    })
    .await;
    login.unwrap();
    for (name, value) in [
        ("tenant", "a&b"),
        ("prompt", "consent"),
        ("login_hint", "jane+x@example.com&client_id=evil"),
        ("client_id", "app"),
        ("response_type", "code"),
        ("redirect_uri", &asked.redirect_uri),
        ("code_challenge_method", "S256"),
        ("resource", "https://llm.corp/v1"),
        ("scope", ""),
        ("nonce", ""),
    ] {
        assert_eq!(parameter(&asked.url, name), value, "{name}");
    }
    assert_ne!(asked.parameter("state"), "fixed");
    let exchange = server
        .requests()
        .into_iter()
        .rfind(|request| request.path == "/token")
        .unwrap();
    assert_eq!(exchange.form_value("resource"), Some("https://llm.corp/v1"));
}

struct GivesUp;

impl AuthorizationHandler for GivesUp {
    async fn authorize(&self, request: &AuthorizationRequest) -> Result<(), LoginError> {
        let shown = format!("{request:?}");
        assert!(!shown.contains(&parameter(request.url(), "state")), "{shown}");
        Err(LoginError::system("there is no terminal", None))
    }
}

#[tokio::test]
async fn a_handler_that_cannot_ask_ends_the_login() {
    let server = AuthorizationServer::start().await;
    let error = flow(&server).await.run(&GivesUp).await.unwrap_err();
    assert_eq!(
        (error.to_string(), error.advice()),
        ("there is no terminal".into(), Advice::Fail)
    );
    assert_eq!(server.requests().len(), 1, "nothing but the metadata");
}
