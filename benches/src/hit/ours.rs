use super::{SECRET, leak};
use crate::Operation;
use gatepass_core::{
    AccessToken, CachedTokenSource, Clock, StaticTokenSource, SystemClock, TokenError, TokenSource,
};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

pub(crate) async fn operations() -> Result<Vec<Operation>, TokenError> {
    let token = AccessToken::bearer(SECRET)?.with_lifetime(Duration::from_secs(3600));
    let cache = CachedTokenSource::new(StaticTokenSource::new(token.clone()));
    cache.token().await?;
    let any: Arc<dyn TokenSource> = Arc::new(cache.clone());
    let (cache, any) = (leak(cache), leak(black_box(any)));
    let fixed = leak(StaticTokenSource::new(token));
    Ok(vec![
        Operation::new("ours: current()", || async {
            cache.current().map(|token| token.header().len())
        }),
        Operation::new("ours: current(), Arc<dyn TokenSource>", || async {
            any.current().map(|token| token.header().len())
        }),
        Operation::new("ours: current(), header cloned", || async {
            cache.current().map(|token| token.header().clone())
        }),
        Operation::new("ours: token().await", || async {
            cache.token().await.map(|token| token.header().len())
        }),
        Operation::new("ours: StaticTokenSource::current()", || async {
            fixed.current().map(|token| token.header().len())
        }),
        Operation::new("clock: SystemClock::now", || async { SystemClock.now() }),
    ])
}
