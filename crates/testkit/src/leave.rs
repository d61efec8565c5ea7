use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

/// A caller that leaves at its `polls`-th await: polls a future so many times, then drops it. `None` if it wasn't
/// ready by then.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use gatepass_testkit::leave_after;
///
/// assert_eq!(leave_after(1, async { 7 }).await, Some(7));
/// assert_eq!(leave_after(1, tokio::task::yield_now()).await, None);
/// # });
/// ```
pub async fn leave_after<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        let Some(after) = left.checked_sub(1) else {
            return Poll::Ready(None);
        };
        left = after;
        match future.as_mut().poll(context) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
