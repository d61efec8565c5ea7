//! What an answer means that brings no token.

use crate::conceal::Secrets;
use crate::metadata::FIX;
use crate::wire::Complaint;
use gatepass_core::{ConfigError, Refusal, TokenError, printable};
use gatepass_http::{HttpError, HttpResponse, ServerUrl, request_id, retry_after};
use http::StatusCode;
use std::time::{Duration, SystemTime};

/// What a server complains of, with an error status or without. A 4xx is a refusal, unless it says "later"; a 5xx
/// is none. `final_words` are the errors that are the last word on this question whatever their status.
pub(crate) fn verdict(
    response: &HttpResponse,
    complaint: &Complaint,
    final_words: &[&str],
    secrets: &Secrets,
    now: SystemTime,
) -> TokenError {
    let (host, status) = (response.host(), response.status());
    if status.is_redirection() {
        let what = "secrets don't follow redirects";
        return TokenError::malformed(format!(
            "it redirects (status {}); {what} ({host})",
            status.as_u16()
        ));
    }
    // Before anything is cut.
    let error = secrets.conceal(&complaint.error);
    if is_transient(status, &error) && !final_words.contains(&&*error) {
        let what = format!("status {} {}", status.as_u16(), printable(&error));
        return unavailable(host, what.trim_end(), retry_after(response.headers(), now));
    }
    let description = complaint.description.as_deref().map(|text| secrets.conceal(text));
    let refusal = Refusal::new(host, status.as_u16(), &error)
        .with_description(description.as_deref())
        .with_request_id(request_id(&secrets.conceal_headers(response.headers())));
    TokenError::Refused(Box::new(refusal))
}

/// RFC 6749 §5.2 lets a server answer 400 or 401; some call a missing parameter `invalid_request`.
pub(crate) fn may_be_the_style(refusal: &Refusal) -> bool {
    refusal.status == 401 || matches!(refusal.error.as_str(), "invalid_client" | "invalid_request")
}

pub(crate) fn is_transient(status: StatusCode, error: &str) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429)
        || (status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED)
        || matches!(error, "temporarily_unavailable" | "server_error" | "slow_down")
}

pub(crate) fn network_error(url: &ServerUrl, error: HttpError) -> TokenError {
    let transient = error.is_transient();
    match error {
        HttpError::Network { host, phase, source } if transient => TokenError::Unavailable {
            host,
            what: phase.to_string(),
            retry_after: None,
            source,
        },
        HttpError::Network { host, phase, source } => TokenError::Untrusted {
            host,
            what: phase.to_string(),
            source,
        },
        HttpError::LeadsInside { host } => {
            let what = "leads to this machine or into a private network";
            ConfigError::invalid(&format!("{host}, which the metadata document names,"), what, FIX).into()
        }
        HttpError::Unreadable { what, .. } => TokenError::malformed(format!("{what} ({})", url.host())),
        _ => TokenError::malformed(format!("unreadable ({})", url.host())),
    }
}

pub(crate) fn unavailable(host: &str, what: impl Into<String>, retry_after: Option<Duration>) -> TokenError {
    TokenError::Unavailable {
        host: host.to_owned(),
        what: what.into(),
        retry_after,
        source: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatepass_core::{Advice, Phase};
    use gatepass_http::Transport;

    #[test]
    fn a_server_that_cannot_prove_who_it_is_is_not_asked_again_and_one_that_is_away_is() {
        let url = ServerUrl::parse("https://as.example/token", "token_url", Transport::Encrypted).unwrap();
        let of = |phase| {
            let host = url.host();
            let source = None;
            network_error(&url, HttpError::Network { host, phase, source })
        };
        let untrusted = of(Phase::Tls);
        assert!(matches!(untrusted, TokenError::Untrusted { .. }), "{untrusted:?}");
        assert!(!matches!(untrusted.advice(), Advice::Retry { .. }));
        for phase in [Phase::Connect, Phase::Send, Phase::FirstByte] {
            let away = of(phase);
            assert!(matches!(away, TokenError::Unavailable { .. }), "{away:?}");
            assert!(matches!(away.advice(), Advice::Retry { .. }));
        }
    }
}
