//! What is believed of an authorization response, whether it comes by the listener or is pasted.

use crate::person::{Asked, agree, flow, flow_at, http, log_in, metadata, parameter};
use gatepass_http::{ServerUrl, Transport};
use gatepass_oauth2::{AuthorizationHandler, AuthorizationRequest, LoginError, Metadata, RedirectError};
use gatepass_testkit::{AuthorizationServer, visit};
use std::time::{Duration, Instant};

/// L04, L05, L10: all of these leave the login pending.
const NOT_THE_ANSWER: &[&str] = &[
    "",
    "code=x",
    "code=x&state=",
    "code=x&state=wrong",
    "code=x&state=STATEx",
    "code=x&state=STATE&state=STATE",
    "code=x&state=wrong&state=STATE",
    "code=x&state=STATE&state=wrong",
    "code=x&code=y&state=STATE",
    "code=&state=STATE",
    "state=STATE",
    "code=x%00&state=STATE",
    "code=x%0d%0a&state=STATE",
    "code=%ff&state=STATE",
    "code=x&error=access_denied&state=STATE",
    "error=access_denied",
    "error=access_denied&state=wrong",
    "error=access_denied&error=x&state=STATE",
    "error=&state=STATE",
    "error=access_denied&error_description=a&error_description=b&state=STATE",
    "code=x&state=STATE&iss=a&iss=b",
    "code=x&state=STATE&iss=",
    "code=x&State=STATE",
    "code=x;state=STATE",
];

/// L04, L05, L10
#[tokio::test]
async fn nothing_of_an_answer_without_our_state_counts() {
    let server = AuthorizationServer::start().await;
    let (login, asked) = log_in(&flow(&server).await, |asked: Asked| async move {
        for _ in 0..5 {
            for query in NOT_THE_ANSWER {
                let page = visit(&asked.answer(query)).await.unwrap();
                assert_eq!(page.status, 400, "{query}");
                assert!(page.headers.get("location").is_none());
            }
        }
        visit(&asked.url).await.unwrap();
        asked
    })
    .await;
    login.unwrap();
    assert_eq!(server.token_requests(), 1);
    assert!(!asked.redirect_uri.is_empty());
}

/// L05: an error is nobody's word but that of who knows the state.
#[tokio::test]
async fn an_error_without_our_state_ends_no_login_and_with_it_ends_it() {
    let server = AuthorizationServer::start().await;
    let flow = flow(&server).await.with_timeout(Duration::from_secs(60));
    let (login, page) = log_in(&flow, |asked: Asked| async move {
        let state = asked.parameter("state");
        for number in 0..50 {
            let (first, rest) = state.split_at(number % state.len());
            for wrong in [
                String::new(),
                format!("&state={number}"),
                format!("&state={first}"),
                format!("&state={first}.{rest}"),
                format!("&state={}", state.to_uppercase()),
            ] {
                let page = visit(&asked.answer(&format!("error=access_denied{wrong}")))
                    .await
                    .unwrap();
                assert_eq!(page.status, 400, "{wrong}");
            }
        }
        let text = "error=access_denied&error_description=%1b[31m%3Cscript%3Enot%20you%0a&state=STATE";
        visit(&asked.answer(text)).await.unwrap()
    })
    .await;
    let error = login.unwrap_err();
    assert!(matches!(error, LoginError::Denied { .. }), "{error:?}");
    assert!(error.to_string().contains("not you"), "{error}");
    assert!(!error.to_string().contains('\u{1b}'), "{error}");
    assert!(!page.body.contains("<script"), "{}", page.body);
    assert_eq!(server.token_requests(), 0);
}

