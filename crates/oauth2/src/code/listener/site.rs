use super::page::{self, Outcome};
use crate::code::redirect::Redirect;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use tokio::sync::{Notify, watch};
use tokio::task::Id;

pub(super) type Reply = Response<Full<Bytes>>;

/// Where the browser is sent in the end: an address without anything in it.
const RESULT: &str = "/result";
/// The longest address that is looked at.
const LONGEST: usize = 8 << 10;

/// What the listener serves: the redirect address, the page that tells the outcome, and nothing else.
pub(super) struct Site {
    /// `127.0.0.1:PORT`, the only `Host` that is answered: another name may be a foreign page's (DNS rebinding).
    authority: String,
    path: String,
    redirect: Arc<Redirect>,
    ended: watch::Receiver<Option<Outcome>>,
    /// The connection that brought the answer.
    answering: OnceLock<Id>,
    /// The connection that fetched the last page.
    showing: OnceLock<Id>,
    shown: Notify,
}

impl Site {
    pub(super) fn new(
        authority: String,
        path: String,
        redirect: Arc<Redirect>,
        ended: watch::Receiver<Option<Outcome>>,
    ) -> Self {
        Self {
            authority,
            path,
            redirect,
            ended,
            answering: OnceLock::new(),
            showing: OnceLock::new(),
            shown: Notify::new(),
        }
    }

    /// Whether the answer has come by the listener.
    pub(super) fn has_answered(&self) -> bool {
        self.answering.get().is_some()
    }

    pub(super) fn is_answering(&self, connection: Id) -> bool {
        self.answering.get() == Some(&connection) || self.showing.get() == Some(&connection)
    }

    /// Waits until the browser has the last page.
    pub(super) async fn shown(&self) {
        self.shown.notified().await;
    }

    /// A connection has ended.
    pub(super) fn hung_up(&self) {
        if self.showing.get().copied() == tokio::task::try_id() && self.showing.get().is_some() {
            self.shown.notify_one();
        }
    }

    pub(super) async fn respond(&self, request: Request<Incoming>) -> Result<Reply, Infallible> {
        if let Err((status, why)) = self.admit(&request) {
            return Ok(page::stray(status, why));
        }
        let uri = request.uri();
        Ok(match (uri.path(), uri.query()) {
            (RESULT, None) => self.result(),
            (path, Some(query)) if path == self.path => self.answer(query).await,
            _ => page::stray(StatusCode::NOT_FOUND, "There is nothing here."),
        })
    }

    /// Only what a browser sends that follows a redirect.
    fn admit(&self, request: &Request<Incoming>) -> Result<(), (StatusCode, &'static str)> {
        let uri = request.uri();
        let bad = |why| Err((StatusCode::BAD_REQUEST, why));
        if uri
            .path_and_query()
            .is_none_or(|text| text.as_str().len() > LONGEST)
        {
            return Err((StatusCode::URI_TOO_LONG, "This address is too long."));
        }
        if request.method() != Method::GET {
            return Err((StatusCode::METHOD_NOT_ALLOWED, "Only GET is answered here."));
        }
        if uri.authority().is_some() || !self.is_our_host(request.headers()) {
            return bad("This is another host's address.");
        }
        if request.headers().contains_key(header::ORIGIN) {
            return Err((StatusCode::FORBIDDEN, "No page may call this address."));
        }
        if !request.body().is_end_stream() {
            return bad("Nothing is taken here.");
        }
        Ok(())
    }

    fn is_our_host(&self, headers: &HeaderMap) -> bool {
        let mut hosts = headers.get_all(header::HOST).iter();
        hosts.next().is_some_and(|host| host == self.authority.as_str()) && hosts.next().is_none()
    }

    /// The redirect address. Its answer waits until the login has ended, so that the page tells the truth.
    async fn answer(&self, query: &str) -> Reply {
        // Known before the flow hears of it.
        if let Err(error) = self.redirect.accept_with(query, || {
            if let Some(connection) = tokio::task::try_id() {
                _ = self.answering.set(connection);
            }
        }) {
            tracing::debug!(%error, "a stray request to the redirect address");
            return page::stray(
                StatusCode::BAD_REQUEST,
                "This is not the answer to the login that is waiting here.",
            );
        }
        let mut ended = self.ended.clone();
        _ = ended.wait_for(Option::is_some).await;
        page::see_other(RESULT)
    }

    fn result(&self) -> Reply {
        let outcome = self.ended.borrow().clone();
        let Some(outcome) = outcome else {
            return page::stray(StatusCode::NOT_FOUND, "There is nothing here.");
        };
        if let Some(connection) = tokio::task::try_id() {
            _ = self.showing.set(connection);
        }
        page::result(&outcome)
    }
}
