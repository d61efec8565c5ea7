//! The smallest HTTP client: one connection a request. Not ours, so that ours isn't tested against itself.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::http::request::Builder;
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::error::Error;
use tokio::net::TcpStream;

pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Sends a request to the `http://` address that it names; the answer's body comes as it is written.
pub(crate) async fn send(mut request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Failure> {
    let authority = request.uri().authority().ok_or("no host")?.to_string();
    let path = request.uri().path_and_query().ok_or("no path")?.to_string();
    request
        .headers_mut()
        .insert(HOST, HeaderValue::from_str(&authority)?);
    *request.uri_mut() = path.parse::<Uri>()?;
    let stream = TcpStream::connect(&authority).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?)
}

/// Posts a form with a client's Basic authentication; status and JSON answer (`Null` if it is none).
pub(crate) async fn post_form(
    url: &str,
    (id, secret): (&str, &str),
    form: &[(&str, &str)],
) -> Result<(u16, Value), Failure> {
    use base64::{Engine, engine::general_purpose::STANDARD};

    let credentials = STANDARD.encode(format!("{id}:{secret}"));
    post(
        Request::post(url).header(AUTHORIZATION, format!("Basic {credentials}")),
        form,
    )
    .await
}

/// The same for a client without a secret.
pub(crate) async fn post_public_form(url: &str, form: &[(&str, &str)]) -> Result<(u16, Value), Failure> {
    post(Request::post(url), form).await
}

async fn post(request: Builder, form: &[(&str, &str)]) -> Result<(u16, Value), Failure> {
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    let request = request
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::from(body))?;
    let answer = send(request).await?;
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await?.to_bytes();
    Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
}
