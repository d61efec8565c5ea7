//! The hit path allocates nothing.

use gatepass_core::{AccessToken, CachedTokenSource, StaticTokenSource, TokenSource};
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn looking_at_the_token_in_hand_allocates_nothing() {
    let token = AccessToken::bearer("token")
        .unwrap()
        .with_lifetime(Duration::from_secs(3600));
    let fixed: Arc<dyn TokenSource> = Arc::new(StaticTokenSource::new(token));
    let cached: Arc<dyn TokenSource> = Arc::new(CachedTokenSource::new(Arc::clone(&fixed)));
    cached.token().await.unwrap();
    for source in [fixed, cached] {
        let measured = allocation_counter::measure(|| {
            for _ in 0..1000 {
                let token = source.current().expect("it was just fetched");
                assert!(token.header().is_sensitive());
            }
        });
        assert_eq!(measured.count_total, 0, "{measured:?}");
    }
    let counts = allocation_counter::measure(|| drop(Box::new(1)));
    assert_eq!(counts.count_total, 1, "the counter counts");
}
