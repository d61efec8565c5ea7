use crate::timestamp::rfc3339;
use gatepass_core::{ErrorKind, ProviderError, RateLimits};
use http::{HeaderMap, StatusCode, header};
use std::time::{Duration, SystemTime};

/// An error answer, as a backend reads it.
#[derive(Debug)]
#[non_exhaustive]
pub struct ErrorAnswer<'a> {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body, or its first 64 KiB.
    pub body: &'a [u8],
}

/// Completes an error from the provider's body: code, message, and a kind that fits better than the status.
pub type ErrorReader = fn(&ErrorAnswer<'_>, &mut ProviderError);

/// What status and headers alone tell.
pub(crate) fn provider_error(host: &str, answer: &ErrorAnswer<'_>, now: SystemTime) -> ProviderError {
    let mut error = ProviderError::new(host, error_kind(answer.status), answer.status.as_u16(), "");
    if answer.status.is_redirection() {
        error.message = "it redirects; secrets don't follow: set base_url to the final address".into();
    }
    error.request_id = request_id(answer.headers);
    error.retry_after = retry_after(answer.headers, now);
    error.rate_limits = rate_limits(answer.headers);
    error
}

/// The kind of error that a status alone tells.
#[must_use]
pub fn error_kind(status: StatusCode) -> ErrorKind {
    match status.as_u16() {
        401 => ErrorKind::Auth,
        402 => ErrorKind::Quota,
        403 => ErrorKind::Permission,
        300..=399 | 404 | 405 | 410 | 501 => ErrorKind::NotFound,
        429 => ErrorKind::RateLimit,
        503 | 529 => ErrorKind::Overloaded,
        408 | 409 | 500..=599 => ErrorKind::Server,
        _ => ErrorKind::InvalidRequest,
    }
}

/// The provider's id for a request, from the headers that providers use for it.
#[must_use]
pub fn request_id(headers: &HeaderMap) -> Option<String> {
    // One look at each header there is costs less than one for each name there could be.
    let ids = headers.iter().filter_map(|(name, value)| {
        let rank = REQUEST_IDS.iter().position(|id| name.as_str() == *id)?;
        Some((rank, value.to_str().ok()?))
    });
    let (_, id) = ids.min_by_key(|(rank, _)| *rank)?;
    Some(gatepass_core::printable(id))
}

/// The first counts.
const REQUEST_IDS: [&str; 6] = [
    "x-request-id",
    "request-id",
    "apim-request-id",
    "x-goog-request-id",
    "x-amzn-requestid",
    "cf-ray",
];

/// The pause that a server asks for: `retry-after-ms`, or `Retry-After` in seconds or as a date (RFC 9110
/// §10.2.3). A date is judged by the server's own clock (`Date`), and by `now` where it doesn't tell that.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    if let Some(milliseconds) = text("retry-after-ms").and_then(|text| text.parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(milliseconds / 1000.0).ok();
    }
    let text = text("retry-after")?;
    match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => {
            let moment = httpdate::parse_http_date(text).ok()?;
            let now = date(headers).unwrap_or(now);
            Some(moment.duration_since(now).unwrap_or_default())
        }
    }
}

/// When the server says it answered.
fn date(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(header::DATE)?.to_str().ok()?).ok()
}

/// The server's own word on whether to try again: `x-should-retry`.
pub(crate) fn should_retry(headers: &HeaderMap) -> Option<bool> {
    match headers.get("x-should-retry")?.as_bytes() {
        b"true" => Some(true),
        b"false" => Some(false),
        _ => None,
    }
}

/// The limits that a reply tells: `x-ratelimit-*`, or `anthropic-ratelimit-*`.
#[must_use]
pub fn rate_limits(headers: &HeaderMap) -> RateLimits {
    let mut limits = RateLimits::default();
    for (name, value) in headers {
        let Some((of, what)) = limit_words(name.as_str()) else {
            continue;
        };
        let limit = match of {
            "requests" => &mut limits.requests,
            "tokens" => &mut limits.tokens,
            _ => continue,
        };
        let Ok(text) = value.to_str() else { continue };
        match what {
            "limit" => limit.limit = limit.limit.or_else(|| text.parse().ok()),
            "remaining" => limit.remaining = limit.remaining.or_else(|| text.parse().ok()),
            "reset" => {
                let reset = || go_duration(text).or_else(|| until(text, headers));
                limit.reset = limit.reset.or_else(reset);
            }
            _ => {}
        }
    }
    limits
}

/// Of what a header tells a limit, and what of it: `x-ratelimit-limit-requests`,
/// `anthropic-ratelimit-requests-limit`.
fn limit_words(name: &str) -> Option<(&str, &str)> {
    if let Some(words) = name.strip_prefix("x-ratelimit-") {
        let (what, of) = words.split_once('-')?;
        return Some((of, what));
    }
    name.strip_prefix("anthropic-ratelimit-")?.split_once('-')
}

/// How far ahead a moment is, by the server's own clock.
fn until(moment: &str, headers: &HeaderMap) -> Option<Duration> {
    Some(
        rfc3339(moment)?
            .duration_since(date(headers)?)
            .unwrap_or_default(),
    )
}

