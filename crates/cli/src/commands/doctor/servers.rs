//! The authorization servers: do they answer, and does their clock agree with ours?

use super::check::Check;
use crate::exit::Exit;
use gatepass::client_credentials::{Provider, Providers};
use gatepass::http_client::{HttpClient, HttpError, HttpRequest, ServerUrl};
use gatepass::oauth2::Discovery;
use gatepass::{BackendError, Clock, ConfigError, Phase, Profile, SystemClock, TokenError};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};
use tokio::task::JoinSet;

/// The longest that one server is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A difference that makes fresh tokens look expired, or expired ones fresh.
const TOLERANCE: Duration = Duration::from_secs(60);

/// All of them at once, in the order of the configuration. They are sent no secret.
pub(super) async fn checks(config_path: Option<&Path>, profile: &Profile) -> Vec<Check> {
    let mut asking = JoinSet::new();
    let mut next = 0;
    for provider in configured(config_path) {
        asking.spawn(async move { (next, ask_configured(provider).await) });
        next += 1;
    }
    if let Ok(secrets) = profile.client_secrets() {
        let url = secrets.server().token_endpoint.clone();
        asking.spawn(async move { (next, ask("google", google_client(), Ok(url)).await) });
    }
    let mut answers = asking.join_all().await;
    if answers.is_empty() {
        return vec![Check::skipped("servers", "none is configured")];
    }
    answers.sort_by_key(|(place, _)| *place);
    answers.into_iter().flat_map(|(_, checks)| checks).collect()
}

/// Those whose entries can be used; what is wrong with the others has been told.
fn configured(path: Option<&Path>) -> Vec<Provider> {
    let providers = path.map_or_else(|| Ok(Providers::discover(Path::new(""))), Providers::read);
    let Ok(providers) = providers else {
        return Vec::new();
    };
    let names = providers.names();
    names
        .into_iter()
        .filter_map(|name| providers.find(name).ok()?)
        .collect()
}

async fn ask_configured(provider: Provider) -> Vec<Check> {
    let (name, http) = (provider.name.to_string(), provider.token_http());
    let url = match &http {
        Ok(http) => {
            let discovery = Discovery::new(http.clone()).with_timeout(PATIENCE);
            provider
                .server(&discovery)
                .await
                .map(|server| server.token_endpoint)
        }
        Err(error) => Err(error.clone().into()),
    };
    ask(&name, http, url).await
}

fn google_client() -> Result<HttpClient, ConfigError> {
    HttpClient::new(gatepass::http_client::HttpOptions::default())
}

/// A token endpoint refuses an empty form, which is no client's; what has never heard of one answers 404 or 405.
async fn ask(
    name: &str,
    http: Result<HttpClient, ConfigError>,
    url: Result<ServerUrl, TokenError>,
) -> Vec<Check> {
    const SUBJECT: &str = "server";
    let http = match http {
        Ok(http) => http,
        Err(error) => return vec![Check::failed(SUBJECT, Some(name), error)],
    };
    let url = match url {
        Ok(url) => url,
        Err(error) => return vec![Check::failed(SUBJECT, Some(name), error)],
    };
    let (host, begun) = (url.host(), Instant::now());
    let answer = tokio::time::timeout(PATIENCE, http.send(HttpRequest::post_form(url, ""))).await;
    let took = begun.elapsed();
    match answer {
        Err(_) => {
            let what = format!("{name}: {host} doesn't answer within {PATIENCE:?}");
            vec![Check::broken(
                SUBJECT,
                what,
                "check the address and the network",
                Exit::Unavailable,
            )]
        }
        Ok(Err(error)) => vec![unreachable(SUBJECT, name, error)],
        Ok(Ok(answer)) => {
            let answered = format!("{name}: {host} answers after {} ms", took.as_millis());
            let mut checks = vec![match answer.status().as_u16() {
                status @ (404 | 405) => {
                    let what = format!("{name}: {host} answers {status} to a token request");
                    Check::doubtful(SUBJECT, what, "check the path of token_url, or issuer")
                }
                _ => Check::good(SUBJECT, answered),
            }];
            checks.extend(answer.date().map(|theirs| clock(&host, theirs, took)));
            checks
        }
    }
}

fn unreachable(subject: &'static str, name: &str, error: HttpError) -> Check {
    let is_network = matches!(&error, HttpError::Network { phase, .. } if *phase != Phase::Tls);
    let check = Check::failed(subject, Some(name), BackendError::from(error));
    if is_network {
        return check.with_fix("check the provider's token_url or issuer, and the network");
    }
    check
}

/// The server's time is as old as its answer, at most, and told in whole seconds.
fn clock(host: &str, theirs: SystemTime, took: Duration) -> Check {
    let ours = SystemClock.now().wall_time();
    let (difference, direction) = match ours.duration_since(theirs) {
        Ok(ahead) => (ahead.saturating_sub(took + Duration::from_secs(1)), "ahead of"),
        Err(behind) => (behind.duration(), "behind"),
    };
    if difference <= TOLERANCE {
        return Check::good("clock", format!("agrees with {host}"));
    }
    let what = format!("this machine is {} s {direction} {host}", difference.as_secs());
    Check::doubtful("clock", what, "set the clock, by NTP for instance")
}
