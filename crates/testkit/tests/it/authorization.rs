use crate::client::{basic, form, get};
use gatepass_testkit::{Answer, AuthorizationServer, ClientAuth, eventually};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const GRANT: &str = "grant_type=client_credentials";
const POSTED: &str = "grant_type=client_credentials&client_id=client&client_secret=secret";

async fn token(server: &AuthorizationServer, headers: &[&str], body: &str) -> (u16, Value) {
    let reply = form(&server.token_url(), headers, body).send().await;
    (reply.status, reply.json())
}

async fn refresh(server: &AuthorizationServer, refresh_token: &str) -> (u16, Value) {
    let body = format!("grant_type=refresh_token&refresh_token={refresh_token}");
    token(server, &[&basic("client", "secret")], &body).await
}

fn text<'a>(body: &'a Value, field: &str) -> &'a str {
    body[field].as_str().unwrap_or_default()
}

/// B9
#[tokio::test]
async fn a_client_gets_a_token_by_basic_and_by_post() {
    let server = AuthorizationServer::start().await;
    server.set_lifetime(Duration::from_secs(120));
    let (status, first) = token(
        &server,
        &[&basic("client", "secret")],
        &format!("{GRANT}&scope=a+b"),
    )
    .await;
    assert_eq!(
        (status, &first["expires_in"], &first["scope"]),
        (200, &json!(120), &json!("a b"))
    );
    let (_, second) = token(&server, &[], POSTED).await;
    assert!(text(&first, "access_token").starts_with("at-1-") && first["refresh_token"].is_null());
    assert_ne!(first["access_token"], second["access_token"]);
    assert!(server.is_active(text(&first, "access_token")));
    let recorded = server.requests();
    assert_eq!(recorded[0].client_auth, Some(ClientAuth::Basic));
    assert_eq!(recorded[0].form_value("scope"), Some("a b"));
    assert_eq!(recorded[1].client_auth, Some(ClientAuth::Post));
    assert_eq!(server.token_requests(), 2);
}

#[tokio::test]
async fn basic_credentials_are_form_encoded_first() {
    let server = AuthorizationServer::start().await;
    server.add_client("my client", "p:ä&+=%");
    let encoded = basic("my+client", "p%3A%C3%A4%26%2B%3D%25");
    assert_eq!(token(&server, &[&encoded], GRANT).await.0, 200);
    assert_eq!(
        token(&server, &[&basic("my client", "p:ä&+=%")], GRANT).await.0,
        401
    );
}

#[tokio::test]
async fn a_client_authenticates_by_exactly_one_accepted_method() {
    let server = AuthorizationServer::start().await;
    let (status, both) = token(&server, &[&basic("client", "secret")], POSTED).await;
    assert_eq!((status, text(&both, "error")), (400, "invalid_request"));
    server.accept_only(ClientAuth::Post);
    let refused = form(&server.token_url(), &[&basic("client", "secret")], GRANT)
        .send()
        .await;
    assert_eq!(
        (refused.status, text(&refused.json(), "error")),
        (401, "invalid_client")
    );
    assert!(refused.header("www-authenticate").unwrap().starts_with("Basic"));
    assert_eq!(token(&server, &[], POSTED).await.0, 200);
}

#[tokio::test]
async fn what_is_wrong_is_called_by_its_name() {
    let server = AuthorizationServer::start().await;
    server.set_scopes(["read"]);
    for (body, status, error) in [
        ("client_id=client&client_secret=secret", 400, "invalid_request"),
        (
            "grant_type=&client_id=client&client_secret=secret",
            400,
            "invalid_request",
        ),
        (&format!("{POSTED}&grant_type=x"), 400, "invalid_request"),
        (
            "grant_type=magic&client_id=client&client_secret=secret",
            400,
            "unsupported_grant_type",
        ),
        (&format!("{POSTED}&scope=read+write"), 400, "invalid_scope"),
        (
            "grant_type=client_credentials&client_id=client&client_secret=wrong",
            401,
            "invalid_client",
        ),
        (
            "grant_type=client_credentials&client_id=client",
            401,
            "invalid_client",
        ),
        (GRANT, 401, "invalid_client"),
        (
            "grant_type=refresh_token&refresh_token=x&client_id=client&client_secret=secret",
            400,
            "invalid_grant",
        ),
    ] {
        let (got, reply) = token(&server, &[], body).await;
        assert_eq!((got, text(&reply, "error")), (status, error), "{body}");
    }
    assert_eq!(get(&server.token_url(), &[]).send().await.status, 405);
    assert_eq!(get(&(server.issuer() + "/else"), &[]).send().await.status, 404);
}

#[tokio::test]
async fn the_reuse_of_a_rotated_refresh_token_ends_the_whole_family() {
    let server = AuthorizationServer::start().await;
    let steady = server.issue_refresh_token("client");
    assert!(refresh(&server, &steady).await.1["refresh_token"].is_null());
    assert_eq!(refresh(&server, &steady).await.0, 200);

    server.rotate_refresh_tokens(true);
    let first = server.issue_refresh_token("client");
    let (_, renewed) = refresh(&server, &first).await;
    let (second, access) = (text(&renewed, "refresh_token"), text(&renewed, "access_token"));
    assert!(second.starts_with("rt-") && server.is_active(second) && server.is_active(access));
    let (status, reused) = refresh(&server, &first).await;
    assert_eq!((status, text(&reused, "error")), (400, "invalid_grant"));
    assert!(!server.is_active(second) && !server.is_active(access));
    assert_eq!(refresh(&server, second).await.0, 400);
    assert!(server.is_active(&steady), "another login is untouched");
}