/// `6m0s`, `1.5s`, `20ms`, or a bare number of seconds.
fn go_duration(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| c != '.' && !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at_checked(unit_at)?;
        let end = tail
            .find(|c: char| c == '.' || c.is_ascii_digit())
            .unwrap_or(tail.len());
        let (unit, next) = tail.split_at_checked(end)?;
        total += number.parse::<f64>().ok()?
            * match unit {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                "us" | "µs" => 1e-6,
                "ns" => 1e-9,
                _ => return None,
            };
        rest = next;
    }
    Duration::try_from_secs_f64(total).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn retry_after_is_read_in_all_its_forms() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_770);
        let read = |name, value| retry_after(&headers(&[(name, value)]), now);
        assert_eq!(read("retry-after", "7"), Some(Duration::from_secs(7)));
        assert_eq!(read("retry-after", " 0.5 "), Some(Duration::from_millis(500)));
        assert_eq!(
            read("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(Duration::from_secs(7))
        );
        assert_eq!(
            read("retry-after", "Sat, 06 Nov 1993 08:49:37 GMT"),
            Some(Duration::ZERO)
        );
        assert_eq!(read("retry-after-ms", "1500"), Some(Duration::from_millis(1500)));
        let skewed = [
            ("retry-after", "Sun, 06 Nov 1994 09:49:37 GMT"),
            ("date", "Sun, 06 Nov 1994 09:49:30 GMT"),
        ];
        assert_eq!(
            retry_after(&headers(&skewed), now),
            Some(Duration::from_secs(7)),
            "by the server's clock"
        );
        for junk in ["", "soon", "-1", "1e400", "NaN", "inf"] {
            assert_eq!(read("retry-after", junk), None, "{junk}");
        }
    }

    #[test]
    fn limits_are_read_with_their_units() {
        let limits = rate_limits(&headers(&[
            ("x-ratelimit-limit-requests", "60"),
            ("x-ratelimit-remaining-requests", "59"),
            ("x-ratelimit-reset-requests", "1m1.5s"),
            ("x-ratelimit-reset-tokens", "20ms"),
        ]));
        assert_eq!(
            (limits.requests.limit, limits.requests.remaining),
            (Some(60), Some(59))
        );
        assert_eq!(limits.requests.reset, Some(Duration::from_millis(61_500)));
        assert_eq!(limits.tokens.reset, Some(Duration::from_millis(20)));
        let limits = rate_limits(&headers(&[
            ("date", "Sat, 31 Jan 2026 11:59:30 GMT"),
            ("anthropic-ratelimit-requests-limit", "50"),
            ("anthropic-ratelimit-requests-reset", "2026-01-31T12:00:00Z"),
            ("anthropic-ratelimit-tokens-reset", "2026-01-31T11:00:00Z"),
        ]));
        assert_eq!(limits.requests.limit, Some(50));
        assert_eq!(limits.requests.reset, Some(Duration::from_secs(30)));
        assert_eq!(limits.tokens.reset, Some(Duration::ZERO));
        for (text, nanos) in [
            ("1h", 3_600_000_000_000),
            ("7us", 7_000),
            ("7µs", 7_000),
            ("40ns", 40),
        ] {
            assert_eq!(go_duration(text), Some(Duration::from_nanos(nanos)), "{text}");
        }
        for junk in ["m", "1x", "1.2.3s", "-5s"] {
            assert_eq!(go_duration(junk), None, "{junk}");
        }
    }

    #[test]
    fn the_id_of_a_request_is_found_under_each_name() {
        for name in ["x-request-id", "request-id", "apim-request-id", "cf-ray"] {
            assert_eq!(
                request_id(&headers(&[(name, "abc-1")])).as_deref(),
                Some("abc-1"),
                "{name}"
            );
        }
        assert_eq!(request_id(&headers(&[("x-id", "abc-1")])), None);
    }

    #[test]
    fn the_first_of_several_request_ids_is_told() {
        let read = |pairs: &[(&'static str, &str)]| request_id(&headers(pairs));
        let ids = [
            ("cf-ray", "7"),
            ("date", "now"),
            ("request-id", "5"),
            ("x-request-id", "1"),
        ];
        assert_eq!(read(&ids).as_deref(), Some("1"));
        assert_eq!(read(ids.get(..3).unwrap()).as_deref(), Some("5"));
        assert_eq!(read(ids.get(..2).unwrap()).as_deref(), Some("7"));
        assert_eq!(
            read(&[("x-request-id", "ü"), ("cf-ray", "7")]).as_deref(),
            Some("7")
        );
        assert_eq!(read(&[]), None);
    }

    #[test]
    fn headers_that_only_resemble_a_limit_are_passed_over() {
        let limits = rate_limits(&headers(&[
            ("x-ratelimit-limit", "1"),
            ("x-ratelimit-limit-requests-day", "2"),
            ("x-ratelimit-used-requests", "3"),
            ("anthropic-ratelimit-input-tokens-limit", "4"),
            ("ratelimit-limit-requests", "5"),
        ]));
        assert_eq!(limits, RateLimits::default());
    }

    #[test]
    fn every_status_has_a_kind() {
        for (status, expected) in [
            (400, ErrorKind::InvalidRequest),
            (401, ErrorKind::Auth),
            (402, ErrorKind::Quota),
            (403, ErrorKind::Permission),
            (404, ErrorKind::NotFound),
            (307, ErrorKind::NotFound),
            (408, ErrorKind::Server),
            (422, ErrorKind::InvalidRequest),
            (429, ErrorKind::RateLimit),
            (500, ErrorKind::Server),
            (503, ErrorKind::Overloaded),
            (529, ErrorKind::Overloaded),
        ] {
            assert_eq!(
                error_kind(StatusCode::from_u16(status).unwrap()),
                expected,
                "{status}"
            );
        }
    }
}
