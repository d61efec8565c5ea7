use gatepass_core::{Advice, BackendError, ErrorKind, ProviderError as Answer};
use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use rig_core::error::ProviderError;
use rig_core::{ProviderResponseError, http_client};
use std::sync::Arc;

/// Says an error in rig's words, so that rig's rules on what may be tried again hold.
pub(crate) fn provider_error(error: BackendError) -> ProviderError {
    match error {
        BackendError::Provider(answer) => answered(&answer),
        BackendError::Interrupted { source, .. } => provider_error(*source),
        BackendError::Decode { .. } => ProviderError::Response(with_causes(&error)),
        other if matches!(other.advice(), Advice::Retry { .. }) => {
            let passing: Box<dyn std::error::Error + Send + Sync> = with_causes(&other).into();
            ProviderError::Http(Arc::new(http_client::Error::Instance(passing)))
        }
        other => ProviderError::Request(Arc::new(other)),
    }
}

fn answered(answer: &Answer) -> ProviderError {
    let failed = match StatusCode::from_u16(answer.status) {
        Ok(status) => ProviderResponseError::new(status, answer.message.clone()),
        Err(_) => ProviderResponseError::without_status(answer.message.clone()),
    };
    let failed = failed
        .with_code(answer.code.clone())
        .with_provider_request_id(answer.request_id.clone())
        .with_transient(Some(matches!(answer.advice(), Advice::Retry { .. })))
        .with_refusal(answer.kind == ErrorKind::ContentFilter)
        .with_headers(retry_after(answer));
    match answer.kind {
        ErrorKind::Auth | ErrorKind::Permission => ProviderError::InvalidAuthentication(failed),
        // Rig would try a 429 again; it passes when the quota does.
        ErrorKind::Quota => ProviderError::Provider(failed.to_string()),
        _ => ProviderError::ProviderResponse(failed),
    }
}

/// The wait that the provider asked for, where rig's users look for it.
fn retry_after(answer: &Answer) -> Option<HeaderMap> {
    let seconds = answer.retry_after?.as_secs_f64().ceil() as u64;
    Some(HeaderMap::from_iter([(RETRY_AFTER, seconds.into())]))
}

/// Rig's error has room for a text: the causes are told in it.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatepass_core::{Phase, TokenError};
    use std::time::Duration;

    fn of(kind: ErrorKind, status: u16) -> ProviderError {
        let mut answer = Answer::new("llm.example", kind, status, "no");
        answer.code = Some("its_code".into());
        answer.request_id = Some("req-1".into());
        answer.retry_after = Some(Duration::from_millis(1500));
        provider_error(BackendError::Provider(Box::new(answer)))
    }

    #[test]
    fn an_answer_keeps_status_message_code_request_id_and_wait() {
        let error = of(ErrorKind::RateLimit, 429);
        let wait = error
            .provider_response_headers()
            .and_then(|headers| headers.get(RETRY_AFTER));
        assert_eq!(wait.expect("it was told"), "2");
        let report = error.report();
        assert_eq!((report.http_status, report.retryable), (Some(429), true));
        assert_eq!(report.code.as_deref(), Some("its_code"));
        assert_eq!(report.request_id.as_deref(), Some("req-1"));
        assert!(report.message.contains("no"), "{}", report.message);
    }

    #[test]
    fn what_does_not_pass_is_not_tried_again() {
        assert!(!of(ErrorKind::Quota, 429).is_retryable());
        assert!(!of(ErrorKind::Auth, 401).is_retryable());
        assert!(!of(ErrorKind::InvalidRequest, 400).is_retryable());
        let unsupported = provider_error(BackendError::Unsupported { what: "images" });
        assert!(!unsupported.is_retryable());
    }

    #[test]
    fn what_passes_may_be_tried_again() {
        assert!(of(ErrorKind::Overloaded, 529).is_retryable());
        let network = BackendError::Network {
            host: "llm.example".into(),
            phase: Phase::Idle,
            request_id: None,
            source: None,
        };
        let interrupted = BackendError::Interrupted {
            partial: Box::default(),
            source: Box::new(network),
        };
        assert!(provider_error(interrupted).is_retryable());
    }

    #[test]
    fn an_error_without_an_answer_is_the_source() {
        let error = provider_error(BackendError::Unsupported { what: "images" });
        let source = std::error::Error::source(&error).expect("there is one");
        assert!(source.downcast_ref::<BackendError>().is_some());
    }

    #[test]
    fn a_missing_login_says_so() {
        let error = TokenError::LoginRequired {
            provider: "corp".into(),
            account: None,
            source: None,
        };
        let error = provider_error(error.into());
        assert!(!error.is_retryable());
        assert!(error.to_string().contains("no token"), "{error}");
    }
}
