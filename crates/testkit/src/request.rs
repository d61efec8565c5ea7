use crate::authorization::ClientAuth;
use bytes::Bytes;
use http::{HeaderMap, Method, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;
use std::time::Instant;

/// A request as a server received it, secrets included.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The method.
    pub method: Method,
    /// The path, still percent-encoded.
    pub path: String,
    /// The query's pairs, decoded, in order.
    pub query: Vec<(String, String)>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub body: Bytes,
    /// The pairs of a form body, decoded, in order; empty for any other body.
    pub form: Vec<(String, String)>,
    /// A JSON body; `Null` for any other body.
    pub json: Value,
    /// How the client said who it is (RFC 6749 §2.3), if it did.
    pub client_auth: Option<ClientAuth>,
    /// When it had come.
    pub at: Instant,
}

impl RecordedRequest {
    /// A header's value, where it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The first value of a form field.
    #[must_use]
    pub fn form_value(&self, name: &str) -> Option<&str> {
        value(&self.form, name)
    }

    /// The first value of a query parameter.
    #[must_use]
    pub fn query_value(&self, name: &str) -> Option<&str> {
        value(&self.query, name)
    }

    /// The bearer token of the `Authorization` header (RFC 6750 §2.1).
    #[must_use]
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token)
    }

    pub(crate) async fn read(request: hyper::Request<Incoming>) -> Result<Self, hyper::Error> {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let mut request = Self {
            method: head.method,
            path: head.uri.path().to_owned(),
            query: pairs(head.uri.query().unwrap_or_default().as_bytes()),
            headers: head.headers,
            form: Vec::new(),
            json: Value::Null,
            client_auth: None,
            body,
            at: tokio::time::Instant::now().into_std(),
        };
        match request.media_type() {
            "application/x-www-form-urlencoded" => request.form = pairs(&request.body),
            "application/json" => request.json = serde_json::from_slice(&request.body).unwrap_or_default(),
            _ => {}
        }
        request.client_auth = ClientAuth::of(&request);
        Ok(request)
    }

    /// The type of the body, without its parameters.
    pub(crate) fn media_type(&self) -> &str {
        let value = self.header(header::CONTENT_TYPE.as_str()).unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim()
    }
}

fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let (_, value) = pairs.iter().find(|(key, _)| key == name)?;
    Some(value)
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text).into_owned().collect()
}
