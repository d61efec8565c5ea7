use crate::server_url::ServerUrl;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use reqwest::Body;
use std::fmt;
use zeroize::Zeroizing;

/// A request whose body can be sent again: after a 401, or on a retry.
#[derive(Clone)]
pub struct HttpRequest {
    pub(crate) method: Method,
    pub(crate) url: ServerUrl,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl HttpRequest {
    /// A GET request.
    #[must_use]
    pub fn get(url: ServerUrl) -> Self {
        Self {
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    /// A POST request with a JSON body.
    pub fn post_json(url: ServerUrl, body: impl Into<Bytes>) -> Self {
        Self::post(url, "application/json", body.into())
    }

    /// A POST request with a form as its body, RFC 6749 appendix B. The form is wiped as soon as nobody needs it any more.
    pub fn post_form(url: ServerUrl, body: impl Into<Vec<u8>>) -> Self {
        let body = Bytes::from_owner(Zeroizing::new(body.into()));
        Self::post(url, "application/x-www-form-urlencoded", body)
    }

    fn post(url: ServerUrl, content_type: &'static str, body: Bytes) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self {
            method: Method::POST,
            url,
            headers,
            body,
        }
    }

    /// Sets a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    pub(crate) fn into_inner(self) -> reqwest::Request {
        let mut request = reqwest::Request::new(self.method, self.url.into_url());
        *request.headers_mut() = self.headers;
        if !self.body.is_empty() {
            let body = Body::from(self.body);
            // What can't be cloned is not cloned. reqwest keeps a second request for servers that didn't look at the first
            // one, which only HTTP/2 has, and that needs TLS here.
            let is_http1 = request.url().scheme() == "http";
            *request.body_mut() = Some(if is_http1 { Body::wrap(body) } else { body });
        }
        request
    }
}

/// A form holds a client's secret, and a header may: neither is shown.
impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}
