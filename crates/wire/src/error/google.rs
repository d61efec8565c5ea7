//! `google.rpc.Status`: what its `details` tell more exactly than status and code.

use gatepass_core::ErrorKind;
use serde_json::Value;
use std::time::Duration;

/// The kind of error that the details tell, if they do.
pub(super) fn kind(told: &Value) -> Option<ErrorKind> {
    if details(told).any(is_of_used_up_quota) {
        return Some(ErrorKind::Quota);
    }
    let by_reason = details(told).find_map(|detail| kind_of_reason(detail.get("reason")?.as_str()?));
    by_reason.or_else(|| kind_of_message(told))
}

/// `RetryInfo`: `{"retryDelay":"45.8s"}`.
pub(super) fn retry_delay(told: &Value) -> Option<Duration> {
    let delay = details(told).find_map(|detail| detail.get("retryDelay")?.as_str())?;
    Duration::try_from_secs_f64(delay.strip_suffix('s')?.parse().ok()?).ok()
}

fn details(told: &Value) -> impl Iterator<Item = &Value> {
    let details = told.get("details").and_then(Value::as_array);
    details.into_iter().flatten()
}

/// `QuotaFailure`, or the `ErrorInfo` of older servers.
fn is_of_used_up_quota(detail: &Value) -> bool {
    let violations = detail.get("violations").and_then(Value::as_array);
    let limits = violations.into_iter().flatten().chain(detail.get("metadata"));
    limits.into_iter().any(is_used_up)
}

/// A limit a day, or one of nothing at all: no pause of this call's helps.
fn is_used_up(limit: &Value) -> bool {
    let text = |names: [&str; 2]| names.iter().find_map(|name| limit.get(*name)?.as_str());
    let id = text(["quotaId", "quota_limit"]);
    let value = text(["quotaValue", "quota_limit_value"]);
    id.is_some_and(|id| id.to_ascii_lowercase().contains("perday")) || value == Some("0")
}

/// `ErrorInfo`
fn kind_of_reason(reason: &str) -> Option<ErrorKind> {
    Some(match reason {
        // With status 400.
        "API_KEY_INVALID" => ErrorKind::Auth,
        "BILLING_DISABLED" => ErrorKind::Quota,
        _ => return None,
    })
}

/// What is told in words alone.
fn kind_of_message(told: &Value) -> Option<ErrorKind> {
    let status = told.get("status")?.as_str()?;
    let message = told.get("message")?.as_str()?.to_ascii_lowercase();
    let tells_of = |phrases: [&str; 2]| phrases.iter().any(|phrase| message.contains(phrase));
    match status {
        "FAILED_PRECONDITION" if tells_of(["user location", "in your country"]) => {
            Some(ErrorKind::Permission)
        }
        "RESOURCE_EXHAUSTED" if tells_of(["credits are depleted", "spending cap"]) => Some(ErrorKind::Quota),
        _ => None,
    }
}
