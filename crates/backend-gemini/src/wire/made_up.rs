//! Ids for calls that the server gave none: a result has to name its call.

/// What such an id begins with.
const PREFIX: &str = "unnamed-";

/// An id for the call at `index` of the answer `reply`: the same for each reading of it, unlike that of any other
/// answer, and made of characters that other providers take, too.
pub(super) fn id(reply: &str, index: usize) -> String {
    let reply = reply
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c));
    let reply: String = reply.take(24).collect();
    format!("{PREFIX}{reply}-{index}")
}

/// Whether the server doesn't know it.
pub(super) fn is(id: &str) -> bool {
    id.starts_with(PREFIX)
}
