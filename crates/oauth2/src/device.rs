use crate::endpoint::TokenEndpoint;
use crate::grant::{Form, Grant};
use crate::identity::Expected;
use crate::login::{Login, LoginError};
use crate::metadata::Metadata;
use gatepass_core::{ConfigError, Scopes, SecretString, TokenError, printable};
use gatepass_http::{ServerUrl, Transport};
use serde::Deserialize;
use serde_json::Value;
use std::fmt;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Logs a person in on another device, by a short code: RFC 8628. For machines without a browser.
///
/// ```no_run
/// use gatepass_oauth2::{DeviceFlow, LoginError, Metadata, TokenEndpoint};
///
/// # async fn f(server: Metadata, endpoint: TokenEndpoint) -> Result<(), LoginError> {
/// let flow = DeviceFlow::new(&server, endpoint).map_err(gatepass_core::TokenError::from)?;
/// let device = flow.begin().await?;
/// println!("Open {} and enter {}", device.verification_uri, device.user_code);
/// let login = flow.finish(device).await?;
/// # drop(login);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct DeviceFlow {
    endpoint: TokenEndpoint,
    device_endpoint: ServerUrl,
    issuer: Option<String>,
    scopes: Option<Scopes>,
}

/// What to show the person.
#[non_exhaustive]
pub struct DeviceCode {
    /// Where they log in: an https address, or http on this machine.
    pub verification_uri: String,
    /// The same with the code in it, for a QR code or a click.
    pub verification_uri_complete: Option<String>,
    /// What they enter there, fit for a terminal.
    pub user_code: String,
    /// How long it is good for.
    pub expires_in: Duration,
    code: SecretString,
    pub(crate) interval: Duration,
    began: Instant,
}

/// Between two polls, unless the server says otherwise; and what `slow_down` adds, for good (RFC 8628 §3.5).
const INTERVAL: Duration = Duration::from_secs(5);
/// The longest that a code is waited for, whatever the server says.
const LONGEST: Duration = Duration::from_secs(3600);

#[derive(Deserialize)]
struct Answer {
    device_code: SecretString,
    user_code: String,
    #[serde(alias = "verification_url")] // Google's
    verification_uri: String,
    #[serde(default)]
    verification_uri_complete: Option<String>,
    #[serde(default)]
    expires_in: Value,
    #[serde(default)]
    interval: Value,
}

impl DeviceFlow {
    /// A device login at `server`, whose token endpoint is `endpoint`. Asks for nothing yet.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if the server offers none, or has another token endpoint.
    pub fn new(server: &Metadata, endpoint: TokenEndpoint) -> Result<Self, ConfigError> {
        let Some(device_endpoint) = server.device_authorization_endpoint.clone() else {
            let fix = "log in by a browser; on a machine without one, paste the address that it leads to";
            let what = "is not known: the server offers no device login";
            return Err(ConfigError::invalid("device_authorization_endpoint", what, fix));
        };
        if *endpoint.url() != server.token_endpoint {
            let fix = "poll where the code was issued";
            return Err(ConfigError::invalid("token_url", "is another server's", fix));
        }
        Ok(Self {
            endpoint,
            device_endpoint,
            issuer: server.issuer.clone(),
            scopes: None,
        })
    }

    /// Asks for these scopes.
    #[must_use]
    pub fn with_scopes(mut self, scopes: Scopes) -> Self {
        self.scopes = Some(scopes);
        self
    }

    /// Asks for a code to show (RFC 8628 §3.1).
    ///
    /// # Errors
    /// [`LoginError::Token`]; [`LoginError::Denied`] if the server has no device login for this client or scope.
    pub async fn begin(&self) -> Result<DeviceCode, LoginError> {
        let mut form = Form::default();
        if let Some(scopes) = &self.scopes {
            form.append("scope", &scopes.to_string());
        }
        let body = match self.endpoint.post(&self.device_endpoint, form, None).await {
            Err(TokenError::Refused(refusal)) if !refusal.error.is_empty() => {
                return Err(LoginError::denied(&refusal.error, refusal.description.as_deref()));
            }
            body => body?,
        };
        Ok(DeviceCode::read(&self.device_endpoint.host(), &body)?)
    }

