use super::authorization::Ready;
use super::{http, lock};
use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A company's gateway before its model: lets in who has an active token for it, with the scope `llm.read`, as
/// the authorization server tells (RFC 7662). Answers pass through as they are written.
pub(crate) struct Gateway {
    address: SocketAddr,
    door: Arc<Door>,
    serving: JoinHandle<()>,
}

struct Door {
    authorization: Ready,
    model: String,
    refuses_all: AtomicBool,
    hasher: RandomState,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    visits: Vec<Visit>,
    /// By the token's hash. What was said last counts while the authorization server can't be asked.
    verdicts: HashMap<u64, Verdict>,
}

/// A request that came to the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Visit {
    /// The token's hash, 0 for none.
    pub(crate) token: u64,
    pub(crate) verdict: Verdict,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Verdict {
    /// The token is this client's.
    Admitted(String),
    InvalidToken,
    InsufficientScope,
}

type Answer = Response<Either<Full<Bytes>, Incoming>>;

impl Gateway {
    /// A gateway before the model at `model`.
    pub(crate) async fn start(authorization: Ready, model: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("its address");
        let door = Arc::new(Door {
            authorization,
            model: model.to_owned(),
            refuses_all: AtomicBool::new(false),
            hasher: RandomState::new(),
            log: Mutex::default(),
        });
        let serving = tokio::spawn(serve(listener, Arc::clone(&door)));
        Self {
            address,
            door,
            serving,
        }
    }

    /// What an entry's `base_url` says.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// From now on no token is good enough.
    pub(crate) fn refuse_everything(&self) {
        self.door.refuses_all.store(true, Ordering::SeqCst);
    }

    pub(crate) fn visits(&self) -> Vec<Visit> {
        lock(&self.door.log).visits.clone()
    }

    pub(crate) fn admitted(&self) -> usize {
        self.visits()
            .iter()
            .filter(|visit| matches!(visit.verdict, Verdict::Admitted(_)))
            .count()
    }

    pub(crate) fn refused(&self) -> usize {
        self.visits().len() - self.admitted()
    }

    /// How many different tokens came.
    pub(crate) fn tokens(&self) -> usize {
        self.visits()
            .iter()
            .map(|visit| visit.token)
            .collect::<HashSet<_>>()
            .len()
    }

    /// Whether `text` is a token that came.
    pub(crate) fn has_seen(&self, text: &str) -> bool {
        let hash = self.door.hasher.hash_one(text);
        self.visits().iter().any(|visit| visit.token == hash)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, door: Arc<Door>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(converse(stream, Arc::clone(&door)));
    }
}

async fn converse(stream: TcpStream, door: Arc<Door>) {
    _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let door = Arc::clone(&door);
        async move { door.answer(request).await }
    });
    // An error here is a client that left, or a model that did: the broken answer is passed on as one.
    _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

impl Door {
    async fn answer(&self, request: Request<Incoming>) -> Result<Answer, hyper::Error> {
        let token = bearer(&request).unwrap_or_default();
        let verdict = self.judge(token).await;
        let hash = if token.is_empty() {
            0
        } else {
            self.hasher.hash_one(token)
        };
        let number = {
            let mut log = lock(&self.log);
            log.visits.push(Visit {
                token: hash,
                verdict: verdict.clone(),
            });
            log.visits.len()
        };
        let mut answer = match verdict {
            Verdict::Admitted(_) => self.pass_on(request).await?,
            Verdict::InvalidToken => refusal(StatusCode::UNAUTHORIZED, "invalid_token"),
            Verdict::InsufficientScope => refusal(StatusCode::FORBIDDEN, "insufficient_scope"),
        };
        let id = format!("gateway-{number}").parse().expect("a header's value");
        answer.headers_mut().insert("x-request-id", id);
        Ok(answer)
    }

    async fn judge(&self, token: &str) -> Verdict {
        if token.is_empty() || self.refuses_all.load(Ordering::SeqCst) {
            return Verdict::InvalidToken;
        }
        let hash = self.hasher.hash_one(token);
        let secret = &self.authorization.clients["proxy"];
        let endpoint = &self.authorization.introspection_endpoint;
        let said = http::post_form(endpoint, ("proxy", secret), &[("token", token)]).await;
        let mut log = lock(&self.log);
        match said {
            Ok((200, said)) => {
                let verdict = verdict(&said, &self.authorization.resource);
                log.verdicts.insert(hash, verdict.clone());
                verdict
            }
            _ => log.verdicts.get(&hash).cloned().unwrap_or(Verdict::InvalidToken),
        }
    }

    /// Method, path and body go on; the token doesn't.
    async fn pass_on(&self, request: Request<Incoming>) -> Result<Answer, hyper::Error> {
        let (head, body) = request.into_parts();
        let mut onward = Request::builder()
            .method(head.method)
            .uri(format!("{}{}", self.model, head.uri));
        if let Some(content_type) = head.headers.get(CONTENT_TYPE) {
            onward = onward.header(CONTENT_TYPE, content_type);
        }
        let body = Full::new(body.collect().await?.to_bytes());
        match http::send(onward.body(body).expect("a request")).await {
            Ok(answer) => Ok(answer.map(Either::Right)),
            Err(_) => Ok(json_answer(
                StatusCode::BAD_GATEWAY,
                &json!({"error": "the model is away"}),
            )),
        }
    }
}

fn bearer(request: &Request<Incoming>) -> Option<&str> {
    request
        .headers()
        .get(AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Bearer ")
}

/// What follows from an introspection's answer, RFC 7662 §2.2.
fn verdict(said: &Value, audience: &str) -> Verdict {
    let is_for_us = match &said["aud"] {
        Value::Array(audiences) => audiences.iter().any(|one| one == audience),
        one => one == audience,
    };
    let scopes = said["scope"].as_str().unwrap_or_default();
    if said["active"] != true || !is_for_us {
        Verdict::InvalidToken
    } else if scopes.split(' ').any(|scope| scope == "llm.read") {
        Verdict::Admitted(said["client_id"].as_str().unwrap_or_default().to_owned())
    } else {
        Verdict::InsufficientScope
    }
}

/// RFC 6750 §3.
fn refusal(status: StatusCode, error: &str) -> Answer {
    let mut answer = json_answer(
        status,
        &json!({"error": error, "error_description": "not with this token"}),
    );
    let challenge = format!("Bearer error=\"{error}\"")
        .parse()
        .expect("a header's value");
    answer.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    answer
}

fn json_answer(status: StatusCode, body: &Value) -> Answer {
    let mut answer = Response::new(Either::Left(Full::from(body.to_string())));
    *answer.status_mut() = status;
    answer.headers_mut().insert(
        CONTENT_TYPE,
        "application/json".parse().expect("a header's value"),
    );
    answer
}
