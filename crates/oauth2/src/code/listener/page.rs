use super::site::Reply;
use crate::login::LoginError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use gatepass_core::printable;
use http::response::Builder;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use ring::digest::{SHA256, digest};

/// How a login has ended, for the person who waits in front of the browser.
#[derive(Debug, Clone)]
pub(in crate::code) struct Outcome {
    provider: String,
    /// Why it failed, if it did.
    failure: Option<String>,
}

impl Outcome {
    pub(in crate::code) fn new(provider: &str, error: Option<&LoginError>) -> Self {
        Self {
            provider: printable(provider),
            failure: error.map(LoginError::to_string),
        }
    }
}

const STYLE: &str = include_str!("page.css");

const DONE: &str = r#"<path d="m15 24.5 6.2 6.2L33.5 18"/>"#;
const FAILED: &str = r#"<path d="m17.5 17.5 13 13m0-13-13 13"/>"#;

/// The last page: one look tells how it ended.
pub(super) fn result(outcome: &Outcome) -> Reply {
    let provider = escaped(&outcome.provider);
    let (status, class, mark, title, text) = match &outcome.failure {
        None => (
            StatusCode::OK,
            "done",
            DONE,
            "You are logged in",
            format!("<p>gatepass can use <strong>{provider}</strong> for you now.</p>"),
        ),
        Some(why) => (
            // Not a status of this page, which is fine.
            StatusCode::OK,
            "failed",
            FAILED,
            "You are not logged in",
            format!(
                "<p>The login with <strong>{provider}</strong> did not work.</p><p class=why>{}</p>",
                escaped(why)
            ),
        ),
    };
    let last = match outcome.failure {
        None => "You can close this window.",
        Some(_) => "You can close this window. The program that asked you to log in says what to do next.",
    };
    let html = format!(
        "<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n\
         <meta name=viewport content=\"width=device-width, initial-scale=1\">\n\
         <meta name=color-scheme content=\"light dark\">\n<title>{title} · gatepass</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<main class={class}>\n\
         <svg viewBox=\"0 0 48 48\" aria-hidden=true><circle cx=24 cy=24 r=22 />{mark}</svg>\n\
         <h1>{title}</h1>\n{text}\n<p class=last>{last}</p>\n</main>\n<footer>gatepass</footer>\n</body>\n</html>\n"
    );
    let reply = strict(status).header(header::CONTENT_TYPE, "text/html; charset=utf-8");
    finished(reply, html)
}

/// To a clean address: the code is in no history and no `Referer`.
pub(super) fn see_other(path: &'static str) -> Reply {
    let reply = strict(StatusCode::SEE_OTHER).header(header::LOCATION, path);
    finished(reply, String::new())
}

/// Whatever isn't part of the login; it goes on.
pub(super) fn stray(status: StatusCode, why: &'static str) -> Reply {
    let mut reply = strict(status).header(header::CONTENT_TYPE, "text/plain; charset=utf-8");
    if status == StatusCode::METHOD_NOT_ALLOWED {
        reply = reply.header(header::ALLOW, "GET");
    }
    finished(reply, format!("{why}\n"))
}

/// Nothing is kept, passed on, loaded or framed.
fn strict(status: StatusCode) -> Builder {
    let style = STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
    Response::builder()
        .status(status)
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::CONNECTION, "close")
        .header(header::REFERRER_POLICY, "no-referrer")
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(
            header::CONTENT_SECURITY_POLICY,
            format!(
                "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; \
                 frame-ancestors 'none'"
            ),
        )
}

fn finished(reply: Builder, body: String) -> Reply {
    reply.body(Full::new(Bytes::from(body))).unwrap_or_else(|_| {
        let mut empty = Response::new(Full::default());
        *empty.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        empty
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        empty
    })
}

/// Text, as HTML: a provider's name and a server's words are not ours.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
    html
}