/// Pastes one thing after the other, and tells what came of it.
struct Paster(Vec<&'static str>);

impl AuthorizationHandler for Paster {
    async fn authorize(&self, request: &AuthorizationRequest) -> Result<(), LoginError> {
        let asked = Asked::of(request);
        for query in &self.0 {
            let refused = request.accept(&asked.answer(query)).unwrap_err();
            assert!(
                matches!(refused, RedirectError::OtherState | RedirectError::Malformed),
                "{query}: {refused}"
            );
        }
        let state = asked.parameter("state");
        for other in [
            String::new(),
            state.clone(),
            "4/0AX4XfWh".into(),
            format!("code=x&state={state}"),
            format!("http://127.0.0.1:1/?code=x&state={state}"),
            format!("https://evil.example/?code=x&state={state}"),
            format!("{}callback?code=x&state={state}", asked.redirect_uri),
            asked.redirect_uri.clone(),
            asked.url.clone(),
        ] {
            assert_eq!(
                request.accept(&other),
                Err(RedirectError::OtherAddress),
                "{other}"
            );
        }
        let long = asked.answer(&format!("code={}&state=STATE", "x".repeat(9 << 10)));
        assert_eq!(request.accept(&long), Err(RedirectError::TooLong));
        // Where the browser would end if it could come here.
        let error = visit_without_listener(&asked).await;
        let pasted = format!("  {error}#fragment\n");
        request.accept(&pasted).unwrap();
        assert_eq!(request.accept(&pasted), Err(RedirectError::Used));
        Ok(())
    }
}

/// The address that the server leads to, unopened.
async fn visit_without_listener(asked: &Asked) -> String {
    let url = ServerUrl::parse(&asked.url, "url", Transport::Encrypted).unwrap();
    let response = http().send(gatepass_http::HttpRequest::get(url)).await.unwrap();
    response.headers()["location"].to_str().unwrap().to_owned()
}

/// L13, B1
#[tokio::test]
async fn a_pasted_address_passes_the_same_checks() {
    let server = AuthorizationServer::start().await;
    let login = flow(&server)
        .await
        .run(&Paster(NOT_THE_ANSWER.to_vec()))
        .await
        .unwrap();
    assert!(login.credential.refresh_token.is_some());
    assert_eq!(server.token_requests(), 1);
}

#[tokio::test]
async fn a_login_by_a_pasted_address_waits_for_no_browser() {
    let server = AuthorizationServer::start().await;
    let flow = flow(&server).await;
    // The quickest of several: the machine may be busy.
    let mut quickest = Duration::MAX;
    for _ in 0..3 {
        let began = Instant::now();
        flow.run(&Paster(NOT_THE_ANSWER.to_vec())).await.unwrap();
        quickest = quickest.min(began.elapsed());
    }
    assert!(quickest < Duration::from_secs(2), "{quickest:?}");
}

/// Waits for a line that never comes.
struct Headless;

impl AuthorizationHandler for Headless {
    async fn authorize(&self, request: &AuthorizationRequest) -> Result<(), LoginError> {
        let url = request.url().to_owned();
        tokio::spawn(async move { visit(&url).await });
        std::future::pending().await
    }
}

#[tokio::test]
async fn listener_and_paste_are_both_open_and_the_first_counts() {
    let server = AuthorizationServer::start().await;
    flow(&server).await.run(&Headless).await.unwrap();
}

#[tokio::test]
async fn a_page_without_our_state_has_no_text_of_the_provider() {
    let server = AuthorizationServer::start().await;
    let flow = flow(&server).await;
    let (_, page) = log_in(&flow, |asked: Asked| async move {
        let page = visit(&asked.answer("error=canary&error_description=canary&state=wrong"))
            .await
            .unwrap();
        visit(&asked.url).await.unwrap();
        page
    })
    .await;
    assert!(!page.body.contains("canary"), "{}", page.body);
}

/// M01, by the scenarios of the conformance suite of MCP
#[tokio::test]
async fn the_issuer_is_compared_as_text() {
    let server = AuthorizationServer::start().await;
    let issuer = server.issuer();
    for (promised, named, good) in [
        (true, Some(issuer.clone()), true),
        (true, None, false),
        (true, Some("https://evil.example".into()), false),
        (true, Some(format!("{issuer}/")), false),
        (true, Some(issuer.to_uppercase()), false),
        (false, None, true),
        (false, Some(issuer.clone()), true),
        (false, Some("https://evil.example".into()), false),
    ] {
        for denied in [false, true] {
            let before = server.token_requests();
            let mut metadata = metadata(&server).await;
            metadata.sends_issuer = promised;
            let query = if denied { "error=canary" } else { "code=x" };
            let named = named.clone();
            let (login, page) = log_in(&flow_at(&metadata), move |asked: Asked| {
                let iss = named
                    .as_ref()
                    .map(|named| format!("&iss={named}"))
                    .unwrap_or_default();
                async move {
                    visit(&asked.answer(&format!("{query}&state=STATE{iss}")))
                        .await
                        .unwrap()
                }
            })
            .await;
            let error = login.unwrap_err().to_string();
            assert_eq!(error.starts_with("issuer"), !good, "{error}");
            assert_eq!(error.contains("canary"), good && denied, "{error}");
            assert!(good || !page.body.contains("canary"));
            let exchanges = server.token_requests() - before;
            assert_eq!(exchanges, usize::from(good && !denied));
        }
    }
}

/// M03, mix-up: the attacker's document names the honest server's login page and its own token endpoint.
#[tokio::test]
async fn an_attacker_between_us_and_an_honest_server_gets_no_code() {
    let (honest, attacker) = (
        AuthorizationServer::start().await,
        AuthorizationServer::start().await,
    );
    honest.set_response_issuer(honest.issuer());
    let url = |text: &str| ServerUrl::parse(text, "url", Transport::Encrypted).unwrap();
    let mixed = Metadata::new(url(&attacker.token_url()))
        .with_issuer(attacker.issuer())
        .with_authorization_endpoint(url(&honest.authorization_url()));
    let (login, _) = log_in(&flow_at(&mixed), agree).await;
    assert!(login.unwrap_err().to_string().starts_with("issuer"));
    assert_eq!((attacker.requests().len(), honest.token_requests()), (0, 0));
}

/// L07: the same answer again while the first one is being exchanged.
#[tokio::test]
async fn an_answer_counts_once() {
    let server = AuthorizationServer::start().await;
    server.set_delay(Duration::from_millis(300));
    let (login, second) = log_in(&flow(&server).await, |asked: Asked| async move {
        let landing = visit_without_listener(&asked).await;
        let first = tokio::spawn({
            let landing = landing.clone();
            async move { visit(&landing).await.unwrap() }
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
        let second = visit(&landing).await.unwrap();
        assert!(first.await.unwrap().body.contains("You are logged in"));
        second
    })
    .await;
    login.unwrap();
    assert_eq!((second.status, server.token_requests()), (400, 1));
    assert_eq!(parameter("http://x/?a=b", "a"), "b");
}
