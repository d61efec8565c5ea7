//! The hit path allocates nothing.

use gatepass_core::{AccessToken, CachedTokenSource, StaticTokenSource, TokenSource};
use std::sync::Arc;
use std::thread;
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
        let look = || {
            let token = source.current().expect("it was just fetched");
            assert!(token.header().is_sensitive());
        };
        let looks = || allocation_counter::measure(|| (0..1000).for_each(|_| look()));
        assert_eq!(looks().count_total, 0);
        thread::scope(|scope| {
            scope.spawn(|| {
                // Its first look is the one at which it gets a copy of its own.
                look();
                assert_eq!(looks().count_total, 0);
            });
        });
    }
    let counts = allocation_counter::measure(|| drop(Box::new(1)));
    assert_eq!(counts.count_total, 1, "the counter counts");
}
