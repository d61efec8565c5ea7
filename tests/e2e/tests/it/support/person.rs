use super::http;
use bytes::Bytes;
use gatepass_oauth2::{AuthorizationHandler, AuthorizationRequest, LoginError};
use http_body_util::{BodyExt, Full};
use hyper::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use hyper::{Request, Response};
use std::collections::BTreeMap;

/// Somebody who logs in as Jane on oidc-provider's pages and agrees to everything, without a browser: follows
/// addresses and keeps cookies. For tests that are about what comes after.
#[derive(Debug)]
pub(crate) struct Person;

/// Pages and redirects; a login takes eight.
const MOST_STEPS: usize = 20;

impl AuthorizationHandler for Person {
    async fn authorize(&self, request: &AuthorizationRequest) -> Result<(), LoginError> {
        // The login takes its answer from the listener while the person is still looking at the last page.
        tokio::spawn(walk(request.url().to_owned()));
        Ok(())
    }
}

async fn walk(mut url: String) {
    let mut cookies = BTreeMap::new();
    let mut form = None;
    for _ in 0..MOST_STEPS {
        let answer = visit(&url, form.take(), &cookies).await;
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str().expect("ASCII");
            let (name, value) = cookie
                .split(';')
                .next()
                .and_then(|pair| pair.split_once('='))
                .expect("a cookie");
            cookies.insert(name.to_owned(), value.to_owned());
        }
        if let Some(next) = answer.headers().get(LOCATION) {
            url = joined(&url, next.to_str().expect("ASCII"));
            continue;
        }
        let page = answer.into_body().collect().await.expect("a page").to_bytes();
        let page = String::from_utf8(page.to_vec()).expect("UTF-8");
        form = if page.contains(r#"name="prompt" value="login""#) {
            Some("prompt=login&login=jane&password=any")
        } else if page.contains(r#"name="prompt" value="consent""#) {
            Some("prompt=consent")
        } else {
            return;
        };
        let action = page
            .split_once("action=\"")
            .and_then(|(_, rest)| rest.split_once('"'));
        url = joined(&url, action.expect("a form").0);
    }
    panic!("{MOST_STEPS} steps, and no end");
}

async fn visit(
    url: &str,
    form: Option<&'static str>,
    cookies: &BTreeMap<String, String>,
) -> Response<hyper::body::Incoming> {
    let cookies: Vec<_> = cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let request = match form {
        Some(_) => Request::post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded"),
        None => Request::get(url),
    };
    let request = request
        .header(COOKIE, cookies.join("; "))
        .body(Full::from(Bytes::from_static(
            form.unwrap_or_default().as_bytes(),
        )));
    http::send(request.expect("a request")).await.expect("an answer")
}

/// An address, as seen from another one.
fn joined(base: &str, next: &str) -> String {
    if !next.starts_with('/') {
        return next.to_owned();
    }
    let origin: Vec<_> = base.splitn(4, '/').take(3).collect();
    origin.join("/") + next
}