#[tokio::test]
async fn a_public_client_may_refresh_but_has_no_credentials_of_its_own() {
    let server = AuthorizationServer::start().await;
    server.add_public_client("app");
    let login = server.issue_refresh_token("app");
    let body = format!("grant_type=refresh_token&refresh_token={login}&client_id=app");
    assert_eq!(token(&server, &[], &body).await.0, 200);
    assert_eq!(server.requests()[0].client_auth, None);
    let (_, refused) = token(&server, &[], &format!("{GRANT}&client_id=app")).await;
    assert_eq!(text(&refused, "error"), "unauthorized_client");
    assert_eq!(refresh(&server, &login).await.0, 400, "it is another client's");
}

#[tokio::test]
async fn tokens_can_be_introspected_and_revoked() {
    let server = AuthorizationServer::start().await;
    let client = basic("client", "secret");
    let (_, issued) = token(&server, &[&client], &format!("{GRANT}&scope=read")).await;
    let about = format!("token={}", text(&issued, "access_token"));
    let introspect = form(&server.introspection_url(), &[&client], &about);
    let claims = introspect.send().await.json();
    assert_eq!(
        (&claims["active"], &claims["scope"]),
        (&json!(true), &json!("read"))
    );
    assert!(claims["exp"].as_u64().unwrap() > 1_700_000_000);
    for body in [about.as_str(), "token=unknown"] {
        let revoked = form(&server.revocation_url(), &[&client], body).send().await;
        assert_eq!(revoked.status, 200);
    }
    assert_eq!(introspect.send().await.json(), json!({ "active": false }));
    let stranger = form(&server.introspection_url(), &[], &about).send().await;
    assert_eq!(stranger.status, 401);
}

#[tokio::test]
async fn metadata_tells_the_endpoints_and_can_lie() {
    let server = AuthorizationServer::start().await;
    let oauth = server.issuer() + "/.well-known/oauth-authorization-server";
    let openid = server.issuer() + "/.well-known/openid-configuration";
    let metadata = get(&oauth, &[]).send().await.json();
    assert_eq!(metadata["issuer"], json!(server.issuer()));
    assert_eq!(metadata["token_endpoint"], json!(server.token_url()));
    assert_eq!(get(&openid, &[]).send().await.json(), metadata);
    server.set_issuer("https://evil.example");
    assert_eq!(
        get(&oauth, &[]).send().await.json()["issuer"],
        "https://evil.example"
    );
    server.set_metadata(json!({ "issuer": 1 }));
    assert_eq!(get(&oauth, &[]).send().await.json(), json!({ "issuer": 1 }));
    server.always_at("/.well-known/openid-configuration", Answer::new(500));
    assert_eq!(get(&openid, &[]).send().await.status, 500);
}

#[tokio::test]
async fn each_answer_of_the_token_endpoint_can_be_delayed() {
    let server = AuthorizationServer::start().await;
    server.set_delay(Duration::from_millis(50));
    server.push(Answer::new(500));
    let start = Instant::now();
    for expected in [500, 200] {
        assert_eq!(token_status(&server).await, expected);
    }
    assert!(start.elapsed() >= Duration::from_millis(100));
}

async fn token_status(server: &AuthorizationServer) -> u16 {
    form(&server.token_url(), &[], POSTED).send().await.status
}

#[tokio::test]
async fn the_script_comes_before_the_rules() {
    let server = AuthorizationServer::start().await;
    server.push(Answer::text(503, "busy").with_header("retry-after", "1"));
    server.push(Answer::text(502, "bad"));
    server.always(Answer::text(500, "broken"));
    for expected in [503, 502, 500, 500] {
        assert_eq!(token_status(&server).await, expected);
    }
    server.normal();
    assert_eq!(token_status(&server).await, 200);
    assert_eq!(server.token_requests(), 5);
}

#[tokio::test]
async fn a_thousand_clients_are_served_at_once() {
    allow_many_open_files();
    let server = AuthorizationServer::start().await;
    server.always(Answer::hang());
    let request = form(&server.token_url(), &[], POSTED);
    let mut clients = JoinSet::new();
    for _ in 0..1000 {
        let request = request.clone();
        clients.spawn(async move { request.try_send().await });
    }
    eventually("all are under way", || server.max_in_flight() == 1000).await;
    assert_eq!(server.token_requests(), 1000);
    clients.shutdown().await;
    eventually("all have left", || server.open_connections() == 0).await;
    server.normal();
    assert_eq!(request.send().await.status, 200);
}

/// A client and a server, a thousand times; a shell's own limit is often 1024, or 256.
#[cfg(unix)]
fn allow_many_open_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.current.map(|current| current.max(4096));
    setrlimit(Resource::Nofile, limit).expect("the hard limit allows 4096 open files");
}

#[cfg(not(unix))]
fn allow_many_open_files() {}
