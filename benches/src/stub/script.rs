use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How the token endpoint answers, and how often it was asked. `GET /script?status=…&delay_ms=…&expires_in=…` sets
/// what is named and begins to count anew; `GET /requests` tells.
pub(super) struct Script {
    status: AtomicU64,
    delay_ms: AtomicU64,
    expires_in: AtomicU64,
    requests: AtomicU64,
}

pub(super) static SCRIPT: Script = Script {
    status: AtomicU64::new(200),
    delay_ms: AtomicU64::new(0),
    expires_in: AtomicU64::new(3600),
    requests: AtomicU64::new(0),
};

pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) body: String,
}

impl Script {
    pub(super) fn set(&self, query: &str) {
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            let setting = match name {
                "status" => &self.status,
                "delay_ms" => &self.delay_ms,
                "expires_in" => &self.expires_in,
                _ => continue,
            };
            if let Ok(value) = value.parse() {
                setting.store(value, Ordering::SeqCst);
            }
        }
        self.requests.store(0, Ordering::SeqCst);
    }

    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::SeqCst)
    }

    pub(super) async fn token(&self) -> Answered {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let (status, lifetime) = (
            self.status.load(Ordering::SeqCst),
            self.expires_in.load(Ordering::SeqCst),
        );
        tokio::time::sleep(Duration::from_millis(self.delay_ms.load(Ordering::SeqCst))).await;
        let body = match status {
            200 => format!(
                r#"{{"access_token":"ya29.{}","token_type":"Bearer","expires_in":{lifetime},"ext_expires_in":{lifetime}}}"#,
                "a0ARW5m7kQ".repeat(20)
            ),
            _ => r#"{"error":"invalid_grant","error_description":"expired"}"#.to_owned(),
        };
        Answered {
            status: u16::try_from(status).unwrap_or(500),
            body,
        }
    }
}