    /// Waits until the person has logged in, and polls as the server wants it (RFC 8628 §3.4 and §3.5).
    ///
    /// # Errors
    /// [`LoginError::Denied`] when they refuse, [`LoginError::TimedOut`] when the code has expired.
    pub async fn finish(&self, device: DeviceCode) -> Result<Login, LoginError> {
        let end = device.began + device.expires_in;
        let timed_out = LoginError::TimedOut {
            after: device.expires_in,
        };
        let grant = Grant::DeviceCode { code: device.code };
        let mut interval = device.interval;
        let mut next = device.began + interval;
        while next < end {
            sleep_until(next).await;
            let polling = self.endpoint.poll(&grant);
            let Ok(answer) = tokio::time::timeout_at(end, polling).await else {
                break;
            };
            match answer {
                Ok(response) => {
                    let expected = self.expected();
                    let login = Login::new(&self.endpoint, self.scopes.as_ref(), response, expected.as_ref());
                    return Ok(login?);
                }
                Err(error) => interval = next_interval(interval, error)?,
            }
            next = Instant::now() + interval;
        }
        Err(timed_out)
    }

    fn expected(&self) -> Option<Expected<'_>> {
        Some(Expected {
            issuer: self.issuer.as_deref()?,
            client_id: self.endpoint.client_id(),
            nonce: None,
            now: self.endpoint.now(),
        })
    }
}

/// The pause after an answer that isn't the end.
fn next_interval(interval: Duration, error: TokenError) -> Result<Duration, LoginError> {
    match error {
        TokenError::Refused(refusal) => match &*refusal.error {
            "authorization_pending" => Ok(interval),
            "slow_down" => Ok(interval + INTERVAL),
            "access_denied" => Err(LoginError::denied(
                "access_denied",
                refusal.description.as_deref(),
            )),
            "expired_token" => Err(LoginError::denied(
                "expired_token",
                refusal.description.as_deref(),
            )),
            _ => Err(TokenError::Refused(refusal).into()),
        },
        // RFC 8628 §3.5: ever more slowly while it can't be reached; as slowly as it asks for.
        TokenError::Unavailable { retry_after, .. } => {
            let pause = interval.saturating_mul(2).max(retry_after.unwrap_or_default());
            Ok(pause.min(LONGEST))
        }
        error => Err(error.into()),
    }
}

impl DeviceCode {
    pub(crate) fn read(host: &str, body: &[u8]) -> Result<Self, TokenError> {
        let answer: Answer = serde_json::from_slice(body).map_err(|_| {
            TokenError::malformed(format!("the device authorization of {host} cannot be read"))
        })?;
        let address = |text: &str| ServerUrl::parse(text, "verification_uri", Transport::Encrypted);
        let user_code = printable(&answer.user_code).trim().to_owned();
        if user_code.is_empty() {
            return Err(TokenError::malformed("the device authorization has no code"));
        }
        let complete = answer.verification_uri_complete;
        Ok(Self {
            verification_uri: address(&answer.verification_uri)?.as_str().to_owned(),
            verification_uri_complete: complete.and_then(|url| Some(address(&url).ok()?.as_str().to_owned())),
            user_code,
            expires_in: whole_seconds(&answer.expires_in).unwrap_or(LONGEST).min(LONGEST),
            code: answer.device_code,
            interval: whole_seconds(&answer.interval).unwrap_or(INTERVAL).min(LONGEST),
            began: Instant::now(),
        })
    }
}

/// `5` or `"5"`; anything else is as good as nothing.
fn whole_seconds(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    seconds.filter(|seconds| *seconds > 0).map(Duration::from_secs)
}

/// The device code is a secret; the user code is one as long as it is good.
impl fmt::Debug for DeviceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceCode")
            .field("expires_in", &self.expires_in)
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}
